"""alerts list and alerts test as they are typed, and what `doctor` says of channels."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from crm_compliance.service.alerts import look
from tests.connectors.channels.receiver import Receiver, receiving
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases

FILE = """\
channels:
  hook: {{type: webhook, url: "{url}/hook"}}
  teams: {{type: teams, url: "{url}/teams"}}
  switch: {{type: ping, url: "{url}/ping"}}
"""


@pytest.fixture
def receiver(typist: Typist) -> Iterator[Receiver]:
    with receiving() as found:
        file = typist.folder / "alerts.yaml"
        file.write_text(FILE.format(url=found.url))
        typist.set(ALERTS=str(file))
        yield found


def test_a_test_goes_to_each_channel_and_no_night_is_counted(typist: Typist, receiver: Receiver) -> None:
    found = typist.ask("alerts", "test")
    assert found["ok"] is True
    assert [(row["channel"], row["type"], row["ok"]) for row in found["channels"]] == [
        ("hook", "webhook", True),
        ("teams", "teams", True),
        ("switch", "ping", True),
    ]
    assert [sent.path for sent in receiver.sent] == ["/hook", "/teams"]
    assert json.loads(receiver.sent[0].body)["type"] == "test"
    receiver.sent.clear()
    assert typist.ask("alerts", "test", "--channel", "teams")["ok"] is True
    assert [sent.path for sent in receiver.sent] == ["/teams"]
    assert "nothing was sent" in typist.type("alerts", "test", "--channel", "switch").out


def test_one_that_does_not_take_it_is_exit_6_and_stays_known(org: Night, typist: Typist, receiver: Receiver) -> None:
    receiver.answers = [401]
    assert typist.refused("alerts", "test", "--channel", "", code=2)["where"] == "--channel"  # an unset variable is not all of them
    found = typist.ask("alerts", "test", "--channel", "hook", code=6)
    assert (found["ok"], found["channels"][0]["code"]) == (False, "channel_refused")
    (row, *_) = typist.ask("alerts", "list")["channels"]
    assert (row["channel"], row["failed"], row["code"], row["failing_since"]) == ("hook", 1, "channel_refused", "2026-11-25T11:00:00Z")
    assert typist.ask("alerts", "test", "--channel", "hook")["ok"] is True
    assert typist.ask("alerts", "list")["channels"][0]["failing_since"] is None


def test_the_list_says_what_was_told_to_whom(org: Night, typist: Typist, receiver: Receiver) -> None:
    people_and_cases(org)
    plan = typist.ask("plan")["plan"]
    before = typist.ask("alerts", "list")["waiting"]
    assert [(each["target"], each["subject"], each["told_at"], each["times"]) for each in before] == [
        ("hook", plan, None, 0),
        ("teams", plan, None, 0),
    ]
    look(typist.settings, org.store, NOW, NOW)
    assert {each["told_at"] for each in typist.ask("alerts", "list")["waiting"]} == {"2026-11-25T11:00:00Z"}
    assert plan in typist.type("alerts", "list").out


def test_what_is_not_there_is_told(typist: Typist, receiver: Receiver) -> None:
    error = typist.refused("alerts", "test", "--channel", "hooks", code=2)
    assert "did you mean hook?" in error["message"]
    typist.unset("ALERTS")
    assert typist.refused("alerts", "list", code=2)["where"] == "ALERTS"
    assert typist.refused("alerts", "test", code=2)["where"] == "ALERTS"


def test_doctor_looks_at_the_channels_and_sends_nothing(org: Night, typist: Typist, receiver: Receiver) -> None:
    def check() -> dict[str, object]:
        document = typist.type("doctor", "--json").document
        return next(each for each in document["checks"] if each["name"] == "alerts")

    assert check()["ok"] is True
    assert receiver.sent == []
    (typist.folder / "alerts.yaml").write_text("channels:\n  mail: {type: email}\n")
    found = check()
    assert found["ok"] is False
    assert "alerts.yaml:2" in str(found["message"])
