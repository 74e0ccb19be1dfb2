"""Paging through any entity set for its ids alone: a self-check of the way we read (`doctor --read`), also
against OData services of other makers. The pages of a plan are read, and doubted, in `reader.py`.

Of Dataverse we know that links name the last row of a page. Of others we know nothing: where their own count
does not prove a reading, or their links count rows, the set is read until two readings agree."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from connectors.dynamics.http.page_lengths import EMPTY_PAGES, PageLengths
from connectors.dynamics.http.query import query_string
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.reading.any_odata import AnyPage, Id, PageUnreadable, is_offset, page_of
from connectors.dynamics.schema.counts import COUNT_LIMIT
from connectors.dynamics.schema.csdl import SchemaBroken, key_of
from connectors.dynamics.schema.metadata import Metadata
from connectors.interface.errors import ConnectorError, ReadIncomplete
from rules.errors import UsageError

READINGS = 3
_NO_SCHEMA = (400, 404, 405, 406, 410, 500, 501)
_OPTION_REFUSED = (400, 405, 422, 500, 501)
_ADDRESSES_TOO = "application/json;odata.metadata=full"


@dataclass(frozen=True, slots=True)
class SetReading:
    """What one reading found and cost; the field names are the keys of `doctor --read --json`. `pages` are
    those of the set. A repeated reading shows in `requests` and, after a fault, in `retries`."""

    set: str
    rows: int
    ids_sha256: str
    pages: int
    requests: int
    retries: int
    throttled: int


def read_set(transport: Transport, metadata: Metadata, set_name: str) -> SetReading:
    """Read one set to its end. Raises UsageError: there is no such set; ReadIncomplete: a page is not
    readable, a row came twice, the service's own count differs, or two readings never agreed."""
    if not set_name or not set_name.isidentifier():
        raise UsageError("The name of an entity set is letters, digits and underscores.")
    keys, is_dataverse = _keys(transport, metadata, set_name)
    stats = transport.stats
    before = (stats.requests, stats.retries, stats.throttled)
    found = _agreed(_Source(transport, set_name, keys, is_dataverse))
    texts = sorted(",".join(one).lower() for one in found.ids)
    digest = hashlib.sha256("".join(f"{text}\n" for text in texts).encode()).hexdigest()
    requests, retries, throttled = (now - then for now, then in zip((stats.requests, stats.retries, stats.throttled), before, strict=True))
    return SetReading(set_name, len(texts), digest, found.pages, requests, retries, throttled)


@dataclass(slots=True)
class _Found:
    """One reading. `is_sure`: nothing can have been missed."""

    ids: set[Id]
    pages: int = 0
    is_sure: bool = True


class _Doubtful(Exception):
    """A reading that cannot be right; it says why."""


def _agreed(source: "_Source") -> _Found:
    """Return the first reading that is sure, or is the same as the one before. People work while we read, so
    a doubtful one is repeated."""
    last: _Found | None = None
    doubts: list[str] = []
    for _ in range(READINGS):
        try:
            found = source.read()
        except _Doubtful as doubt:
            doubts.append(str(doubt))
            if len(doubts) > 1:
                break
            source.transport.count(retries=1)
            continue
        if found.is_sure or (last is not None and found.ids == last.ids):
            return found
        last = found
    what = doubts[-1] if doubts else "its rows change between readings, and neither its count nor its links prove one of them"
    raise ReadIncomplete(
        f"The set {source.set_name} could not be read whole: {what}.", hint="Try again while nobody works in it.", where=source.set_name
    )


def _hinted(failure: ConnectorError) -> ConnectorError:
    hint = "Open the set's address in a browser to see what the service wants."
    code, request = failure.service_code, failure.request_id
    return type(failure)(str(failure), hint=hint, where=failure.where, status=failure.status, service_code=code, request_id=request)


