"""Units that wait, in the database: those on which nothing in force decides, a keyed reference, a table and a
day each; and those in quarantine, one row a unit."""

from collections.abc import Collection, Sequence
from datetime import date

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import quarantine, undecided
from jobs.model.work_queue import QueueMoves, Waiting
from jobs.ports.store.ledger import Entry
from rules.retention.quarantine import Mark

A_STATEMENT = 500
_BETWEEN = " "  # references, which are hexadecimal
# Those of one table that came on one day are one row: of thousands that wait nearly all came together.
_TOGETHER = (
    select(undecided.c.unit_table, undecided.c.since, func.aggregate_strings(undecided.c.ref, _BETWEEN))
    .where(undecided.c.crm == bindparam("of"))
    .group_by(undecided.c.unit_table, undecided.c.since)
)


class WorkQueue(Rows):
    """What `jobs.ports.store.waiting_units.WorkQueue` asks."""

    def undecided(self, crm: str) -> dict[str, Waiting]:
        found: dict[str, Waiting] = {}
        with self._transactions.reading() as connection:
            for table, since, refs in connection.execute(_TOGETHER, {"of": crm}):
                found |= dict.fromkeys(refs.split(_BETWEEN), Waiting(table, date.fromisoformat(since)))
        return found


def move_undecided(connection: Connection, moves: QueueMoves) -> None:
    """Add those that came, forget those that left. One that another plan has added keeps its day."""
    left = sorted(moves.left)
    for at in range(0, len(left), A_STATEMENT):
        connection.execute(delete(undecided).where(undecided.c.crm == moves.crm, undecided.c.ref.in_(left[at : at + A_STATEMENT])))
    if moves.come:
        statement = insert_into(connection, undecided).on_conflict_do_nothing(index_elements=["crm", "ref"])
        rows = [
            {"crm": moves.crm, "ref": ref, "unit_table": unit.table, "since": unit.since.isoformat()} for ref, unit in moves.come.items()
        ]
        connection.execute(statement, rows)


_ALL = select(quarantine.c.doc).order_by(quarantine.c.position)  # built once: every plan and every run asks
_DROP = delete(quarantine).where(quarantine.c.unit_table == bindparam("of"), quarantine.c.unit_id == bindparam("row"))


class Quarantine(Rows):
    """What `jobs.ports.store.waiting_units.Quarantine` asks."""

    def marks(self) -> list[Mark]:
        return self._transactions.all(_ALL, Mark, "a unit in quarantine")

    def put(self, marks: Sequence[Mark], entries: Sequence[Entry] = ()) -> None:
        """Store marks; one that is replaced keeps its place."""
        with self._transactions.writing(entries) as connection:
            if not marks:
                return
            statement = insert_into(connection, quarantine)
            statement = statement.on_conflict_do_update(
                index_elements=["unit_table", "unit_id"], set_={"state": statement.excluded.state, "doc": statement.excluded.doc}
            )
            connection.execute(statement, [_row(mark) for mark in marks])

    def tell(self, units: Collection[tuple[str, str]]) -> None:
        with self._transactions.writing([]) as connection:
            for table, row in units:
                which = (quarantine.c.unit_table == table) & (quarantine.c.unit_id == row)
                doc = connection.execute(select(quarantine.c.doc).where(which).with_for_update()).scalar()
                if doc is not None:
                    mark = msgspec.structs.replace(decoded(doc, Mark, "a unit in quarantine"), told=True)
                    connection.execute(update(quarantine).where(which).values(_row(mark)))

    def drop(self, units: Collection[tuple[str, str]], entries: Sequence[Entry] = ()) -> None:
        with self._transactions.writing(entries) as connection:
            if units:
                connection.execute(_DROP, [{"of": table, "row": row} for table, row in units])


def _row(mark: Mark) -> dict[str, str]:
    return {"unit_table": mark.table, "unit_id": mark.id, "state": mark.code, "doc": msgspec.json.encode(mark).decode()}
