"""The nightly request maintenance: what has expired, what pending requests keep, and what is nearly due or
late. Source: DDL-08, DDL-10, DDL-11, HLD-08, ERA-14."""

from jobs.ledger.maintenance_runs import REQUESTS
from jobs.model.outcome import Outcome
from jobs.model.request import DECISIONS
from jobs.model.run import REQUEST_UNDONE, RunState
from jobs.plans.alarms.restore_alarms import UNDONE, undone_alarm
from jobs.ports.context import JobContext
from jobs.proof.job_record import recorded
from jobs.register.dates import alarms_of, has_gone_overdue
from jobs.register.maintenance import maintain_register
from jobs.requests.decisions.carry_out import fulfil_all
from jobs.requests.decisions.correct import ENDED
from jobs.requests.decisions.lost_writes import LostWrite, repeat_lost, undone_for_certain
from jobs.requests.decisions.notices import reminder_of
from jobs.requests.search.preserve import preserve_all
from rules.holds.of_requests import REASON_OF_RIGHT


def run_requests(context: JobContext) -> Outcome:
    """Maintain the requests, in a run like any other: it ends with failures where there is an alarm. What
    depends on the calendar is done first.

    `overdue` of the answer are ids; `waiting` are released requests of which something granted could not be
    carried out, with the code of what stands in the way.

    Raises:
        ClocksDiffer: what has expired is not known; nothing was begun.
        ConnectorError: what a pending request keeps could not be looked up; what depends on the calendar was
            done."""
    now, store, calendar = context.clock(), context.store, context.policy.calendar
    with recorded(context, REQUESTS) as run:
        done = maintain_register(store, context.policy, now, context.references)
        requests = store.requests.all()
        pending = [request for request in requests if not request.is_closed]
        preserve_all(context, [request for request in pending if request.right in REASON_OF_RIGHT])
        undone = _made_good(context)
        decided = store.requests.with_part(DECISIONS)  # of requests closed or not
        reminders = ((request.id, reminder_of(store, request, context.day(now))) for request in requests if request.id in decided)
        alarms = [
            *((request.id, alarm) for request in pending for alarm in alarms_of(request, now, calendar)),
            *((request, alarm) for request, alarm in reminders if alarm is not None),
        ]
        if undone:
            alarms.append(("", undone_alarm(len(undone))))
        overdue = [request.id for request in pending if has_gone_overdue(request, now, calendar)]
        waiting = fulfil_all(context)
        run.state = RunState.DONE_WITH_FAILURES if alarms else RunState.DONE
        corrected = [each for each in undone if each.what not in ENDED]
        codes = sorted({alarm.code for _, alarm in alarms})
        run.counts = {"pending": len(pending), "overdue": len(overdue), "alarms": codes, "totalled": done.totalled, UNDONE: len(corrected)}
    totals = context.store.requests.totals().items()
    document = {
        "run": run.id,
        "state": run.state.value,
        "pending": len(pending),
        "overdue": overdue,
        "reminded": list(done.reminded),
        "closed": list(done.closed),
        "erased": [{"request": request, "part": part} for request, part in done.erased],
        "totalled": done.totalled,
        "alarms": [{"code": alarm.code, "message": alarm.message} | ({"request": request} if request else {}) for request, alarm in alarms],
        "waiting": waiting,
        "totals": [{"year": year, "right": right, "outcome": outcome, "requests": n} for (year, right, outcome), n in totals],
    }
    return Outcome(run.id, run.state, document, tuple(alarm for _, alarm in alarms))


def _made_good(context: JobContext) -> list[LostWrite]:
    """End uses again that a restore of the CRM has begun again, though it has undone nothing else, and return
    all that it has undone. What had been corrected is for a person (ERA-13)."""
    undone = undone_for_certain(context)
    if undone:
        context.store.ledger.append([("alarm", {"code": REQUEST_UNDONE, "rows": len(undone)})])
        if context.store.kill_switch.stopped_since() is None:
            repeat_lost(context, undone)
    return undone
