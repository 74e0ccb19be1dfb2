"""Whether a lookup is mapped for all that it leads to. Of a dossier or fiche whose roles nobody reads neither
a child nor a suspect would be known; what belongs to a kind that is not named would not be searched."""

from collections.abc import Iterator
from itertools import product
from typing import Final

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import CONNECTION, IN_EITHER, REQUIRED_FIELDS, Mapping, Table
from connectors.dynamics.schema.checks.unmapped_options import count_of_kind, told_rows
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Metadata, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, place_of
from connectors.interface.errors import Finding
from rules.files.suggestions import asked, suggestion
from rules.model.kinds import FILES, IN_DOSSIERS, NOT_BY_THEMSELVES, RELATIONS, WHOLE

# By kind, what another lookup may lead to, and what becomes of a row that has it alone.
_LOST: Final = {
    "fiche": {"dossier": "a fiche of that dossier would end by itself"},
    "recording": {
        "fiche": "a recording of that fiche would end by itself",
        "dossier": "a hold on that dossier would not keep it, nor a mark of evidence",
    },
    "party": {kind: f"roles in that {kind} would not be known" for kind in FILES},
}
NEEDING: Final = frozenset({*WHOLE, *IN_DOSSIERS, *RELATIONS})  # kinds of rows that tell something of whom they name
_ROLES: Final = ("record1roleid", "record2roleid")


