"""Numbers and addresses that look real and can belong to nobody."""

from datetime import date
from typing import Literal

from connectors.emulator.seeding.draw import Draw

DatePart = Literal["day", "month", "year", "unknown"]
BIS_SEX_KNOWN = 40
BIS_SEX_UNKNOWN = 20
WITHHELD = ("anoniem", "privé", "anonymous")


class RegisterNumbers:
    """Issues every national register number at most once, since the CRM keeps them as an alternate key.
    Serial numbers 997 and 998 are practically never issued: no number made here belongs to a living
    person."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, born_on: date, *, known: DatePart = "day", bis: int = 0) -> str | None:
        """Return a valid number of eleven digits, or None when the two serials of that date are used up."""
        if known == "unknown":
            date_part = "000001"
        else:
            month = 0 if known == "year" else born_on.month
            date_part = f"{born_on.year % 100:02}{month + bis:02}{born_on.day if known == 'day' else 0:02}"
        for serial in ("997", "998"):
            nine = date_part + serial
            number = f"{nine}{check_number(nine, from_2000=born_on.year >= 2000):02}"
            if self._claim(number):
                return number
        return None

    def give_wrong_check(self, born_on: date) -> str | None:
        nine = f"{born_on:%y%m%d}997"
        number = f"{nine}{check_number(nine, from_2000=born_on.year >= 2000) % 97 + 1:02}"
        return number if self._claim(number) else None

    def give_impossible_month(self, born_on: date) -> str | None:
        nine = f"{born_on:%y}13{born_on:%d}997"
        number = f"{nine}{check_number(nine, from_2000=born_on.year >= 2000):02}"
        return number if self._claim(number) else None

    def _claim(self, number: str) -> bool:
        if number in self._given:
            return False
        self._given.add(number)
        return True


def check_number(nine: str, *, from_2000: bool) -> int:
    """Return 97 minus the remainder; a 2 is put in front for people born in or after 2000."""
    return 97 - int("2" + nine if from_2000 else nine) % 97


def as_printed(number: str) -> str:
    """Return the same register number with the dots and the hyphen of an identity card."""
    return f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"


def mobile(draw: Draw) -> str:
    """Return a mobile number in one of the usual notations. No operator assigns 0400, so nobody answers."""
    a, b, c = (f"{draw.number(0, 99):02}" for _ in range(3))
    way = draw.number(0, 9)
    if way < 6:
        return f"+32 400 {a} {b} {c}"
    if way < 8:
        return f"0400/{a}.{b}.{c}"
    return f"0032 400 {a} {b} {c}" if way == 8 else f"0400 {a} {b} {c}"


def landline(draw: Draw) -> str:
    """Return a landline number. No Belgian subscriber number starts with a zero."""
    return f"02/000.{draw.number(0, 99):02}.{draw.number(0, 99):02}"


def iban(draw: Draw) -> str:
    """Check digits 00 do not exist, so no bank accepts it."""
    return f"BE009999{draw.number(0, 99_999_999):08}"


def ip_address(draw: Draw) -> str:
    """Return an address from the ranges that RFC 5737 and RFC 3849 reserve for documentation."""
    if draw.chance(0.2):
        return f"2001:db8::{draw.number(1, 65535):x}"
    return f"{draw.pick(('192.0.2', '198.51.100', '203.0.113'))}.{draw.number(1, 254)}"
