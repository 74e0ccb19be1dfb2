"""Dataverse's own query functions, those of `Microsoft.Dynamics.CRM` (OlderThanXMonths, In, On, Under…);
OData's (contains, startswith…) are in filters.py. Each is a boolean term over one column named by
`PropertyName`. Days begin at midnight UTC, the time zone of an application user; "older than" counts back
from this very second."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.errors import bad_query, no_property, unknown_function
from connectors.emulator.querying.conditions import TIME_KINDS, Condition, Conditions, Operand
from connectors.emulator.querying.fiscal import fiscal_span
from connectors.emulator.querying.hierarchies import CALLERS, LINES, of_the_caller, related
from connectors.emulator.request.paths import NAMESPACE
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import parse_date, parse_instant
from connectors.emulator.storage import sql

_X = re.compile(r"(Last|Next|OlderThan)X((?<=OlderThanX)Minutes|Hours|Days|Weeks|Months|Years)")
_PERIOD = re.compile(r"(Last|This|Next)(Week|Month|Year)")
_DAY_NAMES = {"Today": 0, "Yesterday": -1, "Tomorrow": 1}


def dataverse_condition(compiler: Conditions, qualified: str, arguments: dict[str, Any], table: Table, scope: dict[str, str]) -> Condition:
    """Return the condition of one function call. Raises WebApiError: 400 for a function, parameter or column
    that does not exist."""
    name = qualified.removeprefix(NAMESPACE)
    if name == qualified:
        raise unknown_function(qualified)
    operand = _operand(compiler, qualified, arguments, table, scope)
    value, values = arguments.get("PropertyValue"), arguments.get("PropertyValues")
    if name in ("In", "NotIn"):
        return _membership(compiler, operand, _needed(qualified, "PropertyValues", values), negated=name == "NotIn")
    if name in ("Between", "NotBetween"):
        return _between(compiler, operand, _needed(qualified, "PropertyValues", values), negated=name == "NotBetween")
    if name in ("ContainValues", "DoesNotContainValues"):
        return _contain(operand, _needed(qualified, "PropertyValues", values), negated=name != "ContainValues")
    if name in CALLERS:
        return of_the_caller(name, operand, compiler.user)
    if name == "EqualUserLanguage":
        return _language(operand)
    if name in LINES:
        return related(name, table, operand, str(_needed(qualified, "PropertyValue", value)))
    if name in ("On", "OnOrAfter", "OnOrBefore"):
        return _on(operand, name, str(_needed(qualified, "PropertyValue", value)))
    if match := _X.fullmatch(name):
        _check_time(operand, name)
        return _x(compiler, operand, match.group(1), match.group(2), str(_needed(qualified, "PropertyValue", value)))
    today = compiler.now().astimezone(UTC).date()
    if "Fiscal" in name:
        first, after = fiscal_span(name, today, values if isinstance(values, list) else [] if value is None else [str(value)])
        start_end: tuple[date, date] | None = (first or date.min, after or date.max)
    else:
        start_end = _named_period(name, today)
    if start_end is None:
        raise unknown_function(qualified)
    _check_time(operand, name)
    return _within(operand, *start_end)


def _needed(qualified: str, parameter: str, value: Any) -> Any:
    if value is None or (parameter == "PropertyValues") != isinstance(value, list):
        raise bad_query(f"The parameter '{parameter}' of the function '{qualified}' is missing or malformed.")
    return value


def _operand(compiler: Conditions, qualified: str, arguments: dict[str, Any], table: Table, scope: dict[str, str]) -> Operand:
    name = arguments.get("PropertyName")
    unknown = set(arguments) - {"PropertyName", "PropertyValue", "PropertyValues"}
    if not isinstance(name, str) or unknown:
        raise bad_query(f"The parameters of the function '{qualified}' are PropertyName and PropertyValue or PropertyValues.")
    *steps, last = name.split("/")
    if not steps and last in table.columns:  # the logical name, also of a lookup
        last = table.columns[last].wire
    elif not steps and last not in table.by_wire:
        raise no_property(last, table.name)
    return compiler.column(table, scope[""], [*steps, last])


def _membership(compiler: Conditions, operand: Operand, values: list[str], *, negated: bool) -> Condition:
    constants: list[Any] = []
    for value in values:
        if operand.column.kind in TIME_KINDS:
            constants.append(compiler.compared(operand, "=", value)[1][0])
        else:
            constants.append(compiler.constant(operand.column, value))
    if any(isinstance(c, str) and not c.isascii() for c in constants):
        inside = " OR ".join(["fold(" + operand.expression + ") = fold(?)"] * len(constants))
    else:
        inside = f"{operand.expression} IN ({', '.join('?' * len(constants))})"
    return (f"NOT coalesce(({inside}), 0)" if negated else inside), tuple(constants)


def _between(compiler: Conditions, operand: Operand, values: list[str], *, negated: bool) -> Condition:
    if len(values) != 2:
        raise bad_query("Between takes two values.")
    low, low_values = compiler.compared(operand, ">=", values[0])
    high, high_values = compiler.compared(operand, "<=", values[1])
    inside = f"({low} AND {high})"
    return (f"NOT coalesce({inside}, 0)" if negated else inside), (*low_values, *high_values)


def _contain(operand: Operand, values: list[str], *, negated: bool) -> Condition:
    if operand.column.kind != "choices":
        raise bad_query(f"ContainValues is for multi-select choices only; '{operand.column.name}' is none.")
    if not all(re.fullmatch(r"\s*-?\d+\s*", value) for value in values):
        raise bad_query("ContainValues takes whole numbers.")
    inside = " OR ".join([f"(',' || {operand.expression} || ',') LIKE ?"] * len(values))
    return (f"NOT coalesce(({inside}), 0)" if negated else inside), tuple(f"%,{value.strip()},%" for value in values)


def _language(operand: Operand) -> Condition:
    """Return the condition on the language. No user has settings of their own: everybody's language is the
    organisation's."""
    if operand.column.kind not in ("int", "bigint", "choice"):
        raise bad_query(f"The function 'EqualUserLanguage' is not valid for the column '{operand.column.name}'.")
    return f"{operand.expression} = ({sql.select(['languagecode'], sql.name('organization'), limit=1)})", ()


