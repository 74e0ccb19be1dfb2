"""Transactions of the store: what is written and the ledger entries about it are there whole, with the signed
head, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection, Select

from crm_compliance.store.rows import leases
from crm_compliance.store.sql.database import Database
from crm_compliance.store.sql.documents import decoded

if TYPE_CHECKING:
    from crm_compliance.store.sql.signed_head import SignedHead
    from jobs.ledger.heads import Head
    from jobs.ports.context import Clock
    from jobs.ports.store.ledger import Entry

T = TypeVar("T")


class Writer(Protocol):
    """Whoever gives a transaction that writes: a database, or a lease on it."""

    def writing(self) -> AbstractContextManager[Connection]: ...


class _State(threading.local):
    """The transaction in which a thread reads everything, and the head in it; None: each read has its own."""

    seen: tuple[Connection, Head | None] | None = None


class Transactions:
    """The transactions of one database. `lease` is that of the runner, while this process holds it; `clock`
    dates the ledger entries."""

    def __init__(self, database: Database, heads: SignedHead, clock: Clock) -> None:
        self.database, self.heads, self.clock = database, heads, clock
        self.lease: Writer | None = None
        self._state = _State()

    def reading(self) -> AbstractContextManager[Connection]:
        """Yield one transaction that sees one state and writes nothing."""
        return self.database.reading() if self._state.seen is None else nullcontext(self._state.seen[0])

    @contextmanager
    def reading_head(self) -> Iterator[tuple[Connection, Head | None]]:
        """Open a connection that reads, with the signed head of the ledger. Raises StoreAltered: as
        `SignedHead.current`."""
        if self._state.seen is not None:
            yield self._state.seen
            return
        known = self.heads.known()
        with self.reading() as connection:
            yield connection, self.heads.current(connection, known)

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """Let all that this thread reads meanwhile be one transaction, whose head was held against the end of
        the ledger. Raises StoreAltered: as `SignedHead.current`."""
        if self._state.seen is not None:
            yield
            return
        with self.reading_head() as seen:
            self._state.seen = seen
            try:
                yield
            finally:
                self._state.seen = None

    def all(self, query: Select[Any], kind: type[T], what: str, **where: object) -> list[T]:
        """Return the documents that a query finds; `what` names one of them in an error, `where` gives the
        query its values."""
        with self.reading() as connection:
            return [decoded(doc, kind, what) for doc in connection.execute(query, where).scalars()]

    def one(self, query: Select[Any], kind: type[T], what: str, **where: object) -> T | None:
        """Return the document that a query finds, None where it finds none."""
        with self.reading() as connection:
            doc = connection.execute(query, where).scalar()
        return None if doc is None else decoded(doc, kind, what)

    def writing(self, entries: Sequence[Entry] = (), run: str | None = None) -> AbstractContextManager[Connection]:
        """Open one transaction, which is committed whole or not at all. At its end the ledger gets the
        `entries`, to which the block may have added some."""
        return self._writing(self.database, entries, run)

    @contextmanager
    def writing_run(self, entries: Sequence[Entry], run: str | None = None) -> Iterator[Connection]:
        """Yield the transaction of anything that a run writes: only the holder of the lease has one."""
        lease = self.lease
        with self._writing(lease or self.database, entries, run) as connection:
            if lease is None:
                leases.refuse_beside_another(connection)
            yield connection

    @contextmanager
    def _writing(self, writer: Writer, entries: Sequence[Entry], run: str | None) -> Iterator[Connection]:
        """Open the transaction. What it has added to the ledger is made known to the witness once it is there
        for good."""
        self.heads.begin()
        with writer.writing() as connection:
            yield connection
            self.heads.append(connection, entries, run, self.clock)
        self.heads.publish()


class Rows:
    """The rows of one noun. Each method is one transaction."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
