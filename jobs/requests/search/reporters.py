"""Who called or wrote, where more is known of it than the line: a child calls by the telephone of a parent,
and families share an address (IDN-11). Source: IDN-11, IDN-17, EXP-05, RGT-09, R-119."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Final

from jobs.requests.search.case_files import Filing
from jobs.requests.search.contact_details import numbers_on
from jobs.requests.search.material import Material
from jobs.requests.search.rows_without_contact import stand_in
from rules.dates.ages import has_reached
from rules.model.file_roles import PARENTS, FileRole
from rules.model.kinds import PARTS
from rules.model.personal_records import FullFiche, FullParty
from rules.rights.authority import ADULT_AGE
from rules.rights.facts import UnitKey

# Whether a child reported, by what a fiche says of its reporter; of every other kind nobody knows.
_IS_CHILD: Final = {"child": True, "parent": False, "professional": False}
_CALLED: Final = (1, 2, None)  # sender, addressee: in a call either may be the one at the line
_WROTE: Final = (1, None)


def is_one_of(party: FullParty, people: frozenset[str]) -> bool:
    """Return whether a role is of these people, contacts or stand-ins of rows without one."""
    return party.contact in people or any(stand_in(kind, party.id) in people for kind in PARTS)


def reports_of_others(material: Material, filing: Filing, people: frozenset[str], country: str, born_by: date | None) -> frozenset[str]:
    """Return the fiches that somebody else than these people reported, also where it was by their line: the
    reporter is named, or a child reported and the people are none, or the other way round, or the reporter of
    the dossier has the same line. `born_by` is the latest day on which the people, who are one person, can
    have been born."""
    named: defaultdict[str | None, list[FullParty]] = defaultdict(list)
    of_dossiers: defaultdict[str | None, list[FullParty]] = defaultdict(list)
    for party in material.parties.values():
        if party.role == FileRole.REPORTER:
            (named[party.fiche] if party.fiche is not None else of_dossiers[party.dossier]).append(party)

    def same_line(fiche: FullFiche) -> Iterator[FullParty]:
        line = numbers_on([fiche], country)
        for party in (one for dossier in fiche.dossiers for one in of_dossiers[dossier]):
            contact = material.contacts.get(party.contact or "")
            if is_one_of(party, people) or (contact is not None and line & numbers_on([contact], country)):
                yield party

    roles_in: defaultdict[UnitKey, set[str | None]] = defaultdict(set)
    for party in (one for one in material.parties.values() if is_one_of(one, people)):
        for unit in filing.units("party", party.id):
            roles_in[unit].add(party.role)

    def are_children(fiche: FullFiche) -> bool:
        roles = {role for unit in filing.units("fiche", fiche.id) for role in roles_in[unit]}
        is_minor = born_by is not None and fiche.communicated_on is not None and not has_reached(ADULT_AGE, born_by, fiche.communicated_on)
        return FileRole.CHILD in roles or (is_minor and not PARENTS & roles)

    def is_others(fiche: FullFiche) -> bool:
        if not (reporters := named[fiche.id]):
            by_child = _IS_CHILD.get(fiche.reporter_kind or "")
            if by_child is not None and by_child != are_children(fiche):
                return True
            reporters = list(same_line(fiche))
        return bool(reporters) and not any(is_one_of(party, people) for party in reporters)

    return frozenset(fiche.id for fiche in material.fiches.values() if is_others(fiche))


def activities_of_others(material: Material, people: frozenset[str]) -> frozenset[str]:
    """Return the calls and e-mails of somebody else than these people: a contact was at the line, or wrote,
    and none of them did. Whoever has a copy did not."""
    taking: defaultdict[str | None, set[str | None]] = defaultdict(set)
    for party in material.activity_parties.values():
        if party.party_kind == "contact" and party.participation in (_WROTE if party.activity in material.emails else _CALLED):
            taking[party.activity].add(party.party)
    return frozenset(activity for activity, contacts in taking.items() if activity is not None and not contacts & people)
