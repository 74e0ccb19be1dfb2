"""Rows of whole tables from a lake, in the columns in which the CRM gives them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from connectors.dynamics.lake.conditions import Meant, only_of
from connectors.dynamics.lake.current import ANEW, VERSION, CurrentRows
from connectors.dynamics.lake.folder import Folder
from connectors.dynamics.lake.kinds import IDS, OPTIONS, kind_of, typed
from connectors.dynamics.lake.lake import Lake
from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.reading.columns import Columns
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.page_types import LOOKUP_TABLE
from connectors.dynamics.reading.page_values import ID_LENGTH
from connectors.dynamics.reading.tables import FittingTables
from connectors.dynamics.schema.metadata import Link, Metadata, TableDefinition
from connectors.dynamics.schema.role_places import is_key
from connectors.interface.columns import frame_of_values
from connectors.interface.errors import ReadIncomplete
from rules.model.records import Record

_ETAG, _VALUE = "@odata.etag", "_value"
_SLACK: Final = timedelta(hours=1)  # by which a clock may be wrong
_AT_ONCE: Final = 50_000  # rows of one page


class LakeReader:
    """Reads tables from a lake in the sense of one mapping, compared with the CRM's metadata."""

    def __init__(self, lake: Lake, mapping: Mapping, metadata: Metadata, tables: FittingTables) -> None:
        self._lake, self._rows = lake, CurrentRows(Folder(lake.root))
        self._metadata, self._tables = metadata, tables
        self._meant = Meant(mapping, metadata, self._ids_of)

    def pages(self, table: Table, definition: TableDefinition, record: type[Record], fields: Sequence[str]) -> "Iterator[LakePage]":
        """Yield the rows of a kind that a table has, without what is tied to them by tables of pairs. Raises
        ReadIncomplete: the lake lacks the table or a column, or a value cannot be right."""
        decoder: PageDecoder[Any] = self._tables.decoder(table, definition, fields, record)
        place = self._tables.place(table)
        meant = self._meant.of(table, definition, place)
        sources = {name: _source(column, definition) for name, (column, _) in decoder.wire.items() if column != _ETAG}
        asked = {*(source for source, _ in sources.values()), *(meant.meta.root_names() if meant is not None else ())}
        asked -= {name for name in asked if name.endswith(_TYPE) and _target(definition, name)}
        if decoder.has_versions:
            asked.add(VERSION)
        rows = self._rows.of(table.name, definition.primary_id, asked)
        rows = rows.with_columns(
            pl.col(name).str.to_lowercase() for name in rows.columns if name.endswith(_TYPE) and rows.schema[name] == pl.String
        )
        try:
            if meant is not None:
                _check_told(table.name, rows)
                rows = rows.filter(meant)
            if decoder.has_versions and rows[VERSION].null_count():
                raise ReadIncomplete(f"A row of {table.name} in the lake has no version.", hint=ANEW, where=table.name)
            made = {
                name: _versions(decoder) if column == _ETAG else _held(definition, rows, *sources[name], kind).alias(name)
                for name, (column, kind) in decoder.wire.items()
            }
            frame = _frame(rows, made, lambda name: _not_held(table.name, sources[name][0] if name in sources else VERSION))
            for name in decoder.lookups:
                if not frame[name].drop_nulls().str.len_bytes().eq(ID_LENGTH).all():
                    raise _not_held(table.name, sources[name][0])
            for at in range(0, frame.height, _AT_ONCE):
                page = LakePage(frame.slice(at, _AT_ONCE), decoder)
                decoder.fill(page.values)
                yield page
        except (pl.exceptions.PolarsError, ValueError, KeyError):  # a message may quote a value
            raise ReadIncomplete(
                f"The rows of {table.name} in the lake hold what their columns cannot.", hint=ANEW, where=table.name
            ) from None

    def instant(self) -> datetime:
        """Return the newest instant at which the lake took up a row of the tables that were read. Raises
        ReadIncomplete: it is too long ago or still to come, or there is none."""
        newest, now = max(self._rows.newest.values(), default=None), self._lake.clock()
        hours = int(self._lake.longest.total_seconds()) // 3600
        if newest is None:
            raise ReadIncomplete("The lake has no row that says when it was taken up.", where="crm_lake")
        if newest - now > _SLACK:
            raise ReadIncomplete(
                f"The lake is of {newest:%Y-%m-%dT%H:%M:%SZ}, which is still to come.",
                hint="set the clock of this machine, or look at who writes into the lake",
                where="crm_lake",
            )
        if now - newest > self._lake.longest:
            raise ReadIncomplete(
                f"The lake is of {newest:%Y-%m-%dT%H:%M:%SZ}, more than {hours} hours ago: nothing was taken up since.",
                hint="look at the link in Power Apps; or raise crm_lake_hours where nobody works for longer; or unset crm_lake",
                where="crm_lake",
            )
        return newest

    def empty(self) -> Iterator[TableDefinition]:
        """Yield the tables that were read and of which the lake has no row."""
        for name in sorted(self._rows.empty):
            if (definition := self._metadata.table(name)) is not None:
                yield definition

    def quiet(self) -> Iterator[tuple[TableDefinition, str]]:
        """Yield the tables that were read and of which the lake has taken up nothing for as long as it may be
        old, each with the condition that rows meet which it should have taken up since."""
        until = self._lake.clock() - self._lake.longest
        for name, newest in self._rows.newest.items():
            definition = self._metadata.table(name)
            if definition is not None and "modifiedon" in definition.attributes and newest + _SLACK < until:
                since = (newest + _SLACK).astimezone(UTC)
                yield definition, f"modifiedon gt {since:%Y-%m-%dT%H:%M:%SZ} and modifiedon lt {until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def pairs(self, link: Link, near: str, far: str) -> list[tuple[str, str]]:
        """Return the pairs of a table of links, by its two columns of ids. Raises as `pages`."""
        definition = self._metadata.table(link.table)
        if definition is None:
            raise ReadIncomplete(f"The CRM has no table {link.table} of pairs.", where=link.table)
        rows = self._rows.of(link.table, definition.primary_id, (near, far))
        found = rows.select(typed(IDS, name, rows.schema[name]) for name in (near, far))
        if sum(found.null_count().row(0)):
            raise ReadIncomplete(f"A pair of {link.table} in the lake has one side only.", hint=ANEW, where=link.table)
        return found.rows()

    def _ids_of(self, table: Table, definition: TableDefinition) -> pl.Series:
        condition = only_of(table, definition)
        assert condition is not None
        rows = self._rows.of(table.name, definition.primary_id, condition.meta.root_names())
        return rows.filter(condition).select(typed(IDS, definition.primary_id, rows.schema[definition.primary_id])).to_series()


