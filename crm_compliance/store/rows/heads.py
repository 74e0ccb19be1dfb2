"""The signed head of the ledger in the database. Each transaction that adds entries renews it; it is believed
only with its signature. What is in the database can be put back to an older day as a whole, signature
included. So a witness outside knows the last head too."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec
from sqlalchemy import Connection, select, true

from crm_compliance.store.rows import erasures, journal, statistics
from crm_compliance.store.rows import ledger as ledger_rows
from crm_compliance.store.sql.database import lock_ledger
from crm_compliance.store.sql.inserts import upsert_into
from crm_compliance.store.sql.seals import Seals
from crm_compliance.store.sql.signed_head import SignedHead
from crm_compliance.store.sql.tables import ledger, ledger_head
from jobs.ledger.entries import End, LedgerEntry, StoreAltered
from jobs.ledger.heads import Head, JournalCounts, RegisterCounts, altered, strands_after
from rules.dates.instants import instant
from rules.decoders import decoder_of
from rules.errors import UsageError
from rules.hints import hint_to

if TYPE_CHECKING:
    from jobs.ports.context import Clock
    from jobs.ports.store.ledger import Entry

ONLY = 1  # the table has one row
_SIGNED = select(ledger_head.c.doc)  # built once: each transaction that writes asks for these
_END = select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1).subquery()
_BOTH = select(_SIGNED.scalar_subquery().label("doc"), _END.c.seq, _END.c.hash).select_from(
    select(true().label("one")).subquery().outerjoin(_END, true())
)


class HeadMissing(StoreAltered):
    """There is a ledger, and what is remembered of its last end was removed: its signed head, or the file
    beside the keys, or both."""

    code = "head_missing"


class Witness(Protocol):
    """Signs heads, and remembers the last one where the database is not."""

    def sign(self, head: Head) -> Head: ...

    def check(self, head: Head) -> None:
        """Check the signature. Raises StoreAltered if it was not made with a key of this installation."""

    def seals(self) -> Seals:
        """Return what seals rows, with the keys as they are now."""

    def known(self) -> tuple[int, str] | None:
        """Place and hash of the last entry as far as is remembered, None before the first; it may lag behind,
        never be ahead."""

    def expect(self) -> None:
        """Make ready to remember the first head, before it is in the database: from then on, nothing
        remembered means that it was removed. Until it is noted, the place that is known is 0."""

    def register_end(self) -> str:
        """Return the length of the register of erasures beside the database, and any last line."""

    def check_register(self, end: str) -> None:
        """Check that register. Raises StoreAltered unless it still has all that it had when it ended
        there."""

    def note(self, head: Head, *, older: bool = False) -> None:
        """Remember a head that is in the database for good; an `older` one takes the place of a newer one."""


class Heads(SignedHead):
    """What `signed_head.SignedHead` asks. Without a witness nothing is signed and everything is believed: for
    tools that look at a copy."""

    def __init__(self, witness: Witness | None) -> None:
        self._witness = witness
        self._open = threading.local()
        self._believed = ""  # the head in the form in which it was last signed or checked here
        self.forgotten: tuple[int, str] | None = None
        self._is_recounted = False  # a head of this process is in the database: its counts of the journal are ours
        self.is_recovering = False  # a person has said that the database was lost, or restored from a backup: what there is is taken

    @property
    def is_signed(self) -> bool:
        return self._witness is not None

    def seals(self) -> Seals | None:
        return self._witness.seals() if self._witness is not None else None

    def recover(self) -> None:
        if self._witness is not None:
            with suppress(UsageError):  # what remembers it is damaged too
                self.forgotten = self._witness.known()
        self.is_recovering = True

    def known(self) -> tuple[int, str] | None:
        return self._witness.known() if self._witness is not None and not self.is_recovering else None

    def begin(self) -> None:
        self._open.head = self._open.erased = self._open.journal = None
        self._open.waiting = False

    def note_journal(self, rows: int, weight: int) -> None:
        before: tuple[int, int] = self._open.journal or (0, 0)
        self._open.journal = (before[0] + rows, before[1] + weight)

    def change_waiting(self, connection: Connection, known: tuple[int, str] | None) -> None:
        self.check_waiting(connection, self.current(connection, known))
        self._open.waiting = True

    @property
    def has_changed(self) -> bool:
        """Whether this transaction has changed what the head knows beside the entries: the journal of the
        runs, or what waits."""
        return (self._open.journal is not None or self._open.waiting) and self.is_signed

    def check_waiting(self, connection: Connection, head: Head | None) -> None:
        if head is None or head.waiting is msgspec.UNSET or self._witness is None or self.is_recovering:
            return
        if not statistics.is_as_sealed(connection, head.waiting, self._witness.seals):
            raise altered("the statistics that wait for their month")

    def check_journal(self, connection: Connection, head: Head | None, *, whole: bool) -> None:
        if head is None or (seals := self.seals()) is None or self.is_recovering:
            return
        if journal.counts(connection, seals) != head.journal:
            raise altered("the journal of the runs")
        if whole:
            journal.check_documents(connection, seals)

    def erase(self, connection: Connection) -> None:
        self._open.erased = erasures.last_position(connection)

    def check_erasures(self, connection: Connection, head: Head | None, *, whole: bool) -> None:
        if head is None or self._witness is None or self.is_recovering:
            return
        counts = head.erasures
        if (erasures.count(connection), erasures.last_position(connection)) != (counts.rows, counts.position):
            raise altered("the register of erasures in the database")
        if whole and RegisterCounts().after(erasures.since(connection, 0)).digest != counts.digest:
            raise altered("the register of erasures in the database")
        self._witness.check_register(counts.end)

    def register_end(self, head: Head | None) -> str:
        return head.erasures.end if head is not None and not self.is_recovering else ""

    def publish(self) -> None:
        head: Head | None = self._open.head
        if head is not None and self._witness is not None:
            self._is_recounted = True
            self._witness.note(head, older=self.is_recovering)

    def current(self, connection: Connection, known: tuple[int, str] | None) -> Head | None:
        if self._witness is None:
            return None
        doc, seq, digest = connection.execute(_BOTH).one()
        last = (seq, digest) if seq is not None else None
        if doc is None:
            if last is not None and self.is_recovering and self.forgotten is not None:
                raise altered("the head of the ledger")
            if known is not None and known[0]:
                raise _behind("the database has lost the head of its ledger" if last is not None else "the database has lost its ledger")
            if last is not None and not self.is_recovering:
                raise _missing("the database has a ledger and no signed head of it")
            return None
        head = self._decoded(doc)
        if known is None and not self.is_recovering and self._witness.known() is None:  # somebody may have begun the ledger since
            raise _missing("the file that remembers the last head of the ledger, ledger.head beside the keys, is not there")
        if last != (head.entries, head.hash):
            raise altered("the end of the ledger")
        if known is not None:
            if head.entries < known[0]:
                raise _behind(f"the database ends with ledger entry {head.entries}, and there were {known[0]}")
            if head.entries == known[0] and head.hash != known[1]:
                raise altered(f"ledger entry {head.entries}")
        return head

    def signed_by(self, connection: Connection) -> str:
        doc = connection.execute(_SIGNED).scalar()
        try:
            return decoder_of(Head).decode(doc or "").key
        except (msgspec.MsgspecError, UnicodeError):
            return ""

    def append(self, connection: Connection, entries: Sequence[Entry], run: str | None, clock: Clock) -> None:
        if not entries and not self.has_changed:
            return
        lock_ledger(connection)
        head = self.current(connection, self.known())
        # The head was just held against the end of the ledger.
        last = End(head.entries, head.hash) if head is not None else ledger_rows.last(connection)
        unsigned = ledger_rows.unsigned(connection) if last is not None and head is None and self.is_signed else []
        added = ledger_rows.insert_entries(connection, last, entries, run, instant(clock(), "milliseconds"))
        self._follow(connection, unsigned, added, head)

    def _follow(self, connection: Connection, before: Sequence[LedgerEntry], added: Sequence[LedgerEntry], head: Head | None) -> None:
        """Sign the head after these entries, and after what became of the journal. `head` is the one before
        them, `before` the entries of a ledger that has none yet."""
        if self._witness is None:
            return
        strands = head.strands if head is not None else strands_after({}, before)
        if added:
            last = (added[-1].seq, added[-1].hash)
        elif head is not None:
            last = (head.entries, head.hash)
        else:
            return
        signed = self._witness.sign(
            Head(
                *last,
                strands_after(strands, added),
                self._register_counts(connection, head),
                self._journal_counts(connection, head),
                self._waiting(connection, head),
            )
        )
        doc = msgspec.json.encode(signed).decode()
        connection.execute(upsert_into(connection, ledger_head), {"only": ONLY, "doc": doc})
        if head is None:
            self._witness.expect()
        self._believed = doc
        self._open.head = signed

    def _register_counts(self, connection: Connection, head: Head | None) -> RegisterCounts:
        assert self._witness is not None
        if head is None or self.is_recovering:
            return msgspec.structs.replace(RegisterCounts().after(erasures.since(connection, 0)), end=self._witness.register_end())
        before: int | None = self._open.erased
        if before is None:
            return head.erasures
        if before != head.erasures.position:
            raise altered("the register of erasures in the database")
        self._witness.check_register(head.erasures.end)
        return msgspec.structs.replace(head.erasures.after(erasures.since(connection, before)), end=self._witness.register_end())

    def _journal_counts(self, connection: Connection, head: Head | None) -> JournalCounts:
        assert self._witness is not None
        if head is None or (self.is_recovering and not self._is_recounted):
            return journal.counts(connection, self._witness.seals())
        return head.journal.after(*(self._open.journal or (0, 0)))

    def _waiting(self, connection: Connection, head: Head | None) -> str:
        assert self._witness is not None
        if head is None or head.waiting is msgspec.UNSET or self._open.waiting or self.is_recovering:
            return statistics.seal_of(connection, self._witness.seals)
        return head.waiting

    def _decoded(self, doc: str) -> Head:
        try:
            head = decoder_of(Head).decode(doc)
        except (msgspec.MsgspecError, UnicodeError):
            raise altered("the head of the ledger") from None
        if doc != self._believed and self._witness is not None:
            self._witness.check(head)
            self._believed = doc
        return head


def _behind(what: str) -> StoreAltered:
    return StoreAltered(
        f"{what}: the database was put back to an older day",
        hint=hint_to("restore_newest"),
        where="ledger",
    )


def _missing(what: str) -> HeadMissing:
    return HeadMissing(
        f"the record of the last head of the ledger is missing: {what}; an older copy of the database could not be told from the newest",
        hint=hint_to("restore_with_head"),
        where="ledger",
    )
