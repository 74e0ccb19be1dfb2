"""Units in quarantine in the database, one row a unit."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import bindparam, delete, select, update

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import quarantine
from jobs.ports.store.ledger import Entry
from rules.retention.quarantine import Mark

_ALL = select(quarantine.c.doc).order_by(quarantine.c.position)  # built once: every plan and every run asks
_DROP = delete(quarantine).where(quarantine.c.unit_table == bindparam("of"), quarantine.c.unit_id == bindparam("row"))


class Quarantine(Rows):
    """What `jobs.ports.store.quarantine.Quarantine` asks."""

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
