"""An altered plan is neither applied nor approved: the ledger says what two people have seen (ACC-06,
ACC-09)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from jobs.ledger.entries import StoreAltered
from jobs.ledger.plan_lines import digest_head
from jobs.model.plan import Approval, Plan
from jobs.plans.approve import approve_plan
from jobs.plans.lines.pages import lines_of, paged
from jobs.runs.apply import apply_plan
from tests.drivers.attacking import attack
from tests.drivers.night import Night, references_of


def with_pages(night: Night, plan: Plan, lines: list[Any], **head: Any) -> None:
    """Give a stored plan other lines, and the digest that goes with them."""
    start = digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest)
    (page,), digest = paged(lines, plan.trims, start)
    changed = msgspec.structs.replace(plan, digest=digest, given=(), **head)
    attack(night, "DELETE FROM plan_pages", "UPDATE plans SET doc = :doc, pages = 1", doc=msgspec.json.encode(changed).decode())
    attack(
        night,
        "INSERT INTO plan_pages (plan, page, content) VALUES (:plan, 0, :content)",
        plan=plan.id,
        content=page,
    )


def slip_in_a_line(night: Night, plan: Plan) -> None:
    kept = night.dossier("sexting", spoken=date(2026, 10, 1))
    line = next(lines_of(night.store.plans.pages(plan.id)))
    row = night.get("cf_dossiers", kept)
    assert row is not None
    with_pages(night, plan, [line, msgspec.structs.replace(line, id=kept, etag=row["@odata.etag"])])


def need_nobody(night: Night, plan: Plan) -> None:
    doc = msgspec.json.encode(msgspec.structs.replace(plan, needed=(), why=(), given=())).decode()
    attack(night, "UPDATE plans SET doc = :doc", doc=doc)


def add_approvals(night: Night, plan: Plan, *, but_first: str = "SELECT 1") -> None:
    words = [Approval(f"fictief-{role}", role, night.clock(), True) for role in ("crm_admin", "dpo")]
    for word in words:
        attack(
            night,
            but_first,
            "INSERT INTO approvals (plan, who, role, approves, doc) VALUES (:plan, :who, :role, :yes, :doc)",
            plan=plan.id,
            who=word.who,
            role=word.role,
            yes=True,
            doc=msgspec.json.encode(word).decode(),
        )


def replace_a_rejection(night: Night, plan: Plan) -> None:
    approve_plan(night.store, plan.id, "fictief-r", "dpo", "no", approves=False, now=night.clock(), **references_of(night.key))
    add_approvals(night, plan, but_first="DELETE FROM approvals WHERE who = 'fictief-r'")


def keep_old_approvals(night: Night, plan: Plan) -> None:
    night.approved(plan)
    slip_in_a_line(night, plan)


def renew_an_approval(night: Night, plan: Plan) -> None:
    night.approved(plan)
    night.clock.now += timedelta(hours=71, minutes=30)
    words = [msgspec.structs.replace(word, at=night.clock()) for word in night.store.plans.get(plan.id).given]
    for word in words:
        attack(night, "UPDATE approvals SET doc = :doc WHERE who = :who", doc=msgspec.json.encode(word).decode(), who=word.who)


def empty_the_pages(night: Night, plan: Plan) -> None:
    night.approved(plan)
    attack(night, "DELETE FROM plan_pages")


def damage_a_page(night: Night, plan: Plan) -> None:
    night.approved(plan)
    attack(night, "UPDATE plan_pages SET content = :noise", noise=bytes(range(40)))


def lose_one_page(night: Night, plan: Plan) -> None:
    night.approved(plan)
    attack(night, "UPDATE plans SET pages = 2")


def make_a_run_up(night: Night, plan: Plan) -> None:
    night.approved(plan)
    run = (
        f'{{"id":"run-forged","kind":"all","plan":"{plan.id}","state":"running","as_of":"2026-11-25T11:00:00Z",'
        '"started_at":"2026-11-25T11:00:00Z"}'
    )
    attack(
        night,
        "INSERT INTO runs (id, plan, doc) VALUES ('run-forged', :plan, :doc)",
        plan=plan.id,
        doc=run,
    )


@pytest.mark.parametrize(
    "how",
    [
        slip_in_a_line,
        need_nobody,
        add_approvals,
        replace_a_rejection,
        keep_old_approvals,
        renew_an_approval,
        empty_the_pages,
        damage_a_page,
        lose_one_page,
        make_a_run_up,
    ],
)
def test_an_altered_plan_is_neither_applied_nor_approved(attacked: Night, how: Callable[[Night, Plan], None]) -> None:
    """RET-24, ACC-09: what is applied is what two people have seen, and the ledger says what that was."""
    plan = attacked.plan()
    assert plan.needed
    how(attacked, plan)
    before = attacked.writes()
    with pytest.raises(StoreAltered) as caught:
        apply_plan(attacked.context, plan.id)
    assert (caught.value.exit_code, caught.value.code) == (7, "store_altered")
    assert attacked.writes() == before
    with pytest.raises(StoreAltered):
        approve_plan(attacked.store, plan.id, "fictief-x", "dpo", "", approves=True, now=attacked.clock(), **references_of(attacked.key))
