"""All rows of a table, or of one kind in it: in ranges side by side where the last read has shown where to
cut, else page after page."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Generic, TypeVar

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.memory.cuts import Cuts
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.lanes import SideBySide
from connectors.dynamics.reading.page_values import Page
from connectors.dynamics.reading.ranges import CREATED_ON, Axis, Cut, Order, Range, Sample
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.schema.counts import is_empty
from connectors.interface.errors import ConnectorError, ReadIncomplete
from rules.model.records import Record

R = TypeVar("R", bound=Record)

_UNKNOWN = (400, 501)  # a filter that is not understood; how that looks is not documented


class _Beyond(ReadIncomplete):
    """A row came that is not in the range that was asked for."""


class WholeTable(Generic[R]):
    """Reads the rows of one table that meet a condition, with one set of fields. `cuts` are None where it is
    never cut."""

    def __init__(self, transport: Transport, decoder: PageDecoder[R], set_name: str, table: str, condition: str, cuts: Cuts | None) -> None:
        self.decoder, self.set_name, self.table = decoder, set_name, table
        self._transport, self._condition, self._cuts = transport, condition, cuts
        self._at_once = transport.environment.pace.reads
        key = decoder.select[0]
        dated = decoder.created is not None
        self._axes = [Axis(CREATED_ON, Order.INSTANT)] if dated else [Axis(key, Order.TEXT), Axis(key, Order.SQL_SERVER)]

    def cut(self) -> Cut | None:
        """Return where the table may be cut: where the last read has shown, if the CRM takes such a filter
        and leaves out what it leaves out. Raises ConnectorError."""
        found = self._cuts.of(self.table, self._condition) if self._cuts is not None else None
        if found is None or found.axis not in self._axes:
            return None
        return found if is_empty(self._transport, self.set_name, self.decoder.select[0], self.table, self._both(found.nothing)) else None

    def pages(self, tracking: str = "", cut: Cut | None = None, side_by_side: SideBySide | None = None) -> Iterator[Page[R]]:
        """Yield the pages of all rows, in the ranges of `cut` if it is one; else with the preference
        `tracking`. Raises as `Reader.pages`; ReadIncomplete: a range has rows of another, and the table is
        not cut next time."""
        is_begun = False
        if cut is not None and side_by_side is not None:
            try:
                for page in self._ranges(cut, side_by_side):
                    is_begun = True
                    yield page
                return
            except ConnectorError as failure:
                if not (isinstance(failure, _Beyond) or failure.status in _UNKNOWN):
                    raise
                self._note(None)
                if is_begun:
                    raise
        yield from self._chain(tracking)

    def _chain(self, tracking: str) -> Iterator[Page[R]]:
        reader: Reader[R] = Reader(self._transport, self.decoder, self.set_name, self.table, tracking=tracking)
        sample = Sample(self._axes)
        for page in reader.pages(self._condition):
            if self._cuts is not None:
                sample.see(self._values(page))
            yield page
        if reader.counts_rows:
            sample.doubt()
        self._note(sample.cut(self._at_once))

    def _ranges(self, cut: Cut, side_by_side: SideBySide) -> Iterator[Page[R]]:
        reader: Reader[R] = Reader(self._transport, self.decoder, self.set_name, self.table)
        sample = Sample([cut.axis])
        for page, values in side_by_side([partial(self._range, reader, each) for each in cut.ranges()]):
            sample.see(values)
            yield page
        if reader.counts_rows:
            sample.doubt()
        self._note(sample.cut(self._at_once))

    def _range(self, reader: Reader[R], within: Range) -> Iterator[tuple[Page[R], Any]]:
        for page in reader.pages(self._both(within.condition)):
            values = self._values(page)
            if not within.holds(values):
                raise _Beyond(
                    f"The CRM gave rows of {self.table} that were created at another time than those it was asked for.",
                    hint="Try again: the table is then read in one go.",
                    where=self.table,
                )
            yield page, values

    def _values(self, page: Page[R]) -> Any:
        return page.values.held(self.decoder.created) if self.decoder.created else page.values["id"]

    def _both(self, condition: str) -> str:
        return f"({self._condition}) and ({condition})" if self._condition else condition

    def _note(self, cut: Cut | None) -> None:
        if self._cuts is not None:
            self._cuts.note(self.table, self._condition, cut)
