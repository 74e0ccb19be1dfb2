"""The circuit breaker: how much a run may dispose of without the approval of two persons.

Source: RET-24; R-063.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rules.policy import Limit

MEDIAN_RUNS = 30  # RET-24


@dataclass(frozen=True, slots=True)
class BreakerFinding:
    """What the breaker says of a plan. `limit` is the ceiling that applied; `median` is that of the runs looked at, None without any."""

    tripped: bool
    planned: int
    limit: int
    median: float | None


def breaker(planned: int, history: Sequence[int], limit: Limit) -> BreakerFinding:
    """Say whether a plan disposes of unusually much: more than the limit, or more than a multiple of what runs usually do.

    `planned` counts the units, or the recordings, that the plan disposes of. `history` holds the disposals of completed applying runs of
    the same kind, newest first, zeros included; the last 30 count. A plan of exactly the ceiling goes through. While there is no run yet,
    or the median lies below `limit.median_from`, only `limit.max` holds: in a quiet month three disposals more are no alarm.

    A finding refuses nothing: the plan is stored with it, and applying it refuses.

    Source: RET-24; R-063.
    """
    runs = history[:MEDIAN_RUNS]
    median = statistics.median(runs) if runs else None
    ceiling = limit.max
    if median is not None and median >= limit.median_from:
        ceiling = min(ceiling, int(limit.factor * median))  # a plan is a whole number, so the fraction never matters
    return BreakerFinding(tripped=planned > ceiling, planned=planned, limit=ceiling, median=median)
