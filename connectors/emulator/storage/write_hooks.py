"""What is asked before each write, and answered by the room `security`: may this caller do that, and does a
plug-in or a duplicate object? `If-Match` is checked in operations/if_match.py. And who is notified of every
write, inside its own transaction: what keeps something of a row besides the row itself (audit, recycle bin,
tombstones), and the rules of some tables. What a listener refuses or fails at undoes the write."""

from collections.abc import Sequence
from typing import Any, Protocol

from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.many_to_many import Peers
from connectors.emulator.storage.cascades import Fall

Row = dict[str, Any]  # stored column -> stored value


class Guard:
    """Called before each write, inside its transaction; refuses by raising a `WebApiError`. This one lets
    everything pass."""

    def creating(self, operation: Operation, table: Table, values: Row, asked: Row) -> None:
        """Check a row to be created. `asked` is what the caller gave, `values` adds the platform's own."""

    def updating(self, operation: Operation, table: Table, row_id: str, values: Row) -> None:
        """Check an update; `values` holds the columns about to be written."""

    def deleting(self, operation: Operation, table: Table, row_id: str, fall: Fall) -> None:
        """Check a delete; `fall` is all that the delete takes along, the row itself among them."""

    def pairing(self, operation: Operation, peers: Peers, near_id: str, far_id: str) -> None:
        """Check two rows that are about to be associated, or disassociated."""


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
