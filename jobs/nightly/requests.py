"""The nightly round over subject requests: what has had its day, what pending requests keep, and what comes
near or is late.

Source: DDL-08, DDL-10, DDL-11, HLD-08, ERA-14.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from jobs.ledger.rounds import REQUESTS
from jobs.model.outcome import Outcome
from jobs.model.plan import Alarm
from jobs.model.run import RunState
from jobs.ports.context import JobContext
from jobs.proof.recorded import recorded
from jobs.register.dates import alarms_of, has_gone_overdue
from jobs.register.upkeep import Upkept, keep_register
from jobs.requests.decisions.carry_out import fulfil_all
from jobs.requests.decisions.notices import reminder_of
from jobs.requests.search.freeze import refreeze_all
from rules.dates.periods import brussels_date
from rules.holds.of_requests import REASON_OF_RIGHT


class RequestsRound(msgspec.Struct, frozen=True):
    """One round, which is a run like any other: it ends with failures where there is an alarm.

    `alarms` go with the id of their request, `overdue` are ids; `waiting` are released requests of which
    something granted could not be carried out, with the code of what stands in the way.
    """

    id: str
    pending: int
    overdue: tuple[str, ...]
    upkept: Upkept
    alarms: tuple[tuple[str, Alarm], ...]
    waiting: dict[str, str] = {}

    @property
    def state(self) -> RunState:
        return RunState.DONE_WITH_FAILURES if self.alarms else RunState.DONE


def run_requests(context: JobContext) -> Outcome:
    """Make one round and answer with it. Raises like `go_round`."""
    done = go_round(context)
    document = _document(done, context.store.request_totals())
    return Outcome(done.id, done.state, document, tuple(alarm for _, alarm in done.alarms))


def _document(done: RequestsRound, totals: Mapping[tuple[int, str, str], int]) -> dict[str, object]:
    upkept = done.upkept
    return {
        "run": done.id,
        "state": done.state.value,
        "pending": done.pending,
        "overdue": list(done.overdue),
        "reminded": list(upkept.reminded),
        "closed": list(upkept.closed),
        "erased": [{"request": request, "part": part} for request, part in upkept.erased],
        "totalled": upkept.totalled,
        "alarms": [{"code": alarm.code, "message": alarm.message, "request": request} for request, alarm in done.alarms],
        "waiting": done.waiting,
        "totals": [{"year": year, "right": right, "outcome": outcome, "requests": n} for (year, right, outcome), n in totals.items()],
    }


def go_round(context: JobContext) -> RequestsRound:
    """Make one round and write down in the ledger that it began and how it ended. What goes by the calendar
    goes first.

    Raises:
        ClocksDiffer: what has had its day is not known; nothing was begun.
        ConnectorError: what a pending request keeps could not be looked up; all that goes by the calendar was
            done.
    """
    with recorded(context, REQUESTS) as run:
        done = _made(context, run.id)
        run.state = done.state
        run.counts = {
            "pending": done.pending,
            "overdue": len(done.overdue),
            "alarms": sorted({alarm.code for _, alarm in done.alarms}),
            "totalled": done.upkept.totalled,
        }
    return done


def _made(context: JobContext, run: str) -> RequestsRound:
    now, store, extra = context.clock(), context.store, context.policy.defaults.extra_holidays
    upkept = keep_register(store, context.policy.defaults, now, context.references)
    requests = store.requests()
    pending = [request for request in requests if not request.is_closed]
    refreeze_all(context, [request for request in pending if request.right in REASON_OF_RIGHT])
    reminders = ((request.id, reminder_of(store, request, brussels_date(now))) for request in requests)  # closed or not
    alarms = (
        *((request.id, alarm) for request in pending for alarm in alarms_of(request, now, extra)),
        *((request, alarm) for request, alarm in reminders if alarm is not None),
    )
    overdue = tuple(request.id for request in pending if has_gone_overdue(request, now, extra))
    return RequestsRound(run, len(pending), overdue, upkept, alarms, fulfil_all(context))
