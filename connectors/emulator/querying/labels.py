"""Formatted values: what a person would see in the caller's language, as SQL functions, so that a page stays
one statement."""

import re
import sqlite3
from functools import lru_cache

from connectors.emulator.schema.environment import Column, Environment, Labels, Table
from connectors.emulator.storage import sql

YES_NO: dict[str, tuple[str, str]] = {"nl": ("Ja", "Nee"), "fr": ("Oui", "Non"), "de": ("Ja", "Nein"), "en": ("Yes", "No")}


def in_language(labels: Labels, language: str) -> str:
    return labels.get(language) or next(iter(labels.values()), "")


def options_of(environment: Environment, table: Table, column: Column) -> dict[int, Labels]:
    """Return value to labels of a choice, multi-select, state or status column."""
    if column.kind == "state":
        return {state: labels for state, (labels, _) in table.states.items()}
    if column.kind == "status":
        return {status: labels for _, statuses in table.states.values() for status, labels in statuses.items()}
    return environment.choices[column.choice]


def _texts(environment: Environment) -> dict[str, dict[int, str]]:
    """Return table and column -> value -> label in the organisation's language."""
    return {
        f"{table.name}.{column.name}": {
            value: in_language(labels, environment.language) for value, labels in options_of(environment, table, column).items()
        }
        for table in environment.tables.values()
        for column in table.columns.values()
        if column.kind in ("choice", "choices", "state", "status") or column.choice
    }


def install(connection: sqlite3.Connection, environment: Environment) -> None:
    """Add to a connection the functions that filters and formatted values call."""
    texts: dict[str, dict[int, str]] = {}
    known: int | None = None  # the generation whose texts they are; most connections are asked for none

    def texts_of(key: str) -> dict[int, str]:
        nonlocal texts, known
        if environment.generation != known:
            texts, known = _texts(environment), environment.generation
        return texts[key]

    def label(key: str, value: int) -> str:
        return texts_of(key).get(value, str(value))

    def label_list(key: str, value: str) -> str:
        options = texts_of(key)
        return "; ".join(options.get(int(part), part) for part in value.split(","))

    connection.create_function("label", 2, label, deterministic=True)
    connection.create_function("label_list", 2, label_list, deterministic=True)
    connection.create_function("amount", 2, amount, deterministic=True)
    connection.create_function("fold", 1, fold, deterministic=True)
    connection.create_function("matches", 2, matches, deterministic=True)


def amount(value: float, symbol: str) -> str:
    """Return an amount in continental digits: `€ 20.000,00`."""
    whole = f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    return f"{symbol} {whole}" if symbol else whole


def fold(text: str | None) -> str | None:
    return None if text is None else str(text).casefold()


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None


def matches(text: str | None, pattern: str) -> int | None:
    if text is None:
        return None
    compiled = _compiled(pattern)
    return int(bool(compiled and compiled.match(str(text))))


def formatted(environment: Environment, table: Table, column: Column, alias: str) -> str | None:
    """Return SQL for the formatted value of a column that is not null; None where there is no such value."""
    expression = sql.dotted(alias, column.name)
    key = sql.text(f"{table.name}.{column.name}")
    yes, no = YES_NO.get(environment.language, YES_NO["en"])
    match column.kind:
        case "bool" if column.choice:
            return f"label({key}, {expression})"
        case "choice" | "state" | "status":
            return f"label({key}, {expression})"
        case "choices":
            return f"label_list({key}, {expression})"
        case "bool":
            return f"iif({expression}, {sql.text(yes)}, {sql.text(no)})"
        case "int" | "bigint":
            return f"CAST({expression} AS TEXT)"
        case "money":
            return f"amount({expression}, '€')"
        case "decimal" | "double":
            return f"amount({expression}, '')"
        case "date":
            return f"strftime('%d/%m/%Y', {expression})"
        case "datetime" | "datetime_tzi":
            return f"strftime('%d/%m/%Y %H:%M', {expression})"
        case "lookup":
            return lookup_name(environment, column, alias)
    return None


def lookup_name(environment: Environment, column: Column, alias: str) -> str:
    """Return SQL for the primary name of the row that a lookup points to."""
    queries = {}
    for target in column.targets:
        table = environment.tables[target]
        where = [f"l.{sql.name(table.key)} = {sql.dotted(alias, column.name)}"]
        queries[target] = "(" + sql.select([f"l.{sql.name(table.primary_name)}"], f"{sql.name(target)} l", where) + ")"
    if not column.polymorphic:
        return queries[column.targets[0]]
    branches = " ".join(f"WHEN {sql.text(target)} THEN {query}" for target, query in queries.items())
    return f"CASE {sql.dotted(alias, column.type_column)} {branches} END"
