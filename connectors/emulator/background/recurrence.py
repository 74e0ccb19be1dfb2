"""How often a job runs again: the few parts of an iCalendar rule that the platform's own jobs use."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.querying.dataverse_functions import shifted

_UNITS = {"MINUTELY": "Minutes", "HOURLY": "Hours", "DAILY": "Days", "WEEKLY": "Weeks", "MONTHLY": "Months", "YEARLY": "Years"}
_PATTERN = re.compile(r"FREQ=(\w+)(?:;INTERVAL=([1-9]\d{0,3}))?;?", re.IGNORECASE)


@dataclass(frozen=True)
class Recurrence:
    unit: str
    interval: int

    def next(self, start: datetime, moment: datetime) -> datetime:
        """Return the first occurrence after a moment, counted from the start; the 31st falls on the last day
        of a shorter month."""
        if self.unit in ("Months", "Years"):
            months = self.interval * (12 if self.unit == "Years" else 1)
            number = max(0, ((moment.year - start.year) * 12 + moment.month - start.month) // months)
        else:
            number = max(0, (moment - start) // timedelta(**{self.unit.lower(): self.interval}))
        while (found := shifted(start, self.unit, number * self.interval)) <= moment:
            number += 1
        return found


def parse_recurrence(text: str) -> Recurrence | None:
    """Read `FREQ=DAILY;INTERVAL=1;`; empty means once. Raises WebApiError: 400 for another pattern."""
    if not text:
        return None
    match = _PATTERN.fullmatch(text)
    unit = _UNITS.get(match.group(1).upper()) if match else None
    if match is None or unit is None:
        raise WebApiError(400, INVALID_ARGUMENT, f"The recurrence pattern '{text[:100]}' is not valid.")
    return Recurrence(unit, int(match.group(2) or 1))
