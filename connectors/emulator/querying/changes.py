"""Change tracking: what was changed or deleted since a delta link.

A first read gives the rows page by page, and its last page the delta link. The link stands for the moment at
which the reading *began*, so that a row that changes during paging is given once more rather than lost.
Source: section 9 of the wire reference; Microsoft Learn, "Use change tracking"."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from connectors.emulator.errors import INVALID_ARGUMENT, PARSE, WebApiError, bad_query
from connectors.emulator.querying import cookies
from connectors.emulator.querying.pages import BOM, Among, Reader, Within
from connectors.emulator.querying.query import parse_query, refuse_options
from connectors.emulator.querying.rows import ROW, RowWriter
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.preferences import MAX_PAGE
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.privileges import privilege_name
from connectors.emulator.security.privileges_on_rows import PRIVILEGE_DENIED
from connectors.emulator.storage import sql
from connectors.emulator.storage.remains.tombstones import Tombstones, count_between, deleted_between, tracking_days

REFUSED = ("$filter", "$orderby", "$expand", "$top")
TRACKING_COOKIE = 'istracking="True"'
_TIME = "%m/%d/%Y %H:%M:%S"
_TOKEN = re.compile(r"(\d{1,18})!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")
_COOKIE = re.compile(rf'<cookie pagenumber="(\d{{1,9}})" pagingcookie="([^"<>]*)" {TRACKING_COOKIE} />')
_PLACE = re.compile(r"(-|\d{1,18}) (\d{1,18}!\S+ \S+) (key|row|deleted) (\S+)")


@dataclass(frozen=True)
class Reading:
    """One run through the changes. `after` is None for a first read; `began` is the token of its beginning;
    `last`, where a page ended."""

    after: int | None
    began: str
    page: int = 1
    kind: str = "row"
    last: str = ""

    @property
    def until(self) -> int:
        return int(self.began.partition("!")[0])


def changed(reader: Reader, operation: Operation, table: Table, within: Within | Among | None = None) -> Answer:
    """Return one page of a first read, or of what came after a delta link; only a whole set is tracked."""
    if within is not None:
        raise bad_query("Change tracking is supported on an entity set only.")
    _check(reader, operation, table)
    if "odata.track-changes" in operation.headers.get("prefer", ""):
        operation.preferences.applied.append("odata.track-changes")
    cookie = operation.address.option("$skiptoken")
    reading = _resumed(reader, table, cookie) if cookie is not None else _begun(reader, operation, table)
    options = [option for option in operation.address.options if option[0] not in ("$deltatoken", "$skiptoken")]
    query = parse_query(reader.environment, table, options)
    compiler = reader.compiler(operation, query.aliases)
    shape = RowWriter(reader.environment, operation.preferences, compiler, operation.root).shape(query)
    limit = operation.preferences.page_size or MAX_PAGE

    found: list[Any] = []
    if reading.kind != "deleted":
        order = table.key if reading.after is None else "versionnumber"
        where, values = _window(table, reading)
        columns = [*shape.expressions, sql.dotted(ROW, order)]
        statement = sql.select(columns, f"{sql.name(table.name)} {ROW}", where, [sql.dotted(ROW, order)], limit + 1)
        found = reader.tables.connection.execute(statement, (*shape.values, *values)).fetchall()
    rows = [(shape.template + "%.0s") % row for row in found]
    places = [("key" if reading.after is None else "row", str(row[-1])) for row in found]
    if reading.after is not None and len(rows) <= limit:
        after = int(reading.last) if reading.kind == "deleted" else reading.after
        for row_id, version in deleted_between(reader.tables, table, after, reading.until, limit + 1 - len(rows)):
            rows.append(_deleted(operation, table, row_id))
            places.append(("deleted", str(version)))

    context = operation.root + "$metadata#" + table.set_name + query.shape + ("" if reading.after is None else "/$delta")
    document = [f'{{"@odata.context":{json.dumps(context)}']
    if query.count:
        document.append(f',"@odata.count":{_number(reader, table, reading)}')
    if len(rows) > limit:
        link = _next_link(reader, operation, table, reading, *places[limit - 1])
        document.append(f',"@odata.nextLink":{json.dumps(link)}')
    else:
        document.append(f',"@odata.deltaLink":{json.dumps(_delta_link(reader, operation, table, reading.began))}')
    document.append(f',"value":[{",".join(operation.alter(rows[:limit]))}]}}')
    return Answer(200, "".join(document).encode())


def count_changed(reader: Reader, operation: Operation, table: Table) -> Answer:
    """Answer `/$count?$deltatoken=…`: how many rows were changed or deleted."""
    _check(reader, operation, table)
    refuse_options(operation.address.options, {"$deltatoken"})
    number = _number(reader, table, _begun(reader, operation, table))
    return Answer(200, BOM + str(number).encode(), content_type="text/plain")


def _check(reader: Reader, operation: Operation, table: Table) -> None:
    if not table.change_tracking:
        status = reader.tables.switches.untracked_status
        raise WebApiError(status, PARSE, f"Change tracking is not enabled for the entity '{table.name}'.")
    if reader.gate.sight(operation).rows(table, ROW):  # the caller sees a part of the rows
        privilege = privilege_name(table, "Read")
        message = f"Principal user (Id={operation.user}, type=8), is missing {privilege} privilege with the depth of the organization."
        raise WebApiError(403, PRIVILEGE_DENIED, message)
    for name, _ in operation.address.options:
        if name in REFUSED:
            raise WebApiError(400, PARSE, f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.')


# -- what is read --------------------------------------------------------------------------------------------


def _window(table: Table, reading: Reading) -> tuple[list[str], list[Any]]:
    """Return the conditions for the rows of this page and all later ones."""
    if reading.after is None:
        return ([f"{sql.dotted(ROW, table.key)} > ?"], [reading.last]) if reading.last else ([], [])
    version = sql.dotted(ROW, "versionnumber")
    after = int(reading.last) if reading.last else reading.after
    return [f"{version} > ?", f"{version} <= ?"], [after, reading.until]


def _number(reader: Reader, table: Table, reading: Reading) -> int:
    whole = Reading(reading.after, reading.began)
    where, values = _window(table, whole)
    statement = sql.select(["count(*)"], f"{sql.name(table.name)} {ROW}", where)
    number = int(reader.tables.connection.execute(statement, values).fetchone()[0])
    if whole.after is not None:
        number += count_between(reader.tables, table, whole.after, whole.until)
    return number


def _deleted(operation: Operation, table: Table, row_id: str) -> str:
    context = f"{operation.root}$metadata#{table.set_name}/$deletedEntity"
    return json.dumps({"@odata.context": context, "id": row_id, "reason": "deleted"}, separators=(",", ":"))


# -- tokens and links ----------------------------------------------------------------------------------------


def _begun(reader: Reader, operation: Operation, table: Table) -> Reading:
    """Return a reading that starts now, from the delta token where there is one."""
    tables = reader.tables
    began = f"{tables.committed_version}!{tables.clock.now().strftime(_TIME)}"
    token = operation.address.option("$deltatoken")
    if token is None:
        return Reading(None, began)
    match = _TOKEN.fullmatch(token)
    if match is None or not tables.cookies.knows(_digest(table, token)):
        raise WebApiError(400, INVALID_ARGUMENT, f"The delta token is malformed, or was not given out for '{table.set_name}'.")
    given = datetime.strptime(match.group(2), _TIME).replace(tzinfo=UTC)
    Tombstones(tables).purge()
    if tables.clock.now() - given > timedelta(days=tracking_days(tables)):
        if not tables.switches.expired_delta_full:
            raise WebApiError(tables.switches.expired_delta_status, INVALID_ARGUMENT, "The delta token has expired. Read all rows again.")
        return Reading(0, began)
    return Reading(int(match.group(1)), began)


def _resumed(reader: Reader, table: Table, cookie: str) -> Reading:
    outer = _COOKIE.fullmatch(cookie)
    inner = _PLACE.fullmatch(unquote(outer.group(2))) if outer else None
    if outer is None or inner is None or not reader.tables.cookies.knows(_digest(table, cookie)):
        raise cookies.malformed()
    after, began, kind, last = inner.groups()
    return Reading(None if after == "-" else int(after), began, int(outer.group(1)), kind, last)


def _next_link(reader: Reader, operation: Operation, table: Table, reading: Reading, kind: str, last: str) -> str:
    place = f"{'-' if reading.after is None else reading.after} {reading.began} {kind} {last}"
    cookie = f'<cookie pagenumber="{reading.page + 1}" pagingcookie="{quote(place, safe="")}" {TRACKING_COOKIE} />'
    reader.tables.cookies.remember(_digest(table, cookie))
    return _link(operation, "$skiptoken=" + cookies.in_link(cookie))


def _delta_link(reader: Reader, operation: Operation, table: Table, token: str) -> str:
    reader.tables.cookies.remember(_digest(table, token))
    return _link(operation, "$deltatoken=" + cookies.lower_escapes(quote(token, safe="")))


def _link(operation: Operation, last: str) -> str:
    """Return the requested address with another token at its end."""
    path, _, query = operation.raw.partition("?")
    tokens = ("$skiptoken", "%24skiptoken", "$deltatoken", "%24deltatoken")
    kept = [part for part in query.split("&") if part and part.partition("=")[0].lower() not in tokens]
    return operation.root + path + "?" + "&".join([*kept, last])


def _digest(table: Table, token: str) -> int:
    """Return the digest of a token, which belongs to one table."""
    return cookies.digest(f"{table.name} {token}")
