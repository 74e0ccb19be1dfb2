"""Releases holds: another person than the one who has placed it (place.py), and than the one who asks.
Source: HLD-02, HLD-09, section 9.4, ACC-10."""

from datetime import date, datetime

import msgspec

from jobs.checks.denials import denied, refuse_role
from jobs.checks.drift.holds import hold_entry
from jobs.checks.drift.references import Reference
from jobs.checks.same_crm import refuse_other_crm
from jobs.ports.store.store import Store
from jobs.register.hold_texts import without_requests
from rules.dates.calendar import Calendar
from rules.dates.periods import iso
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.holds.placements import HoldState, PlacedHold, check_notice
from rules.model.accounts import account, same_person
from rules.model.roles import Act


def release_hold(
    store: Store,
    hold_id: str,
    *,
    who: str,
    role: str,
    asked_by: str,
    reason: str,
    notified_on: date | None,
    now: datetime,
    calendar: Calendar,
    reference: Reference,
) -> PlacedHold:
    """Release a hold, and return it as it is then. The person who releases it has neither placed it nor asked
    for its release (R-067). Raises UsageError: an unknown hold, or nobody who asks, or no reason, or an
    invalid name; Refused: a hold of another CRM, the wrong role, the placer or the asker, a restriction
    without notice to the person (R-074), or released before."""
    hold = store.holds.get(hold_id)
    if not asked_by.strip() or not reason.strip():
        raise UsageError("who asks for the release, and why, must be said", hint=hint_to("say_who_asks"))
    who, asked_by = account(who), account(asked_by, "asked_by")
    data: dict[str, object] = {"hold": hold.id, "role": role, "by": reference("person", who)}
    refuse_other_crm(store, hold.crm, Act.RELEASE_HOLD, data, hold.id)
    refuse_role(store, who, role, Act.RELEASE_HOLD, data)
    if same_person(who, hold.placed_by) or same_person(who, asked_by):
        error = Refused(
            "whoever placed a hold, or asks for its release, cannot release it",
            hint="another person has to release it (HLD-02)",
            where=hold.id,
            code="same_person",
        )
        raise denied(store, Act.RELEASE_HOLD, data, error)
    released = msgspec.structs.replace(
        hold,
        released_by=who,
        released_at=now,
        release_asked_by=asked_by,
        release_reason=without_requests(store, reference, reason),
        notified_on=notified_on,
    )
    told: dict[str, object] = {"asked_by": reference("person", asked_by), "notified_on": iso(notified_on), "role": role, "by": data["by"]}
    try:
        if hold.state(calendar.day(now)) is HoldState.RELEASED:
            raise Refused("the hold was released already", where=hold.id, code="released")
        check_notice(hold, notified_on, placed_on=calendar.day(hold.placed_at), day=calendar.day(now))
        store.holds.release(released, ("hold_released", hold_entry(hold, reference) | told))
    except Refused as refused:  # by another person at this instant too
        raise denied(store, Act.RELEASE_HOLD, data, refused) from None
    return released