class LakePage:
    """Some rows of a table."""

    def __init__(self, frame: pl.DataFrame, decoder: PageDecoder[Any]) -> None:
        self.values = Columns(frame.height, {}, {column.name: column for column in frame}, decoder.defaults)

    @property
    def ids(self) -> set[str]:
        """The ids of its rows."""
        return set(self.values["id"])

    def __len__(self) -> int:
        return len(self.values)

    def frame(self, record: type[Record], fields: Sequence[str]) -> pl.DataFrame:
        """Return its rows as a frame of the types of `column_types`."""
        return frame_of_values(record, fields, self.values.held)


_TYPE: Final = "_entitytype"


def _source(wire: str, definition: TableDefinition) -> tuple[str, str]:
    """Return the column of a lake for one of the wire, and what it is of; the link writes lookups by their
    plain names, and their tables beside them."""
    name, _, annotation = wire.partition("@")
    if name not in definition.attributes and name.startswith("_") and name.endswith(_VALUE):
        name = name.removeprefix("_").removesuffix(_VALUE)
        return (f"{name}{_TYPE}", "") if annotation == LOOKUP_TABLE else (name, IDS)
    attribute = definition.attributes.get(name)
    if name == definition.primary_id or (attribute is not None and is_key(name, definition) and attribute.kind == "UniqueidentifierType"):
        return name, IDS
    return name, OPTIONS if attribute is not None and attribute.kind == "MultiSelectPicklistType" else ""


def _target(definition: TableDefinition, name: str) -> str:
    """Return the one table to which a lookup may point; empty where there are several."""
    targets = definition.attributes[name.removesuffix(_TYPE)].targets
    return next(iter(targets)) if len(targets) == 1 else ""


def _check_told(table: str, rows: pl.DataFrame) -> None:
    """Raise ReadIncomplete where a lookup does not say to which table it points: its row would be of no kind,
    and left out."""
    for link in (name.removesuffix(_TYPE) for name in rows.columns if name.endswith(_TYPE)):
        if link in rows.columns and (rows[link].is_not_null() & rows[link + _TYPE].is_null()).any():
            raise ReadIncomplete(
                f"A row of {table} in the lake does not say to which table its {link} points.",
                hint=ANEW,
                where=f"{table}.{link}",
            )


def _frame(rows: pl.DataFrame, made: dict[str, pl.Expr], fail: Callable[[str], ReadIncomplete]) -> pl.DataFrame:
    """Return columns made of rows. Raises what `fail` says of the first one that cannot be made."""
    try:
        return rows.select(made.values())
    except pl.exceptions.PolarsError:
        for name, column in made.items():
            try:
                rows.select(column)
            except pl.exceptions.PolarsError:
                raise fail(name) from None
        raise


def _not_held(table: str, column: str) -> ReadIncomplete:
    return ReadIncomplete(f"The lake has a value in {table}.{column} that this column cannot hold.", hint=ANEW, where=f"{table}.{column}")


def _held(definition: TableDefinition, rows: pl.DataFrame, source: str, kind: str, wire: Any) -> pl.Expr:
    if source.endswith(_TYPE) and source not in rows.columns:
        link = source.removesuffix(_TYPE)
        return pl.when(pl.col(link).is_not_null()).then(pl.lit(_target(definition, source)))
    return typed(kind or kind_of(wire), source, rows.schema[source])


def _versions(decoder: PageDecoder[Any]) -> pl.Expr:
    version = pl.format('W/"{}"', pl.col(VERSION).cast(pl.String)) if decoder.has_versions else pl.lit(None, pl.String)
    return version.alias("etag")
