"""Quarantine, the days of notice before a disposal: a unit that is due is marked first, its owner notified,
and it is disposed of when some days have passed. Nothing is wrong with such a unit; of those that fail again
and again jobs/runs/alarms.py tells, and the warning about a recording that nobody took over is a flag
(rules/law/flags.py). Source: an option of the policy; off where the policy does not name it. Of two readings
the one that erases later was taken throughout."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from rules.policy.limits import Quarantine

QUARANTINED, UNDONE = "QUARANTINED", "QUARANTINE_UNDONE"


class Mark(msgspec.Struct, frozen=True):
    """One unit in quarantine. `until` is the last day on which it stays; from the next day on
    it may be disposed of.

    `notice` is the id of the note that notifies its owner, empty where none is written; `told` says that it
    is in the CRM (or that none is to be). `undone` says that a person has requested to keep the unit: it
    stays until `until`, and is then marked again."""

    table: str
    id: str
    since: date
    until: date
    notice: str = ""
    told: bool = False
    undone: bool = False
    crm: str = ""

    @property
    def code(self) -> str:
        """Why the unit does not go: QUARANTINED, or QUARANTINE_UNDONE."""
        return UNDONE if self.undone else QUARANTINED


def last_day(policy: Quarantine, day: date) -> date:
    """Return the last day on which a unit stays that is marked, or undone, on `day`."""
    return day + timedelta(days=policy.days)


def covers(policy: Quarantine | None, categories: Iterable[str]) -> bool:
    """Return whether units of these categories wait at all; a mixed unit waits for each of its categories."""
    if policy is None:
        return False
    return policy.categories == "all" or any(category in policy.categories for category in categories)


def waits(mark: Mark | None, day: date) -> str:
    """Return why a unit that quarantine covers is not disposed of on `day`; empty where its days have passed.
    A unit without a mark waits, since its first run marks it. So does one whose owner could not be notified,
    and one that was undone and is to be marked again."""
    if mark is None or not mark.told:
        return QUARANTINED
    if day <= mark.until:
        return mark.code
    return QUARANTINED if mark.undone else ""
