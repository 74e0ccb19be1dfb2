"""Conditions of FetchXML and of a QueryExpression: an operator on one column with its values as text, as SQL.
Two-valued, as `$filter` is: `ne`, `not-in` and `not-like` also find rows without a value. Operators that
`$filter` has as functions are those functions."""

import re
from datetime import datetime

from connectors.emulator.errors import WebApiError
from connectors.emulator.querying.conditions import TIME_KINDS, Condition, Operand
from connectors.emulator.querying.dataverse_functions import dataverse_condition
from connectors.emulator.querying.filters import TEXT_KINDS, FilterCompiler, like
from connectors.emulator.request.paths import NAMESPACE
from connectors.emulator.schema.environment import DEFAULT_USER, Column, Environment, Table
from connectors.emulator.security.sight import Sight

NO_ENTITY = "0x80041102"  # Microsoft Learn, "Web service error codes": QueryBuilderNoEntity
NO_ATTRIBUTE = "0x80041103"  # QueryBuilderNoAttribute
INVALID_VALUE = "0x80041108"  # QueryBuilderInvalid_Value
INVALID_OPERATOR = "0x80041120"  # QueryBuilderInvalidConditionOperator

_COMPARISONS = {"eq": "=", "ne": "IS NOT", "neq": "IS NOT", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_LIKES = {"like": "{}", "begins-with": "{}%", "ends-with": "%{}"}
_NOT_LIKES = {"not-like": "like", "not-begin-with": "begins-with", "not-end-with": "ends-with"}
_VALUE_FUNCTIONS = {
    "on": "On",
    "on-or-after": "OnOrAfter",
    "on-or-before": "OnOrBefore",
    "under": "Under",
    "eq-or-under": "UnderOrEqual",
    "not-under": "NotUnder",
    "above": "Above",
    "eq-or-above": "AboveOrEqual",
    "in-fiscal-year": "InFiscalYear",
    "in-fiscal-period": "InFiscalPeriod",
}
_PAIR_FUNCTIONS = {
    "between": "Between",
    "not-between": "NotBetween",
    "in-fiscal-period-and-year": "InFiscalPeriodAndYear",
    "in-or-after-fiscal-period-and-year": "InOrAfterFiscalPeriodAndYear",
    "in-or-before-fiscal-period-and-year": "InOrBeforeFiscalPeriodAndYear",
}
_LIST_FUNCTIONS = {"in": "In", "not-in": "NotIn", "contain-values": "ContainValues", "not-contain-values": "DoesNotContainValues"}
_BARE_FUNCTIONS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "tomorrow": "Tomorrow",
    "last-seven-days": "Last7Days",
    "next-seven-days": "Next7Days",
    "eq-userid": "EqualUserId",
    "ne-userid": "NotEqualUserId",
    "eq-businessid": "EqualBusinessId",
    "ne-businessid": "NotEqualBusinessId",
    "eq-userteams": "EqualUserTeams",
    "eq-useroruserteams": "EqualUserOrUserTeams",
    "eq-useroruserhierarchy": "EqualUserOrUserHierarchy",
    "eq-useroruserhierarchyandteams": "EqualUserOrUserHierarchyAndTeams",
    "eq-userlanguage": "EqualUserLanguage",
}
for _which in ("last", "this", "next"):
    for _unit, _name in (
        ("week", "Week"),
        ("month", "Month"),
        ("year", "Year"),
        ("fiscal-period", "FiscalPeriod"),
        ("fiscal-year", "FiscalYear"),
    ):
        _BARE_FUNCTIONS[f"{_which}-{_unit}"] = _which.capitalize() + _name
for _unit in ("minutes", "hours", "days", "weeks", "months", "years"):
    _VALUE_FUNCTIONS[f"olderthan-x-{_unit}"] = "OlderThanX" + _unit.capitalize()
for _unit in ("hours", "days", "weeks", "months", "years", "fiscal-periods", "fiscal-years"):
    for _which in ("last", "next"):
        _VALUE_FUNCTIONS[f"{_which}-x-{_unit}"] = f"{_which.capitalize()}X" + _unit.title().replace("-", "")

QUERY_EXPRESSION_OPERATORS = {  # Microsoft Learn, "ConditionOperator Enum"
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "Like": "like",
    "NotLike": "not-like",
    "BeginsWith": "begins-with",
    "DoesNotBeginWith": "not-begin-with",
    "EndsWith": "ends-with",
    "DoesNotEndWith": "not-end-with",
    "Null": "null",
    "NotNull": "not-null",
    **{function: operator for operator, function in (_VALUE_FUNCTIONS | _PAIR_FUNCTIONS | _LIST_FUNCTIONS | _BARE_FUNCTIONS).items()},
}

_ZONELESS = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?(?:\.\d+)?)")


