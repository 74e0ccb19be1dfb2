"""Transfers in pieces: what a session token or a file continuation token stands for, and the pieces that
arrived so far. Kept with the rows, so that a refused or rolled back request takes its piece along, and a
reset takes all."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage.tables import Tables

CHUNK_BYTES = 4_194_304
LIFETIME_S = 3_600


@dataclass(frozen=True)
class Transfer:
    """One file on its way to or from a column; `total` is None until a chunk has stated it."""

    token: str
    table: str
    row_id: str
    column: str
    name: str
    mimetype: str
    total: int | None


class Uploads:
    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def open(self, table: Table, row_id: str, column: str, name: str, mimetype: str) -> str:
        """Return a new token, valid for an hour of the emulator's clock."""
        now = self.tables.clock.timestamp()
        self.tables.connection.execute("DELETE FROM _blocks WHERE token IN (SELECT token FROM _transfers WHERE expires < ?)", (now,))
        self.tables.connection.execute("DELETE FROM _transfers WHERE expires < ?", (now,))
        token = secrets.token_urlsafe(48)
        self.tables.connection.execute(
            "INSERT INTO _transfers VALUES (?, ?, ?, ?, ?, ?, NULL, ?)",
            (token, table.name, row_id, column, name, mimetype, now + LIFETIME_S),
        )
        return token

    def transfer(self, token: object) -> Transfer:
        """Return what a token stands for. Raises WebApiError: 400 for a token that was never issued, is used
        up or has expired."""
        found = None
        if isinstance(token, str):
            statement = "SELECT token, tab, row_id, col, name, mimetype, total FROM _transfers WHERE token = ? AND expires >= ?"
            found = self.tables.connection.execute(statement, (token, self.tables.clock.timestamp())).fetchone()
        if found is None:
            raise WebApiError(400, INVALID_ARGUMENT, "The session token of the file is invalid or has expired.")
        return Transfer(*found)

    def put(self, transfer: Transfer, block: str, body: bytes) -> None:
        """Keep a block; sent twice, the later one counts. Raises WebApiError: 400 for a block that is too
        large, or an id that is not as long as the others."""
        if len(body) > CHUNK_BYTES:
            raise WebApiError(400, INVALID_ARGUMENT, f"The block is larger than the maximum of {CHUNK_BYTES} bytes.")
        other = self.tables.connection.execute("SELECT block FROM _blocks WHERE token = ? LIMIT 1", (transfer.token,)).fetchone()
        if other is not None and len(other[0]) != len(block):
            raise WebApiError(400, INVALID_ARGUMENT, "The specified block id is invalid: all ids of one file have the same length.")
        self.tables.connection.execute("INSERT OR REPLACE INTO _blocks VALUES (?, ?, ?)", (transfer.token, block, body))

    def append(self, transfer: Transfer, start: int, total: int, body: bytes) -> bool:
        """Keep the chunk that comes next; gives whether it was the last. Raises WebApiError: 400 for a chunk
        that leaves a gap, overlaps, does not agree on the total or is too large."""
        arrived = int(
            self.tables.connection.execute(
                "SELECT coalesce(sum(length(body)), 0) FROM _blocks WHERE token = ?", (transfer.token,)
            ).fetchone()[0]
        )
        if transfer.total is not None and transfer.total != total:
            raise WebApiError(400, INVALID_ARGUMENT, f"The header Content-Range tells a size of {total}, and told {transfer.total} before.")
        if start != arrived:
            raise WebApiError(400, INVALID_ARGUMENT, f"The header Content-Range starts at {start}; the next byte expected is {arrived}.")
        self.put(transfer, f"{start:020d}", body)
        self.tables.connection.execute("UPDATE _transfers SET total = ? WHERE token = ?", (total, transfer.token))
        return start + len(body) == total

    def assembled(self, transfer: Transfer, blocks: Sequence[str] | None = None) -> bytes:
        """Return the blocks joined, in the order given or else in that of their ids; the token is used up.
        Raises WebApiError: 400 for a block that never arrived."""
        kept = dict(
            self.tables.connection.execute("SELECT block, body FROM _blocks WHERE token = ? ORDER BY block", (transfer.token,)).fetchall()
        )
        wanted = list(kept) if blocks is None else blocks
        if missing := [block for block in wanted if block not in kept]:
            raise WebApiError(400, INVALID_ARGUMENT, f"The specified block list is invalid: there is no block '{missing[0][:80]}'.")
        self.tables.connection.execute("DELETE FROM _blocks WHERE token = ?", (transfer.token,))
        self.tables.connection.execute("DELETE FROM _transfers WHERE token = ?", (transfer.token,))
        return b"".join(kept[block] for block in wanted)
