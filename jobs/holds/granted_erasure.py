"""What gives way to an erasure that was decided, on request or in an earlier run. Also how a file is erased
that the schedule does not decide on. Source: HLD-12, R-078, R-079, R-091, ERA-04; table 4.2."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date
from typing import Final

import msgspec

from connectors.interface.rows import Among
from jobs.model.request import SubjectRequest
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from jobs.register.decision import Decision, What, answered
from rules.holds.erasure_rulings import GrantedErasure, Ruling, ruling_on_hold
from rules.holds.holds import Hold, Holds
from rules.law.of_units import decisions
from rules.model.decisions import Decision as Disposal
from rules.model.records import Contact, Unit
from rules.model.requests import Right

_LATER: Final = date(9999, 1, 1)  # a day on which every term has ended, to learn how a file would go


def erasure_of(request: SubjectRequest | str, decision: Decision | None) -> GrantedErasure:
    """Return what table 4.2 needs of a granted request. Once its sealed part is removed, only the request
    itself gives way."""
    name = request if isinstance(request, str) else request.id
    if decision is None:
        return GrantedErasure(name, frozenset(), dpo_decided=True)
    return GrantedErasure(name, frozenset(decision.asking), dpo_decided=True, is_grown=decision.is_grown, decided_at=decision.at)


def giving_way(context: JobContext, erasure: GrantedErasure) -> JobContext:
    """Return the same context without the holds that this erasure overrules."""
    over = answered(context.store)
    return replace(context, gives_way=lambda hold: ruling_on_hold(as_answered(hold, over), erasure) is Ruling.ALLOWED)


def despite_answered(context: JobContext) -> JobContext:
    """Return the same context, in which an answered erasure request keeps nothing. What it had erased is
    deleted again (HLD-12, R-091)."""
    over = answered(context.store)
    return replace(context, gives_way=lambda hold: hold.right == Right.ERASURE.value and hold.hold_id in over)


def as_answered(hold: Hold, over: Collection[str]) -> Hold:
    """Return a hold as it is if its request is among those that are answered: nobody waits for it."""
    return msgspec.structs.replace(hold, is_pending=False) if hold.hold_id in over else hold


def given_up(context: JobContext, decision: Decision | None) -> frozenset[str]:
    """Return the contacts whose profile goes at their own word, and who have not subscribed to the newsletter
    again since it was ended for them: that is a new consent. Raises ConnectorError: the CRM cannot be
    read."""
    people = frozenset(task.id for task in decision.of({What.PROFILE})) if decision is not None else frozenset()
    if decision is None or not people or not decision.unsubscribed or decision.of({What.UNSUBSCRIBE}):
        return people
    return people - {row.id for row in rows_of(context.connector, Contact, ("newsletter",), Among("id", sorted(people))) if row.newsletter}


def ways_of(context: JobContext, units: Iterable[Unit]) -> list[Disposal | None]:
    """Return how the schedule would dispose of each of these files once its time had come; None for one that
    has no term, so that it is simply deleted."""
    found = decisions(units, context.policy, Holds.none(), _LATER)
    return [decision if decision.is_disposal else None for decision in found]
