"""What waits for a person's decision: units kept because nothing in force decides on them (RET-14), each
since a day."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec

QUEUE_OLD = "QUEUE_OLD"


class WorkQueue(msgspec.Struct, frozen=True):
    """The queue as a plan found it: whose work it is, how many units wait, how many of them for more than
    `days`, and the oldest for how many days."""

    owner: str
    days: int
    units: int = 0
    overdue: int = 0
    oldest_days: int = 0


class Waiting(msgspec.Struct, frozen=True):
    """Of a unit in the queue: of which table it is, and the day on which a plan first found it there. Many
    units have one such between them."""

    table: str
    since: date


@dataclass(frozen=True, slots=True)
class QueueMoves:
    """What a plan changes in the queue of its CRM: units that come into it, by their keyed references, and
    the references of those that have left it."""

    crm: str
    come: Mapping[str, Waiting] = field(default_factory=dict)
    left: Collection[str] = ()


def queue_of(waiting: Mapping[str, Waiting], owner: str, days: int, day: date) -> WorkQueue:
    """Count what waits on a day. A unit is due `days` after the day on which it came, and overdue from the
    next one on."""
    came = Counter(unit.since for unit in waiting.values())
    ages = [(max((day - since).days, 0), units) for since, units in came.items()]
    overdue = sum(units for age, units in ages if age > days)
    return WorkQueue(owner, days, len(waiting), overdue, max((age for age, _ in ages), default=0))
