"""The trace of a decision recomputes to its verdict, from its JSON alone."""

import json
import re
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from rules.holds.holds import Holds
from rules.law.decision_steps import explain_each
from rules.model.decisions import Reason, Step
from rules.model.records import Unit
from rules.policy.policy import Policy
from tests.rules.builders import LOTTE, POLICY, a_child, a_dossier, a_fiche
from tests.rules.law.second_evaluation import decide
from tests.rules.strategies import AS_OF, examples, group, holds, policies, units

Steps = list[dict[str, Any]]
RANK = [reason.value for reason in Reason]


def a_trace(unit: Unit, policy: Policy, held: Holds, as_of: date) -> Steps:
    return read_again(explain_each([unit], policy, held, as_of)[0][1])


def read_again(steps: list[Step]) -> Steps:
    written = json.dumps([{"rule": step.rule, "inputs": step.inputs, "result": step.result} for step in steps])
    read: Steps = json.loads(written)
    return read


def added(on: str | None, period: str, *, to_end_of_year: bool = False) -> str | None:
    if on is None:
        return None
    found = re.fullmatch(r"P(\d+)([MY])", period)
    assert found is not None
    number = int(found[1])
    day = date.fromisoformat(on) + (relativedelta(years=number) if found[2] == "Y" else relativedelta(months=number))
    return day.replace(month=12, day=31).isoformat() if to_end_of_year else day.isoformat()


def recomputed(steps: Steps) -> tuple[str, list[str], str | None]:
    """Disposition, reasons and end, from the steps before the last three and their arithmetic."""
    as_of = date.fromisoformat(steps[0]["inputs"]["as_of"])
    found: set[str] = set()
    ends: dict[str, str | None] = {}
    is_open = False
    for step in steps[:-3]:
        rule, inputs, result = step["rule"], step["inputs"], step["result"]
        if rule == "HLD-04":
            assert result == sorted({hold["reason"] for hold in inputs["holds"]}, key=RANK.index)
            found.update(result)
        elif rule == "RET-14":
            assert result == (not inputs["unconfigured"] and not inputs.get("is_missing"))
            found.update([] if result else ["UNCONFIGURED"])
        elif rule == "RET-05" and isinstance(result, str):
            found.add("UNCONFIGURED")  # an e-mail attached to nothing
        elif rule == "RET-15":
            found.add("NO_TERM")
            if "as_of" in inputs:
                assert result == (inputs["review_due_on"] is not None and inputs["as_of"] >= inputs["review_due_on"])
        elif rule == "RET-16":
            found.update(["DATA_ERROR"] if result else [])
        elif rule == "RET-13":
            is_open = result
            assert result == (inputs["is_active"] and not inputs["is_six_month_unit"])
        elif rule == "RET-09":
            assert result["latest_birth_on"] is None or date.fromisoformat(result["latest_birth_on"])
        elif rule == "RET-08":
            births = [one["result"]["latest_birth_on"] for one in steps if one["rule"] == "RET-09"]
            assert inputs["birth_date"] == (None if None in births else max(births))
            assert result == added(inputs["birth_date"], inputs["period"])
        elif rule == "RET-10":
            ends[inputs["category"]] = result
            late, age_end, months = inputs["late_activity_on"], inputs["age_end"], inputs["late_rule_months"]
            if result is not None:
                moved = months and late is not None and late > age_end
                assert result == (added(late, f"P{months}M") if moved else age_end)
        elif "anchor_on" in inputs:
            ends[inputs["category"]] = result
            if "period" in inputs:
                assert result == added(inputs["anchor_on"], inputs["period"], to_end_of_year=inputs["to_end_of_year"])
    if None in ends.values():
        found.add("NOT_STARTED")
    has_end = not found & {"NO_TERM", "UNCONFIGURED", "DATA_ERROR", "NOT_STARTED"}
    end = max(on for on in ends.values() if on is not None) if has_end else None
    if is_open:
        found.add("OPEN_DOSSIER")
    if end is not None and as_of <= date.fromisoformat(end):
        found.add("NOT_EXPIRED")
    longest, precedence, disposition = (step["result"] for step in steps[-3:])
    reasons = sorted(found, key=RANK.index) or ["EXPIRED"]
    assert longest["end"] == end
    assert longest["category"] is None or ends[longest["category"]] == end
    assert precedence == reasons
    last = steps[-1]["inputs"]
    verdict = "keep" if found else "delete" if last["public_alert"] or last["follows_dossier"] else last["category_disposition"]
    assert disposition == verdict
    return verdict, reasons, end


@examples(100)  # of five units
@given(group(5, units()), policies(), holds(), st.dates(AS_OF - timedelta(days=9000), date(2060, 1, 1)))
def test_a_trace_recomputes_to_the_decision(some: list[Unit], policy: Policy, held: Holds, as_of: date) -> None:
    for unit, (decision, steps) in zip(some, explain_each(some, policy, held, as_of), strict=True):
        assert decision == decide(unit, policy, held, as_of=as_of)
        verdict = recomputed(read_again(steps))
        end = None if decision.retention_end is None else decision.retention_end.isoformat()
        assert verdict == (decision.disposition.value, [reason.value for reason in decision.reasons], end)


@examples(10)
@given(group(5, units()), policies(), holds())
def test_a_unit_by_itself_has_the_trace_that_it_has_among_others(some: list[Unit], policy: Policy, held: Holds) -> None:
    assert explain_each(some, policy, held, AS_OF) == [explain_each([unit], policy, held, AS_OF)[0] for unit in some]


def test_a_trace_names_the_rules_in_the_order_in_which_they_were_asked() -> None:
    fiche = a_fiche("grooming", communicated_on=date(2026, 2, 15))
    dossier = a_dossier(fiche, children=[a_child(LOTTE, birth_on=date(2007, 9, 1))], closed_on=date(2026, 3, 20))
    steps = a_trace(dossier, POLICY, Holds.none(), AS_OF)
    assert [step["rule"] for step in steps] == [
        "RET-17",
        "HLD-04",
        "RET-12",
        "RET-14",
        "RET-07",
        "RET-16",
        "RET-09",
        "RET-08",
        "RET-10",
        "RET-13",
        "RET-11",
        "4.2",
        "RET-23",
    ]
    assert steps[8] == {
        "rule": "RET-10",
        "inputs": {
            "category": "exploitation_ict",
            "age_end": "2025-09-01",
            "late_activity": "closed_on",
            "late_activity_on": "2026-03-20",
            "late_rule_months": 6,
        },
        "result": "2026-09-20",
    }
    assert steps[-1]["result"] == "anonymise"


def test_a_public_alert_is_named_where_it_turns_anonymising_into_deleting() -> None:
    dossier = a_dossier(categories=("runaway",), public_alert=True, children=[a_child(birth_on=date(2000, 1, 1))])
    last = a_trace(dossier, POLICY, Holds.none(), AS_OF)[-1]
    assert (last["rule"], last["inputs"]["category_disposition"], last["result"]) == ("ERA-04", "anonymise", "delete")


def test_a_trace_never_shows_a_register_number() -> None:
    dossier = a_dossier(a_fiche("grooming", communicated_on=date(2026, 1, 1)), children=[a_child(national_number="08.02.29-998.89")])
    written = json.dumps(a_trace(dossier, POLICY, Holds.none(), AS_OF))
    assert "99889" not in written
    assert "998.89" not in written
    assert "2008-02-29" in written
