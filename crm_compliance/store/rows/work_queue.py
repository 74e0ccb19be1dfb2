"""Units on which nothing in force decides, in the database: a keyed reference, a table and a day each."""

from datetime import date

from sqlalchemy import Connection, bindparam, delete, func, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import undecided
from jobs.model.work_queue import QueueMoves, Waiting

A_STATEMENT = 500
_BETWEEN = " "  # references, which are hexadecimal
# Those of one table that came on one day are one row: of thousands that wait nearly all came together.
_TOGETHER = (
    select(undecided.c.unit_table, undecided.c.since, func.aggregate_strings(undecided.c.ref, _BETWEEN))
    .where(undecided.c.crm == bindparam("of"))
    .group_by(undecided.c.unit_table, undecided.c.since)
)


class WorkQueue(Rows):
    """What `jobs.ports.store.work_queue.WorkQueue` asks."""

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
