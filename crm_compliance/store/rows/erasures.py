"""The register of erasures in the database: keyed references, so that whoever has the table and not the key
has nothing (ERA-13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from sqlalchemy import Connection, func, select

from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.seals import ERASURES, Seals, is_sealed, seal
from crm_compliance.store.sql.tables import erasures
from jobs.model.run import Erasure

PAGE = 5_000
COLUMNS = (erasures.c.ref, erasures.c.operation, erasures.c.row_table, erasures.c.run, erasures.c.at, erasures.c.reason)


_encode = msgspec.json.Encoder().encode


def add(connection: Connection, entries: Sequence[Erasure], seals: Seals | None) -> None:
    """Add entries; one that is there already stays as it is."""
    if entries:
        statement = insert_into(connection, erasures)
        rows = [msgspec.structs.asdict(entry) | _sealed(entry, seals) for entry in entries]
        connection.execute(statement.on_conflict_do_nothing(index_elements=["ref", "operation", "run"]), rows)


def _sealed(entry: Erasure, seals: Seals | None) -> dict[str, str | None]:
    if seals is None:
        return {"key": None, "seal": None}
    key, _, digest = seal(seals, ERASURES, _encode(entry)).rpartition(":")
    return {"key": key, "seal": digest}


def add_lacking(connection: Connection, entries: Iterable[Erasure], seals: Seals | None) -> int:
    """Add the entries that are not there, however many, and say how many that were."""
    total = select(func.count()).select_from(erasures)
    before = connection.execute(total).scalar_one()
    rest = iter(entries)
    while page := list(islice(rest, PAGE)):
        add(connection, page, seals)
    return int(connection.execute(total).scalar_one() - before)


def keys(connection: Connection) -> set[str]:
    """The ids of the register keys that entries name, each found by the index."""
    found: set[str] = set()
    last = ""
    while (key := connection.execute(select(func.min(erasures.c.key)).where(erasures.c.key > last)).scalar()) is not None:
        found.add(key)
        last = key
    return found


def has(connection: Connection, entry: Erasure) -> bool:
    """Whether this entry is there."""
    same = (erasures.c.ref == entry.ref, erasures.c.operation == entry.operation, erasures.c.run == entry.run)
    return connection.execute(select(erasures.c.position).where(*same)).first() is not None


def read(connection: Connection, after: int, seals: Seals | None) -> tuple[int, list[Erasure]]:
    """The next entries, of PAGE rows behind the position `after`, oldest first, and the position of the last
    of these rows. What is not sealed by one of our keys is none: it would let a living row go from the CRM,
    or was registered by a key that is destroyed."""
    query = (
        select(erasures.c.position, *COLUMNS, erasures.c.key, erasures.c.seal)
        .where(erasures.c.position > after)
        .order_by(erasures.c.position)
        .limit(PAGE)
    )
    rows = connection.execute(query).all()
    found = [(Erasure(*row[1:7]), f"{row[7]}:{row[8]}") for row in rows]
    ours = [entry for entry, sealed in found if seals is None or is_sealed(seals, ERASURES, _encode(entry), sealed)]
    return (rows[-1][0] if rows else after), ours


def last_position(connection: Connection) -> int:
    """The position of the last entry, 0 where there is none."""
    return int(connection.execute(select(func.max(erasures.c.position))).scalar() or 0)


def count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(erasures)).scalar_one())


def since(connection: Connection, position: int) -> Iterator[tuple[int, Erasure]]:
    """All entries behind a position with theirs, oldest first."""
    query = select(erasures.c.position, *COLUMNS).where(erasures.c.position > position).order_by(erasures.c.position)
    for row in connection.execute(query.execution_options(yield_per=PAGE)):
        yield row[0], Erasure(*row[1:])
