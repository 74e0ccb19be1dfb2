"""The latest compatible birth date (RET-09)."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dates.periods import add_years
from rules.law.bits import flags_in
from rules.law.youngest_child import births_of
from rules.model.decisions import Flag
from rules.people.birthdates import latest_compatible, sentinels_of, sources
from rules.retention.compiled_schedule import schedule_of
from tests.rules.builders import POLICY, a_child, codes
from tests.rules.people.test_national_numbers import numbered

SENTINELS = sentinels_of(POLICY)
TODAY = date(2026, 11, 25)
FIRST = date(2026, 6, 1)
IN_THE_FUTURE = ("BIRTHDATE_AFTER_FIRST_FICHE", "BIRTHDATE_APPROXIMATE", "BIRTHDATE_FUTURE")


UNITS = {"first_fiche_on": pl.Date, "needs_birth": pl.Boolean}
CHILDREN = {
    "row": pl.UInt32,
    "birth_on": pl.Date,
    "birth_year": pl.Int64,
    "birth_month": pl.Int64,
    "stated_age": pl.Int64,
    "stated_on": pl.Date,
    "national_number": pl.String,
}


def found(first: date | None = FIRST, as_of: date = TODAY, **facts: Any) -> tuple[date | None, list[str]]:
    """The only child of a file with this first fiche; told of the child alone, it is the same but for the
    fiche."""
    unit, child = pl.DataFrame([(first, True)], UNITS, orient="row"), pl.DataFrame([{"row": 0} | facts], CHILDREN)
    births = births_of(unit, child, schedule_of(POLICY), as_of)
    born_on, flags = births["born"][0], flags_in(births["told"][0])
    alone, also = latest_compatible(a_child(**facts), SENTINELS, as_of)
    assert (alone or first, *also) == (born_on, *(flag for flag in flags if flag is not Flag.BIRTHDATE_AFTER_FIRST_FICHE))
    return born_on, codes(flags)


@pytest.mark.parametrize(
    ("facts", "born_on", "flags"),
    [
        ({"birth_on": date(2010, 1, 2)}, date(2010, 1, 2), []),
        ({"birth_on": date(2010, 1, 2), "birth_year": 2015}, date(2010, 1, 2), []),
        ({"birth_on": date(2012, 8, 15), "national_number": "12.08.15-997.54"}, date(2012, 8, 15), []),
        ({"birth_on": date(2010, 1, 2), "national_number": "12.08.15-997.54"}, date(2012, 8, 15), ["BIRTHDATE_CONFLICT"]),
        ({"birth_on": date(2014, 1, 2), "national_number": "12.08.15-997.54"}, date(2014, 1, 2), ["BIRTHDATE_CONFLICT"]),
        ({"birth_on": date(2010, 1, 2), "national_number": "12.08.15-997.55"}, date(2010, 1, 2), []),
        ({"birth_on": date(1900, 1, 1), "national_number": "12.08.15-997.54"}, date(2012, 8, 15), ["BIRTHDATE_SENTINEL"]),
        ({"birth_on": date(1899, 12, 30)}, FIRST, ["BIRTHDATE_SENTINEL", "BIRTHDATE_UNKNOWN"]),
        ({"birth_on": date(1753, 1, 1), "birth_year": 2010}, date(2010, 12, 31), ["BIRTHDATE_APPROXIMATE", "BIRTHDATE_SENTINEL"]),
        ({"birth_on": date(2030, 1, 1), "birth_year": 2010}, date(2010, 12, 31), ["BIRTHDATE_APPROXIMATE", "BIRTHDATE_FUTURE"]),
        ({"national_number": "8022999889"}, date(2008, 2, 29), ["RRN_PADDED"]),
        ({"birth_year": 2009, "national_number": "10.00.00-997.18"}, date(2010, 12, 31), ["BIRTHDATE_APPROXIMATE"]),
        ({"birth_year": 2010, "birth_month": 2, "national_number": "10.05.00-997.53"}, date(2010, 5, 31), ["BIRTHDATE_APPROXIMATE"]),
        ({"birth_year": 2010, "birth_month": 13}, date(2010, 12, 31), ["BIRTHDATE_APPROXIMATE"]),
        ({"birth_month": 5}, FIRST, ["BIRTHDATE_UNKNOWN"]),
        ({"birth_year": 1900}, FIRST, ["BIRTHDATE_SENTINEL", "BIRTHDATE_UNKNOWN"]),
        ({"birth_year": 9999}, FIRST, ["BIRTHDATE_SENTINEL", "BIRTHDATE_UNKNOWN"]),
        ({"birth_year": 12}, FIRST, ["BIRTHDATE_UNKNOWN"]),
        ({"birth_year": 2027}, date(2027, 12, 31), [*IN_THE_FUTURE]),
        ({"birth_year": 2027, "birth_month": 2}, date(2027, 2, 28), [*IN_THE_FUTURE]),
        ({"birth_year": 2027, "national_number": "10.00.00-997.18"}, date(2027, 12, 31), [*IN_THE_FUTURE]),
        ({"birth_year": 2027, "stated_age": 15, "stated_on": date(2026, 3, 10)}, date(2027, 12, 31), [*IN_THE_FUTURE]),
        ({"birth_year": 2026}, date(2026, 12, 31), ["BIRTHDATE_APPROXIMATE"]),
        ({"birth_year": 2026, "birth_month": 11}, date(2026, 11, 30), ["BIRTHDATE_AFTER_FIRST_FICHE", "BIRTHDATE_APPROXIMATE"]),
        ({"birth_year": 2026, "birth_month": 12}, date(2026, 12, 31), [*IN_THE_FUTURE]),
        ({"birth_on": date(2010, 1, 2), "birth_year": 2027}, date(2010, 1, 2), []),
        ({"birth_on": date(2026, 6, 2)}, date(2026, 6, 2), ["BIRTHDATE_AFTER_FIRST_FICHE"]),
        ({"birth_on": date(2026, 6, 1)}, date(2026, 6, 1), []),
        ({"stated_age": 15, "stated_on": date(2026, 3, 10)}, date(2011, 3, 10), ["BIRTHDATE_APPROXIMATE"]),
        ({"stated_age": 0, "stated_on": date(2026, 3, 10)}, date(2026, 3, 10), ["BIRTHDATE_APPROXIMATE"]),
        ({"stated_age": -1, "stated_on": date(2026, 3, 10)}, FIRST, ["BIRTHDATE_UNKNOWN"]),
        ({"stated_age": 98, "stated_on": date(2026, 3, 10)}, date(1928, 3, 10), ["BIRTHDATE_APPROXIMATE"]),
        ({"stated_age": 99, "stated_on": date(2026, 3, 10)}, FIRST, ["BIRTHDATE_UNKNOWN"]),
        ({"stated_age": 15, "stated_on": date(1900, 1, 1)}, FIRST, ["BIRTHDATE_UNKNOWN"]),
        ({"stated_age": 2, "stated_on": date(2206, 1, 1)}, date(2204, 1, 1), ["BIRTHDATE_APPROXIMATE", "BIRTHDATE_FUTURE"]),
        ({"birth_year": 2010, "stated_age": 2, "stated_on": date(2026, 3, 10)}, date(2010, 12, 31), ["BIRTHDATE_APPROXIMATE"]),
    ],
)
def test_the_first_source_that_applies_decides(facts: dict[str, Any], born_on: date, flags: list[str]) -> None:
    assert found(**facts) == (born_on, flags)


def test_a_register_number_that_says_a_sentinel_counts_as_absent() -> None:
    assert found(national_number=numbered(date(1900, 1, 1))) == (FIRST, ["BIRTHDATE_SENTINEL", "BIRTHDATE_UNKNOWN"])


def test_without_a_fiche_nothing_is_known() -> None:
    assert found(first=None) == (None, ["BIRTHDATE_UNKNOWN"])
    assert latest_compatible(None, SENTINELS, TODAY) == (None, (Flag.BIRTHDATE_UNKNOWN,))


def legal_age(born_on: date, day: date) -> int:
    """Completed years; somebody born on 29 February completes a year on 1 March where that day is lacking
    (DAT-06)."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


