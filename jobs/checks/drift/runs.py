"""Runs with their counts, by the table and by the ledger."""

from collections.abc import Iterator

from jobs.checks.drift.references import Difference
from jobs.ledger.entries import LedgerEntry
from jobs.ledger.heads import RUNS
from jobs.model.plan import Plan
from jobs.model.run import COUNTED, Run
from jobs.ports.store.store import Store


def about_run_of(store: Store, plan: Plan) -> Iterator[Difference]:
    """Yield a plan that has a run by the ledger and none by the table, or the other way round. A run begins,
    and continues, by what is intended."""
    run = store.runs.of_plan(plan.id)
    started = {entry.run for entry in store.ledger.strand(RUNS) if entry.kind == "run_started" and entry.data.get("plan") == plan.id}
    if started != ({run.id} if run is not None else set()):
        yield Difference(f"plan {plan.id}", "its run is not the one of the ledger")


def about_runs(store: Store) -> Iterator[Difference]:
    """Yield runs that the ledger does not know, or knows with other counts. The circuit breaker learns from
    runs what is usual (RET-24)."""
    started: dict[str, LedgerEntry] = {}
    ended: dict[str, LedgerEntry] = {}
    for entry in store.ledger.strand(RUNS):
        if entry.kind == "run_started" and not entry.data.get("plan"):
            continue  # maintenance: it carries out no plan, and has no row but this
        (started if entry.kind == "run_started" else ended)[entry.run or ""] = entry
    runs = store.runs.all()
    table = [run.id for run in reversed(runs)]
    known = set(table)
    for run in runs:
        where, begun = f"run {run.id}", started.get(run.id)
        if begun is None or begun.data.get("plan") != run.plan:
            yield Difference(where, "is in no entry of the ledger")
        elif "kind" in begun.data and begun.data["kind"] != run.kind.value:
            yield Difference(where, "is of another kind than in the ledger")
        elif run.is_over != (run.id in ended):
            yield Difference(where, "is over by the table, and not by the ledger" if run.is_over else "is over by the ledger")
        elif run.is_over and (told := _about_end(run, ended[run.id])):
            yield Difference(where, told)
    for lost in sorted(started.keys() - known):
        yield Difference(f"run {lost[:60]}", "is in the ledger, and not in the table of runs")
    if table != [run for run in started if run in known]:
        yield Difference("the table of runs", "has another order than the ledger")


def _about_end(run: Run, ended: LedgerEntry) -> str:
    if ended.data.get("state", run.state.value) != run.state.value:
        return "ended in another state by the ledger"
    told = {name: ended.data[name] for name in COUNTED if name in ended.data}
    return "has other counts than in the ledger" if any(run.counts.get(name) != number for name, number in told.items()) else ""
