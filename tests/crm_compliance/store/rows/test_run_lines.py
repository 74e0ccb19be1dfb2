"""Lines of runs are kept in memory, and are as new as the database."""

import msgspec
from sqlalchemy import event

from crm_compliance.store.store import SqlStore
from jobs.ledger.maintenance_runs import ENDED, HOUSEKEEPING, STARTED
from jobs.model.run import RunState
from tests.crm_compliance.store.values import ENTRY, NIGHT, a_plan, a_run


def test_a_run_is_seen_when_it_begins_goes_on_and_ends(store: SqlStore) -> None:
    assert list(store.runs.lines()) == []
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), (STARTED, {"plan": "plan-1", "kind": "retention"}))
    assert [line.state for line in store.runs.lines()] == [RunState.RUNNING]
    store.runs.save(msgspec.structs.replace(a_run(), counts={"deleted": 3}))  # no entry of the ledger tells of it
    assert [line.deleted for line in store.runs.lines()] == [3]
    store.runs.save(msgspec.structs.replace(a_run(), state=RunState.DONE, ended_at=NIGHT, counts={"deleted": 5}))
    assert [(line.state, line.deleted) for line in store.runs.lines()] == [(RunState.DONE, 5)]


def test_a_job_without_a_plan_is_seen_when_it_begins_and_ends(store: SqlStore) -> None:
    store.ledger.append([(HOUSEKEEPING, {"state": "done"})], "round-1")
    assert [line.id for line in store.runs.lines()] == ["round-1"]
    store.ledger.append([(STARTED, {"kind": "requests", "software": "1"})], "round-2")
    line = store.runs.line("round-2")
    assert line is not None
    assert line.state is RunState.RUNNING
    store.ledger.append([(ENDED, {"kind": "requests", "state": "done"})], "round-2")
    assert [line.state for line in store.runs.lines()] == [RunState.DONE, RunState.DONE]
    assert store.runs.line("round-3") is None


def test_what_was_read_is_not_read_again(store: SqlStore) -> None:
    """However many runs there are: whoever asks again while nothing comes asks for two numbers."""
    for number in range(3):
        store.plans.save(a_plan(f"plan-{number}"), [], ENTRY)
        store.runs.start(a_run(f"run-{number}", f"plan-{number}"), (STARTED, {"plan": f"plan-{number}"}))
        store.runs.save(msgspec.structs.replace(a_run(f"run-{number}", f"plan-{number}"), state=RunState.DONE, ended_at=NIGHT))
    lines = store.runs.lines()
    asked: list[str] = []
    event.listen(store.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    assert store.runs.lines() is lines
    (query,) = [statement for statement in asked if "SELECT" in statement]
    assert "doc" not in query
