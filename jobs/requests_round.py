"""The nightly round over subject requests: what has had its day, what pending requests keep, and what comes near or is late.

Source: DDL-08, DDL-10, DDL-11, HLD-08, ERA-14.
"""

from __future__ import annotations

import msgspec

from jobs.freezing import refreeze_all
from jobs.fulfilling import fulfil_all
from jobs.notices import reminder_of
from jobs.plan import Alarm
from jobs.ports import JobContext
from jobs.register_upkeep import Upkept, keep_register
from jobs.request_terms import alarms_of, has_gone_overdue
from rules.periods import brussels_date
from rules.request_holds import REASON_OF_RIGHT


class RequestsRound(msgspec.Struct, frozen=True):
    """One round. `alarms` go with the id of their request, `overdue` are ids; `waiting` are released requests of which something granted
    could not be carried out, with the code of what stands in the way."""

    id: str
    pending: int
    overdue: tuple[str, ...]
    upkept: Upkept
    alarms: tuple[tuple[str, Alarm], ...]
    waiting: dict[str, str] = {}


def go_round(context: JobContext) -> RequestsRound:
    """Make one round and write it down in the ledger. What goes by the calendar goes first.

    Raises:
        ConnectorError: what a pending request keeps could not be looked up; all that goes by the calendar was done.
    """
    now, run, store, extra = context.clock(), context.new_id("run"), context.store, context.policy.defaults.extra_holidays
    with context.logged_as(run):
        upkept = keep_register(store, context.policy.defaults, now)
        requests = store.requests()
        pending = [request for request in requests if not request.is_closed]
        refreeze_all(context, [request for request in pending if request.right in REASON_OF_RIGHT])
        reminders = ((request.id, reminder_of(store, request, brussels_date(now))) for request in requests)  # closed or not
        alarms = (
            *((request.id, alarm) for request in pending for alarm in alarms_of(request, now, extra)),
            *((request, alarm) for request, alarm in reminders if alarm is not None),
        )
        overdue = tuple(request.id for request in pending if has_gone_overdue(request, now, extra))
        told: dict[str, object] = {
            "pending": len(pending),
            "overdue": len(overdue),
            "alarms": sorted({alarm.code for _, alarm in alarms}),
            "totalled": upkept.totalled,
        }
        store.append([("requests_round", told)], run)
    return RequestsRound(run, len(pending), overdue, upkept, alarms, fulfil_all(context))
