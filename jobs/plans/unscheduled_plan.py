"""Stores a plan that is made without the schedule: what had been erased and is back, or what a person was
granted. Its lines are made by `restores/replay_plan.py` and `requests/decisions/plan_erasure.py`. Only the
circuit breaker, and a hold that turns out to be on nothing, require more approvals than it comes with."""

from collections import Counter as Counts
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from jobs.checks.ledger_drift import refuse_altered
from jobs.checks.same_clock import refuse_other_clock
from jobs.holds.look_up import HOLD_NOT_FOUND, look_up_unseen, not_found
from jobs.ledger.plan_lines import digest_head, plan_entry
from jobs.model.plan import Approval, Breaker, Kind, Plan, PlanLine
from jobs.model.sentence import Sentence
from jobs.plans.alarms.approval_reasons import BREAKER_TRIPPED, counter_of
from jobs.plans.alarms.restore_alarms import STORE_RECOVERED, recovered_store
from jobs.plans.lines.pages import paged
from jobs.ports.context import JobContext
from jobs.writing.bypass import bypass_planned
from rules.model.records import Contact, Recording
from rules.model.roles import SERVICE, Act, needed


def store_plan(
    context: JobContext,
    kind: Kind,
    now: datetime,
    lines: Sequence[PlanLine],
    trims: tuple[str, ...],
    *,
    uncounted: Collection[str] = (),
    given: tuple[Approval, ...] = (),
    request: str = "",
    warnings: Iterable[Sentence] = (),
) -> Plan:
    """Store the plan of these lines and of the contacts to trim. Lines of `uncounted` tables follow others
    and are none of the disposals that the circuit breaker counts (RET-24)."""
    refuse_other_clock(context)
    policy = context.policy
    refuse_altered(context)
    pages, digest = paged(lines, trims, digest_head(kind, now, context.crm, policy.digest, context.mapping_digest))
    lost = look_up_unseen(context)
    going = [line for line in lines if line.is_disposal]
    due = Counts(line.disposition for line in going)
    breaker = _breaker_of(context, kind, [line.table for line in going if line.table not in uncounted])
    recovered = tuple(recovered_store(context)) if kind is Kind.REQUEST else ()  # a replay erases what had gone, or had begun to
    found = (BREAKER_TRIPPED, breaker.tripped), (HOLD_NOT_FOUND, lost), (STORE_RECOVERED, recovered)
    why = tuple(code for code, applies in found if applies)
    plan = Plan(
        id=context.new_id("plan"),
        kind=kind,
        created_at=now,
        proposer=SERVICE,
        as_of=now,
        as_of_given=False,
        crm=context.crm,
        policy_name=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        mapping_digest=context.mapping_digest,
        software_version=context.software_version,
        digest=digest,
        units=len(lines),
        dispose={"delete": due["delete"], "anonymise": due["anonymise"]},
        retain=dict(sorted(Counts(line.reason for line in lines if not line.is_disposal).items())),
        flags={},
        breaker=breaker,
        valid_until=now + timedelta(hours=policy.plan_valid_hours),
        needed=needed(Act.APPROVE_PLAN) if why else (),
        given=given,
        why=why,
        alarms=(*not_found(lost), *recovered),
        approval_hours=policy.approvals.valid_hours,
        trims=trims,
        warnings=tuple(warnings),
        request=request,
        bypass=bypass_planned(
            policy, Counts((line.table, line.categories) for line in going), len(trims), context.connector.table(Contact)
        ),
    )
    context.store.plans.save(plan, pages, ("plan", plan_entry(plan)))
    return plan


def _breaker_of(context: JobContext, kind: Kind, tables: Sequence[str]) -> Breaker:
    """Return the result of the circuit breaker for one disposal in each of these tables. Recordings have a
    counter of their own."""
    recordings = context.connector.tables(Recording) if context.connector.has(Recording) else ()
    heard = sum(table in recordings for table in tables)
    limits = context.policy.limits
    units = counter_of(context, kind, "units", len(tables) - heard, limits.units)
    heard_of = counter_of(context, kind, "recordings", heard, limits.recordings)
    return Breaker(units.tripped or heard_of.tripped, units, heard_of)
