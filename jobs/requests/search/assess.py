"""What may be disclosed for a request on this day: who it is about, what the CRM has, and the person's
entitlement. The same is determined twice: when an answer is compiled, and on the day of its release (RGT-07,
SUS-08). Source: RGT-07, SUS-08, EXP-02, EXP-03."""

from dataclasses import dataclass
from datetime import date

import msgspec

from connectors.interface.rows import NOBODY
from jobs.model.request import Given, GivenPerson, SubjectRequest
from jobs.ports.context import JobContext
from jobs.register.confirmed_people import ConfirmedPeople, confirmed_people, given_of
from jobs.register.decision import has_unsubscribed
from jobs.register.overrides import overridden
from jobs.requests.search.case_files import Filing
from jobs.requests.search.contact_details import numbers_on
from jobs.requests.search.match import wanted_person
from jobs.requests.search.material import Material
from jobs.requests.search.reporters import reports_of_others
from jobs.requests.search.roles_and_files import files_of, roles_of
from jobs.requests.search.rows_without_contact import add_loose_rows, roles_of_rows, stand_in
from jobs.requests.search.search import search_everywhere
from rules.model.file_roles import FileRole
from rules.model.home import Home
from rules.model.kinds import RELATIONS
from rules.model.personal_records import FullContact
from rules.model.records import Record
from rules.people.birthdates import Sentinels, born_by, latest_compatible, sentinels_of
from rules.retention.clocks import without_sentinel
from rules.rights.entitlement import Entitlement, entitlement
from rules.rights.facts import Asked, RoleInFile, UnitKey


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that an answer is made from; it stays in this process. `subject` are the contacts, and
    stand-ins of rows without one, of the person the answer is about: the requester, or the child on whose
    behalf the request is made."""

    request: SubjectRequest
    given: Given
    people: ConfirmedPeople
    material: Material
    filing: Filing
    entitlement: Entitlement
    subject: frozenset[str]
    day: date
    is_missing: bool  # somebody who was confirmed is not there any more
    home: Home
    born_by: date | None  # the latest day on which whom the answer is about can have been born

    @property
    def is_on_behalf(self) -> bool:
        return self.entitlement.scope != "own"

    @property
    def subject_contacts(self) -> list[FullContact]:
        """The contacts of the person whom the answer is about, in the order of their ids."""
        return [self.material.contacts[contact] for contact in sorted(self.subject) if contact in self.material.contacts]

    @property
    def subject_rows(self) -> frozenset[tuple[str, str]]:
        """The rows without a contact that are about that person."""
        return self.people.child_rows if self.is_on_behalf else self.people.requester_rows

    @property
    def said_of_subject(self) -> list[Record]:
        """Those of these rows that are still there: the numbers and addresses on them are the person's."""
        return [found for row in sorted(self.subject_rows) if (found := self.filing.row(*row)) is not None]


def assess(context: JobContext, request: SubjectRequest) -> Assessment:
    """Read everything again, and return the assessment with the person's entitlement today. Raises Refused:
    with code `not_confirmed` or `erased`; ConnectorError: something could not be read in full."""
    given, people = given_of(context.store, request.id), confirmed_people(context.store, request.id)
    day = context.today
    # Nobody is looked for as somebody is, by what they said, and what that finds is not theirs (EXP-04):
    # neither the CRM's log nor a watch tells who is unknown here from who must not be told anything (SUS-07).
    material = search_everywhere(context, people.contacts, like=_like(given) if people.are_none else ())
    add_loose_rows(context, material, people.rows)
    if people.are_none:
        material = Material(not_searched=material.not_searched)
    filing = Filing(material)
    requester = people.requester | {stand_in(*row) for row in people.requester_rows}
    child = people.child | {stand_in(*row) for row in people.child_rows}
    roles = [*roles_of(material), *roles_of_rows(material, filing, people.rows)]
    roles += _unwritten(context, material, filing, people.contacts, {(role.unit, role.contact) for role in roles})
    fillers = context.policy.fillers
    roles = [msgspec.structs.replace(role, suspect_until=without_sentinel(role.suspect_until, fillers)) for role in roles]
    sentinels = sentinels_of(context.policy)
    own, theirs = ([material.contacts[one] for one in sorted(people) if one in material.contacts] for people in (requester, child))
    about = theirs if request.on_behalf else own
    asked = Asked(
        right=request.right,
        kind=request.requester_kind,
        on_behalf=request.on_behalf,
        requester=requester,
        child=child,
        received_on=request.received_on,
        day=day,
        mandate=request.identity.mandate if request.identity is not None else None,
        child_agrees=request.identity.child_agrees if request.identity is not None else False,
        child_born_on=_born_on(about, sentinels, day),
        child_born_by=born_by(about, sentinels, day) or stated_birth(context, given, on_behalf=request.on_behalf),
        requester_born_on=_born_on(own, sentinels, day),
        requester_born_by=born_by(own, sentinels, day) or stated_birth(context, given, on_behalf=False),
        requester_deceased=_is_deceased(own, fillers),
        overrides=overridden(request),
        has_relations=_has_relations(material, people.requester) or has_unsubscribed(context.store, request.id),
        child_has_relations=_has_relations(material, people.child),
        deceased=_is_deceased(about, fillers),
        about=given.details.about,
    )
    policy = context.policy
    found = entitlement(asked, roles, files_of(material), maturity_age=policy.defaults.maturity_age, harmless=policy.harmless)
    is_missing = bool(people.contacts - material.contacts.keys()) or any(filing.row(*row) is None for row in people.rows)
    subject, told = (child, theirs) if found.scope != "own" else (requester, own)
    latest = born_by(told, sentinels, day)
    return Assessment(request, given, people, material, filing, found, subject, day, is_missing, context.home, latest)


