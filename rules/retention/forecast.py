"""How many units go in each of the next months, if nothing happens to them meanwhile.

A forecast knows dates and nothing else: a new fiche, a hold or a reopened dossier keeps a unit longer than
foreseen, and a unit that is kept for any other reason than its date is not foreseen at all. Source: DAT-02
(disposal begins the day after the retention end), RET-18."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from rules.dates.periods import add_months
from rules.model.decisions import Decision, Reason

MONTHS: Final = 24


def month_of(day: date) -> str:
    """Write a month as 2026-11."""
    return f"{day:%Y-%m}"


def months_from(day: date, months: int = MONTHS) -> tuple[str, ...]:
    """Name the month of a day and those that follow, so many in all."""
    return tuple(month_of(add_months(day.replace(day=1), number)) for number in range(months))


def disposal_month(decision: Decision, as_of: date) -> str | None:
    """Return the month in which a unit is disposed of: this one where it is due now, that of the day after
    its end where only its date keeps it. None where something else keeps it, or it has no end."""
    if decision.is_disposal:
        return month_of(as_of)
    if decision.reasons == (Reason.NOT_EXPIRED,) and decision.retention_end is not None and decision.retention_end < date.max:
        return month_of(decision.retention_end + timedelta(days=1))
    return None


def forecast(decisions: Iterable[Decision], as_of: date) -> dict[str, int]:
    """Count disposals for each of the next months, in order; all that is due by now counts in the first."""
    counts = Counter(disposal_month(decision, as_of) for decision in decisions)
    return {month: counts[month] for month in months_from(as_of)}
