"""What this product recorded itself and has expired (ACC-07). That is lines and heads of plans, journals of
runs, holds, certificates, schedules; what expires of subject requests is in `jobs/register/maintenance.py`.
What the proof of a run needs is noted without ids before its lines and its journal are removed. The ledger
stays whole, and records what was removed."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from jobs.checks.drift.plans import about_plan
from jobs.checks.drift.references import Believed
from jobs.ledger.heads import RUNS
from jobs.model.plan import LinesRemoved
from jobs.model.run import Run
from jobs.ports.context import JobContext
from jobs.ports.store.own_data import Expired, PastTerms
from jobs.proof.run_reckoning import reckoning_of
from rules.dates.periods import add_months, add_years
from rules.holds.placements import PlacedHold
from rules.model.records import Contact
from rules.policy.policy import OwnData

DAWN: Final = datetime(1970, 1, 1, tzinfo=UTC)


def expire_own_data(context: JobContext) -> Expired:
    """Remove what is past its term by the policy in force; doing it again removes nothing. The lines that
    show whether a unit is a backlog stay as long as they are needed for that."""
    now, policy, store = context.clock(), context.policy, context.store
    terms, day = policy.own_data, context.day(now)
    lines_before = now - timedelta(days=max(terms.plan_lines_days, policy.watch.backlog_days + 1))
    logs_until = add_months(day, -terms.run_log_months)
    over = [run for run in store.runs.all() if run.is_over]
    ended = _ended_on(context)
    nameless = frozenset(_past_people(context, ended, day))
    past = PastTerms(
        lines_before=lines_before,
        reckoned=tuple(_reckoned(context, over, lines_before)),
        journals=tuple(run.id for run in over if not run.is_journal_gone and ended.get(run.id, day) < logs_until),
        heads=dict(_believed_heads(context, lines_before, nameless)),
        nameless=nameless,
        holds=tuple(hold.id for hold in store.holds.all() if _is_past(hold, context, day)),
        certificates=tuple(run.id for run in over if not run.are_certificates_gone and _is_proof_past(ended.get(run.id, day), terms, day)),
        policies=tuple(_past_policies(context, day)),
        contacts=context.connector.table(Contact),
    )
    return store.own_data.expire(past, now)


def _reckoned(context: JobContext, over: list[Run], lines_before: datetime) -> Iterator[Run]:
    """Yield the runs whose lines are removed now, with the totals of those lines."""
    store = context.store
    for run in over:
        if run.reckoned or store.plans.get(run.plan).created_at >= lines_before:
            continue
        try:
            yield msgspec.structs.replace(run, reckoned=msgspec.to_builtins(reckoning_of(store, run, context.policy.calendar)))
        except LinesRemoved:
            continue


def _past_people(context: JobContext, ended: Mapping[str, date], day: date) -> Iterator[str]:
    """Yield the plans of which nobody need know any more who made, approved or rejected them, as long after
    their run, or the last moment at which there could have been one, as certificates are kept. What the
    ledger has of these people is a reference by a key that goes after as long."""
    store, terms = context.store, context.policy.own_data
    runs = {run.plan: run.id for run in store.runs.all()}
    for plan in store.plans.all():
        last = ended.get(runs[plan.id], day) if plan.id in runs else context.day(plan.valid_until)
        if plan.names_people and _is_proof_past(last, terms, day):
            yield plan.id


def _believed_heads(context: JobContext, lines_before: datetime, nameless: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the old plans that name rows of the CRM in their heads, and those that are to name nobody any
    more, each with the digest of its head in the ledger. A head that somebody has changed stays as it is: the
    entry about its remaining part would make it look right."""
    store, believed = context.store, Believed(context.store, context.references)
    for plan in store.plans.all():
        if plan.created_at < lines_before and (plan.names_rows or plan.id in nameless) and not any(about_plan(store, believed, plan)):
            yield plan.id, store.plans.saved(plan.id)[0]


def _ended_on(context: JobContext) -> dict[str, date]:
    """Return the day on which each run ended by the ledger. Changing the day in the table of runs
    causes nothing to be removed earlier."""
    return {
        entry.run or "": context.day(datetime.fromisoformat(entry.at))
        for entry in context.store.ledger.strand(RUNS)
        if entry.kind == "run_ended"
    }


def _is_proof_past(last: date, terms: OwnData, day: date) -> bool:
    return day > add_years(last, terms.certificate_years)


def _past_policies(context: JobContext, day: date) -> Iterator[str]:
    """Yield the versions of the schedule unused for so many years, except those now loaded. Unused means that
    no plan was made and no run ended by it."""
    store, terms = context.store, context.policy.own_data
    at_hand = {context.policy.digest, *(version.policy.digest for version in (context.versions.versions if context.versions else ()))}
    last_used: dict[str, datetime] = {}
    uses = [(plan.policy_digest, plan.created_at) for plan in store.plans.all()] + [
        (run.policy_digest, run.ended_at) for run in store.runs.all()
    ]
    for digest, moment in uses:
        if moment is None:  # a run goes on by it
            at_hand.add(digest)
        elif digest not in last_used or moment > last_used[digest]:
            last_used[digest] = moment
    for version in store.policies.all():
        last = max(last_used.get(version.digest, DAWN), datetime.fromisoformat(version.first_used_at))
        if version.digest not in at_hand and _is_proof_past(context.day(last), terms, day):
            yield version.digest


def _is_past(hold: PlacedHold, context: JobContext, day: date) -> bool:
    """Return whether a hold was released, or had its last day, so many years ago."""
    over_on = context.day(hold.released_at) if hold.released_at is not None else hold.ends_on
    return over_on is not None and not hold.is_in_force(day) and day > add_years(over_on, context.policy.own_data.hold_years)
