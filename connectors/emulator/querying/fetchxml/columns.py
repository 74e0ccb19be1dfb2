"""What a FetchXML query gives, as pieces of JSON that SQLite writes; a column that is null leaves nothing,
not even its name."""

from dataclasses import dataclass

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.querying.conditions import TIME_KINDS
from connectors.emulator.querying.fetchxml.query import Chosen, Element, Fetch
from connectors.emulator.querying.filters import WHOLE_KINDS
from connectors.emulator.querying.rows import RowWriter, bare_value, unless_null
from connectors.emulator.schema.environment import Column
from connectors.emulator.storage import sql

NUMBERS = (*WHOLE_KINDS, "decimal", "double", "money")


@dataclass
class Aggregates:
    """Selected texts, what to group by, and the expression behind each alias."""

    texts: list[str]
    groups: list[str]
    by_key: dict[str, str]


def row_columns(writer: RowWriter, fetch: Fetch) -> list[str]:
    """Return each row's version and key, then the requested columns, those of links under their alias."""
    root = fetch.root
    found: list[str] = []
    if not fetch.distinct and "versionnumber" in root.table.columns:
        found.append(f"""'"@odata.etag":"W/\\"' || {sql.dotted(root.sql, "versionnumber")} || '\\"",'""")
    for element in root.family():
        found += [_property(writer, element, chosen.column, chosen.key, nulls=fetch.nulls) for chosen in _chosen(element, fetch)]
    return found or ["''"]


def _chosen(element: Element, fetch: Fetch) -> list[Chosen]:
    """Return the columns of one element; a root row includes its key and, with an amount, its currency."""
    prefix = f"{element.name}_x002e_" if element.name else ""
    found = list(element.chosen)
    if element.everything:
        columns = [column for column in element.table.columns.values() if column.kind != "image"]
        found += [Chosen(column, prefix + column.name if prefix else "") for column in columns]
    if element is fetch.root and not fetch.distinct:
        if any(chosen.column.kind == "money" for chosen in found) and "transactioncurrencyid" in element.table.columns:
            found.append(Chosen(element.table.columns["transactioncurrencyid"]))
        found.append(Chosen(element.table.columns[element.table.key]))
    return list({chosen.key or chosen.column.wire: chosen for chosen in found}.values())


def _property(writer: RowWriter, element: Element, column: Column, key: str, *, nulls: bool) -> str:
    named = sql.text(f'"{key or column.wire}":')
    nothing = sql.text(f'"{key or column.wire}":null,' if nulls else "")
    if writer.compiler.hides(element.table, column):
        return nothing
    annotations = writer.annotations(element.table, column, element.sql, key)
    text = " || ".join([*annotations, named, bare_value(column, element.sql), "','"])
    return f"CASE WHEN {sql.dotted(element.sql, column.name)} IS NULL THEN {nothing} ELSE {text} END"


def aggregate_columns(writer: RowWriter, fetch: Fetch) -> Aggregates:
    """Return groups and aggregates. Raises WebApiError: 400 when an aggregate does not fit its column."""
    found = Aggregates([], [], {})
    for element in fetch.root.family():
        for chosen in element.chosen:
            column, key = chosen.column, chosen.key
            expression = "NULL" if writer.compiler.hides(element.table, column) else sql.dotted(element.sql, column.name)
            if chosen.grouped and not chosen.date_grouping:
                found.texts.append(_property(writer, element, column, key, nulls=fetch.nulls))
                found.groups += [expression] + ([sql.dotted(element.sql, column.type_column)] if column.polymorphic else [])
            elif chosen.grouped:
                if column.kind not in TIME_KINDS:
                    raise _unfit("dategrouping", column)
                expression = _date_part(chosen.date_grouping, expression)
                found.texts.append(_number(writer, key, expression, f"CAST({expression} AS TEXT)"))
                found.groups.append(expression)
            else:
                expression = _aggregated(chosen, expression)
                found.texts.append(_number(writer, key, *_aggregate_texts(chosen, expression), expression))
            found.by_key[key] = expression
    return found


def _aggregated(chosen: Chosen, expression: str) -> str:
    kind, column = chosen.aggregate, chosen.column
    if kind == "count":
        return "count(*)"
    if kind == "countcolumn":
        return f"count({'DISTINCT ' if chosen.distinct else ''}{expression})"
    if column.kind not in (NUMBERS if kind in ("sum", "avg") else (*NUMBERS, *TIME_KINDS)):
        raise _unfit(kind, column)
    text = f"{kind}({'DISTINCT ' if chosen.distinct else ''}{expression})"
    return f"CAST({text} AS INTEGER)" if kind == "avg" and column.kind in WHOLE_KINDS else text


def _aggregate_texts(chosen: Chosen, expression: str) -> tuple[str, str]:
    """Return an aggregate's JSON, and as a person would read it."""
    kind = "int" if chosen.aggregate in ("count", "countcolumn") else chosen.column.kind
    if kind == "money":
        return f"printf('%.4f', {expression})", f"amount({expression}, '€')"
    if kind in ("decimal", "double"):
        return f"json_quote({expression})", f"amount({expression}, '')"
    if kind in TIME_KINDS:
        return f"json_quote({expression})", f"strftime('{'%d/%m/%Y' if kind == 'date' else '%d/%m/%Y %H:%M'}', {expression})"
    return f"CAST({expression} AS TEXT)", f"CAST({expression} AS TEXT)"


def _number(writer: RowWriter, key: str, value: str, label: str, tested: str = "") -> str:
    return unless_null(tested or value, key, value, label if writer.formatted else None)


def _date_part(part: str, expression: str) -> str:
    """Return SQL for a part of a date. Weeks begin on Sunday, and the first one contains 1 January."""

    def number(format_: str, *modifiers: str) -> str:
        return f"CAST(strftime('{format_}', {', '.join([expression, *modifiers])}) AS INTEGER)"

    match part:
        case "day":
            return number("%d")
        case "month":
            return number("%m")
        case "quarter":
            return f"(({number('%m')} + 2) / 3)"
        case "week":
            first = number("%w", "'start of year'")
            return f"(({number('%j')} + {first} - 1) / 7 + 1)"
        case _:
            return number("%Y")


def _unfit(kind: str, column: Column) -> WebApiError:
    return WebApiError(400, INVALID_ARGUMENT, f"The aggregate '{kind}' cannot be used with the attribute '{column.name}'.")
