"""Tables that the mapping does not name: whether the CRM has them, and how they are addressed. Many are
queried in one request."""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

import msgspec

from connectors.dynamics.http.answers import UNREADABLE
from connectors.dynamics.http.page_lengths import EMPTY_PAGES, PageLengths
from connectors.dynamics.http.query import any_of, guid, literal, query_string
from connectors.dynamics.http.retry import FOR_A_MOMENT, REPEATABLE, Again
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.interface.errors import ConnectorError, Forbidden, ReadIncomplete, Unreachable
from rules.decoders import converted

NAMES_AT_ONCE = 40
PAGE = 5_000
ATTEMPTS = 3  # at one page
WHOLE = "Global"  # the depth that reaches every row (Microsoft Learn, "PrivilegeDepth EnumType")
REFUSED = (403, 404, 405, 501)  # what says clearly: not allowed, or not offered
# What the CRM answers where another system has the rows of a table and does not give them to this account:
# those of virtual tables, and of documents in SharePoint for an application.
FAILED = (400, 500)
UNCOUNTED = ("audit",)  # lies in a store of its own, of which no document says that it counts
IDS_OF_A_FETCH = 150  # of FetchXML in an address, where each costs some sixty characters
MORE, COOKIE = "Microsoft.Dynamics.CRM.morerecords", "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
NEXT_LINK = "@odata.nextLink"
_TOLD = f"Microsoft.Dynamics.CRM.lookuplogicalname,{MORE},{COOKIE}"  # of which table a lookup's row is, and where a page of FetchXML ended
_DESCRIBED = "LogicalName,EntitySetName,PrimaryIdAttribute,IsAuditEnabled,Privileges"
_INSIDE = re.compile(r' pagingcookie="([^"]*)"')
_Onward = Callable[[Mapping[str, Any], int], str | None]


