"""Rows that a restore has brought back, and the replay that disposes of them again."""

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

from jobs.model.plan import Plan
from jobs.model.run import Run
from jobs.restores.replay import replay
from jobs.restores.replay_plan import plan_replay
from tests.drivers.night import Night

MakeNight = Callable[..., Night]


LONG_AGO = date(2018, 3, 1)


def made_again(night: Night, make: Callable[[Night], Any]) -> Any:
    """Empty the CRM and make rows with the ids of then."""
    night.http.post(f"{night.emulator.root}/_emulator/reset", json={"empty": True}).raise_for_status()
    night.ids = Random(1)
    return make(night)


def replayed(night: Night) -> Run:
    return replay(night.context)


def replay_plan(night: Night) -> Plan:
    plan = plan_replay(night.context)
    assert plan is not None
    return plan


def entries(night: Night, kind: str) -> list[dict[str, object]]:
    return [entry.data for entry in night.store.ledger.entries() if entry.kind == kind]
