"""Telephone numbers as people write them, in one normal form: two numbers are the same where their normal
forms are. Source: IDN-10, IDN-11."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import msgspec
import phonenumbers

from rules.model.home import BELGIUM

_BELGIAN_CODE: Final = 32
SHORT: Final = 6  # 112, 101, 106: numbers of services, never of persons
TAIL: Final = 7  # the last digits that every way of writing a number has in common

# 0 + 8 digits is a fixed number, 04 + 8 digits a mobile one; the zero is not a part of the number itself.
_BELGIAN: Final = re.compile(r"[1-9]\d{7}|4\d{8}")
_WITHHELD: Final = re.compile(
    r"anoniem|anonyme?|anonymous|priv[eé]e?|private|privat|unknown|onbekend|inconnu|unbekannt|withheld|restricted"
)
_EXTENSION: Final = r"(?:\s*(?:;?\s*ext(?:ension|\.)?|toestel|tst\.?|binnenpost|interne|poste?|durchwahl|x|#)\s*[.:=]?\s*(?P<ext>\d{1,7}))?"
_NUMBER: Final = re.compile(r"(?P<number>\+?[\d(][\d\s()./–‑\-]*)" + _EXTENSION, re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[;,|\n]|\s/\s|\s(?:of|ou|or|oder|en|et|and|und)\s")


class Phone(msgspec.Struct, frozen=True):
    """A number in E.164 form, or a short number as it is. `extension` is kept apart and does not distinguish
    two lines. `is_guessed`: a zero or plus that a spreadsheet lost was put back (PHONE_GUESSED). `is_short`:
    of a service, never matched to a person."""

    number: str
    extension: str = ""
    is_guessed: bool = False
    is_short: bool = False


def normal_phone(text: str | None, region: str = BELGIUM) -> Phone | None:
    """Read a phone number as people write it; None if withheld, empty or not a full number. A trunk zero
    behind the country code is dropped. A number without country code is one of `region`. Source: IDN-10."""
    if not text:
        return None
    text = unicodedata.normalize("NFKC", text).strip()
    if _WITHHELD.search(text.casefold()):
        return None
    found = _NUMBER.search(text)
    if found is None:
        return None
    written, extension = found["number"], found["ext"] or ""
    digits = re.sub(r"\D", "", written)
    if len(digits) <= SHORT:
        is_short = len(digits) >= 3 and not digits.startswith("0") and "+" not in written
        return Phone(digits, is_short=True) if is_short else None
    if written.startswith("+") or digits.startswith("00"):
        return _full("+" + digits.removeprefix("00"), region, extension)
    if digits.startswith("0"):
        return _full(digits, region, extension)
    return _guessed(digits, region, extension)


def phones_in(text: str | None, region: str = BELGIUM) -> list[Phone]:
    """Read every number of a field in which somebody wrote several, like `02 475 44 99 / 0475 12 34 56`."""
    if not text:
        return []
    return [phone for phone in (normal_phone(part, region) for part in _BETWEEN.split(text)) if phone is not None]


def numbers_of_people(texts: Iterable[str | None], region: str = BELGIUM) -> dict[str, bool]:
    """Return the numbers that may be compared, each with whether it was guessed. Short numbers are left out
    (R-149)."""
    found: dict[str, bool] = {}
    for text in texts:
        for phone in phones_in(text, region):
            if not phone.is_short:
                found[phone.number] = found.get(phone.number, True) and phone.is_guessed
    return found


def is_mobile(phone: Phone) -> bool:
    """Return whether a full number is one of a mobile telephone, as far as its country tells them apart; in
    Belgium they begin with 4."""
    if phone.number.startswith(f"+{_BELGIAN_CODE}"):
        return phone.number.startswith(f"+{_BELGIAN_CODE}4")
    return bool(phonenumbers.number_type(phonenumbers.parse(phone.number)) == phonenumbers.PhoneNumberType.MOBILE)


def calling_code(region: str) -> str:
    """Return what a number of a country begins with in its full form: `+32`."""
    return f"+{phonenumbers.country_code_for_region(region)}"


def tail(number: str) -> str:
    """Return the digits by which a written number is found quickly, before it is read properly."""
    return number[-TAIL:]


def _full(digits: str, region: str, extension: str) -> Phone | None:
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    # The library knows which numbers are given out; what is written in a file, an old number too, has to be
    # compared all the same.
    if parsed.country_code == _BELGIAN_CODE:
        if _BELGIAN.fullmatch(str(parsed.national_number)) is None:
            return None
    elif not phonenumbers.is_possible_number(parsed):
        return None
    return Phone(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), extension)


def _guessed(digits: str, region: str, extension: str) -> Phone | None:
    """Read a number that begins with neither 0 nor +: its zero was lost, or else its plus."""
    if not phonenumbers.ndd_prefix_for_region(region, True):  # no zero was lost where there is none
        return _full(digits, region, extension)
    found = _full("0" + digits, region, extension) if len(digits) <= 9 else None
    if found is None and len(digits) >= 10:
        found = _full("+" + digits, region, extension)
    return None if found is None else Phone(found.number, extension, is_guessed=True)
