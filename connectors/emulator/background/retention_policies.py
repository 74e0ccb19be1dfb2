"""Policies of long-term retention: which rows they take, and their runs by the clock.

A policy whose time has come runs before the next request, at once and whole; the real service takes hours
over it. The policy, its runs and their details are the tables that Microsoft Learn describes under
"retentionconfig table/entity reference" and its neighbours."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from connectors.emulator.background.recurrence import parse_recurrence
from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.querying.fetchxml.query import Fetch, read_fetch
from connectors.emulator.querying.fetchxml.statement import Statement
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import Table
from connectors.emulator.security.admission import Gate
from connectors.emulator.storage import sql
from connectors.emulator.storage.new_rows import Values
from connectors.emulator.storage.own_rows import add_own_row
from connectors.emulator.storage.remains.long_term import RetainedRows
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Row

POLICY, RUN, DETAIL = "retentionconfig", "retentionoperation", "retentionoperationdetail"
UNSCHEDULED = 20  # a status of a policy
COMPLETED, SUCCEEDED, FAILED = 3, 30, 31
MAX_CRITERIA = 5_000  # what a run keeps of them
_DUE = """
SELECT retentionconfigid FROM retentionconfig p
WHERE statecode = 0 AND statuscode <> ? AND coalesce(nextrun, starttime, createdon) <= ?
AND (nextrun IS NOT NULL OR NOT EXISTS (SELECT 1 FROM retentionoperation r WHERE r.retentionconfigid = p.retentionconfigid))
ORDER BY coalesce(nextrun, starttime, createdon), 1"""


def read_criteria(tables: Tables, gate: Gate, operation: Operation, table_name: str, text: str) -> Fetch:
    """Return the rows that a policy applies to. Raises WebApiError: 400 when that is not FetchXML over live
    rows of the table."""
    fetch = read_fetch(tables.environment, text)
    if fetch.root.table.name != table_name or fetch.root.table.view or fetch.aggregate or fetch.datasource:
        raise WebApiError(400, INVALID_ARGUMENT, f"The criteria of a retention policy are a plain query over '{table_name[:100]}'.")
    matching(tables, gate, operation, fetch, 0)  # columns and values are looked at when the query is put together
    return fetch


def matching(tables: Tables, gate: Gate, operation: Operation, fetch: Fetch, limit: int | None = None) -> list[str]:
    """Return the ids of the rows that the criteria find, as far as the caller sees them."""
    table = fetch.root.table
    sight = gate.sight(operation)
    statement = Statement(tables.environment, fetch, tables.clock.now(), operation.user, sight)
    key = sql.dotted(fetch.root.sql, table.key)
    where = [*statement.where, *(f"({each})" for each in sight.rows(table, fetch.root.sql))]
    found = tables.connection.execute(sql.select([f"DISTINCT {key}"], statement.source, where, [key], limit), statement.values)
    return [row_id for (row_id,) in found]


class RetentionPolicies:
    """Runs what is due."""

    def __init__(self, tables: Tables, gate: Gate) -> None:
        self.tables = tables
        self.environment = tables.environment
        self.gate = gate
        self.retained = RetainedRows(tables)
        self.retained.know_enabled()

    def run_due(self) -> None:
        now = self.tables.clock.now()
        for (policy_id,) in self.tables.connection.execute(_DUE, (UNSCHEDULED, instant_text(now))).fetchall():
            with self.tables.transaction():
                self._run(policy_id, now)

    def _run(self, policy_id: str, now: datetime) -> None:
        table = self.environment.tables[POLICY]
        policy = self.tables.whole(table, policy_id)
        user = str(policy["ownerid"])
        operation = Operation("POST", "", {}, b"", "", user)
        counts: Counter[str] = Counter()
        refusal = ""
        try:
            fetch = read_criteria(self.tables, self.gate, operation, policy["entitylogicalname"], policy["criteria"])
            for row_id in matching(self.tables, self.gate, operation, fetch):
                if self.tables.exists(fetch.root.table, row_id):  # it may have gone along with an earlier one
                    counts.update(name for name, _ in self.retained.retain(fetch.root.table, row_id))
        except WebApiError as error:
            refusal = error.message
        run_id = add_own_row(
            self.tables,
            RUN,
            user,
            {
                "name": policy["name"],
                "retentionconfigid": policy_id,
                "rootentitylogicalname": policy["entitylogicalname"],
                "criteria": policy["criteria"][:MAX_CRITERIA],
                "starttime": instant_text(now),
                "endtime": instant_text(now),
                "retentioncount": counts.total(),
                "failedcount": 0,
                "additionaldetails": refusal or None,
                "statecode": COMPLETED,
                "statuscode": FAILED if refusal else SUCCEEDED,
            },
        )
        for name, count in counts.items():
            detail: Values = {"name": policy["name"], "retentionoperationid": run_id, "entitylogicalname": name, "retentioncount": count}
            add_own_row(self.tables, DETAIL, user, {**detail, "isrootentity": int(name == policy["entitylogicalname"]), "failedcount": 0})
        if recurrence := parse_recurrence(policy["recurrence"] or ""):
            first = datetime.fromisoformat(policy["starttime"] or policy["createdon"])
            following = instant_text(recurrence.next(first, now))
            self.tables.rewrite(table, policy_id, {"nextrun": following, "versionnumber": self.tables.next_version()})


class RetentionRules:
    """A write listener that refuses a policy which could never run."""

    def __init__(self, tables: Tables, gate: Gate) -> None:
        self.tables, self.gate = tables, gate

    def wants(self, table: Table) -> bool:
        return table.name == POLICY

    def created(self, table: Table, row_id: str, values: Row, user: str) -> None:
        self._check(values, user)

    def updated(self, table: Table, row_id: str, before: Row, after: Row, user: str) -> None:
        if after.keys() & {"criteria", "entitylogicalname", "recurrence"}:
            self._check({**self.tables.whole(table, row_id), **after}, user)

    def deleted(self, rows: Sequence[tuple[Table, Row]], user: str, *, recoverable: bool) -> None:
        """Do nothing: what the policy has retained stays retained."""

    def _check(self, policy: Row, user: str) -> None:
        operation = Operation("POST", "", {}, b"", "", user)
        read_criteria(self.tables, self.gate, operation, str(policy.get("entitylogicalname")), str(policy.get("criteria")))
        parse_recurrence(policy.get("recurrence") or "")