def stated_birth(context: JobContext, given: Given, *, on_behalf: bool) -> date | None:
    """Return the day of birth of whom a request is about as it was stated at the receipt, unless that day
    stands for none (RET-09). Where the CRM has none, nobody is younger or older than they said to be where
    that closes an answer; nothing is opened by it (RGT-05, RGT-07)."""
    person = given.on_behalf_of if on_behalf else given.requester
    stated = GivenPerson(birthdate=person.birthdate if person is not None else "")
    return wanted_person(stated, context.today, sentinels_of(context.policy)).born_on


def _like(given: Given) -> list[FullContact]:
    """Return contacts as the people of a request would have them, if there were any."""
    people = [person for person in (given.requester, given.on_behalf_of) if person is not None]
    return [
        FullContact(
            id=NOBODY,
            first_name=person.firstname,
            last_name=person.lastname,
            national_number=next(iter(person.nationalnumbers), None),
            phone=next(iter(person.phones), None),
            email=next(iter(person.emails), None),
        )
        for person in people
    ]


def _unwritten(
    context: JobContext, material: Material, filing: Filing, people: frozenset[str], known: set[tuple[UnitKey, str]]
) -> list[RoleInFile]:
    """Return roles that nobody recorded. Somebody who takes part in a call or an e-mail of a file, or called
    by a number of theirs where nothing says that somebody else did, has a role in it."""
    found: set[tuple[UnitKey, str, str]] = set()
    for party in material.activity_parties.values():
        if party.party in people:
            found |= {(unit, party.party or "", FileRole.OTHER) for unit in filing.units("activity_party", party.id)}
    country, sentinels = context.home.country, sentinels_of(context.policy)
    for one in (material.contacts[contact] for contact in people if contact in material.contacts):
        own, latest = numbers_on([one], country), born_by([one], sentinels, context.today)
        others = reports_of_others(material, filing, frozenset({one.id}), country, latest)
        for fiche in material.fiches.values():
            if fiche.id not in others and own & numbers_on([fiche], country):
                found |= {(unit, one.id, FileRole.REPORTER) for unit in filing.units("fiche", fiche.id)}
    return [RoleInFile(unit, contact, role) for unit, contact, role in sorted(found) if (unit, contact) not in known]


def _born_on(contacts: list[FullContact], sentinels: Sentinels, day: date) -> date | None:
    """Return the birth date where it is certain: a full day on which all that is known agrees (RET-09).
    Otherwise return None."""
    days = set()
    for contact in contacts:
        born_on, flags = latest_compatible(contact, sentinels, day)
        days.add(born_on if not any(flag.startswith("BIRTHDATE") for flag in flags) else None)
    return days.pop() if len(days) == 1 else None


def _is_deceased(contacts: list[FullContact], fillers: frozenset[date]) -> bool:
    """Return whether one of somebody's contacts says that the person is dead."""
    return any(without_sentinel(contact.deceased_on, fillers) is not None for contact in contacts)


def _has_relations(material: Material, people: frozenset[str]) -> bool:
    """Return whether anything ties these people outside the missions: gifts, courses, agreements, a partner
    organisation, a newsletter."""
    rows = [row for kind in RELATIONS for row in material.rows(kind).values()]
    contacts = [material.contacts[contact] for contact in people if contact in material.contacts]
    return any(row.contact in people for row in rows) or any(contact.newsletter or contact.parent_kind == "account" for contact in contacts)
