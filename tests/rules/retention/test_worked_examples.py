"""The worked examples D-01 to D-68 of the rules, over the schedule of the tests and over the shipped one."""

from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from rules.dates.calendar import BELGIAN
from rules.model.decisions import Decision, Disposition, Reason
from rules.model.records import Unit
from rules.retention.clocks import clock_of, end_after
from tests.rules.builders import LABELS, POLICY, a_child, a_dossier, a_fiche, a_policy, a_recording, codes, decided, shipped_policy
from tests.wire_days import civil_date

EXAMPLES: dict[str, dict[str, Any]] = YAML(typ="safe").load(
    (Path(__file__).parents[2] / "golden" / "worked-examples.yaml").read_text(encoding="utf-8")
)
ENDING = {name: example for name, example in EXAMPLES.items() if "end" in example and "booked_on" not in example}
ENDLESS = {name: example for name, example in EXAMPLES.items() if "end" not in example}
YEAR_END = {name: example for name, example in EXAMPLES.items() if "booked_on" in example}
SCHEDULES = {"tests": POLICY, "shipped": shipped_policy()}
POLICIES = pytest.mark.parametrize("policy", SCHEDULES)


def a_day(value: object) -> date:
    if isinstance(value, date):
        return value
    text, behaviour = cast("str", value).split()
    return civil_date(text, behaviour)


def the_unit(example: dict[str, Any]) -> Unit:
    days: dict[str, Any] = {
        name: a_day(example[name]) for name in ("started_on", "ended_on", "closed_on", "proceedings_ended_on") if name in example
    }
    if example["categories"] == ["recording"]:
        return a_recording(taken_over=True, **days)
    children = [a_child(f"child-{number}", **_facts(facts)) for number, facts in enumerate(_children(example))]
    fiches = [
        a_fiche(example["categories"][-1], **_facts(told if isinstance(told, dict) else {"communicated_on": told}))
        for told in example.get("fiches", [])
    ]
    return a_dossier(*fiches, children=children, categories=tuple(example["categories"]), outcome=example.get("outcome"), **days)


def _children(example: dict[str, Any]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", example.get("children") or [{"birth_on": born} for born in example.get("born", [])])


def _facts(told: dict[str, Any]) -> dict[str, Any]:
    return {name: a_day(value) if name.endswith("_on") else value for name, value in told.items()}


@cache
def decided_on(day: date, name: str, policy: str) -> Decision:
    """What becomes of an example on a day, which several tests look at."""
    return decided(the_unit(EXAMPLES[name]), day, SCHEDULES[policy])


def test_every_worked_example_of_the_rules_is_here() -> None:
    assert list(EXAMPLES) == [f"D-{number:02d}" for number in range(1, 69)]


@POLICIES
@pytest.mark.parametrize("name", ENDING)
def test_a_worked_example_is_kept_on_its_last_day_and_disposed_of_on_the_next(name: str, policy: str) -> None:
    example = ENDING[name]
    end = example["end"]
    kept = decided_on(end, name, policy)
    assert (kept.disposition, kept.reasons, kept.retention_end) == (Disposition.KEEP, (Reason.NOT_EXPIRED,), end)
    gone = decided_on(end + timedelta(days=1), name, policy)
    assert (gone.is_disposal, gone.reasons, gone.retention_end) == (True, (Reason.EXPIRED,), end)
    assert codes(gone.flags) == example.get("flags", [])
    assert gone.rule == example.get("rule", gone.rule)
    assert gone.disposition == example.get("disposition", gone.disposition)


@pytest.mark.parametrize("name", ENDING)
def test_a_worked_example_expires_at_its_instant_and_not_a_second_before(name: str) -> None:
    example = ENDING[name]
    instant = datetime.fromisoformat(example["expires"])
    assert BELGIAN.end(example["end"]) == instant
    assert decided_on(BELGIAN.day(instant), name, "tests").is_disposal
    assert not decided_on(BELGIAN.day(instant - timedelta(seconds=1)), name, "tests").is_disposal


@POLICIES
@pytest.mark.parametrize("name", ENDLESS)
def test_a_worked_example_without_end_is_kept_and_says_why(name: str, policy: str) -> None:
    decision = decided_on(date(2026, 11, 25), name, policy)
    assert (decision.disposition, decision.retention_end) == (Disposition.KEEP, None)
    assert ENDLESS[name]["reason"] in codes(decision.reasons)


@pytest.mark.parametrize("name", YEAR_END)
def test_a_donation_is_kept_until_the_end_of_the_year_that_a_controller_sets(name: str) -> None:
    row = {"type": "end_of_calendar_year_after", "years": 10, "anchor": "booked_on", "disposition": "delete", "unit": "donation"}
    policy = a_policy({"donor_payment": {**row, "labels": LABELS}})
    clock = clock_of("donor_payment", policy.categories["donor_payment"], review_months=60)
    end = end_after(clock, a_day(YEAR_END[name]["booked_on"]))
    assert (end, BELGIAN.end(end)) == (YEAR_END[name]["end"], datetime.fromisoformat(YEAR_END[name]["expires"]))


@pytest.mark.parametrize(
    ("name", "instant", "is_expired"),
    [
        ("D-30", "2026-02-28T22:59:59Z", False),
        ("D-30", "2026-02-28T23:00:00Z", True),
        ("D-15", "2026-03-29T21:59:59Z", False),
        ("D-15", "2026-03-29T22:00:00Z", True),
        ("D-17", "2026-10-25T22:59:59Z", False),
        ("D-17", "2026-10-25T23:00:00Z", True),
    ],
)
def test_the_boundary_is_the_instant_at_which_a_day_begins_in_brussels(name: str, instant: str, is_expired: bool) -> None:
    as_of = BELGIAN.day(datetime.fromisoformat(instant))
    assert decided_on(as_of, name, "tests").is_disposal is is_expired
