"""Deletes rows of the platform's own tables, which hold no record of ours, many in one batch. Whoever asks looks again what is left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from connectors.dynamics.batch import Prepared, Request
from connectors.dynamics.directory import KnownTable
from connectors.dynamics.query import guid
from connectors.interface import ChangeResult, ChangeStatus, Forbidden

Send = Callable[[Sequence[Prepared]], list[ChangeResult]]


class Removing:
    """Sends deletes by one account, or several that share the writing."""

    def __init__(self, send: Send, root_path: str) -> None:
        self._send = send
        self._root_path = root_path

    def remove(self, table: KnownTable, rows: Collection[str]) -> set[str]:
        """Delete these rows, each by itself; gives those that the CRM refuses to delete. One that is gone already is none of them.

        Raises:
            Unauthorised: there is no token.
        """
        wanted = sorted(rows)
        deletes = [
            Prepared(row, (Request("DELETE", f"{self._root_path}{table.set_name}({guid(row)})", {"Accept": "application/json"}, b""),))
            for row in wanted
        ]
        try:
            results = self._send(deletes) if deletes else []
        except Forbidden:
            return set(wanted)
        return {result.key for result in results if result.status is ChangeStatus.REFUSED}
