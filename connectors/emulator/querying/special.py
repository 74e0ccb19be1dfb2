"""Reads of a set that are not ordinary `$filter` queries: which option or preference requests each."""

from collections.abc import Callable

from connectors.emulator.querying.aggregates import aggregate
from connectors.emulator.querying.changes import TRACKING_COOKIE, changed
from connectors.emulator.querying.fetchxml import fetch
from connectors.emulator.querying.pages import Among, Reader, Within
from connectors.emulator.querying.saved_queries import run_saved
from connectors.emulator.querying.sql_queries import select_sql
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.schema.environment import Table

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
