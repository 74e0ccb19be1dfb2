"""The ledger in the database: each entry takes its place in the chain under a lock, in the transaction of
what it tells (ACC-06)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import rfc8785
from sqlalchemy import Connection, Row, func, insert, select

from crm_compliance.store.rows.heads import Heads
from crm_compliance.store.sql.database import LEDGER_LOCK
from crm_compliance.store.sql.tables import ledger
from jobs.ledger.entries import Chain, LedgerBroken, LedgerEntry, canonical, next_entry
from rules.dates.instants import instant

PAGE = 1000
COLUMNS = (ledger.c.seq, ledger.c.at, ledger.c.kind, ledger.c.run, ledger.c.data, ledger.c.prev_hash, ledger.c.hash)


def append(
    connection: Connection,
    entries: Sequence[tuple[str, Mapping[str, object]]],
    run: str | None,
    clock: Callable[[], datetime],
    heads: Heads,
) -> None:
    """Add entries behind the last one, and sign the head of then, also where only the journal of a run, or
    what waits to be counted, has changed. Call it last in a transaction: in PostgreSQL others wait for the
    lock until it ends.

    Raises:
        StoreAltered: the ledger does not end as it was signed. Nothing is added to what somebody has changed.
    """
    if not entries and not heads.has_changed:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))
    head = heads.current(connection, heads.known())
    row = connection.execute(select(*COLUMNS).order_by(ledger.c.seq.desc()).limit(1)).first()
    last = _entry(row) if row else None
    unsigned = _unsigned(connection) if last is not None and head is None and heads.is_signed else []
    at = instant(clock(), "milliseconds")
    added: list[LedgerEntry] = []
    for kind, data in entries:
        last = next_entry(last, at=at, kind=kind, run=run, data=data)
        added.append(last)
    if added:
        connection.execute(insert(ledger), [msgspec.structs.asdict(entry) | {"data": canonical(entry.data).decode()} for entry in added])
    heads.follow(connection, unsigned, added, head)


def _unsigned(connection: Connection) -> list[LedgerEntry]:
    """The entries from before heads were signed, once, when the first is."""
    entries: list[LedgerEntry] = []
    chain = Chain()
    while page := read(connection, entries[-1].seq if entries else None):
        if not all(chain.add(entry) for entry in page):
            raise LedgerBroken(f"ledger entry {chain.first_broken} does not follow from the one before it", hint="tell the DPO")
        entries += page
    return entries


def of_kinds(connection: Connection, kinds: Collection[str]) -> list[LedgerEntry]:
    """All entries of these kinds, oldest first."""
    rows = connection.execute(select(*COLUMNS).where(ledger.c.kind.in_(sorted(kinds))).order_by(ledger.c.seq))
    return [_entry(row) for row in rows]


def read(connection: Connection, after: int | None, limit: int = PAGE) -> list[LedgerEntry]:
    """The next entries behind `after` (None: from the very first row on, whatever its place), oldest
    first."""
    query = select(*COLUMNS).order_by(ledger.c.seq).limit(limit)
    return [_entry(row) for row in connection.execute(query if after is None else query.where(ledger.c.seq > after))]


def _entry(row: Row[Any, Any, Any, Any, Any, Any, Any]) -> LedgerEntry:
    seq, at, kind, run, text, prev_hash, own_hash = row
    return LedgerEntry(seq, at, kind, run, _data(text), prev_hash, own_hash)


def _data(text: str | bytes) -> dict[str, object]:
    """The data of an entry. Text that is no longer what was written becomes data that cannot fit the hash, so
    that verification names the entry instead of failing on it (R-141)."""
    raw = text.encode(errors="replace") if isinstance(text, str) else bytes(text)
    try:
        data = msgspec.json.decode(raw, type=dict[str, object])
        if canonical(data) == raw:
            return data
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        pass
    return {"unreadable": hashlib.sha256(raw).hexdigest()}
