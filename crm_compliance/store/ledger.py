"""The ledger in the database: each entry takes its place in the chain under a lock, in the transaction of what it tells (ACC-06)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import rfc8785
from sqlalchemy import Connection, Row, func, insert, select

from crm_compliance.store.database import LEDGER_LOCK
from crm_compliance.store.tables import ledger
from jobs.ledger import LedgerEntry, canonical, next_entry
from rules.instants import instant

PAGE = 1000
BEFORE_ALL = -(2**62)  # not 0: an entry that somebody slipped in before the first must come to light
COLUMNS = (ledger.c.seq, ledger.c.at, ledger.c.kind, ledger.c.run, ledger.c.data, ledger.c.prev_hash, ledger.c.hash)


def append(
    connection: Connection, entries: Sequence[tuple[str, Mapping[str, object]]], run: str | None, clock: Callable[[], datetime]
) -> None:
    """Add entries behind the last one. Call it last in a transaction: in PostgreSQL others wait for the lock until it ends."""
    if not entries:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))
    row = connection.execute(select(*COLUMNS).order_by(ledger.c.seq.desc()).limit(1)).first()
    last = _entry(row) if row else None
    at = instant(clock(), "milliseconds")
    rows: list[dict[str, object]] = []
    for kind, data in entries:
        last = next_entry(last, at=at, kind=kind, run=run, data=data)
        rows.append(msgspec.structs.asdict(last) | {"data": canonical(last.data).decode()})
    connection.execute(insert(ledger), rows)


def read(connection: Connection, after: int) -> list[LedgerEntry]:
    """The next PAGE entries behind `after`, oldest first."""
    rows = connection.execute(select(*COLUMNS).where(ledger.c.seq > after).order_by(ledger.c.seq).limit(PAGE))
    return [_entry(row) for row in rows]


def read_kinds(connection: Connection, kinds: Sequence[str]) -> list[LedgerEntry]:
    """All entries of some kinds, oldest first."""
    return [_entry(row) for row in connection.execute(select(*COLUMNS).where(ledger.c.kind.in_(kinds)).order_by(ledger.c.seq))]


def _entry(row: Row[Any, Any, Any, Any, Any, Any, Any]) -> LedgerEntry:
    seq, at, kind, run, text, prev_hash, own_hash = row
    return LedgerEntry(seq, at, kind, run, _data(text), prev_hash, own_hash)


def _data(text: str | bytes) -> dict[str, object]:
    """The data of an entry. Text that is no longer what was written becomes data that cannot fit the hash, so that verification names the
    entry instead of failing on it (R-141)."""
    raw = text.encode(errors="replace") if isinstance(text, str) else bytes(text)
    try:
        data = msgspec.json.decode(raw, type=dict[str, object])
        if canonical(data) == raw:
            return data
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        pass
    return {"unreadable": hashlib.sha256(raw).hexdigest()}
