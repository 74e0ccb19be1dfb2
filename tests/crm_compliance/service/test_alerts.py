"""The service tells people what waits, by itself and once, also where no job can be started."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.service.alerts import TELLER, keep_telling, look
from tests.connectors.channels.receiver import Receiver, receiving
from tests.crm_compliance.nights import Planned
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist


class Once(threading.Event):
    """A service that is stopped at its first rest."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


@pytest.fixture
def hook(typist: Typist) -> Iterator[Receiver]:
    with receiving() as receiver:
        file = typist.folder / "alerts.yaml"
        file.write_text(f"channels:\n  hook: {{type: webhook, url: '{receiver.url}/', language: nl}}\n")
        typist.set(ALERTS=str(file), PUBLIC_URL="https://compliance.example.org/")
        yield receiver


def heard(receiver: Receiver) -> list[dict[str, Any]]:
    """What was told since somebody asked last."""
    found = [line for sent in receiver.sent for line in json.loads(sent.body)["alerts"]]
    receiver.sent.clear()
    return found


def test_what_waits_is_told_with_a_link_and_nobody_is_named(planned_night: Planned, typist: Typist, hook: Receiver) -> None:
    ids, plan = planned_night.units, planned_night.plan
    keep_telling(typist.settings, Once(), NOW)
    body = hook.sent[0].body.decode()
    (told,) = heard(hook)
    assert (told["event"], told["subject"], told["roles"]) == ("plan_to_approve", plan, ["crm_admin", "dpo"])
    assert told["href"] == f"https://compliance.example.org/plans/{plan}"
    assert told["text"].startswith("Een plan om 5 eenheden te verwijderen of te anonimiseren wacht op uw goedkeuring")
    assert not [each for each in ids.values() if each in body]
    keep_telling(typist.settings, Once(), NOW)
    assert heard(hook) == []


def test_two_services_on_one_store_tell_it_once(planned_night: Planned, org: Night, typist: Typist, hook: Receiver) -> None:
    with org.store.leases.exclusive(TELLER):
        keep_telling(typist.settings, Once(), NOW)
    assert heard(hook) == []


def test_a_schedule_that_cannot_be_used_is_told_and_nothing_is_forgotten_meanwhile(
    planned_night: Planned, org: Night, typist: Typist, hook: Receiver
) -> None:
    settings: Settings = typist.settings
    look(settings, org.store, NOW, NOW)
    assert [each["event"] for each in heard(hook)] == ["plan_to_approve"]
    broken = typist.folder / "broken.yaml"
    broken.write_text("version: [")
    for hours in (1, 3):
        look(settings.model_copy(update={"policy": broken}), org.store, NOW + timedelta(hours=hours), NOW)
    assert [(each["event"], each["code"]) for each in heard(hook)] == [("not_well", "SCHEDULE_UNUSABLE")]
    look(settings, org.store, NOW + timedelta(hours=4), NOW)
    assert heard(hook) == []


def test_a_file_that_is_mended_is_used_at_the_next_look(planned_night: Planned, typist: Typist, hook: Receiver) -> None:
    file = typist.folder / "alerts.yaml"
    right = file.read_text()

    class Mended(Once):
        def wait(self, timeout: float | None = None) -> bool:
            if file.read_text() != right:
                file.write_text(right)
                return False
            return super().wait()

    file.write_text("channels: 1\n")
    keep_telling(typist.settings, Mended(), NOW)
    assert [each["event"] for each in heard(hook)] == ["plan_to_approve"]
