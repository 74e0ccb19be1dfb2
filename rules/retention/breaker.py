"""The circuit breaker: how much a run may dispose of without the approval of two persons, as a whole and by
category. Source: RET-24; R-063."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rules.policy.limits import CategoryLimit, Limit

MEDIAN_RUNS = 30  # RET-24


@dataclass(frozen=True, slots=True)
class BreakerFinding:
    """What the breaker says of a plan. `limit` is the ceiling that applied; `median` is that of the runs
    looked at, None without any."""

    tripped: bool
    planned: int
    limit: int
    median: float | None


@dataclass(frozen=True, slots=True)
class CategoryFinding:
    """What the breaker says of one category. `limit` is the lowest ceiling that applied, None if none did."""

    tripped: bool
    planned: int
    limit: int | None
    median: float | None


def median_of(history: Sequence[int]) -> float | None:
    """Return the median of the last 30 runs, newest first, zeros included; None without any."""
    runs = history[:MEDIAN_RUNS]
    return statistics.median(runs) if runs else None


def breaker(planned: int, history: Sequence[int], limit: Limit) -> BreakerFinding:
    """Return whether a plan disposes of unusually much: more than the limit, or more than a multiple of what
    runs usually do.

    `planned` counts the units, or the recordings, that the plan disposes of. `history` holds the disposals of
    completed applying runs of the same kind, newest first, zeros included; the last 30 count. A plan of
    exactly the ceiling passes. While there is no run yet, or the median is below `limit.median_from`, only
    `limit.max` applies: in a quiet month three disposals more are not an alarm. A finding refuses nothing:
    the plan is stored with it, and applying it refuses. Source: RET-24; R-063."""
    median = median_of(history)
    ceiling = limit.max
    if median is not None and median >= limit.median_from:
        ceiling = min(ceiling, int(limit.factor * median))  # a plan is a whole number, so the fraction never matters
    return BreakerFinding(tripped=planned > ceiling, planned=planned, limit=ceiling, median=median)


def category_breaker(planned: int, read: int, history: Sequence[int], limit: CategoryLimit) -> CategoryFinding:
    """Return whether a plan disposes of unusually much of one category. `read` is how many units of the
    category were read, kept ones too; a share is counted of these, rounded down. `history` is that of
    `breaker`, for this category alone. What the policy does not set does not apply; a plan of exactly the
    ceiling passes."""
    median = median_of(history)
    ceilings = [] if limit.max is None else [limit.max]
    if limit.percent is not None:
        ceilings.append(read * limit.percent // 100)
    if limit.factor is not None and median is not None and median >= limit.median_from:
        ceilings.append(int(limit.factor * median))
    ceiling = min(ceilings, default=None)
    return CategoryFinding(tripped=ceiling is not None and planned > ceiling, planned=planned, limit=ceiling, median=median)
