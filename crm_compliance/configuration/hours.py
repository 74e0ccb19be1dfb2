"""The hours at which jobs are due: cron lines on the clock of the schedule (DAT-13, R-058)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from crm_compliance.configuration.cron_lines import CivilTrigger, in_utc, trigger_of
from crm_compliance.configuration.settings import Settings
from jobs.registry import JOBS

# The longest gaps between two hours of a weekly, a monthly and a yearly cron line, each with a day more: the
# shortest first, for a line of every minute has many hours in a year.
LOOKS_BACK = (timedelta(days=8), timedelta(days=32), timedelta(days=367))
WAITS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))  # between tries of one night; the last repeats


def crons_of(settings: Settings) -> dict[str, str]:
    """Return the cron line of each job: that of the settings, else its own."""
    return {name: settings.crons.get(name, job.cron) for name, job in JOBS.items()}


def triggers_of(settings: Settings, zone: ZoneInfo) -> dict[str, CivilTrigger]:
    """Return the trigger of each job."""
    return {name: trigger_of(cron, zone) for name, cron in crons_of(settings).items()}


def last_hour(cron: str, before: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the last hour of a cron line not after a moment; None if there was none for more than a year."""
    trigger = trigger_of(cron, zone)
    for look_back in LOOKS_BACK:
        last, at = None, before - look_back
        while (following := trigger.get_next_fire_time(last, at.astimezone(zone))) is not None and following <= before:
            last, at = following, following.astimezone(UTC) + timedelta(seconds=1)
        if last is not None:
            return last
    return None


def next_try(cron: str, tries: int, now: datetime, zone: ZoneInfo, *, hours: int) -> tuple[datetime, datetime] | None:
    """Return when a job is tried again that the CRM did not answer in so many tries, and until when that try
    may begin: `hours` after the job's own hour. None: that is over by then, or its next hour is sooner."""
    due, at = last_hour(cron, now, zone), now + WAITS[min(tries, len(WAITS)) - 1]
    if due is None:
        return None
    next_due = trigger_of(cron, zone).get_next_fire_time(due, now)
    if next_due is not None and in_utc(next_due) <= in_utc(at):
        return None
    until = in_utc(due) + timedelta(hours=hours)
    return (at, until) if in_utc(at) <= until else None
