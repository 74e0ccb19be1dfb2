"""What was said of a person, and what of it each candidate of the CRM agrees with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from jobs.model.request import CANDIDATES, CONFIRMED, GIVEN, Candidate, Candidates, Confirmed, Given, GivenPerson, SubjectRequest
from jobs.requests.search.match import left_out, wanted_person
from rules.decoders import decoder_of
from rules.people.birthdates import sentinels_of
from rules.people.candidates import NAME_DIFFERS, Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_compliance.console.frame.visit import Visit

Part = TypeVar("Part")
# By what was said: the evidence against it, then that which agrees with it, the strongest first.
COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "name": (NAME_DIFFERS, Evidence.NAME, Evidence.SWAPPED_NAMES, Evidence.NAME_FUZZY, Evidence.FIRST_NAME, Evidence.LAST_NAME),
    "birthdate": (Evidence.BIRTH_DATE_DIFFERS, Evidence.BIRTH_DATE, Evidence.BIRTH_DATE_NEAR, Evidence.BIRTH_YEAR),
    "nationalnumbers": (Evidence.NATIONAL_NUMBER_DIFFERS, Evidence.NATIONAL_NUMBER),
    "phones": (Evidence.PHONE,),
    "emails": (Evidence.EMAIL,),
}
AGAINST: Final = frozenset({Evidence.NATIONAL_NUMBER_DIFFERS.value, Evidence.BIRTH_DATE_DIFFERS.value, NAME_DIFFERS})
NEARLY: Final = frozenset(
    {
        Evidence.NAME_FUZZY.value, Evidence.SWAPPED_NAMES.value, Evidence.BIRTH_DATE_NEAR.value, Evidence.BIRTH_YEAR.value,
        Evidence.FIRST_NAME.value, Evidence.LAST_NAME.value,
    }
)  # fmt: skip


class Compared(NamedTuple):
    """One line of the comparison: what was said, and the code of what the CRM has; empty where nothing was
    found in common."""

    field: str
    said: str
    code: str
    tone: str


class Side(NamedTuple):
    """A candidate beside what was said; `is_confirmed` where somebody said that it is the person."""

    candidate: Candidate
    lines: Sequence[Compared]
    is_confirmed: bool


class PersonEvidence(NamedTuple):
    """What is known of the person now. `given` is None once it has been erased, `sides` None before anybody
    has searched, `confirmed` None before anybody has said who it is. `left_out` is what was said and is not
    searched for; `is_nobody_sought`: nothing else was said of anybody."""

    given: Given | None
    sides: Sequence[Side] | None
    confirmed: Confirmed | None
    places: Sequence[tuple[str, Sequence[str]]]
    candidates: Candidates | None
    left_out: Sequence[str]
    is_nobody_sought: bool


def seen_of(visit: Visit, request: SubjectRequest) -> PersonEvidence:
    """Return what was said and found, for who handles requests."""
    given, found, confirmed = (
        _part(visit, request, GIVEN, Given),
        _part(visit, request, CANDIDATES, Candidates),
        _part(visit, request, CONFIRMED, Confirmed),
    )
    names = frozenset(confirmed.candidates) if confirmed is not None else frozenset[str]()
    sides = [Side(each, _lines(given, each), each.candidate in names) for each in found.found] if found is not None else None
    said = [each for each in (given.requester, given.on_behalf_of) if each is not None] if given is not None else []
    day, sentinels = visit.services.calendar.day(visit.now), sentinels_of(visit.services.policy_shown())
    unread = [text for each in said for _, text in left_out(each, day, sentinels)]
    is_nobody_sought = bool(said) and all(wanted_person(each, day, sentinels).is_empty for each in said)
    places = places_of(found.not_searched) if found is not None else ()
    return PersonEvidence(given, sides, confirmed, places, found, unread, is_nobody_sought)


def _part(visit: Visit, request: SubjectRequest, name: str, kind: type[Part]) -> Part | None:
    part = visit.services.store.requests.part(request.id, name)
    return decoder_of(kind).decode(part) if part is not None else None


def places_of(codes: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return places that are not searched by their kind, with what each names."""
    by_kind: dict[str, list[str]] = {}
    for code in codes:
        kind, _, name = code.partition(":")
        named = by_kind.setdefault(kind, [])
        if name:
            named.append(name)
    return list(by_kind.items())


def said_of(person: GivenPerson) -> dict[str, str]:
    """Return what was said of somebody, by field, as one line."""
    return {
        "name": f"{person.firstname} {person.lastname}".strip(),
        "birthdate": person.birthdate,
        "nationalnumbers": ", ".join(person.nationalnumbers),
        "phones": ", ".join(person.phones),
        "emails": ", ".join(person.emails),
    }


def _lines(given: Given | None, candidate: Candidate) -> list[Compared]:
    person = None
    if given is not None:
        person = given.on_behalf_of if candidate.person == "child" else given.requester
    said = said_of(person) if person is not None else dict.fromkeys(COMPARED, "")
    has = {*candidate.evidence, *candidate.flags}
    lines = []
    for field, codes in COMPARED.items():
        code = next((each for each in codes if each in has), "")
        if code or said[field]:
            lines.append(
                Compared(field, said[field], str(code), "bad" if code in AGAINST else "warn" if code in NEARLY else "good" if code else "")
            )
    return lines
