"""The bands that may outlive a person: of an age, a duration, a number of fiches; and the sex. A band says
unknown where nothing is known, and never more than the published bands. Source: sections 5.2 and 5.3 of the
rules; R-093."""

from datetime import date

from rules.dates.ages import completed_years
from rules.dates.periods import add_years

UNKNOWN = "unknown"
AGE_BANDS = ("0-5", "6-11", "12-14", "15-17", "18-24", "25+", UNKNOWN)
DURATION_BANDS = ("same_day", "2d", "7d", "31d", "1y", "longer")
SEXES = ("f", "m", "x", UNKNOWN)
FICHES_BANDS = ("1", "2-5", "6+")


def age_band(birth_on: date | None, opened_on: date | None) -> str:
    """Return the band of the age in completed years on the opening date; unknown without both dates, or if
    born later (R-093)."""
    if birth_on is None or opened_on is None or birth_on > opened_on:
        return UNKNOWN
    age = completed_years(birth_on, opened_on)
    for below, band in ((6, "0-5"), (12, "6-11"), (15, "12-14"), (18, "15-17"), (25, "18-24")):
        if age < below:
            return band
    return "25+"


def duration_band(opened_on: date | None, closed_on: date | None) -> str | None:
    """Return the band of the days from opening to closing; None where a date is missing or the closing lies
    before the opening (5.2)."""
    if opened_on is None or closed_on is None or closed_on < opened_on:
        return None
    days = (closed_on - opened_on).days
    for at_most, band in ((0, "same_day"), (2, "2d"), (7, "7d"), (31, "31d")):
        if days <= at_most:
            return band
    return "1y" if closed_on <= add_years(opened_on, 1) else "longer"


def fiches_band(n: int) -> str | None:
    """Return the band of a number of fiches; None for a dossier without any (5.2)."""
    if n < 1:
        return None
    return "1" if n == 1 else "2-5" if n <= 5 else "6+"


def sex(gender_key: str | None) -> str:
    """Return the sex as a statistics row holds it: f, m, x, else unknown (5.2)."""
    return gender_key if gender_key in SEXES and gender_key is not None else UNKNOWN
