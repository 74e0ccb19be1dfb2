"""What another schedule would do: every unit is read once and decided twice, and nothing is written anywhere.
Source: RET-06, 9.4 (a change of the schedule is proposed, advised on and approved by people who know its
effect)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from jobs.holds.active import active_holds
from jobs.model.plan import Kind
from jobs.plans.draft import RECORDING_KINDS
from jobs.plans.make import contact_facts, without_collection
from jobs.ports.context import JobContext
from jobs.reading.gather import gather
from rules.model.decisions import Decision
from rules.model.records import Contact
from rules.policy.policy import Policy
from rules.retention.contacts import settle_contacts
from rules.retention.decide import decide, owner_of, with_owner
from rules.retention.forecast import forecast
from rules.retention.relations import relation_terms

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
    old = context.on(day).policy
    with without_collection():
        return _compared(context, old, new, day)


def _compared(context: JobContext, old: Policy, new: Policy, day: date) -> Simulation:
    terms = {False: relation_terms(old), True: relation_terms(new)}
    connector, holds = context.connector, active_holds(context, day)
    found = gather(connector, Kind.ALL, day=day, progress=context.progress, terms=terms[False].joined(terms[True]))
    decisions: tuple[list[Decision], list[Decision]] = ([], [])
    going: tuple[set[str], set[str]] = (set(), set())
    units, recordings = [0, 0], [0, 0]
    changed: list[ChangedUnit] = []
    owners: tuple[dict[str, Decision], dict[str, Decision]] = ({}, {})
    for unit in found.units(Kind.ALL):
        pair = tuple(
            with_owner(decide(unit, policy, holds, as_of=day), owners[at].get(owner_of(unit) or "")) for at, policy in enumerate((old, new))
        )
        for at, decision in enumerate(pair):
            decisions[at].append(decision)
            if decision.is_disposal:
                going[at].add(unit.id)
                owners[at][unit.id] = decision
                (recordings if unit.kind in RECORDING_KINDS else units)[at] += 1
        if change := change_between(*pair):
            table = connector.table(type(unit.row))
            changed.append(ChangedUnit(table, unit.id, change, *map(_verdict, pair)))
    undone = context.store.journal.undone(connector.table(Contact))
    removed = [len(settle_contacts(contact_facts(found, going[at], undone, day=day, terms=terms[bool(at)])).remove) for at in range(2)]
    before, after = (forecast(each, day) for each in decisions)
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
        units=len(decisions[0]),
        changed=tuple(changed),
        totals=_all_changes(Counter(one.change for one in changed)),
        by_category={category: _all_changes(by_category[category]) for category in sorted(by_category)},
        by_month={month: _all_changes(by_month[month]) for month in sorted(by_month)},
        forecast=tuple((month, before[month], after[month]) for month in before),
        going=(units[0], units[1]),
        recordings=(recordings[0], recordings[1]),
        contacts=(removed[0], removed[1]),
    )


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
