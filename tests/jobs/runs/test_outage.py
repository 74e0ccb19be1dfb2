"""An outage of the CRM in the middle of a run costs time and no unit; a run is as patient with writes as with
reads."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.pace.gate import STEP_S
from connectors.interface.errors import ConnectorError
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.checks.kill_switch import resume, stop
from jobs.model.plan import Kind, Plan
from jobs.model.run import Run, RunState
from jobs.nightly.retention import plan_and_apply
from jobs.runs.apply import apply_plan
from rules.errors import Refused
from tests.drivers.beginnings import Beginning
from tests.drivers.connecting import connect
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.jobs.residual.cleaning import fault
from tests.jobs.runs.test_last_truth import an_organisation

pytestmark = pytest.mark.usefixtures("real_definitions")  # the CRM may be away at any request
PATIENCE_S = 1_800.0


class Patient:
    """A night whose client has the patience of a run, in virtual time; what is to happen after so many
    seconds of it, happens."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.naps: list[float] = []
        self.ends_after_s = float("inf")
        self.stops_after_s = float("inf")
        text, source = mapping_text(Settings())
        url = night.emulator.url
        self.connector: DynamicsConnector = connect(
            url=url, tokens=StaticToken(TOKEN, url), mapping_text=text, mapping_source=source, sleep=self._nap, patience_s=PATIENCE_S
        )
        night.connector.close()
        night.connector = self.connector

    def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        if sum(self.naps) >= self.stops_after_s:
            stop(self.night.store, self.night.clock())
        if sum(self.naps) >= self.ends_after_s:
            self.ends_after_s = float("inf")
            fault(self.night)

    def apply(self, *rules: dict[str, Any], ends_after_s: float = float("inf")) -> Run:
        an_organisation(self.night)
        return self.carry_out(self.night.approved(self.night.plan()), *rules, ends_after_s=ends_after_s)

    def carry_out(self, plan: Plan, *rules: dict[str, Any], ends_after_s: float = float("inf")) -> Run:
        self.naps.clear()
        self.ends_after_s = ends_after_s
        fault(self.night, *rules)
        return apply_plan(self.night.context, plan.id)


@pytest.fixture
def patient(night: Night) -> Patient:
    return Patient(night)


def all_is_done(run: Run) -> bool:
    counts = run.counts
    return (run.state, counts["partial"], counts["failed"], counts["skipped"]) == (RunState.DONE, 0, 0, {})


@pytest.mark.parametrize("kind", ["status", "cut_before", "cut_after"])
def test_an_outage_of_ten_minutes_between_two_writes_loses_no_unit(patient: Patient, kind: str) -> None:
    run = patient.apply({"match": {"method": "POST", "path": "$batch"}, "do": kind}, ends_after_s=600)
    assert all_is_done(run), run.counts
    if kind != "cut_after":  # that was carried out, as reading back tells
        assert 600 <= sum(patient.naps) <= 700


def test_an_outage_of_everything_loses_no_unit(patient: Patient) -> None:
    run = patient.apply({"match": {"path": "api/data"}, "do": "status", "status": 503}, ends_after_s=600)
    assert all_is_done(run), run.counts


def test_sixty_answers_of_503_to_writes_lose_no_unit(patient: Patient) -> None:
    run = patient.apply({"match": {"method": "POST", "path": "$batch"}, "times": 60, "do": "status", "status": 503})
    assert all_is_done(run), run.counts
    assert len(patient.naps) >= 60


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncate", "status"])
def test_every_third_request_that_fails_costs_time_only(
    make_night: Callable[..., Night], database_file: Callable[[], str], kind: str, subtests: pytest.Subtests
) -> None:
    """Of each kind of requests; all begin at one planned organisation."""
    night = make_night(url=(url := database_file()))
    an_organisation(night)
    plan = night.approved(night.plan())
    beginning = Beginning(night, url)
    for method, path in (("GET", ""), ("POST", "$batch"), ("POST", "BulkDelete"), ("DELETE", "asyncoperations")):
        again = beginning.again(make_night, database_file())
        with subtests.test(f"{method} {path}"):
            match = {"method": method, "path": path, "every": 3 if path != "BulkDelete" else 2}
            run = Patient(again).carry_out(plan, {"match": match, "do": kind})
            assert all_is_done(run), run.counts
        again.close()
        again.store.close()
    beginning.close()


def test_a_unit_by_which_the_crm_stumbles_holds_up_nobody_for_half_an_hour(patient: Patient) -> None:
    """Its change set alone is answered with an error, each time."""
    run = patient.apply({"match": {"method": "DELETE", "path": "cf_dossiers("}, "do": "status", "status": 500})
    assert (run.state, run.counts["failed"]) == (RunState.DONE_WITH_FAILURES, 2)
    assert sum(patient.naps) < 10


def test_a_crm_that_is_really_dead_ends_the_run_within_the_patience(patient: Patient) -> None:
    began = time.monotonic()
    with pytest.raises(ConnectorError) as caught:
        patient.apply({"match": {"path": "api/data"}, "do": "status", "status": 503})
    assert caught.value.exit_code == 4
    took_s = time.monotonic() - began  # the seconds that the test itself takes count too
    assert PATIENCE_S - took_s <= sum(patient.naps) <= PATIENCE_S + 60


@pytest.mark.parametrize(
    "rule",
    [
        {"match": {"path": "api/data"}, "do": "status", "status": 503},
        {"match": {"path": "api/data"}, "do": "status", "status": 503, "retry_after": 250},
        {"match": {"path": "api/data"}, "do": "status", "status": 429, "retry_after": 250},
        {"match": {"method": "POST", "path": "$batch"}, "do": "cut_before"},
        {"match": {"method": "POST", "path": "$batch"}, "do": "status", "status": 429, "retry_after": 250},
    ],
    ids=["down", "down for minutes", "throttled", "no writes", "writes throttled"],
)
def test_a_stop_ends_a_wait_for_the_crm_at_its_next_step(patient: Patient, rule: dict[str, Any]) -> None:
    """Whoever says stop waits for seconds, not for as long as an outage may last; the run goes on where it
    was."""
    patient.stops_after_s = 60.0
    with pytest.raises(Refused) as caught:
        patient.apply(rule)
    assert (caught.value.code, caught.value.exit_code) == ("stopped", 5)
    assert sum(patient.naps) <= 60.0 + STEP_S
    assert max(patient.naps) <= STEP_S
    patient.stops_after_s = float("inf")
    fault(patient.night)
    assert resume(patient.night.store)
    (run,) = patient.night.store.runs.all()
    assert all_is_done(apply_plan(patient.night.context, run.plan))


def test_a_stop_ends_the_wait_of_a_night_that_is_planning(patient: Patient) -> None:
    fault(patient.night, {"match": {"path": "cf_fiches"}, "do": "status", "status": 503})
    patient.stops_after_s = 60.0
    with pytest.raises(Refused) as caught:
        plan_and_apply(patient.night.context, Kind.RETENTION)
    assert caught.value.code == "stopped"
    assert sum(patient.naps) <= 60.0 + STEP_S
    assert patient.night.store.plans.all() == []
