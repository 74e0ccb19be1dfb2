"""The ledger in the database: entries join the chain under a lock, in their transaction (ACC-06)."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import msgspec
import rfc8785
from sqlalchemy import Connection, Row, bindparam, exists, insert, select

from crm_compliance.store.rows.transactions import Rows, Transactions
from crm_compliance.store.sql.database import lock_ledger
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import upsert_into
from crm_compliance.store.sql.seals import is_sealed, seal
from crm_compliance.store.sql.tables import checkpoints, ledger, runs, verification
from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
from jobs.ledger.entries import FIRST, Chain, End, LedgerBroken, LedgerEntry, canonical, next_entry
from jobs.ledger.heads import STRANDS, Head, believed
from jobs.model.last_verification import Verification
from jobs.ports.store.ledger import Entry
from rules.decoders import decoder_of
from rules.errors import ComplianceError

PAGE = 1000
COLUMNS = (ledger.c.seq, ledger.c.at, ledger.c.kind, ledger.c.run, ledger.c.data, ledger.c.prev_hash, ledger.c.hash)
# Built once: every command reads strands, and every transaction that writes the end.
_LAST = select(*COLUMNS).order_by(ledger.c.seq.desc()).limit(1)
_FIRST = select(*COLUMNS).order_by(ledger.c.seq).limit(bindparam("number"))
_AFTER = _FIRST.where(ledger.c.seq > bindparam("after"))
_OF_KINDS = select(*COLUMNS).where(ledger.c.kind.in_(bindparam("kinds", expanding=True))).order_by(ledger.c.seq)
_ADD = insert(ledger)


class Ledger(Rows):
    """What `jobs.ports.store.ledger.LedgerStore` asks, and more for the keeper of database and keys."""

    def __init__(self, transactions: Transactions) -> None:
        super().__init__(transactions)
        self._heads = transactions.heads
        self._strands: dict[str, tuple[str, tuple[LedgerEntry, ...]]] = {}  # as they were believed, with the digest of then

    def entries(self, after: int | None = None) -> Iterator[LedgerEntry]:
        """Yield all entries after `after`, oldest first, page by page; those added meanwhile included."""
        while True:
            with self._transactions.reading() as connection:
                page = read(connection, after)
            if not page:
                return
            yield from page
            after = page[-1].seq

    def between(self, kinds: Collection[str], begin: datetime, end: datetime) -> list[LedgerEntry]:
        """Return the entries of these kinds from one instant to another. Instants are written alike, in UTC,
        so that they are in order as texts."""
        first, last = (each.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") for each in (begin, end))
        query = select(*COLUMNS).where(ledger.c.kind.in_(sorted(kinds)), ledger.c.at >= first, ledger.c.at < last)
        with self._transactions.reading() as connection:
            return [_entry(row) for row in connection.execute(query.order_by(ledger.c.seq))]

    def append(self, entries: Sequence[Entry], run: str | None = None) -> None:
        with self._transactions.writing(entries, run):
            pass

    def strand(self, name: str) -> tuple[LedgerEntry, ...]:
        """Return the entries of a strand, compared with the signed head and read again only when there are
        new entries."""
        with self._transactions.reading_head() as (connection, head):
            digest = head.strands.get(name, FIRST) if head is not None else ""
            known, found = self._strands.get(name, ("", ()))
            if not digest or known != digest:
                found = tuple(of_kinds(connection, STRANDS[name]))
                if head is not None:
                    believed(name, found, head)
                    self._strands[name] = (digest, found)
        return found

    def one_state(self) -> AbstractContextManager[None]:
        return self._transactions.one_state()

    def head(self) -> Head | None:
        with self._transactions.reading_head() as (_, head):
            return head

    @property
    def signed_by(self) -> str:
        """The id of the key that signed the head of the ledger, empty where there is none or it cannot be
        read; nothing is believed."""
        with self._transactions.reading() as connection:
            return self._heads.signed_by(connection)

    def strand_as_it_is(self, name: str) -> list[LedgerEntry]:
        """Return the entries of one strand unverified: what is needed to open the keys."""
        with self._transactions.reading() as connection:
            return of_kinds(connection, STRANDS[name])

    @property
    def is_empty(self) -> bool:
        """Whether the ledger has no entry: nothing was ever done with this database."""
        with self._transactions.reading() as connection:
            return not read(connection, None, limit=1)

    def now(self) -> datetime:
        """Return the time of the clock that dates the entries."""
        return self._transactions.clock()

    def take_as_it_is(self) -> None:
        """Believe the database as it is from here on, although it was lost or put back to an older day. A
        person has decided so."""
        self._heads.recover()

    @property
    def forgotten(self) -> tuple[int, str] | None:
        """Place and hash of the last entry that was remembered when the database was taken as it is."""
        return self._heads.forgotten


def last(connection: Connection) -> LedgerEntry | None:
    """Return the last entry, None for an empty ledger."""
    row = connection.execute(_LAST).first()
    return _entry(row) if row else None


def insert_entries(
    connection: Connection, before: LedgerEntry | End | None, entries: Sequence[Entry], run: str | None, at: str
) -> list[LedgerEntry]:
    """Add entries behind the last one, and give them as they stand."""
    added: list[LedgerEntry] = []
    for kind, data in entries:
        added.append(next_entry(added[-1] if added else before, at=at, kind=kind, run=run, data=data))
    if added:
        connection.execute(_ADD, [msgspec.structs.asdict(entry) | {"data": canonical(entry.data).decode()} for entry in added])
    return added


def unsigned(connection: Connection) -> list[LedgerEntry]:
    """Return the entries from before heads were signed, once, when the first head is signed."""
    entries: list[LedgerEntry] = []
    chain = Chain()
    while page := read(connection, entries[-1].seq if entries else None):
        if not all(chain.add(entry) for entry in page):
            raise LedgerBroken(f"ledger entry {chain.first_broken} does not follow from the one before it", hint="tell the DPO")
        entries += page
    return entries


def of_kinds(connection: Connection, kinds: Collection[str]) -> list[LedgerEntry]:
    """Return all entries of these kinds, oldest first."""
    return [_entry(row) for row in connection.execute(_OF_KINDS, {"kinds": sorted(kinds)})]


def of_no_run(connection: Connection, kinds: Collection[str], before: int | None, limit: int) -> list[LedgerEntry]:
    """Return the last entries of these kinds before a place in the chain, newest first, that belong to a job
    without a plan."""
    query = select(*COLUMNS).where(ledger.c.kind.in_(sorted(kinds)), ledger.c.run.is_not(None), ~exists().where(runs.c.id == ledger.c.run))
    query = query.order_by(ledger.c.seq.desc()).limit(limit)
    return [_entry(row) for row in connection.execute(query if before is None else query.where(ledger.c.seq < before))]


def of_no_run_after(connection: Connection, kinds: Collection[str], after: int) -> list[LedgerEntry]:
    """Return the entries of these kinds after a place in the chain, oldest first, that belong to a job
    without a plan."""
    query = select(*COLUMNS).where(ledger.c.kind.in_(sorted(kinds)), ledger.c.run.is_not(None), ~exists().where(runs.c.id == ledger.c.run))
    return [_entry(row) for row in connection.execute(query.where(ledger.c.seq > after).order_by(ledger.c.seq))]


def ends_of(connection: Connection, kind: str, begun: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Return the entries of a kind that tell how these jobs ended; `begun` comes newest first."""
    if not begun:
        return []
    query = select(*COLUMNS).where(ledger.c.kind == kind, ledger.c.seq > begun[-1].seq, ledger.c.run.in_([entry.run for entry in begun]))
    return [_entry(row) for row in connection.execute(query.order_by(ledger.c.seq))]


