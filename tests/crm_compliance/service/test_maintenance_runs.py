"""The maintenance runs, which carry out no plan, as the service makes them at night."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.interface.errors import Unreachable
from crm_compliance.doctor.examine import examine
from crm_compliance.service.one_job import without_crm
from crm_compliance.service.scheduler import run_job
from jobs.model.request import PACKAGE
from jobs.registry import JOBS
from rules.model.requests import Outcome, RequestState
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.requesting import opened, person
from tests.drivers.typist import Typist


def unreachable(*_: object) -> tuple[str, ...]:
    raise Unreachable("the CRM does not answer")


def overdue(typist: Typist) -> str:
    """A request that is late by the time of the test's clock."""
    typist.set(CLOCK="2026-10-01T09:00:00Z")
    request = opened(typist, received_at="2026-10-01T08:00:00Z", given=person(firstname="Kanarie"))
    typist.set(CLOCK="2026-11-25T11:00:00Z")
    return request


def test_the_night_logs_what_is_late_and_nothing_about_anybody(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]
) -> None:
    request = overdue(typist)
    run_job(typist.settings, "requests", threading.Event())
    (alarm,) = [line for line in told() if line["event"] == "alarm"]
    assert (alarm["code"], request in alarm["message"], alarm["level"]) == ("OVERDUE", True, "warning")
    assert (told()[-1]["event"], told()[-1]["state"]) == ("job ended", "done_with_failures")
    assert "Kanarie" not in str(told())


def test_r125_the_night_removes_what_has_had_its_day_also_without_the_crm(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]
) -> None:
    """R-125: the CRM is down, and the package goes all the same."""
    request = overdue(typist)
    row = org.store.requests.get(request)
    sent = msgspec.structs.replace(
        row, state=RequestState.RELEASED, outcome=Outcome.DELIVERED, released_at=datetime(2026, 10, 2, 9, tzinfo=UTC)
    )
    org.store.requests.save(sent, since=row, parts={PACKAGE: b"zip"})
    typist.monkeypatch.setattr("crm_compliance.wiring.desk.checked", unreachable)
    run_job(typist.settings, "requests", threading.Event())
    assert [line["event"] for line in told()] == ["job started", "job failed"]
    assert org.store.requests.part(request, PACKAGE) is None


def test_without_the_crm_other_rounds_do_nothing(typist: Typist, org: Night) -> None:
    before = len(list(org.store.ledger.entries()))
    without_crm(typist.settings, JOBS["housekeeping"], Unreachable("the CRM does not answer"))
    assert len(list(org.store.ledger.entries())) == before


@pytest.mark.parametrize("name", ["requests", "housekeeping"])
def test_nothing_goes_by_a_clock_that_is_not_the_crms(
    typist: Typist, org: Night, name: str, told: Callable[[], list[dict[str, Any]]]
) -> None:
    """What has expired by a machine that is years ahead has not: neither job removes anything, with the
    CRM or without."""
    typist.unset("CLOCK")
    set_faults(org.emulator, {"match": {"path": "api/data"}, "do": "skew", "s": -2 * 365 * 86_400})
    run_job(typist.settings, name, threading.Event())
    assert [line["code"] for line in told() if line["event"] == "job failed"] == ["clock"]
    assert typist.refused("run", name, code=4)["code"] == "clock"  # from here on, logs go to stderr
    opened = {"crm_seen", "key_made", "key_rotated"}  # a key of the organisation's day is replaced where the machine's is a year later
    assert {entry.kind for entry in org.store.ledger.entries()} <= opened, "a store that was opened, and nothing else"


def test_doctor_tells_of_requests_that_are_late(typist: Typist, org: Night) -> None:
    overdue(typist)
    nights = next(check for check in examine(typist.settings, on_wait=None) if check.name == "nights")
    assert "OVERDUE: 1 subject request" in nights.message
