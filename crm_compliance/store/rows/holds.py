"""Holds in the database: placed once, restated in other words or as a look has shown it, released once."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import ColumnElement, Connection, func, not_, select, update

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_new
from crm_compliance.store.sql.tables import holds
from jobs.model.hold_query import HoldList, HoldPage, HoldQuery
from jobs.ports.store.ledger import Entry
from rules.errors import NotFound, Refused
from rules.hints import hint_to
from rules.holds.placements import PlacedHold

# Built once: every plan and every run asks for them several times.
_ALL = select(holds.c.doc).order_by(holds.c.position)
_UNRELEASED = _ALL.where(holds.c.released.is_(False))


class Holds(Rows):
    """What `jobs.ports.store.holds.HoldStore` asks."""

    def all(self, *, unreleased: bool = False) -> list[PlacedHold]:
        return self._transactions.all(_UNRELEASED if unreleased else _ALL, PlacedHold, "a hold")

    def page(self, query: HoldQuery, *, offset: int = 0, limit: int | None = None) -> HoldPage:
        order = (holds.c.review_on, holds.c.position) if query.list is HoldList.REVIEW else (holds.c.position.desc(),)
        wanted = select(holds.c.doc).where(*_asked(query)).order_by(*order).offset(offset).limit(limit)
        with self._transactions.reading() as connection:
            total = _number(connection, query)
            docs = connection.execute(wanted).scalars().all() if total > offset else ()
        return HoldPage(total, [decoded(doc, PlacedHold, "a hold") for doc in docs])

    def number(self, query: HoldQuery) -> int:
        with self._transactions.reading() as connection:
            return _number(connection, query)

    def get(self, hold: str) -> PlacedHold:
        with self._transactions.reading() as connection:
            return _read(connection, hold)

    def place(self, hold: PlacedHold, entry: Entry) -> None:
        with self._transactions.writing([entry]) as connection:
            insert_new(connection, holds, {"id": hold.id, "released": False, **_row(hold)})

    def release(self, hold: PlacedHold, entry: Entry) -> None:
        with self._transactions.writing([entry]) as connection:
            still_held = (holds.c.id == hold.id) & holds.c.released.is_(False)
            if connection.execute(update(holds).where(still_held).values(released=True, **_row(hold))).rowcount != 1:
                raise Refused("the hold was released already", where=hold.id, code="released")

    def restate(self, before: PlacedHold, hold: PlacedHold, entry: Entry) -> None:
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            if _read(connection, hold.id, to_change=True) == before:
                connection.execute(update(holds).where(holds.c.id == hold.id).values(**_row(hold)))
                told.append(entry)


def _read(connection: Connection, hold: str, *, to_change: bool = False) -> PlacedHold:
    """Return a hold. With `to_change`, nobody releases it meanwhile."""
    query = select(holds.c.doc).where(holds.c.id == hold)
    doc = connection.execute(query.with_for_update() if to_change else query).scalar()
    if doc is None:
        raise NotFound("there is no such hold", hint=hint_to("list_holds"))
    return decoded(doc, PlacedHold, hold)


def _asked(query: HoldQuery) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of a query, which say what `PlacedHold` says of a day."""
    day = query.day.isoformat()
    in_force = holds.c.released.is_(False) & (holds.c.ends_on.is_(None) | (holds.c.ends_on >= day))
    if query.list in (HoldList.IN_FORCE, HoldList.REVIEW, HoldList.UNSEEN):
        yield in_force
    if query.list is HoldList.UNSEEN:
        yield holds.c.unseen.is_(True)
    if query.list is HoldList.REVIEW:
        yield holds.c.review_on < day
    if query.list is HoldList.OVER:
        yield not_(in_force)
    if query.type:
        yield holds.c.type == query.type
    if query.table:
        yield holds.c.held == query.table
    if text := query.text.strip().lower():
        yield holds.c.id.contains(text, autoescape=True) | holds.c.row.contains(text, autoescape=True)


def _number(connection: Connection, query: HoldQuery) -> int:
    return int(connection.execute(select(func.count()).select_from(holds).where(*_asked(query))).scalar_one())


def _row(hold: PlacedHold) -> dict[str, str | bool | None]:
    return {
        "doc": msgspec.json.encode(hold).decode(),
        "type": hold.type.value,
        "held": hold.table,
        "row": hold.row,
        "ends_on": hold.ends_on.isoformat() if hold.ends_on is not None else None,
        "review_on": hold.review_on.isoformat(),
        "unseen": hold.is_unseen,
    }
