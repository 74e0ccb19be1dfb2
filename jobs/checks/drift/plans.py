"""Plans with their approvals, by the table and by the ledger."""

from collections.abc import Iterator

from jobs.checks.drift.references import CLOSE_BY, Believed, Difference, Reference, at, sha256
from jobs.ledger.entries import LedgerEntry
from jobs.model.plan import Approval, Plan
from jobs.ports.store.store import Store


def approval_entry(plan: Plan, word: Approval, reference: Reference) -> dict[str, object]:
    """Return what the ledger keeps of a person's approval: for which lines, in which role, when. The person
    is stored as a keyed reference."""
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "role": word.role,
        "approves": word.approves,
        "by": reference("person", word.who),
        "given_at": word.at.isoformat(),
        "comment": reference("comment", sha256(word.comment)) if word.comment else None,
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
    words, told = plan.given[len(saved.given) :], told_of.words.get(plan.id, [])
    if plan.given[: len(saved.given)] != saved.given or len(words) != len(told):
        yield Difference(where, "has other approvals or rejections than in the ledger")
        return
    for word, entry in zip(words, told, strict=True):
        if not _is_word(plan, word, entry, believed):
            yield Difference(where, f"the word of a {word.role[:40]} is not the one in the ledger")


def _is_word(plan: Plan, word: Approval, entry: LedgerEntry, believed: Believed) -> bool:
    data = entry.data
    if (data.get("digest"), data.get("role"), data.get("approves")) != (plan.digest, word.role, word.approves):
        return False
    if "given_at" in data and data["given_at"] != word.at.isoformat():
        return False
    if abs(at(entry) - word.at) > CLOSE_BY and "given_at" not in data:
        return False
    if data.get("comment") is not None and not believed.is_of(entry, data["comment"], "comment", sha256(word.comment)):
        return False
    return believed.is_of(entry, data.get("by"), "person", word.who)
