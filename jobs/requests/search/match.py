"""Finds who in the CRM may be the person that asks, and the child on whose behalf: a list for a person to
confirm, never an answer. Source: section 10; EXP-03, EXP-04, HLD-08."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec

from connectors.interface.connector import Connector
from jobs.checks.whole_view import permitted
from jobs.model.request import Candidate, Given, GivenPerson
from jobs.ports.context import JobContext
from jobs.reading.row_kinds import table_of
from jobs.register.confirmed_people import CHILD, REQUESTER
from jobs.requests.search.batches import in_batches
from jobs.requests.search.callers import CallerMatch, find_callers
from rules.model.personal_records import FullContact
from rules.people.birthdates import Sentinels, sentinels_of
from rules.people.candidates import RANK, Match, Strength, match, strongest_first
from rules.people.everybody import Everybody
from rules.people.wanted import Wanted, wanted_of

_OF_CONTACTS: Final = (
    "first_name", "last_name", "birth_on", "birth_year", "national_number", "phone", "mobile", "email", "email_2", "anonymised_on",
)  # fmt: skip


@dataclass(slots=True)
class _Person:
    """Somebody who is searched for, and what is found: contacts, and rows that belong to none of those."""

    request: str
    who: str
    wanted: Wanted
    matches: list[Match] = field(default_factory=list)
    rows: list[CallerMatch] = field(default_factory=list)


def find_candidates(context: JobContext, given: Given) -> list[Candidate]:
    """Find every row that may be of the requester or of the child, the strongest first; the ids `c1`, `c2`, …
    follow that order. Raises ConnectorError: something could not be read whole, or is out of sight by now; a
    part of the list is none."""
    found = find_all_candidates(context, {"": given})[""]
    permitted(context.connector, context.policy)
    return found


def find_all_candidates(context: JobContext, given: Mapping[str, Given]) -> dict[str, list[Candidate]]:
    """Find the candidates of several requests, by request, in one reading of the CRM. All contacts are read
    and compared here, and so are the rows that carry a caller's number, address or name: what a person is
    looked for by stands in no URL (ACC-05), and nothing is kept of the comparison (IDN-19). Those who were
    anonymised are skipped. Raises ConnectorError: something could not be read whole."""
    wanted = {request: list(_wanted(context, people)) for request, people in given.items()}
    if not any(wanted.values()):
        return {request: [] for request in given}
    people = [_Person(request, who, one) for request, several in wanted.items() for who, one in several]
    sentinels = sentinels_of(context.policy)
    for contacts in in_batches(context.connector.read(FullContact, _OF_CONTACTS)):
        everybody = Everybody(contacts)
        for person in people:
            person.matches += match(everybody, person.wanted, today=context.today, sentinels=sentinels)
    callers = find_callers(context.connector, [(person.wanted, {one.id for one in person.matches}) for person in people])
    for person, rows in zip(people, callers, strict=True):
        person.rows = rows
    return {request: _listed(context.connector, [person for person in people if person.request == request]) for request in given}


def wanted_person(person: GivenPerson, day: date, sentinels: Sentinels) -> Wanted:
    """Return what a person said, made ready to be compared."""
    return wanted_of(
        first_name=person.firstname,
        last_name=person.lastname,
        birthdate=person.birthdate,
        national_numbers=person.nationalnumbers,
        phones=person.phones,
        emails=person.emails,
        today=day,
        sentinels=sentinels,
    )


def left_out(person: GivenPerson, day: date, sentinels: Sentinels) -> list[tuple[str, str]]:
    """Return the numbers and addresses that somebody gave and the search leaves out, each with its field:
    they cannot be read as such. A national number that does not check, half a telephone number, what is no
    address."""
    alone = [
        *(("nationalnumbers", text, GivenPerson(nationalnumbers=(text,))) for text in person.nationalnumbers),
        *(("phones", text, GivenPerson(phones=(text,))) for text in person.phones),
        *(("emails", text, GivenPerson(emails=(text,))) for text in person.emails),
    ]
    return [(field, text) for field, text, one in alone if wanted_person(one, day, sentinels).is_empty]


def _wanted(context: JobContext, given: Given) -> Iterator[tuple[str, Wanted]]:
    """Yield the people a request searches for, as far as anything was stated by which they could be found."""
    people: list[tuple[str, GivenPerson | None]] = [(REQUESTER, given.requester), (CHILD, given.on_behalf_of)]
    for who, person in people:
        if person is None:
            continue
        wanted = wanted_person(person, context.today, sentinels_of(context.policy))
        if not wanted.is_empty:
            yield who, wanted


def _listed(connector: Connector, people: list[_Person]) -> list[Candidate]:
    found = [one for person in people for one in _candidates(connector, person)]
    found.sort(key=lambda one: RANK[Strength(one.strength)])
    return [msgspec.structs.replace(one, candidate=f"c{number}") for number, one in enumerate(found, 1)]


def _candidates(connector: Connector, person: _Person) -> Iterator[Candidate]:
    table = connector.table(FullContact)
    for one in strongest_first(person.matches):
        strength = one.strength.value
        yield Candidate("", person.who, table, "contact", one.id, strength, one.flags, one.evidence, one.born_in, one.number)
    for row in person.rows:
        where = table_of(connector, row.kind, row.id)
        yield Candidate("", person.who, where, row.kind, row.id, row.strength.value, row.flags, row.evidence)
