"""Where an organisation keeps its roles: in a table of its own, in the platform's connections, in lookups of
the dossier or fiche itself, as participants of an activity, or as pairs of a many-to-many relationship.

Of a connection the platform keeps two halves, one for each record, and deletes them together; the one whose
first record is the dossier or the fiche counts. A role in one of the last three places is not a row of its
own: it goes with its dossier or fiche, and nothing deletes it."""

import hashlib
import uuid
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Final

from connectors.dynamics.mapping.mapping import CONNECTION, PARTICIPANTS, Mapping, Table
from connectors.dynamics.schema.conditions import rest_of
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Metadata, TableDefinition
from rules.model.kinds import FILES

OTHER_HALF: Final = "relatedconnectionid"
ACTIVITY_ID: Final = "activityid"  # the primary id of every activity


class RolePlace(StrEnum):
    """The value is what rows of such a table are, for people."""

    __hash__ = str.__hash__

    OWN = "rows of their own"
    CONNECTION = "connections"
    UNIT = "dossiers or fiches themselves"
    PARTICIPANT = "participants of an activity"
    PAIR = "pairs of a many-to-many relationship"

    @property
    def is_derived(self) -> bool:
        """Whether what is read there is no row of its own."""
        return self in (RolePlace.UNIT, RolePlace.PARTICIPANT, RolePlace.PAIR)


def columns_to_units(table: Table) -> dict[str, list[str]]:
    """Return the columns of a table of roles that lead to dossiers or fiches, each with the kinds to which it
    leads: one column may lead to both."""
    found: dict[str, list[str]] = {}
    for kind in FILES:
        if kind in table.columns:
            found.setdefault(table.columns[kind].name, []).append(kind)
    return found


def place_of(table: Table, mapping: Mapping, metadata: Metadata) -> RolePlace:
    """Return where the rows of a table are kept; of any kind but roles they are rows of their own."""
    if table.kind != "party":
        return RolePlace.OWN
    if table.name in (CONNECTION, PARTICIPANTS):
        return RolePlace.CONNECTION if table.name == CONNECTION else RolePlace.PARTICIPANT
    if any(table.name == unit.name for unit in units_of(mapping)):
        return RolePlace.UNIT
    definitions = [metadata.table(name) for name in dict.fromkeys(unit.name for unit in units_of(mapping))]
    links = {link.table for definition in definitions if definition is not None for link in definition.links}
    return RolePlace.PAIR if table.name in links else RolePlace.OWN


def other_connections(table: Table, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> str:
    """Return the `$filter` of connections that are neither somebody's role in a dossier or fiche nor the
    other half of one: between two people, two children of a dossier, a report of ours and a person."""
    owners, contact = [name for name in FILES if name in table.columns], table.columns["contact"].name
    at_unit = table.columns[owners[0]].name

    def elsewhere(column: str, kinds: Collection[str]) -> str:
        parts = []
        for each in (each for kind in kinds for each in mapping.of(kind)):
            target, navigation = metadata.table(each.name), definition.navigation(column, each.name)
            if target is not None and navigation:
                parts.append(rest_of(each, target, f"{navigation}/") or f"{navigation}/{target.primary_id} eq null")
        return " and ".join(dict.fromkeys(parts))

    ways = (((at_unit, owners), (contact, ("contact",))), ((contact, owners), (at_unit, ("contact",))))
    return " and ".join(f"({' or '.join(f'({elsewhere(*end)})' for end in way if elsewhere(*end))})" for way in ways)


def units_of(mapping: Mapping) -> Iterator[Table]:
    """Yield the tables of dossiers and fiches."""
    return (table for kind in FILES for table in mapping.of(kind))


def is_key(name: str, definition: TableDefinition) -> bool:
    """Return whether a column holds plain ids, as those of pairs and of a row itself do, and is not a
    lookup."""
    return definition.attributes[name].kind not in LOOKUP_TYPES


def swapped(row: str, table: Table) -> str:
    """Return the id of the role for that of the dossier or fiche of which it is a lookup, and the other way
    round: each lookup has ids of its own, in the form of any other."""
    column = f"{table.name}.{table.columns['contact'].name}"
    own = int.from_bytes(hashlib.sha256(column.encode()).digest()[:16], "big")
    return str(uuid.UUID(int=uuid.UUID(row).int ^ own))
