"""A person as a requester describes one, made ready to be compared. Source: IDN-08 to IDN-12."""

from collections.abc import Iterable
from datetime import date

import msgspec

from rules.model.home import BELGIUM
from rules.people.birthdates import FIRST_YEAR, Sentinels
from rules.people.emails import addresses
from rules.people.names import Name, name_of
from rules.people.national_numbers import NationalNumber, parse
from rules.people.phones import numbers_of_people, tail


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A person as a requester describes one, ready to be compared. `phones` are normal forms, each with
    whether it was guessed.

    `born_on` is the day that was given, or else the one that a register number shows; `guessed_days` are
    those of BIS numbers, which may be estimates. `years` are those of numbers that show no more; a
    telephone number that says no country is one of `country`."""

    first: Name
    last: Name
    born_on: date | None
    guessed_days: frozenset[date]
    years: frozenset[int]
    numbers: tuple[NationalNumber, ...]
    phones: dict[str, bool]
    emails: frozenset[str]
    country: str = BELGIUM

    @property
    def has_name(self) -> bool:
        return bool(self.last or self.first)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given by which anybody could be found."""
        return not (self.has_name or self.numbers or self.phones or self.emails)

    @property
    def tails(self) -> set[str]:
        """The last digits of the numbers, to find a number before it is read properly."""
        return {tail(number) for number in self.phones}

    @property
    def local_parts(self) -> set[str]:
        """What stands before the @ of the addresses, to find an address before it is read properly."""
        return {address.rpartition("@")[0] for address in self.emails}


def wanted_of(
    *,
    first_name: str,
    last_name: str,
    birthdate: str,
    national_numbers: Iterable[str],
    phones: Iterable[str],
    emails: Iterable[str],
    today: date,
    sentinels: Sentinels,
) -> Wanted:
    """Read what was typed. What is not valid is left out: a number that does not check, a day that means
    "unknown"."""
    numbers: dict[str, NationalNumber] = {}
    for text in national_numbers:
        number = parse(text, today=today, scheme=sentinels.scheme)
        if number is not None and (number.digits not in numbers or not number.padded):
            numbers[number.digits] = number
    born_on = _day(birthdate, today, sentinels)
    if born_on is None:
        born_on = next((number.born_on for number in numbers.values() if number.born_on is not None and not number.is_bis), None)
    return Wanted(
        first=name_of(first_name),
        last=name_of(last_name),
        born_on=born_on,
        guessed_days=frozenset(number.born_on for number in numbers.values() if number.is_bis and number.born_on is not None),
        years=frozenset(number.year for number in numbers.values() if number.year is not None),
        numbers=tuple(numbers.values()),
        phones=numbers_of_people(phones, sentinels.country),
        emails=addresses(emails),
        country=sentinels.country,
    )


def is_usable(day: date, today: date, sentinels: Sentinels) -> bool:
    return day not in sentinels.days and day.year >= FIRST_YEAR and day <= today


def _day(text: str, today: date, sentinels: Sentinels) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if is_usable(day, today, sentinels) else None
