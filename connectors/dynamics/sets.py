"""Paging through any entity set for its ids alone: a self-check of the way we read, also against OData services of other makers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import msgspec

from connectors.dynamics.metadata import Metadata
from connectors.dynamics.query import query_string
from connectors.dynamics.reading import COUNT_LIMIT
from connectors.dynamics.transport import Transport
from connectors.interface import ConnectorError, ReadIncomplete
from rules.errors import UsageError


@dataclass(frozen=True, slots=True)
class SetReading:
    """What one reading found and cost; the field names are the keys of `doctor --read --json`."""

    set: str
    rows: int
    ids_sha256: str
    pages: int
    requests: int
    retries: int
    throttled: int


class _AnyPage(msgspec.Struct):
    value: list[dict[str, Any]]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    count: int | None = msgspec.field(name="@odata.count", default=None)


def read_set(transport: Transport, metadata: Metadata, set_name: str) -> SetReading:
    """Read one set to its end.

    Raises:
        ReadIncomplete: a row came twice, a page is not readable, or the service's own count differs.
    """
    if not set_name or not set_name.isidentifier():
        raise UsageError("The name of an entity set is letters, digits and underscores.")
    keys, is_dataverse = _keys(transport, metadata, set_name)
    stats = transport.stats
    before = (stats.pages, stats.requests, stats.retries, stats.throttled)
    try:
        ids = _ids(transport, set_name, keys, is_dataverse)
    except _Differs:
        transport.count(retries=1)  # people work while we read: once more, then it is no coincidence
        try:
            ids = _ids(transport, set_name, keys, is_dataverse)
        except _Differs:
            raise ReadIncomplete(f"The service's own count of {set_name} differs from the rows it gave, twice.", where=set_name) from None
    digest = hashlib.sha256("".join(f"{one}\n" for one in sorted(ids)).encode()).hexdigest()
    pages, requests, retries, throttled = (
        now - then for now, then in zip((stats.pages, stats.requests, stats.retries, stats.throttled), before, strict=True)
    )
    return SetReading(set_name, len(ids), digest, pages, requests, retries, throttled)


class _Differs(Exception):
    """The number of rows is not what the service says."""


def _ids(transport: Transport, set_name: str, keys: list[str], is_dataverse: bool) -> set[str]:
    link = f"{set_name}?{query_string({'$select': ','.join(keys), '$count': 'true'})}"
    due = transport.environment.page_size if is_dataverse else 0
    ids: set[str] = set()
    links = {link}
    count: int | None = None
    while True:
        page, found = _page(transport, link, set_name, keys, due, ids)
        count = page.count if count is None else count
        ids |= found
        transport.count(pages=1, rows=len(found))
        if page.next_link is None:
            break
        link = transport.absolute(page.next_link)
        if link in links:
            raise ReadIncomplete("The service's pages lead in a circle.", where=set_name)
        links.add(link)
    if count is None or (is_dataverse and count == COUNT_LIMIT):  # nobody counts that far: see reading.py
        again, found = _page(transport, link, set_name, keys, due, ids - found)
        transport.count(rows=len(found - ids))
        ids |= found
        if again.next_link is not None or (count is not None and len(ids) < count):
            raise _Differs
    elif len(ids) != count:
        raise _Differs
    return ids


def _page(transport: Transport, link: str, set_name: str, keys: list[str], due: int, seen: set[str]) -> tuple[_AnyPage, set[str]]:
    """One page and its ids, asked for again once if it is unreadable, short (`due` 0: pages are as long as they like) or doubles a row."""
    for attempt in (1, 2):
        answer = transport.get(link, prefer=f"odata.maxpagesize={transport.environment.page_size}", where=set_name)
        try:
            page = msgspec.json.decode(answer.body, type=_AnyPage)
            found = {_row_id(row, keys) for row in page.value}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError):
            page, found = _AnyPage([]), set()
        else:
            if len(found) == len(page.value) and found.isdisjoint(seen) and (page.next_link is None or len(page.value) >= due):
                return page, found
        if attempt == 1:
            transport.count(retries=1)
    raise ReadIncomplete("A page is not readable, too short or holds a row twice, also at the second try.", where=set_name)


def _row_id(row: dict[str, Any], keys: list[str]) -> str:
    parts = [row[key] for key in keys] if keys else [row["@odata.id"]]
    if not all(isinstance(part, str | int) for part in parts):
        raise LookupError
    return ",".join(map(str, parts)).lower()


def _keys(transport: Transport, metadata: Metadata, set_name: str) -> tuple[list[str], bool]:
    """The names of the key columns, and whether this is Dataverse; no names where the service does not tell (then `@odata.id` counts)."""
    known = metadata.by_set(set_name)
    if known is not None and known[1]:
        return [known[1]], True
    if known is not None:
        raise UsageError(f"The CRM has no entity set {set_name}.", hint="Set names are plural and case-sensitive, e.g. cf_dossiers.")
    try:
        answer = transport.get("$metadata", accept="application/xml", where=set_name)
    except ConnectorError as failure:
        if failure.status in (400, 404, 405, 406, 501):
            return [], False
        raise
    return _keys_in(answer.body, set_name), False


def _keys_in(schema: bytes, set_name: str) -> list[str]:
    """The key of a set's type in a CSDL document; document types are refused, since their entities can grow without bound."""
    if b"<!" in schema.replace(b"<!--", b"") or len(schema) > 100_000_000:
        return []
    try:
        root = ElementTree.fromstring(schema)
    except ElementTree.ParseError:
        return []
    types = {item.get("Name", ""): item for item in root.iter() if item.tag.endswith("}EntityType")}
    name = next(
        (item.get("EntityType", "") for item in root.iter() if item.tag.endswith("}EntitySet") and item.get("Name") == set_name), ""
    )
    found = types.get(name.rpartition(".")[2])
    for _ in range(len(types)):
        if found is None:
            break
        keys = [item.get("Name", "") for item in found.iter() if item.tag.endswith("}PropertyRef")]
        if keys:
            return keys
        found = types.get(found.get("BaseType", "").rpartition(".")[2])
    return []
