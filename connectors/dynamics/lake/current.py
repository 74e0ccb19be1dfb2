"""The rows of a table as a lake has them now: of what was appended again and again the last version of each
row, without what was deleted or has gone into long-term retention."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from connectors.dynamics.lake.csv_files import ends_whole
from connectors.dynamics.lake.folder import Folder, Laid
from connectors.dynamics.lake.kinds import BOOL, INT, SINK, typed
from connectors.interface.errors import ReadIncomplete

VERSION: Final = "versionnumber"
_ID, _DELETED, _SINK, _STATE = "id", "isdelete", "sinkmodifiedon", "msft_datastate"
_RETAINED: Final = 1  # of msft_datastate: the row is in long-term retention, and the CRM has it no more
_LAST: Final = 2**63 - 1
_MARKS: Final = (_ID, _DELETED, _STATE)
_COARSER: Final = pl.ScanCastOptions(datetime_cast="nanosecond-downcast")


class CurrentRows:
    """The tables of one lake; `newest` has, of each that was read and has rows, the newest instant at which
    it took one up."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.newest: dict[str, datetime] = {}

    def of(self, table: str, key: str, columns: Collection[str]) -> pl.DataFrame:
        """Return the current rows of a table with these columns, by their names in lower case, as the files
        hold them. `key` is the column of its ids. Raises ReadIncomplete: the table or a column is missing, or
        a file cannot be read."""
        laid = self._folder.table(table)
        wanted = dict.fromkeys([key, _SINK, *columns])
        try:
            frames = list(_frames(laid, dict.fromkeys([*wanted, *_MARKS, VERSION])))
        except (pl.exceptions.PolarsError, OSError):
            raise ReadIncomplete(
                f"A file of {table} in the lake cannot be read.", hint="try again: it may be being written", where=table
            ) from None
        known = {name for frame in frames for name in frame.columns} if laid.columns is None else set(laid.columns)
        if lacking := [name for name in wanted if name not in known]:
            raise ReadIncomplete(
                f"The lake has no column {table}.{lacking[0]}.",
                hint="add it to the link, and wait until it is there; or unset crm_lake to read it from the CRM",
                where=f"{table}.{lacking[0]}",
            )
        try:
            rows = pl.concat([pl.DataFrame(schema=dict.fromkeys(wanted, pl.Null)), *frames], how="diagonal_relaxed")
            return self._current(table, key, rows)
        except pl.exceptions.PolarsError:  # its message may quote a value
            raise ReadIncomplete(f"The rows of {table} in the lake are not as a link lays them down.", where=table) from None

    def _current(self, table: str, key: str, rows: pl.DataFrame) -> pl.DataFrame:
        sunk = rows.select(typed(SINK, _SINK, rows.schema[_SINK])).to_series()
        newest = sunk.max()
        if isinstance(newest, datetime):
            self.newest[table] = newest
        ids = pl.coalesce(name for name in (_ID, key) if name in rows.columns)
        is_deleted = typed(BOOL, _DELETED, rows.schema[_DELETED]).fill_null(False) if _DELETED in rows.columns else pl.lit(False)
        version = typed(INT, VERSION, rows.schema[VERSION]) if VERSION in rows.columns else pl.lit(None, pl.Int64)
        key_of = ids.cast(pl.String).str.strip_chars("{}").str.to_lowercase()
        marks = rows.select(id=key_of, is_deleted=is_deleted, version=version).with_columns(sunk.alias("sunk"))
        if marks["id"].null_count():
            raise ReadIncomplete(f"A row of {table} in the lake has no id.", where=table)
        if marks["id"].is_duplicated().any():
            # A row that was deleted stands there with nothing but its id: its version may be lacking too.
            last = pl.when(pl.col("is_deleted")).then(pl.col("version").fill_null(_LAST)).otherwise("version").alias("version")
            order = marks.with_row_index("at").with_columns(last).sort("version", "sunk", "at", nulls_last=False)
            at = order.unique("id", keep="last")["at"].sort()
            rows, marks = rows[at], marks[at]
        is_kept = ~marks["is_deleted"]
        if _STATE in rows.columns:
            is_kept &= (rows.select(typed(INT, _STATE, rows.schema[_STATE])).to_series() != _RETAINED).fill_null(True)
        return rows.filter(is_kept)


def _frames(laid: Laid, names: Iterable[str]) -> Iterator[pl.DataFrame]:
    """Yield those of these columns that the files have, by their names in lower case: one that the table has
    and a file has not, since it is younger, is empty there. Raises OSError: a file was written meanwhile,
    or breaks off in its last row."""
    before = _written(laid.files)
    if laid.form == "csv" and (filled := [path for path, (size, _) in before.items() if size]):
        inside = list((laid.columns or {}).values())
        if not all(ends_whole(path, len(inside)) for path in filled):
            raise OSError
        # The CRM has no empty text, quoted or not.
        columns = {name: pl.col(each).replace({"": None}) for name, each in _of(laid, names, inside)}
        yield _taken(pl.scan_csv(filled, has_header=False, schema=dict.fromkeys(inside, pl.String), missing_columns="insert"), columns)
    if laid.form == "parquet":
        for path in laid.files:
            kinds = dict(pl.scan_parquet(path, hive_partitioning=False).collect_schema())
            # Nanoseconds, as which Spark's own form of an instant is read (INT96), end in 2262: what is later
            # would be that.
            schema = {
                name: pl.Datetime("us", kind.time_zone) if isinstance(kind, pl.Datetime) and kind.time_unit == "ns" else kind
                for name, kind in kinds.items()
            }
            scan = pl.scan_parquet(path, hive_partitioning=False, schema=schema, cast_options=_COARSER)
            yield _taken(scan, {name: pl.col(each) for name, each in _of(laid, names, schema)})
    if _written(laid.files) != before:
        raise OSError


def _of(laid: Laid, names: Iterable[str], inside: Collection[str]) -> Iterator[tuple[str, str]]:
    known = laid.columns if laid.columns is not None else {name.lower(): name for name in inside}
    return ((name, known[name]) for name in names if known.get(name) in inside)


def _taken(scan: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.DataFrame:
    return scan.select(column.alias(name) for name, column in columns.items()).collect()


def _written(files: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Return how long each file is, and when it was written."""
    found = ((path, path.stat()) for path in files)
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found}
