"""The hours of jobs, in nights that lack an hour or have one twice (DAT-13)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm_compliance.configuration.cron_lines import trigger_of
from tests.drivers.night import Night
from tests.drivers.typist import Typist

BRUSSELS = ZoneInfo("Europe/Brussels")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def fires(cron: str, first: datetime, last: datetime) -> list[datetime]:
    """Every moment at which a cron line fires between two moments, as the scheduler asks for them."""
    trigger, found = trigger_of(cron, BRUSSELS), []
    previous, now = None, first
    while (following := trigger.get_next_fire_time(previous, now)) is not None and following <= last:
        found.append(following)
        previous, now = following, following + timedelta(microseconds=1)
    return found


def around(day: date) -> tuple[datetime, datetime]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=BRUSSELS)
    return noon - timedelta(days=2), noon + timedelta(days=2)


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *", "59 2 * * *"])
def test_one_run_on_the_night_that_lacks_an_hour(cron: str) -> None:
    """R-058, DAT-13: 02:30 does not exist on 29 March 2026; the run starts at the next minute that does."""
    found = [moment for moment in fires(cron, *around(SPRING)) if moment.astimezone(BRUSSELS).date() == SPRING]
    assert [moment.astimezone(UTC) for moment in found] == [datetime(2026, 3, 29, 1, tzinfo=UTC)]
    assert f"{found[0].astimezone(BRUSSELS):%H:%M}" == "03:00"


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *"])
def test_one_run_on_the_night_that_has_an_hour_twice(cron: str) -> None:
    """R-058, DAT-13: 02:30 comes twice on 25 October 2026; the first one counts."""
    found = [moment for moment in fires(cron, *around(AUTUMN)) if moment.astimezone(BRUSSELS).date() == AUTUMN]
    assert len(found) == 1
    assert found[0].utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *", "15 4 * * *"])
def test_one_run_a_day_all_year(cron: str) -> None:
    found = fires(cron, datetime(2026, 1, 1, tzinfo=BRUSSELS), datetime(2027, 1, 1, tzinfo=BRUSSELS))
    days = [moment.astimezone(BRUSSELS).date() for moment in found]
    assert days == [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert all(moment.astimezone(UTC).astimezone(BRUSSELS) == moment for moment in found)


@pytest.mark.parametrize("at", [0, 1, 7])
def test_the_service_may_come_up_inside_the_hour_that_comes_twice(at: int) -> None:
    """Between the two, the hour has been; the next run is the next night's."""
    now = datetime(2026, 10, 25, 1, at, tzinfo=UTC).astimezone(BRUSSELS)
    assert now.fold == 1
    following = trigger_of("30 2 * * *", BRUSSELS).get_next_fire_time(None, now)
    assert following is not None
    assert following.astimezone(BRUSSELS).date() == date(2026, 10, 26)


@pytest.mark.parametrize("cron", ["99 2 * * *", "0 2 * * moonday", "0 25 * * *", "0 0 30 2 *", "30 2 31 4,6,9,11 *", "30 2 * * */2"])
def test_a_cron_line_that_names_no_hour_is_refused_by_whatever_reads_the_settings(typist: Typist, org: Night, cron: str) -> None:
    """Of a day that never comes: the job would never run, and nothing would be late."""
    typist.set(RETENTION_CRON=cron)
    for line in (("serve", "--port", "0"), ("doctor",), ("plans", "list")):
        refused = typist.refused(*line, code=2)
        assert refused["where"] == "CRM_COMPLIANCE_RETENTION_CRON"
        assert "should name an hour that comes" in refused["message"]
        assert cron not in refused["message"]
    assert "console:" not in typist.type("serve", "--port", "0").err, "nothing was served"


def test_a_day_that_comes_every_four_years_is_an_hour() -> None:
    assert trigger_of("30 2 29 2 *", BRUSSELS).get_next_fire_time(None, datetime(2026, 1, 1, tzinfo=UTC)) is not None


@pytest.mark.parametrize(
    ("weekdays", "expected"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("6,0", "Sat Sun"),
        ("0-1", "Mon Sun"),
        ("5-7", "Fri Sat Sun"),
        ("sat", "Sat"),
    ],
)
def test_weekdays_are_counted_as_cron_counts_them(weekdays: str, expected: str) -> None:
    """From Sunday: a job of Saturday night came on Sunday, and one from Monday to Friday on Saturday too."""
    trigger, at, days = trigger_of(f"30 2 * * {weekdays}", BRUSSELS), datetime(2026, 12, 1, tzinfo=BRUSSELS), set()
    for _ in range(7):
        found = trigger.get_next_fire_time(at, at)
        assert found is not None
        at = found
        days.add(f"{at:%a}")
    assert days == set(expected.split())
