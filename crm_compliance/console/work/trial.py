"""What a schedule that is tried would change, in figures: told by the process that tries it, and kept for a
while."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from jobs.plans.questions.simulate import Simulation


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a `Simulation`, without its units: the versions `old` and `new`, and whether a plan
    under the new one would wait for people (RET-24)."""

    old: str
    new: str
    day: date
    units: int
    totals: dict[str, int]
    by_category: dict[str, dict[str, int]]
    forecast: list[tuple[str, int, int]]
    going: tuple[int, int]
    recordings: tuple[int, int]
    contacts: tuple[int, int]
    would_wait: bool


def trial_of(found: Simulation) -> Trial:
    limits = found.new.limits
    return Trial(
        old=found.old.version,
        new=found.new.version,
        day=found.day,
        units=found.units,
        totals=found.totals,
        by_category=found.by_category,
        forecast=list(found.forecast),
        going=found.going,
        recordings=found.recordings,
        contacts=found.contacts,
        would_wait=found.going[1] > limits.units.max or found.recordings[1] > limits.recordings.max,
    )
