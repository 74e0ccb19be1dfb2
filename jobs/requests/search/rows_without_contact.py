"""Rows that are about a person without a contact: a fiche by the caller's number, a role by its name. Source:
EXP-03, EXP-05, IDN-17."""

from collections.abc import Collection
from typing import Any

from jobs.ports.context import JobContext
from jobs.reading.decoy_reads import always
from jobs.requests.search.callers import CALLED
from jobs.requests.search.case_files import Filing
from jobs.requests.search.material import Material
from rules.model.file_roles import FileRole
from rules.model.kinds import ACTIVITIES
from rules.model.personal_records import FULL, FullContact, FullDossier, FullFiche, FullParty
from rules.model.records import Record, word_of
from rules.rights.facts import RoleInFile

# What somebody is in a file of which no more is known than that they called or wrote.
_ROLE = {"fiche": FileRole.REPORTER, "recording": FileRole.REPORTER} | dict.fromkeys((*ACTIVITIES, "activity_party"), FileRole.OTHER)


def stand_in(kind: str, row: str) -> str:
    """Return the stand-in for a contact where there is none."""
    return f"{kind}:{row}"


def add_loose_rows(context: JobContext, material: Material, rows: Collection[tuple[str, str]]) -> None:
    """Read these rows, the files that they are in, and who else has a role there. Rows that are gone are
    absent. Every kind is queried, and every step taken, also where there is nothing to read (SUS-07)."""
    material = material if rows else Material()
    for kind in CALLED:
        for row in _read(context, FULL[kind], "id", [row for each, row in rows if each == kind]):
            material.rows(kind)[row.id] = row
    fiches = [row.fiche for row in material.recordings.values() if row.fiche and row.fiche not in material.fiches]
    fiches += [row.fiche for row in material.parties.values() if row.fiche and row.fiche not in material.fiches]
    activities = [row for kind in ACTIVITIES for row in material.rows(kind).values()]
    fiches += [row.regarding for row in activities if row.regarding_kind == "fiche" and row.regarding not in material.fiches]
    for fiche in _read(context, FullFiche, "id", sorted(set(fiches))):
        material.fiches[fiche.id] = fiche
    dossiers = {row.dossier for row in material.fiches.values() if row.dossier}
    dossiers |= {row.dossier for row in material.parties.values() if row.dossier}
    dossiers |= {row.dossier for row in material.recordings.values() if row.dossier}
    dossiers -= material.dossiers.keys()
    for dossier in _read(context, FullDossier, "id", sorted(dossiers)):
        material.dossiers[dossier.id] = dossier
    _add_people(context, material, sorted(dossiers), [row for kind, row in rows if kind == "fiche"] + sorted(set(fiches)))


def _add_people(context: JobContext, material: Material, dossiers: Collection[str], fiches: Collection[str]) -> None:
    """Add everybody else with a role in those files. They must not be disclosed to a person to whom the files
    are disclosed."""
    of_dossiers = sorted({row.id for row in _read(context, FullFiche, "dossier", dossiers, ("dossier",))})
    for field, ids in (("dossier", dossiers), ("fiche", sorted({*of_dossiers, *fiches}))):
        for party in _read(context, FullParty, field, ids):
            material.parties[party.id] = party
    missing = {row.contact for row in material.parties.values() if row.contact} - material.contacts.keys()
    for contact in _read(context, FullContact, "id", sorted(missing)):
        material.contacts[contact.id] = contact


def roles_of_rows(material: Material, filing: Filing, rows: Collection[tuple[str, str]]) -> list[RoleInFile]:
    """Return the role that each of these rows gives its stand-in in the file that it is in."""
    found = []
    for kind, row in sorted(rows):
        for unit in sorted(filing.units(kind, row)):
            if kind == "party":
                party = material.parties[row]
                found.append(RoleInFile(unit, stand_in(kind, row), party.role or "", party.suspect_until))
            elif kind in _ROLE:
                found.append(RoleInFile(unit, stand_in(kind, row), _ROLE[kind]))
    return found


def _read(context: JobContext, record: type[Record], field: str, ids: Collection[str], fields: tuple[str, ...] | None = None) -> list[Any]:
    kind = context.connector.all_kinds[word_of(record)]
    full: Any = kind.full
    return [row for page in context.connector.read(full, fields or kind.with_row, among=always(field, ids)) for row in page]
