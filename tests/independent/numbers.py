"""The national register number, written from section 10.1 of the rules."""

import calendar
import unicodedata
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class BirthPart:
    """What a valid number says: a full date, a month, a year, or nothing."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def full(self) -> date | None:
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)


def digits_of(text: str) -> str | None:
    """IDN-07: separators and full-width digits are accepted, letters are not."""
    kept = []
    for sign in unicodedata.normalize("NFKC", text):
        if sign.isascii() and sign.isdigit():
            kept.append(sign)
        elif not (sign.isspace() or sign in ".-/"):
            return None
    return "".join(kept)


def check_digits(nine: str, *, after_2000: bool) -> str:
    base = int(("2" if after_2000 else "") + nine)
    return f"{97 - base % 97:02d}"


def read_number(text: str | None, today: date) -> BirthPart | None:
    """The birth part of a valid number; None when the number is absent or invalid."""
    digits = digits_of(text) if text else None
    if not digits:
        return None
    if len(digits) == 10:
        digits = "0" + digits
    if len(digits) != 11:
        return None
    nine, check = digits[:9], digits[9:]
    if check == check_digits(nine, after_2000=False):
        century = 1900
    elif check == check_digits(nine, after_2000=True):
        century = 2000
    else:
        return None
    year, month, day = century + int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if 20 <= month <= 32:
        month -= 20
    elif 40 <= month <= 52:
        month -= 40
    if month > 12:
        return None
    if digits[:6] == "000001":
        return BirthPart()
    if month == 0:
        part = BirthPart(year)
    elif day == 0 or day > calendar.monthrange(year, month)[1]:
        part = BirthPart(year, month)
    else:
        part = BirthPart(year, month, day)
    earliest = date(part.year or 1, part.month or 1, part.day or 1)
    return part if earliest <= today else None


def make_number(
    born: date, serial: int, month_offset: int = 0, shape: str = "YY.MM.DD-SSS.CC", *, partial: str = "", wrong_day: int = 0
) -> str:
    """A number of a person who does not exist: serials 997 and 998 are practically never issued."""
    month = 0 if partial == "year" else born.month
    day = wrong_day or (0 if partial in ("year", "month") else born.day)
    nine = f"{born.year % 100:02d}{month + month_offset:02d}{day:02d}{serial:03d}"
    return shaped(nine + check_digits(nine, after_2000=born.year >= 2000), shape)


def shaped(digits: str, shape: str = "YY.MM.DD-SSS.CC") -> str:
    """Eleven digits written out in one of the customary ways."""
    signs = iter(digits)
    return "".join(next(signs) if sign.isalpha() else sign for sign in shape)
