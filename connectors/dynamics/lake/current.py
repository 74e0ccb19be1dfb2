"""The rows of a table as a lake has them now: of what was appended again and again the last version of each
row, without what was deleted or has gone into long-term retention."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from connectors.dynamics.lake.csv_files import ends_whole
from connectors.dynamics.lake.folder import Folder, Laid
from connectors.dynamics.lake.kinds import BOOL, INT, SINK, typed
from connectors.interface.errors import ReadIncomplete

VERSION: Final = "versionnumber"
_ID, _DELETED, _SINK, _STATE = "id", "isdelete", "sinkmodifiedon", "msft_datastate"
_RETAINED: Final = 1  # of msft_datastate: the row is in long-term retention, and the CRM has it no more
_MARKS: Final = (_ID, _DELETED, _STATE)
ANEW: Final = "let the link take this table up anew; or unset crm_lake to read it from the CRM"
_COARSER: Final = pl.ScanCastOptions(datetime_cast="nanosecond-downcast")


class CurrentRows:
    """The tables of one lake. `newest` has, of each that was read and has rows, the newest instant at which
    it took one up; `empty` has the names of those without a row that counts."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.newest: dict[str, datetime] = {}
        self.empty: set[str] = set()

    def of(self, table: str, key: str, columns: Collection[str]) -> pl.DataFrame:
        """Return the current rows of a table with these columns, by their names in lower case, as the files
        hold them. `key` is the column of its ids. Raises ReadIncomplete: the table or a column is missing, or
        a file cannot be read."""
        laid = self._folder.table(table)
        wanted = dict.fromkeys([key, _SINK, *columns])
        frames = dict(_frames(table, laid, dict.fromkeys([*wanted, *_MARKS, VERSION])))
        known = {name for frame in frames.values() for name in frame.columns} if laid.columns is None else set(laid.columns)
        if lacking := [name for name in wanted if name not in known]:
            raise ReadIncomplete(
                f"The lake has no column {table}.{lacking[0]}.",
                hint="add it to the link, and wait until it is there; or unset crm_lake to read it from the CRM",
                where=f"{table}.{lacking[0]}",
            )
        try:
            _check_younger(table, frames, [name for name in wanted if name != _SINK])
            rows = pl.concat([pl.DataFrame(schema=dict.fromkeys(wanted, pl.Null)), *frames.values()], how="diagonal_relaxed")
            found = self._current(table, key, rows)
        except pl.exceptions.PolarsError:  # its message may quote a value
            raise ReadIncomplete(f"The rows of {table} in the lake are not as a link lays them down.", hint=ANEW, where=table) from None
        (self.empty.discard if found.height else self.empty.add)(table)
        return found

    def _current(self, table: str, key: str, rows: pl.DataFrame) -> pl.DataFrame:
        sunk = _sunk(rows)
        newest = sunk.max()
        if isinstance(newest, datetime):
            self.newest[table] = newest
        elif rows.height:  # whether the link has stopped for this table is told by nothing else
            raise ReadIncomplete(f"No row of {table} in the lake says when it was taken up.", hint=ANEW, where=table)
        ids = pl.coalesce(name for name in (_ID, key) if name in rows.columns)
        is_deleted = typed(BOOL, _DELETED, rows.schema[_DELETED]).fill_null(False) if _DELETED in rows.columns else pl.lit(False)
        version = typed(INT, VERSION, rows.schema[VERSION]) if VERSION in rows.columns else pl.lit(None, pl.Int64)
        key_of = ids.cast(pl.String).str.strip_chars("{}").str.to_lowercase()
        marks = rows.select(id=key_of, is_deleted=is_deleted, version=version).with_columns(sunk.alias("sunk"))
        if marks["id"].null_count():
            raise ReadIncomplete(f"A row of {table} in the lake has no id.", hint=ANEW, where=table)
        if marks["id"].is_duplicated().any():
            # A row that was deleted stands there with nothing but its id: its version may be lacking too, and
            # is the last one that was taken up until then.
            last = pl.coalesce("version", pl.when("is_deleted").then(pl.col("version").cum_max().forward_fill().over("id")))
            order = marks.with_row_index("at").sort("sunk", "is_deleted", "at", nulls_last=True).with_columns(last.alias("version"))
            at = order.sort("version", "is_deleted", "sunk", "at", nulls_last=False).unique("id", keep="last")["at"].sort()
            rows, marks = rows[at], marks[at]
        is_kept = ~marks["is_deleted"]
        if _STATE in rows.columns:
            is_kept &= (rows.select(typed(INT, _STATE, rows.schema[_STATE])).to_series() != _RETAINED).fill_null(True)
        return rows.filter(is_kept)