def check_roles(table: Table, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a finding where a table of roles leads to dossiers or fiches by a lookup that is not mapped, or
    is mapped for the other of them alone."""
    if table.kind != "party" or place_of(table, mapping, metadata) not in (RolePlace.OWN, RolePlace.CONNECTION):
        return
    yield from _check_sides(table)
    of_other = {table.columns[kind].name for kind in FILES if kind in table.columns}
    for kind in (word for word in FILES if word not in table.columns):
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


def check_second_lookups(table: Table, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a finding where rows may belong to a dossier or fiche by a lookup that is not mapped, of which
    nobody has said that it goes along: what has it alone would count as belonging to none. Beside pairs,
    which may repeat it, it is a warning."""
    if place_of(table, mapping, metadata) is not RolePlace.OWN:
        return
    known, mapped = {*table.used, *(each.column for each in table.only)}, {*table.columns, *table.pairs}
    for kind, lost in _LOST.get(table.kind, {}).items():
        is_told = table.kind == "party" or mapped.isdisjoint(IN_EITHER.get(table.kind, ()))
        if kind in REQUIRED_FIELDS[table.kind] and kind not in mapped and is_told:
            continue  # which is told by itself, of roles by `check_roles`
        named = {each.name for each in mapping.of(kind)}
        for each in definition.attributes.values():
            is_meant = each.name in known or f"{table.name}.{each.name}" in mapping.goes_along
            if each.kind in LOOKUP_TYPES and named & each.targets and not is_meant:
                told = f"{table.name}.{each.name} points to a {kind} too, and is not mapped: {lost}"
                remedy = "Tie rows in one way in the CRM, or name this one under goes_along where it says nothing more"
                if kind not in mapped:
                    remedy = f"Map it as {table.kind}.{kind}, or name it under goes_along where it says nothing more"
                yield Finding(kind not in table.pairs, f"{told}. {remedy}.", table.where, "missing", each.name)


def check_recordings(mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a warning where the lookup of recordings to a fiche may point to a dossier too, or the other way
    round, and is not mapped for that."""
    for table, (kind, other) in product(mapping.of("recording"), (FILES, FILES[::-1])):
        definition, column, own = metadata.table(table.name), table.columns.get(kind), table.columns.get(other)
        attribute = definition.attributes.get(column.name) if definition is not None and column is not None else None
        named = {each.name for each in mapping.of(other)}
        if attribute is not None and attribute.targets & named and (own is None or own.name != attribute.name):
            told = f"{table.name}.{attribute.name} points to a {other} too: a recording that it ties to one is in no unit, and stays"
            remedy = f"Map it as recording.{other} as well, and name {attribute.name} under either"
            yield Finding(False, f"{told} without an end. {remedy}.", table.where, "kept", attribute.name)


def check_people(mapping: Mapping, metadata: Metadata, transport: Transport) -> Iterator[Finding]:
    """Yield a warning for each lookup with values by which rows name people and from which no field is
    filled, of which nobody has said that it goes along. Raises ConnectorError."""
    people = {each.name for each in mapping.of("contact")}
    for name in dict.fromkeys(table.name for table in mapping.own if table.kind in NEEDING):
        table, definition = mapping.named(name)[0], metadata.table(name)
        known = mapping.used(name) | mapping.leading(name).keys()
        for each in definition.attributes.values() if definition is not None else ():
            is_open = each.name not in known and f"{name}.{each.name}" not in mapping.goes_along
            if definition is None or each.kind not in LOOKUP_TYPES or not is_open or not people & each.targets:
                continue
            number = count_of_kind(transport, table, definition, f"{each.queried} ne null")
            if number != 0:
                told = f"{name}.{each.name} names people in {told_rows(number)}, and fills no field: whom it names stays with the row"
                remedy = "Map it, as a role for example, or name it under goes_along where it says nothing"
                yield Finding(False, f"{told}, and is not searched. {remedy}.", table.where, "kept", each.name)


def _check_sides(table: Table) -> Iterator[Finding]:
    """Yield a finding where the role that is read of a connection is that of its other end."""
    contact, role = table.columns.get("contact"), table.columns.get("role")
    if table.name != CONNECTION or contact is None or role is None or role.name not in _ROLES:
        return
    right = f"{contact.name.removesuffix('id')}roleid"
    if role.name != right:
        told = f"{role.name} is not the role of whom {contact.name} names: it would be that of the dossier or fiche; did you mean {right}?"
        yield Finding(True, told, role.where, "conflict", right)


def check_behind(table: Table, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a finding where a lookup under `behind` does not lead to the table, or where another lookup of a
    mapped table does: what it points to would go while something still needs it."""
    leading: dict[str, set[str]] = {}
    for kind, lookups in table.leads.items():
        named = [each.name for each in mapping.of(kind)]
        definitions = [found for name in named if (found := metadata.table(name)) is not None]
        for lookup in lookups:
            there = [each.attributes[lookup] for each in definitions if lookup in each.attributes]
            where = table.lines[f"behind.{kind}"]
            if definitions and not there:
                like = suggestion(lookup, [name for each in definitions for name in each.attributes])
                yield Finding(True, f"No table of {kind} has a column {lookup} (behind){asked(like) or '.'}", where, "no_column", like)
            elif there and not any(each.kind in LOOKUP_TYPES and table.name in each.targets for each in there):
                yield Finding(True, f"{named[0]}.{lookup} does not point to {table.name}.", where, "type")
            for name in named:
                leading.setdefault(name, set()).add(lookup)
    for other in {each.name: each for each in mapping.own if table.leads}.values():
        definition = metadata.table(other.name)
        for attribute in definition.attributes.values() if definition is not None else ():
            is_meant = attribute.name in leading.get(other.name, ()) or attribute.name in other.used
            if attribute.kind in LOOKUP_TYPES and table.name in attribute.targets and not is_meant:
                told = f"{other.name}.{attribute.name} points to {table.name} too: what it points to would go while the row is needed"
                yield Finding(
                    True, f"{told}. Name {other.kind}: {attribute.name} under behind as well.", table.where, "missing", attribute.name
                )


def check_owners(table: Table, definition: TableDefinition, mapping: Mapping) -> Iterator[Finding]:
    """Yield a finding where rows of a dependent table may belong to a kind of row that the section does not
    name: these would be neither searched nor told."""
    if table.own is None:
        return
    owners = {each.name: each.kind for each in mapping.own if each.kind not in (*NOT_BY_THEMSELVES, table.kind, *table.own.above)}
    for column in table.columns.values():
        attribute = definition.attributes.get(column.name)
        for name in sorted(owners.keys() & attribute.targets) if attribute is not None else ():
            told = f"{table.name}.{column.name} points to {name} too: rows that belong to it would not be searched"
            yield Finding(True, f"{told}. Name {owners[name]} under belongs_to as well.", column.where, "missing", owners[name])
