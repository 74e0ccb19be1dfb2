"""Rows of the CRM, read to the end: live ones, or by what has changed since last time."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from connectors.dynamics.http.allocator import give_back
from connectors.dynamics.http.query import any_of, guid
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.memory.incremental import RememberingReader
from connectors.dynamics.memory.whole_table import WholeTable
from connectors.dynamics.protocols.kinds import MappedKinds
from connectors.dynamics.reading.decoder import PageBroken, PageDecoder
from connectors.dynamics.reading.lanes import Lanes, SideBySide, side_by_side
from connectors.dynamics.reading.link_tables import link_of, sides_of
from connectors.dynamics.reading.merges import merged_into
from connectors.dynamics.reading.page_values import FramedPage, Page, PageLike
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.reading.referrers import Pointing
from connectors.dynamics.reading.role_filter import lone_halves
from connectors.dynamics.schema.counts import aggregate_count, count_where, total_counts
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, swapped
from connectors.dynamics.schema.unmapped_tables import KnownTable, NotOffered
from connectors.interface.errors import Forbidden, ReadIncomplete
from connectors.interface.rows import Among, Content
from rules.model.records import Contact, Record

if TYPE_CHECKING:
    import polars as pl

    from connectors.dynamics.lake.reader import LakePage, LakeReader
    from connectors.dynamics.reading.any_entity_set import SetReading

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=PageLike)
_MANY_PAGES = 100  # what is kept of so many is worth clearing again
_Source = Callable[[Table, TableDefinition, type[Any], Sequence[str], Among | None], Iterator[P]]  # gives what a table's own rows say
_Read = Callable[[Table, type[Any], Sequence[str], Among | None], Iterator[P]]  # gives all that rows of a table say


class Rows(MappedKinds):
    """Whole tables and rows among others."""

    _lanes: Lanes | None = None  # what was begun and is not read yet

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once;
        order unspecified. Every row is requested from the CRM now.

        The records' class is a subclass made for these fields, whose own names on the wire are the CRM's:
        compute with them, do not encode or pickle them. Raises ReadIncomplete: a page is short, broken,
        doubled or not decodable, or the CRM's own count differs; MappingError: the table does not fit the
        mapping."""
        for page in self._pages(partial(self._read, self._live), record, tuple(fields), among):
            yield page.rows

    def columns(self, record: type[Record], fields: Sequence[str]) -> "Iterator[pl.DataFrame]":
        """Yield all rows of a kind as frames in the columns of `column_types`, row for row and value for
        value what `read` gives. A table whose changes the CRM tracks is read by what has changed since last
        time, where there is a memory; where there is a lake, what it has of them. After many pages their
        memory is given back: who took a large table has something to do with it. Raises as `read`."""
        lake = self._lake
        read = partial(self._read, self._framed) if lake is None else partial(self._laid, lake)
        pages: Iterator[Any] = self._pages(read, record, tuple(fields), None)
        count = 0
        for page in pages:
            count += 1
            yield page.frame(record, fields)
        if count >= _MANY_PAGES:
            give_back()

    def _pages(self, read: _Read[P], record: type[Record], fields: Sequence[str], among: Among | None) -> Iterator[P]:
        """Yield the rows of a kind from all of its tables, each as `read` gives it. Raises as `read`."""
        tables = self.mapping.tables_of(record)
        if among is not None and not among.ids:
            return
        if among is not None and among.in_any_scope:
            tables = tuple({each.name: each for each in reversed(tables) if not self._tables.place(each).is_derived}.values())
        seen: set[str] = set()
        for table in tables:
            for page in read(table, record, fields, among):
                if len(tables) > 1:
                    if not seen.isdisjoint(ids := page.ids):
                        raise ReadIncomplete(f"Rows of {table.kind} in two tables have the same id.", where=table.name)
                    seen |= ids
                yield page

    def _read(self, source: _Source[P], table: Table, record: type[Record], fields: Sequence[str], among: Among | None) -> Iterator[P]:
        definition = self._tables.definition(table)
        if table.is_tied and not {"regarding", "regarding_kind"}.isdisjoint((*fields, among.field if among else "")):
            yield from self._read_tied(source, table, definition, record, fields, among)
            return
        if among is not None and among.field in table.pairs:
            among = replace(among, field="id", ids=self._pairs.tied_to(table, definition, among.field, among.ids))
        pages = source(table, definition, record, fields, among)
        if table.pairs.keys().isdisjoint(fields):
            yield from pages
        else:
            yield from self._pairs.fill(table, definition, fields, pages, whole=among is None)

    def _laid(self, lake: "LakeReader", table: Table, record: type[Record], fields: Sequence[str], _: Among | None) -> "Iterator[LakePage]":
        """Yield the rows of a kind that a lake has of a table, with what they are tied to."""
        definition = self._tables.definition(table)
        self._check_halves(table, definition)
        own = _own(table, fields)
        pages = lake.pages(table, definition, record, own)
        if not table.pairs.keys().isdisjoint(fields):
            pages = self._pairs.fill(table, definition, fields, pages, whole=True, told=lake.pairs)
        if own is fields:
            yield from pages
            return
        if table.leads:  # what points to them is asked of the CRM
            pointing: Pointing = {}
            for page in pages:
                self._behind.fill(table, page.values, pointing=pointing)
                yield page
            return
        link = link_of(table, definition)
        pairs = lake.pairs(link, *sides_of(table, link))
        for page in pages:
            self._ties.fill(table, definition, page.values, pairs)
            yield page

    def lake_instant(self) -> datetime | None:
        """Return the newest instant at which the lake that `columns` has read took up a row; None without a
        lake. Raises ReadIncomplete: that is longer ago than a plan may rely on, or not known; the lake has no
        row of a table, and the CRM has; or it has stopped taking up one table, whatever it does of others."""
        if self._lake is None:
            return None
        instant = self._lake.instant()
        self._check_filled(self._lake)
        self._check_kept_up(self._lake)
        return instant

    def _check_filled(self, lake: "LakeReader") -> None:
        empty = {table.name: table for table in lake.empty()}
        counts = total_counts(self._transport, list(empty))
        for name, table in empty.items():
            total = counts[name] if name in counts else aggregate_count(self._transport, table.set_name, name)
            if total != 0:
                raise ReadIncomplete(
                    f"The lake has no row of {name}, and the CRM {'does not count them' if total is None else f'counts {total}'}.",
                    hint="look at the link in Power Apps: it may not have copied this table yet; or unset crm_lake to read it from the CRM",
                    where=name,
                )

    def _check_kept_up(self, lake: "LakeReader") -> None:
        for table, condition in lake.quiet():
            missed = count_where(self._transport, table.set_name, table.primary_id, table.name, condition)
            if missed != 0:
                lacks, tells = ("may lack", "does not count them") if missed is None else ("lacks", f"has {missed} such rows")
                raise ReadIncomplete(
                    f"The lake {lacks} changes of {table.name} that are older than it may be: the CRM {tells}.",
                    hint="look at this table in the link in Power Apps: it may have stopped; or unset crm_lake to read it from the CRM",
                    where=table.name,
                )

    @contextmanager
    def read_ahead(self, reads: Iterable[tuple[type[Record], Iterable[str]]]) -> Iterator[None]:
        """Begin these reads of whole tables, which `columns` is then called for in this order and by this
        thread. They go on in threads of their own, a few pages ahead of who takes them; with the pace of one
        read at once, nothing begins before it is asked for. What waits to be taken is a frame already: the
        rows and the bytes of a page weigh several times as much. Once all was taken, the memory of pages is
        given back to the system."""
        try:
            with self._ahead(reads):
                yield
        finally:
            give_back()

    @contextmanager
    def _ahead(self, reads: Iterable[tuple[type[Record], Iterable[str]]]) -> Iterator[None]:
        if self.environment.pace.reads == 1 or self._lake is not None:
            yield
            return
        with Lanes(self.environment.pace.reads, self._transport.gate.timeline) as lanes:
            for record, given in reads:
                fields = tuple(given)
                for table in self.mapping.tables_of(record):
                    definition = self._tables.definition(table)
                    decoder = self._whole_decoder(table, definition, _own(table, fields), record)
                    lanes.begin((decoder, get_ident()), partial(self._whole, table, definition, decoder))
            self._lanes = lanes
            try:
                yield
            finally:
                self._lanes = None

    def _framed(
        self, table: Table, definition: TableDefinition, record: type[Record], fields: Sequence[str], among: Among | None
    ) -> Iterator[FramedPage]:
        decoder = self._whole_decoder(table, definition, fields, record)
        begun = self._lanes.take((decoder, get_ident())) if self._lanes is not None else None
        yield from chain.from_iterable(self._whole(table, definition, decoder) if begun is None else begun)

    def _whole_decoder(self, table: Table, definition: TableDefinition, fields: Sequence[str], record: type[Record]) -> PageDecoder[Any]:
        return self._tables.decoder(table, definition, fields, record, whole=True, dated=self._cuts is not None)

    def _live(
        self, table: Table, definition: TableDefinition, record: type[R], fields: Sequence[str], among: Among | None
    ) -> Iterator[Page[R]]:
        decoder = self._tables.decoder(table, definition, fields, record)
        only = "" if among is not None and among.in_any_scope else self._tables.condition(table)
        reader: Reader[R] = Reader(self._transport, decoder, definition.set_name, table.name)
        if among is None:
            self._check_halves(table, definition)
            yield from _filled(reader.pages(only))
            return
        column = self._tables.filter_column(table, definition, among.field)
        if column is None:
            return
        is_swapped = self._tables.place(table) is RolePlace.UNIT and among.field == "id"
        conditions = any_of(column, [swapped(row, table) for row in among.ids] if is_swapped else among.ids)
        parts = [partial(reader.pages, f"({condition}) and {only}" if only else condition) for condition in conditions]
        at_once = min(len(parts), self.environment.pace.reads)
        pages = (
            side_by_side(parts, at_once, self._transport.gate.timeline) if at_once > 1 else chain.from_iterable(part() for part in parts)
        )
        wanted: set[str | None] = {guid(row) for row in among.ids}
        if decoder.may_empty(among.field):
            wanted.add(None)
        for page in _filled(pages):
            if among.field in ("id", *fields) and not wanted.issuperset(page.values[among.field]):
                told = f"Rows of {table.name} came that were not asked for."
                raise ReadIncomplete(told, hint="Have what stands before the CRM pass on its answers as they are.", where=table.name)
            yield page

    def _whole(
        self, table: Table, definition: TableDefinition, decoder: PageDecoder[Any], side_by_side: SideBySide | None = None
    ) -> Iterator[Iterable[FramedPage]]:
        """Yield all rows of a kind, by what has changed since last time where that is remembered, else as
        they are now, in ranges `side_by_side` where it is known how to cut the table; in runs, as
        `RememberingReader.runs` does, unless the CRM has to be asked about the rows. Raises as `read`, as
        does taking a run."""

        def framed(rows: "pl.DataFrame") -> FramedPage:
            try:
                return decoder.framed(rows)
            except PageBroken:
                told = f"A lookup in {table.name} does not say to which table it points."
                raise ReadIncomplete(told, hint="Try again later.", where=table.name) from None

        for run in self._runs(table, definition, decoder, side_by_side):
            if decoder.asks:
                yield from ((framed(rows),) for rows in run)
            else:
                yield map(framed, run)

    def _runs(
        self, table: Table, definition: TableDefinition, decoder: PageDecoder[Any], side_by_side: SideBySide | None
    ) -> "Iterator[Iterable[pl.DataFrame]]":
        only, place = self._tables.condition(table), self._tables.place(table)
        self._check_halves(table, definition)
        cuts = self._cuts if place in (RolePlace.OWN, RolePlace.CONNECTION) or decoder.created is not None else None
        whole: WholeTable[Any] = WholeTable(self._transport, decoder, definition.set_name, table.name, only, cuts)
        if self._memory is not None and self._memory.keeps_rows and not only and not place.is_derived:  # changes are told of whole tables
            if definition.tells_changes(decoder.columns):
                yield from RememberingReader(self._transport, whole, self._memory, side_by_side).runs()
                return
            self._memory.drop_table(table.name)  # changes that were not tracked meanwhile would be missed for good
        for page in _filled(whole.pages(cut=whole.cut() if side_by_side is not None else None, side_by_side=side_by_side)):
            yield (decoder.frame(page),)

    def _check_halves(self, table: Table, definition: TableDefinition) -> None:
        """Refuse connections that are kept by one half alone, with the person first: none counts twice, and
        none may be overlooked. Raises ReadIncomplete."""
        if self._tables.place(table) is not RolePlace.CONNECTION:
            return
        condition = lone_halves(table, definition, self.mapping, self._metadata)
        known = KnownTable.of(definition)
        try:
            is_whole = self._directory.is_empty(known, condition)
        except NotOffered as refusal:
            raise Forbidden(refusal.reason, where=table.name) from None
        if not is_whole:
            told = f"Rows of {table.name} name the person first, and have no other half that names them second."
            raise ReadIncomplete(told, hint="Make these connections again in the CRM, which keeps both halves.", where=table.name)

    def _read_tied(
        self,
        source: _Source[P],
        table: Table,
        definition: TableDefinition,
        record: type[Record],
        fields: Sequence[str],
        among: Among | None,
    ) -> Iterator[P]:
        """Yield the rows of a table whose rows belong to others by a table of links, or by lookups of these,
        with what they belong to."""
        own, behind = _own(table, fields), self._behind if table.leads else None
        asked = among.ids[:1] if among is not None else ()
        if among is not None and among.field == "regarding":
            tied = behind.rows_tied_to(table, among.ids) if behind else self._ties.rows_tied_to(table, definition, among.ids)
            among = Among("id", tied or asked)
        is_filled = False
        pointing: Pointing = {}
        for page in self._read(source, table, record, own, among):
            is_filled = True
            if behind:
                behind.fill(table, page.values, pointing=pointing)
            else:
                self._ties.fill(table, definition, page.values)
            yield page
        if asked and not is_filled:  # as many requests as where there are rows (SUS-07)
            if behind:
                behind.look(table, asked)
            else:
                self._ties.rows_tied_to(table, definition, asked)

    def read_set(self, set_name: str) -> "SetReading":
        """Page through one entity set, ids only, also of an OData service that is not Dataverse (`doctor
        --read`)."""
        from connectors.dynamics.reading.any_entity_set import read_set

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

    def merged_into(self, contacts: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return those of these contacts that were merged, each with those into which it went in turn. Raises
        ConnectorError: it cannot be read."""
        table = self.mapping.table(Contact)
        return merged_into(self._directory, self._tables.definition(table), contacts) if table is not None else {}

    def totals(self, records: Iterable[type[Record]]) -> dict[type[Record], int]:
        names = {
            record: [
                table.name for table in self.mapping.tables_of(record) if not table.only and self._tables.place(table) is RolePlace.OWN
            ]
            for record in records
        }
        counts = total_counts(self._transport, sorted({name for own in names.values() for name in own}))
        return {record: sum(counts.get(name, 0) for name in own) for record, own in names.items() if not counts.keys().isdisjoint(own)}


def _filled(pages: Iterable[Page[R]]) -> Iterator[Page[R]]:
    """Yield the pages that have rows."""
    return (page for page in pages if len(page))


def _own(table: Table, fields: Sequence[str]) -> Sequence[str]:
    """Return the fields that the table's own rows fill; what its rows are tied to by a table of links does
    not stand in them."""
    is_tied = table.is_tied and not {"regarding", "regarding_kind"}.isdisjoint(fields)
    return [name for name in fields if name not in ("regarding", "regarding_kind", "tied")] if is_tied else fields
