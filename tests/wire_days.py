"""The day that a date column means, by the steps that decode a page
(`connectors/dynamics/reading/dates.py`)."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.dynamics.reading.dates import civil_days, wire_type
from rules.dates.calendar import BRUSSELS


def civil_date(text: str, behaviour: str, zone: ZoneInfo = BRUSSELS) -> date:
    """Raises msgspec.ValidationError where a page that has this text would be refused."""
    given: Any = msgspec.json.decode(msgspec.json.encode(text), type=wire_type(behaviour))
    (found,) = [given] if behaviour == "date_only" else civil_days(behaviour, zone)([given])
    assert found is not None
    return found
