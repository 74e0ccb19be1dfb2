"""Which rows of a table are roles, where it has others too: connections between whatever there is,
participants of any activity, dossiers without the person that a lookup may name. They are told by what they
point to."""

from collections.abc import Collection

from connectors.dynamics.mapping.mapping import Column, Mapping, Table
from connectors.dynamics.schema.conditions import filter_of
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.schema.role_places import OTHER_HALF, RolePlace, columns_to_units, place_of, units_of
from rules.model.kinds import FILES


def roles_meant(table: Table, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> str:
    """Return the filter of the rows that are roles of people in a dossier or fiche, where the table has
    others; empty for one of rows of their own."""
    place = place_of(table, mapping, metadata)
    if place in (RolePlace.OWN, RolePlace.PAIR):
        return ""
    parts = [_points_to(table.columns["contact"], ["contact"], definition, mapping, metadata)]
    if place is RolePlace.UNIT:
        conditions = {filter_of(unit, definition) for unit in units_of(mapping) if unit.name == table.name}
        parts += [] if "" in conditions else [" or ".join(f"({each})" for each in sorted(conditions))]
    else:
        kinds = columns_to_units(table).values()
        owners = [_points_to(table.columns[of[0]], of, definition, mapping, metadata) for of in kinds]
        parts.append(" or ".join(owners))
    return " and ".join(f"({each})" for each in parts)


def lone_halves(table: Table, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> str:
    """Return the filter of connections that name a dossier or fiche where the person should stand, and are
    not the other half of one that names them the right way round."""
    owners = [name for name in FILES if name in table.columns]
    ends = (
        _points_to(table.columns["contact"], owners, definition, mapping, metadata),
        _points_to(table.columns[owners[0]], ["contact"], definition, mapping, metadata),
    )
    return " and ".join((*(f"({each})" for each in ends), f"_{OTHER_HALF}_value eq null"))


def _points_to(column: Column, kinds: Collection[str], definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> str:
    """Return the filter of rows whose lookup points to a row of one of these kinds. A lookup that may point
    to several tables, or to rows of several kinds, is asked by the navigation to each."""
    targets = definition.attributes[column.name].targets
    tables = [table for kind in kinds for table in mapping.of(kind) if table.name in targets]
    if targets == {table.name for table in tables if not table.only}:
        return f"_{column.name}_value ne null"
    found = set()
    for table in tables:
        target = metadata.table(table.name)
        if target is not None and (navigation := definition.navigation(column.name, table.name)):
            found.add(filter_of(table, target, f"{navigation}/") or f"{navigation}/{target.primary_id} ne null")
    return " or ".join(f"({each})" for each in sorted(found))
