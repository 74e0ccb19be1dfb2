"""The SELECT that the `sql` option takes, read into the same query that FetchXML is read into.

The grammar is what the vendor's Python client documents: one table or simple joins, WHERE, GROUP BY with
aggregates, ORDER BY, TOP or OFFSET. Names are checked against the schema and values are bound, so no text of
the caller reaches the database."""

import re
from dataclasses import replace

from connectors.emulator.errors import WebApiError, bad_query
from connectors.emulator.querying.criteria import attribute, entity
from connectors.emulator.querying.fetch_query import MAX_DEPTH, MAX_PAGE, Chosen, Comparison, Element, Fetch, Filter, Link, Order, too_deep
from connectors.emulator.schema.environment import Column, Environment

_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<text>[Nn]?'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*|\[\w+\])"
    r"|(?P<sign><>|!=|<=|>=|[=<>(),.*])",
    re.DOTALL,
)
_REFUSED = {"having", "union", "with", "right", "full", "cross", "case", "coalesce", "over", "exists", "percent"}
_REFUSED |= {"insert", "update", "delete"}
_RESERVED = {"select", "from", "where", "join", "inner", "left", "on", "order", "group", "by", "offset"}
_RESERVED |= {"and", "or", "not", "as", "asc", "desc"}
_COMPARISONS = {"=": "eq", "<>": "ne", "!=": "ne", ">": "gt", ">=": "ge", "<": "lt", "<=": "le"}
_AGGREGATES = {"count": "countcolumn", "sum": "sum", "avg": "avg", "min": "min", "max": "max"}

Token = tuple[str, str]  # kind and text; names are lower case
Reference = tuple[str, str]  # alias, or "" for none, and column


def read_sql(environment: Environment, text: str) -> Fetch:
    """Read one SELECT. Raises WebApiError: 400 for anything outside the grammar, and for tables and columns
    that do not exist."""
    return _Parser(environment, _tokens(text)).select()


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise bad_query(f"Incorrect syntax near '{text[position : position + 20]}'.")
        kind, word = str(match.lastgroup), match.group()
        if kind == "name":
            word = word.strip("[]").lower()
            if word in _REFUSED and not match.group().startswith("["):
                raise bad_query(f"'{word.upper()}' is not supported.")
        if kind == "text":
            word = word[word.index("'") + 1 : -1].replace("''", "'")
        if kind != "space":
            found.append((kind, word))
        position = match.end()
    return found


