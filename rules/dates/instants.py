"""How an instant is written wherever a machine reads it: RFC 3339, in UTC, with a `Z`."""

from datetime import UTC, date, datetime
from typing import overload


@overload
def instant(moment: datetime, precision: str = "auto") -> str: ...
@overload
def instant(moment: datetime | None, precision: str = "auto") -> str | None: ...


def instant(moment: datetime | None, precision: str = "auto") -> str | None:
    """Write an aware instant. `precision` is `seconds`, `milliseconds`, or `auto`: as much as there is."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def read_instant(text: str) -> datetime | None:
    """Read an instant with its zone; None where the text is none, or one on the first or last day that there
    is, which has no day in other zones."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None and date.min < found.date() < date.max else None
