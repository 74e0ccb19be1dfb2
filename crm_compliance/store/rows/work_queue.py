"""Units on which nothing in force decides, in the database: a keyed reference, a table and a day each."""

from datetime import date

from sqlalchemy import Connection, delete, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import undecided
from jobs.model.work_queue import QueueMoves, Waiting

A_STATEMENT = 500


class WorkQueue(Rows):
    """What `jobs.ports.store.work_queue.WorkQueue` asks."""

    def undecided(self, crm: str) -> dict[str, Waiting]:
        query = select(undecided.c.ref, undecided.c.unit_table, undecided.c.since).where(undecided.c.crm == crm)
        with self._transactions.reading() as connection:
            return {ref: Waiting(ref, table, date.fromisoformat(since)) for ref, table, since in connection.execute(query)}


def move_undecided(connection: Connection, moves: QueueMoves) -> None:
    """Add those that came, forget those that left. One that another plan has added keeps its day."""
    left = sorted(moves.left)
    for at in range(0, len(left), A_STATEMENT):
        connection.execute(delete(undecided).where(undecided.c.crm == moves.crm, undecided.c.ref.in_(left[at : at + A_STATEMENT])))
    if moves.come:
        statement = insert_into(connection, undecided).on_conflict_do_nothing(index_elements=["crm", "ref"])
        rows = [{"crm": moves.crm, "ref": unit.ref, "unit_table": unit.table, "since": unit.since.isoformat()} for unit in moves.come]
        connection.execute(statement, rows)
