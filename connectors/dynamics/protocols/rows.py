"""Rows of the CRM, read to the end: live ones, or by what has changed since last time."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from connectors.dynamics.http.query import any_of
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.memory.incremental import RememberingReader
from connectors.dynamics.memory.whole_table import WholeTable
from connectors.dynamics.protocols.kinds import MappedKinds
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.id_paging import SetReading, read_set
from connectors.dynamics.reading.lanes import Lanes, SideBySide, side_by_side
from connectors.dynamics.reading.page import FramedPage, Page
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.reading.role_filter import lone_halves
from connectors.dynamics.reading.ties import link_of, sides_of
from connectors.dynamics.schema.counts import total_count
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, swapped
from connectors.dynamics.schema.unmapped_tables import KnownTable, NotOffered
from connectors.interface.errors import Forbidden, ReadIncomplete
from connectors.interface.rows import Among, Content
from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

    from connectors.dynamics.lake.reader import LakeReader

R = TypeVar("R", bound=Record)


class Rows(MappedKinds):
    """Whole tables and rows among others."""

    _lanes: Lanes | None = None  # what was begun and is not read yet

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None, remembered: bool = False) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once;
        order unspecified.

        The records' class is a subclass made for these fields, whose own names on the wire are the CRM's:
        compute with them, do not encode or pickle them. With `remembered`, a whole table whose changes the
        CRM tracks is read by what has changed since last time, where there is a memory. Without it, every row
        is requested from the CRM now. Raises ReadIncomplete: a page is short, broken, doubled or not
        decodable, or the CRM's own count differs; MappingError: the table does not fit the mapping."""
        for page in self._pages(record, tuple(fields), among, remembered=remembered):
            yield page.rows

    def columns(self, record: type[Record], fields: Sequence[str]) -> "Iterator[pl.DataFrame]":
        """Yield all rows of a kind as frames in the columns of `column_types`, row for row and value for
        value what `read` gives with `remembered`; where there is a lake, what it has of them. Raises as
        `read`."""
        for page in self._pages(record, tuple(fields), None, remembered=True, framed=True):
            yield page.frame(record, fields)

    def _pages(
        self, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool, framed: bool = False
    ) -> Iterator[Page[R]]:
        """Yield the rows of a kind from all of its tables; `framed`: nothing but their frame is asked for.
        Raises as `read`."""
        tables = self.mapping.tables_of(record)
        if among is not None and not among.ids:
            return
        if among is not None and among.in_any_scope:
            tables = tuple({each.name: each for each in reversed(tables) if not self._tables.place(each).is_derived}.values())
        seen: set[str] = set()
        for table in tables:
            for page in self._read(table, record, fields, among, remembered=remembered, framed=framed):
                if len(tables) > 1:
                    if not seen.isdisjoint(page.ids):
                        raise ReadIncomplete(f"Rows of {table.kind} in two tables have the same id.", where=table.name)
                    seen |= page.ids
                yield page

    def _read(
        self, table: Table, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool, framed: bool = False
    ) -> Iterator[Page[R]]:
        definition = self._tables.definition(table)
        if framed and self._lake is not None:
            yield from self._laid(self._lake, table, definition, record, fields)
            return
        if table.links and not {"regarding", "regarding_kind"}.isdisjoint((*fields, among.field if among else "")):
            yield from self._read_tied(table, definition, record, fields, among, remembered=remembered)
            return
        if among is not None and among.field in table.pairs:
            among = replace(among, field="id", ids=self._pairs.tied_to(table, definition, among.field, among.ids))
        framed = framed and _fills_alone(table, fields)
        pages = self._live(table, definition, record, fields, among, remembered=remembered, framed=framed)
        if table.pairs.keys().isdisjoint(fields):
            yield from pages
        else:
            yield from self._pairs.fill(table, definition, fields, pages, whole=among is None)

    def _laid(
        self, lake: "LakeReader", table: Table, definition: TableDefinition, record: type[R], fields: Sequence[str]
    ) -> Iterator[Page[R]]:
        """Yield the rows of a kind that a lake has of a table, with what they are tied to."""
        self._check_halves(table, definition)
        own = _own(table, fields)
        pages: Iterator[Any] = lake.pages(table, definition, record, own)
        if not table.pairs.keys().isdisjoint(fields):
            pages = self._pairs.fill(table, definition, fields, pages, whole=True, told=lake.pairs)
        if own is fields:
            yield from pages
            return
        link = link_of(table, definition)
        pairs = lake.pairs(link, *sides_of(table, link))
        for page in pages:
            self._ties.fill(table, definition, page.values, pairs)
            yield page

    def lake_instant(self) -> datetime | None:
        """Return the newest instant at which the lake that `columns` has read took up a row; None without a
        lake. Raises ReadIncomplete: that is longer ago than a plan may rely on, or not known."""
        return self._lake.instant() if self._lake is not None else None

    @contextmanager
    def read_ahead(self, reads: Iterable[tuple[type[Record], Iterable[str]]]) -> Iterator[None]:
        """Begin these reads of whole tables, which `columns` is then called for in this order and by this
        thread. They go on in threads of their own, a few pages ahead of who takes them; with the pace of one
        read at once, nothing begins before it is asked for. What waits to be taken is a frame already, where
        nothing else fills it: the rows and the bytes of a page weigh several times as much."""
        if self.environment.pace.reads == 1 or self._lake is not None:
            yield
            return
        with Lanes(self.environment.pace.reads, self._transport.gate.timeline) as lanes:
            for record, given in reads:
                fields = tuple(given)
                for table in self.mapping.tables_of(record):
                    definition, own = self._tables.definition(table), _own(table, fields)
                    decoder = self._tables.decoder(table, definition, own, record, dated=self._cuts is not None)
                    frame = (record, fields) if _fills_alone(table, fields) else None
                    lanes.begin((decoder, get_ident(), frame), partial(self._ahead, table, definition, decoder, frame))
            self._lanes = lanes
            try:
                yield
            finally:
                self._lanes = None

    def _ahead(
        self,
        table: Table,
        definition: TableDefinition,
        decoder: PageDecoder[R],
        frame: tuple[type[Record], Sequence[str]] | None,
        side_by_side: SideBySide,
    ) -> Iterator[Page[R] | FramedPage]:
        pages = self._whole(table, definition, decoder, side_by_side)
        return pages if frame is None else (FramedPage(page.frame(*frame)) for page in pages)

    def _live(
        self,
        table: Table,
        definition: TableDefinition,
        record: type[R],
        fields: Sequence[str],
        among: Among | None,
        *,
        remembered: bool,
        framed: bool,
    ) -> Iterator[Page[R]]:
        if among is None and remembered:
            decoder = self._tables.decoder(table, definition, fields, record, dated=self._cuts is not None)
            frame = (record, fields) if framed else None
            begun = self._lanes.take((decoder, get_ident(), frame)) if self._lanes is not None else None
            yield from self._whole(table, definition, decoder) if begun is None else begun
            return
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
        if at_once > 1:
            yield from _filled(side_by_side(parts, at_once, self._transport.gate.timeline))
        else:
            yield from _filled(chain.from_iterable(part() for part in parts))

    def _whole(
        self, table: Table, definition: TableDefinition, decoder: PageDecoder[R], side_by_side: SideBySide | None = None
    ) -> Iterator[Page[R]]:
        """Yield all rows of a kind, by what has changed since last time where that is remembered, else as
        they are now, in ranges `side_by_side` where it is known how to cut the table."""
        only, place = self._tables.condition(table), self._tables.place(table)
        self._check_halves(table, definition)
        cuts = self._cuts if place in (RolePlace.OWN, RolePlace.CONNECTION) or decoder.created is not None else None
        whole: WholeTable[R] = WholeTable(self._transport, decoder, definition.set_name, table.name, only, cuts)
        if self._memory is not None and self._memory.keeps_rows and not only and not place.is_derived:  # changes are told of whole tables
            if definition.tracks_changes:
                yield from RememberingReader(self._transport, whole, self._memory, side_by_side).pages()
                return
            self._memory.drop_table(table.name)  # changes that were not tracked meanwhile would be missed for good
        yield from _filled(whole.pages(cut=whole.cut() if side_by_side is not None else None, side_by_side=side_by_side))

    def _check_halves(self, table: Table, definition: TableDefinition) -> None:
        """Refuse connections that are kept by one half alone, with the person first: none counts twice, and
        none may be overlooked. Raises ReadIncomplete."""
        if self._tables.place(table) is not RolePlace.CONNECTION:
            return
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
    ) -> Iterator[Page[R]]:
        """Yield the rows of a table whose rows belong to others by a table of links, with what they belong
        to."""
        own = _own(table, fields)
        asked = among.ids[:1] if among is not None else ()
        if among is not None and among.field == "regarding":
            among = Among("id", self._ties.rows_tied_to(table, definition, among.ids) or asked)
        is_filled = False
        for page in self._read(table, record, own, among, remembered=remembered):
            is_filled = True
            self._ties.fill(table, definition, page.values)
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


def _filled(pages: Iterable[Page[R]]) -> Iterator[Page[R]]:
    """Yield the pages that have rows."""
    return (page for page in pages if len(page))


def _fills_alone(table: Table, fields: Sequence[str]) -> bool:
    """Return whether the rows of a table fill all of these fields themselves: nothing beside them does."""
    return table.pairs.keys().isdisjoint(fields) and _own(table, fields) == fields


def _own(table: Table, fields: Sequence[str]) -> Sequence[str]:
    """Return the fields that the table's own rows fill; what its rows are tied to by a table of links does
    not stand in them."""
    is_tied = table.links and not {"regarding", "regarding_kind"}.isdisjoint(fields)
    return [name for name in fields if name not in ("regarding", "regarding_kind", "tied")] if is_tied else fields
