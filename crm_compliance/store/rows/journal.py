"""The journal of the runs in the database. Each row is sealed, and the signed head of the ledger knows how
many rows there are and their total weight. Nobody who writes the database alone can make a unit look done, or
half done, that is not (ACC-06)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, func, insert, select, tuple_, update

from crm_compliance.store.rows.erasures import add as add_erasures
from crm_compliance.store.rows.ledger import Ledger
from crm_compliance.store.rows.transactions import Rows, Transactions
from crm_compliance.store.sql.database import lock_ledger
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.seals import Seals, is_sealed, seal
from crm_compliance.store.sql.tables import actions
from jobs.ledger.heads import RUNS, JournalCounts, altered
from jobs.model.run import UNLINKED, Action, ActionState, Erasure
from jobs.ports.store.ledger import Entry

PURPOSE, WEIGHT = "journal", "journal row"
CHUNK = 400
PAGE = 5_000
# What a row is known by in the counts of the journal: all but its document, which the seal binds.
KNOWN_BY = (actions.c.position, actions.c.run, actions.c.unit_table, actions.c.unit_id, actions.c.state, actions.c.seal)
WHOLE = (*KNOWN_BY, actions.c.doc)
# Of a unit that is skipped nothing was written: what an earlier run left of it is left still (ERA-15).
WRITTEN = actions.c.state != ActionState.SKIPPED.value
# Built once: a run writes its journal after each request, and `why` of a contact asks what is undone.
_LAST = select(func.max(actions.c.position))
_ADD = insert(actions)
_REPLACE = update(actions).where(actions.c.position == bindparam("place"))
_KNOWN = select(*KNOWN_BY).where(
    actions.c.run == bindparam("of"), actions.c.unit_table == bindparam("table"), actions.c.unit_id.in_(bindparam("ids", expanding=True))
)
_OF_TABLE = select(*WHOLE).where(actions.c.unit_table == bindparam("table")).order_by(actions.c.position)
_AMONG = _OF_TABLE.where(actions.c.unit_id.in_(bindparam("ids", expanding=True)))

Sealing = Callable[[], Seals | None]  # asked where there is a row: most databases are looked at before there are keys
Whole = Row[Any, Any, Any, Any, Any, Any, Any]
Known = tuple[int, str, str, str, str, str | None]

_encode = msgspec.json.Encoder().encode


class Journal(Rows):
    """What `jobs.ports.store.runs.JournalStore` asks."""

    def __init__(self, transactions: Transactions, ledger: Ledger) -> None:
        super().__init__(transactions)
        self._ledger = ledger
        self._seals = transactions.heads.seals

    def record(
        self, run: str, actions: Sequence[Action], entries: Sequence[Entry] = (), erasures: Sequence[Mapping[str, str]] = ()
    ) -> None:
        heads = self._transactions.heads
        with self._transactions.writing_run(entries, run) as connection:
            heads.note_journal(*write(connection, run, actions, self._seals))
            if erasures:
                heads.erase(connection)
                add_erasures(connection, [Erasure(**entry) for entry in erasures], self._seals())

    def forget_key(self, key: str, entry: Entry) -> None:
        """Note that a register key is destroyed, after what it had sealed in the journal of the runs, and of
        what waits to be counted, is sealed with the one in use. Raises StoreAltered: something of that is not
        what was sealed."""
        heads = self._transactions.heads
        known = heads.known()
        with self._transactions.writing_run([entry]) as connection:
            heads.change_waiting(connection, known)
            heads.note_journal(*_seal_anew(connection, key, self._seals))

    def check(self, *, whole: bool = False) -> None:
        with self._transactions.reading_head() as (connection, head):
            self._transactions.heads.check_journal(connection, head, whole=whole)

    def of_run(self, run: str, states: Collection[ActionState] = ()) -> list[Action]:
        query = select(*WHOLE).where(actions.c.run == run).order_by(actions.c.position)
        if states:
            query = query.where(actions.c.state.in_([state.value for state in states]))
        return [action for _, action in self._opened(query)]

    def of_unit(self, run: str, table: str, row: str) -> Action | None:
        query = select(*WHOLE).where(actions.c.run == run, actions.c.unit_table == table, actions.c.unit_id == row)
        return next((action for _, action in self._opened(query)), None)

    def states(self, run: str) -> dict[ActionState, int]:
        """Return how many units of a run are in which state."""
        query = select(actions.c.state, func.count()).where(actions.c.run == run).group_by(actions.c.state)
        with self._transactions.reading() as connection:
            return {ActionState(state): number for state, number in connection.execute(query)}

    def undone(self, table: str, among: Collection[str] | None = None) -> dict[str, str]:
        query, where = (_OF_TABLE, {}) if among is None else (_AMONG, {"ids": list(among)})
        with self._transactions.reading() as connection:
            found = connection.execute(query, {"table": table, **where})
            last = {row.unit_id: None if row.state == ActionState.DONE.value else row for row in found}
            left = [row for row in last.values() if row is not None]
            return {
                action.id: action.disposition
                for _, action in _all_opened(left, self._seals)
                if UNLINKED not in (action.code, *action.flags)
            }

    def partials(self) -> list[tuple[str, Action]]:
        """Return the units that were written in part; a run that only skipped one changes nothing."""
        return self._opened(_last_in(ActionState.PARTIAL, WRITTEN))

    def failures(self) -> list[tuple[str, Action]]:
        return self._opened(_last_in(ActionState.FAILED))

    def last_skips(self) -> list[tuple[str, Action]]:
        return self._opened(_last_in(ActionState.SKIPPED))

    def unfinished(self, run: str) -> list[tuple[str, Action]]:
        """Return what other runs last left in part or failed; to only skip a unit changes nothing."""
        with self._transactions.reading() as connection:
            last = {(row.unit_table, row.unit_id): row for row in connection.execute(_unfinished(), {"beside": run})}
            return list(_all_opened(last.values(), self._seals))

    def last_done(self, limit: int) -> list[tuple[str, Action]]:
        over = {entry.run or "" for entry in self._ledger.strand(RUNS) if entry.kind == "run_ended"}
        query = select(*WHOLE).where(actions.c.state == ActionState.DONE.value).order_by(actions.c.position.desc())
        with self._transactions.reading() as connection:
            rows = (row for row in connection.execute(query.execution_options(yield_per=PAGE)) if row.run in over)
            return list(_all_opened(islice(rows, limit), self._seals))

    def _opened(self, query: Select[Any]) -> list[tuple[str, Action]]:
        with self._transactions.reading() as connection:
            return list(_all_opened(connection.execute(query), self._seals))


def write(connection: Connection, run: str, journal: Sequence[Action], sealing: Sealing) -> tuple[int, int]:
    """Add actions, or replace those that are there by (table, id); a replaced action keeps its place in the
    order. Gives by how much the journal has grown, in rows and in weight."""
    if not journal:
        return 0, 0
    lock_ledger(connection)  # the places in the order are given here, since they are sealed
    seals = sealing()
    before = {(row[2], row[3]): row for row in _rows_of(connection, run, journal)}
    last = int(connection.execute(_LAST).scalar() or 0)
    changed: dict[tuple[str, str], dict[str, object]] = {}
    for action in journal:
        known = before.get(action.key)
        if known is not None:
            position = known[0]
        elif action.key in changed:
            position = int(str(changed[action.key]["position"]))
        else:
            position = last = last + 1
        doc = _encode(action).decode()
        changed[action.key] = {
            "position": position,
            "run": run,
            "unit_table": action.table,
            "unit_id": action.id,
            "state": action.state.value,
            "doc": doc,
            "seal": seal(seals, PURPOSE, _message(position, run, doc)) if seals is not None else None,
        }
    added = [row for key, row in changed.items() if key not in before]
    if added:
        connection.execute(_ADD, added)
    replaced = [changed[key] for key in changed.keys() & before.keys()]
    if replaced:
        connection.execute(
            _REPLACE, [{"place": row["position"], **{name: row[name] for name in ("state", "doc", "seal")}} for row in replaced]
        )
    if seals is None:
        return len(added), 0
    heavier = sum(_weight(seals, _known(row)) for row in changed.values()) - sum(_weight(seals, row) for row in before.values())
    return len(added), heavier


def remove(connection: Connection, positions: Sequence[int], sealing: Sealing) -> tuple[int, int]:
    """Remove expired rows; return the journal's growth, in rows and weight: a negative number."""
    rows = weight = 0
    seals = sealing() if positions else None
    for at in range(0, len(positions), CHUNK):
        those = actions.c.position.in_(positions[at : at + CHUNK])
        if seals is not None:
            weight -= sum(_weight(seals, row) for row in connection.execute(select(*KNOWN_BY).where(those)))
        rows -= connection.execute(delete(actions).where(those)).rowcount
    return rows, weight


