"""Whole tables as they are read: frames of rows, counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from jobs.reading.gather import R
from jobs.reading.tables.row_counts import RowCounts
from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

    from jobs.reading.tables.whole_tables import WholeTables

_AT_ONCE = 50_000  # rows that are looked up together


class Frames:
    """The rows of whole tables, counted as they are read; `source` says of which class each is."""

    def __init__(self, connector: Connector, found: WholeTables, seen: RowCounts) -> None:
        self._connector, self._found, self._seen = connector, found, seen

    def __call__(self, record: type[Record], fields: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        """Yield all rows of a kind. Raises as `Rows.columns`; ReadIncomplete: rows of two tables have the
        same id."""
        import polars as pl

        from jobs.reading.tables.parts import repeated
        from jobs.reading.tables.row_numbers import SOURCE

        connector, tables = self._connector, self._seen.tables
        self._seen(stage_of(record), 0)
        if connector.has(record):
            tables |= dict.fromkeys(connector.tables(record), 0)
        ids: list[pl.Series] = []
        sources = connector.sources(record)
        for source in sources:
            number = self._found.source(source)
            for frame in _put_together(self._pages(record, source, fields)):
                if len(sources) > 1:
                    ids.append(self._found.ids.packed(frame["id"]))
                yield frame.hstack([repeated(number, frame.height, SOURCE).alias("source")])
        if ids:
            every = pl.concat(ids)
            if every.n_unique() != len(every):
                raise ReadIncomplete(f"rows of {stage_of(record)} in two tables have the same id", where=connector.tables(record)[0])

    def _pages(self, record: type[Record], source: type[Record], fields: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        stage, table = stage_of(record), self._connector.table(source)
        for page in self._connector.columns(source, fields):
            self._seen(stage, self._seen.rows[stage] + page.height)
            self._seen.tables[table] += page.height
            yield page

    def records(self, record: type[R], fields: tuple[str, ...]) -> Iterator[list[R]]:
        """Yield the rows of a kind as records: for kinds with few rows."""
        from jobs.reading.tables.row_numbers import records_of

        for frame in self(record, fields):
            yield records_of(self._found.sources, frame)


def stage_of(record: type[Record]) -> str:
    """Return by what name the rows of a kind are counted."""
    return record.__name__.lower()


def _put_together(pages: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield pages, several as one: to look up a few rows takes nearly as long as to look up many."""
    from connectors.interface.id_numbers import together

    parts: list[pl.DataFrame] = []
    for page in pages:
        parts.append(page)
        if sum(part.height for part in parts) >= _AT_ONCE:
            frame = together(parts, rechunk=True)
            parts.clear()
            yield frame
    if parts:
        yield together(parts, rechunk=True)
