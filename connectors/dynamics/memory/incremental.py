"""Reading a table by what has changed since last time, with the same rows as a full read.

The rows of last time are remembered as frames (`table_cache.py`), changes and deletions applied to them, and
the number of rows compared with the CRM's own. Every row is yielded, also unchanged ones: time alone makes a
row due. A full read is done where there is no memory or no usable delta link, where numbers differ, and every
few days in any case; what it finds is then compared with what is remembered, as far as the CRM told changes:
rows that are otherwise, gone or new, untold, are counted (`ReadStats.missed`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.memory.change_tracking import MAX_CHANGES, TRACKING, changes_since
from connectors.dynamics.memory.fingerprints import Fingerprints, untouched, without
from connectors.dynamics.memory.table_cache import Memory
from connectors.dynamics.memory.table_file import Damaged, Remembered, heights
from connectors.dynamics.memory.whole_table import WholeTable
from connectors.dynamics.reading.decoder import PageBroken
from connectors.dynamics.reading.lanes import SideBySide
from connectors.dynamics.reading.page_values import Page
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.schema.counts import AGGREGATE_LIMIT, COUNT_LIMIT, aggregate_count, count_up_to_limit, total_count
from connectors.interface.errors import ConnectorError, ReadIncomplete
from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R", bound=Record)

TOLERANCE = 0.01  # of a count that is a day old
_UNTRACKED = (400, 501)  # how the refusal looks is not documented
SLACK = timedelta(hours=1)  # the most by which a clock may be corrected; one that is set back further gives no age
EARLIER = timedelta(hours=12)  # the most by which a night may come to a table earlier than at its last full read, summer time included


@dataclass(slots=True)
class _Since:
    """What has changed since the memory was written: the rows there now, and all touched ids. `agrees`:
    together with the memory they are as many rows as the CRM has."""

    remembered: Remembered
    link: str
    rows: pl.DataFrame
    touched: set[str] = field(default_factory=set)
    agrees: bool = False

    @property
    def ids(self) -> pl.Series:
        import polars as pl

        return pl.Series("id", sorted(self.touched), dtype=pl.String)


class RememberingReader(Generic[R]):
    """Reads one kind of record with one set of fields, from memory and the changes since."""

    def __init__(self, transport: Transport, whole: WholeTable[R], memory: Memory, side_by_side: SideBySide | None) -> None:
        """Create the reader. `side_by_side` reads ranges of the table at the same time, when it is read in
        full."""
        self._transport, self._whole, self._memory, self._side_by_side = transport, whole, memory, side_by_side
        self._decoder, self._set_name, self._table = whole.decoder, whole.set_name, whole.table
        self._prefer = Reader(transport, whole.decoder, whole.set_name, whole.table).prefer
        self._place = memory.place(whole.table, self._decoder.meaning)

    def runs(self) -> Iterator[Iterable[pl.DataFrame]]:
        """Yield every row once, as a full read would, in frames of `PageDecoder.frame`: each page as it
        comes, and what is remembered as one run, whose frames are made when they are taken. It is not
        prefetched: that would hold the whole table in memory. Raises ReadIncomplete: as a full read does."""
        remembered = self._memory.load(self._place)
        since = self._since(remembered) if remembered is not None else None
        if since is not None and since.agrees and self._is_recent(since.remembered):
            yield self._remembered(since)
        else:
            yield from ((rows,) for rows in self._full(since))

    def _remembered(self, since: _Since) -> Iterator[pl.DataFrame]:
        """Yield what is remembered with what has changed; the whole table where that turns out to be
        damaged."""
        is_begun = False
        try:
            for rows in self._from_memory(since):
                is_begun = True
                yield rows
            return
        except Damaged:
            if is_begun:
                what = "What was remembered is damaged, and now forgotten."
                raise ReadIncomplete(what, hint="Try again.", where=self._table) from None
        yield from self._full(since)

    def _is_recent(self, remembered: Remembered) -> bool:
        age = self._memory.now() - remembered.worth.full_at
        return -SLACK <= age < timedelta(days=self._memory.full_every_days) - EARLIER

    def _full(self, since: _Since | None) -> Iterator[pl.DataFrame]:
        started = self._memory.now()
        link, pages = self._all_pages(since)
        with self._memory.writing(self._place) as draft:
            read = Fingerprints() if since is not None else None
            remembered = self._fingerprints(since) if since is not None else None  # before the draft takes their place
            for page in pages:
                link = link or page.delta_link or ""  # the first: what a page asked for again tells may be later than its rows
                if len(page):
                    rows = self._decoder.frame(page)
                    draft.add(rows)
                    if read is not None:
                        read.add(rows)
                    yield rows
            if link:
                draft.finish(link, started)
        if since is not None and read is not None and remembered is not None:
            self._compare(since, remembered, read)

    def _fingerprints(self, since: _Since) -> Fingerprints | None:
        """Return what a full read should find by all that the CRM has told; None where the memory is
        damaged."""
        found, touched = Fingerprints(), since.ids
        try:
            for chunk in since.remembered.chunks():
                rows = chunk.rows()
                if not self._is_ours(rows):
                    return None
                found.add(untouched(rows, touched))
        except Damaged:
            return None
        found.add(since.rows)
        return found

    def _compare(self, since: _Since, remembered: Fingerprints, read: Fingerprints) -> None:
        """Count the rows that are otherwise than remembered, gone or new, but for those of which the CRM
        tells by now that they have changed while we read. Where it tells nothing any more, nothing can be
        said. What was taken out of the memory because it was erased does not count where it is in the CRM
        all the same: that is a delete that only seemed to succeed, and no change that was not told."""
        import polars as pl

        new = read.unknown_to(remembered, since.remembered.worth.forgotten)
        if (differing := pl.concat([remembered.missing_in(read), new])).is_empty():
            return
        later = _Since(since.remembered, since.link, since.rows.clear())
        if self._follow(later) and (number := without(differing, later.ids)):
            self._transport.count(missed=(self._table, number))

    def _all_pages(self, since: _Since | None) -> tuple[str, Iterator[Page[R]]]:
        """Return all pages, and a delta link where they will bring none: of ranges the CRM tells no changes.
        What changes from now on is then asked for by a link that the one of last time has led to."""
        if since is not None and self._side_by_side is not None and (cut := self._whole.cut()) is not None:
            return since.link, self._whole.pages(cut=cut, side_by_side=self._side_by_side)
        return "", self._tracked_pages()

    def _tracked_pages(self) -> Iterator[Page[R]]:
        """Yield all pages, the last with a delta link. Where the CRM refuses the request for changes, or then
        counts no rows, yield all pages without one."""
        is_begun = False
        try:
            for page in self._whole.pages(TRACKING):
                is_begun = True
                yield page
            return
        except ConnectorError as failure:
            if is_begun or not (failure.status in _UNTRACKED or isinstance(failure, ReadIncomplete)):
                raise
        yield from self._whole.pages()

    def _since(self, remembered: Remembered) -> _Since | None:
        """Return what has changed, and whether the numbers agree; None where the CRM does not tell it.
        People continue working while we read, so a number that differs is checked a second time before it
        counts."""
        import polars as pl

        since = _Since(remembered, remembered.worth.link, pl.DataFrame(schema=self._decoder.kept_types))
        for _ in range(2):
            if not self._follow(since):
                return None
            try:
                left = heights(remembered.chunks(), since.ids) if since.touched else remembered.worth.rows
            except Damaged:
                return None
            if self._number_agrees(left + since.rows.height):
                since.agrees = True
                break
        return since

    def _follow(self, since: _Since) -> bool:
        """Follow the delta link to its end; whether its answer makes sense."""
        import polars as pl

        from connectors.interface.id_numbers import together

        changes = changes_since(self._transport, since.link, prefer=self._prefer, where=self._table)
        if changes is None:
            return False
        try:
            page = self._decoder.decode(b'{"value":[' + b",".join(changes.rows) + b"]}")
            deleted = {str(UUID(each)) for each in changes.deleted}
        except (PageBroken, ValueError):
            return False
        changed = page.ids
        if len(changed) != len(changes.rows) or not deleted.isdisjoint(changed):
            return False  # a row that was changed and deleted: which came first is not told
        again = pl.Series(sorted(changed | deleted), dtype=pl.String)
        since.rows = together([untouched(since.rows, again), self._decoder.frame(page)])
        since.touched.update(changed, deleted)
        since.link = changes.link
        return len(since.touched) <= MAX_CHANGES

    def _from_memory(self, since: _Since) -> Iterator[pl.DataFrame]:
        touched = since.ids
        with self._memory.writing(self._place) as draft:
            for chunk in since.remembered.chunks():
                rows = chunk.rows()
                if not self._is_ours(rows):
                    raise Damaged
                kept = untouched(rows, touched)
                if kept.height == rows.height:
                    draft.add_again(chunk, rows)
                else:
                    draft.add(kept)
                if kept.height:
                    self._transport.count(remembered=kept.height)
                    yield kept
            if since.rows.height:
                draft.add(since.rows)
                self._transport.count(rows=since.rows.height)
                yield since.rows
            worth = since.remembered.worth
            draft.finish(since.link, worth.full_at, worth.forgotten)

    def _is_ours(self, rows: pl.DataFrame) -> bool:
        """Return whether what was kept has the columns that a page has, ids as texts or as numbers."""
        import polars as pl

        from connectors.interface.id_numbers import ID

        told = {name: pl.String() if kind == ID and name in self._decoder.lookups else kind for name, kind in rows.schema.items()}
        return told == self._decoder.kept_types

    def _number_agrees(self, number: int) -> bool:
        """Return whether the CRM has as many rows, as exactly as it can report."""
        counted = count_up_to_limit(self._transport, self._set_name, self._decoder.select[0], self._table)
        if counted != min(number, COUNT_LIMIT):
            return False
        if number < COUNT_LIMIT:
            return True
        if number <= AGGREGATE_LIMIT and (counted := aggregate_count(self._transport, self._set_name, self._table)) is not None:
            return counted == number
        total = total_count(self._transport, self._table)
        return total is not None and abs(total - number) <= TOLERANCE * number
