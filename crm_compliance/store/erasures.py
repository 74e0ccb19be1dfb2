"""The register of erasures in the database: keyed references, so that whoever has the table and not the key has nothing (ERA-13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec
from sqlalchemy import Connection, func, select

from crm_compliance.store.inserting import insert_into
from crm_compliance.store.tables import erasures
from jobs.runs import Erasure

PAGE = 5_000
COLUMNS = (erasures.c.ref, erasures.c.operation, erasures.c.row_table, erasures.c.run, erasures.c.at, erasures.c.reason)


def add(connection: Connection, entries: Sequence[Mapping[str, str]]) -> None:
    """Add entries; one that is there already stays as it is."""
    if entries:
        statement = insert_into(connection, erasures)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["ref", "operation", "run"]), [dict(entry) for entry in entries])


def add_lacking(connection: Connection, entries: Iterable[Erasure]) -> int:
    """Add the entries that are not there, however many, and say how many that were."""
    total = select(func.count()).select_from(erasures)
    before = connection.execute(total).scalar_one()
    rest = iter(entries)
    while page := [msgspec.structs.asdict(entry) for entry in islice(rest, PAGE)]:
        add(connection, page)
    return int(connection.execute(total).scalar_one() - before)


def has(connection: Connection, entry: Erasure) -> bool:
    """Whether this entry is there."""
    same = (erasures.c.ref == entry.ref, erasures.c.operation == entry.operation, erasures.c.run == entry.run)
    return connection.execute(select(erasures.c.position).where(*same)).first() is not None


def read(connection: Connection, after: int) -> tuple[int, list[Erasure]]:
    """The next PAGE entries behind the position `after`, oldest first, and the position of the last of them."""
    query = select(erasures.c.position, *COLUMNS).where(erasures.c.position > after).order_by(erasures.c.position).limit(PAGE)
    rows = connection.execute(query).all()
    return (rows[-1][0] if rows else after), [Erasure(*row[1:]) for row in rows]


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
