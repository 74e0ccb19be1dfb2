"""Rows as JSON, built by SQLite: a page of thousands costs one statement and one string operation a row. A
row is a run of fragments, constant text and SQL in turn. At the top level they become a template that Python
fills; inside an expand, one SQL expression."""

import json
from dataclasses import dataclass, field
from typing import Any

from connectors.emulator.querying.filters import FilterCompiler, joined
from connectors.emulator.querying.labels import formatted
from connectors.emulator.querying.query import Expand, Query
from connectors.emulator.request.preferences import FORMATTED, LOOKUP_NAME, MAX_PAGE, NAVIGATION, Preferences
from connectors.emulator.schema.environment import Column, Environment, Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.pairs import paired

AUDIT = "audit"  # its lookups of users have no navigation: not annotated, and empty when expanded (Microsoft Learn, "Retrieve audit data")


@dataclass(frozen=True)
class Expression:
    """SQL that gives a piece of JSON text, never NULL."""

    text: str
    values: tuple[Any, ...] = ()


Fragment = str | Expression
ROW = "t0"


@dataclass
class Shape:
    """How to select the rows of a query, and how to write each one."""

    template: str
    expressions: list[str]
    values: list[Any] = field(default_factory=list)


class RowWriter:
    """Fragments for the rows of one answer."""

    def __init__(self, environment: Environment, preferences: Preferences, compiler: FilterCompiler, root: str) -> None:
        self.environment, self.compiler, self.root = environment, compiler, root
        self.formatted = preferences.wants(FORMATTED)
        self.lookup_name = preferences.wants(LOOKUP_NAME)
        self.navigation = preferences.wants(NAVIGATION)
        self.page_size = preferences.page_size or MAX_PAGE
        self.paged = False  # expanded collections come in pages, each link made by the SQL function `child_token`
        self.links_only = False  # expanded collections come without their rows

    def shape(self, query: Query) -> Shape:
        shape = Shape("", [])
        parts: list[str] = []
        for fragment in self.fragments(query, ROW):
            if isinstance(fragment, str):
                parts.append(fragment.replace("%", "%%"))
            else:
                parts.append("%s")
                shape.expressions.append(fragment.text)
                shape.values += fragment.values
        shape.template = "".join(parts)
        return shape

    def fragments(self, query: Query, alias: str, *, etag: bool = True) -> list[Fragment]:
        found: list[Fragment] = ["{"]
        if etag:
            found += ['"@odata.etag":"W/\\"', Expression(sql.dotted(alias, "versionnumber")), '\\"",']
        for column in query.columns:
            found += [*self.property(query.table, column, alias), ","]
        for expand in query.expands:
            found += [*self.expand(query.table, expand, alias), ","]
        found[-1] = "}"
        return found

    # -- one column ------------------------------------------------------------------------------------------

    def property(self, table: Table, column: Column, alias: str) -> list[Fragment]:
        if self.compiler.hides(table, column):
            return [f'"{column.wire}":null']
        value = bare_value(column, alias)
        extra = self.annotations(table, column, alias)
        if not extra:
            return [f'"{column.wire}":', Expression(value)]
        named = f'"{column.wire}":'
        text = " || ".join([*extra, sql.text(named), value])
        return [Expression(f"CASE WHEN {sql.dotted(alias, column.name)} IS NULL THEN {sql.text(named + 'null')} ELSE {text} END")]

    def annotations(self, table: Table, column: Column, alias: str, key: str = "") -> list[str]:
        """Return SQL texts that precede the property; a value that does not resolve leaves its annotation
        out. `key` is the name of the property when it is not its own."""
        key = key or column.wire
        found: list[str] = []
        if self.formatted and (text := formatted(self.environment, table, column, alias)):
            named = sql.text(f'"{key}@{FORMATTED}":')
            found.append(f"coalesce({named} || json_quote({text}) || ',', '')")
        if column.is_lookup and column.related and self.navigation and table.name != AUDIT:
            found.append(
                _named(key, column, alias, NAVIGATION, {target: table.navigation_name(column, target) for target in column.targets})
            )
        if column.is_lookup and self.lookup_name:
            found.append(_named(key, column, alias, LOOKUP_NAME, {target: target for target in column.targets}))
        return found

    # -- expands ---------------------------------------------------------------------------------------------

    def expand(self, table: Table, expand: Expand, alias: str) -> list[Fragment]:
        return self._single(table, expand, alias) if expand.navigation else self._collection(table, expand, alias)

    def _single(self, table: Table, expand: Expand, alias: str) -> list[Fragment]:
        navigation = expand.navigation
        assert navigation is not None
        if table.name == AUDIT:
            return [f'"{expand.name}":null']
        target = self.environment.tables[navigation.target]
        inner = self.compiler.fresh_alias()
        where = [f"{sql.dotted(inner, target.key)} = {sql.dotted(alias, navigation.column.name)}"]
        if navigation.column.polymorphic:
            where.append(f"{sql.dotted(alias, navigation.column.type_column)} = {sql.text(target.name)}")
        where += self.compiler.visible(target, inner)
        if expand.reference_only:
            start, end = sql.text(f'{{"@odata.id":"{self.root}{target.set_name}('), sql.text(')"}')
            body = Expression(f"{start} || {sql.dotted(inner, target.key)} || {end}")
        else:
            body = concatenated(self.fragments(expand.query, inner, etag=False))
        values = body.values
        if expand.query.filter:
            condition, bound = self.compiler.compile(expand.query.filter, target, inner)
            where.append(f"({condition})")
            values += bound
        query = sql.select([body.text], f"{sql.name(target.name)} {inner}", where)
        return [f'"{expand.name}":', Expression(f"coalesce(({query}), 'null')", values)]

    def _collection(self, table: Table, expand: Expand, alias: str) -> list[Fragment]:
        relation, query = expand.relation, expand.query
        child = query.table
        inner = self.compiler.fresh_alias()
        body = concatenated(self.fragments(query, inner))
        if expand.peers is not None:
            where = [paired(expand.peers, sql.dotted(alias, table.key), sql.dotted(inner, child.key))]
        else:
            assert relation is not None
            where = [joined(relation, child, inner, table, alias)]
        where += self.compiler.visible(child, inner)
        values = body.values
        bound: tuple[Any, ...] = ()
        if query.filter:
            condition, bound = self.compiler.compile(query.filter, child, inner)
            where.append(f"({condition})")
            values += bound
        link = json.dumps(f"?{expand.text}", ensure_ascii=False)[1:-1] if expand.text else ""
        start = f'"{expand.name}@odata.nextLink":"{self.root}{table.set_name}('
        address: list[Fragment] = [start, Expression(sql.dotted(alias, table.key)), f")/{expand.name}{link}"]
        if self.links_only:
            return [*address, '"']
        order = order_terms(self.compiler, query, inner)
        limit = min(query.top, MAX_PAGE) if query.top is not None else self.page_size if self.paged else MAX_PAGE
        rows = sql.select([f"{body.text} AS j"], f"{sql.name(child.name)} {inner}", where, order, limit)
        listed = sql.select(["'[' || coalesce(group_concat(j, ','), '') || ']'"], f"({rows})")
        found: list[Fragment] = [f'"{expand.name}":', Expression(f"({listed})", values)]
        if not self.paged:
            return [*found, ",", *address, '"']
        key = sql.dotted(inner, child.key)
        keys = sql.select(
            [f"{key} AS k", f"row_number() OVER (ORDER BY {key}) AS n"], f"{sql.name(child.name)} {inner}", where, [key], limit + 1
        )
        token = f"child_token({sql.text(child.key)}, min(k), max(CASE WHEN n <= {limit} THEN k END))"
        further = concatenated([",", *address, "&" if link else "?", "$skiptoken=", Expression(token), '"'])
        more = sql.select([f"CASE WHEN count(*) > {limit} THEN {further.text} ELSE '' END"], f"({keys})")
        return [*found, Expression(f"({more})", bound)]


