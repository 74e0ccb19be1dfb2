"""Runs in the database."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from crm_compliance.store.rows import ledger, plans
from crm_compliance.store.rows.requests import replace_request
from crm_compliance.store.rows.run_lines import RunLines
from crm_compliance.store.rows.transactions import Rows, Transactions
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.tables import plans as plan_rows
from crm_compliance.store.sql.tables import runs
from jobs.ledger.maintenance_runs import ENDED, HOUSEKEEPING, OF_MAINTENANCE, STARTED, MaintenanceRun, maintenance_runs_of
from jobs.model.plan import Kind
from jobs.model.request import SubjectRequest
from jobs.model.run import Run, RunLine
from jobs.ports.store.ledger import Entry
from rules.errors import NotFound
from rules.hints import hint_to

AT_ONCE: Final = 50  # rows that are read at once
IN_A_QUERY: Final = 500  # ids that one query names
# Built once: a run is written again and again while it goes on.
_ADD = insert(runs)
_REPLACE = update(runs).where(runs.c.id == bindparam("of"))
_ONE = select(runs.c.doc).where(runs.c.id == bindparam("of"))
_OF_PLAN = select(runs.c.doc).where(runs.c.plan == bindparam("of"))
_NEWEST_FIRST = select(runs.c.doc).order_by(runs.c.position.desc())
_NOT_APPLIED = _NEWEST_FIRST.join(plan_rows, plan_rows.c.id == runs.c.plan).where(plan_rows.c.applied.is_(False))


class Runs(Rows):
    """What `jobs.ports.store.runs.RunStore` asks."""

    def __init__(self, transactions: Transactions) -> None:
        super().__init__(transactions)
        self._in_memory = RunLines()

    def start(self, run: Run, entry: Entry, request: SubjectRequest | None = None) -> None:
        """Add a run. A plan has one at most: the database refuses a second."""
        with self._transactions.writing_run([entry], run.id) as connection:
            plans.refuse_rejected(connection, run.plan)
            if request is not None:
                replace_request(connection, msgspec.structs.replace(request, transitions=request.transitions + 1), request)
            connection.execute(_ADD, _row(run))

    def save(self, run: Run, entries: Sequence[Entry] = ()) -> None:
        with self._transactions.writing_run(entries, run.id) as connection:
            replace_run(connection, run)
            if run.is_over:
                plans.mark_applied(connection, run.plan)

    def get(self, run: str) -> Run:
        with self._transactions.reading() as connection:
            return read_run(connection, run)

    def all(self) -> list[Run]:
        with self._transactions.reading() as connection:
            return read_runs(connection)

    def newest(self) -> Iterator[Run]:
        """Yield runs, newest first. No connection stays open between two of them."""
        page = query = select(runs.c.position, runs.c.doc).order_by(runs.c.position.desc()).limit(AT_ONCE)
        while True:
            with self._transactions.reading() as connection:
                rows = connection.execute(page).all()
            yield from (decoded(row.doc, Run, "a run") for row in rows)
            if len(rows) < AT_ONCE:
                return
            page = query.where(runs.c.position < rows[-1].position)

    def unfinished(self) -> list[Run]:
        """Return the runs that have not ended. A plan counts as applied once its run is over, so that few are
        read."""
        found = self._transactions.all(_NOT_APPLIED, Run, "a run")
        return [run for run in found if not run.is_over]

    def some(self, runs_: Collection[str]) -> list[Run]:
        wanted, found = list(runs_), []
        with self._transactions.reading() as connection:
            for at in range(0, len(wanted), IN_A_QUERY):
                query = select(runs.c.position, runs.c.doc).where(runs.c.id.in_(wanted[at : at + IN_A_QUERY]))
                found += [(position, decoded(doc, Run, "a run")) for position, doc in connection.execute(query)]
        return [run for _, run in sorted(found, key=lambda each: -each[0])]

    def lines(self) -> Sequence[RunLine]:
        """Return a line for each run and job. One thread reads at a time, and none where nothing has come
        since. Whoever has waited while another began to read and ended has what that one found: it is as new
        as what was asked for."""
        memory = self._in_memory
        with self._transactions.reading() as connection:
            if memory.is_fresh(connection):
                return memory.in_order
        begun = memory.begun
        with memory.lock:
            if memory.begun > begun:
                return memory.in_order
            memory.begun += 1
            with self._transactions.reading() as connection:
                return memory.read(connection)

    def line(self, run: str) -> RunLine | None:
        self.lines()
        return self._in_memory.by_id.get(run)

    def of_plan(self, plan: str) -> Run | None:
        return self._transactions.one(_OF_PLAN, Run, f"the run of {plan}", of=plan)

    def maintenance(self) -> list[MaintenanceRun]:
        with self._transactions.reading() as connection:
            return maintenance_runs_of(ledger.of_kinds(connection, OF_MAINTENANCE))[::-1]

    def newest_maintenance(self, kind: str = "") -> Iterator[MaintenanceRun]:
        """Yield maintenance runs, newest first. The ledger is read from its end on, entries of runs that
        carry out a plan left aside."""
        begins = [HOUSEKEEPING] if kind == HOUSEKEEPING else [STARTED, HOUSEKEEPING]
        before: int | None = None
        while True:
            with self._transactions.reading() as connection:
                begun = ledger.of_no_run(connection, begins, before, AT_ONCE)
                ended = ledger.ends_of(connection, ENDED, begun)
            made = maintenance_runs_of([*begun[::-1], *ended])[::-1]
            yield from (each for each in made if not kind or each.kind == kind)
            if len(begun) < AT_ONCE:
                return
            before = begun[-1].seq

    def disposals(self, kind: Kind, counter: str, limit: int) -> list[int]:
        """Return what the last runs disposed of, zeros included. A run without counts is left out: a zero
        that nobody counted would widen the breaker's grip or loosen it."""
        found: list[int] = []
        for run in self.all():
            disposed = run.counts.get("disposed") if run.kind is kind and run.is_over else None
            if isinstance(disposed, dict) and disposed.get(counter) is not None:
                found.append(int(disposed[counter]))
        return found[:limit]


def replace_run(connection: Connection, run: Run) -> None:
    if connection.execute(_REPLACE, {"of": run.id, **_row(run)}).rowcount != 1:
        raise _unknown()


def read_run(connection: Connection, run: str) -> Run:
    doc = connection.execute(_ONE, {"of": run}).scalar()
    if doc is None:
        raise _unknown()
    return decoded(doc, Run, run)


def read_runs(connection: Connection) -> list[Run]:
    """Return all runs, newest first."""
    docs = connection.execute(_NEWEST_FIRST).scalars()
    return [decoded(doc, Run, "a run") for doc in docs]


def _row(run: Run) -> dict[str, object]:
    return {"id": run.id, "plan": run.plan, "doc": msgspec.json.encode(run).decode()}


def _unknown() -> NotFound:
    return NotFound("there is no such run", hint=hint_to("list_history"))
