"""Who is notified of every write, inside the write's own transaction: what keeps something of a row besides
the row itself (audit, recycle bin, tombstones), and the rules of some tables. What a listener refuses or
fails at undoes the write."""

from collections.abc import Sequence
from typing import Any, Protocol

from connectors.emulator.schema.environment import Table

Row = dict[str, Any]  # stored column -> stored value


class WriteListener(Protocol):
    """One listener. `user` is the systemuserid of who writes."""

    def wants(self, table: Table) -> bool:
        """Return whether writes to this table concern it: only then old values are looked up."""

    def created(self, table: Table, row_id: str, values: Row, user: str) -> None: ...

    def updated(self, table: Table, row_id: str, before: Row, after: Row, user: str) -> None:
        """Record an update. `after` holds the columns written, `before` the same as they were."""

    def deleted(self, rows: Sequence[tuple[Table, Row]], user: str, *, recoverable: bool) -> None:
        """Record all rows of one delete that it wants, whole, children first; `recoverable` is False where
        the caller declined the recycle bin."""
