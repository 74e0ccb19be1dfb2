"""Which kinds of row the organisation maps, and from which tables they come."""

from collections.abc import Collection
from collections.abc import Mapping as Values

from connectors.dynamics.mapping.mapping import KIND_FIELDS
from connectors.dynamics.protocols.parts import Parts
from connectors.dynamics.schema.role_places import ACTIVITY_ID, RolePlace
from rules.model.kinds import Kinds
from rules.model.records import KINDS, Record, word_of


class MappedKinds(Parts):
    """The organisation's kinds of row, as the mapping has them."""

    @property
    def recording_media_types(self) -> tuple[str, ...]:
        return self.mapping.recording_media_types

    @property
    def all_kinds(self) -> Kinds:
        return self.mapping.kinds

    def has(self, record: type[Record]) -> bool:
        return bool(self.mapping.tables_of(record))

    def table(self, record: type[Record]) -> str:
        """Return the table's logical name in the CRM, as plans and reports show it; our own word for a kind
        that is not mapped. Raises ValueError: rows of this kind come from several tables, and the class is
        that of none of them."""
        table = self.mapping.table(record)
        return table.name if table else word_of(record)

    def tables(self, record: type[Record]) -> tuple[str, ...]:
        """Return the logical names of all tables from which records of this class come; our own word for a
        kind that is not mapped."""
        return tuple(dict.fromkeys(table.name for table in self.mapping.tables_of(record))) or (word_of(record),)

    def sources(self, record: type[Record]) -> tuple[type[Record], ...]:
        tables = self.mapping.tables_of(record)
        return tuple(table.record for table in tables) if len(tables) > 1 else (record,) * len(tables)

    def records(self, table: str) -> tuple[type[Record], ...]:
        return tuple(mapped.record for mapped in self.mapping.named(table))

    def record(self, kind: str, table: str = "") -> type[Record]:
        found = [mapped.record for mapped in self.mapping.named(table) if mapped.kind == kind]
        if table and not found:
            raise ValueError(f"rows of {kind} do not come from {table[:64]}")
        return found[0] if found else KINDS[kind]

    def is_derived(self, record: type[Record]) -> bool:
        tables = self.mapping.tables_of(record)
        return bool(tables) and all(self._tables.place(table).is_derived for table in tables)

    def is_activity(self, record: type[Record]) -> bool:
        return any(self._tables.definition(table).primary_id == ACTIVITY_ID for table in self.mapping.tables_of(record))

    def names_a_person(self, record: type[Record]) -> bool:
        """Return whether a row of this class is nothing without the person that it names: a connection has
        two ends."""
        return any(self._tables.place(table) is RolePlace.CONNECTION for table in self.mapping.tables_of(record))

    def kinds(self, table: str, ids: Collection[str]) -> Values[str, str | None]:
        return self._scopes.kinds_of(table, ids)

    def out_of_scope(self, record: type[Record], ids: Collection[str]) -> Values[str, bool]:
        return self._scopes.out_of_scope(word_of(record), self.tables(record), ids)

    def may_stay(self, table: str) -> bool:
        return self.mapping.may_stay(table)

    def fields(self, record: type[Record]) -> frozenset[str]:
        tables = self.mapping.tables_of(record)
        mapped = {name for table in tables for name in (*table.columns_of(record), *table.fixed, *table.pairs)}
        return frozenset(mapped) | {name for name, lookup in KIND_FIELDS.items() if lookup in mapped and name in record.__struct_fields__}

    def has_value(self, record: type[Record], field: str, value: object) -> bool:
        columns = [table.columns[field] for table in self.mapping.tables_of(record) if field in table.columns]
        return all(column.choice is None or value in column.choice.keys.values() for column in columns)
