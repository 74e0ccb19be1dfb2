"""Fiscal periods of a new organisation: the fiscal year is the calendar's, its four periods are the quarters.
Source: Microsoft Learn, "Filter rows using OData" (names); the calendar itself is an assumption, an
organisation sets its own."""

import re
from datetime import date

from connectors.emulator.errors import bad_query, unknown_function
from connectors.emulator.request.paths import NAMESPACE

PERIODS = 4
_RELATIVE = re.compile(r"(Last|This|Next)Fiscal(Period|Year)")
_SEVERAL = re.compile(r"(Last|Next)XFiscal(Period|Year)s")
_IN_BOTH = {"InFiscalPeriodAndYear", "InOrAfterFiscalPeriodAndYear", "InOrBeforeFiscalPeriodAndYear"}

Span = tuple[date | None, date | None]  # the first day and the day after the last; None where it does not end


def fiscal_span(name: str, today: date, values: list[str]) -> Span:
    """Return which days a function of the fiscal calendar means; `InFiscalPeriod` means a period of this
    year. Raises WebApiError: 400 for an invalid function or number."""
    current = today.year * PERIODS + (today.month - 1) * PERIODS // 12
    if match := _RELATIVE.fullmatch(name):
        step = {"Last": -1, "This": 0, "Next": 1}[match.group(1)]
        return _periods(current + step, 1) if match.group(2) == "Period" else _periods((today.year + step) * PERIODS, PERIODS)
    if match := _SEVERAL.fullmatch(name):
        (number,) = _numbers(name, values, 1)
        unit, now = (1, current) if match.group(2) == "Period" else (PERIODS, today.year * PERIODS)
        return _periods(now - number * unit, number * unit) if match.group(1) == "Last" else _periods(now + unit, number * unit)
    if name == "InFiscalYear":
        return _periods(_numbers(name, values, 1)[0] * PERIODS, PERIODS)
    if name == "InFiscalPeriod":
        return _period(today.year, _numbers(name, values, 1)[0])
    if name in _IN_BOTH:
        period, year = _numbers(name, values, 2)
        first, after = _period(year, period)
        return (None if "Before" in name else first), (None if "After" in name else after)
    raise unknown_function(NAMESPACE + name)


def _numbers(name: str, values: list[str], count: int) -> list[int]:
    if len(values) != count or not all(re.fullmatch(r"[0-9]{1,4}", value) and int(value) for value in values):
        raise bad_query(f"The function '{name}' takes {count} whole number(s) above zero.")
    return [int(value) for value in values]


def _period(year: int, period: int) -> tuple[date, date]:
    if period > PERIODS:
        raise bad_query(f"A fiscal year has {PERIODS} periods; {period} is none of them.")
    return _periods(year * PERIODS + period - 1, 1)


def _periods(first: int, number: int) -> tuple[date, date]:
    return _start(first), _start(first + number)


def _start(period: int) -> date:
    year, quarter = divmod(period, PERIODS)
    if not 0 < year < 10_000:
        raise bad_query("The number reaches beyond the calendar.")
    return date(year, quarter * (12 // PERIODS) + 1, 1)
