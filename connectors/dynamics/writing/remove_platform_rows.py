"""Deletes rows of the platform's own tables, which hold no record of ours, many in one batch. The caller
checks again what remains."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from connectors.dynamics.http.query import guid
from connectors.dynamics.schema.unmapped_tables import KnownTable
from connectors.dynamics.writing.batch import Prepared, Request
from connectors.interface.changes import ChangeResult, ChangeStatus
from connectors.interface.errors import Forbidden

STUMBLES = 3
Send = Callable[[Sequence[Prepared]], list[ChangeResult]]


class Removing:
    """Sends deletes by one account, or several that share the writing."""

    def __init__(self, send: Send, root_path: str, tries: Callable[[], Iterator[None]]) -> None:
        self._send, self._tries, self._root_path = send, tries, root_path

    def remove(self, table: KnownTable, rows: Collection[str]) -> set[str]:
        """Delete these rows, each by itself, and return those that the CRM refuses to delete. One that is
        already deleted is not among them. Raises Unauthorised: there is no token."""
        wanted = sorted(rows)
        deletes = [
            Prepared(row, (Request("DELETE", f"{self._root_path}{table.set_name}({guid(row)})", {"Accept": "application/json"}, b""),))
            for row in wanted
        ]
        refused: set[str] = set()
        stumbles: Counter[str] = Counter()
        for _ in self._tries():
            try:
                results = self._send(deletes) if deletes else []
            except Forbidden:
                return set(wanted)
            refused |= {result.key for result in results if result.status is ChangeStatus.REFUSED}
            unknown = {result.key for result in results if result.status is ChangeStatus.UNKNOWN}
            stumbles.update(result.key for result in results if result.key in unknown and not result.is_outage)
            # Doing it twice is doing it once. By one row alone the CRM may stumble for ever.
            deletes = [delete for delete in deletes if delete.key in unknown and stumbles[delete.key] < STUMBLES]
            if not deletes:
                break
        return refused
