"""`fetchXml=`: a query as XML. Rows, pages by a cookie, and aggregates."""

import json
from typing import Any

from connectors.emulator.errors import WebApiError
from connectors.emulator.querying import cookies
from connectors.emulator.querying.aggregates import MAX_AGGREGATED, too_many_to_aggregate
from connectors.emulator.querying.fetchxml.columns import aggregate_columns, row_columns
from connectors.emulator.querying.fetchxml.query import Fetch, read_fetch
from connectors.emulator.querying.fetchxml.statement import Statement
from connectors.emulator.querying.filters import FilterCompiler
from connectors.emulator.querying.pages import MAX_COUNT, Among, Reader, Within, counted
from connectors.emulator.querying.query import refuse_options
from connectors.emulator.querying.rows import RowWriter
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.preferences import COUNT, MAX_PAGE
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage import sql

MAX_SIMPLE_PAGING = 50_000  # Microsoft Learn, "Page results using FetchXml"
COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "Microsoft.Dynamics.CRM.morerecords"
_ENTITIES_DIFFER = "0x80041128"


def fetch(reader: Reader, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
    refuse_options(operation.address.options, {"fetchXml"})
    return run(reader, operation, table, read_fetch(reader.environment, operation.address.option("fetchXml") or ""), within)


def run(
    reader: Reader, operation: Operation, table: Table, wanted: Fetch, within: Within | Among | None = None, *, linked: bool = False
) -> Answer:
    """Return the rows of a query; `linked` pages carry a nextLink, where the caller has no XML to put a
    cookie into. Raises WebApiError: 400 when it asks for rows of another table."""
    if wanted.root.table is not table:
        message = f"The entity of the query, '{wanted.root.table.name}', is not that of the entity set '{table.set_name}'."
        raise WebApiError(400, _ENTITIES_DIFFER, message)
    return _Run(reader, operation, wanted, within, linked=linked).answer()


class _Run:
    def __init__(self, reader: Reader, operation: Operation, wanted: Fetch, within: Within | Among | None, *, linked: bool) -> None:
        self.reader, self.operation, self.wanted, self.linked = reader, operation, wanted, linked
        sight = reader.gate.sight(operation)
        self.statement = Statement(reader.environment, wanted, reader.tables.clock.now(), operation.user, sight)
        if within is not None:
            text, values = within.condition(wanted.root.table, wanted.root.sql)
            self.statement.where.append(text)
            self.statement.where_values += values
        compiler = FilterCompiler(reader.environment, reader.tables.clock.now, operation.user, sight=sight)
        self.writer = RowWriter(reader.environment, operation.preferences, compiler, operation.root)

    def answer(self) -> Answer:
        context = self.operation.root + "$metadata#" + self.wanted.root.table.set_name + self._shape()
        document = [f'{{"@odata.context":{json.dumps(context)}', *self._total()]
        document += self._aggregates() if self.wanted.aggregate else self._rows()
        return Answer(200, ("".join(document) + "}").encode())

    def _shape(self) -> str:
        if self.wanted.aggregate or self.wanted.root.everything or not self.wanted.root.chosen:
            return ""
        return "(" + ",".join(chosen.key or chosen.column.wire for chosen in self.wanted.root.chosen) + ")"

    def _total(self) -> list[str]:
        """Return how many rows there are in all, up to a limit; only annotations state it."""
        if not self.wanted.total or not self.operation.preferences.wants(COUNT):
            return []
        return [counted(self._count(MAX_COUNT + 1))]

    def _count(self, limit: int) -> int:
        inner = sql.select(["1"], self.statement.source, self.statement.where, limit=limit)
        return int(self._execute(sql.select(["count(*)"], f"({inner})"), self.statement.values)[0][0])

    def _execute(self, statement: str, values: list[Any]) -> list[Any]:
        return self.reader.tables.connection.execute(statement, values).fetchall()

    # -- aggregates ------------------------------------------------------------------------------------------

    def _aggregates(self) -> list[str]:
        if self._count(MAX_AGGREGATED + 1) > MAX_AGGREGATED:
            raise too_many_to_aggregate()
        columns = aggregate_columns(self.writer, self.wanted)
        order = [columns.by_key[o.alias] + (" DESC" if o.descending else "") for e in self.wanted.root.family() for o in e.orders]
        text = sql.select(columns.texts, self.statement.source, self.statement.where)
        if columns.groups:
            text += " GROUP BY " + ", ".join(columns.groups)
        return self._by_number(text, [*order, *columns.groups], len(columns.texts))

    def _by_number(self, text: str, order: list[str], width: int) -> list[str]:
        """Return a page of rows that no key distinguishes."""
        key = [self.wanted.root.table.key]
        resumed = self._resumed(key) if self.linked else None
        page = resumed[0] if resumed else self.wanted.page
        size, skipped = self._size(), self._skipped(page)
        text += self._ordering(order) + f" LIMIT {size + 1} OFFSET {skipped}"
        found = self._execute(text, self.statement.values)
        more = len(found) > size
        token = cookies.encode(page, key, [skipped + 1], [skipped + size]) if more and self.linked else None
        return self._page([row[:width] for row in found[:size]], token, more=more)

    @staticmethod
    def _ordering(terms: list[str]) -> str:
        return " ORDER BY " + ", ".join(terms) if terms else ""

    def _value(self, rows: list[Any]) -> str:
        texts = ["{" + "".join(row).removesuffix(",") + "}" for row in rows]
        return f',"value":[{",".join(self.operation.alter(texts))}]'

    # -- rows ------------------------------------------------------------------------------------------------

    def _size(self) -> int:
        if self.wanted.top is not None:
            return self.wanted.top
        return self.wanted.count or self.operation.preferences.page_size or MAX_PAGE

    def _skipped(self, page: int) -> int:
        """Return how many rows a page number alone skips."""
        skipped = (page - 1) * self._size()
        if page > 1 and skipped + self._size() > MAX_SIMPLE_PAGING and not self.linked:
            raise WebApiError(400, "0x80040203", "Paging cookie is required when trying to retrieve a set of records on any high pages.")
        return self.wanted.skip + skipped

    def _rows(self) -> list[str]:
        wanted, statement = self.wanted, self.statement
        root, size = wanted.root, self._size()
        columns = row_columns(self.writer, wanted)
        order = statement.order()
        terms = [(statement.ordered_by(element, column), down) for element, column, down in order]
        texts = [term + (" DESC" if down else "") for term, down in terms]
        key = sql.dotted(root.sql, root.table.key)
        if wanted.distinct:
            text = sql.select(columns, statement.source, statement.where).replace("SELECT ", "SELECT DISTINCT ", 1)
            return self._by_number(text, texts, len(columns))
        if any(element is not root for element, _, _ in order) or self._multiplied():
            return self._by_number(sql.select(columns, statement.source, statement.where), [*texts, key], len(columns))
        terms.append((key, False))
        names = [column.name for _, column, _ in order] + [root.table.key]
        where, values = list(statement.where), statement.values
        last = self._resumed(names)
        page = last[0] if last else wanted.page
        if last:
            text, bound = cookies.after([text for text, _ in terms], [down for _, down in terms], last[1])
            where, values = [*where, f"({text})"], [*values, *bound]
        skipped = 0 if last else self._skipped(page)
        text = sql.select([*columns, *(term for term, _ in terms)], statement.source, where)
        text += self._ordering([*texts, key]) + f" LIMIT {size + 1} OFFSET {skipped}"
        found = self._execute(text, values)
        more = len(found) > size
        del found[size:]
        token = cookies.encode(page, names, found[0][-len(names) :], found[-1][-len(names) :]) if more and found else None
        return self._page([row[: len(columns)] for row in found], token, more=more)

    def _page(self, rows: list[Any], token: str | None, *, more: bool) -> list[str]:
        """Return the rows, and what leads to the next ones."""
        if self.wanted.top is not None:
            return [self._value(rows)]
        if token is not None:
            self.reader.tables.cookies.remember(cookies.digest(token if self.linked else cookies.inner_of(token)))
        if self.linked:
            link = [] if token is None else [f',"@odata.nextLink":{json.dumps(cookies.next_link(self.operation, token))}']
            return [self._value(rows), *link]
        return [*self._annotations(token, more=more), self._value(rows)]

    def _multiplied(self) -> bool:
        """Return whether a root row may come more than once, so its key does not show where a page ended."""
        return any(not link.own.key for element in self.wanted.root.family() for link in element.links if link.kind in ("inner", "outer"))

    def _resumed(self, names: list[str]) -> tuple[int, list[str | None]] | None:
        """Return the page to return and where the one before it ended, when there is a cookie."""
        token = self.operation.address.option("$skiptoken") if self.linked else None
        given = token or self.wanted.cookie
        if given is None:
            return None
        if not self.reader.tables.cookies.knows(cookies.digest(given)):
            raise cookies.malformed()
        page, last = cookies.decode_inner(cookies.inner_of(given) if token else given, names)
        return page + 1, last

    def _annotations(self, token: str | None, *, more: bool) -> list[str]:
        preferences, found = self.operation.preferences, []
        if token is not None and preferences.wants(COOKIE):
            found.append(f',"@{COOKIE}":{json.dumps(cookies.in_annotation(token))}')
        if more and preferences.wants(MORE):
            found.append(f',"@{MORE}":true')
        return found