class _Source:
    """One set of one service; `keys` are none where the rows' addresses have to give them."""

    def __init__(self, transport: Transport, set_name: str, keys: list[str], is_dataverse: bool) -> None:
        self.transport, self.set_name, self._keys, self._is_dataverse = transport, set_name, keys, is_dataverse
        self._lengths = PageLengths(transport.environment.page_size if is_dataverse else 0)
        options = {"$select": ",".join(keys), "$count": "true"}
        lesser = [] if is_dataverse else [{**options, "$count": ""}, {**options, "$select": ""}, {}]
        self._queries = list(dict.fromkeys(map(query_string, [options, *lesser])))

    def read(self) -> _Found:
        """Read from the first page to the last. Raises _Doubtful: what came cannot be the whole set;
        ReadIncomplete: a page is not readable, or the links lead nowhere."""
        link, page = self._first()
        count, links, empty = page.count, {link}, 0
        found = _Found(set())
        while True:
            before = len(found.ids)
            found.ids.update(page.ids)
            found.pages += 1
            self.transport.count(pages=1, rows=len(page.ids))
            if page.next_link is None:
                break
            if count is not None and len(found.ids) > count and not self._is_dataverse:
                raise _Doubtful(f"the service's own count is {count}, and it gave more rows")
            empty = empty + 1 if len(found.ids) == before else 0
            link = self._absolute(page.next_link)
            if link in links or empty > EMPTY_PAGES:
                what = f"The pages of {self.set_name} lead in a circle, or on and on without a row."
                raise ReadIncomplete(what, hint="Report it to those who run the service.", where=self.set_name)
            links.add(link)
            found.is_sure = found.is_sure and (self._is_dataverse or not is_offset(link, len(found.ids), found.pages))
            page = self._page(link, found.ids)
        if self._is_dataverse and (count is None or count == COUNT_LIMIT):  # nobody counts that far: see reader.py
            again = self._page(link, found.ids - set(page.ids))
            self.transport.count(rows=len(set(again.ids) - found.ids))
            found.ids.update(again.ids)
            if again.next_link is not None or (count is not None and len(found.ids) < count):
                raise _Doubtful("rows were added while it was read")
        elif count is None:
            found.is_sure = False
        elif len(found.ids) != count:
            raise _Doubtful(f"the service's own count is {count}, and it gave {len(found.ids)} rows")
        return found

    def _first(self) -> tuple[str, AnyPage]:
        """Return the first page. `$count` or `$select` is omitted once a service does not know it."""
        while True:
            link = f"{self.set_name}?{self._queries[0]}".rstrip("?")
            try:
                return self.transport.absolute(link), self._page(link, set())
            except ConnectorError as failure:
                if failure.status == 404:
                    hint = "Names are case-sensitive; the service's root lists them."
                    raise UsageError(f"The service has no entity set {self.set_name}.", hint=hint, where=self.set_name) from None
                if failure.status not in _OPTION_REFUSED or len(self._queries) == 1:
                    raise failure if failure.hint else _hinted(failure) from None
            del self._queries[0]

    def _page(self, link: str, seen: set[Id]) -> AnyPage:
        """Return one page, requested again once if it is unreadable, short, or doubles a row. If a short one
        comes again, pages are of that length here, whatever size was requested."""
        page, problem = self._try(link, seen)
        if page is not None and not self._is_short(page):
            return page
        self.transport.count(retries=1)
        try:
            again = self._page_once(link, seen)
        except PageUnreadable as found:
            raise self._unreadable(found) from None
        if self._is_short(again):
            if page is None or page.ids != again.ids:
                raise self._unreadable(problem or PageUnreadable("it has other rows each time"))
            self._lengths.take(len(again.ids))
        return again

    def _try(self, link: str, seen: set[Id]) -> tuple[AnyPage | None, PageUnreadable | None]:
        try:
            return self._page_once(link, seen), None
        except PageUnreadable as problem:
            return None, problem
        except _Doubtful:
            return None, None

    def _is_short(self, page: AnyPage) -> bool:
        return page.next_link is not None and self._lengths.doubt(len(page.ids))

    def _unreadable(self, problem: PageUnreadable) -> ReadIncomplete:
        return ReadIncomplete(
            f"A page of {self.set_name} is not readable, also at the second try: {problem}.",
            hint="Check the address of the service, and that it speaks OData 4 in JSON.",
            where=self.set_name,
        )

    def _page_once(self, link: str, seen: set[Id]) -> AnyPage:
        prefer = f"odata.maxpagesize={self.transport.environment.page_size}"
        accept = "application/json" if self._keys else _ADDRESSES_TOO
        answer = self.transport.get(link, prefer=prefer, accept=accept, where=self.set_name)
        page = page_of(answer.body, self.set_name, self._keys)
        if self._is_dataverse:
            page = AnyPage([tuple(map(_as_compared, one)) for one in page.ids], page.next_link, page.count)
        if len(set(page.ids)) != len(page.ids):
            raise PageUnreadable("it holds a row twice")
        if not seen.isdisjoint(page.ids):
            raise _Doubtful("a row came on two pages")
        return page

    def _absolute(self, link: str) -> str:
        """Return the absolute address of a link. One that is a query alone belongs to the set; other relative
        ones are below the service's root."""
        return self.transport.absolute(self.set_name + link if link.startswith("?") else link)


def _as_compared(part: str) -> str:
    """Return the id as it is compared: of Dataverse in either case; keys of others need not be."""
    try:
        return str(UUID(part))
    except ValueError:
        return part


def _keys(transport: Transport, metadata: Metadata, set_name: str) -> tuple[list[str], bool]:
    """Return the names of the key columns, and whether this is Dataverse; no names where the service does not
    describe itself."""
    known = metadata.by_set(set_name)
    if known is not None and known[1]:
        return [known[1]], True
    if known is not None:
        raise UsageError(f"The CRM has no entity set {set_name}.", hint="Set names are plural and case-sensitive, e.g. cf_dossiers.")
    for _ in range(2):  # the text may have been cut on the way
        try:
            answer = transport.get("$metadata", accept="application/xml", where=set_name)
            return key_of(answer.body, set_name), False
        except SchemaBroken:
            continue
        except ConnectorError as failure:
            if failure.status in _NO_SCHEMA:
                break
            raise
    return [], False
