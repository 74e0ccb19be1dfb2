"""The rows of a schedule in words, as tables show them."""

from dataclasses import dataclass
from typing import Final

from rules.model.decisions import Disposition
from rules.model.records import UnitKind
from rules.policy.categories import Category, EndOfCalendarYearAfter, MonthsAfter, NoTerm, UntilAge, UntilEvent, YearsAfter
from rules.policy.policy import Policy

# Units of which `ended_on` is the end of an agreement, and `booked_on` the last gift.
OF_RELATIONS: Final = (UnitKind.ENGAGEMENT, UnitKind.CONTACT)


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One row of the schedule as a table shows it."""

    key: str
    label: str
    unit: str
    period: str
    anchor: str
    disposition: str
    rule: str
    source: str
    enabled: bool
    suggestion: str
    bypass: tuple[str, ...]


def describe(policy: Policy) -> list[ScheduleRow]:
    """Return the schedule as rows for people, in order; labels and periods in English."""
    return [
        ScheduleRow(
            key=key,
            label=category.labels.en,
            unit=category.unit,
            period=period_text(category),
            anchor="birth date" if isinstance(category, UntilAge) else ", else ".join(category.anchors),
            disposition=disposition_word(category.disposition),
            rule=category.rule,
            source=category.source,
            enabled=category.enabled,
            suggestion=category.suggestion,
            bypass=tuple(each.value for each in category.bypass),
        )
        for key, category in policy.categories.items()
    ]


def disposition_word(disposition: Disposition) -> str:
    """Return the word of a schedule for a disposition: KEEP is `retain`."""
    return "retain" if disposition is Disposition.KEEP else disposition.value


def period_text(category: Category) -> str:
    """Return a period in words."""
    match category:
        case MonthsAfter():
            return _many(category.months, "month")
        case YearsAfter():
            return _many(category.years, "year")
        case UntilAge():
            return f"until {category.age}"
        case EndOfCalendarYearAfter():
            return f"until 31 December, {_many(category.years, 'year')} on"
        case UntilEvent():
            return f"until the event and {_many(category.months, 'month')}" if category.months else "until the event"
        case NoTerm():
            return "no term"


def _many(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
