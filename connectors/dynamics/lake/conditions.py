"""Which rows of a table are of a kind, asked of a lake's rows: what `schema/conditions.py` and
`reading/role_filter.py` ask of the CRM by filters."""

from collections.abc import Callable, Collection, Iterator

import polars as pl

from connectors.dynamics.lake.kinds import IDS, typed
from connectors.dynamics.mapping.mapping import Column, Condition, Mapping, Table
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute, Metadata, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, columns_to_units, units_of

# The ids of the rows of a table of the CRM that meet a condition.
IdsOf = Callable[[Table, TableDefinition], pl.Series]


def only_of(table: Table, definition: TableDefinition) -> pl.Expr | None:
    """Return which rows of its table are of this kind, by the mapping's conditions; None: all are."""
    parts = [_has(each, definition.attributes[each.column]) for each in table.only]
    return pl.all_horizontal(parts) if parts else None


class Meant:
    """Which rows are meant, for the tables of one mapping."""

    def __init__(self, mapping: Mapping, metadata: Metadata, ids_of: IdsOf) -> None:
        self._mapping, self._metadata, self._ids_of = mapping, metadata, ids_of

    def of(self, table: Table, definition: TableDefinition, place: RolePlace) -> pl.Expr | None:
        """Return which rows of its table are read for a kind; None: all are."""
        parts = [part for part in (only_of(table, definition), self._role(table, definition, place)) if part is not None]
        return pl.all_horizontal(parts) if parts else None

    def _role(self, table: Table, definition: TableDefinition, place: RolePlace) -> pl.Expr | None:
        if place in (RolePlace.OWN, RolePlace.PAIR):
            return None
        parts = [self._points_to(table.columns["contact"], ["contact"], definition)]
        if place is RolePlace.UNIT:
            conditions = [only_of(unit, definition) for unit in units_of(self._mapping) if unit.name == table.name]
            known = [each for each in conditions if each is not None]
            parts += [pl.any_horizontal(known)] if len(known) == len(conditions) else []
        else:
            owners = columns_to_units(table).values()
            parts.append(pl.any_horizontal([self._points_to(table.columns[of[0]], of, definition) for of in owners]))
        return pl.all_horizontal(parts)

    def _points_to(self, column: Column, kinds: Collection[str], definition: TableDefinition) -> pl.Expr:
        targets = definition.attributes[column.name].targets
        tables = [table for kind in kinds for table in self._mapping.of(kind) if table.name in targets]
        there = pl.col(column.name).is_not_null()
        if targets == {table.name for table in tables if not table.only}:
            return there
        return pl.any_horizontal([pl.lit(False), *self._ways(column, tables, len(targets) > 1)])

    def _ways(self, column: Column, tables: Collection[Table], is_told: bool) -> Iterator[pl.Expr]:
        for table in tables:
            target = self._metadata.table(table.name)
            if target is None:
                continue
            way = pl.col(column.name).is_not_null()
            if is_told:
                way &= (pl.col(f"{column.name}_entitytype") == table.name).fill_null(False)
            if table.only:
                ids = self._ids_of(table, target)
                way &= typed(IDS, column.name, pl.String()).is_in(ids.implode()).fill_null(False)
            yield way


def _has(condition: Condition, attribute: Attribute) -> pl.Expr:
    values = [each.strip("{}").casefold() for each in condition.values]
    text = pl.col(condition.column).cast(pl.String).str.to_lowercase()
    if attribute.kind not in LOOKUP_TYPES | {"StringType"}:
        text = text.str.strip_suffix(".0")  # where a column has gaps, its numbers may be written with a point
    if attribute.kind == "BooleanType":
        text = text.replace({"1": "true", "0": "false"})
    if attribute.kind in LOOKUP_TYPES:
        text = text.str.strip_chars("{}")
    return text.is_in(values).fill_null(False)
