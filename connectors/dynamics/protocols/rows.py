"""Rows of the CRM, read to the end: live ones, or by what has changed since last time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from connectors.dynamics.http.query import any_of
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.memory.incremental import RememberingReader
from connectors.dynamics.protocols.kinds import MappedKinds
from connectors.dynamics.reading.id_paging import SetReading, read_set
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.reading.role_filter import lone_halves
from connectors.dynamics.schema.counts import total_count
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, swapped
from connectors.dynamics.schema.unmapped_tables import KnownTable, NotOffered
from connectors.interface.errors import Forbidden, ReadIncomplete
from connectors.interface.rows import Among, Content
from rules.model.records import Record

R = TypeVar("R", bound=Record)


class Rows(MappedKinds):
    """Whole tables and rows among others."""

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None, remembered: bool = False) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once;
        order unspecified.

        The records' class is a subclass made for these fields, whose own names on the wire are the CRM's:
        compute with them, do not encode or pickle them. With `remembered`, a whole table whose changes the
        CRM tracks is read by what has changed since last time, where there is a memory. Without it, every row
        is requested from the CRM now. Raises ReadIncomplete: a page is short, broken, doubled or not
        decodable, or the CRM's own count differs; MappingError: the table does not fit the mapping."""
        tables = self.mapping.tables_of(record)
        if among is not None and not among.ids:
            return
        if among is not None and among.in_any_scope:
            tables = tuple({each.name: each for each in reversed(tables) if not self._tables.place(each).is_derived}.values())
        seen: set[str] = set()
        fields = tuple(fields)
        for table in tables:
            for page in self._read(table, record, fields, among, remembered=remembered):
                if len(tables) > 1:
                    if not seen.isdisjoint(row.id for row in page):
                        raise ReadIncomplete(f"Rows of {table.kind} in two tables have the same id.", where=table.name)
                    seen.update(row.id for row in page)
                yield page

    def _read(self, table: Table, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool) -> Iterator[list[R]]:
        definition = self._tables.definition(table)
        if table.links and not {"regarding", "regarding_kind"}.isdisjoint((*fields, among.field if among else "")):
            yield from self._read_tied(table, definition, record, fields, among, remembered=remembered)
            return
        if among is not None and among.field in table.pairs:
            among = replace(among, field="id", ids=self._pairs.tied_to(table, definition, among.field, among.ids))
        pages = self._live(table, definition, record, fields, among, remembered=remembered)
        if table.pairs.keys().isdisjoint(fields):
            yield from pages
        else:
            yield from self._pairs.fill(table, definition, fields, pages, whole=among is None)

    def _live(
        self, table: Table, definition: TableDefinition, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool
    ) -> Iterator[list[R]]:
        decoder = self._tables.decoder(table, definition, fields, record)
        only = "" if among is not None and among.in_any_scope else self._tables.condition(table)
        place = self._tables.place(table)
        if (
            remembered and among is None and self._memory is not None and not only and not place.is_derived
        ):  # a CRM tells changes of whole tables alone
            if definition.tracks_changes:
                remembering: RememberingReader[R] = RememberingReader(
                    self._transport, decoder, definition.set_name, table.name, self._memory
                )
                yield from remembering.read()
                return
            self._memory.drop_table(table.name)  # changes that were not tracked meanwhile would be missed for good
        reader: Reader[R] = Reader(self._transport, decoder, definition.set_name, table.name)
        if among is None:
            if place is RolePlace.CONNECTION:
                self._check_halves(table, definition)
            yield from reader.read(only)
            return
        column = self._tables.filter_column(table, definition, among.field)
        if column is None:
            return
        is_swapped = place is RolePlace.UNIT and among.field == "id"
        for condition in any_of(column, [swapped(row, table) for row in among.ids] if is_swapped else among.ids):
            yield from reader.read(f"({condition}) and {only}" if only else condition)

    def _check_halves(self, table: Table, definition: TableDefinition) -> None:
        """Refuse connections that are kept by one half alone, with the person first: none counts twice, and
        none may be overlooked. Raises ReadIncomplete."""
        condition = lone_halves(table, definition, self.mapping, self._metadata)
        known = KnownTable(table.name, definition.set_name, definition.primary_id, audited=False)
        try:
            is_whole = self._directory.is_empty(known, condition)
        except NotOffered as refusal:
            raise Forbidden(refusal.reason, where=table.name) from None
        if not is_whole:
            told = f"Rows of {table.name} name the person first, and have no other half that names them second."
            raise ReadIncomplete(told, hint="Make these connections anew in the CRM, which keeps both halves.", where=table.name)

    def _read_tied(
        self, table: Table, definition: TableDefinition, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool
    ) -> Iterator[list[R]]:
        """Yield the rows of a table whose rows belong to others by a table of links, with what they belong
        to."""
        own = [name for name in fields if name not in ("regarding", "regarding_kind", "tied")]
        asked = among.ids[:1] if among is not None else ()
        if among is not None and among.field == "regarding":
            among = Among("id", self._ties.rows_tied_to(table, definition, among.ids) or asked)
        is_filled = False
        for page in self._read(table, record, own, among, remembered=remembered):
            is_filled = True
            self._ties.fill(table, definition, page)
            yield page
        if asked and not is_filled:  # as many requests as where there are rows (SUS-07)
            self._ties.rows_tied_to(table, definition, asked)

    def read_set(self, set_name: str) -> SetReading:
        """Page through one entity set, ids only, also of an OData service that is not Dataverse (`doctor
        --read`)."""
        return read_set(self._transport, self._metadata, set_name)

    def content(self, record: type[Record], row: str, field: str) -> Content | None:
        """Fetch what a field of type `bytes` holds, whole. None: it holds nothing, is not mapped, or the row
        does not exist. Raises ReadIncomplete: something is there, and it did not come whole or was replaced
        meanwhile; MappingError: the table does not fit the mapping."""
        table = self.mapping.table(record)
        column = table.columns_of(table.full).get(field) if table is not None else None
        if table is None or column is None:
            return None
        return self._contents.content(self._tables.definition(table), row, column.name)

    def total(self, record: type[Record]) -> int | None:
        """Return the CRM's own count of all rows of the table, visible to this account or not; None where it
        keeps none, or counts others with them. It may be a day old."""
        tables = self.mapping.tables_of(record)
        counted = [table for table in tables if not table.only and self._tables.place(table) is RolePlace.OWN]
        counts = [total_count(self._transport, table.name) for table in counted]
        return sum(each for each in counts if each is not None) if any(each is not None for each in counts) else None
