"""The latest day on which one child can have been born, given what is recorded of it (a full date, a year, a
stated age, a national number): the only assumption that never erases too early. Which child of a file counts
is decided in rules/law/youngest_child.py. Of a national number the date is taken into account and nothing
else: no sex is read from it, and no birth date overwritten (IDN-06). Source: RET-09, A-04, section 10.1."""

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

import msgspec

from rules.dates.periods import add_years, iso, last_day_of_month
from rules.model.decisions import Flag
from rules.model.home import BELGIUM
from rules.model.number_schemes import BELGIAN
from rules.model.records import Contact
from rules.people.national_numbers import NationalNumber, parse
from rules.policy.policy import Policy

OLDEST_STATED_AGE: Final = 98  # 99 stands for one that nobody knows, and whoever is older is no child
FIRST_YEAR: Final = 1753  # what Dataverse can store; an earlier birth year is a slip of the pen


class Recorded(NamedTuple):
    """What is recorded of the birth of a child, as a contact has it."""

    birth_on: date | None
    birth_year: int | None
    birth_month: int | None
    stated_age: int | None
    stated_on: date | None
    national_number: str | None


class Sentinels(msgspec.Struct, frozen=True):
    """Dates that mean "nothing was filled in", as do their years in a column of years (RET-09, RET-14); by
    which `scheme` a national number is one (IDN-01), and of which `country` a telephone number is
    (IDN-10)."""

    days: frozenset[date]
    years: frozenset[int]
    scheme: str = BELGIAN
    country: str = BELGIUM


def sentinels_of(policy: Policy) -> Sentinels:
    """Take from the schedule what its organisation uses for "unknown", and its national numbers."""
    years = frozenset(day.year for day in policy.defaults.sentinels)
    return Sentinels(policy.fillers, years, policy.home.scheme, policy.home.country)


def latest_compatible(child: Contact | None, sentinels: Sentinels, as_of: date) -> tuple[date | None, tuple[Flag, ...]]:
    """Return the latest day on which a child can have been born, with what a person should look at.

    The first source that applies decides: a full date (birth date column, register number; the later of the
    two), then year and month or the year alone, then a stated age. None where nothing tells; a file then goes
    by its first fiche (rules/law/youngest_child.py). Source: RET-09, RET-14."""
    if child is None:
        return None, (Flag.BIRTHDATE_UNKNOWN,)
    _, latest, flags = recorded_birth(child, sentinels, as_of)
    if latest is None:
        flags.add(Flag.BIRTHDATE_UNKNOWN)
    return latest, tuple(sorted(flags))


def born_by(people: Iterable[Contact], sentinels: Sentinels, as_of: date) -> date | None:
    """Return the latest day on which one person can have been born, by whatever is recorded in all of their
    contacts; None where nothing is. What has been reached by then is certain."""
    days = (latest_compatible(contact, sentinels, as_of)[0] for contact in people)
    return max((day for day in days if day is not None), default=None)


def recorded_birth(child: Contact | Recorded, sentinels: Sentinels, as_of: date) -> tuple[date | None, date | None, set[Flag]]:
    """Return the earliest and the latest day on which a child can have been born, and what a person should
    look at; no days where nothing that was recorded tells (lines 1 to 3 of RET-09)."""
    flags: set[Flag] = set()
    number = parse(child.national_number, today=as_of, scheme=sentinels.scheme)
    if number is not None and number.padded:
        flags.add(Flag.RRN_PADDED)
    earliest, latest = _full(child, number, sentinels, as_of, flags)
    if latest is None:
        earliest, latest = _in_part(child, number, sentinels, as_of, flags)
    if latest is None:
        latest = _from_stated_age(child, sentinels, as_of, flags)
    return earliest, latest, flags


