"""The day that a date column means, by the steps that decode a page
(`connectors/dynamics/reading/dates.py`)."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import msgspec

from connectors.dynamics.reading.dates import civil_days, wire_type
from rules.dates.calendar import BRUSSELS


def civil_date(text: str, behaviour: str, zone: ZoneInfo = BRUSSELS) -> date:
    """Raises msgspec.ValidationError where a page that has this text would be refused."""
    row = SimpleNamespace(day=msgspec.json.decode(msgspec.json.encode(text), type=wire_type(behaviour)))
    if behaviour != "date_only":
        civil_days("day", behaviour, zone)([row])
    found: date = row.day
    return found
