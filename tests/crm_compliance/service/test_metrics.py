"""`/metrics`: what Prometheus reads of the service, and who may read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from crm_compliance.configuration.hours import last_hour
from crm_compliance.service.health import Health
from crm_compliance.service.metrics import Metrics
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.server import listening
from crm_compliance.wiring.schedule import calendar_of, policy_of
from rules.dates.calendar import BRUSSELS
from tests.crm_compliance.web import serving
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.requesting import a_form, written
from tests.drivers.typist import Typist, people_and_cases
from tests.rules.holds.placed_holds import a_hold

LABELS: Final = {"channel", "code", "job", "kind", "outcome", "reason", "stage", "state", "table", "within"}  # what a label can be
Read = Callable[..., dict[tuple[str, str], float]]


@pytest.fixture
def read(org: Night, typist: Typist) -> Read:
    """The figures at a moment, by name and the values of the labels, as Prometheus reads them."""

    def at(now: datetime = NOW) -> dict[tuple[str, str], float]:
        settings = typist.settings
        health = Health(settings, org.store.runs, lambda: now, NOW, BRUSSELS)
        metrics = Metrics(settings, org.store, lambda: now, health, calendar_of(settings), lambda: policy_of(settings))
        found = {}
        for family in text_string_to_metric_families(metrics.text().decode()):
            for sample in family.samples:
                assert set(sample.labels) <= LABELS, sample
                found[sample.name.removeprefix("crm_compliance_"), " ".join(sample.labels.values())] = sample.value
        return found

    return at


def test_a_service_that_has_done_nothing_has_figures(read: Read) -> None:
    found = read()
    assert found["well", ""] == 1
    assert found["late_seconds", "retention"] == 0
    assert found["requests_due", "overdue"] == 0


def test_figures_tell_what_a_night_did_and_what_waits(org: Night, typist: Typist, read: Read) -> None:
    ids = people_and_cases(org)
    form = a_form(received_at=(NOW - timedelta(days=45)).isoformat())
    request = typist.ask("requests", "open", written(typist.folder, form))["request"]
    waiting = typist.ask("plan", "--kind", "all")["plan"]
    assert read()["plans", "waiting"] == 1
    run = typist.ask("apply", waiting)
    typist.ask("run", "requests", code=6)  # an answer is overdue
    found = read(NOW + timedelta(days=3))
    assert found["runs_total", "all done"] == 1
    assert found["runs_total", "requests done_with_failures"] == 1
    assert found["units_total", "all deleted"] == run["deleted"] > 0
    assert found["units_total", "all anonymised"] == run["anonymised"] > 0
    assert found["plan_units", "all retain OPEN_DOSSIER"] == 1
    assert found["requests_due", "overdue"] == 1
    assert found["requests_open", "received"] == 1
    assert found["waiting", "request_step overdue"] == 1
    assert found["not_well", "RETENTION_LATE"] == 1
    assert found["well", ""] == 0
    assert found["late_seconds", "retention"] > 2 * 3600
    assert found["last_success_timestamp_seconds", "retention"] == found["last_end_timestamp_seconds", "retention"]
    assert ("last_success_timestamp_seconds", "requests") not in found
    assert found["crm_requests_total", "requests"] > 0
    text = " ".join(label for _, label in found)
    for secret in (*ids.values(), request, waiting, run["run"]):  # nothing in them leads to anybody
        assert secret not in text


def test_a_hold_past_its_last_day_is_not_in_force(org: Night, read: Read) -> None:
    for hold in (a_hold(), a_hold(id="hold-2", ends_on=NOW.date()), a_hold(id="hold-3", ends_on=NOW.date() - timedelta(days=1))):
        org.store.holds.place(hold, ("hold_placed", {}))
    assert (read()["holds", ""], read(NOW + timedelta(days=1))["holds", ""]) == (2, 1)


def test_figures_of_a_store_that_cannot_be_read_say_so(org: Night, read: Read) -> None:
    org.store.database.close()
    org.store.database.engine.dispose()
    with org.store.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE crm_use")
    found = read()
    assert (found["well", ""], found["not_well", "STORE_UNREADABLE"]) == (0, 1)
    assert not [name for name, _ in found if name.startswith("runs")]


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {}, 200),
        ("", {"X-Forwarded-For": "192.0.2.1"}, 404),  # somebody else asks, by a proxy on this machine
        ("", {"X-Forwarded-Proto": "https"}, 404),  # the same, by one that says no more
        ("", {"Host": "compliance.example.org"}, 404),
        ("hunter2-canary", {}, 404),
        ("hunter2-canary", {"Authorization": "Bearer hunter2"}, 404),
        ("hunter2-canary", {"Authorization": "Bearer hunter2-canary", "X-Forwarded-For": "192.0.2.1"}, 200),
        ("sleutel-é", {"Authorization": "Bearer sleutel-é".encode()}, 200),
    ],
)
def test_figures_are_for_this_machine_or_for_who_has_the_token(token: str, headers: dict[str, str | bytes], status: int) -> None:
    downloads: Any = None  # nobody asks for a package here
    hosts = ("127.0.0.1", "compliance.example.org")
    app = app_of(downloads, hosts=hosts, metrics=lambda: b"crm_compliance_well 1.0\n", metrics_token=token)
    with listening(0) as listener, serving(app, listener) as root:
        answer = requests.get(f"{root}/metrics", headers=headers, timeout=10)
    assert answer.status_code == status
    assert (b"crm_compliance_well" in answer.content) == (status == 200)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_last_hour_of_a_monthly_and_of_a_yearly_line_is_found() -> None:
    at = datetime(2026, 11, 25, 9, tzinfo=UTC)
    found = [last_hour(cron, at, BRUSSELS) for cron in ("0 3 1 * *", "0 3 1 1 *", "0 3 29 2 *")]
    assert found == [datetime(2026, 11, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 2, tzinfo=UTC), None]


def test_a_channel_that_fails_is_seen_and_one_that_is_no_more_is_not(org: Night, typist: Typist, read: Read) -> None:
    file = typist.folder / "alerts.yaml"
    file.write_text("channels:\n  hook: {type: webhook, url: 'https://hooks.example.org/'}\n")
    typist.set(ALERTS=str(file))
    for name in ("hook", "gone"):
        org.store.told.failed(name, NOW, "channel_refused")
    found = read()
    assert found["alert_channel_failing", "hook"] == 1
    assert found["alert_messages_total", "hook failed"] == 1
    assert not [labels for name, labels in found if "gone" in labels]
    file.write_text("channels: 1")
    assert ("alert_channel_failing", "hook") not in read(), "and all other figures are there"
    assert ("stopped", "") in read()