def _seal_anew(connection: Connection, key: str, sealing: Sealing) -> tuple[int, int]:
    """Seal what a key that is to be destroyed has sealed with the one in use; gives by how much heavier the
    journal has become."""
    seals = sealing()
    weight = 0
    for row in connection.execute(select(*WHOLE).where(actions.c.seal.startswith(f"{key}:", autoescape=True))).all():
        assert seals is not None
        _opened(seals, row)
        sealed = seal(seals, PURPOSE, _message(row.position, row.run, row.doc))
        connection.execute(update(actions).where(actions.c.position == row.position).values(seal=sealed))
        known: Known = row[:6]
        weight += _weight(seals, (*known[:5], sealed)) - _weight(seals, known)
    return 0, weight


def counts(connection: Connection, seals: Seals) -> JournalCounts:
    """Return the counts of the journal, from its rows as they are."""
    rows = weight = 0
    for row in connection.execute(select(*KNOWN_BY).execution_options(yield_per=PAGE)):
        rows += 1
        weight += _weight(seals, row)
    return JournalCounts().after(rows, weight)


def check_documents(connection: Connection, seals: Seals) -> None:
    """Raise StoreAltered unless each document is the one that was sealed."""
    for row in connection.execute(select(*WHOLE).execution_options(yield_per=PAGE)):
        _opened(seals, row)


