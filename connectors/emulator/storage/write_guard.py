"""What is asked before each write, and answered by the room `security`: may this caller do that, and does a
plug-in or a duplicate object? `If-Match` is checked in operations/if_match.py."""

from typing import Any

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
