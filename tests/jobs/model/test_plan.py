"""In which state a plan is, whose approval counts, and what is left of its head once its ids have expired."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from jobs.model.plan import Alarm, Breaker, CategoryTotal, Counter, HoldChange, PlanState
from rules.errors import Refused
from tests.crm_compliance.store.values import NIGHT, a_plan, a_word

BOTH = (a_word(role="crm_admin"), a_word("A DPO", role="dpo"))
VALID_UNTIL = a_plan().valid_until


@pytest.mark.parametrize(
    ("change", "now", "state"),
    [
        ({}, NIGHT, PlanState.WAITING),
        ({"given": BOTH[:1]}, NIGHT, PlanState.WAITING),
        ({"given": BOTH}, NIGHT, PlanState.READY),
        ({"needed": ()}, VALID_UNTIL - timedelta(microseconds=1), PlanState.READY),
        ({"needed": ()}, VALID_UNTIL, PlanState.EXPIRED),
        ({"given": (*BOTH, a_word("Another", role="dpo", approves=False))}, NIGHT, PlanState.REJECTED),
        ({"given": (a_word(approves=False),)}, VALID_UNTIL, PlanState.REJECTED),
        ({"given": (a_word(approves=False),), "applied": True}, VALID_UNTIL, PlanState.APPLIED),
    ],
)
def test_a_plan_is_applied_rejected_expired_ready_or_waits(change: dict[str, Any], now: datetime, state: PlanState) -> None:
    assert a_plan(**change).state(now) is state


def test_an_approval_counts_for_its_hours_and_a_rejection_never() -> None:
    plan = a_plan(given=(*BOTH, a_word(role="auditor", approves=False)), approval_hours=2, needed=("crm_admin", "dpo", "auditor"))
    before, after = NIGHT + timedelta(hours=2, microseconds=-1), NIGHT + timedelta(hours=2)
    assert (plan.counting(before), plan.missing(before)) == (BOTH, ("auditor",))
    assert (plan.counting(after), plan.missing(after)) == ((), ("crm_admin", "dpo", "auditor"))


TRIPPED = Breaker(tripped=True, units=Counter(900, 200, 12.5, tripped=True), recordings=Counter(0, 200, None))


@pytest.mark.parametrize(
    ("change", "now", "code", "told"),
    [
        ({"as_of_given": True, "given": BOTH}, NIGHT, "refused", "another day than its own"),
        ({"given": (a_word(approves=False),)}, NIGHT, "refused", "was rejected"),
        ({"given": BOTH}, VALID_UNTIL, "refused", "was valid until 2026-03-05T01:30:00"),
        (
            {"why": ("FIRST_RUN", "VIEW_SHRANK")},
            NIGHT,
            "approval",
            "FIRST_RUN, VIEW_SHRANK: still needs approval from a crm_admin and a dpo",
        ),
        ({"breaker": TRIPPED, "needed": ("approver",)}, NIGHT, "breaker", "BREAKER_TRIPPED: still needs approval from an approver$"),
    ],
)
def test_what_may_not_be_applied_says_why_and_whose_word_is_missing(change: dict[str, Any], now: datetime, code: str, told: str) -> None:
    with pytest.raises(Refused, match=told) as caught:
        a_plan(**change).refuse_unless_ready(now)
    assert (caught.value.code, caught.value.where) == (code, "plan-1")


def test_a_plan_that_is_ready_is_let_through() -> None:
    a_plan(given=BOTH).refuse_unless_ready(NIGHT)


def test_of_ids_that_have_had_their_day_the_numbers_stay() -> None:
    """ACC-07."""
    plan = a_plan(trims=("c-1", "c-2"), hold_changes=(HoldChange("cf_dossier", "d-1", "set"),), backlog=(("cf_fiche", "f-1"),))
    assert plan.names_rows
    first = plan.without_ids(keeping=("backlog",))
    assert (first.trims, first.crm_holds, first.hold_changes, first.backlog) == ((), (), (), plan.backlog)
    assert first.cleared == {"trims": 2, "crm_holds": 1, "hold_changes": 1}
    last = first.without_ids(keeping=())
    assert (last.names_rows, last.to_trim, last.cleared) == (False, 2, {**first.cleared, "backlog": 1})
    assert last.without_ids(keeping=()) is last
    assert not any(id in last.document for id in ("c-1", "d-1", "f-1", '"0001"'))


def test_an_alarm_says_the_same_to_programs_and_to_people() -> None:
    alarm = Alarm.of("BACKLOG", "backlog_left", units=3, days=7)
    assert alarm.document == {"code": "BACKLOG", "message": "3 units are more than 7 days past their end and still there"}
    assert msgspec.json.decode(msgspec.json.encode(alarm), type=Alarm) == alarm


def test_a_value_that_no_key_stands_for_is_called_as_the_crm_calls_it() -> None:
    assert CategoryTotal("100000042", 0, 0, 1, 0, called="Pesten").name == "Pesten (100000042)"
    assert CategoryTotal("sexting", 0, 0, 1, 0).name == "sexting"
