"""`$apply`: sums, averages, extremes and counts, also by group. Over how many rows a query may aggregate is
here for FetchXML too, whose aggregates are made in fetchxml/answer.py. Source: Microsoft Learn, "Aggregate
data using OData"."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from connectors.emulator.errors import WebApiError, bad_query, bad_top, no_property
from connectors.emulator.querying.conditions import TIME_KINDS, Operand
from connectors.emulator.querying.filters import WHOLE_KINDS, FilterCompiler
from connectors.emulator.querying.labels import formatted
from connectors.emulator.querying.pages import Among, Reader, Within
from connectors.emulator.querying.query import order_parts, refuse_options
from connectors.emulator.querying.rows import ROW, unless_null
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.paths import split_outside
from connectors.emulator.request.preferences import FORMATTED
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage import sql

MAX_AGGREGATED = 50_000  # Microsoft Learn, "Aggregate data using FetchXml"
_FRACTIONS = ("decimal", "double", "money")
_METHODS = {"sum": "sum", "average": "avg", "min": "min", "max": "max"}
_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_COUNT = re.compile(r"\$count\s+as\s+(\w+)")
_METHOD = re.compile(r"([\w/]+)\s+with\s+(\w+)\s+as\s+(\w+)")


@dataclass
class _Asked:
    """`inside` is read of each row; `groups` and `results`, by name in the answer, are made of it."""

    inside: list[str] = field(default_factory=list)
    groups: dict[str, tuple[Operand, str]] = field(default_factory=dict)
    plain: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    results: dict[str, tuple[str, str]] = field(default_factory=dict)
    where: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def read(self, expression: str) -> str:
        """Return the name by which the outer query reaches an expression."""
        self.inside.append(f"{expression} AS v{len(self.inside)}")
        return f"v{len(self.inside) - 1}"


def too_many_to_aggregate() -> WebApiError:
    return WebApiError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")


def aggregate(reader: Reader, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
    """Return the rows that `$apply` makes of a set's rows."""
    refuse_options(operation.address.options, {"$apply", "$orderby", "$top"})
    aliases = {name: value for name, value in operation.address.options if name.startswith("@")}
    compiler = FilterCompiler(reader.environment, reader.tables.clock.now, operation.user, aliases, reader.gate.sight(operation))
    asked = _read(compiler, table, operation.address.option("$apply") or "")
    if within is not None:
        text, values = within.condition(table)
        asked.where.append(text)
        asked.values = [*asked.values, *values]
    asked.where += compiler.visible(table, ROW)
    if operation.preferences.wants(FORMATTED):
        _add_labels(compiler, table, asked)
    order = _order(asked, operation.address.option("$orderby"))
    source = sql.select([*asked.inside, "1 AS present"], f"{sql.name(table.name)} {ROW}", asked.where)
    limited = sql.select(["count(*)"], f"({source} LIMIT {MAX_AGGREGATED + 1})")
    if reader.tables.connection.execute(limited, asked.values).fetchone()[0] > MAX_AGGREGATED:
        raise too_many_to_aggregate()
    statement = sql.select(_columns(asked), f"({source})")
    if asked.groups:
        statement += " GROUP BY " + ", ".join(name for _, name in asked.groups.values())
        statement += " ORDER BY " + ", ".join([*order, *(name for _, name in asked.groups.values())])
    statement += f" LIMIT {_top(operation.address.option('$top'))}"
    rows = ["{" + "".join(row).removesuffix(",") + "}" for row in reader.tables.connection.execute(statement, asked.values)]
    context = json.dumps(operation.root + "$metadata#" + table.set_name)
    return Answer(200, f'{{"@odata.context":{context},"value":[{",".join(operation.alter(rows))}]}}'.encode())


def _top(text: str | None) -> int:
    if text is None:
        return MAX_AGGREGATED
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise bad_top(text)
    return int(text)


# -- reading -------------------------------------------------------------------------------------------------


def _read(compiler: FilterCompiler, table: Table, text: str) -> _Asked:
    """Read the filters, then one grouping or aggregation; nothing after it."""
    asked = _Asked()
    steps = [step.strip() for step in split_outside(text, "/")]
    for position, step in enumerate(steps):
        match = _CALL.fullmatch(step)
        kind = match.group(1) if match else ""
        last = position == len(steps) - 1
        if match and kind == "filter" and not last:
            condition, values = compiler.compile(match.group(2), table, ROW)
            asked.where.append(f"({condition})")
            asked.values += values
        elif match and kind == "groupby" and last:
            _groupby(compiler, table, match.group(2), asked)
        elif match and kind == "aggregate" and last:
            _aggregate(compiler, table, match.group(2), asked)
        else:
            raise bad_query(f"The $apply expression is not supported: '{step[:60]}'.")
    return asked


