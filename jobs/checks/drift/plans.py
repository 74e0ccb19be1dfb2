"""Plans with their approvals, by the table and by the ledger."""

from collections.abc import Iterator

from jobs.checks.drift.references import CLOSE_BY, Believed, Difference, Reference, at, sha256
from jobs.ledger.entries import LedgerEntry
from jobs.model.plan import Approval, Plan
from jobs.ports.store.store import Store


def approval_entry(plan: Plan, approval: Approval, reference: Reference) -> dict[str, object]:
    """Return what the ledger keeps of a person's approval: for which lines, in which role, when. The person
    is stored as a keyed reference."""
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "role": approval.role,
        "approves": approval.approves,
        "by": reference("person", approval.who),
        "given_at": approval.at.isoformat(),
        "comment": reference("comment", sha256(approval.comment)) if approval.comment else None,
    }


def about_plan(store: Store, believed: Believed, plan: Plan) -> Iterator[Difference]:
    """Yield a plan whose head, approvals or rejection are not those of the ledger."""
    where = f"plan {plan.id}"
    told_of = believed.told_of_plans
    made = told_of.made.get(plan.id, [])
    if len(made) != 1:
        yield Difference(where, "is in no entry of the ledger")
        return
    data = made[0].data
    if data.get("digest") != plan.digest:
        yield Difference(where, "has other lines than in the ledger")
    digest, saved = store.plans.saved(plan.id)
    if "document" in data and told_of.cleared.get(plan.id, data["document"]) != digest:
        yield Difference(where, "its head is not what was stored: approvals needed, validity, totals or something else was changed")
    elif "document" not in data and bool(data.get("why")) != bool(plan.needed):
        yield Difference(where, "needs other approvals than in the ledger")
    approvals, told = plan.given[len(saved.given) :], told_of.approvals.get(plan.id, [])
    if plan.given[: len(saved.given)] != saved.given or len(approvals) != len(told):
        yield Difference(where, "has other approvals or rejections than in the ledger")
        return
    for approval, entry in zip(approvals, told, strict=True):
        if not _is_approval(plan, approval, entry, believed):
            yield Difference(where, f"what a {approval.role[:40]} said is not what the ledger has")


def _is_approval(plan: Plan, approval: Approval, entry: LedgerEntry, believed: Believed) -> bool:
    data = entry.data
    if (data.get("digest"), data.get("role"), data.get("approves")) != (plan.digest, approval.role, approval.approves):
        return False
    if "given_at" in data and data["given_at"] != approval.at.isoformat():
        return False
    if abs(at(entry) - approval.at) > CLOSE_BY and "given_at" not in data:
        return False
    if plan.id in believed.told_of_plans.nameless:
        return not approval.who and not approval.comment
    if data.get("comment") is not None and not believed.is_of(entry, data["comment"], "comment", sha256(approval.comment)):
        return False
    return believed.is_of(entry, data.get("by"), "person", approval.who)
