"""Which tables have rows in long-term retention, or may get some at any moment, and how many there are.

A CRM without such retention costs one question about its tables. In one that has it the flag of each table
decides; only a table that is not enabled now is queried for earlier rows, once. Rows there are counted by
reading their ids, since the store offers no aggregates. Source: the reference, sections 6.4 and 10.2."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connectors.dynamics.residual.bin_and_retention import NAMES, RETAINED, RETENTION_POLICY
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.interface.errors import ReadIncomplete

_AT_ONCE = 8
UNKNOWN_SOURCE = 400  # what a table answers that has no such source


class LongTerm:
    """The long-term retention of one CRM, looked at by one account."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._had: dict[str, bool] = {}  # tables that are not enabled: whether earlier rows are there

    def tables(self, names: Collection[str]) -> set[str]:
        """Return those of these tables of which rows are in long-term retention or may be moved there at any
        moment. Raises ConnectorError: it cannot be determined, which is never an empty answer."""
        if not names or self._directory.table(RETENTION_POLICY) is None:
            return set()
        enabled = self._directory.retaining(names)
        known = self._directory.known(names)
        doubtful = sorted(known.keys() - enabled - self._had.keys())
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="retention") as pool:  # each waits for the network most of the while
            self._had.update(zip(doubtful, pool.map(self._has_any, doubtful), strict=True))
        return {name for name in known if name in enabled or self._had[name]}

    def rows(self, names: Collection[str]) -> dict[str, int]:
        """Return how many rows each of these tables has; tables without are left out. Raises as `tables`."""
        found: dict[str, int] = {}
        for name, table in self._directory.known(sorted(self.tables(names))).items():
            try:
                number = sum(1 for _ in self._directory.rows_in_source(table, RETAINED, (), table.primary_id, None))
            except NotOffered as refusal:
                raise _not_told(name, refusal) from None
            if number:
                found[name] = number
        return found

    def rows_of(self, table: KnownTable, lookup: str, column: str, ids: Collection[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of one table that are there and whose column is one of these ids, with a lookup.
        Raises as `tables`; NotOffered: this account may not look."""
        if self.tables({table.name}):
            yield from self._directory.rows_in_source(table, RETAINED, (lookup,), column, ids)

    def _has_any(self, name: str) -> bool:
        table = self._directory.known([name])[name]
        try:
            return self._directory.has_any(table, RETAINED)
        except NotOffered as refusal:
            if refusal.status == UNKNOWN_SOURCE:
                return False
            raise _not_told(name, refusal) from None


def _not_told(name: str, refusal: NotOffered) -> ReadIncomplete:
    return ReadIncomplete(
        f"{NAMES[RETAINED]} cannot be looked into: {refusal.reason}",
        hint="rows there count in every decision: let the application user read this table there too",
        where=name,
    )
