"""The register of erasures in the database. It holds keyed references, so that a person with the table but
not the key has nothing (ERA-13)."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.seals import ERASURES, Seals, is_sealed, seal
from crm_compliance.store.sql.tables import erasures
from jobs.ledger.heads import RegisterCounts
from jobs.model.run import Erasure
from jobs.ports.store.ledger import Entry

PAGE = 5_000
COLUMNS = (erasures.c.ref, erasures.c.operation, erasures.c.row_table, erasures.c.run, erasures.c.at, erasures.c.reason)
# Built once: the end of the register is looked at in every transaction that adds to it, and by every command.
_LAST = select(func.max(erasures.c.position))
_COUNT = select(func.count()).select_from(erasures)
_SINCE = select(erasures.c.position, *COLUMNS).where(erasures.c.position > bindparam("after")).order_by(erasures.c.position)
_NEXT_KEY = select(func.min(erasures.c.key)).where(erasures.c.key > bindparam("last"))

_encode = msgspec.json.Encoder().encode


class Erasures(Rows):
    """What `jobs.ports.store.erasures.ErasureStore` asks, and more for whoever looks after the keys."""

    def all(self) -> Iterator[Erasure]:
        """Read page by page. What is not sealed by one of our keys is none: it would let a living row go from
        the CRM, or was registered by a key that is destroyed."""
        columns = select(erasures.c.position, *COLUMNS, erasures.c.key, erasures.c.seal)
        after, seals = 0, None
        while True:
            with self._transactions.reading() as connection:
                query = columns.where(erasures.c.position > after).order_by(erasures.c.position).limit(PAGE)
                rows = connection.execute(query).all()
            if not rows:
                return
            seals = seals or self._transactions.heads.seals()
            for position, *entry, key, digest in rows:
                after, found = position, Erasure(*entry)
                if seals is None or is_sealed(seals, ERASURES, _encode(found), f"{key}:{digest}"):
                    yield found

    def has(self, entry: Erasure) -> bool:
        same = (erasures.c.ref == entry.ref, erasures.c.operation == entry.operation, erasures.c.run == entry.run)
        with self._transactions.reading() as connection:
            return connection.execute(select(erasures.c.position).where(*same)).first() is not None

    def add(self, entries: Iterable[Erasure]) -> int:
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            heads = self._transactions.heads
            heads.erase(connection)
            before = connection.execute(_COUNT).scalar_one()
            rest = iter(entries)
            seals = heads.seals()
            while page := list(islice(rest, PAGE)):
                add(connection, page, seals)
            number = int(connection.execute(_COUNT).scalar_one() - before)
            if number:
                told.append(("erasures_added", {"rows": number}))
        return number

    def check(self, *, whole: bool = False) -> None:
        with self._transactions.reading_head() as (connection, head):
            self._transactions.heads.check_erasures(connection, head, whole=whole)

    def file_end(self) -> str:
        """Return where the file beside the database ended when the head of the ledger was signed."""
        with self._transactions.reading_head() as (_, head):
            return self._transactions.heads.register_end(head)

    def head(self) -> dict[str, object]:
        with self._transactions.reading_head() as (connection, head):
            counts = head.erasures if head is not None else RegisterCounts().after(since(connection, 0))
        return {"rows": counts.rows, "digest": counts.digest}

    def digests(self, rows: Collection[int]) -> dict[int, str]:
        """Return the digest over the first entries, for each of these numbers that the register reaches."""
        found: dict[int, str] = {}
        with self._transactions.reading() as connection:
            counts = RegisterCounts()
            for each in since(connection, 0):
                counts = counts.after([each])
                if counts.rows in rows:
                    found[counts.rows] = counts.digest
        return found

    def keys(self) -> set[str]:
        """Return the ids of the register keys that entries name, each found by the index."""
        found: set[str] = set()
        last = ""
        with self._transactions.reading() as connection:
            while (key := connection.execute(_NEXT_KEY, {"last": last}).scalar()) is not None:
                found.add(key)
                last = key
        return found


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


def last_position(connection: Connection) -> int:
    """Return the position of the last entry, 0 if there is none."""
    return int(connection.execute(_LAST).scalar() or 0)


def count(connection: Connection) -> int:
    return int(connection.execute(_COUNT).scalar_one())


def since(connection: Connection, position: int) -> Iterator[tuple[int, Erasure]]:
    """Yield all entries after a position, each with its own position, oldest first."""
    rows = connection.execute(_SINCE, {"after": position}, execution_options={"yield_per": PAGE})
    yield from ((row[0], Erasure(*row[1:])) for row in rows)
