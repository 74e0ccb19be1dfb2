"""Dates, times and numbers as people of a language write them."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.localedata import locale_identifiers
from babel.numbers import format_decimal

from rules.dates.calendar import Calendar

ENGLISH = "en_GB"  # as it is written in Europe: the day stands before the month


@dataclass(frozen=True, slots=True)
class Formats:
    """How one language writes; `calendar` knows in which zone an instant is shown."""

    locale: Locale
    calendar: Calendar

    @classmethod
    def of(cls, language: str, calendar: Calendar) -> "Formats":
        """Write a language as it is written in the country where the organisation works."""
        there = f"{language}_{calendar.country.partition('-')[0]}"
        found = ENGLISH if language == "en" else there if there in locale_identifiers() else language
        return cls(Locale.parse(found), calendar)

    def day(self, value: date | str | None) -> str:
        """Write a day (6 Mar 2026); an ISO text is read. Empty for none."""
        found = date.fromisoformat(value) if isinstance(value, str) and value else value
        return self._first(found, format_date(found, "d MMM y", locale=self.locale)) if found else ""

    def short_day(self, value: date | str) -> str:
        """Write a day without its year (6 Mar)."""
        found = date.fromisoformat(value) if isinstance(value, str) else value
        return self._first(found, format_date(found, "d MMM", locale=self.locale))

    def long_day(self, value: date | str) -> str:
        """Write a day with its weekday."""
        found = date.fromisoformat(value) if isinstance(value, str) else value
        return self._first(found, format_date(found, "full", locale=self.locale))

    def month(self, value: str) -> str:
        """Write a month given as 2026-03."""
        return format_date(date.fromisoformat(f"{value}-01"), "MMM y", locale=self.locale)

    def month_and_year(self, value: str) -> tuple[str, str]:
        """Write a month given as 2026-03 in two lines, its name and its year."""
        found = date.fromisoformat(f"{value}-01")
        return format_date(found, "LLL", locale=self.locale), format_date(found, "y", locale=self.locale)

    def day_and_month(self, value: str) -> tuple[str, str]:
        """Write an ISO day in two lines, its number and its month."""
        found = date.fromisoformat(value)
        return format_date(found, "d", locale=self.locale), format_date(found, "LLL", locale=self.locale)

    def clock(self, value: datetime | str | None) -> str:
        """Write an instant as day and time where the organisation works; empty for none."""
        found = datetime.fromisoformat(value) if isinstance(value, str) and value else value
        if not isinstance(found, datetime):
            return ""
        there = self.calendar.clock(found)
        return self._first(there, format_datetime(there, "d MMM y HH:mm", locale=self.locale))

    def _first(self, day: date, written: str) -> str:
        """Return a day as French writes the first of a month, and it alone: 1er mars."""
        return re.sub(r"\b1\b", "1er", written, count=1) if self.locale.language == "fr" and day.day == 1 else written

    def weekday(self, value: datetime) -> str:
        """Write the day of the week of an instant, short, where the organisation works (Tue)."""
        return format_datetime(self.calendar.clock(value), "EEE", locale=self.locale)

    def time(self, value: datetime) -> str:
        return format_time(self.calendar.clock(value), "HH:mm", locale=self.locale)

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self.locale)
