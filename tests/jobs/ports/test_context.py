"""A job goes by the version of the schedule that is in force on its day, or by the one that its plan
names; and by the days of where the organisation works."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from rules.policy.versions import Version, arranged
from tests.drivers.night import Night
from tests.rules.builders import POLICY


def a_version(number: str, valid_from: date) -> Version:
    policy = POLICY.model_copy(update={"version": number, "valid_from": valid_from, "digest": number * 64})
    return Version(policy, f"text {number}", f"{number}.yaml")


ONE, TWO = a_version("1", date(2020, 1, 1)), a_version("2", date(2026, 6, 1))


@pytest.mark.parametrize(
    ("day", "version"), [(date(2026, 5, 31), ONE), (date(2026, 6, 1), TWO), (date(2030, 1, 1), TWO), (date(2019, 1, 1), ONE)]
)
def test_on_a_day_the_version_in_force_counts_with_its_text(night: Night, day: date, version: Version) -> None:
    context = replace(night.context, versions=arranged([TWO, ONE])).on(day)
    assert (context.policy.version, context.policy_text) == (version.policy.version, version.text)


def test_where_there_is_one_schedule_it_counts_on_every_day(night: Night) -> None:
    context = night.context
    assert context.on(date(2030, 1, 1)) is context
    assert context.under("unknown") is context


def test_a_plan_is_carried_out_under_the_version_that_it_names_or_the_one_of_now(night: Night) -> None:
    context = replace(night.context, versions=arranged([ONE, TWO]))
    assert [context.under(each * 64).policy_text for each in "12"] == ["text 1", "text 2"]
    assert context.under("3" * 64) is context


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), date(2026, 11, 25)),
        (datetime(2026, 6, 24, 22, 0, tzinfo=UTC), date(2026, 6, 25)),
    ],
)
def test_today_is_the_day_that_it_is_where_the_organisation_works(night: Night, instant: datetime, day: date) -> None:
    night.clock.now = instant
    assert night.context.today == day
