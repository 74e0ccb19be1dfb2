"""The nightly recordings job with bulk deletes: the same end as without, whenever it is killed and whoever
works beside it."""

from __future__ import annotations

import dataclasses
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.bulk_delete.jobs import Jobs
from connectors.dynamics.http.transport import Transport
from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.configuration.settings import environment_of
from jobs.model.plan import Kind, Plan
from jobs.model.run import ActionState, Run, RunState
from jobs.runs.apply import apply_plan
from tests.drivers.beginnings import Beginning
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.jobs.runs.bulk_deletes import Bulk
from tests.jobs.runs.interruptions import Meddling
from tests.jobs.runs.kill_points import Killed, Points, said

LONG_AGO = date(2018, 3, 1)
MakeNight = Callable[..., Night]


def organisation(night: Night) -> tuple[str, list[str]]:
    """An open dossier with recordings past their end, one with a note of its own, one that stays, and
    recordings of no fiche."""
    dossier = night.dossier("runaway", spoken=LONG_AGO, closed=False)
    fiche = night.fiches_of(dossier)[0]
    due = [night.recording(LONG_AGO, fiche=fiche) for _ in range(4)]
    night.note("cf_recording", due[0])
    due += [night.recording(LONG_AGO) for _ in range(2)]
    night.recording(date(2026, 11, 1), fiche=fiche)
    return dossier, due


@pytest.fixture
def bulk(night: Night) -> Bulk:
    return Bulk(night)


def test_a_night_by_jobs_ends_like_one_in_batches(bulk: Bulk, make_night: MakeNight, database_file: Callable[[], str]) -> None:
    organisation(bulk.night)
    by_jobs = bulk.apply(bulk.plan())
    again = make_night(url=database_file())
    again.http.post(f"{again.emulator.root}/_emulator/reset", json={"empty": True}).raise_for_status()
    organisation(again)
    in_batches = apply_plan(again.context, again.plan(Kind.RECORDINGS).id)
    assert (by_jobs.state, by_jobs.counts) == (RunState.DONE, in_batches.counts)
    assert by_jobs.counts["deleted"] == 6
    assert bulk.job_rows == 0


