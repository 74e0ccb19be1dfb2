"""Days and hours as people type them: the day before the month, as in every language of the pages. What is
in ISO 8601, as scripts send it, is understood too."""

import re
from datetime import date
from typing import Final

_DAY: Final = re.compile(r"([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{4})")
_HOUR: Final = re.compile(r"([0-9]{1,2})[:.hu]([0-9]{2})")


def iso_day(text: str) -> str:
    """Return a typed day (25/11/2026) in ISO form; what is none as it is, for whoever reads it says so."""
    found = _DAY.fullmatch(text)
    return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}" if found else text


def iso_hour(text: str) -> str:
    """Return a typed hour (9:05, 9.05, 9h05, 9u05) in ISO form; what is none as it is."""
    found = _HOUR.fullmatch(text)
    return f"{int(found[1]):02}:{found[2]}" if found else text


def typed_day(value: date | str | None) -> str:
    """Return a day as a field has it (25/11/2026); a text that is not a day in ISO form as it is, empty for
    none."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    return f"{found.day:02}/{found.month:02}/{found.year}" if found else ""