class _Parser:
    def __init__(self, environment: Environment, tokens: list[Token]) -> None:
        self.environment, self.tokens = environment, tokens
        self.position = 0
        self.elements: dict[str, Element] = {}
        self.depth = 0

    # -- tokens ----------------------------------------------------------------------------------------------

    def _peek(self) -> Token:
        return self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")

    def _next(self) -> Token:
        token = self._peek()
        self.position += 1
        return token

    def _takes(self, *words: str) -> bool:
        """Skip these words if they are next; return whether they were."""
        ahead = [token for token in self.tokens[self.position : self.position + len(words)] if token[0] in ("name", "sign")]
        if [word for _, word in ahead] != list(words):
            return False
        self.position += len(words)
        return True

    def _need(self, *words: str) -> None:
        if not self._takes(*words):
            raise self._unexpected()

    def _unexpected(self) -> WebApiError:
        word = self._peek()[1] or "the end"
        if word == "select":
            return bad_query("Subqueries are not supported.")
        return bad_query(f"Incorrect syntax near '{word[:40]}'.")

    def _name(self) -> str:
        kind, word = self._peek()
        if kind != "name" or word in _RESERVED:
            raise self._unexpected()
        self.position += 1
        return word

    def _whole(self) -> int:
        kind, word = self._next()
        if kind != "number" or not word.isdigit() or len(word) > 9:
            raise bad_query(f"A whole number is expected, not '{word[:20]}'.")
        return int(word)

    # -- the statement ---------------------------------------------------------------------------------------

    def select(self) -> Fetch:
        self._need("select")
        distinct = self._takes("distinct")
        top = self._whole() if self._takes("top") else None
        if top is not None and top > MAX_PAGE:
            raise bad_query(f"TOP takes a number from 0 to {MAX_PAGE}.")
        items = [self._item()]
        while self._takes(","):
            items.append(self._item())
        self._need("from")
        root = self._table("")
        while link_kind := self._join_kind():
            self._join(link_kind)
        if self._takes("where"):
            root.filters.append(self._either())
        grouped = [self._resolved(reference) for reference in self._list("group")]
        aggregated = bool(grouped) or any(function for function, *_ in items)
        for function, distinct_values, reference, alias in items:
            self._choose(function, distinct_values, reference, alias, grouped, aggregate=aggregated)
        fetch = Fetch(root, top=top, distinct=distinct and not aggregated, aggregate=aggregated, raw_order=True, nulls=True)
        self._order(fetch)
        self._offset(fetch)
        if self._peek()[0] != "end":
            raise self._unexpected()
        return fetch

    def _item(self) -> tuple[str, bool, Reference, str]:
        """Return a column or an aggregate of one: function, whether distinct, column, and its alias."""
        if self._peek()[1] == "*":
            raise bad_query("SELECT * is not supported. Specify column names explicitly.")
        function, distinct = "", False
        follows = self.tokens[self.position + 1 : self.position + 2] == [("sign", "(")]
        if follows and self._peek()[1] in _AGGREGATES:
            function = self._name()
            self._need("(")
            distinct = self._takes("distinct")
            reference = ("", "*") if function == "count" and self._takes("*") else self._reference()
            self._need(")")
        else:
            reference = self._reference()
        alias = self._name() if self._takes("as") else ""
        return function, distinct, reference, alias

    def _reference(self) -> Reference:
        first = self._name()
        return (first, self._name()) if self._takes(".") else ("", first)

    def _table(self, name: str) -> Element:
        table = entity(self.environment, self._name())
        explicit = self._takes("as")
        kind, word = self._peek()
        alias = self._name() if explicit or (kind == "name" and word not in _RESERVED) else table.name
        if alias in self.elements:
            raise bad_query(f"The alias '{alias}' is used more than once.")
        element = Element(table, name and alias, f"f{len(self.elements)}")
        self.elements[alias] = element
        return element

    def _join_kind(self) -> str:
        if self._takes("join") or self._takes("inner", "join"):
            return "inner"
        return "outer" if self._takes("left", "join") or self._takes("left", "outer", "join") else ""

    def _join(self, kind: str) -> None:
        """Read `JOIN table ON one.column = other.column`, in either order, and conditions after it."""
        element = self._table("linked")
        self._need("on")
        left = self._resolved(self._reference())
        self._need("=")
        right = self._resolved(self._reference())
        if left[0] is element:
            left, right = right, left
        if right[0] is not element or left[0] is element:
            raise bad_query("A join needs a column of the joined table and one of a table before it.")
        left[0].links.append(Link(element, right[1], left[1], kind))
        if self._takes("and"):
            element.filters.append(self._both())

    def _resolved(self, reference: Reference) -> tuple[Element, Column]:
        alias, name = reference
        if alias:
            if alias not in self.elements:
                raise bad_query(f"The multi-part identifier '{alias}.{name}' could not be bound.")
            return self.elements[alias], attribute(self.elements[alias].table, name)
        holders = [element for element in self.elements.values() if name in element.table.columns]
        if len(holders) > 1:
            raise bad_query(f"Ambiguous column name '{name}'.")
        element = holders[0] if holders else next(iter(self.elements.values()))
        return element, attribute(element.table, name)

    def _list(self, word: str) -> list[Reference]:
        if not self._takes(word, "by"):
            return []
        found = [self._reference()]
        while self._takes(","):
            found.append(self._reference())
        return found

    # -- conditions ------------------------------------------------------------------------------------------

    def _either(self) -> Filter:
        found = Filter(True, [self._both()])
        while self._takes("or"):
            found.parts.append(self._both())
        return found

    def _both(self) -> Filter:
        found = Filter(False, [self._single()])
        while self._takes("and"):
            found.parts.append(self._single())
        return found

    def _single(self) -> Filter | Comparison:
        if self._takes("("):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise too_deep()
            inside = self._either()
            self._need(")")
            self.depth -= 1
            return inside
        element, column = self._resolved(self._reference())
        bare = Comparison(column.name, "", of=element.name)
        if self._takes("is", "null"):
            return replace(bare, operator="null")
        if self._takes("is", "not", "null"):
            return replace(bare, operator="not-null")
        negation = "not-" if self._takes("not") else ""
        if self._takes("like"):
            return replace(bare, operator=negation + "like", values=(self._value(),))
        if self._takes("between"):
            low = self._value()
            self._need("and")
            return replace(bare, operator=negation + "between", values=(low, self._value()))
        if self._takes("in", "("):
            values = [self._value()]
            while self._takes(","):
                values.append(self._value())
            self._need(")")
            return replace(bare, operator=negation + "in", values=tuple(values))
        operator = _COMPARISONS.get(self._peek()[1]) if self._peek()[0] == "sign" else None
        if operator is None or negation:
            raise self._unexpected()
        self.position += 1
        if self._peek()[0] == "name":
            other, compared = self._resolved(self._reference())
            return replace(bare, operator=operator, column=f"{other.name or other.table.name}.{compared.name}")
        return replace(bare, operator=operator, values=(self._value(),))

    def _value(self) -> str:
        kind, word = self._peek()
        if kind not in ("text", "number"):
            raise self._unexpected()
        self.position += 1
        return word

    # -- what is given, and in which order -------------------------------------------------------------------

    def _choose(
        self, function: str, distinct: bool, reference: Reference, alias: str, grouped: list[tuple[Element, Column]], *, aggregate: bool
    ) -> None:
        if reference[1] == "*":
            element = next(iter(self.elements.values()))
            column = element.table.columns[element.table.key]
            chosen = Chosen(column, alias or "count", "count")
        else:
            element, column = self._resolved(reference)
            if function:
                chosen = Chosen(column, alias or f"{function}_{column.name}", _AGGREGATES[function], distinct)
            elif not aggregate:
                chosen = Chosen(column, alias)
            elif (element, column) in grouped:
                chosen = Chosen(column, alias or column.wire, grouped=True)
            else:
                raise bad_query(f"Column '{column.name}' is invalid in the select list because it is not in the GROUP BY clause.")
        key = chosen.key or column.wire
        if any(key == (other.key or other.column.wire) for each in self.elements.values() for other in each.chosen):
            raise bad_query(f"The column '{key}' is selected more than once: give one an alias.")
        element.chosen.append(chosen)

    def _order(self, fetch: Fetch) -> None:
        chosen = [(element, each) for element in self.elements.values() for each in element.chosen]
        for (alias, name), descending in self._ordered():
            named = next(((element, each) for element, each in chosen if not alias and each.key == name), None)
            element, column = (named[0], named[1].column) if named else self._resolved((alias, name))
            if not fetch.aggregate:
                fetch.root.orders.append(Order(column.name, "", descending, element.name))
                continue
            grouped = next((each for of, each in chosen if of is element and each.column is column and each.grouped), None)
            found = named[1] if named else grouped
            if found is None:
                raise bad_query(f"Column '{name}' is invalid in the ORDER BY clause because it is not in the GROUP BY clause.")
            fetch.root.orders.append(Order("", found.key, descending))

    def _ordered(self) -> list[tuple[Reference, bool]]:
        if not self._takes("order", "by"):
            return []
        found: list[tuple[Reference, bool]] = []
        while not found or self._takes(","):
            reference = self._reference()
            descending = self._takes("desc")
            if not descending:
                self._takes("asc")
            found.append((reference, descending))
        return found

    def _offset(self, fetch: Fetch) -> None:
        if not self._takes("offset"):
            return
        if fetch.top is not None or not fetch.root.orders:
            raise bad_query("OFFSET needs an ORDER BY, and does not go with TOP.")
        fetch.skip = self._whole()
        if not self._takes("rows"):
            self._need("row")
        if self._takes("fetch"):
            if not self._takes("next"):
                self._need("first")
            fetch.top = min(self._whole(), MAX_PAGE)
            if not self._takes("rows"):
                self._need("row")
            self._need("only")
