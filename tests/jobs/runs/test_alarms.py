"""What is wrong with a run that went through: units that it keeps leaving (HLD-13, RET-18)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobs.model.plan import Kind
from jobs.model.run import AWAITS_TURN, CONTINUED, TECHNICAL, Action, ActionState, Run, RunState
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.runs.alarms import WORK, alarms_of_run
from jobs.runs.counts import has_failures

FIRST_NIGHT = datetime(2026, 11, 1, 3, tzinfo=UTC)
DONE = ""
PARTIAL = (ActionState.PARTIAL,)
CODES = {"T": TECHNICAL, "W": AWAITS_TURN, "H": "HOLD_LEGAL", "L": LONG_TERM, "P": LONG_TERM, "C": LONG_TERM, "R": "CHANGED", "D": DONE}
FLAGS = {"P": (AWAITS_TURN,), "C": (CONTINUED,), "R": (CONTINUED,)}  # it waits for people who wait for it; what is left of a unit


def action(unit: str, letter: str) -> Action:
    code = CODES[letter]
    flags = FLAGS.get(letter, ())
    state = ActionState.DONE if not code else ActionState.PARTIAL if CONTINUED in flags else ActionState.SKIPPED
    return Action("cf_dossier", unit, "delete", state, code, flags=flags)


def alarms(*units: str, backlog: Collection[str] = ()) -> list[tuple[str, object]]:
    """The alarms of the last of some nights, with how many units each is about. Of each unit the letters say
    what became of it in which night."""
    nights = len(units[0])
    runs = [
        Run(f"run-{n}", Kind.ALL, "plan", RunState.DONE, FIRST_NIGHT + timedelta(days=n), FIRST_NIGHT + timedelta(days=n))
        for n in range(nights)
    ]
    journal = {f"run-{n}": [action(str(at), codes[n]) for at, codes in enumerate(units) if codes[n] in CODES] for n in range(nights)}

    def of_run(run: str, states: Collection[ActionState] = ()) -> list[Action]:
        return [each for each in journal[run] if not states or each.state in states]

    plan: Any = SimpleNamespace(id="plan", crm="crm", alarms=(), backlog=tuple(("cf_dossier", unit) for unit in backlog))
    store = SimpleNamespace(
        plans=SimpleNamespace(all=lambda: [plan]),
        runs=SimpleNamespace(all=lambda: runs[::-1]),
        journal=SimpleNamespace(of_run=of_run, partials=lambda: [(run, each) for run in journal for each in of_run(run, PARTIAL)]),
    )
    context = SimpleNamespace(
        store=store,
        connector=SimpleNamespace(table=lambda record: "contact"),
        policy=SimpleNamespace(watch=SimpleNamespace(technical_runs=3, backlog_days=7)),
    )
    found = alarms_of_run(cast(JobContext, context), plan, runs[-1], journal[runs[-1].id])
    return [(alarm.code, alarm.sentence.facts["units"]) for alarm in found if alarm.sentence is not None]


@pytest.mark.parametrize(
    "nights", ["TTT", "TTTT", "TWTWT", "TWWTWWT"], ids=["in a row", "and again", "every second night", "every third night"]
)
def test_who_is_refused_whenever_it_is_its_turn_needs_an_administrator(nights: str) -> None:
    assert alarms(nights) == [("TECHNICAL", 1)]


@pytest.mark.parametrize("nights", ["TT", "TTW", "TWT", "THTT", "T-TT", "TTH"])
def test_who_is_refused_less_often_in_a_row_does_not(nights: str) -> None:
    assert alarms(nights) == []


def test_of_two_that_take_turns_each_is_told_in_its_night() -> None:
    assert (alarms("TWTWT", "WTWTW"), alarms("TWTWTW", "WTWTWT")) == ([("TECHNICAL", 1)],) * 2


def test_a_unit_that_this_run_left_half_done_is_a_failure_whatever_it_waits_for() -> None:
    assert has_failures([Action("cf_dossier", "0", "delete", ActionState.PARTIAL, LONG_TERM)])


@pytest.mark.parametrize(("left", "told"), [("R", "LEFT_OVER"), ("C", "RETAINED_REST")])
def test_what_is_left_of_a_unit_and_only_waits_is_work_and_no_failure(left: str, told: str) -> None:
    """ERA-15; what it shares a row with in long-term retention may stay for years, and no plan tells of it.
    Whichever run has left it."""
    assert (alarms(left), alarms(f"{left}-"), has_failures([action("0", left)])) == ([(told, 1)], [(told, 1)], told not in WORK)


@pytest.mark.parametrize(
    ("code", "told"), [("W", [("BACKLOG", 1)]), ("T", [("BACKLOG", 1)]), ("P", [("BACKLOG", 1)]), ("L", []), ("H", []), ("D", [])]
)
def test_who_awaits_its_turn_long_past_its_end_is_a_backlog(code: str, told: list[tuple[str, object]]) -> None:
    assert (alarms(code, backlog=["0"]), alarms(code)) == (told, [])
