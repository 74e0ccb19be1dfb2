"""Makes a plan: reads everything, decides on every unit, and stores what would become of each. Writes nothing
to the CRM (R-061)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from jobs.checks.ledger_drift import refuse_altered
from jobs.checks.same_clock import refuse_other_clock
from jobs.checks.whole_view import permitted
from jobs.holds.look_up import look_up_unseen
from jobs.ledger.plan_lines import digest_head, plan_entry
from jobs.model.plan import Kind, Plan
from jobs.model.sentence import Sentence
from jobs.plans.alarms.earlier_plans import EarlierPlans
from jobs.plans.alarms.observations import Observations
from jobs.plans.alarms.undecided_units import look_at_queue
from jobs.plans.decide import decide_all
from jobs.plans.draft import Draft
from jobs.plans.head import Decided
from jobs.ports.context import JobContext
from rules.errors import PolicyError
from rules.model.roles import SERVICE


def make_plan(
    context: JobContext, kind: Kind, *, as_of: datetime | None = None, proposer: str = SERVICE, warning: Sentence | None = None
) -> Plan:
    """Decide on every unit and store the plan. `as_of` (aware) decides for another moment than now; such a
    plan can never be applied (DAT-12, R-062). `warning` is kept in the plan before its own. Raises
    ConnectorError: the CRM could not be read whole; nothing is stored."""
    now = context.clock()
    moment = as_of or now
    day = context.day(moment)
    context = context.on(day)
    refuse_altered(context)
    lost = look_up_unseen(context) if as_of is None else []
    if context.policy.valid_from > day:
        raise PolicyError(f"the policy is valid from {context.policy.valid_from} on", hint="plan a later day, or take the version in force")
    head = digest_head(kind, moment, context.crm, context.policy.digest, context.mapping_digest)
    draft = Draft(context.policy.version, day, context.policy.defaults.due_soon_days, head)
    earlier_plans = EarlierPlans.of(context.store, context.crm)
    observations = Observations(context, earlier_plans, kind, day)
    trims = decide_all(context, draft, kind, day, observations)
    refuse_other_clock(context)  # by all the answers that the plan was made of
    permitted(context.connector, context.policy)
    pages, digest = draft.finish(trims)
    queue, moves = look_at_queue(context, observations, day)
    decided = Decided(
        context,
        kind,
        now,
        as_of=moment,
        is_look=as_of is not None,
        earlier_plans=earlier_plans,
        draft=draft,
        observations=observations,
        trims=trims,
        queue=queue,
        lost=lost,
    )
    plan = decided.head(digest, proposer)
    if warning is not None:
        plan = msgspec.structs.replace(plan, warnings=(warning, *plan.warnings))
    if context.policy_text:
        context.store.policies.remember(context.policy.digest, context.policy.version, context.policy_text)
    context.store.plans.save(plan, pages, ("plan", plan_entry(plan)), None if plan.as_of_given else moves)
    if not plan.as_of_given:
        leave_quarantine(context, observations)
    return plan


def leave_quarantine(context: JobContext, observations: Observations) -> None:
    """Release from quarantine those units that are not due any more. Should they be due again, their days
    begin again."""
    left = observations.left(context.connector)
    if left:
        units = [{"ref": context.reference(mark.table, mark.id), "table": mark.table} for mark in left]
        context.store.quarantine.drop([(mark.table, mark.id) for mark in left], [("quarantine_left", {"units": units})])
