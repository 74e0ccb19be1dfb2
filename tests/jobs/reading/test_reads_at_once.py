"""A plan whose reads go on at the same time, in ranges, is the plan of one page after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from connectors.dynamics.reading import ranges
from connectors.emulator.serving.server import RunningEmulator, SeedSpec, running
from connectors.interface.errors import ReadIncomplete
from jobs.model.plan import Plan
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.known_definitions import KNOWN

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    seed = SeedSpec(dossiers=60, seed=3, as_of=date(2026, 11, 25))
    with running(seed=seed, token=TOKEN, limits=False) as started, KNOWN.of(started, TOKEN):
        yield started


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "RANGE_ROWS", 25)


def lines(night: Night, plan: Plan) -> list[bytes]:
    return list(night.store.plans.pages(plan.id))


def test_the_plan_is_the_same_byte_by_byte(make_night: Callable[..., Night]) -> None:
    one, several = make_night(NOW, page_size=40), make_night(NOW, page_size=40, reads=5, remembering=True)
    for days in (0, 1, 8):  # one chain a table, by changes, in ranges
        one.clock.now = several.clock.now = NOW + timedelta(days=days)
        assert lines(several, several.plan()) == lines(one, one.plan())
    assert several.connector.stats.rows > one.connector.stats.rows * 0.6  # the eighth day read all of it again


@pytest.mark.parametrize("seed", range(3))
def test_what_people_do_meanwhile_changes_the_lines_of_what_they_touch_alone(make_night: Callable[..., Night], seed: int) -> None:
    one, several = make_night(NOW, page_size=40), make_night(NOW, page_size=40, reads=5, remembering=True)
    before = several.lines(several.plan())
    one.clock.now = several.clock.now = NOW + timedelta(days=8)
    random, alone, seen = Random(seed), threading.Lock(), set[str]()
    left = {each: [row[f"{each[:-1]}id"] for row in one.rows(f"{each}?$select={each[:-1]}id")] for each in ("cf_dossiers", "contacts")}
    inner = several.connector._transport.get

    def get(address: str, **more: Any) -> Any:
        with alone:
            if address not in seen and random.random() < 0.3:  # what is asked for again comes in peace
                table = random.choice(sorted(left))
                row = left[table].pop(random.randrange(len(left[table])))
                act = random.choice(("delete", "change", "create"))
                if act == "create":
                    one.dossier("e_safety", spoken=date(2020, 1, 10))
                elif act == "delete":  # refused where something keeps it, which is as well
                    one.http.delete(f"{one.emulator.url}{table}({row})")
                else:
                    one.patch(table, row, **({"cf_legalhold": True} if table == "cf_dossiers" else {"lastname": "Peeters (fictief)"}))
            seen.add(address)
        return inner(address, **more)

    several.connector._transport.get = get  # type: ignore[method-assign]
    during = planned(several)
    several.connector._transport.get = inner  # type: ignore[method-assign]
    one.clock.now = several.clock.now = NOW + timedelta(days=9)
    afterwards = several.plan()
    assert lines(several, afterwards) == lines(one, one.plan())
    after = several.lines(afterwards)
    untouched = [row for row, line in before.items() if after.get(row) == line]
    assert len(untouched) > 100
    assert any("createdon%20lt" in address for address in seen)
    assert [row for row in untouched if during.get(row) != before[row]] == []


def planned(night: Night) -> dict[str, Any]:
    """The lines of a plan; a table that was written into twice while it was read is not a plan at all."""
    for _ in range(6):
        try:
            return night.lines(night.plan())
        except ReadIncomplete:
            continue
    raise AssertionError("no read came to its end")
