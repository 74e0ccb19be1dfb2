"""Runs the jobs at their hours, by the clock of the schedule: missed hours are caught up once, one runner at
a time, a clean stop. Whether an hour was missed follows from the plans, runs and leases that the store holds,
so nothing has to be remembered: a service that was down at two o'clock runs once when it comes up again
(RET-18). A job that the CRM or the database did not answer is tried again the same night."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.typing import FilteringBoundLogger

from connectors.interface.errors import ConnectorError
from crm_compliance.alerts.pings import Watched, watched
from crm_compliance.configuration.cron_lines import CivilTrigger
from crm_compliance.configuration.hours import crons_of, last_hour, next_try, triggers_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import DiskProblem
from crm_compliance.proof import verify_of_night
from crm_compliance.service.health import last_ends
from crm_compliance.service.one_job import carry_out, without_crm
from crm_compliance.store.files.erasure_file import ErasureFile
from crm_compliance.store.sql.problems import StoreUnusable
from crm_compliance.wiring.clock import clock_of, machine_time
from crm_compliance.wiring.crm import Patience
from crm_compliance.wiring.desk import Desk, desk
from crm_compliance.wiring.schedule import policy_of
from crm_compliance.wiring.store import store_of
from jobs.checks.kill_switch import refuse_if_stopped
from jobs.checks.same_clock import ClocksDiffer
from jobs.model.plan import Alarm
from jobs.plans.alarms.earlier_plans import EarlierPlans
from jobs.ports.context import JobContext
from jobs.ports.store.leases import Lease
from jobs.ports.store.store import Store
from jobs.registry import JOBS, Job
from jobs.restores.replay import replay_if_restored
from rules.errors import ComplianceError, Refused
from rules.model.roles import SERVICE

SCHEDULER: Final = "scheduler"  # the lease
RETRY_S = 60.0  # between two attempts to become ready
LOOK_S = 15.0  # between two looks whether the service may still start jobs
log = structlog.get_logger()


class Stopping(ComplianceError):
    """The service is being stopped; the run continues where it was when the service starts again."""

    code = "stopping"


def missed(store: Store, job: str, cron: str, now: datetime, zone: ZoneInfo, *, left_at: datetime | None = None) -> bool:
    """Return whether the last hour of a job passed without it: no plan of its kind by the service since that
    was carried out or is for people to decide on, no end of a job without plans, or a run that was cut off.
    What never came is missed where it was due after `left_at`, when the service before this one was last
    there: a new one waits for its first hour."""
    kind = JOBS[job].kind
    if kind is None:
        came = (end.at for name, end in last_ends(store.runs).items() if name == job)
    elif store.runs.unfinished():
        return True
    else:
        plans = (plan for plan in store.plans.newest([kind]) if plan.proposer == SERVICE and not plan.as_of_given)
        came = (plan.created_at for plan in plans if plan.applied or plan.needed or plan.given)  # else it was killed before its run
    before, last = next(came, left_at), last_hour(cron, now, zone)
    return before is not None and last is not None and before < last


def serve(settings: Settings, stop: threading.Event, *, announce: Callable[[str], None]) -> None:
    """Run the scheduler until `stop` is set; a running run then ends after the current group of units, or
    where it waits. Before anything is announced, what a restore of the CRM has brought back is deleted again
    (R-091). While the schedule cannot be used no job is started, and whatever else is served stays up. Raises
    Refused: another scheduler is at work on the
    same store; with code `lease_lost` one has taken over from this one, and `stop` is set."""
    clock, zone = clock_of(settings), zone_when_usable(settings, stop, announce)
    if zone is None:
        return
    with ExitStack() as held:
        store = held.enter_context(store_of(settings, clock))
        left_at = store.leases.last_there(SCHEDULER)
        lease = held.enter_context(store.leases.exclusive(SCHEDULER))
        scheduler = BackgroundScheduler(
            timezone=zone,
            executors={"default": ThreadPoolExecutor(max_workers=1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # what it warns of is told here, with the job
        scheduler.add_listener(tell_left_out, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        crons, triggers = crons_of(settings), triggers_of(settings, zone)
        replay_first(settings, store, stop, still_ours=lease.check)

        def start(name: str, tries: int = 1) -> None:
            if is_still_ours(lease, name, stop) and run_job(settings, name, stop, is_again=tries > 1) and not stop.is_set():
                try_again(name, tries)

        def try_again(name: str, tries: int) -> None:
            again = next_try(crons[name], tries, machine_time(), zone, hours=settings.retry_hours)
            if again is None:
                return
            at, until = again
            log.warning("job is tried again", job=name, next_at=at.isoformat(), until=until.isoformat())
            # One that waits behind other jobs until its hours are over does not begin any more.
            grace_s = max(1, int((until - at).total_seconds()))
            again_id = f"{name} (again)"
            scheduler.add_job(
                start, "date", run_date=at, args=[name, tries + 1], id=again_id, misfire_grace_time=grace_s, replace_existing=True
            )

        now = clock()
        for name, cron in crons.items():
            scheduler.add_job(start, triggers[name], args=[name], id=name)
            if missed(store, name, cron, now, zone, left_at=left_at):  # at once, by the scheduler's own clock
                scheduler.add_job(start, args=[name], id=f"{name} (missed)")
        scheduler.start()
        for job in scheduler.get_jobs():
            announce(f"{job.id}: next at {job.next_run_time.isoformat()}")
        try:
            hold_out(lease, stop, each_look=partial(look_at_clock, scheduler, triggers))
        finally:
            stop.set()  # a job under way ends too
            scheduler.shutdown(wait=True)


def tell_left_out(event: JobEvent) -> None:
    """Log that an hour of a job, or a try, does not come: those before it take until then."""
    log.warning("an hour of a job is left out", job=event.job_id, message="it, or what goes before it, is still at work")


def zone_when_usable(settings: Settings, stop: threading.Event, announce: Callable[[str], None]) -> ZoneInfo | None:
    """Return the zone of the schedule, in which hours are told; wait for one that can be used, and say what
    is wrong with the present one. Return None: the service is stopped before there is one."""
    told = ""
    while True:
        try:
            return policy_of(settings).calendar.zone
        except ComplianceError as error:
            if str(error) != told:
                told = str(error)
                log.error("no job is started: the schedule cannot be used", code=error.code, message=told, at=error.where)
                announce(f"no job is started until the schedule can be used: {told}")
        if stop.wait(LOOK_S):
            return None


def hold_out(lease: Lease, stop: threading.Event, *, each_look: Callable[[], None]) -> None:
    """Wait until the service is stopped. `each_look` has the clock looked at again: on a machine that slept,
    or whose clock was set, a wait for an hour ends long after it. Raises Refused: with code `lease_lost`,
    where another scheduler has taken over meanwhile: two would start everything twice."""
    is_told = False
    while not stop.wait(LOOK_S):
        each_look()
        try:
            lease.check()
            is_told = False
        except Refused as error:
            log.error("the right to start jobs was lost", code=error.code, message=str(error))
            raise
        except ComplianceError as error:  # not known now: no job is started until it is
            if not is_told:
                log.warning("the database does not answer", code=error.code, message=str(error))
            is_told = True


def look_at_clock(scheduler: BackgroundScheduler, triggers: Mapping[str, CivilTrigger]) -> None:
    """Have the clock looked at again. Where it was set back, the hour of a job that comes by it now is sooner
    than the one that is waited for, and would be left out."""
    for name, trigger in triggers.items():
        job, comes = scheduler.get_job(name), trigger.get_next_fire_time(None, machine_time())
        if comes < job.next_run_time:
            job.modify(next_run_time=comes)
    scheduler.wakeup()


def is_still_ours(lease: Lease, name: str, stop: threading.Event) -> bool:
    """Return whether a job may be started; what prevents it is logged. While the database does not answer,
    wait: a missed hour is caught up at the next start of the service, and not before."""
    is_told = False
    while not stop.is_set():
        try:
            lease.check()
        except Refused as error:
            log.error("job not started", job=name, code=error.code, message=str(error))
            return False
        except ComplianceError as error:
            if not is_told:
                log.error("job waits for the database", job=name, code=error.code, message=str(error))
            is_told = True
            stop.wait(LOOK_S)
        else:
            return True
    return False


def always() -> None:
    """Do nothing: no other scheduler can have taken over."""


def replay_first(settings: Settings, store: Store, stop: threading.Event, *, still_ours: Callable[[], None] = always) -> None:
    """Check whether the CRM was restored, and delete again what that has brought back, before the service is
    ready (R-091). Until that is done the service waits: for a CRM that does not answer, and for the approvals
    that a large replay needs (RET-24). Raises Refused: what `still_ours` raises."""
    if not store.journal.last_done(1) and ErasureFile(settings.erasures_path).last() is None:
        return  # nothing was ever erased
    while not stop.is_set():
        try:
            still_ours()
        except Refused:
            raise
        except ComplianceError as error:  # not known now: nothing is deleted until it is
            log.error("not ready", code=error.code, message=str(error), at=error.where)
        else:
            if is_replayed(settings, stop):
                return
        stop.wait(RETRY_S)


def is_replayed(settings: Settings, stop: threading.Event) -> bool:
    """Delete again what a restore of the CRM has brought back; return whether nothing is left to do, or the
    service is being stopped. What prevents it is logged."""
    try:
        with desk_of_service(settings, stop, log) as opened:
            run = replay_if_restored(opened.context)
        if run is not None:
            log.warning("the CRM was restored: replayed", run=run.id, plan=run.plan, state=run.state.value)
    except Stopping:
        pass
    except ComplianceError as error:
        log.error("not ready", code=error.code, message=str(error), at=error.where)
        return False
    except Exception as error:  # noqa: BLE001  the scheduler catches everything: it tries again
        log.error("not ready, by a bug", code="bug", kind=type(error).__name__)
        return False
    return True


def stop_if_asked(stop: threading.Event) -> None:
    """Raise Stopping once the service is being stopped."""
    if stop.is_set():
        raise Stopping("the service is being stopped")


@contextmanager
def desk_of_service(settings: Settings, stop: threading.Event, bound: FilteringBoundLogger) -> Iterator[Desk]:
    """Yield the desk of a job that ends once the service is being stopped. It ends at its next step or where
    it waits for the CRM."""
    go_on, warn = partial(stop_if_asked, stop), partial(_warned, bound)

    def progress(stage: str, done: int, total: int | None = None) -> None:
        go_on()

    with desk(settings, patience=Patience.OF_A_SERVICE, progress=progress, while_waiting=go_on, warn=warn) as opened:
        yield opened


def _warned(bound: FilteringBoundLogger, text: str) -> None:
    bound.warning("job warns", message=text)


def run_job(settings: Settings, name: str, stop: threading.Event, *, is_again: bool = False) -> bool:
    """Run one job and log how it ended; an error ends the night, never the service. Return whether the CRM,
    the database or its disk is why, so that another try may go better. `is_again`: this is such a try, which
    the kill switch ends."""
    with watched(settings, name, is_again=is_again) as under_watch:
        may_go_better = _run(settings, name, stop, under_watch, is_again=is_again)
        if not stop.is_set():
            verify_after(settings, name, stop, under_watch)
    return may_go_better


def verify_after(settings: Settings, name: str, stop: threading.Event, under_watch: Watched) -> None:
    """Verify the ledger after the job that has it verified; where it does not verify, the night counts as
    failed."""
    bound = log.bind(job=name)
    try:
        if (audit := verify_of_night(settings, JOBS[name], partial(stop_if_asked, stop))) is not None:
            bound.info("ledger verified", count=audit.verdict.entries)
    except Stopping:
        bound.info("ledger not verified", message="the service is being stopped; the next night does it")
    except ComplianceError as error:
        under_watch.is_good = False
        bound.error("ledger not verified", code=error.code, message=str(error), at=error.where)
    except Exception as error:  # noqa: BLE001  the scheduler catches everything: tomorrow night must come
        under_watch.is_good = False
        bound.error("ledger not verified, by a bug", code="bug", kind=type(error).__name__)


def _run(settings: Settings, name: str, stop: threading.Event, under_watch: Watched, *, is_again: bool) -> bool:
    bound = log.bind(job=name)
    bound.info("job started")
    try:
        if is_again:  # before the CRM is waited for
            with store_of(settings, clock_of(settings)) as store:
                refuse_if_stopped(store)
        with desk_of_service(settings, stop, bound) as opened:
            for alarm in missing_before(opened.context, JOBS[name]):
                alarm_raised(alarm, bound)
            done = carry_out(opened, JOBS[name], partial(_warned, bound))
        of_plan = {} if done.plan is None else {"plan": done.plan}
        for warning in done.warnings:
            bound.warning("plan warns", message=warning, **of_plan)
        for alarm in done.alarms:
            alarm_raised(alarm, bound.bind(run=done.id))
        under_watch.is_good = not done.has_failures
        bound.info("job ended", run=done.id, state=done.state.value, **of_plan)
    except Stopping:
        under_watch.is_good = None
        bound.info("job stopped", message="it goes on where it was when the service comes up again")
    except Refused as error:
        bound.warning("job refused", code=error.code, message=str(error), plan=error.where)
    except ComplianceError as error:
        bound.error("job failed", code=error.code, message=str(error), at=error.where)
        go_without_crm(settings, JOBS[name], error, bound)
        return isinstance(error, ConnectorError | StoreUnusable | DiskProblem) and not isinstance(error, ClocksDiffer)
    except Exception as error:  # noqa: BLE001  the scheduler catches everything: tomorrow night must come
        bound.error("job failed by a bug", code="bug", kind=type(error).__name__)
    return False


def go_without_crm(settings: Settings, job: Job, why: ComplianceError, bound: FilteringBoundLogger) -> None:
    """Do what a job can do without the CRM; an error ends the night, never the service."""
    try:
        without_crm(settings, job, why)
    except ComplianceError as error:
        bound.error("job failed", code=error.code, message=str(error), at=error.where)


def alarm_raised(alarm: Alarm, bound: FilteringBoundLogger) -> None:
    """Log one alarm of a night; people are told of it as of whatever waits."""
    bound.warning("alarm", code=alarm.code, message=alarm.message)


def missing_before(context: JobContext, job: Job) -> list[Alarm]:
    """Return the alarm that nights have passed without this job, as far as the store remembers."""
    if job.kind is None:
        return []
    return EarlierPlans.of(context.store, context.crm).missing_runs(job.kind, context.clock(), context.policy.watch.no_run_hours)
