"""National numbers, for comparison, and of the Belgian register number and BIS number also as a source for a
birth date. Of another country a number is valid as python-stdnum has it, and its birth date is not read:
those modules ask the machine's clock for it.

python-stdnum's `be.nn` and `be.bis` follow the same check rule, but ask the machine's clock for the century
and accept a day later this year and any serial number. A decision must be the same on any machine and any
day, so the rules of 10.1 stand here and the tests hold the two side by side. Source: IDN-01 to IDN-09; Royal
Decree of 8 February 1991 for BIS numbers."""

import unicodedata
from datetime import date

import msgspec
from stdnum.util import clean

from rules.model.number_schemes import BELGIAN, NONE, module_of

_LENGTH = 11
_BIS_SEX_UNKNOWN = 20
_BIS_SEX_KNOWN = 40
_FICTITIOUS = "000001"  # a wholly unknown date: year 00, month 00, day 01 (IDN-04)
_SERIALS = range(1, 999)
_SIGNS = " -./\t"
_WITHOUT_SIGNS = str.maketrans("", "", _SIGNS)


class NationalNumber(msgspec.Struct, frozen=True, gc=False):
    """A valid number. `digits` is its normal form; year, month and day are None where the number does not
    show them (IDN-04). `is_bis`: of a person who is not in the National Register. `padded`: a leading zero,
    lost in a spreadsheet, was put back (RRN_PADDED)."""

    digits: str
    year: int | None
    month: int | None
    day: int | None
    is_bis: bool
    padded: bool

    @property
    def born_on(self) -> date | None:
        """The full birth date, or None where the number shows only a part of it."""
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)


def parse(text: str | None, *, today: date, scheme: str = BELGIAN) -> NationalNumber | None:
    """Read a national number by a scheme (`rules/model/number_schemes.py`), in Belgium the register number or
    BIS number, as people write it. Return None where it is not a valid one. Spaces, dots, hyphens, slashes,
    no-break spaces and full-width digits are accepted; letters and other lengths are not. Ten digits are
    accepted only if they are valid with a zero before them. The check number shows the century, and a birth
    after `today` is invalid. Source: IDN-01 to IDN-05, IDN-07."""
    if not text or scheme == NONE:
        return None
    if scheme != BELGIAN:
        module = module_of(scheme)
        written = unicodedata.normalize("NFKC", text)
        return NationalNumber(module.compact(written), None, None, None, False, False) if module and module.is_valid(written) else None
    if not (len(text) == _LENGTH and text.isascii() and text.isdigit()):
        text = text.translate(_WITHOUT_SIGNS) if text.isascii() else clean(unicodedata.normalize("NFKC", text), _SIGNS)
        if not (text.isascii() and text.isdigit()):
            return None
    if len(text) == _LENGTH:
        return _parse_digits(text, today, padded=False)
    if len(text) == _LENGTH - 1:
        return _parse_digits("0" + text, today, padded=True)
    return None


def _parse_digits(digits: str, today: date, *, padded: bool) -> NationalNumber | None:
    body = int(digits[:9])
    remainder = 97 - int(digits[9:])
    if body % 97 == remainder:
        century = 1900
    elif (2_000_000_000 + body) % 97 == remainder:  # IDN-02; the two formulas never agree (IDN-03)
        century = 2000
    else:
        return None
    if body % 1000 not in _SERIALS:
        return None
    month = int(digits[2:4])
    is_bis = month >= _BIS_SEX_UNKNOWN
    if is_bis:
        month -= _BIS_SEX_KNOWN if month >= _BIS_SEX_KNOWN else _BIS_SEX_UNKNOWN
    if month > 12:
        return None
    if month == 0 and digits[:2] + "00" + digits[4:6] == _FICTITIOUS:
        return NationalNumber(digits, None, None, None, is_bis, padded)
    year = century + int(digits[:2])
    if month == 0:
        return None if year > today.year else NationalNumber(digits, year, None, None, is_bis, padded)
    day: int | None = int(digits[4:6])
    try:
        born_on = date(year, month, int(digits[4:6]))
    except ValueError:  # day 00, or one that the month does not have: the month alone is known
        born_on, day = date(year, month, 1), None
    return None if born_on > today else NationalNumber(digits, year, month, day, is_bis, padded)