def _check_time(operand: Operand, name: str) -> None:
    if operand.column.kind not in TIME_KINDS:
        raise bad_query(f"The function '{name}' is not valid for the column '{operand.column.name}'.")


def _day(text: str) -> date:
    if day := parse_date(text):
        return day
    if instant := parse_instant(text):
        return instant.date()
    raise bad_query(f"'{text[:40]}' is not a date.")


def _on(operand: Operand, name: str, text: str) -> Condition:
    _check_time(operand, name)
    day = min(_day(text), date.max - timedelta(days=1))
    first, after = _edge(operand, day), _edge(operand, day + timedelta(days=1))
    if name == "On":
        return f"({operand.expression} >= ? AND {operand.expression} < ?)", (first, after)
    return (f"{operand.expression} >= ?", (first,)) if name == "OnOrAfter" else (f"{operand.expression} < ?", (after,))


def _edge(operand: Operand, day: date) -> str:
    return day.isoformat() if operand.column.kind == "date" else f"{day.isoformat()}T00:00:00Z"


def _within(operand: Operand, first: date, after: date) -> Condition:
    return f"({operand.expression} >= ? AND {operand.expression} < ?)", (_edge(operand, first), _edge(operand, after))


def _x(compiler: Conditions, operand: Operand, direction: str, unit: str, text: str) -> Condition:
    if not re.fullmatch(r"\d{1,6}", text) or int(text) < 1:
        raise bad_query(f"The parameter 'PropertyValue' must be a whole number above zero, not '{text[:20]}'.")
    number, now = int(text), compiler.now().astimezone(UTC)
    if operand.column.kind == "date" and unit in ("Minutes", "Hours"):
        raise bad_query(f"The function is not valid for '{operand.column.name}': a date has no {unit.lower()}.")
    if direction == "OlderThan":
        moment = shifted(now, unit, -number)
        return f"{operand.expression} < ?", (moment.date().isoformat() if operand.column.kind == "date" else instant_text(moment),)
    hours = unit == "Hours"
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    if direction == "Last":
        low, high = shifted(now if hours else midnight, unit, -number), now
    else:
        low, high = now, shifted(now if hours else midnight + timedelta(days=1), unit, number)
    if operand.column.kind == "date":
        return f"({operand.expression} >= ? AND {operand.expression} <= ?)", (low.date().isoformat(), high.date().isoformat())
    return f"({operand.expression} >= ? AND {operand.expression} <= ?)", (instant_text(low), instant_text(high))


def shifted(moment: datetime, unit: str, number: int) -> datetime:
    """Return a date shifted by calendar arithmetic: the 31st, a month back, is the last day of that month."""
    try:
        return moment + relativedelta(**{unit.lower(): number})  # type: ignore[arg-type]
    except (ValueError, OverflowError) as problem:
        raise bad_query("The number reaches beyond the calendar.") from problem


def _named_period(name: str, today: date) -> tuple[date, date] | None:
    """Return the first day and the day after the last; weeks begin on Sunday, as in a new organisation."""
    if name in _DAY_NAMES:
        day = today + timedelta(days=_DAY_NAMES[name])
        return day, day + timedelta(days=1)
    if name == "Last7Days":
        return today - timedelta(days=7), today + timedelta(days=1)
    if name == "Next7Days":
        return today, today + timedelta(days=8)
    match = _PERIOD.fullmatch(name)
    if not match:
        return None
    step = {"Last": -1, "This": 0, "Next": 1}[match.group(1)]
    if match.group(2) == "Week":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=step)
        return sunday, sunday + timedelta(weeks=1)
    if match.group(2) == "Month":
        first = today.replace(day=1) + relativedelta(months=step)
        return first, first + relativedelta(months=1)
    return date(today.year + step, 1, 1), date(today.year + step + 1, 1, 1)