def _groupby(compiler: FilterCompiler, table: Table, text: str, asked: _Asked) -> None:
    columns, *rest = (part.strip() for part in split_outside(text, ","))
    if not (columns.startswith("(") and columns.endswith(")")) or len(rest) > 1:
        raise bad_query(f"The groupby expression is not supported: '{text[:60]}'.")
    for path in (part.strip() for part in columns[1:-1].split(",")):
        operand = compiler.column(table, ROW, path.split("/"))
        if operand.column.kind in (*TIME_KINDS, "memo", "image", "file"):
            raise bad_query(f"Grouping by '{path}' is not supported.")
        name = _joined(compiler, table, path.split("/"))
        asked.groups[name] = (operand, asked.read(operand.expression))
        if "/" not in path:
            asked.plain.add(name)
    for part in rest:
        match = _CALL.fullmatch(part)
        if match is None or match.group(1) != "aggregate":
            raise bad_query(f"The groupby expression is not supported: '{part[:60]}'.")
        _aggregate(compiler, table, match.group(2), asked)


def _add_labels(compiler: FilterCompiler, table: Table, asked: _Asked) -> None:
    for name in sorted(asked.plain):
        column = asked.groups[name][0].column
        label = formatted(compiler.environment, table, column, ROW)
        if label and not compiler.hides(table, column):
            asked.labels[name] = asked.read(f"CASE WHEN {sql.dotted(ROW, column.name)} IS NOT NULL THEN {label} END")


def _joined(compiler: FilterCompiler, table: Table, path: list[str]) -> str:
    """Return the name of a column reached through lookups, made from the tables passed:
    `contact_fullname`."""
    names: list[str] = []
    for step in path[:-1]:
        names.append(table.navigations[step].target)
        table = compiler.environment.tables[names[-1]]
    return "_".join([*names, path[-1]])


def _aggregate(compiler: FilterCompiler, table: Table, text: str, asked: _Asked) -> None:
    for part in (each.strip() for each in split_outside(text, ",")):
        if match := _COUNT.fullmatch(part):
            name, result = match.group(1), ("count(*)", "int")
        elif match := _METHOD.fullmatch(part):
            path, method, name = match.groups()
            result = _result(compiler, table, path, method, asked)
        else:
            raise bad_query(f"The aggregate expression is not supported: '{part[:60]}'.")
        if name in asked.results or name in asked.groups or name in table.by_wire:
            raise bad_query(f"The alias '{name}' is not unique.")
        asked.results[name] = result


def _result(compiler: FilterCompiler, table: Table, path: str, method: str, asked: _Asked) -> tuple[str, str]:
    if method not in _METHODS:
        raise bad_query(f"The aggregation method '{method}' is not supported.")
    operand = compiler.column(table, ROW, path.split("/"))
    kind = operand.column.kind
    if kind not in (*WHOLE_KINDS, *_FRACTIONS) and (kind not in TIME_KINDS or method in ("sum", "average")):
        raise bad_query(f"The aggregation method '{method}' does not fit the property '{path}'.")
    expression = f"{_METHODS[method]}({asked.read(operand.expression)})"
    return (f"CAST({expression} AS INTEGER)" if method == "average" and kind in WHOLE_KINDS else expression), kind


def _order(asked: _Asked, text: str | None) -> list[str]:
    found: list[str] = []
    for name, is_descending in order_parts(text) if text else ():
        if name not in asked.plain:
            if "/" in name:
                raise no_property(name, "result")
            raise bad_query("The query node SingleValueOpenPropertyAccess is not supported.")
        found.append(asked.groups[name][1] + (" DESC" if is_descending else ""))
    return found


# -- writing -------------------------------------------------------------------------------------------------


def _columns(asked: _Asked) -> list[str]:
    """Return the output columns; a property that is null is absent."""
    found: list[str] = []
    for name, (operand, expression) in asked.groups.items():
        found.append(unless_null(expression, name, _value(operand.column.kind, expression), asked.labels.get(name)))
    for name, (expression, kind) in asked.results.items():
        found.append(unless_null(expression, name, _value(kind, expression), None))
    return found


def _value(kind: str, expression: str) -> str:
    if kind in _FRACTIONS:
        return f"printf('%.9f', {expression})"
    if kind == "bool":
        return f"iif({expression}, 'true', 'false')"
    return f"json_quote({expression})"
