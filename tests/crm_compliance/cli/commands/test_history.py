"""history list, plans list: what is listed newest first, and how much of it (contract, section 7)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from jobs.ledger.maintenance_runs import REQUESTS
from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from jobs.proof.job_record import recorded
from tests.crm_compliance.store.values import ENTRY, a_plan
from tests.drivers.night import Night
from tests.drivers.typist import Typist

# The second begins in Brussels on the day after the one that UTC has.
MOMENTS = [datetime(2026, 11, 20, 1, tzinfo=UTC), datetime(2026, 11, 22, 23, 30, tzinfo=UTC), datetime(2026, 11, 24, 1, tzinfo=UTC)]


def a_history(org: Night) -> None:
    for number, at in enumerate(MOMENTS):
        org.store.plans.save(a_plan(f"plan-{number}", created_at=at), [], ENTRY)
        run = Run(f"run-{number}", Kind.RETENTION, f"plan-{number}", RunState.RUNNING, at, at)
        org.store.runs.start(run, ENTRY)
        if number < 2:
            org.store.runs.save(msgspec.structs.replace(run, state=RunState.DONE, ended_at=at))


def test_lists_can_be_cut_to_the_newest_and_to_those_since_a_day(typist: Typist, org: Night) -> None:
    a_history(org)
    for command, key in (("history", "run"), ("plans", "plan")):

        def listed(*more: str, command: str = command, key: str = key) -> list[str]:
            return [str(line[key])[-1] for line in typist.ask(command, "list", *more)]

        assert listed() == ["2", "1", "0"]
        assert listed("--limit", "2") == ["2", "1"]
        assert listed("--since", "2026-11-23") == ["2", "1"]
        assert listed("--since", "2026-11-24", "--limit", "5") == ["2"]
        assert listed("--since", "2026-11-25") == []
        assert typist.type(command, "list", "--since", "2026-11-25").out == f"No {key} since then.\n"
        assert listed("--since", "0001-01-01", "--limit", str(1 << 64)) == ["2", "1", "0"]
        assert typist.refused(command, "list", "--limit", "0", code=2)
        assert typist.refused(command, "list", "--since", "yesterday", code=2)


def test_a_run_that_nobody_works_on_is_interrupted(typist: Typist, org: Night) -> None:
    a_history(org)
    assert [line["state"] for line in typist.ask("history", "list")] == ["interrupted", "done", "done"]
    with org.store.leases.exclusive() as lease:
        assert typist.ask("history", "show", "run-2")["state"] == "interrupted"  # somebody works, on something else
        lease.work_on("run-2")
        assert typist.ask("history", "list")[0]["state"] == typist.ask("history", "show", "run-2")["state"] == "running"
    assert "interrupted" in typist.type("history", "list").out


def test_a_job_without_a_plan_runs_while_it_is_at_work_and_is_interrupted_after(typist: Typist, org: Night) -> None:
    with suppress(KeyboardInterrupt), recorded(org.context, REQUESTS) as made:
        assert typist.ask("history", "list")[0]["state"] == typist.ask("history", "show", made.id)["state"] == "running"
        assert typist.refused("run", "requests", code=5)["message"] == "another run of requests is at work"
        assert len(typist.ask("history", "list")) == 1, "what is refused has not begun"
        raise KeyboardInterrupt
    assert typist.ask("history", "list")[0]["state"] == typist.ask("history", "show", made.id)["state"] == "interrupted"
    typist.ask("run", "requests")
    assert [line["state"] for line in typist.ask("history", "list")] == ["done", "interrupted"]
