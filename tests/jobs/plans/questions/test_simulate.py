"""What a simulation says of a later day is what its plans say, where nothing happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from connectors.emulator.serving.server import RunningEmulator, SeedSpec
from jobs.model.plan import PlanLine
from jobs.plans.questions.simulate import Verdict, simulate
from rules.model.records import Contact
from tests.drivers.night import Night


@pytest.mark.parametrize("seed", [1, 2])
def test_a_simulation_of_a_later_day_says_what_its_plans_say(
    make_night: Callable[..., Night], emulator: RunningEmulator, seed: int
) -> None:
    emulator.load(SeedSpec(20, seed, date(2026, 11, 25)).rows())
    nights = [
        make_night(policy=lambda text, months=months: text.replace("max: 200", "max: 9999").replace("months: 6", months))
        for months in ("months: 6", "months: 9")
    ]
    later = nights[0].clock.now + timedelta(days=137 * seed)
    found = simulate(nights[0].context, nights[1].policy, day=later.date())
    plans = []
    for night in nights:
        night.clock.now = later
        plans.append(night.lines(night.plan()))
    people = nights[0].connector.table(Contact)
    for at, lines in enumerate(plans):
        going = [line.table == people for line in lines.values() if line.is_disposal]
        assert (found.going[at] + found.recordings[at], found.contacts[at]) == (going.count(False), going.count(True))
    changed = {unit.id: (said(unit.old), said(unit.new)) for unit in found.changed}
    assert changed
    assert changed == {row: pair for row in changed if (pair := (said(plans[0][row]), said(plans[1][row])))}
    unchanged = plans[0].keys() & plans[1].keys() - changed.keys()
    assert not [row for row in unchanged if plans[0][row].table != people and said(plans[0][row]) != said(plans[1][row])]


def said(line: Verdict | PlanLine) -> tuple[str | None, str | None, str]:
    return line.disposition, line.retention_end, line.reason