def _full(
    child: Contact | Recorded, number: NationalNumber | None, sentinels: Sentinels, as_of: date, flags: set[Flag]
) -> tuple[date | None, date | None]:
    """Return line 1: a full date, of the birth date column or a valid number; of two the later one."""
    days = [
        day
        for day in (child.birth_on, number.born_on if number is not None else None)
        if day is not None and _is_usable(day, sentinels, as_of, flags)
    ]
    if not days:
        return None, None
    latest = max(days)
    if min(days) != latest:
        flags.add(Flag.BIRTHDATE_CONFLICT)
    return latest, latest


def _in_part(
    child: Contact | Recorded, number: NationalNumber | None, sentinels: Sentinels, as_of: date, flags: set[Flag]
) -> tuple[date | None, date | None]:
    """Return line 2: a year with or without its month. Two sources give the later result. A month without a
    year is ignored."""
    spans: list[tuple[date, date]] = []
    if child.birth_year is not None:
        _add_span(spans, child.birth_year, child.birth_month, sentinels, as_of, flags)
    if number is not None and number.year is not None and number.day is None:
        _add_span(spans, number.year, number.month, sentinels, as_of, flags)
    if not spans:
        return None, None
    flags.add(Flag.BIRTHDATE_APPROXIMATE)
    latest, earliest = max(spans)
    return earliest, latest


def _add_span(spans: list[tuple[date, date]], year: int, month: int | None, sentinels: Sentinels, as_of: date, flags: set[Flag]) -> None:
    """Add the last and the first day of a year or month. The current year keeps its 31 December, since it is
    the latest compatible day. A year or month that is wholly in the future is nobody's. It is flagged and
    used as it is all the same: ignoring it could only end a period sooner, and once the row is corrected the
    unit is disposed of on its real day."""
    if year in sentinels.years:
        flags.add(Flag.BIRTHDATE_SENTINEL)
        return
    if not FIRST_YEAR <= year < date.max.year:
        return
    if month is not None and 1 <= month <= 12:
        first, last = date(year, month, 1), last_day_of_month(year, month)
    else:
        first, last = date(year, 1, 1), date(year, 12, 31)
    if first > as_of:
        flags.add(Flag.BIRTHDATE_FUTURE)
    spans.append((last, first))


def _from_stated_age(child: Contact | Recorded, sentinels: Sentinels, as_of: date, flags: set[Flag]) -> date | None:
    """Return line 3: an age stated on a day, perhaps the very birthday. Absurd ages, and ages without a day,
    do not count; a birth that would be in the future is flagged, and keeps."""
    age, stated_on = child.stated_age, child.stated_on
    if age is None or stated_on is None or stated_on in sentinels.days or not 0 <= age <= OLDEST_STATED_AGE:
        return None
    latest = add_years(stated_on, -age)
    if latest > as_of:
        flags.add(Flag.BIRTHDATE_FUTURE)
    flags.add(Flag.BIRTHDATE_APPROXIMATE)
    return latest


def _is_usable(day: date, sentinels: Sentinels, as_of: date, flags: set[Flag]) -> bool:
    if day in sentinels.days:
        flags.add(Flag.BIRTHDATE_SENTINEL)
        return False
    if day > as_of:
        flags.add(Flag.BIRTHDATE_FUTURE)
        return False
    return True


def sources(child: Contact | None, as_of: date, scheme: str = BELGIAN) -> dict[str, object]:
    """Return what is recorded about a child's birth as JSON values, for a trace. Of a register number it is
    only the date part that it shows."""
    if child is None:
        return {"contact": False}
    number = parse(child.national_number, today=as_of, scheme=scheme)
    told: dict[str, object] = {
        "birth_on": iso(child.birth_on),
        "birth_year": child.birth_year,
        "birth_month": child.birth_month,
        "stated_age": child.stated_age,
        "stated_on": iso(child.stated_on),
        "number_valid": None if child.national_number is None else number is not None,
        "number_tells": None if number is None or number.year is None else _date_part(number),
    }
    return {name: value for name, value in told.items() if value is not None}


def _date_part(number: NationalNumber) -> str:
    parts = [f"{number.year:04d}"] + [f"{part:02d}" for part in (number.month, number.day) if part is not None]
    return "-".join(parts)
