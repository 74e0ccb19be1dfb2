"""The holds in force at a moment, from the store, from open requests and from the CRM, with the rows that
they reach."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial

from jobs.checks.drift.holds import about_holds
from jobs.checks.drift.references import Believed
from jobs.checks.ledger_drift import refuse
from jobs.holds.granted_erasure import despite_answered
from jobs.holds.reach import HoldReach
from jobs.model.plan import REPLAY_RULE, REQUEST_RULE
from jobs.model.run import CONTINUED, Action
from jobs.ports.context import JobContext
from jobs.reading.gather import gather_units
from jobs.reading.units import Gathering
from rules.holds.holds import Holds
from rules.holds.of_requests import RequestHold
from rules.holds.placements import PlacedHold
from rules.model.decisions import Reason
from rules.model.records import KINDS, Unit, UnitKind

CONTACT = UnitKind.CONTACT.value
READABLE = {kind.value: kind for kind in UnitKind if kind is not UnitKind.CONTACT}


def active_holds(context: JobContext, day: date) -> Holds:
    """Return every hold in force on this day, read again, except those that give way to what is being carried
    out.

    If there is none, the CRM is not queried. A request that keeps nothing queries the same as one that keeps
    something. What is placed while the CRM is queried counts. Raises StoreAltered: the ledger knows of a hold
    that the table does not have as it was placed; ConnectorError: the rows that a hold on a person covers
    could not be read. Source: HLD-04, HLD-07, HLD-08."""
    with context.store.ledger.one_state():  # what is taken is what was held against the ledger
        refuse(about_holds(context.store, Believed(context.store, context.references), day))
        placed = _in_force(context, day)
    policies = (context.policy, context.by_now(day).policy)  # a run goes by an earlier version where its plan does
    grace_days = max(policy.defaults.request_grace_days for policy in policies)
    requests = context.requests.preserving(day - timedelta(days=grace_days))
    reach = HoldReach(context.connector, always=bool(requests))
    for hold in placed:
        if hold.row:
            reach.add(hold.kind, hold.row, partial(hold.on_row, day=day), everything=hold.everything)
    _add_requests(reach, requests, day, grace_days)
    if reach.has_people:
        for _, action in context.store.journal.partials():
            for contact in people_of(action):
                reach.add_role(contact, action.rows[-1].kind, action.id)
    reach.extend()
    if (placed or requests) and _in_force(context, day) != placed:
        return active_holds(context, day)
    by_facts = [(hold.on_row(hold.kind, "", day), hold.conditions) for hold in placed if hold.conditions]
    return Holds.of(
        [hold for hold in reach.placed if not context.gives_way(hold)],
        kept=[hold for hold in reach.kept if not context.gives_way(hold)],
        by_facts=[each for each in by_facts if not context.gives_way(each[0])],
        sentinels=context.policy.fillers,
    )


def _add_requests(reach: HoldReach, requests: Iterable[RequestHold], day: date, grace_days: int) -> None:
    """Add what requests keep on this day: their people whole, and rows by themselves."""
    for request in requests:
        reason = request.reason(day, grace_days=grace_days)
        if reason is not None:
            for contact in request.contacts:
                reach.add(CONTACT, contact, partial(request.on_row, reason=reason), everything=True)
            for kind, row in request.rows:
                reach.add(kind, row, partial(request.on_row, reason=reason))


def _in_force(context: JobContext, day: date) -> list[PlacedHold]:
    return [hold for hold in context.store.holds.all(unreleased=True) if hold.is_in_force(day)]


def held_contacts(context: JobContext, day: date, contacts: Collection[str]) -> dict[str, Reason]:
    """Return which contacts a hold keeps from being removed or trimmed, each with its primary reason."""
    return {contact: reason for contact, reason in active_holds(context, day).on_contacts().items() if contact in contacts}


def held_actions(context: JobContext, day: date, actions: Mapping[str, Action], units: Mapping[tuple[str, str], Unit]) -> dict[str, Reason]:
    """Return which of these actions, by a name of the caller's, a hold covers now, each with its primary
    reason. `units` are the units of those actions that were read a moment ago, by (table, id); of the others
    a part may be deleted. A recording that stays loses its link although it is held (RET-03). What was erased
    on request and is gone on with is not held by an erasure request that is answered, as its run was not
    (HLD-12). Source: HLD-07."""
    granted = {name: action for name, action in actions.items() if CONTINUED in action.flags and action.rule in (REQUEST_RULE, REPLAY_RULE)}
    others = {name: action for name, action in actions.items() if name not in granted}
    held = _held(context, day, others, units) if others else {}
    return held | (_held(despite_answered(context), day, granted, units) if granted else {})


def _held(context: JobContext, day: date, actions: Mapping[str, Action], units: Mapping[tuple[str, str], Unit]) -> dict[str, Reason]:
    holds = active_holds(context, day)
    if not holds.is_any:
        return {}
    asked = {name: units.get(action.key) for name, action in actions.items()}
    unread = [action for name, action in actions.items() if asked[name] is None]
    again = remaining_units(context, unread) if holds.asks_for_facts else {}
    if again:
        holds = active_holds(context, day)  # one may have been placed while they were read
    held: dict[str, Reason] = {}
    for name, action in actions.items():
        unit, in_part = asked[name], False
        if unit is None:
            unit, in_part = again.get(action.id), True
        reasons = holds.covering(unit, in_part=in_part) if unit is not None else ()
        reasons = reasons or holds.on_rows(_rows(action)) or holds.on_people(people_of(action))
        if reasons:
            held[name] = reasons[0]
    return held


def _rows(action: Action) -> Iterator[tuple[str, str]]:
    """Yield the rows that are written, except recordings that stay and lose their link. A contact is included
    even if nothing of it remains to be written."""
    for write in action.rows:
        if not (write.kind == UnitKind.RECORDING and write.operation.startswith("unlink")):
            yield write.kind, write.id
    if not action.rows:
        yield CONTACT, action.id


def people_of(action: Action) -> Iterator[str]:
    """Return the people whose roles are removed. The roles may be removed already, and with them the way from
    the person to the unit."""
    return (write.target for write in action.rows if write.kind == "party" and write.operation == "delete" and write.target)


def remaining_units(context: JobContext, actions: Collection[Action]) -> dict[str, Unit]:
    """Return what remains of units that are no longer whole, by id, as it is read now; one whose own row is
    gone has no entry. Raises ConnectorError: it could not be read."""
    wanted: dict[UnitKind, list[str]] = {}
    for action in actions:
        own = action.rows[-1].kind if action.rows else ""  # a unit's own row is the last
        kind = READABLE.get(own) if own in KINDS else UnitKind.OWN_TABLE if own else None
        if kind is not None:
            wanted.setdefault(kind, []).append(action.id)
    found = gather_units(context.connector, wanted) if wanted else Gathering(())
    return {unit.id: unit for unit in found.every_unit()}