def bare_value(column: Column, alias: str) -> str:
    """Return SQL for the JSON of a stored value."""
    expression = sql.dotted(alias, column.name)
    if column.kind == "bool":
        return f"CASE {expression} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"
    if column.kind == "money":
        return f"CASE WHEN {expression} IS NULL THEN 'null' ELSE printf('%.4f', {expression}) END"
    return f"json_quote({expression})"


def unless_null(tested: str, key: str, value: str, label: str | None) -> str:
    """Return SQL for a property, after its label, that is absent where the tested expression is null."""
    parts = [sql.text(f'"{key}":'), value, "','"]
    if label:
        parts = [sql.text(f'"{key}@{FORMATTED}":'), f"json_quote({label})", "','", *parts]
    return f"CASE WHEN {tested} IS NULL THEN '' ELSE {' || '.join(parts)} END"


def concatenated(fragments: list[Fragment]) -> Expression:
    texts = [sql.text(f) if isinstance(f, str) else f"({f.text})" for f in fragments]
    return Expression(" || ".join(texts), tuple(value for f in fragments if isinstance(f, Expression) for value in f.values))


def order_terms(compiler: FilterCompiler, query: Query, alias: str) -> list[str]:
    """Return the ORDER BY terms, always ending with the key so that the order is total."""
    terms = [compiler.column(query.table, alias, path).expression + (" DESC" if descending else "") for path, descending in query.order]
    return [*terms, sql.dotted(alias, query.table.key)]


def _named(key: str, column: Column, alias: str, annotation: str, names: dict[str, str]) -> str:
    start = f'"{key}@{annotation}":"'
    if len(set(names.values())) == 1:
        return sql.text(f'{start}{next(iter(names.values()))}",')
    branches = " ".join(f"WHEN {sql.text(target)} THEN {sql.text(name)}" for target, name in names.items())
    return f"{sql.text(start)} || CASE {sql.dotted(alias, column.type_column)} {branches} ELSE '' END || " + sql.text('",')
