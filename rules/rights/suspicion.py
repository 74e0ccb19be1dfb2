"""Suspicion, which exists in one file only: what it closes, for how long, and what a person has to look at
because of it. Nothing here can be asked "is this person a suspect?" across files: the question is always
which files of one request may be disclosed (SUS-02). Source: SUS-01 to SUS-11; policy §4.1, §5."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rules.model.file_roles import FILE_ROLES, FileRole
from rules.rights.facts import FileFacts, RoleInFile, UnitKey


def is_active(role: RoleInFile, day: date) -> bool:
    """Return whether a role is a suspicion that still applies on a day; its last day counts (SUS-08). Without
    a last day it applies."""
    return role.role == FileRole.SUSPECT and (role.suspect_until is None or day <= role.suspect_until)


def has_ended(role: RoleInFile, day: date) -> bool:
    """Return whether a role is a suspicion that has ended by a day: the DPO looks first (SUS-08)."""
    return role.role == FileRole.SUSPECT and not is_active(role, day)


@dataclass(frozen=True, slots=True)
class Involvement:
    """In which files a person has a role that may be disclosed, and which of these a DPO has to look at
    first. `roles` and `whole` have no excluded file. `whole`: the person is the child there. `review` has one
    pair per file and rule."""

    roles: Mapping[UnitKey, tuple[str, ...]]
    whole: frozenset[UnitKey]
    review: tuple[tuple[UnitKey, str], ...]
    excluded: frozenset[UnitKey]


def excluded_for(people: frozenset[str], roles: Iterable[RoleInFile], day: date) -> frozenset[UnitKey]:
    """Return the files that are closed to these people whole, regardless of any other role they have there
    (SUS-06, R-108)."""
    return frozenset(role.unit for role in roles if role.contact in people and is_active(role, day))


def involvement(
    person: frozenset[str],
    roles: Sequence[RoleInFile],
    files: Mapping[UnitKey, FileFacts],
    day: date,
    *,
    heard: frozenset[str] = frozenset(),
    overrides: frozenset[str],
) -> Involvement:
    """Return in which files a person's data may be disclosed, when `heard` hears the answer: the person, and
    anybody who acts for the person. A suspicion of either closes a file. What is linked to a closed file is
    looked at first (SUS-06, R-109), and so is a file in which a suspicion has ended (SUS-08, R-110), or in
    which the role of the person cannot be read (SUS-05)."""
    listening = person | heard
    excluded = excluded_for(listening, roles, day)
    found: dict[UnitKey, set[str]] = {}
    unreadable: set[UnitKey] = set()
    ended: set[UnitKey] = set()
    for role in roles:
        if role.unit in excluded or role.contact not in listening:
            continue
        if role.contact in person:
            found.setdefault(role.unit, set()).add(role.role)
        if role.role not in FILE_ROLES:
            unreadable.add(role.unit)
        if role.role == FileRole.SUSPECT:
            ended.add(role.unit)
    children = _children(roles, files, (person, heard))
    of_closed = {child for unit in excluded for child in children.get(unit, ())}
    linked = {unit for unit in found if not of_closed.isdisjoint(children.get(unit, ()))}
    because = (("SUS-05", unreadable), ("SUS-06", linked), ("SUS-08", ended))
    return Involvement(
        roles={unit: _in_order(found[unit]) for unit in sorted(found)},
        whole=frozenset(unit for unit in found if FileRole.CHILD in found[unit]),
        review=tuple((unit, rule) for unit in sorted(found) for rule, units in because if unit in units and rule not in overrides),
        excluded=excluded,
    )


def _in_order(roles: set[str]) -> tuple[str, ...]:
    """Return roles in order. One that the mapping does not know is shown as `other`."""
    known = {role if role in FILE_ROLES else FileRole.OTHER for role in roles}
    return tuple(sorted(known, key=FILE_ROLES.index))


def _children(roles: Iterable[RoleInFile], files: Mapping[UnitKey, FileFacts], people: Iterable[frozenset[str]]) -> dict[UnitKey, set[str]]:
    """Return the children of each file; the contacts of one confirmed person are one child."""
    same = {contact: min(person) for person in people for contact in person}
    children: dict[UnitKey, set[str]] = {}
    for role in roles:
        if role.role == FileRole.CHILD:
            children.setdefault(role.unit, set()).add(same.get(role.contact, role.contact))
    for unit, file in files.items():
        children.setdefault(unit, set()).update(same.get(child, child) for child in file.children)
    return children
