"""A FetchXML query as SQL: what it reads from, on which conditions, and in which order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.querying.conditions import Condition
from connectors.emulator.querying.criteria import attribute, condition
from connectors.emulator.querying.fetchxml.query import EXISTING, JOINS, Comparison, Element, Fetch, Filter, Link
from connectors.emulator.querying.filters import TEXT_KINDS, WHOLE_KINDS, refuse_too_many
from connectors.emulator.querying.labels import formatted
from connectors.emulator.schema.environment import Column, Environment, Table
from connectors.emulator.security.sight import Sight
from connectors.emulator.storage import sql
from connectors.emulator.storage.sources import source_of

_BETWEEN_COLUMNS = {"eq": "=", "ne": "IS NOT", "neq": "IS NOT", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_BY_LABEL = ("choice", "state", "status", "lookup")


class Statement:
    """The parts of one SELECT; `source_values` are bound before those of the conditions."""

    def __init__(self, environment: Environment, fetch: Fetch, now: datetime, user: str, sight: Sight) -> None:
        self.environment, self.fetch, self.now = environment, fetch, now
        self.user, self.sight = user, sight
        self.conditions = 0
        self.source, self.source_values = self._source(fetch.root)
        self.where: list[str] = []
        self.where_values: list[Any] = []
        for text, values in self._own_conditions(fetch.root):
            self.where.append(f"({text})")
            self.where_values += values

    @property
    def values(self) -> list[Any]:
        return [*self.source_values, *self.where_values]

    def order(self) -> list[tuple[Element, Column, bool]]:
        """Return element, column and whether descending, outermost element first."""
        found: list[tuple[Element, Column, bool]] = []
        for element in self.fetch.root.family():
            for order in element.orders:
                of = self.fetch.named(order.of) if order.of else element
                name = order.attribute or next((c.column.name for c in element.chosen if c.key == order.alias), order.alias)
                found.append((of, attribute(of.table, name), order.descending))
        return found

    def ordered_by(self, element: Element, column: Column) -> str:
        """Return the SQL to order by: choices and lookups by what a person reads, unless the raw values are
        requested. Microsoft Learn, "Order rows using FetchXml"."""
        expression = self._seen(element, column)
        if expression == "NULL" or column.kind not in _BY_LABEL or self.fetch.raw_order:
            return expression
        label = formatted(self.environment, element.table, column, element.sql)
        return f"CASE WHEN {expression} IS NOT NULL THEN {label} END COLLATE NOCASE"

    # -- what is read ----------------------------------------------------------------------------------------

    def _rows(self, table: Table) -> str:
        if self.fetch.datasource and table.view:
            raise WebApiError(400, INVALID_ARGUMENT, f"The entity '{table.name}' has no rows in the data source '{self.fetch.datasource}'.")
        return sql.name(source_of(table, self.fetch.datasource))

    def _source(self, element: Element) -> tuple[str, list[Any]]:
        """Return the FROM clause. An outer link keeps together what is linked to it: `a LEFT JOIN (b JOIN c
        ON …) ON …`."""
        text, values = f"{self._rows(element.table)} {element.sql}", []
        for link in element.links:
            if link.kind not in JOINS:
                continue
            inner, inner_values = self._source(link.element)
            if any(each.kind in JOINS for each in link.element.links):
                inner = f"({inner})"
            conditions = [(self._joined(link, element), ()), *self._own_conditions(link.element)]
            on = " AND ".join(f"({condition_text})" for condition_text, _ in conditions)
            text += f" {'LEFT JOIN' if link.kind == 'outer' else 'JOIN'} {inner} ON {on}"
            values += [*inner_values, *(value for _, bound in conditions for value in bound)]
        return text, values

    @staticmethod
    def _joined(link: Link, parent: Element) -> str:
        return f"{sql.dotted(link.element.sql, link.own.name)} = {sql.dotted(parent.sql, link.other.name)}"

    def _own_conditions(self, element: Element) -> list[Condition]:
        """Return the filters of an element, and its links that only check whether a row exists."""
        found = [self._filter(each, element) for each in element.filters]
        found += [self._exists(link, element) for link in element.links if link.kind in EXISTING]
        return found + [(text, ()) for text in self.sight.rows(element.table, element.sql)]

    # -- conditions ------------------------------------------------------------------------------------------

    def _filter(self, given: Filter, element: Element) -> Condition:
        parts = [self._part(part, element) for part in given.parts]
        if not parts:
            return "1", ()
        return (" OR " if given.alternatives else " AND ").join(f"({text})" for text, _ in parts), _bound(parts)

    def _part(self, part: Filter | Comparison | Link, element: Element) -> Condition:
        if isinstance(part, Filter):
            return self._filter(part, element)
        self.conditions += 1
        refuse_too_many(self.conditions)
        if isinstance(part, Link):
            return self._related(part, element)
        of = self.fetch.named(part.of) if part.of else element
        if part.column:
            return self._between_columns(part, of), ()
        return condition(
            self.environment, of.table, part.attribute, part.operator, list(part.values), of.sql, self.now, self.user, self.sight
        )

    def _between_columns(self, part: Comparison, of: Element) -> str:
        """Return the condition of `valueof`: a column of the same element, or `link.column`."""
        name, dot, last = part.column.rpartition(".")
        other = self.fetch.named(name) if dot else of
        left, right = attribute(of.table, part.attribute), attribute(other.table, last)
        operator = _BETWEEN_COLUMNS.get(part.operator)
        if operator is None or part.values or _family(left) != _family(right):
            raise WebApiError(400, INVALID_ARGUMENT, f"The attributes '{left.name}' and '{right.name}' cannot be compared in this way.")
        return f"{self._seen(of, left)} {operator} {self._seen(other, right)}"

    def _seen(self, element: Element, column: Column) -> str:
        """Return the column as the caller sees it: one that they may not read is null to a condition too."""
        return "NULL" if self.sight.hides(element.table, column) else sql.dotted(element.sql, column.name)

    def _related(self, link: Link, element: Element) -> Condition:
        """Return the condition on related rows. `not all` is `any`, however odd that reads (Microsoft Learn,
        "Filter rows based on values in related records")."""
        text, values = self._exists(link, element)
        if link.kind in ("any", "not all"):
            return text, values
        if link.kind == "not any":
            return f"NOT {text}", values
        linked = sql.select(["1"], f"{self._rows(link.element.table)} {link.element.sql}", [self._joined(link, element)])
        return f"EXISTS ({linked}) AND NOT {text}", values

    def _exists(self, link: Link, element: Element) -> Condition:
        source, values = self._source(link.element)
        conditions = self._own_conditions(link.element)
        where = [self._joined(link, element), *(f"({text})" for text, _ in conditions)]
        return f"EXISTS ({sql.select(['1'], source, where)})", (*values, *_bound(conditions))


def _bound(conditions: Iterable[Condition]) -> tuple[Any, ...]:
    return tuple(value for _, values in conditions for value in values)


def _family(column: Column) -> str:
    if column.kind in TEXT_KINDS:
        return "text"
    if column.kind in (*WHOLE_KINDS, "decimal", "double", "money", "bool"):
        return "number"
    return "id" if column.kind in ("guid", "lookup", "file") else column.kind.partition("_")[0]
