"""Whether a lookup is mapped for all that it leads to. Of a dossier or fiche whose roles nobody reads neither
a child nor a suspect would be known; what belongs to a kind that is not named would not be searched."""

from collections.abc import Iterator
from typing import Final

from connectors.dynamics.mapping.mapping import CONNECTION, UNIT_KINDS, Mapping, Table
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Metadata, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, place_of
from connectors.interface.errors import Finding

_NO_OWNERS: Final = ("activity_party", "statistic")


def check_roles(table: Table, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a finding where a table of roles leads to dossiers or fiches by a lookup that is not mapped, or
    is mapped for the other of them alone."""
    if table.kind != "party" or place_of(table, mapping, metadata) not in (RolePlace.OWN, RolePlace.CONNECTION):
        return
    of_other = {table.columns[kind].name for kind in UNIT_KINDS if kind in table.columns}
    for kind in (word for word in UNIT_KINDS if word not in table.columns):
        named = {each.name for each in mapping.of(kind)}
        unknown = f"roles in a {kind} would not be known"
        for each in definition.attributes.values():
            if each.kind not in LOOKUP_TYPES or not named & each.targets:
                continue
            if each.name in of_other:
                either = "" if table.name == CONNECTION else f", and name {each.name} under either"
                told = f"{table.name}.{each.name} points to a {kind} too, and {unknown}. Map it as party.{kind} as well{either}."
            elif each.name not in table.used and table.name != CONNECTION:  # its other half has a lookup of its own
                told = f"{table.name} has a lookup to a {kind}, {each.name}, that is not mapped: {unknown}. Map it as party.{kind}."
            else:
                continue
            yield Finding(True, told, table.where, "missing", each.name)


def check_owners(table: Table, definition: TableDefinition, mapping: Mapping) -> Iterator[Finding]:
    """Yield a finding where rows of a dependent table may belong to a kind of row that the section does not
    name: these would be neither searched nor told."""
    if table.own is None:
        return
    owners = {each.name: each.kind for each in mapping.own if each.kind not in (*_NO_OWNERS, table.kind, *table.own.above)}
    for column in table.columns.values():
        attribute = definition.attributes.get(column.name)
        for name in sorted(owners.keys() & attribute.targets) if attribute is not None else ():
            told = f"{table.name}.{column.name} points to {name} too: rows that belong to it would not be searched"
            yield Finding(True, f"{told}. Name {owners[name]} under belongs_to as well.", column.where, "missing", owners[name])
