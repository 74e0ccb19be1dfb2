"""A cron line on the clock of the schedule (DAT-13, R-058)."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANY_TIME = datetime(2001, 1, 1, tzinfo=UTC)


class CivilTrigger(CronTrigger):  # type: ignore[misc]  # apscheduler has no types
    """A cron line on the clock of a time zone: an hour that does not exist in spring comes at
    the next minute that does, one that exists twice in autumn comes once.

    The line itself is read on a wall clock without seasons, called UTC here: on the zone's own, apscheduler
    never finds its way out of the hour that comes twice."""

    zone: ZoneInfo

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        wall = now.astimezone(self.zone).replace(tzinfo=UTC, fold=0)
        while (found := super().get_next_fire_time(None, wall)) is not None:
            moment = existing(found.replace(tzinfo=self.zone))
            if in_utc(moment) >= in_utc(now) and (previous_fire_time is None or in_utc(moment) > in_utc(previous_fire_time)):
                return moment
            wall = found + timedelta(seconds=1)
        return None


def in_utc(moment: datetime) -> datetime:
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


def trigger_of(cron: str, zone: ZoneInfo) -> CivilTrigger:
    """Return the trigger of a cron line. Raises ValueError: a number or a word in it is out of range, or the
    day that it names never comes, as 30 February."""
    trigger: CivilTrigger = CivilTrigger.from_crontab(_by_names(cron), timezone=UTC)
    trigger.zone = zone
    if trigger.get_next_fire_time(None, ANY_TIME) is None:
        raise ValueError(cron)
    return trigger