def read(connection: Connection, after: int | None, limit: int = PAGE) -> list[LedgerEntry]:
    """Return the next entries after `after`, oldest first (None: from the very first row)."""
    query, where = (_FIRST, {"number": limit}) if after is None else (_AFTER, {"number": limit, "after": after})
    return [_entry(row) for row in connection.execute(query, where)]


def _entry(row: Row[Any, Any, Any, Any, Any, Any, Any]) -> LedgerEntry:
    seq, at, kind, run, text, prev_hash, own_hash = row
    return LedgerEntry(seq, at, kind, run, _data(text), prev_hash, own_hash)


def _data(text: str | bytes) -> dict[str, object]:
    """Return the data of an entry. Text that is no longer what was written becomes data that cannot fit the
    hash, so that verification names the entry instead of failing on it (R-141)."""
    raw = text.encode(errors="replace") if isinstance(text, str) else bytes(text)
    try:
        data = decoder_of(dict[str, object]).decode(raw)
        if canonical(data) == raw:
            return data
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        pass
    return {"unreadable": hashlib.sha256(raw).hexdigest()}


LAST = select(checkpoints.c.doc).order_by(checkpoints.c.entries.desc()).limit(1)


class Checkpoints(Rows):
    """What `jobs.ports.store.ledger.CheckpointStore` asks."""

    def last(self) -> KeptCheckpoint | None:
        return self._transactions.one(LAST, KeptCheckpoint, "the last checkpoint")

    def all(self) -> list[Checkpoint]:
        with self._transactions.reading() as connection:
            rows = connection.execute(select(checkpoints.c.entries, checkpoints.c.doc).order_by(checkpoints.c.entries))
            return [decoded(doc, KeptCheckpoint, f"the checkpoint over {entries} entries").checkpoint for entries, doc in rows]

    def add(self, kept: KeptCheckpoint) -> bool:
        """Add a checkpoint, unless another was added first: two programs may sign at the same moment. Both
        theirs behind the same one would be a chain that never verifies again."""
        with self._transactions.writing() as connection:
            lock_ledger(connection)
            doc = connection.execute(LAST).scalar()
            last = FIRST if doc is None else decoded(doc, KeptCheckpoint, "the last checkpoint").checkpoint.digest
            if kept.checkpoint.prev != last:
                return False
            connection.execute(insert(checkpoints), {"entries": kept.checkpoint.entries, "doc": msgspec.json.encode(kept).decode()})
        return True


# Of a verification no ledger entry is made, since a ledger that is broken takes none; a seal shows that it is
# ours.
ONLY = 1  # the table has one row
PURPOSE = "verification"


class Verifications(Rows):
    """What `jobs.ports.store.ledger.VerificationStore` asks."""

    def last(self) -> Verification | None:
        with self._transactions.reading() as connection:
            row = connection.execute(select(verification.c.doc, verification.c.seal)).first()
        if row is None:
            return None
        try:
            seals = self._transactions.heads.seals()
            is_ours = seals is None or is_sealed(seals, PURPOSE, row.doc.encode(), row.seal)
            return decoder_of(Verification).decode(row.doc) if is_ours else None
        except (ComplianceError, msgspec.MsgspecError, UnicodeError):  # the keys are out of reach, or somebody has written there
            return None

    def note(self, found: Verification) -> None:
        doc, seals = msgspec.json.encode(found).decode(), self._transactions.heads.seals()
        row = {"only": ONLY, "doc": doc, "seal": seal(seals, PURPOSE, doc.encode()) if seals is not None else None}
        with self._transactions.database.writing() as connection:
            connection.execute(upsert_into(connection, verification), row)