class NotOffered(Exception):
    """The CRM clearly does not let us ask this, or offers no such thing; `reason` holds a status and perhaps
    a privilege, nothing else. `has_failed`: it says nothing but that another system may have the rows."""

    def __init__(self, reason: str, status: int | None = None, *, has_failed: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.status, self.has_failed = reason, status, has_failed


@dataclass(frozen=True, slots=True)
class Privilege:
    """One privilege as the table's definition names it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class KnownTable:
    """One table of the CRM. `audited`: its changes are logged, provided that the organisation's are.
    `privileges`: what it takes to access it, by kind of access. `is_virtual`: another system has its rows,
    and may be long in giving them, or down while the CRM is up."""

    name: str
    set_name: str
    primary_id: str
    audited: bool
    privileges: Mapping[str, Privilege] = field(default_factory=dict)
    is_virtual: bool = False

    @property
    def again(self) -> Again:
        """After what a read of it is sent again."""
        return FOR_A_MOMENT if self.is_virtual else REPEATABLE

    @classmethod
    def of(cls, definition: TableDefinition) -> "KnownTable":
        """Return a mapped table, of which nobody asks more than for rows."""
        return cls(definition.name, definition.set_name, definition.primary_id, audited=False)


class Directory:
    """The tables that this CRM has, each queried at most once, and their rows read whole. `depths`: how
    far each privilege of the account reaches, by id, as it was last asked. A table of which it sees a part is
    as good as one that it may not read, since what is hidden looks like nothing there."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.depths: Mapping[str, str] = {}
        self._tables: dict[str, KnownTable | None] = {}
        self._asking = threading.Lock()  # two threads that want the same table ask once
        self._tells_types = True

    def known(self, names: Iterable[str]) -> dict[str, KnownTable]:
        """Return those of the tables that exist, by logical name. Raises ConnectorError."""
        wanted = list(dict.fromkeys(names))
        with self._asking:
            self._ask([name for name in wanted if name not in self._tables])
        return {name: table for name in wanted if (table := self._tables[name]) is not None}

    def _ask(self, missing: list[str]) -> None:
        found = {table.name: table for table in map(_table, self._described(missing)) if table}
        self._tables.update({name: found.get(name) for name in missing})

    def _described(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return definitions, with their types where the CRM knows such a thing: older ones do not."""
        if self._tells_types:
            try:
                return list(self._definitions(names, f"{_DESCRIBED},TableType"))
            except ConnectorError as failure:
                if failure.status != 400:
                    raise
                self._tells_types = False
        return list(self._definitions(names, _DESCRIBED))

    def table(self, name: str) -> KnownTable | None:
        """Return one of them."""
        return self.known([name]).get(name)

    def retaining(self, names: Collection[str]) -> set[str]:
        """Return those of the tables that are enabled for long-term retention at this moment. To be called
        only where the CRM has that. Raises ConnectorError: the CRM cannot be queried."""
        rows = self._definitions(sorted(names), "LogicalName,IsRetentionEnabled")
        return {str(row.get("LogicalName")) for row in rows if row.get("IsRetentionEnabled") is True}

    def _definitions(self, names: Sequence[str], select: str) -> Iterator[dict[str, Any]]:
        for at in range(0, len(names), NAMES_AT_ONCE):
            condition = " or ".join(f"LogicalName eq {literal(name)}" for name in names[at : at + NAMES_AT_ONCE])
            query = query_string({"$select": select, "$filter": condition})
            yield from self._pages(f"EntityDefinitions?{query}", "EntityDefinitions")

    def is_empty(self, table: KnownTable, condition: str = "", also_refused: tuple[int, ...] = ()) -> bool:
        """Return whether no row of a table meets a condition; one request. Raises NotOffered: the CRM does
        not let us look, which it says by one of the statuses `also_refused` too; ConnectorError: it cannot be
        determined."""
        return not list(self._queried(table, {"$select": table.primary_id, "$top": "1", "$filter": condition}, also_refused=also_refused))

    def rows(
        self, table: KnownTable, column: str, ids: Collection[str], select: str, also: str = "", also_refused: tuple[int, ...] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows whose column is one of these ids, to the end; one that is of none is refused where
        the column is selected. Raises as `is_empty`."""
        needs = (column,) if column in select.split(",") else ()
        wanted = {guid(one) for one in ids}
        for condition in any_of(column, ids):
            options = {"$select": f"{table.primary_id},{select}".rstrip(","), "$filter": f"({condition}) and {also}" if also else condition}
            for row in self._queried(table, options, needs, also_refused):
                if (needs or column == table.primary_id) and str(row[column]).lower() not in wanted:
                    raise ReadIncomplete("Rows came that were not asked for.", hint="Try again later.", where=table.name)
                yield row

    def where(self, table: KnownTable, condition: str, select: str) -> Iterator[dict[str, Any]]:
        """Yield the rows that meet a condition, to the end. Raises as `is_empty`."""
        yield from self._queried(table, {"$select": f"{table.primary_id},{select}", "$filter": condition})

    def all(self, table: KnownTable, select: str) -> Iterator[dict[str, Any]]:
        """Yield every row of a table, to the end. Raises as `is_empty`, but another system that is down
        is waited for: a list of which each row is needed is none without them."""
        yield from self._queried(replace(table, is_virtual=False), {"$select": f"{table.primary_id},{select}"})

    def existing(self, table: KnownTable, ids: Collection[str]) -> set[str]:
        """Return which of these rows exist. Raises as `is_empty`."""
        return {str(row[table.primary_id]).lower() for row in self.rows(table, table.primary_id, ids, "")}

    def has_any(self, table: KnownTable, datasource: str) -> bool:
        """Return whether any row of a table is in the recycle bin (`bin`) or in long-term retention
        (`retained`). Raises as `is_empty`."""
        inside = f'<entity name="{table.name}"><attribute name="{table.primary_id}"/></entity>'
        text = f'<fetch datasource="{datasource}" top="1">{inside}</fetch>'
        return bool(list(self._asked(_fetching(table, text), table, also_refused=(400,))))

    def in_source(self, table: KnownTable, datasource: str, column: str, ids: Collection[str]) -> set[tuple[str, str]]:
        """Return the rows that are there and whose column is one of these ids: their own id, and that of the
        column. Raises as `is_empty`."""
        rows = self.rows_in_source(table, datasource, (column,), column, ids)
        return {(str(row[table.primary_id]).lower(), str(row.get(column) or row.get(f"_{column}_value")).lower()) for row in rows}

    def rows_in_source(
        self, table: KnownTable, datasource: str, columns: Iterable[str], column: str, ids: Collection[str] | None
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows that are there and whose column is one of these ids (None: all), with some columns,
        each once. Raises as `is_empty`."""
        attributes = "".join(f'<attribute name="{name}"/>' for name in dict.fromkeys((table.primary_id, *columns)))
        wanted, seen = sorted(ids or ()), set[str]()
        conditions = [""] if ids is None else []
        for at in range(0, len(wanted), IDS_OF_A_FETCH):
            values = "".join(f"<value>{guid(one)}</value>" for one in wanted[at : at + IDS_OF_A_FETCH])
            conditions.append(f'<filter><condition attribute="{column}" operator="in">{values}</condition></filter>')
        for condition in conditions:
            inside = f'<entity name="{table.name}">{attributes}<order attribute="{table.primary_id}"/>{condition}</entity>'
            for row in self._fetched(table, datasource, inside):
                if (key := str(row.get(table.primary_id))) not in seen:
                    seen.add(key)
                    yield row

    def _fetched(self, table: KnownTable, datasource: str, inside: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of all pages of FetchXML. A number alone leads to 50,000 rows and no further, and
        past a row when one before it goes (Microsoft Learn, "Page results using FetchXml"), so the cookie of
        each page goes along."""
        numbers = count(1)

        def address(cookie: str = "") -> str:
            pages = f'count="{PAGE}" page="{next(numbers)}"{cookie}'
            return _fetching(table, f'<fetch datasource="{datasource}" {pages}>{inside}</fetch>')

        def onward(content: Mapping[str, Any], rows: int) -> str | None:
            if rows < PAGE and content.get(f"@{MORE}") is not True:
                return None
            found = _INSIDE.search(str(content.get(f"@{COOKIE}") or ""))
            return address(f" paging-cookie={quoteattr(unquote(unquote(found[1])))}" if found else "")

        # A source that this table or this CRM does not know is a 400.
        yield from self._asked(address(), table, also_refused=(400,), onward=onward)

    def _queried(
        self, table: KnownTable, options: dict[str, str], needs: tuple[str, ...] = (), also_refused: tuple[int, ...] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield rows, as many as the CRM counts."""
        due = 0 if table.name in UNCOUNTED else int(options.get("$top", PAGE))
        query = query_string(options | ({"$count": "true"} if due else {}))
        yield from self._asked(f"{table.set_name}?{query}", table, also_refused, needs=needs, due=due)

    def _asked(
        self,
        address: str,
        table: KnownTable,
        also_refused: tuple[int, ...] = (),
        needs: tuple[str, ...] = (),
        due: int = 0,
        onward: _Onward | None = None,
    ) -> Iterator[dict[str, Any]]:
        where = table.name
        reading = table.privileges.get("Read")
        if reading is not None and (depth := self.depths.get(reading.id, WHOLE)) != WHOLE:
            raise NotOffered(f"{where}: {reading.name} reaches {depth} only, not the whole organisation")
        rows = self._pages(address, where, (table.primary_id, *needs), due, onward, table.again)
        try:
            if table.is_virtual:
                rows = iter(list(rows))  # in the middle too it is another system that fails
            first = next(rows, None)
        except ConnectorError as failure:
            is_down = table.is_virtual and isinstance(failure, Unreachable | ReadIncomplete)
            if is_down or isinstance(failure, Forbidden) or failure.status in (*REFUSED, *also_refused):
                has_failed = is_down or failure.status in FAILED
                raise NotOffered(f"{where}: {failure}".removesuffix("."), failure.status, has_failed=has_failed) from None
            raise
        if first is not None:
            yield first
            yield from rows  # a refusal in the middle is none of the whole table

    def _pages(
        self,
        address: str,
        where: str,
        needs: tuple[str, ...] = (),
        due: int = 0,
        onward: _Onward | None = None,
        again: Again = REPEATABLE,
    ) -> Iterator[dict[str, Any]]:
        """Yield rows that each have what they need: an id, above all. `onward` gives the address behind a
        page that has no link to the next. Raises ReadIncomplete: fewer came than the CRM counts, up to the
        number `due`, or they are not readable."""
        link: str | None = address
        seen: set[str] = set()
        page = _Page([], {})
        lengths = PageLengths(PAGE)
        empty = 0
        while link is not None:
            page = self._page(link, where, needs, page.rows, lengths, again)
            due = due if seen else min(page.content.get("@odata.count", 0), due)
            due -= len(page.rows)
            yield from page.rows
            following = page.content.get(NEXT_LINK)
            if following is None and onward is not None:
                following = onward(page.content, len(page.rows))
            link = self._transport.absolute(following) if following is not None else None
            empty = 0 if page.rows else empty + 1
            if link in seen or (link is not None and empty > EMPTY_PAGES):
                raise ReadIncomplete("The CRM's pages lead in a circle, or on and on without a row.", where=where)
            seen.add(link or "")
        if due > 0:
            raise ReadIncomplete("Fewer rows came than the CRM counts.", hint="Try again later.", where=where)

    def _page(
        self, link: str, where: str, needs: Sequence[str], before: list[dict[str, Any]], lengths: PageLengths, again: Again
    ) -> "_Page":
        """Return one page. A wrong one is requested again, since a GET is safe, and a short one that has
        another behind it: where the same comes again, pages are of that length here. Raises ReadIncomplete:
        it stays wrong."""
        short: _Page | None = None
        wrong = ""
        for attempt in range(ATTEMPTS):
            self._transport.count(retries=min(attempt, 1))
            prefer = f'odata.maxpagesize={PAGE},odata.include-annotations="{_TOLD}"'
            answer = self._transport.get(link, prefer=prefer, where=where, again=again)
            try:
                page = _Page.of(answer.body, needs)
            except UNREADABLE:
                wrong = "The CRM's rows are not readable."
                continue
            if page.rows and page.rows == before:
                wrong = "A page of the CRM repeats the one before."
                continue
            if not page.goes_on or not lengths.doubt(len(page.rows)):
                return page
            if short is not None and page.rows == short.rows:
                lengths.take(len(page.rows))
                return page
            short, wrong = page, "A page of the CRM has other rows each time."
        raise ReadIncomplete(wrong, hint="Try again later.", where=where, request_id=answer.request_id)


@dataclass(frozen=True, slots=True)
class _Page:
    """The rows of one page, and the whole of it."""

    rows: list[dict[str, Any]]
    content: Mapping[str, Any]

    @classmethod
    def of(cls, body: bytes, needs: Sequence[str]) -> "_Page":
        """Read a page whose rows each have all that they need, the first of it once. Raises what msgspec
        does, LookupError, TypeError, ValueError: it is none."""
        content = msgspec.json.decode(body)
        rows = converted(content["value"], list[dict[str, Any]])
        converted(content.get(NEXT_LINK), str | None)  # type: ignore[arg-type]
        converted(content.get("@odata.count", 0), int)
        if not rows:
            content["@odata.context"]  # which the CRM gives with each answer: one that holds nothing else may be anybody's
        for name in needs:
            for row in rows:
                row[name]
        if needs and len({str(row[needs[0]]) for row in rows}) < len(rows):
            raise ValueError("a row came twice")
        return cls(rows, content)

    @property
    def goes_on(self) -> bool:
        return self.content.get(NEXT_LINK) is not None or self.content.get(f"@{MORE}") is True


def _fetching(table: KnownTable, text: str) -> str:
    return f"{table.set_name}?fetchXml={quote(text, safe='')}"


def type_of(row: Mapping[str, Any], column: str) -> str:
    """Return the table that a lookup's row belongs to, as its annotation shows; empty where it does not."""
    return str(row.get(f"_{column}_value@Microsoft.Dynamics.CRM.lookuplogicalname") or "")


def _table(item: Mapping[str, Any]) -> KnownTable | None:
    audited = item.get("IsAuditEnabled")
    name, set_name, primary_id = (item.get(key) for key in ("LogicalName", "EntitySetName", "PrimaryIdAttribute"))
    if not (name and set_name and primary_id):
        return None
    is_audited = isinstance(audited, dict) and audited.get("Value") is True
    try:
        held = {one["PrivilegeType"]: Privilege(guid(one["PrivilegeId"]), str(one["Name"])) for one in item.get("Privileges") or ()}
    except (LookupError, TypeError, ValueError):
        raise ReadIncomplete("The CRM's definitions of privileges are not readable.", where="privileges") from None
    return KnownTable(str(name), str(set_name), str(primary_id), is_audited, held, is_virtual=item.get("TableType") == "Virtual")