@st.composite
def children_and_births(draw: st.DrawFn) -> tuple[dict[str, Any], date, date]:
    """What may be recorded, truly but in part, of a child born on a day; and the day of its first fiche."""
    born_on = draw(st.dates(date(1901, 1, 1), TODAY))
    first = draw(st.dates(born_on, TODAY))
    facts: dict[str, Any] = {}
    if draw(st.booleans()):
        facts["birth_on"] = draw(st.sampled_from([born_on, *SENTINELS.days]))
    if draw(st.booleans()):
        facts["birth_year"] = born_on.year
        facts["birth_month"] = draw(st.sampled_from([born_on.month, None, 0, 13]))
    if draw(st.booleans()):
        stated_on = draw(st.dates(born_on, TODAY))
        facts |= {"stated_on": stated_on, "stated_age": legal_age(born_on, stated_on)}
    if draw(st.booleans()):
        number = numbered(born_on, month_added=draw(st.sampled_from([0, 20, 40])))
        facts["national_number"] = draw(st.sampled_from([number, number[:-1] + str((int(number[-1]) + 1) % 10)]))
    return facts, born_on, first


@given(children_and_births())
def test_the_latest_compatible_birth_date_is_never_before_the_real_one(case: tuple[dict[str, Any], date, date]) -> None:
    facts, born_on, first = case
    latest, _ = found(first=first, **facts)
    assert latest is not None
    assert latest >= born_on
    for years in (18, 25):
        birthday = add_years(born_on, years)
        assert add_years(latest, years) >= birthday


@given(children_and_births(), st.dates(TODAY + timedelta(days=31), date(2090, 1, 1)), st.booleans())
def test_a_year_or_month_that_cannot_be_never_shortens_a_term(
    case: tuple[dict[str, Any], date, date], future: date, has_month: bool
) -> None:
    facts, _, first = case
    known = {name: value for name, value in facts.items() if name not in ("birth_year", "birth_month")}
    if not has_month:
        future = date(future.year + 1, 1, 1)
    odd = {"birth_year": future.year, "birth_month": future.month if has_month else None}
    (without, _), (latest, flags) = found(first=first, **known), found(first=first, **(known | odd))
    assert without is not None
    assert latest is not None
    assert latest >= without
    assert latest == without or "BIRTHDATE_FUTURE" in flags


def test_a_trace_lists_sources_without_the_register_number() -> None:
    told = sources(a_child(birth_on=date(2009, 3, 3), national_number="10.05.00-997.53", stated_age=3), TODAY)
    assert told == {"birth_on": "2009-03-03", "stated_age": 3, "number_valid": True, "number_tells": "2010-05"}
    assert sources(a_child(national_number="12.08.15-997.55"), TODAY) == {"number_valid": False}
    assert sources(None, TODAY) == {"contact": False}
