"""The hours at which jobs are due: cron lines on the clock of the schedule (DAT-13, R-058)."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from crm_compliance.configuration.settings import Settings
from jobs.registry import JOBS
from rules.errors import UsageError

# The longest gaps between two hours of a weekly, a monthly and a yearly cron line, each with a day more: the
# shortest first, for a line of every minute has many hours in a year.
LOOKS_BACK = (timedelta(days=8), timedelta(days=32), timedelta(days=367))
WAITS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))  # between tries of one night; the last repeats

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANY_TIME = datetime(2001, 1, 1, tzinfo=UTC)


class CivilTrigger(CronTrigger):  # type: ignore[misc]  # apscheduler has no types
    """A cron line on the clock of a time zone (DAT-13, R-058): an hour that does not exist in spring comes at
    the next minute that does, one that exists twice in autumn comes once.

    The line itself is read on a wall clock without seasons, called UTC here: on the zone's own, apscheduler
    never finds its way out of the hour that comes twice."""

    zone: ZoneInfo

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        wall = now.astimezone(self.zone).replace(tzinfo=UTC, fold=0)
        while (found := super().get_next_fire_time(None, wall)) is not None:
            moment = existing(found.replace(tzinfo=self.zone))
            if _instant(moment) >= _instant(now) and (previous_fire_time is None or _instant(moment) > _instant(previous_fire_time)):
                return moment
            wall = found + timedelta(seconds=1)
        return None


def _instant(moment: datetime) -> datetime:
    """Return the moment in UTC: two moments of one zone would be compared by their wall clocks."""
    return moment.astimezone(UTC)


def existing(moment: datetime) -> datetime:
    """Return the moment itself, or the first minute after the gap into which its wall clock falls."""
    while moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) != moment.replace(tzinfo=None):
        moment += timedelta(minutes=1)
    return moment


def _by_names(cron: str) -> str:
    """Return a cron line with its weekdays by name: cron counts them from Sunday, which is 0 and 7, and
    apscheduler from Monday. Raises ValueError: it goes through them by steps, which begin at that day too."""
    *others, weekdays = cron.split()
    if "/" in weekdays:
        raise ValueError(weekdays)
    from_monday = re.sub(r"\b0-(?=[1-7]\b)", "7,1-", weekdays)
    return " ".join([*others, re.sub(r"\b[0-7]\b", lambda found: WEEKDAYS[int(found[0])], from_monday)])


def trigger_of(cron: str, zone: ZoneInfo, *, where: str = "") -> CivilTrigger:
    """Return the trigger of a cron line; `where` is the setting that it comes from. Raises UsageError: a
    number or a word in it is out of range, or the day that it names never comes, as 30 February."""
    try:
        trigger: CivilTrigger = CivilTrigger.from_crontab(_by_names(cron), timezone=UTC)
        trigger.zone = zone
        has_an_hour = trigger.get_next_fire_time(None, ANY_TIME) is not None
    except ValueError:
        has_an_hour = False
    if not has_an_hour:
        raise UsageError(
            f"no hour is meant by the cron line {cron}",
            hint="minute hour day month weekday, for example 30 2 * * *",
            where=where,
        ) from None
    return trigger


def crons_of(settings: Settings) -> dict[str, str]:
    """Return the cron line of each job: that of the settings, else its own."""
    return {name: settings.crons.get(name, job.cron) for name, job in JOBS.items()}


def triggers_of(settings: Settings, zone: ZoneInfo) -> dict[str, CivilTrigger]:
    """Return the trigger of each job. Raises UsageError: a setting holds a line without a sense."""
    return {name: trigger_of(cron, zone, where=JOBS[name].setting.upper()) for name, cron in crons_of(settings).items()}


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
    if next_due is not None and _instant(next_due) <= _instant(at):
        return None
    until = _instant(due) + timedelta(hours=hours)
    return (at, until) if _instant(at) <= until else None
