"""Rows of mapped tables that are in the recycle bin or in long-term retention, read as records. Source: the
reference, sections 6.4 and 11.4; EXP-03."""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.reading.decoder import PageBroken, PageDecoder
from connectors.dynamics.reading.page_types import LOOKUP_TABLE
from connectors.dynamics.residual.bin_and_retention import BIN, NAMES, REFERENCE, RETAINED, RETENTION_POLICY
from connectors.dynamics.schema.conditions import columns_of, meets
from connectors.dynamics.schema.metadata import TableDefinition, column_queried
from connectors.dynamics.schema.unmapped_tables import IDS_OF_A_FETCH, Directory, KnownTable, NotOffered
from connectors.interface.errors import ReadIncomplete, warn_once
from connectors.interface.remains import BinnedOrRetained, Reach, ResidualKind
from rules.model.records import Record

SOURCES = {ResidualKind.BIN: BIN, ResidualKind.RETAINED: RETAINED}


class BinnedOrRetainedRows:
    """Reads them in one CRM, by one account."""

    def __init__(self, directory: Directory, warnings: list[str]) -> None:
        self._directory, self._warnings = directory, warnings

    def read(
        self,
        residual: ResidualKind,
        table: KnownTable,
        decoder: PageDecoder[Any],
        column: str,
        ids: Collection[str] | None,
        mapped: tuple[Table, TableDefinition],
    ) -> BinnedOrRetained:
        """Return the rows whose column is one of these ids, or all (None), as far as they are of the kind
        that is `mapped`. Raises as `Connector.binned_or_retained`."""
        source = SOURCES[residual]
        if not self._is_kept(residual):
            return BinnedOrRetained(Reach.NOT_KEPT)
        attributes = [column_queried(name) for name in (*decoder.select, *columns_of(*mapped))]
        try:
            rows = [row for row in self._rows(table, source, attributes, column, ids) if meets(*mapped, row)]
        except NotOffered as refusal:
            warn_once(self._warnings, f"{NAMES[source]} cannot be looked into: {refusal.reason}")
            return BinnedOrRetained(Reach.NOT_REACHABLE)
        return BinnedOrRetained(Reach.READ, tuple(_decoded(rows, decoder, table.name)))

    def has_any(self, residual: ResidualKind, table: KnownTable) -> bool:
        """Return whether any row of a table is there. Raises NotOffered: that is not told."""
        return self._is_kept(residual) and self._directory.has_any(table, SOURCES[residual])

    def _is_kept(self, residual: ResidualKind) -> bool:
        return self._directory.table(REFERENCE if residual is ResidualKind.BIN else RETENTION_POLICY) is not None

    def _rows(
        self, table: KnownTable, source: str, attributes: Collection[str], column: str, ids: Collection[str] | None
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows. Whether they may be looked into is told by the same question for all, of few ids or
        of many: for someone about whom nothing may be said it must be what it is for nobody (SUS-04)."""
        wanted = None if ids is None else sorted(ids)
        some, others = (wanted, []) if wanted is None else (wanted[:IDS_OF_A_FETCH], wanted[IDS_OF_A_FETCH:])
        found = False
        for row in self._directory.rows_in_source(table, source, attributes, column, some):
            found = True
            yield row
        if others and (found or self._may_have_any(table, source)):
            yield from self._directory.rows_in_source(table, source, attributes, column, others)

    def _may_have_any(self, table: KnownTable, source: str) -> bool:
        try:
            return self._directory.has_any(table, source)
        except NotOffered:
            return True  # they are asked for all the same


def _decoded(rows: list[dict[str, Any]], decoder: PageDecoder[Any], where: str) -> Iterator[Record]:
    """Yield the records of a FetchXML page, which may leave out empty columns and versions."""
    whole = [{"@odata.etag": "", **dict.fromkeys(decoder.select), **row} for row in rows]
    for row in whole:
        for name in [name for name in decoder.select if row[name] is not None and name.startswith("_") and name.endswith("_value")]:
            row.setdefault(f"{name}@{LOOKUP_TABLE}", "")  # of no table that we know
    try:
        yield from decoder.decode(msgspec.json.encode({"value": whole}), versioned=False).rows
    except PageBroken:
        raise ReadIncomplete("Rows that lie elsewhere are not readable.", where=where) from None
