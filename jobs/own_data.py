"""What this product wrote down itself and has had its day: lines of plans, journals of runs, holds (ACC-07).

What the proof of a run needs is noted without ids before its lines and its journal go. The ledger stays whole, and tells what has gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from jobs.completeness import reckoning_of
from jobs.plan import LinesRemoved
from jobs.ports import Expired, JobContext, PastTerms
from jobs.runs import Run
from rules.periods import add_months, add_years, brussels_date
from rules.placed_holds import PlacedHold
from rules.policy import OwnData
from rules.records import Contact


def expire_own_data(context: JobContext) -> Expired:
    """Remove what is past its term by the policy in force; doing it again removes nothing.

    The lines that tell whether a unit is a backlog stay as long as they are needed for that.
    """
    now, policy, store = context.clock(), context.policy, context.store
    terms, day = policy.own_data, brussels_date(now)
    lines_before = now - timedelta(days=max(terms.plan_lines_days, policy.watch.backlog_days + 1))
    logs_until = add_months(day, -terms.run_log_months)
    over = [run for run in store.runs() if run.is_over and run.ended_at is not None]
    past = PastTerms(
        lines_before=lines_before,
        reckoned=tuple(_reckoned(context, over, lines_before)),
        journals=tuple(run.id for run in over if run.ended_at and brussels_date(run.ended_at) < logs_until and not run.is_journal_gone),
        holds=tuple(hold.id for hold in store.holds() if _is_past(hold, terms, now)),
        contacts=context.connector.table(Contact),
    )
    return store.expire(past, now)


def _reckoned(context: JobContext, over: list[Run], lines_before: datetime) -> Iterator[Run]:
    """The runs whose lines go now, with what these came to."""
    store = context.store
    for run in over:
        if run.reckoned or store.plan(run.plan).created_at >= lines_before:
            continue
        try:
            yield msgspec.structs.replace(run, reckoned=msgspec.to_builtins(reckoning_of(store, run)))
        except LinesRemoved:
            continue


def _is_past(hold: PlacedHold, terms: OwnData, now: datetime) -> bool:
    """Whether a hold was released, or had its last day, so many years ago."""
    day = brussels_date(now)
    over_on = brussels_date(hold.released_at) if hold.released_at is not None else hold.ends_on
    return over_on is not None and not hold.is_in_force(day) and day > add_years(over_on, terms.hold_years)