def _opened(seals: Seals | None, row: Whole) -> Action:
    """Return the action in a row. Raises StoreAltered: we have not written it, or not for this place."""
    where = f"a unit in the journal of {str(row.run)[:40]}"
    if seals is not None and not is_sealed(seals, PURPOSE, _message(row.position, row.run, row.doc), row.seal):
        raise altered(where)
    action = decoded(row.doc, Action, where)
    if (action.table, action.id, action.state.value) != (row.unit_table, row.unit_id, row.state):
        raise altered(where)
    return action


def _all_opened(rows: Iterable[Whole], sealing: Sealing) -> Iterator[tuple[str, Action]]:
    seals = None
    for at, row in enumerate(rows):
        seals = sealing() if at == 0 else seals
        yield row.run, _opened(seals, row)


def _message(position: int, run: str, doc: str) -> bytes:
    return f"{position}\n{run}\n{doc}".encode(errors="replace")


def _weight(seals: Seals, row: Known) -> int:
    """Return a number by which nobody without the key can choose rows; 0 if no key of ours sealed it."""
    digest = seals.digest((row[5] or "").rpartition(":")[0], WEIGHT, _encode(list(row)))
    return int.from_bytes(digest, "big") if digest is not None else 0


def _known(row: dict[str, Any]) -> Known:
    return row["position"], row["run"], row["unit_table"], row["unit_id"], row["state"], row["seal"]


def _rows_of(connection: Connection, run: str, journal: Sequence[Action]) -> Iterator[Known]:
    of_table: dict[str, set[str]] = {}
    for action in journal:
        of_table.setdefault(action.table, set()).add(action.id)
    for table, ids in of_table.items():
        wanted = sorted(ids)
        for at in range(0, len(wanted), CHUNK):
            yield from connection.execute(_KNOWN, {"of": run, "table": table, "ids": wanted[at : at + CHUNK]}).all()


@cache
def _last_in(state: ActionState, *counting: ColumnElement[bool]) -> Select[Any]:
    """Return what finds the units whose last action, over all runs, is in this state, oldest first, of those
    actions that count. Only what is last is decoded: a unit may be skipped night after night."""
    last = (
        select(func.max(actions.c.position).label("position"))
        .where(tuple_(actions.c.unit_table, actions.c.unit_id).in_(_units_in(state)), *counting)
        .group_by(actions.c.unit_table, actions.c.unit_id)
        .subquery()
    )
    joined = select(*WHOLE).join(last, actions.c.position == last.c.position)
    return joined.where(actions.c.state == state.value).order_by(actions.c.position)


@cache
def _unfinished() -> Select[Any]:
    """Return what finds the units that a run `beside` another has left half done, or failed at, and that were
    not done since, oldest first."""
    left = (ActionState.PARTIAL, ActionState.FAILED)
    done = (
        select(actions.c.unit_table, actions.c.unit_id, func.max(actions.c.position).label("position"))
        .where(actions.c.state == ActionState.DONE.value, tuple_(actions.c.unit_table, actions.c.unit_id).in_(_units_in(*left)))
        .group_by(actions.c.unit_table, actions.c.unit_id)
        .subquery()
    )
    return (
        select(*WHOLE)
        .outerjoin(done, (actions.c.unit_table == done.c.unit_table) & (actions.c.unit_id == done.c.unit_id))
        .where(actions.c.state.in_([state.value for state in left]), actions.c.run != bindparam("beside"))
        .where(done.c.position.is_(None) | (done.c.position < actions.c.position))
        .order_by(actions.c.position)
    )


def _units_in(*states: ActionState) -> Select[tuple[str, str]]:
    return select(actions.c.unit_table, actions.c.unit_id).where(actions.c.state.in_([state.value for state in states]))
