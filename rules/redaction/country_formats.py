"""How numbers are written in one country and nowhere else: number plates, and mobile numbers that lost their
zero in a spreadsheet. Of a country that has no line here only what says what it is is found: a plate behind a
word for one, a telephone number with its zero or its country code. Accounts are IBANs everywhere.

Source: the plates as the countries issue them (BE since 2010, NL sidecodes 4 to 14, FR since 2009, DE, LU);
mobile numbers by their national plans, as `phonenumbers` has them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_DUTCH: Final = (
    "XX-99-XX", "XX-XX-99", "99-XX-XX", "99-XXX-9", "9-XXX-99", "XX-999-X", "X-999-XX", "XXX-99-X", "X-99-XXX", "9-XX-999", "999-XX-9",
)  # fmt: skip


def is_known(country: str) -> bool:
    """Return whether it is known how plates and mobile numbers are written in a country."""
    return country in PLATES and country in LOST_ZEROS


def _whole(pattern: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", flags)


def _lost(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w+]){pattern}(?!\d)")


PLATES: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "BE": _whole(r"[1-9Q][- ]?[A-Z]{3}[- ]?\d{3}"),
        "NL": _whole("|".join(form.replace("X", "[A-Z]").replace("9", r"\d") for form in _DUTCH)),
        "FR": _whole(r"[A-Z]{2}[- ]?\d{3}[- ]?[A-Z]{2}"),
        "DE": _whole(r"[A-ZÄÖÜ]{1,3}-[A-Z]{1,2}[ -]?\d{1,4}[EH]?"),
        "LU": _whole(r"[A-Z]{2}[- ]?\d{4}", 0),
    }
)
LOST_ZEROS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "BE": _lost(r"(?:32)?4[5-9]\d(?:[\s./-]?\d{2}){3}"),
        "NL": _lost(r"(?:31)?6(?:[\s./-]?\d){8}"),
        "FR": _lost(r"(?:33)?[67](?:[\s./-]?\d){8}"),
        "DE": _lost(r"(?:49)?1[5-7]\d(?:[\s./-]?\d){7,8}"),
        "LU": _lost(r"(?:352)?6[2-9]1(?:[\s./-]?\d{3}){2}"),
    }
)
