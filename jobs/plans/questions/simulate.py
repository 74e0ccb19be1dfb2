"""What another schedule would do: every unit is read once and decided twice, and nothing is written anywhere.
Source: RET-06, 9.4 (a change of the schedule is proposed, advised on and approved by people who know its
effect)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from jobs.holds.active import active_holds
from jobs.model.plan import Kind
from jobs.plans.draft import RECORDING_KINDS
from jobs.ports.context import JobContext
from jobs.reading.tables.night import gather
from rules.model.decisions import Decision
from rules.model.records import Contact
from rules.policy.policy import Policy
from rules.retention.forecast import forecast
from rules.retention.relations import relation_terms

if TYPE_CHECKING:
    from jobs.plans.decided_units import Decided

WOULD_GO, WOULD_STAY, DISPOSITION, END_MOVES, REASON = "would_go", "would_stay", "disposition", "end_moves", "reason"
CHANGES = (WOULD_GO, WOULD_STAY, DISPOSITION, END_MOVES, REASON)
NO_END = "no end"
NO_CATEGORY = ""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What a schedule says of a unit, in the terms of a plan line."""

    outcome: str
    disposition: str | None
    retention_end: str | None
    reason: str
    categories: tuple[str, ...]
    rule: str


class ChangedUnit(msgspec.Struct, frozen=True, gc=False):
    """A unit that the two schedules do not treat alike; `change` is the greatest of its changes."""

    table: str
    id: str
    change: str
    old: Verdict
    new: Verdict


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the schedule `new` would change on a day, against `old`, the one in force.

    `by_category` and `by_month` (the month of the end under the new schedule) count the changes of each kind;
    a unit with several categories counts in each. `forecast` has for each month the disposals under the old
    and under the new schedule. `going`, `recordings` and `contacts` are how many would go now under each."""

    old: Policy
    new: Policy
    day: date
    units: int
    changed: tuple[ChangedUnit, ...]
    totals: dict[str, int]
    by_category: dict[str, dict[str, int]]
    by_month: dict[str, dict[str, int]]
    forecast: tuple[tuple[str, int, int], ...]
    going: tuple[int, int]
    recordings: tuple[int, int]
    contacts: tuple[int, int]


def simulate(context: JobContext, new: Policy, *, day: date) -> Simulation:
    """Decide on every unit under the schedule in force on a day and under another one. The other one is
    treated as in force on that day, whatever its `valid_from`. Raises ConnectorError: the CRM could not be
    read whole."""
    from jobs.plans.contact_outcomes import all_contact_outcomes
    from jobs.plans.decided_units import Decided

    old = context.on(day).policy
    terms = (relation_terms(old), relation_terms(new))
    connector, holds = context.connector, active_holds(context, day)
    context.workers.ready()
    found = gather(connector, Kind.ALL, progress=context.progress, terms=terms[0].joined(terms[1]))
    both = []
    for policy in (old, new):
        decided = Decided.of(found, connector, policy, holds, day, context.workers).lined(Kind.ALL)
        both.append(decided.with_owners(found, decided.due()["row"]))
    going = [each.due()["row"] for each in both]
    kinds = [Counter(each.shapes["kind"][each.due()["shape"]]) for each in both]
    recordings = [sum(each[kind.value] for kind in RECORDING_KINDS) for each in kinds]
    changed = list(_changed(*both))
    undone = context.store.journal.undone(connector.table(Contact))
    removed = [len(all_contact_outcomes(found, going[at], undone, day=day, terms=terms[at]).remove) for at in range(2)]
    before, after = (forecast((decision for *_, decision in each.decisions()), day) for each in both)
    by_category: dict[str, Counter[str]] = {}
    by_month: dict[str, Counter[str]] = {}
    for one in changed:
        for category in dict.fromkeys((*one.new.categories, *one.old.categories)) or (NO_CATEGORY,):
            by_category.setdefault(category, Counter())[one.change] += 1
        by_month.setdefault(one.new.retention_end[:7] if one.new.retention_end else NO_END, Counter())[one.change] += 1
    return Simulation(
        old=old,
        new=new,
        day=day,
        units=both[0].frame.height,
        changed=tuple(changed),
        totals=_all_changes(Counter(one.change for one in changed)),
        by_category={category: _all_changes(by_category[category]) for category in sorted(by_category)},
        by_month={month: _all_changes(by_month[month]) for month in sorted(by_month)},
        forecast=tuple((month, before[month], after[month]) for month in before),
        going=(len(going[0]) - recordings[0], len(going[1]) - recordings[1]),
        recordings=(recordings[0], recordings[1]),
        contacts=(removed[0], removed[1]),
    )


def _changed(old: Decided, new: Decided) -> Iterator[ChangedUnit]:
    """Yield the units that the two do not treat alike; both have the same units, in one order."""
    verdict = ("disposition", "retention_end", "reasons")
    differs = old.told(*verdict).to_struct("verdict") != new.told(*verdict).to_struct("verdict")
    pairs = zip(old.decisions(old.frame.filter(differs)), new.decisions(new.frame.filter(differs)), strict=True)
    for (_, _, table, identity, before), (*_, after) in pairs:
        if change := change_between(before, after):
            yield ChangedUnit(table, identity, change, _verdict(before), _verdict(after))


def change_between(old: Decision, new: Decision) -> str:
    """Name what changes for a unit, the gravest first; empty if treated alike, perhaps by another rule."""
    if old.is_disposal != new.is_disposal:
        return WOULD_GO if new.is_disposal else WOULD_STAY
    if old.is_disposal and old.disposition is not new.disposition:
        return DISPOSITION
    if old.retention_end != new.retention_end:
        return END_MOVES
    return REASON if old.reasons != new.reasons else ""


def _verdict(decision: Decision) -> Verdict:
    end = decision.retention_end
    return Verdict(
        "dispose" if decision.is_disposal else "retain",
        decision.disposition.value if decision.is_disposal else None,
        end.isoformat() if end is not None else None,
        decision.reason.value,
        decision.categories,
        decision.rule,
    )


def _all_changes(counts: Mapping[str, int]) -> dict[str, int]:
    return {change: counts.get(change, 0) for change in CHANGES}