def condition(
    environment: Environment,
    table: Table,
    column: str,
    operator: str,
    values: list[str],
    alias: str,
    now: datetime,
    user: str = DEFAULT_USER,
    sight: Sight | None = None,
) -> Condition:
    """Return the SQL of one condition over `alias`, and the values to bind; `operator` is FetchXML's
    lower-case name. Without a `sight` every column is seen. Raises WebApiError: 400 for a column or operator
    that does not exist, too few or too many values, or one of the wrong type."""
    found = attribute(table, column)
    compiler = FilterCompiler(environment, lambda: now, user, sight=sight)
    operand = compiler.column(table, alias, [found.wire])
    if operator in ("null", "not-null"):
        _expect(found, operator, values, 0)
        return f"{operand.expression} IS {'NULL' if operator == 'null' else 'NOT NULL'}", ()
    texts = [_constant_text(found, value) for value in values]
    if operator in _COMPARISONS:
        _expect(found, operator, values, 1)
        return _typed(compiler, operand, _COMPARISONS[operator], texts[0])
    if operator in _LIKES or operator in _NOT_LIKES:
        _expect(found, operator, values, 1)
        return _like(operand, operator, values[0])
    arguments: dict[str, str | list[str]] = {"PropertyName": found.name}
    if operator in _VALUE_FUNCTIONS:
        _expect(found, operator, values, 1)
        function, arguments["PropertyValue"] = _VALUE_FUNCTIONS[operator], texts[0]
    elif operator in _PAIR_FUNCTIONS:
        _expect(found, operator, values, 2)
        function, arguments["PropertyValues"] = _PAIR_FUNCTIONS[operator], texts
    elif operator in _LIST_FUNCTIONS:
        if not values:
            _expect(found, operator, values, 1)
        function, arguments["PropertyValues"] = _LIST_FUNCTIONS[operator], texts
    elif operator in _BARE_FUNCTIONS:
        _expect(found, operator, values, 0)
        function = _BARE_FUNCTIONS[operator]
    else:
        raise WebApiError(400, INVALID_OPERATOR, f"Unknown Condition Operator: {operator[:60]}")
    try:
        return dataverse_condition(compiler, NAMESPACE + function, arguments, table, {"": alias})
    except WebApiError as error:
        raise WebApiError(400, INVALID_VALUE, f"Condition for attribute '{table.name}.{found.name}': {error.message}") from error


def attribute(table: Table, name: str) -> Column:
    """Return a column by its logical name. Raises WebApiError: 400 in the platform's words."""
    column = table.columns.get(name)
    if column is None:
        raise WebApiError(
            400, NO_ATTRIBUTE, f"'{table.name}' entity doesn't contain attribute with Name = '{name[:100]}' and NameMapping = 'Logical'."
        )
    return column


def entity(environment: Environment, name: str) -> Table:
    """Return a table by its logical name. Raises WebApiError: 400 in the platform's words."""
    table = environment.tables.get(name)
    if table is None:
        raise WebApiError(
            400, NO_ENTITY, f"The entity with a name = '{name[:100]}' with namemapping = 'Logical' was not found in the MetadataCache."
        )
    return table


def _expect(column: Column, operator: str, values: list[str], number: int) -> None:
    if len(values) != number:
        raise WebApiError(
            400,
            INVALID_VALUE,
            f"The condition on '{column.name}' with the operator '{operator}' takes {number} value(s), not {len(values)}.",
        )


def _constant_text(column: Column, value: str) -> str:
    """Return the constant as `$filter` would write it: ids without braces, instants with a zone, which is UTC
    for an application user."""
    if column.kind in TEXT_KINDS:
        return value
    value = value.strip()
    if column.kind in ("guid", "lookup", "file"):
        return value.strip("{}")
    if column.kind in TIME_KINDS:
        if match := _ZONELESS.fullmatch(value):
            value = f"{match.group(1)}T{match.group(2)}Z"
        return value[:10] if column.kind == "date" and "T" in value else value
    return value


def _typed(compiler: FilterCompiler, operand: Operand, comparison: str, text: str) -> Condition:
    try:
        return compiler.compared(operand, comparison, text)
    except WebApiError as error:
        raise _wrong_type(operand.column) from error


def _wrong_type(column: Column) -> WebApiError:
    expected = {
        "bool": "Boolean",
        "decimal": "Decimal",
        "double": "Double",
        "money": "Decimal",
        "bigint": "Int64",
        "guid": "Guid",
        "lookup": "Guid",
        "file": "Guid",
    }
    expected |= dict.fromkeys(TIME_KINDS, "DateTime")
    return WebApiError(
        400,
        INVALID_VALUE,
        f"Condition for attribute '{column.name}': expected argument(s) of type 'System.{expected.get(column.kind, 'Int32')}' but received "
        "'System.String'.",
    )


def _like(operand: Operand, operator: str, value: str) -> Condition:
    if operand.column.kind not in TEXT_KINDS:
        raise _wrong_type(operand.column)
    text, values = like(operand.expression, _LIKES[_NOT_LIKES.get(operator, operator)].format(value))
    return (f"NOT coalesce(({text}), 0)" if operator in _NOT_LIKES else text), values
