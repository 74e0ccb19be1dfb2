"""Reads of a set that are not ordinary `$filter` queries: which option or preference requests each."""

from collections.abc import Callable

from connectors.emulator.errors import WebApiError, bad_query, no_such_row
from connectors.emulator.querying.aggregates import aggregate
from connectors.emulator.querying.changes import TRACKING_COOKIE, changed
from connectors.emulator.querying.fetchxml.answer import fetch, run
from connectors.emulator.querying.fetchxml.query import read_fetch
from connectors.emulator.querying.pages import Among, Reader, Within
from connectors.emulator.querying.query import refuse_options
from connectors.emulator.querying.sql_text import read_sql
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import guid


def select_sql(reader: Reader, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
    """Return the rows of one SELECT, page after page by nextLink."""
    refuse_options(operation.address.options, {"sql", "$skiptoken"})
    return run(reader, operation, table, read_sql(reader.environment, operation.address.option("sql") or ""), within, linked=True)


_STORED = {"savedQuery": "savedquery", "userQuery": "userquery"}  # the option, and the table that has them


def run_saved(reader: Reader, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
    """Return the rows of a view, page after page by nextLink: the caller has no XML to put a cookie into.
    Source: Microsoft Learn, "Retrieve predefined queries"."""
    name = next(name for name, _ in operation.address.options if name in _STORED)
    refuse_options(operation.address.options, {name, "$skiptoken"})
    given = operation.address.option(name) or ""
    query_id = guid(given.strip("'{}"))
    if query_id is None:
        raise bad_query(f"Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx): '{given[:60]}'.")
    views = reader.environment.tables[_STORED[name]]
    stored = reader.tables.stored(views, query_id, ["fetchxml", "returnedtypecode"])
    if stored is None:
        raise no_such_row(views.name, query_id)
    if stored["returnedtypecode"] != table.name:
        raise WebApiError(400, "0x80041128", f"The query '{query_id}' is not one of the entity '{table.name}'.")
    return run(reader, operation, table, read_fetch(reader.environment, stored["fetchxml"] or ""), within, linked=True)


SpecialRead = Callable[[Reader, Operation, Table, Within | Among | None], Answer]

BY_OPTION: dict[str, SpecialRead] = {
    "fetchXml": fetch,
    "savedQuery": run_saved,
    "userQuery": run_saved,
    "sql": select_sql,
    "$apply": aggregate,
    "$deltatoken": changed,
}


def special_read(operation: Operation) -> SpecialRead | None:
    """Return the handler of a special read, or None for an ordinary query."""
    tracking = TRACKING_COOKIE in (operation.address.option("$skiptoken") or "")
    if tracking or "odata.track-changes" in operation.headers.get("prefer", ""):
        return changed
    return next((BY_OPTION[name] for name, _ in operation.address.options if name in BY_OPTION), None)
