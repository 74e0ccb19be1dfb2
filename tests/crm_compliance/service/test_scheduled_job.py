"""One job as the scheduler starts it: what the log says of it, and what ends it but not the service."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crm_compliance.service.scheduler import missed, run_job
from jobs.model.outcome import Outcome
from jobs.model.run import RunState
from jobs.registry import JOBS
from tests.crm_compliance.service.test_missed_hours import CRON
from tests.crm_compliance.service.test_scheduler import BRUSSELS
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist, limited, people_and_cases, without_first_look

pytestmark = pytest.mark.usefixtures("real_definitions")  # the CRM may be away at any request


def test_a_job_runs_and_says_how_it_ended(typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]) -> None:
    cases = people_and_cases(org)
    without_first_look(typist)
    for name in ("recordings", "retention"):
        run_job(typist.settings, name, threading.Event())
    assert org.get("cf_recordings", cases["recording"]) is None
    assert org.get("cf_dossiers", cases["delete"]) is None
    assert [(line["event"], line["job"], line.get("state")) for line in told()] == [
        ("job started", "recordings", None),
        ("job ended", "recordings", "done"),
        ("job started", "retention", None),
        ("job ended", "retention", "done"),
    ]
    assert [line["run"] for line in told() if "run" in line] == [run.id for run in reversed(org.store.runs.all())]


def test_a_crm_that_is_down_ends_the_night_and_not_the_service(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]
) -> None:
    typist.set(CRM_TOKEN="wrong")
    run_job(typist.settings, "retention", threading.Event())
    last = told()[-1]
    assert (last["event"], last["level"], last["code"]) == ("job failed", "error", "crm_unauthorised")
    assert "dropped" not in last


def test_a_refused_night_names_the_plan_that_waits(typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]) -> None:
    limited(typist, max=1)
    for _ in range(2):
        org.dossier("social_card", spoken=LONG_AGO)
    before = org.writes()
    run_job(typist.settings, "retention", threading.Event())
    last = told()[-1]
    assert (last["event"], last["level"], last["code"], last["plan"]) == ("job refused", "warning", "breaker", org.store.plans.all()[0].id)
    assert org.writes() == before


def test_a_stopped_night_is_skipped_and_logged(typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]) -> None:
    org.dossier("social_card", spoken=LONG_AGO)
    without_first_look(typist)
    typist.ask("stop")
    before = org.writes()
    run_job(typist.settings, "retention", threading.Event())
    last = told()[-1]
    assert (last["event"], last["level"], last["code"]) == ("job refused", "warning", "stopped")
    assert (org.store.plans.all(), org.writes()) == ([], before)


def test_alarms_stand_in_the_log_by_their_codes(typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]) -> None:
    org.dossier("social_card", spoken=LONG_AGO)
    path = without_first_look(typist)
    run_job(typist.settings, "retention", threading.Event())
    with path.open("a", encoding="utf-8") as policy:
        policy.write("watch: {no_run_hours: 24}\n")
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    typist.set(CLOCK=(NOW + timedelta(hours=1)).isoformat())
    typist.ask("plan", "--kind", "retention")
    org.http.delete(f"{org.emulator.url}cf_dossiers({dossier})").raise_for_status()
    for fiche in org.rows("cf_fiches?$select=cf_ficheid"):
        org.http.delete(f"{org.emulator.url}cf_fiches({fiche['cf_ficheid']})").raise_for_status()
    typist.set(CLOCK=(NOW + timedelta(days=2)).isoformat())
    run_job(typist.settings, "retention", threading.Event())
    alarms = [(line["code"], line["level"]) for line in told() if line["event"] == "alarm"]
    assert alarms == [("NO_RUN", "warning"), ("NOTHING_DUE", "warning")]
    assert told()[-1]["state"] == "done_with_failures"


def test_a_bug_ends_the_night_and_says_nothing_of_what_was_in_hand(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> Outcome:
        raise ValueError("Lotte Peeters")

    monkeypatch.setitem(JOBS, "retention", replace(JOBS["retention"], run=broken))
    run_job(typist.settings, "retention", threading.Event())
    last = told()[-1]
    assert (last["event"], last["kind"]) == ("job failed by a bug", "ValueError")
    assert "Lotte" not in str(told())


def test_a_policy_that_was_broken_meanwhile_ends_the_night(typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]) -> None:
    path = limited(typist)
    path.write_text("name: [", encoding="utf-8")
    run_job(typist.settings, "retention", threading.Event())
    assert (told()[-1]["event"], told()[-1]["code"]) == ("job failed", "policy")


def test_a_stop_in_the_middle_leaves_a_run_that_goes_on(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group in hand is finished and journalled; the next start takes the run over, and it ends like any
    other."""
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    without_first_look(typist)
    for _ in range(4):
        org.dossier("social_card", spoken=LONG_AGO)
    stop = threading.Event()
    _stop_at(2, stop, monkeypatch)
    run_job(typist.settings, "retention", stop)
    assert told()[-1]["event"] == "job stopped"
    (run,) = org.store.runs.all()
    assert run.state is RunState.RUNNING
    assert [action.state.value for action in org.store.journal.of_run(run.id)] == ["removed", "removed"]
    assert missed(org.store, "retention", CRON, NOW, BRUSSELS) is True
    run_job(typist.settings, "retention", threading.Event())
    after = org.store.runs.get(run.id)
    assert (after.state, after.counts["deleted"]) == (RunState.DONE, 4)
    assert org.rows("cf_dossiers") == []


def _stop_at(nth: int, stop: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the service to stop while the nth change is under way."""
    from connectors.dynamics.connector import DynamicsConnector

    before, calls = DynamicsConnector.change, []

    def change(self: DynamicsConnector, change_sets: Any, held: Any = None) -> Any:
        calls.append(1)
        if len(calls) == nth:
            stop.set()
        return before(self, change_sets, held)

    monkeypatch.setattr(DynamicsConnector, "change", change)
