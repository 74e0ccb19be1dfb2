"""A denied word leaves a trace with role and action, and without a name (ACC-10)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm_compliance.store.store import SqlStore
from jobs.ledger.plan_lines import digest_head, plan_entry
from jobs.model.plan import Plan
from jobs.plans.approve import approve_plan
from jobs.plans.lines.pages import paged
from rules.errors import Refused
from tests.crm_compliance.store.values import a_plan

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def digest_over(plan: Plan) -> str:
    """The digest of a plan without lines."""
    head = digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest)
    return paged([], (), head)[1]


@pytest.mark.parametrize(("who", "role", "code"), [("cleo", "auditor", "role"), ("SERVICE", "dpo", "same_person")])
def test_a_denied_approval_is_recorded(store: SqlStore, who: str, role: str, code: str) -> None:
    plan = a_plan()
    plan = a_plan(digest=digest_over(plan))
    store.plans.save(plan, [], ("plan", plan_entry(plan)))
    with pytest.raises(Refused) as caught:
        approve_plan(store, plan.id, who, role, "", approves=True, now=NOW, reference=lambda *_: "keyed", references=lambda *_: ("keyed",))
    assert caught.value.code == code
    last = list(store.ledger.entries())[-1]
    assert (last.kind, last.data["role"], last.data["code"], last.data["by"]) == ("denied", role, code, "keyed")
    assert last.data["action"] == "approve_plan"
    assert who not in str(last.data)
    assert store.plans.get(plan.id).given == ()


def test_a_look_at_another_day_is_rejected_and_never_approved(store: SqlStore) -> None:
    """DAT-12: it can never be applied, so two people would approve nothing."""
    plan = a_plan(as_of_given=True)
    plan = a_plan(as_of_given=True, digest=digest_over(plan))
    store.plans.save(plan, [], ("plan", plan_entry(plan)))

    def decide(*, approves: bool) -> Plan:
        return approve_plan(
            store,
            plan.id,
            "anna",
            "crm_admin",
            "" if approves else "no",
            approves=approves,
            now=NOW,
            reference=lambda *_: "keyed",
            references=lambda *_: ("keyed",),
        )

    with pytest.raises(Refused, match="never be applied") as caught:
        decide(approves=True)
    assert caught.value.code == "plan_state"
    assert [word.approves for word in decide(approves=False).given] == [False]
