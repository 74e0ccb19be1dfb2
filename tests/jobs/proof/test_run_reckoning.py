"""Every unit read has one outcome, and the outcomes add up (ACC-03, R-143)."""

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from jobs.model.plan import PlanLine
from jobs.model.run import Action, ActionState
from jobs.proof.run_reckoning import Completeness, reckon
from rules.dates.calendar import BELGIAN
from tests.crm_compliance.store.values import a_plan


def line(unit: str, reason: str, end: str | None, disposition: str | None = None) -> PlanLine:
    outcome = "dispose" if disposition else "retain"
    return PlanLine("cf_dossier", unit, outcome, disposition, end, reason, (reason,), (), (), "RET-08", "2026.1", "W/1")


def action(unit: str, state: ActionState) -> Action:
    return Action("cf_dossier", unit, "delete", state)


def test_each_outcome_is_counted_once_and_units_past_their_end_add_up() -> None:
    lines = [
        line("gone", "EXPIRED", "2026-03-01", "delete"),
        line("half", "EXPIRED", "2026-03-01", "anonymise"),
        line("changed", "EXPIRED", "2026-03-01", "delete"),
        line("failed", "EXPIRED", "2026-03-01", "delete"),
        line("never reached", "EXPIRED", "2026-03-01", "delete"),
        line("held", "HOLD_JUDICIAL", "2020-01-01"),
        line("held, not past", "HOLD_LEGAL", "2030-01-01"),
        line("open", "OPEN_DOSSIER", "2026-03-01"),
        line("last day", "NOT_EXPIRED", "2026-03-02"),
        line("no term", "NO_TERM", None),
        line("contact", "EXPIRED", None, "delete"),
    ]
    states = {"gone": "done", "half": "partial", "changed": "skipped", "failed": "failed", "contact": "done", "beside": "done"}
    found = reckon(a_plan(), lines, [action(unit, ActionState(state)) for unit, state in states.items()], BELGIAN)
    assert found.outcomes == {
        "disposed": 2,
        "partial": 1,
        "skipped": 3,
        "retained:HOLD_JUDICIAL": 1,
        "retained:HOLD_LEGAL": 1,
        "retained:NOT_EXPIRED": 1,
        "retained:NO_TERM": 1,
        "retained:OPEN_DOSSIER": 1,
    }
    assert found.past_end == {"units": 7, "disposed": 1, "partial": 1, "skipped": 3, "held": 1, "open": 1}
    assert (found.units, found.adds_up) == (11, True)


reasons = st.sampled_from(["NOT_EXPIRED", "OPEN_DOSSIER", "HOLD_LEGAL", "NO_TERM"])
kept = st.builds(lambda reason, end: (reason, end, None), reasons, st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(str))
going = st.builds(lambda end: ("EXPIRED", end, "delete"), st.none() | st.dates(date(2020, 1, 1), date(2026, 3, 1)).map(str))


@given(st.lists(kept | going, max_size=12), st.data())
def test_the_outcomes_always_add_up(facts: list[tuple[str, str | None, str | None]], draw: st.DataObject) -> None:
    lines = [line(str(n), *fact) for n, fact in enumerate(facts)]
    states = draw.draw(st.dictionaries(st.integers(0, 15).map(str), st.sampled_from(ActionState)))
    found = reckon(a_plan(), lines, [action(unit, state) for unit, state in states.items()], BELGIAN)
    assert (found.units, found.adds_up) == (len(facts), True)


def test_sums_that_somebody_changed_do_not_add_up() -> None:
    found = Completeness(2, {"disposed": 2}, {"units": 1, "disposed": 1})
    assert found.adds_up
    assert not msgspec.structs.replace(found, units=3).adds_up
    assert not msgspec.structs.replace(found, past_end={"units": 2, "disposed": 1}).adds_up
