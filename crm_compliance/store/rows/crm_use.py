"""What the jobs have cost the CRM, in the database: sums that only grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import crm_use
from jobs.model.crm_cost import CrmCost

if TYPE_CHECKING:
    from connectors.interface.rows import ReadStats

_SUMS = ("requests", "retries", "throttled", "waited_s")


class CrmUse(Rows):
    """What `jobs.ports.store.crms.CrmUse` asks."""

    def add(self, job: str, stats: ReadStats) -> None:
        values = {name: getattr(stats, name) for name in _SUMS}
        with self._transactions.database.writing() as connection:
            statement = insert_into(connection, crm_use).values(job=job, **values)
            grown = {name: crm_use.c[name] + value for name, value in values.items()}
            connection.execute(statement.on_conflict_do_update(index_elements=["job"], set_=grown))

    def all(self) -> dict[str, CrmCost]:
        with self._transactions.reading() as connection:
            rows = connection.execute(select(crm_use).order_by(crm_use.c.job)).all()
        return {row.job: CrmCost(row.requests, row.retries, row.throttled, row.waited_s) for row in rows}
