"""What Microsoft Graph answers, version 1.0: sites by address and id, their libraries, items by id and path,
contents by a redirect to an address that needs no token, deletion, and the list of a site's recycle bin. Who
asks is settled before."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import msgspec

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.conditions.switches import Switches
from connectors.emulator.graph.drives import KINDS, LOCKS, Drive, DriveItem, Drives, Locked, Site
from connectors.emulator.graph.grants import GrantProblem, Grants
from connectors.emulator.request.exchange import Answer
from connectors.emulator.request.faults import Fault, alter_rows, status_answer
from connectors.emulator.storage.tables import Tables

TICKET_S = 3_600  # how long an address of a content is good
_JSON = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
_SITE = re.compile(r"sites/(?P<host>[^/:,]+)(?::/(?P<path>[^:]*):?)?(?:/(?P<rest>drives|recycleBin/items))?")
_SITE_ID = re.compile(r"sites/(?P<site>[^/:,]+,[^/:,]+,[^/:,]+)(?:/(?P<rest>drives|recycleBin/items))?")
_ITEM = re.compile(
    r"drives/(?P<drive>[^/:]+)(?:/(?:root|items/(?P<item>[^/:]+))(?::/(?P<path>[^:]*?):?)?"
    r"(?:/(?P<rest>children|content|versions|permanentDelete|retentionLabel))?)?"
)
_REFUSALS: Mapping[str, tuple[int, str, str]] = {
    "checked_out": (423, "resourceLocked", "The file is checked out or locked for editing by another user."),
    "label": (403, "accessDenied", "The item cannot be deleted because of its retention label."),
    "hold": (403, "accessDenied", "The item cannot be deleted because it is on hold or retention policy."),
}
_SAYS: Mapping[int, str] = {429: "TooManyRequests", 500: "generalException", 503: "serviceNotAvailable", 504: "gatewayTimeout"}


class GraphProblem(Exception):
    """What somebody wants to put into SharePoint makes no sense."""


class GraphError(Exception):
    """An answer other than the one requested."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def answer(self) -> Answer:
        return Answer(self.status, msgspec.json.encode({"error": {"code": self.code, "message": str(self)}}), {}, _JSON)


@dataclass(frozen=True)
class _Ticket:
    item: DriveItem
    until: float


