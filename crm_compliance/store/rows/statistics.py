"""What was counted and waits for its month to be over, without an identifier of anybody (ERA-16). Nothing
else in the store says what it comes to, so the signed head of the ledger has a seal of all of it: one that
nobody makes without the key, and from which nobody without it guesses what was counted."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from crm_compliance.store.rows import journal
from crm_compliance.store.rows.runs import replace_run
from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.seals import Seals, is_sealed, seal
from crm_compliance.store.sql.tables import waiting_statistics as table
from jobs.model.run import Action, Run
from jobs.ports.store.ledger import Entry

PURPOSE = "waiting statistics"


class Statistics(Rows):
    """What `jobs.ports.store.statistics.StatisticsStore` asks."""

    def waiting(self, crm: str) -> dict[tuple[str, str], int]:
        query = select(table.c.month, table.c.facts, table.c.units).where(table.c.crm == crm).order_by(table.c.month, table.c.facts)
        with self._transactions.reading() as connection:
            return {(month, facts): units for month, facts, units in connection.execute(query)}

    def check(self) -> None:
        with self._transactions.reading_head() as (connection, head):
            self._transactions.heads.check_waiting(connection, head)

    def fix(
        self,
        run: Run,
        entries: Sequence[Entry],
        *,
        crm: str,
        taken: Collection[str],
        counted: Mapping[tuple[str, str], int],
        forgotten: Sequence[Action],
    ) -> None:
        """Save the run with its statistics. Equal units become a number, so that nobody can tell them
        apart."""
        heads = self._transactions.heads
        known = heads.known()
        with self._transactions.writing_run(entries, run.id) as connection:
            replace_run(connection, run)
            if taken or counted:
                heads.change_waiting(connection, known)
            connection.execute(delete(table).where(table.c.crm == crm, table.c.month.in_(sorted(taken))))
            for (month, facts), units in sorted(counted.items()):
                statement = insert_into(connection, table)
                statement = statement.on_conflict_do_update(
                    index_elements=["crm", "month", "facts"], set_={"units": table.c.units + statement.excluded.units}
                )
                connection.execute(statement, {"crm": crm, "month": month, "facts": facts, "units": units})
            heads.note_journal(*journal.write(connection, run.id, forgotten, heads.seals))


def seal_of(connection: Connection, sealing: Callable[[], Seals]) -> str:
    """Return the seal of all that waits; empty if nothing waits."""
    message = _message(connection)
    return seal(sealing(), PURPOSE, message) if message else ""


def is_as_sealed(connection: Connection, found: str, sealing: Callable[[], Seals]) -> bool:
    """Return whether what waits is what this seal was made of."""
    message = _message(connection)
    return is_sealed(sealing(), PURPOSE, message, found) if message else not found


def _message(connection: Connection) -> bytes:
    """Return what is sealed: every row, in an order independent of the database's collation; empty if there
    are no rows."""
    rows = sorted(tuple(row) for row in connection.execute(select(table.c.crm, table.c.month, table.c.facts, table.c.units)))
    return msgspec.json.encode(rows) if rows else b""
