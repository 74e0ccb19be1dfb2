"""Reading rows: one by key, many by query, page after page, and counts. A paging cookie that was not given
out (storage/tables.py) is refused here."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.emulator.querying import cookies
from connectors.emulator.querying.conditions import Condition
from connectors.emulator.querying.filters import FilterCompiler
from connectors.emulator.querying.query import Query, parse_query, refuse_options
from connectors.emulator.querying.rows import ROW, RowWriter, Shape, order_terms
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.preferences import COUNT, MAX_PAGE
from connectors.emulator.schema.environment import Column, Navigation, Relationship, Table
from connectors.emulator.schema.many_to_many import Peers
from connectors.emulator.security.admission import Gate
from connectors.emulator.storage import sql
from connectors.emulator.storage.pairs import paired
from connectors.emulator.storage.tables import Tables

MAX_COUNT = 5_000
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Within:
    """The rows of a collection navigation property: children of one parent."""

    relation: Relationship
    parent_id: str

    def condition(self, table: Table, alias: str = ROW) -> Condition:
        column = table.columns[self.relation.column]
        text = f"{sql.dotted(alias, column.name)} = ?"
        if column.polymorphic:
            text += f" AND {sql.dotted(alias, column.type_column)} = {sql.text(self.relation.parent)}"
        return text, (self.parent_id,)


@dataclass(frozen=True)
class Among:
    """The rows of a collection navigation property of an N:N relationship: the peers of one row."""

    peers: Peers
    near_id: str

    def condition(self, table: Table, alias: str = ROW) -> Condition:
        return paired(self.peers, "?", sql.dotted(alias, table.key)), (self.near_id,)


class Reader:
    """Answers GET on rows."""

    def __init__(self, tables: Tables, gate: Gate) -> None:
        self.tables = tables
        self.environment = tables.environment
        self.gate = gate

    def compiler(self, operation: Operation, aliases: dict[str, str]) -> FilterCompiler:
        return FilterCompiler(self.environment, self.tables.clock.now, operation.user, aliases, self.gate.sight(operation))

    # -- one row ---------------------------------------------------------------------------------------------

    def row(self, operation: Operation, table: Table, row_id: str) -> bytes | None:
        """Return one row as a document with its context, or None."""
        query = parse_query(self.environment, table, operation.address.options)
        compiler = self.compiler(operation, query.aliases)
        writer = RowWriter(self.environment, operation.preferences, compiler, operation.root)
        tokens = self._page_collections(writer, query)
        text = self._written(writer.shape(query), table, row_id)
        if text is None:
            return None
        self._remember(tokens)
        context = f'{{"@odata.context":{json.dumps(operation.root + "$metadata#" + table.set_name + query.shape + "/$entity")},'
        return (context + text[1:]).encode()

    def _written(self, shape: Shape, table: Table, row_id: str) -> str | None:
        statement = sql.select(shape.expressions, f"{sql.name(table.name)} {ROW}", [f"{sql.dotted(ROW, table.key)} = ?"])
        found = self.tables.connection.execute(statement, (*shape.values, row_id)).fetchone()
        return None if found is None else shape.template % found

    def property(self, operation: Operation, table: Table, row_id: str, column: Column) -> Answer:
        """Return one column as `{"value": …}`; null is 204."""
        refuse_options(operation.address.options, set())
        query = Query(table, [column])
        writer = RowWriter(self.environment, operation.preferences, self.compiler(operation, {}), operation.root)
        text = self._written(writer.shape(query), table, row_id)
        assert text is not None  # whoever asks has found the row
        document = json.loads(text)
        value = document.pop(column.wire)
        if value is None:
            return Answer(204)
        notes = {key.removeprefix(column.wire): text for key, text in document.items() if key != "@odata.etag"}
        context = f"{operation.root}$metadata#{table.set_name}({row_id})/{column.wire}"
        return Answer(200, msgspec.json.encode({"@odata.context": context, **notes, "value": value}))

    def _page_collections(self, writer: RowWriter, query: Query) -> list[str]:
        """Provide SQL with the function that makes page tokens, and return the list of those it made. With
        nested expands, collections come in pages."""
        made: list[str] = []

        def child_token(key: str, first: str, last: str) -> str:
            made.append(cookies.encode(1, [key], [first], [last], writer.page_size))
            return cookies.in_link(made[-1])

        if query.nested:
            writer.paged = True
            self.tables.connection.create_function("child_token", 3, child_token)
        return made

    def _remember(self, tokens: list[str]) -> None:
        for token in tokens:
            self.tables.cookies.remember(cookies.digest(token))

    # -- many rows -------------------------------------------------------------------------------------------

    def page(self, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
        """Return one page of a query, with the link to the next."""
        query = parse_query(self.environment, table, operation.address.options)
        compiler = self.compiler(operation, query.aliases)
        writer = RowWriter(self.environment, operation.preferences, compiler, operation.root)
        tokens = self._page_collections(writer, query)
        writer.links_only = self.tables.switches.collection_links_only and not query.nested
        shape = writer.shape(query)
        where, values = matching = self._where(compiler, query, within)

        expressions = [compiler.column(table, ROW, path).expression for path, _ in query.order] + [sql.dotted(ROW, table.key)]
        descending = [down for _, down in query.order] + [False]
        names = [path[-1] for path, _ in query.order] + [table.key]
        number = 1
        if query.skiptoken is not None:
            number, last = self._resume(query.skiptoken, names)
            condition, bound = cookies.after(expressions, descending, last)
            where, values = [*where, f"({condition})"], [*values, *bound]

        preferred = operation.preferences.page_size
        limit = preferred or MAX_PAGE
        paged = preferred > 0 or query.top is None
        if not paged:
            limit = min(query.top or 0, MAX_PAGE)
        asked = limit + 1 if paged else limit
        # the order columns are selected last; `%.0s` consumes them without a trace
        statement = sql.select(
            [*shape.expressions, *expressions],
            f"{sql.name(table.name)} {ROW}",
            where,
            order_terms(compiler, query, ROW),
            asked,
        )
        found = self.tables.connection.execute(statement, (*shape.values, *values)).fetchall()
        is_whole = query.skiptoken is None and len(found) < asked  # and has counted itself
        count = 0 if not query.count else len(found) if is_whole else self._count(table, *matching)
        more = paged and len(found) > limit
        if more:
            del found[limit:]
        self._remember(tokens)
        document = [f'{{"@odata.context":{json.dumps(operation.root + "$metadata#" + table.set_name + query.shape)}']
        document += self._counts(operation, query, count)
        template = shape.template + "%.0s" * len(expressions)
        rows = operation.alter([template % row for row in found])
        document.append(f',"value":[{",".join(rows)}]')
        if more:
            width = len(expressions)
            token = cookies.encode(number, names, found[0][-width:], found[-1][-width:])
            self.tables.cookies.remember(cookies.digest(token))
            document.append(f',"@odata.nextLink":{json.dumps(cookies.next_link(operation, token))}')
        document.append("}")
        return Answer(200, "".join(document).encode())

    def _where(self, compiler: FilterCompiler, query: Query, within: Within | Among | None) -> tuple[list[str], list[Any]]:
        where: list[str] = []
        values: list[Any] = []
        if within is not None:
            condition, bound = within.condition(query.table)
            where.append(condition)
            values += bound
        where += compiler.visible(query.table, ROW)
        if query.filter is not None:
            condition, bound = compiler.compile(query.filter, query.table, ROW)
            where.append(f"({condition})")
            values += bound
        return where, values

    def _resume(self, token: str, names: list[str]) -> tuple[int, list[str | None]]:
        if not self.tables.cookies.knows(cookies.digest(token)):
            raise cookies.malformed()
        return cookies.decode(token, names)

    def _counts(self, operation: Operation, query: Query, number: int) -> list[str]:
        """Return the number of rows as `@odata.count` where requested, and the annotations that show whether
        it was cut off."""
        annotated = operation.preferences.wants(COUNT)
        if not query.count:
            return [f',"@{COUNT}":-1,"@{COUNT}limitexceeded":false'] if annotated else []
        return [f',"@odata.count":{min(number, MAX_COUNT)}', counted(number) if annotated else ""]

    def _count(self, table: Table, where: list[str], values: list[Any], limit: int | None = MAX_COUNT + 1) -> int:
        """Return the count up to a limit, which is one past what an answer states."""
        inner = sql.select(["1"], f"{sql.name(table.name)} {ROW}", where, limit=limit)
        return int(self.tables.connection.execute(sql.select(["count(*)"], f"({inner})"), values).fetchone()[0])

    def count(self, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
        """Answer `/$count`: digits after a byte order mark, capped as the other count is unless a switch says
        otherwise."""
        refuse_options(operation.address.options, {"$filter"})
        query = parse_query(self.environment, table, operation.address.options)
        compiler = self.compiler(operation, query.aliases)
        most = MAX_COUNT if self.tables.switches.count_capped else None
        number = self._count(table, *self._where(compiler, query, within), limit=most)
        return Answer(200, BOM + str(number).encode(), content_type="text/plain")

    # -- references ------------------------------------------------------------------------------------------

    def reference(self, operation: Operation, table: Table, row_id: str, navigation: Navigation) -> Answer:
        """Answer `GET …/lookup/$ref`."""
        target_id = self.looked_up(table, row_id, navigation)
        if target_id is None:
            return Answer(204)
        target = self.environment.tables[navigation.target]
        document = {"@odata.context": f"{operation.root}$metadata#$ref", "@odata.id": f"{operation.root}{target.set_name}({target_id})"}
        return Answer(200, msgspec.json.encode(document))

    def references(self, operation: Operation, table: Table, within: Within | Among) -> Answer:
        """Answer `GET …/collection/$ref`."""
        refuse_options(operation.address.options, set())
        condition, bound = within.condition(table)
        key = sql.dotted(ROW, table.key)
        where = [condition, *self.gate.sight(operation).rows(table, ROW)]
        statement = sql.select([key], f"{sql.name(table.name)} {ROW}", where, [key], MAX_PAGE)
        ids = [row[0] for row in self.tables.connection.execute(statement, bound)]
        value = [{"@odata.id": f"{operation.root}{table.set_name}({row_id})"} for row_id in ids]
        return Answer(200, msgspec.json.encode({"@odata.context": f"{operation.root}$metadata#Collection($ref)", "value": value}))

    def looked_up(self, table: Table, row_id: str, navigation: Navigation) -> str | None:
        """Return the id that a lookup holds, if it points to the navigation property's table."""
        column = navigation.column
        wanted = [column.name] + ([column.type_column] if column.polymorphic else [])
        stored = self.tables.stored(table, row_id, wanted)
        if stored is None or stored[column.name] is None:
            return None
        if column.polymorphic and column.name != "ownerid" and stored[column.type_column] != navigation.target:
            return None
        return str(stored[column.name])


def counted(number: int) -> str:
    """Return the annotations for a number of rows, and whether it was cut off."""
    return f',"@{COUNT}":{min(number, MAX_COUNT)},"@{COUNT}limitexceeded":{str(number > MAX_COUNT).lower()}'