class Graph:
    """The Graph of one organisation."""

    def __init__(self, tables: Tables, clock: Clock, switches: Switches) -> None:
        self._tables, self._clock, self._switches = tables, clock, switches
        self.drives = Drives(tables, clock)
        self.grants = Grants()
        self._tickets: dict[str, _Ticket] = {}

    def clear(self) -> None:
        self.drives.clear()
        self.grants.clear()
        self._tickets.clear()

    def learn(self, document: Any) -> None:
        """Take in what `PUT /_emulator/graph` says. Raises GraphProblem."""
        if not isinstance(document, dict) or set(document) - {"applications", "files", "empty_bin"}:
            raise GraphProblem("graph takes applications, files and empty_bin")
        with self._tables.lock, self._tables.transaction():
            for each in document.get("files") or []:
                self._put(each)
            for address, stage in (document.get("empty_bin") or {}).items():
                if stage not in (1, 2):
                    raise GraphProblem("empty_bin is an object: the address of a site and its stage, 1 or 2")
                self.drives.empty_bin(self.drives.add_site(address), stage)
        if "applications" in document:
            try:
                self.grants.learn(document["applications"])
            except GrantProblem as problem:
                raise GraphProblem(str(problem)) from problem

    def furnish(self, documents: Iterable[tuple[str, str, str, str]]) -> None:
        """Put documents where they belong: site, library, path and text of each."""
        with self._tables.lock, self._tables.transaction():
            for site, library, path, text in documents:
                drive = self.drives.add_library(self.drives.add_site(site), library)
                self.drives.put(drive, path, text.encode(), media_type="text/plain")

    def document(self) -> dict[str, Any]:
        """Return how much there is, without a name."""
        count = self._tables.connection.execute("SELECT count(*) FROM _graph_items WHERE kind = 'file'").fetchone()[0]
        binned = self._tables.connection.execute("SELECT count(*) FROM _graph_bin").fetchone()[0]
        return {"files": count, "binned": binned}

    def _put(self, given: Any) -> None:
        if not isinstance(given, dict) or not {"site", "library", "path"} <= set(given):
            raise GraphProblem("a file has site, library and path, and perhaps text, media_type, kind, lock")
        kind, lock = given.get("kind", "file"), given.get("lock", "")
        if kind not in KINDS or lock not in LOCKS:
            raise GraphProblem(f"kind is one of {', '.join(KINDS)}; lock one of {', '.join(filter(None, LOCKS))}")
        drive = self.drives.add_library(self.drives.add_site(str(given["site"])), str(given["library"]))
        content = str(given.get("text", "")).encode() if kind == "file" else None
        self.drives.put(drive, str(given["path"]), content, kind=kind, media_type=str(given.get("media_type", "")), lock=lock)

    # -- requests --------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: str, origin: str, client: str, fired: Sequence[Fault] = ()) -> Answer:
        """Answer one request: `path` below `/v1.0/`, percent-encoded. `client` is the application behind the
        token, empty for one who may do everything."""
        for fault in fired:
            if fault.kind == "status":
                return _fault(fault)
        keep = any(fault.kind == "keep_row" for fault in fired)
        try:
            with self._tables.transaction():
                return self._answer(method, path, query, origin, client, alter_rows(list(fired)), keep=keep)
        except GraphError as error:
            return error.answer()

    def content(self, ticket: str, headers: Mapping[str, str]) -> Answer:
        """Answer at an address that a content was redirected to: it brings no token, and would not accept
        one."""
        known = self._tickets.get(ticket)
        if headers.get("authorization"):
            return GraphError(401, "unauthenticated", "The address is pre-authenticated.").answer()
        drive = self.drives.drive(known.item.drive) if known is not None else None
        item = self.drives.item(drive, known.item.id) if known is not None and drive is not None else None
        if known is None or item is None or self._clock.timestamp() >= known.until:
            return GraphError(404, "itemNotFound", "The resource could not be found.").answer()
        body = self.drives.content(item)
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        media_type = item.media_type or "application/octet-stream"
        if part is None or int(part[1]) >= len(body):
            return Answer(200, body, {"Accept-Ranges": "bytes"}, media_type)
        first, last = int(part[1]), min(int(part[2] or len(body) - 1), len(body) - 1)
        return Answer(206, body[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(body)}"}, media_type)

    def _answer(
        self, method: str, path: str, query: str, origin: str, client: str, alter: Callable[[list[str]], list[str]], *, keep: bool
    ) -> Answer:
        root = f"{origin}/v1.0/"
        if by_id := _SITE_ID.fullmatch(path.replace("%2C", ",").replace("%2c", ",")):
            return self._site(method, self.drives.site(unquote(by_id["site"])), by_id["rest"], client, root, path, query, alter)
        if by_address := _SITE.fullmatch(path):
            site = self.drives.site_at(unquote(by_address["host"]), unquote(by_address["path"] or ""))
            return self._site(method, site, by_address["rest"], client, root, path, query, alter)
        if found := _ITEM.fullmatch(path):
            drive = self.drives.drive(unquote(found["drive"]))
            site = self.drives.site(drive.site) if drive is not None else None
            if drive is None or site is None:
                raise GraphError(404, "itemNotFound", "The resource could not be found.")
            rest, is_root = found["rest"] or "", "/" not in path
            self._allow(client, site, write=method != "GET")
            if is_root:
                return _json(self._drive(site, drive))
            names = [unquote(name) for name in (found["path"] or "").split("/") if name]
            item = self.drives.at(drive, unquote(found["item"]) if found["item"] else drive.root, names)
            if item is None:
                raise GraphError(404, "itemNotFound", "The resource could not be found.")
            return self._item(method, site, drive, item, rest, root, path, query, alter, keep=keep)
        raise GraphError(400, "BadRequest", "Resource not found for the segment.")

    def _site(
        self, method: str, site: Site | None, rest: str | None, client: str, root: str, path: str, query: str,
        alter: Callable[[list[str]], list[str]],
    ) -> Answer:  # fmt: skip
        if method != "GET":
            raise GraphError(405, "BadRequest", "The method is not allowed.")
        if site is None:
            raise GraphError(404, "itemNotFound", "Requested site could not be found")
        self._allow(client, site, write=False)
        if rest == "drives":
            return self._page([self._drive(site, drive) for drive in self.drives.libraries(site)], root, path, query, alter)
        if rest == "recycleBin/items":
            stages = (1, 2) if self._switches.bin_lists_second_stage else (1,)
            rows: list[dict[str, Any]] = [
                {"id": each.id, "name": each.name, "size": each.size, "deletedDateTime": each.at, "deletedFromLocation": each.place}
                for each in self.drives.binned(site, stages)
            ]
            return self._page(rows, root, path, query, alter)
        return _json({"id": site.id, "name": site.path.rpartition("/")[2], "webUrl": _url(site, [])})

    def _item(
        self, method: str, site: Site, drive: Drive, item: DriveItem, rest: str, root: str, path: str, query: str,
        alter: Callable[[list[str]], list[str]], *, keep: bool,
    ) -> Answer:  # fmt: skip
        if (method, rest) in (("DELETE", ""), ("POST", "permanentDelete")):
            if item.parent is None:
                raise GraphError(400, "invalidRequest", "The root of a library cannot be deleted.")
            try:
                if not keep:
                    self.drives.delete(item, permanently=bool(rest))
            except Locked as locked:
                raise GraphError(*_REFUSALS[str(locked)]) from None
            return Answer(204)
        if method != "GET":
            raise GraphError(405, "BadRequest", "The method is not allowed.")
        if rest == "children":
            return self._page([self._shown(site, drive, each) for each in self.drives.children(item.id)], root, path, query, alter)
        if rest == "versions":
            return self._page([{"id": f"{number}.0"} for number in self.drives.versions(item)], root, path, query, alter)
        if rest == "retentionLabel":
            return _json({"name": "Bewaren"} if item.lock == "label" else {})
        if rest == "content":
            if item.kind != "file":
                raise GraphError(400, "notAFile", "The item has no content.")
            ticket = secrets.token_urlsafe(24)
            self._tickets[ticket] = _Ticket(item, self._clock.timestamp() + TICKET_S)
            return Answer(302, b"", {"Location": f"{root.removesuffix('v1.0/')}_graph/content/{ticket}"})
        return _json(self._shown(site, drive, item))

    # -- what things look like -------------------------------------------------------------------------------

    @staticmethod
    def _drive(site: Site, drive: Drive) -> dict[str, Any]:
        return {"id": drive.id, "name": drive.name, "driveType": "documentLibrary", "webUrl": _url(site, [drive.name])}

    def _shown(self, site: Site, drive: Drive, item: DriveItem) -> dict[str, Any]:
        facets: dict[str, dict[str, Any]] = {
            "file": {"file": {"mimeType": item.media_type or "application/octet-stream"}},
            "folder": {"folder": {"childCount": len(self.drives.children(item.id))}},
            "package": {"package": {"type": "oneNote"}},
            "shortcut": {"remoteItem": {"id": f"01{item.id[::-1]}"}},
        }
        shown: dict[str, Any] = {
            "id": item.id,
            "name": item.name,
            "eTag": f'"{{{item.id}}},{item.version}"',
            "size": item.size,
            "lastModifiedDateTime": item.changed,
            "webUrl": _url(site, [drive.name, *self.drives.path_of(item)]),
            "parentReference": {"driveId": drive.id, "id": item.parent},
            **facets[item.kind],
        }
        return shown | ({"root": {}} if item.parent is None else {})

    def _page(self, rows: list[dict[str, Any]], root: str, path: str, query: str, alter: Callable[[list[str]], list[str]]) -> Answer:
        options = {name: values[-1] for name, values in parse_qs(query).items()}
        size = min(int(options.get("$top", "200")), self._switches.graph_page_size)
        start = int(options.get("$skiptoken", "0"))
        shown = alter([msgspec.json.encode(row).decode() for row in rows[start : start + size]])
        more = ""
        if start + size < len(rows):
            more = f', "@odata.nextLink": "{root}{path}?$top={size}&$skiptoken={start + size}"'
        return Answer(200, f'{{"value": [{", ".join(shown)}]{more}}}'.encode(), {}, _JSON)

    def _allow(self, client: str, site: Site, *, write: bool) -> None:
        if not self.grants.may(client, site.url, write=write):
            raise GraphError(403, "accessDenied", "Access denied")


def _json(document: dict[str, Any]) -> Answer:
    return Answer(200, msgspec.json.encode(document), {}, _JSON)


def _url(site: Site, names: Sequence[str]) -> str:
    return "/".join([site.url, *(quote(name, safe="") for name in names)])


def _fault(fault: Fault) -> Answer:
    """Return the answer of a `status` rule, with a code of Graph's."""
    given = status_answer(fault)
    if fault.extra.get("html") or fault.extra.get("empty"):
        return given
    code = str(fault.extra.get("code", _SAYS.get(given.status, "generalException")))
    error = GraphError(given.status, code, "An error was asked for.").answer()
    return Answer(error.status, error.body, given.headers, error.content_type)