def killed_at(bulk: Bulk, plan: Plan, points: Points, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Carry out a plan, passing a point after each request from the one for the job up to the batch of what
    it has left."""
    has_job: list[bool] = []

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def request(self: Transport, *args: Any, **more: Any) -> Any:
            answer = real(self, *args, **more)
            if "BulkDelete" in args:
                has_job.append(True)
            if has_job:
                points()
            if real.__name__ == "post_batch":
                has_job.clear()
            return answer

        return request

    with monkeypatch.context() as patch:
        for name in ("get", "send", "post_batch"):
            patch.setattr(Transport, name, watched(getattr(Transport, name)))
        return bulk.apply(plan)


def test_a_run_killed_at_any_request_of_a_job_ends_like_an_undisturbed_one(
    make_night: MakeNight, emulator: RunningEmulator, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after the request, in mid-job, before cleaning, and everywhere between."""
    bulk = Bulk(make_night(url=(url := database_file())))
    _, due = organisation(bulk.night)
    plan, points = bulk.plan(), Points()
    beginning = Beginning(bulk.night, url)
    undisturbed = killed_at(bulk, plan, points, monkeypatch)
    expected, deleted = bulk.left(), emulator.stats()["operations"]["delete"]
    assert points.passed > 12
    for at in range(1, points.passed + 1, 2):
        again = Bulk(beginning.again(make_night, database_file()))
        before = emulator.stats()["operations"]["delete"]
        with pytest.raises(Killed):
            killed_at(again, plan, Points(at), monkeypatch)
        resumed = again.apply(plan)
        assert (at, resumed.state, resumed.counts) == (at, undisturbed.state, undisturbed.counts)
        assert (at, set(again.states(resumed)), again.left()) == (at, set(due), expected)
        assert (at, again.job_rows) == (at, 0)
        assert (at, emulator.stats()["operations"]["delete"] - before) <= (at, deleted)
        again.night.close()
        again.night.store.close()
    beginning.close()


def test_a_process_that_is_really_killed_in_mid_job_is_taken_over(
    make_night: MakeNight, emulator: RunningEmulator, database_file: Callable[[], str], tmp_path: Path
) -> None:
    """SIGKILL while the job waits; whoever comes next follows it to its end before it judges anything."""
    url = database_file()
    night = make_night(url=url)
    _, due = organisation(night)
    night.http.put(f"{emulator.root}/_emulator/switches", json={"bulk_delete_queue_s": 600.0, "bulk_delete_run_s": 0.0}).raise_for_status()
    settings = {
        "CRM_URL": emulator.url,
        "CRM_TOKEN": TOKEN,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": url,
        "CLOCK": "2026-11-25T11:00:00Z",
        "BULK_DELETE": "always",
        "POLICY": str(tmp_path / "policy.yaml"),
    }
    shipped = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(shipped.replace("first_run: true", "first_run: false"), encoding="utf-8")
    command = [sys.executable, "-m", "crm_compliance", "run", "recordings", "--json"]
    with subprocess.Popen(command, env=environment_of(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not night.rows("asyncoperations?$select=name") and process.poll() is None:
            select.select([], [], [], 0.02)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        os.kill(process.pid, signal.SIGKILL)
    (run,) = night.store.runs.all()
    night.http.put(f"{emulator.root}/_emulator/clock", json={"advance_s": 600}).raise_for_status()
    night.http.put(f"{emulator.root}/_emulator/switches", json={"bulk_delete_queue_s": 0.0}).raise_for_status()  # what is cleaned later
    answer = said(settings, "apply", run.plan)
    assert (answer["state"], answer["deleted"], answer["verified"]["still_there"]) == ("done", len(due), 0)
    assert [night.rows(name) for name in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures")] == [[], [], []]


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_cut_connection_has_no_double_and_no_lost_effect(bulk: Bulk, fault: str) -> None:
    organisation(bulk.night)
    plan = bulk.plan()
    bulk.control("faults", [{"match": {"method": "POST", "path": "BulkDelete", "nth": 1}, "times": 1, "do": fault}])
    run = bulk.apply(plan)
    assert (run.state, run.counts["deleted"], run.counts["skipped"]) == (RunState.DONE, 6, {})
    assert len(bulk.left()) == 1
    assert bulk.job_rows == 0


def test_a_throttled_night_ends_the_same(bulk: Bulk) -> None:
    organisation(bulk.night)
    plan = bulk.plan()
    paths = (("POST", "BulkDelete"), ("GET", "asyncoperations"), ("GET", "bulkdeletefailures"), ("DELETE", "asyncoperations"))
    rules = [
        {"match": {"method": method, "path": path, "nth": 1}, "do": "status", "status": 429, "retry_after": 2} for method, path in paths
    ]
    bulk.control("faults", rules)
    run = bulk.apply(plan)
    assert (run.state, run.counts["deleted"]) == (RunState.DONE, 6)
    assert bulk.job_rows == 0


def once(bulk: Bulk, act: Callable[[], object]) -> None:
    """While the job waits for its start."""

    def acting() -> None:
        bulk.on_sleep = lambda: None
        act()

    bulk.on_sleep = acting


def test_a_hold_set_on_the_dossier_while_the_job_waits_keeps_its_recordings(bulk: Bulk) -> None:
    """HLD-07: a hold that appears between plan and write wins, and the journal says so."""
    dossier, due = organisation(bulk.night)
    once(bulk, lambda: bulk.night.patch("cf_dossiers", dossier, cf_legalhold=True))
    run = bulk.apply(bulk.plan())
    assert run.counts["skipped"] == {"HOLD_LEGAL": 4}, "also the one that went in a batch after the job"
    assert bulk.left() >= set(due[:4])
    assert bulk.states(run)[due[1]] == (ActionState.SKIPPED, "HOLD_LEGAL")
    assert run.state is RunState.DONE


def test_a_recording_that_changes_while_the_job_waits_stays_and_is_judged_again(bulk: Bulk) -> None:
    _, due = organisation(bulk.night)
    once(bulk, lambda: bulk.night.patch("cf_recordings", due[1], cf_evidence=True))
    run = bulk.apply(bulk.plan())
    assert bulk.states(run)[due[1]] == (ActionState.SKIPPED, "CHANGED")
    assert due[1] in bulk.left()


def test_a_hold_that_came_after_the_kill_is_seen_once_the_job_has_ended(bulk: Bulk) -> None:
    dossier, due = organisation(bulk.night)
    plan = bulk.plan()

    def kill() -> None:
        raise Killed

    once(bulk, kill)
    with pytest.raises(Killed):
        bulk.apply(plan)
    bulk.night.patch("cf_dossiers", dossier, cf_legalhold=True)
    run = bulk.apply(plan)
    assert bulk.states(run) == {
        **dict.fromkeys(due[:4], (ActionState.SKIPPED, "HOLD_LEGAL")),
        **dict.fromkeys(due[4:], (ActionState.DONE, "")),
    }
    assert bulk.job_rows == 0


def test_a_run_whose_plan_has_lapsed_first_learns_what_its_job_did(bulk: Bulk, make_night: MakeNight) -> None:
    """Else the journal would call rows skipped that the job has yet to delete."""
    _, due = organisation(bulk.night)
    plan = bulk.plan()

    def kill() -> None:
        raise Killed

    once(bulk, kill)
    with pytest.raises(Killed):
        bulk.apply(plan)
    going_on = Bulk(make_night(policy=lambda text: text.replace("max: 200", "max: 100")))
    run = going_on.apply(plan)
    states = going_on.states(run)
    assert {row: states[row][0] is ActionState.DONE for row in due} == {row: row not in going_on.left() for row in due}
    assert states[due[4]] == (ActionState.DONE, "")


def test_large_groups_are_judged_journalled_and_sent_together(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where batches are slow, more than the usual number goes at once; holds are still looked up before each
    group."""
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 2)
    bulk = Bulk(night)
    organisation(night)
    plan = bulk.plan()
    asked: list[int] = []
    real = Jobs.start

    def counting(self: Jobs, name: str, queries: Any, **more: Any) -> str:
        rows = [query["Criteria"]["Filters"] for query in queries if query["EntityName"] == "cf_recording"]  # the others clean up
        asked.extend([sum(len(filters[-1]["Filters"]) for filters in rows)] if rows else [])
        return real(self, name, queries, **more)

    monkeypatch.setattr(Jobs, "start", counting)
    assert bulk.apply(plan).counts["deleted"] == 6
    assert asked == [5], "all six in one group; the recording with a note of its own is no single row"


def test_a_hold_just_before_the_group_is_sent_is_seen_by_the_job_itself(bulk: Bulk) -> None:
    dossier, due = organisation(bulk.night)
    plan = bulk.plan()
    meddling = Meddling(bulk.night.connector, lambda: bulk.night.patch("cf_dossiers", dossier, cf_legalhold=True), before="change")
    run = apply_plan(dataclasses.replace(bulk.night.context, connector=meddling), plan.id)
    assert {bulk.states(run)[row] for row in due[1:4]} == {(ActionState.SKIPPED, "HOLD_LEGAL")}
    assert set(due[1:4]) <= bulk.left()
