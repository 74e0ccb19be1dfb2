"""The lines of a plan in columns. Most lines differ only in id, version and dates, so what they have in
common, their shape, is kept once: a filter looks at some hundred shapes instead of a million lines."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec

from jobs.ledger.plan_lines import damaged_lines, is_text, text_of
from jobs.model.plan import PlanLine
from rules.decoders import decoder_of, msgpack_decoder_of

if TYPE_CHECKING:
    import polars as pl

AT_ONCE: Final = 2_000  # lines made into objects at a time
_ZSTD = 1  # higher levels gain nothing on ids
_FORM: Final = b"C"  # what a page begins with; one of the older form begins otherwise
_HEAD: Final = len(_FORM) + hashlib.sha256().digest_size


class _Kept(msgspec.Struct, array_like=True):
    shapes: list[PlanLine]
    frame: bytes  # Parquet


@dataclass(frozen=True, slots=True)
class LineColumns:
    """`shapes` are lines without id, version and dates; `frame` has a row for each line, in the order of the
    plan: the number of its `shape`, and its own `id`, `retention_end`, `etag` and `anchor_on`."""

    shapes: Sequence[PlanLine]
    frame: pl.DataFrame

    def __len__(self) -> int:
        return int(self.frame.height)

    @classmethod
    def of(cls, lines: Sequence[PlanLine]) -> LineColumns:
        """Return lines in columns."""
        import polars as pl

        shapes: dict[PlanLine, int] = {}
        numbers = [shapes.setdefault(shape_of(line), len(shapes)) for line in lines]
        frame = pl.DataFrame(
            [
                pl.Series("shape", numbers, dtype=pl.UInt32),
                pl.Series("id", [line.id for line in lines], dtype=pl.String),
                _days("retention_end", [line.retention_end for line in lines]),
                pl.Series("etag", [line.etag for line in lines], dtype=pl.String),
                _days("anchor_on", [line.anchor_on for line in lines]),
            ]
        )
        return cls(list(shapes), frame)

    @classmethod
    def joined(cls, parts: Iterable[LineColumns]) -> LineColumns:
        """Return several parts of a plan as one, in their order; equal shapes have one number."""
        import polars as pl

        shapes: dict[PlanLine, int] = {}
        frames = [pl.DataFrame(schema=_schema())]
        for part in parts:
            numbers = pl.Series([shapes.setdefault(shape, len(shapes)) for shape in part.shapes], dtype=pl.UInt32)
            frames.append(part.frame.with_columns(shape=numbers[part.frame["shape"]]))
        return cls(list(shapes), pl.concat(frames, rechunk=True))

    @classmethod
    def read(cls, content: bytes) -> LineColumns:
        """Return what `written` gave. Raises StoreAltered: it is not a page of lines."""
        import polars as pl

        if is_text(content):
            try:
                return cls.of(decoder_of(PlanLine).decode_lines(text_of(content)))
            except (msgspec.MsgspecError, UnicodeError, pl.exceptions.PolarsError):
                raise damaged_lines() from None
        if (body := _body_of(content)) is None:
            raise damaged_lines()
        try:
            kept = msgpack_decoder_of(_Kept).decode(body)
            frame = pl.read_parquet(io.BytesIO(kept.frame))
        except (msgspec.MsgspecError, UnicodeError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            raise damaged_lines() from None
        if frame.schema != _schema() or not _is_whole(frame, len(kept.shapes)):
            raise damaged_lines()
        return cls(kept.shapes, frame)

    def written(self) -> bytes:
        """Return the columns as bytes, the same for the same lines: shapes that no line has are left out, and
        the others are numbered as they come. Raises ValueError: a line lacks its id or its version."""
        import polars as pl

        if self.frame["id"].null_count() or self.frame["etag"].null_count():
            raise ValueError("a line without an id or a version")
        used = self.frame["shape"].unique(maintain_order=True).to_list()
        place = {number: at for at, number in enumerate(used)}
        places = pl.Series([place.get(number, 0) for number in range(len(self.shapes))], dtype=pl.UInt32)
        out = io.BytesIO()
        frame = self.frame.with_columns(shape=places[self.frame["shape"]]).rechunk()
        frame.write_parquet(out, compression="zstd", compression_level=_ZSTD, statistics=False)
        body = msgspec.msgpack.encode(_Kept([self.shapes[number] for number in used], out.getvalue()))
        return _FORM + hashlib.sha256(body).digest() + body

    def slice(self, at: int, length: int) -> LineColumns:
        """Return the lines from a place on."""
        return LineColumns(self.shapes, self.frame.slice(at, length))

    def only(self, wanted: Callable[[PlanLine], bool]) -> LineColumns:
        """Return the lines whose shape is wanted."""
        import polars as pl

        kept = pl.Series([wanted(shape) for shape in self.shapes], dtype=pl.Boolean)
        return LineColumns(self.shapes, self.frame.filter(kept[self.frame["shape"]]))

    def lines(self, places: pl.Series | None = None) -> Iterator[PlanLine]:
        """Yield the lines at these places of the plan, in this order, or all of them."""
        frame = self.frame
        for at in range(0, frame.height if places is None else len(places), AT_ONCE):
            rows = frame.slice(at, AT_ONCE) if places is None else frame[places.slice(at, AT_ONCE)]
            for number, row, end, etag, on in rows.iter_rows():
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


def shape_of(line: PlanLine) -> PlanLine:
    """Return what a line has in common with others."""
    return msgspec.structs.replace(line, id="", etag="", retention_end=None, anchor_on=None)


def _body_of(page: bytes) -> bytes | None:
    """Return a page without its head; None where it is damaged. Parquet that is not whole may end the whole
    process, so nothing of a page is read before its digest is the one that it begins with."""
    body = page[_HEAD:]
    return body if page[:_HEAD] == _FORM + hashlib.sha256(body).digest() else None


@cache
def _schema() -> pl.Schema:
    import polars as pl

    return pl.Schema({"shape": pl.UInt32(), "id": pl.String(), "retention_end": pl.Date(), "etag": pl.String(), "anchor_on": pl.Date()})


def _is_whole(frame: pl.DataFrame, shapes: int) -> bool:
    """Return whether each line has a shape, an id and a version, and days that a calendar has."""
    import polars as pl

    days = pl.all_horizontal(pl.col(name).is_between(date.min, date.max).fill_null(True) for name in ("retention_end", "anchor_on"))
    there = pl.all_horizontal(pl.col(name).is_not_null() for name in ("shape", "id", "etag"))
    return bool(frame.select(((pl.col("shape") < shapes) & there & days).all()).item())


def _days(name: str, days: list[str | None]) -> pl.Series:
    import polars as pl

    return pl.Series(name, days, dtype=pl.String).str.to_date("%Y-%m-%d")