def _sunk(rows: pl.DataFrame) -> pl.Series:
    return rows.select(typed(SINK, _SINK, rows.schema[_SINK])).to_series()


def _check_younger(table: str, frames: Mapping[Path, pl.DataFrame], wanted: Iterable[str]) -> None:
    """Raise ReadIncomplete where a file lacks a column that older ones have: what would be read as empty has
    been left out, or has another name there."""
    newest = {path: _sunk(frame).max() for path, frame in frames.items() if _SINK in frame.columns and frame.height}
    for name in wanted:
        last: Any = max((at for path, at in newest.items() if name in frames[path].columns and at is not None), default=None)
        for path, at in newest.items():
            if last is not None and at is not None and at > last and name not in frames[path].columns:
                raise ReadIncomplete(
                    f"The file {path.name} of {table} in the lake lacks the column {name}, which older ones have.",
                    hint=ANEW,
                    where=f"{table}.{name}",
                )


def _frames(table: str, laid: Laid, names: Collection[str]) -> Iterator[tuple[Path, pl.DataFrame]]:
    """Yield of each file those of these columns that it has, by their names in lower case: one that the table
    has and a file has not, since it is younger, is empty there. Raises ReadIncomplete: a file was written
    meanwhile, or breaks off in its last row."""
    before = _written(table, laid.files)
    read = _of_csv if laid.form == "csv" else _of_parquet
    for path, (size, _) in before.items():
        if size or laid.form != "csv":
            try:
                yield path, read(path, laid, names)
            except (pl.exceptions.PolarsError, OSError):
                raise _unreadable(table, path) from None
    for path, seen in _written(table, laid.files).items():
        if seen != before[path]:
            raise _unreadable(table, path)


def _of_csv(path: Path, laid: Laid, names: Collection[str]) -> pl.DataFrame:
    inside = list((laid.columns or {}).values())
    if not ends_whole(path, len(inside)):
        raise OSError
    # The CRM has no empty text, quoted or not.
    columns = {name: pl.col(each).replace({"": None}) for name, each in _of(laid, names, inside)}
    scan = pl.scan_csv(path, has_header=False, schema=dict.fromkeys(inside, pl.String), missing_columns="insert")
    return _taken(scan, columns)


def _of_parquet(path: Path, laid: Laid, names: Collection[str]) -> pl.DataFrame:
    kinds = dict(pl.scan_parquet(path, hive_partitioning=False).collect_schema())
    # Nanoseconds, as which Spark's own form of an instant is read (INT96), end in 2262: what is later would
    # be that.
    schema = {
        name: pl.Datetime("us", kind.time_zone) if isinstance(kind, pl.Datetime) and kind.time_unit == "ns" else kind
        for name, kind in kinds.items()
    }
    scan = pl.scan_parquet(path, hive_partitioning=False, schema=schema, cast_options=_COARSER)
    return _taken(scan, {name: pl.col(each) for name, each in _of(laid, names, schema)})


def _of(laid: Laid, names: Iterable[str], inside: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the columns that a file has, each with its name there, which may differ from that in a log or a
    model by capitals."""
    held = {name.lower(): name for name in inside}
    known = laid.columns if laid.columns is not None else held
    return ((name, held[known[name].lower()]) for name in names if name in known and known[name].lower() in held)


def _taken(scan: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.DataFrame:
    return scan.select(column.alias(name) for name, column in columns.items()).collect()


def _written(table: str, files: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Return how long each file is, and when it was written."""
    found: dict[Path, tuple[int, int]] = {}
    for path in files:
        try:
            stat = path.stat()
        except OSError:
            raise _unreadable(table, path) from None
        found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def _unreadable(table: str, path: Path) -> ReadIncomplete:
    return ReadIncomplete(
        f"The file {path.name} of {table} in the lake cannot be read.",
        hint="try again: it may be being written; or unset crm_lake to read the table from the CRM",
        where=table,
    )
