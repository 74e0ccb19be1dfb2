"""A run that is killed at any point goes on and ends as an undisturbed one does, with the same counts."""

import dataclasses
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import environment_of
from jobs.model.plan import Plan
from jobs.model.run import ActionState
from jobs.runs.apply import apply_plan
from jobs.runs.resume import PLAN_EXPIRED
from jobs.writing import send
from tests.drivers.beginnings import Beginning
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.jobs.runs.kill_points import (
    CutShort,
    Killed,
    MakeNight,
    Snapshots,
    organisation,
    run_fragile,
    said,
    state_of,
)

Planned = tuple[Night, Plan, Beginning]


@pytest.fixture
def planned(make_night: MakeNight, database_file: Callable[[], str]) -> Iterator[Planned]:
    """The organisation with its plan, and what stands then, to begin from again."""
    night = make_night(url=(url := database_file()))
    organisation(night)
    plan = night.plan()
    beginning = Beginning(night, url)
    yield night, plan, beginning
    beginning.close()


@pytest.mark.parametrize(("operations", "every"), [(1000, 1), (3, 3)], ids=["one change set a unit", "several change sets a unit"])
def test_a_run_killed_at_any_point_ends_like_an_undisturbed_one(
    make_night: MakeNight,
    database_file: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    operations: int,
    every: int,
) -> None:
    monkeypatch.setattr(send, "MAX_OPERATIONS", operations)
    url = database_file()
    night = make_night(url=url)
    organisation(night)
    plan = night.plan()
    points = Snapshots(night, url, every)
    undisturbed = run_fragile(night, plan, points)
    expected, counts = state_of(night), undisturbed.counts
    assert undisturbed.counts["anonymised"] == 2
    assert undisturbed.counts["trimmed"] == 1
    assert len(points) > 10
    for at, again in points.nights(make_night, database_file):
        resumed = again.apply(plan)
        assert (at, resumed.state, resumed.counts) == (at, undisturbed.state, counts)
        assert (at, state_of(again)) == (at, expected)


@pytest.mark.parametrize("fault", ["cut_after", "cut_before"])
def test_a_cut_connection_has_no_double_and_no_lost_effect(
    planned: Planned, make_night: MakeNight, database_file: Callable[[], str], fault: str
) -> None:
    night, plan, beginning = planned
    undisturbed = night.apply(plan)
    expected = state_of(night)
    for nth in range(1, 7):
        again = beginning.again(make_night, database_file())
        set_faults(again.emulator, {"match": {"method": "POST", "path": "$batch", "nth": nth}, "times": 1, "do": fault})
        run = again.apply(plan)
        set_faults(again.emulator)
        assert (nth, run.counts, state_of(again)) == (nth, undisturbed.counts, expected)


def test_what_was_under_way_when_a_run_was_killed_is_counted_once_it_lands(
    planned: Planned, make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a request is there when the resumed run reads back what it had announced, and all of it when
    it looks at the units again: each request of a run in turn."""
    night, plan, beginning = planned
    undisturbed = night.apply(plan)
    expected = state_of(night)
    for nth in range(1, night.emulator.stats()["batches"] + 1):
        again = beginning.again(make_night, database_file())
        cut = CutShort(again.connector, nth)
        with pytest.raises(Killed):
            apply_plan(dataclasses.replace(again.context, connector=cut), plan.id)
        with monkeypatch.context() as patch:
            patch.setattr("jobs.runs.run.reconcile_intended", cut.reconcile_and_land)
            run = again.apply(plan)
        assert (nth, run.state, run.counts) == (nth, undisturbed.state, undisturbed.counts)
        assert (nth, state_of(again)) == (nth, expected)


def test_what_landed_of_a_run_that_may_not_go_on_is_counted_too(
    planned: Planned, make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan has expired by the time its run is taken up again: what went is done, what stays skipped."""
    _, plan, beginning = planned
    for nth, done in enumerate(((3, 0, 0), (4, 2, 0), (7, 2, 0), (7, 2, 1)), start=1):
        again = beginning.again(make_night, database_file())
        cut = CutShort(again.connector, nth)
        with pytest.raises(Killed):
            apply_plan(dataclasses.replace(again.context, connector=cut), plan.id)
        with monkeypatch.context() as patch:
            patch.setattr("jobs.runs.run.reconcile_intended", cut.reconcile_and_land)
            patch.setattr("jobs.runs.run.lapsed", lambda *_: PLAN_EXPIRED)
            run = again.apply(plan)
        assert (nth, *(run.counts[each] for each in ("deleted", "anonymised", "trimmed"))) == (nth, *done)
        states: dict[bool, set[ActionState]] = {True: set(), False: set()}
        for action in again.store.journal.of_run(run.id):
            states[again.get(f"{action.table}s", action.id) is None].add(action.state)
        of_those_there = ActionState.DONE if done[2] else ActionState.SKIPPED  # who was trimmed stays, and is done
        assert (nth, states) == (nth, {True: {ActionState.DONE}, False: {of_those_there}})
        assert len(again.rows("cf_statistics")) == (1 if nth == 1 else 2)
        again.store.close()


def test_a_process_that_is_really_killed_is_taken_over_at_once(
    make_night: MakeNight, database_file: Callable[[], str], tmp_path: Path
) -> None:
    """SIGKILL in the middle of a run; the lock dies with its process, and applying again ends the run."""
    url = database_file()
    night = make_night(url=url)
    organisation(night)
    script = [{"match": {"method": "POST", "path": "$batch", "nth": 2}, "times": 1, "do": "latency", "ms": 3_000}]
    set_faults(night.emulator, *script)
    settings = {"CRM_URL": night.emulator.url, "CRM_TOKEN": TOKEN, "DATA_DIR": str(tmp_path), "DATABASE_URL": url}
    plan = said(settings, "plan")
    for who, role in zip(("anna", "dora"), plan["approvals"]["needed"], strict=False):
        said(settings, "plans", "approve", plan["plan"], "--as", who, "--role", role)
    command = [sys.executable, "-m", "crm_compliance", "apply", plan["plan"], "--json"]
    with subprocess.Popen(command, env=environment_of(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while night.emulator.stats()["batches"] < 2 and process.poll() is None:
            select.select([], [], [], 0.02)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        os.kill(process.pid, signal.SIGKILL)
    set_faults(night.emulator)
    answer = said(settings, "apply", plan["plan"])
    assert (answer["state"], answer["anonymised"], answer["verified"]["still_there"]) == ("done", 2, 0)
    assert plan["dispose"]["anonymise"] == 2
