"""Ages in completed years (DAT-06)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.dates.ages import completed_years, has_reached, reached_on
from rules.model.requests import Mandate, RequesterKind
from rules.rights.entitlement import entitlement
from rules.rights.facts import FileFacts
from tests.rules.rights_builders import FINN, LOTTE, A, asked, asked_for_finn, role, told

LEAPLING = date(2008, 2, 29)
FAMILY = (role(LOTTE, "parent"), role(FINN, "child"))


@pytest.mark.parametrize(
    ("born_on", "age", "first"),
    [
        (LEAPLING, 18, date(2026, 3, 1)),
        (LEAPLING, 12, date(2020, 2, 29)),
        (LEAPLING, 25, date(2033, 3, 1)),
        (date(2096, 2, 29), 4, date(2100, 3, 1)),
        (date(2008, 2, 28), 18, date(2026, 2, 28)),
        (date(2008, 3, 1), 18, date(2026, 3, 1)),
        (date(9990, 1, 1), 18, date.max),
    ],
)
def test_dat06_an_age_is_reached_on_the_birthday_and_by_a_leapling_on_1_march(born_on: date, age: int, first: date) -> None:
    assert reached_on(age, born_on) == first
    assert not has_reached(age, born_on, first - timedelta(days=1))
    assert has_reached(age, born_on, first)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 40_000))
def test_completed_years_and_reached_ages_are_the_same_thing(born_on: date, days: int) -> None:
    day = born_on + timedelta(days=days)
    years = completed_years(born_on, day)
    assert reached_on(years, born_on) <= day < reached_on(years + 1, born_on)


def test_dat06_a_request_of_28_february_is_still_one_for_the_child() -> None:
    day = date(2026, 2, 28)
    question = asked_for_finn(mandate=Mandate.SHOWN, child_born_on=LEAPLING, child_agrees=True, received_on=day, day=day)
    assert told(question, *FAMILY).scope == "on_behalf"
    assert told(replace(question, received_on=date(2026, 3, 1), day=date(2026, 3, 1)), *FAMILY).scope == "own"


@pytest.mark.parametrize(("day", "blocks"), [(date(2026, 2, 28), ()), (date(2026, 3, 1), ("MANDATE_LAPSED",))])
def test_dat06_the_mandate_lapses_on_1_march(day: date, blocks: tuple[str, ...]) -> None:
    question = asked_for_finn(mandate=Mandate.SHOWN, child_born_on=LEAPLING, child_agrees=True, received_on=date(2026, 2, 10), day=day)
    assert told(question, *FAMILY).blocks == blocks


@pytest.mark.parametrize(("received_on", "answer"), [(date(2021, 2, 28), "dpo_review"), (date(2021, 3, 1), "package")])
def test_dat06_the_age_from_which_a_child_decides_is_reached_on_1_march_too(received_on: date, answer: str) -> None:
    question = asked(kind=RequesterKind.CHILD, child_born_on=LEAPLING, received_on=received_on)
    files = {A: FileFacts(("grooming",), frozenset({LOTTE}))}
    assert entitlement(question, (role(LOTTE, "child"),), files, maturity_age=13).answer == answer
