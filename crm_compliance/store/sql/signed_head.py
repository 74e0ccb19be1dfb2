"""What the transactions of the store, and the rows of each noun, ask of the signed head of the ledger
(`heads.py`), which reads those rows itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection

from crm_compliance.store.sql.seals import Seals
from jobs.ledger.heads import Head

if TYPE_CHECKING:
    from jobs.ports.context import Clock
    from jobs.ports.store.ledger import Entry


class SignedHead(Protocol):
    """The head of one database, which each transaction that writes renews. `forgotten`: place and hash of the
    last entry that was remembered when the database was taken as it is."""

    forgotten: tuple[int, str] | None

    def seals(self) -> Seals | None:
        """Return what seals rows; None for a tool that looks at a copy, and believes everything."""

    def recover(self) -> None:
        """Take the database as it is from here on."""

    def known(self) -> tuple[int, str] | None:
        """Return what the witness remembers. Ask before the transaction reads: the witness would seem ahead
        if somebody added entries in between."""

    def current(self, connection: Connection, known: tuple[int, str] | None) -> Head | None:
        """Return the head; None for a ledger without entries, or one from before heads were signed. Raises
        StoreAltered: it is not signed by this installation, not the end of the ledger, or older than what the
        witness knows."""

    def signed_by(self, connection: Connection) -> str:
        """Return the id of the key that a head names, believed or not; empty if there is none."""

    def begin(self) -> None:
        """Begin a transaction: none of it is for the witness yet."""

    def note_journal(self, rows: int, weight: int) -> None:
        """Note by how many rows, and how much weight, this transaction has changed the runs' journal."""

    def check_journal(self, connection: Connection, head: Head | None, *, whole: bool) -> None:
        """Raise StoreAltered unless the journal of the runs has the rows that it had when the head was
        signed, in the same states and the same order; with `whole` each document is looked at too, which else
        is done where one is read."""

    def change_waiting(self, connection: Connection, known: tuple[int, str] | None) -> None:
        """Note that this transaction will change what waits to be counted. What is there must be what was
        signed, or a new seal would cover up the difference."""

    def check_waiting(self, connection: Connection, head: Head | None) -> None:
        """Raise StoreAltered unless what waits to be counted waited when the head was signed (ERA-16)."""

    def erase(self, connection: Connection) -> None:
        """Note that this transaction will add to the register of erasures."""

    def check_erasures(self, connection: Connection, head: Head | None, *, whole: bool) -> None:
        """Raise StoreAltered unless the register of erasures, table and file, has all that it had when the
        head was signed: by the number of its rows, and with `whole` by each of them."""

    def register_end(self, head: Head | None) -> str:
        """Return where the register of erasures beside the database ended by a head; empty where the store is
        taken as it is."""

    def append(self, connection: Connection, entries: Sequence[Entry], run: str | None, clock: Clock) -> None:
        """Add entries to the ledger, and sign the head of then, also where only the journal of a run, or what
        waits to be counted, has changed. Call it last in a transaction: in PostgreSQL others wait for the
        lock until it ends. Raises StoreAltered: the ledger does not end as it was signed. Nothing is added to
        what somebody has changed."""

    def publish(self) -> None:
        """Inform the witness that the transaction is committed to the database."""
