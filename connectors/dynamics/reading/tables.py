"""The tables of the mapping, each once it is known to fit the CRM: its definition, how its pages are read,
and the columns that can filter it."""

from collections.abc import Iterable
from typing import Any

from connectors.dynamics.mapping.mapping import KIND_FIELDS, Mapping, Table
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.references import References
from connectors.dynamics.reading.role_filter import roles_meant
from connectors.dynamics.reading.row_layout import RowLayout
from connectors.dynamics.schema.checks.mapping import check_table
from connectors.dynamics.schema.conditions import Scopes, filter_of
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, is_key, place_of
from rules.errors import MappingError
from rules.model.kinds import LOOKUPS, ROW_KINDS
from rules.model.records import Record

_OF_A_ROLE = frozenset(ROW_KINDS["party"].owner_fields)  # what tells whether a row is one


class FittingTables:
    """The tables that fit, checked once each."""

    def __init__(self, mapping: Mapping, metadata: Metadata, references: References, scopes: Scopes) -> None:
        self._mapping, self._metadata, self._references, self._scopes = mapping, metadata, references, scopes
        self._checked: dict[type[Record], TableDefinition] = {}
        self._places: dict[type[Record], RolePlace] = {}
        self._decoders: dict[tuple[type[Record], tuple[str, ...], bool, bool], PageDecoder[Any]] = {}

    def definition(self, table: Table) -> TableDefinition:
        """Return the table's definition: reading or writing on a wrong mapping is refused, not tried. Raises
        MappingError: the table does not fit the mapping."""
        found = self._checked.get(table.record)
        if found is None:
            errors = [finding for finding in check_table(table, self._mapping, self._metadata) if finding.is_error]
            definition = self._metadata.table(table.name)
            if errors or definition is None:
                lines = "\n".join(f"  {error.where}: {error.message}" for error in errors)
                raise MappingError(f"The mapping does not fit the CRM:\n{lines}", where=errors[0].where if errors else table.where)
            found = self._checked[table.record] = definition
        return found

    def decoder(
        self,
        table: Table,
        definition: TableDefinition,
        fields: Iterable[str],
        record: type[Record],
        *,
        whole: bool = False,
        dated: bool = False,
    ) -> PageDecoder[Any]:
        """Return the decoder that reads pages of the table into records that have these fields; `whole`: that
        reads whole tables into frames, and `dated`: that knows when each row was created. Raises ValueError:
        a record of this kind has no such field."""
        made = table.full if table.has_all(record) else table.record
        place = self.place(table)
        named = set(fields) - {"id", "etag"} | (_OF_A_ROLE & table.columns.keys() if place is not RolePlace.OWN else set())
        names = tuple(sorted(named))
        unknown = [name for name in names if name not in made.__struct_fields__]
        if unknown:
            raise ValueError(f"{table.kind} has no field {unknown[0]}")
        key = (made, names, whole, dated)
        if key not in self._decoders:
            self._decoders[key] = PageDecoder(
                RowLayout(table, definition, names, self._mapping, made, self._references, self._scopes, place, whole=whole, dated=dated)
            )
        return self._decoders[key]

    def place(self, table: Table) -> RolePlace:
        """Return where the rows of a table are kept, if they are roles."""
        found = self._places.get(table.record)
        if found is None:
            found = self._places[table.record] = place_of(table, self._mapping, self._metadata)
        return found

    def condition(self, table: Table) -> str:
        """Return the filter that the rows of a kind meet, where not all rows of its table are meant. Raises
        MappingError: the table does not fit the mapping."""
        definition = self.definition(table)
        parts = (filter_of(table, definition), roles_meant(table, definition, self._mapping, self._metadata))
        return " and ".join(part for part in parts if part)

    def filter_column(self, table: Table, definition: TableDefinition, name: str) -> str | None:
        """Return the column, as a filter names it, behind the id or a lookup; None where the lookup is not
        mapped. Raises ValueError: the field is neither."""
        if name == "id":
            return definition.primary_id
        column = table.columns.get(name) or table.personal.get(name)
        is_lookup = name in LOOKUPS and name in table.record.__struct_fields__ and name not in KIND_FIELDS
        if not is_lookup and not (column and column.is_lookup):
            raise ValueError(f"{table.kind}.{name} is neither the id nor a lookup")
        if column is None:
            return None
        return column.name if is_key(column.name, definition) else f"_{column.name}_value"
