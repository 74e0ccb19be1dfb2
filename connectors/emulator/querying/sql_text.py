"""The SELECT that the `sql` option takes, read into the same query that FetchXML is read into.

sqlglot reads T-SQL; of what it can read, this takes what the vendor's Python client documents: one table or
simple joins, WHERE, GROUP BY with aggregates, ORDER BY, TOP or OFFSET. Names are checked against the schema
and values are bound, so no text of the caller reaches the database."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.emulator.errors import WebApiError, bad_query
from connectors.emulator.querying.criteria import attribute, entity
from connectors.emulator.querying.fetchxml.query import (
    MAX_DEPTH,
    Chosen,
    Comparison,
    Element,
    Fetch,
    Filter,
    Link,
    Order,
    too_deep,
)
from connectors.emulator.request.preferences import MAX_PAGE
from connectors.emulator.schema.environment import Column, Environment

if TYPE_CHECKING:
    from sqlglot import exp

_AS = re.compile(r"\bas\b", re.IGNORECASE)
_COMPARISONS = {"eq": "eq", "neq": "ne", "gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}
_NEGATED = {"like": "not-like", "between": "not-between", "in": "not-in", "null": "not-null"}
_AGGREGATES = {"count": "countcolumn", "sum": "sum", "avg": "avg", "min": "min", "max": "max"}
_JOINS = {"": "inner", "INNER": "inner", "LEFT": "outer", "LEFT OUTER": "outer"}


def read_sql(environment: Environment, text: str) -> Fetch:
    """Read one SELECT. Raises WebApiError: 400 for anything outside the grammar, and for tables and columns
    that do not exist."""
    import sqlglot  # it takes a tenth of a second, and few ask for `sql`
    from sqlglot.errors import SqlglotError

    try:
        statements = sqlglot.parse(text, read="tsql")
    except SqlglotError as error:
        raise bad_query(f"Incorrect syntax: {str(error).splitlines()[0][:100]}") from None
    except RecursionError:
        raise too_deep() from None
    if len(statements) != 1 or statements[0] is None or statements[0].key != "select":
        raise bad_query("One SELECT is expected.")
    return _Reading(environment, text).select(statements[0])


class _Reading:
    def __init__(self, environment: Environment, text: str) -> None:
        self.environment, self.text = environment, text
        self.elements: dict[str, Element] = {}

    def select(self, node: exp.Expr) -> Fetch:
        _only(node, "expressions", "from_", "joins", "where", "group", "order", "limit", "offset", "distinct")
        args = node.args
        if args.get("from_") is None:
            raise bad_query("Incorrect syntax: a FROM is expected.")
        root = self._table(args["from_"], "")
        for join in args.get("joins") or ():
            self._join(join)
        if (where := args.get("where")) is not None:
            root.filters.append(Filter(False, [self._condition(where.this, 0)]))
        grouped: list[tuple[Element, Column]] = []
        if (group := args.get("group")) is not None:
            _only(group, "expressions")
            grouped = [self._resolved(each) for each in group.expressions]
        aggregated = bool(grouped) or any(each.unalias().key in _AGGREGATES for each in node.expressions)
        for each in node.expressions:
            self._choose(each, grouped, aggregated)
        distinct = args.get("distinct")
        if distinct is not None:
            _only(distinct)
        fetch = Fetch(root, distinct=distinct is not None and not aggregated, aggregate=aggregated, raw_order=True, nulls=True)
        if (order := args.get("order")) is not None:
            self._order(fetch, order)
        self._limit(fetch, args.get("limit"), args.get("offset"))
        return fetch

    # -- tables and columns ----------------------------------------------------------------------------------

    def _table(self, clause: exp.Expr, name: str) -> Element:
        node = clause.this
        if node.key != "table":
            raise _unsupported(node)
        _only(node, "this", "alias")
        table = entity(self.environment, node.name.lower())
        alias = node.alias.lower() or table.name
        if alias in self.elements:
            raise bad_query(f"The alias '{alias}' is used more than once.")
        self.elements[alias] = element = Element(table, name and alias, f"f{len(self.elements)}")
        return element

    def _join(self, node: exp.Expr) -> None:
        """Read `JOIN table ON one.column = other.column`, in either order, and conditions after it."""
        _only(node, "this", "side", "kind", "on")
        kind = _JOINS.get(" ".join(filter(None, (node.args.get("side"), node.args.get("kind")))))
        on = node.args.get("on")
        if kind is None or on is None:
            raise bad_query("This kind of join is not supported.")
        element = self._table(node, "linked")
        first, *more = on.flatten(unnest=False) if on.key == "and" else (on,)
        if first.key != "eq":
            raise _unsupported(first)
        left, right = self._resolved(first.this), self._resolved(first.expression)
        if left[0] is element:
            left, right = right, left
        if right[0] is not element or left[0] is element:
            raise bad_query("A join needs a column of the joined table and one of a table before it.")
        left[0].links.append(Link(element, right[1], left[1], kind))
        if more:
            element.filters.append(Filter(False, [self._condition(each, 0) for each in more]))

    def _resolved(self, node: exp.Expr) -> tuple[Element, Column]:
        if node.key != "column":
            raise _unsupported(node)
        _only(node, "this", "table")
        alias, name = node.args["table"].name.lower() if node.args.get("table") else "", node.name.lower()
        if alias:
            if alias not in self.elements:
                raise bad_query(f"The multi-part identifier '{alias}.{name}' could not be bound.")
            return self.elements[alias], attribute(self.elements[alias].table, name)
        holders = [element for element in self.elements.values() if name in element.table.columns]
        if len(holders) > 1:
            raise bad_query(f"Ambiguous column name '{name}'.")
        element = holders[0] if holders else next(iter(self.elements.values()))
        return element, attribute(element.table, name)

    # -- conditions ------------------------------------------------------------------------------------------

    def _condition(self, node: exp.Expr, depth: int) -> Filter | Comparison:
        if depth > MAX_DEPTH:
            raise too_deep()
        if node.key in ("and", "or"):
            return Filter(node.key == "or", [self._condition(each, depth + 1) for each in node.flatten(unnest=False)])
        if node.key == "paren":
            return self._condition(node.this, depth + 1)
        negated = node.key == "not"
        if negated:
            node = node.this
        found = self._comparison(node)
        if negated or node.args.get("negate"):
            if found.operator not in _NEGATED or (negated and node.args.get("negate")):
                raise _unsupported(node)
            found = replace(found, operator=_NEGATED[found.operator])
        return found

    def _comparison(self, node: exp.Expr) -> Comparison:
        if node.key not in {*_COMPARISONS, *_NEGATED, "is"}:
            raise _unsupported(node)
        element, column = self._resolved(node.this)
        bare = Comparison(column.name, node.key, of=element.name)
        if node.key == "is" and node.expression.key == "null":
            return replace(bare, operator="null")
        if node.key == "like":
            return replace(bare, values=(_value(node.expression),))
        if node.key == "between":
            _only(node, "this", "low", "high")
            return replace(bare, values=(_value(node.args["low"]), _value(node.args["high"])))
        if node.key == "in":
            _only(node, "this", "expressions")
            return replace(bare, values=tuple(map(_value, node.expressions)))
        if node.key not in _COMPARISONS:
            raise _unsupported(node)
        bare = replace(bare, operator=_COMPARISONS[node.key])
        if node.expression.key == "column":
            other, compared = self._resolved(node.expression)
            return replace(bare, column=f"{other.name or other.table.name}.{compared.name}")
        return replace(bare, values=(_value(node.expression),))

    # -- what is given, and in which order -------------------------------------------------------------------

    def _choose(self, item: exp.Expr, grouped: list[tuple[Element, Column]], aggregate: bool) -> None:
        node, alias, function, distinct = item.unalias(), item.alias.lower(), "", False
        if alias and _AS.search(self.text, _end(node), int(item.args["alias"].meta["start"])) is None:
            raise bad_query(f"Incorrect syntax near '{alias[:40]}'.")
        if node.key == "star":
            raise bad_query("SELECT * is not supported. Specify column names explicitly.")
        if node.key in _AGGREGATES:
            _only(node, "this", "big_int")
            function, node = node.key, node.this
            if distinct := node.key == "distinct" and len(node.expressions) == 1:
                node = node.expressions[0]
        if node.key == "star" and function == "count":
            element = next(iter(self.elements.values()))
            chosen = Chosen(element.table.columns[element.table.key], alias or "count", "count")
        else:
            element, column = self._resolved(node)
            if function:
                chosen = Chosen(column, alias or f"{function}_{column.name}", _AGGREGATES[function], distinct)
            elif not aggregate:
                chosen = Chosen(column, alias)
            elif (element, column) in grouped:
                chosen = Chosen(column, alias or column.wire, grouped=True)
            else:
                raise bad_query(f"Column '{column.name}' is invalid in the select list because it is not in the GROUP BY clause.")
        key = chosen.key or chosen.column.wire
        if any(key == (other.key or other.column.wire) for each in self.elements.values() for other in each.chosen):
            raise bad_query(f"The column '{key}' is selected more than once: give one an alias.")
        element.chosen.append(chosen)

    def _order(self, fetch: Fetch, order: exp.Expr) -> None:
        chosen = [(element, each) for element in self.elements.values() for each in element.chosen]
        for ordered in order.expressions:
            node, descending = ordered.this, bool(ordered.args.get("desc"))
            bare = node.name.lower() if node.key == "column" and not node.args.get("table") else ""
            named = next(((element, each) for element, each in chosen if bare and each.key == bare), None)
            element, column = (named[0], named[1].column) if named else self._resolved(node)
            if not fetch.aggregate:
                fetch.root.orders.append(Order(column.name, "", descending, element.name))
                continue
            grouped = next((each for of, each in chosen if of is element and each.column is column and each.grouped), None)
            found = named[1] if named else grouped
            if found is None:
                raise bad_query(f"Column '{column.name}' is invalid in the ORDER BY clause because it is not in the GROUP BY clause.")
            fetch.root.orders.append(Order("", found.key, descending))

    def _limit(self, fetch: Fetch, limit: exp.Expr | None, offset: exp.Expr | None) -> None:
        """Take `TOP n`, or `OFFSET n ROWS` with or without `FETCH NEXT n ROWS ONLY`."""
        if offset is not None:
            if not fetch.root.orders:
                raise bad_query("OFFSET needs an ORDER BY, and does not go with TOP.")
            fetch.skip = _whole(offset.expression)
        if limit is None:
            return
        options = limit.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise bad_query("PERCENT and WITH TIES are not supported.")
        if limit.key == "fetch":
            fetch.top = min(_whole(limit.args["count"]), MAX_PAGE)
        else:
            fetch.top = _whole(limit.expression)
            if fetch.top > MAX_PAGE:
                raise bad_query(f"TOP takes a number from 0 to {MAX_PAGE}.")


def _value(node: exp.Expr) -> str:
    if node.key == "neg" and node.this.key == "literal" and not node.this.is_string:
        return f"-{node.this.name}"
    if node.key not in ("literal", "national"):
        raise _unsupported(node)
    return str(node.name)


def _whole(node: exp.Expr) -> int:
    if node.key != "literal" or node.args.get("is_string") or not node.name.isdigit() or len(node.name) > 9:
        raise bad_query(f"A whole number is expected, not '{node.name[:20]}'.")
    return int(node.name)


def _only(node: exp.Expr, *names: str) -> None:
    """Refuse a part of the statement that has more than these."""
    for name, value in node.args.items():
        if value and name not in names:
            raise bad_query(f"'{name.upper()}' of {node.key.upper()} is not supported.")


def _unsupported(node: exp.Expr) -> WebApiError:
    return bad_query("Subqueries are not supported." if node.key == "subquery" else f"'{node.key.upper()}' is not supported here.")


def _end(node: exp.Expr) -> int:
    """Return where a part of the statement ends, of which the library knows the words only."""
    return max((each.meta["end"] + 1 for each in node.walk() if "end" in each.meta), default=0)
