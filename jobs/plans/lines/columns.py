"""The lines of a plan in columns. Most lines differ only in id, version and dates, so what they have in
common, their shape, is kept once: a filter looks at some hundred shapes instead of a million lines."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from jobs.ledger.plan_lines import damaged_lines
from jobs.model.plan import PlanLine
from rules.decoders import decoder_of, msgpack_decoder_of

if TYPE_CHECKING:
    import polars as pl

COLUMNS: Final = ("shape", "id", "retention_end", "etag", "anchor_on", "id_rank")
AT_ONCE: Final = 2_000  # lines made into objects at a time


class NotColumns(Exception):
    """These bytes are not columns of lines."""


class _Kept(msgspec.Struct, array_like=True):
    shapes: list[PlanLine]
    frame: bytes


@dataclass(frozen=True, slots=True)
class LineColumns:
    """`shapes` are lines without id, version and dates; `frame` has a row for each line, in the order of the
    plan: the number of its shape, what is its own, and the rank of its id among all ids."""

    shapes: Sequence[PlanLine]
    frame: pl.DataFrame

    def __len__(self) -> int:
        return int(self.frame.height)

    @classmethod
    def of(cls, texts: Iterable[bytes], count: Callable[[int], object] = int) -> LineColumns:
        """Read the lines of pages, as `jobs.ledger.plan_lines.checked` gives them; `count` is told how many
        were read. Raises StoreAltered: they are no lines of a plan."""
        import polars as pl

        decoder = decoder_of(PlanLine)
        shapes: dict[tuple[object, ...], int] = {}
        models: list[PlanLine] = []
        done = 0
        parts: list[Any] = [_part([], [])]
        try:
            for text in texts:
                lines = decoder.decode_lines(text)
                numbers = []
                for line in lines:
                    shape = (
                        line.table,
                        line.outcome,
                        line.disposition,
                        line.reason,
                        line.reasons,
                        line.flags,
                        line.categories,
                        line.rule,
                        line.policy_version,
                        line.anchor,
                    )
                    number = shapes.get(shape)
                    if number is None:
                        number = shapes[shape] = len(models)
                        models.append(msgspec.structs.replace(line, id="", etag="", retention_end=None, anchor_on=None))
                    numbers.append(number)
                parts.append(_part(numbers, lines))
                done += len(lines)
                count(done)
            frame = pl.concat(parts, rechunk=True)
        except (msgspec.MsgspecError, UnicodeError, pl.exceptions.PolarsError):
            raise damaged_lines() from None
        return cls._ranked(models, frame)

    @classmethod
    def made(cls, shapes: Sequence[PlanLine], parts: Sequence[pl.DataFrame]) -> LineColumns:
        """Return lines that were not read but made, in frames of the same columns without the rank."""
        import polars as pl

        return cls._ranked(shapes, pl.concat([_part([], []), *parts]).rechunk())

    @classmethod
    def _ranked(cls, shapes: Sequence[PlanLine], frame: pl.DataFrame) -> LineColumns:
        import polars as pl

        from jobs.reading.id_order import id_order

        return cls(shapes, frame.with_columns(id_order(frame["id"]).rank("dense").cast(pl.UInt32).alias("id_rank")))

    @classmethod
    def read(cls, content: bytes) -> LineColumns:
        """Return what `written` gave. Raises NotColumns."""
        import polars as pl

        try:
            kept = msgpack_decoder_of(_Kept).decode(content)
            frame = pl.read_parquet(io.BytesIO(kept.frame))
            highest = frame.select(pl.col("shape").max()).item() if frame.height else -1
        except (msgspec.MsgspecError, pl.exceptions.PolarsError):
            raise NotColumns from None
        if tuple(frame.columns) != COLUMNS or highest >= len(kept.shapes):
            raise NotColumns
        return cls(kept.shapes, frame)

    def written(self) -> bytes:
        """Return the columns as bytes."""
        out = io.BytesIO()
        self.frame.write_parquet(out, compression="zstd", compression_level=1, statistics=False)  # higher levels gain nothing on ids
        return msgspec.msgpack.encode(_Kept(list(self.shapes), out.getvalue()))

    def lines(self, places: pl.Series) -> Iterator[PlanLine]:
        """Yield the lines at these places of the plan, in this order."""
        for at in range(0, len(places), AT_ONCE):
            rows = self.frame[places.slice(at, AT_ONCE)]
            for number, row, end, etag, on, _ in rows.iter_rows():
                shape = self.shapes[number]
                yield PlanLine(
                    shape.table,
                    row,
                    shape.outcome,
                    shape.disposition,
                    end.isoformat() if end is not None else None,
                    shape.reason,
                    shape.reasons,
                    shape.flags,
                    shape.categories,
                    shape.rule,
                    shape.policy_version,
                    etag,
                    shape.anchor,
                    on.isoformat() if on is not None else None,
                )


def _part(numbers: list[int], lines: Sequence[PlanLine]) -> pl.DataFrame:
    """Return the columns of one page."""
    import polars as pl

    return pl.DataFrame(
        {
            "shape": pl.Series(numbers, dtype=pl.UInt32),
            "id": pl.Series([line.id for line in lines], dtype=pl.String),
            "retention_end": _days(line.retention_end for line in lines),
            "etag": pl.Series([line.etag for line in lines], dtype=pl.String),
            "anchor_on": _days(line.anchor_on for line in lines),
        }
    )


def _days(days: Iterable[str | None]) -> pl.Series:
    import polars as pl

    return pl.Series(list(days), dtype=pl.String).str.to_date("%Y-%m-%d")
