"""Two clocks that disagree: exit 4 with code `clock`, before anything is planned or written."""

import socket
from pathlib import Path

import pytest

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.wiring import clock
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import Typist, limited, without_first_look

pytestmark = pytest.mark.usefixtures("real_definitions")  # any answer may tell another time
DAYS = 86_400


def everything_is_off(crm: RunningEmulator, seconds: float) -> None:
    set_faults(crm, {"do": "skew", "s": seconds})


@pytest.mark.parametrize("seconds", [-1_000 * DAYS, -400, 400])
def test_a_clock_that_is_off_stops_every_plan(typist: Typist, org: Night, crm: RunningEmulator, seconds: float) -> None:
    typist.unset("CLOCK")
    everything_is_off(crm, seconds)
    assert typist.refused("plan", code=4)["code"] == "clock"
    assert typist.ask("plans", "list") == []


def test_a_clock_that_goes_off_after_the_plan_stops_it_before_the_first_write(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    typist.unset("CLOCK")
    without_first_look(typist)
    fiche = org.fiche("social_card")
    plan = typist.ask("plan")
    assert plan["dispose"]["delete"] == 1
    before = org.writes()
    everything_is_off(crm, -1_000 * DAYS)
    assert typist.refused("apply", plan["plan"], code=4)["code"] == "clock"
    assert (org.writes(), typist.ask("history", "list")) == (before, [])
    set_faults(crm)
    assert typist.ask("apply", plan["plan"])["deleted"] == 1
    assert org.get("cf_fiches", fiche) is None


def test_an_answer_in_ten_that_is_two_hours_ahead_changes_nothing(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    typist.unset("CLOCK")
    without_first_look(typist)
    org.fiche("social_card")
    set_faults(crm, {"match": {"every": 10}, "do": "skew", "s": 7_200})
    assert typist.ask("run", "retention")["deleted"] == 1


def test_nobody_approves_by_a_clock_that_is_off_but_anybody_may_reject(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    typist.unset("CLOCK")
    without_first_look(typist)
    limited(typist, max=0)
    org.fiche("social_card")
    plan = typist.ask("plan", "--as", "anna.a")["plan"]
    everything_is_off(crm, 400)
    approve = ("plans", "approve", plan, "--as", "ben.b", "--role", "crm_admin")
    assert typist.refused(*approve, code=4)["code"] == "clock"
    assert typist.ask("plans", "show", plan)["approvals"]["given"] == []
    set_faults(crm, {"do": "status", "status": 403})
    assert typist.ask(*approve)["state"] == "waiting"  # who cannot be asked says nothing against it
    everything_is_off(crm, 400)
    assert typist.ask("plans", "reject", plan, "--as", "cleo.c", "--role", "dpo", "--comment", "no")["state"] == "rejected"


@pytest.mark.parametrize("lacks", ["mapping", "token", "answer", "allowance"])
def test_a_crm_that_cannot_be_asked_soon_hinders_no_approval(
    typist: Typist, org: Night, crm: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    """What an approval allows reads the mapping, presents a token, waits, and compares the clocks."""
    typist.unset("CLOCK")
    without_first_look(typist)
    limited(typist, max=0)
    org.fiche("social_card")
    plan = typist.ask("plan", "--as", "anna.a")["plan"]
    monkeypatch.setattr(clock, "PATIENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        if lacks == "mapping":
            (tmp_path / "broken.yaml").write_text("tables: [")
            typist.set(MAPPING=str(tmp_path / "broken.yaml"))
        elif lacks == "token":
            typist.unset("CRM_TOKEN")
        elif lacks == "answer":
            monkeypatch.setattr(
                "crm_compliance.configuration.settings.Settings.needed_crm_url",
                f"http://127.0.0.1:{silent.getsockname()[1]}/api/data/v9.2/",
            )
        else:
            set_faults(crm, {"do": "status", "status": 429, "retry_after": 240})
        assert typist.ask("plans", "approve", plan, "--as", "ben.b", "--role", "crm_admin")["state"] == "waiting"
