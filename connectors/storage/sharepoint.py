"""Documents in SharePoint, below the sites and libraries that the settings name and nowhere else.

What goes, goes by `permanentDelete`, with all versions and past the recycle bin. The recycle bin of a site is
listed too: what somebody deleted by hand is there for months, Graph cannot empty it, and as long as
something of a folder is there that folder's unit waits. Source: Microsoft Learn, "driveItem:
permanentDelete", "List items" of recycleBin; ERA-12, lines 4 and 8."""

import threading
import time
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from connectors.dynamics.http.auth import TokenSource
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.interface.documents import Document
from connectors.interface.errors import Finding, ObjectError
from connectors.storage.graph import WHERE, Graph, permissions_in

DEEPEST = 100  # folders in one another; SharePoint's addresses end long before


@dataclass(frozen=True, slots=True)
class _Library:
    """One document library, and where it is, in the one spelling of addresses."""

    drive: str
    address: str


@dataclass(frozen=True, slots=True)
class _Reached:
    """A site that the settings name, with the libraries of it that they reach."""

    id: str
    url: str
    libraries: tuple[_Library, ...]


class SharePoint:
    """The document libraries below some addresses, each of a site or of a library."""

    def __init__(self, graph: Graph, places: Sequence[str], permissions: Callable[[], Collection[str]] = frozenset) -> None:
        """`permissions` are those that the application's token names; none where it says nothing of them."""
        self._graph, self._permissions = graph, permissions
        self._places = {canonical: place for place in places if (canonical := _canonical(place)) is not None}
        self._reached: dict[str, _Reached] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        url: str,
        tokens: TokenSource,
        places: Sequence[str],
        *,
        ca_file: str | None = None,
        user_agent: str = "crm-compliance",
        patience_s: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> "SharePoint":
        """Open what is below `places` through the Graph at `url` (`https://graph.microsoft.com/v1.0/`);
        nothing is sent yet. Raises UsageError: the address is not usable."""
        environment = Environment(url=url, any_odata=True, sends_no_tag=True, ca_file=ca_file, user_agent=user_agent, patience_s=patience_s)
        graph = Graph(Transport(environment, tokens, sleep=sleep), tokens.close)
        return cls(graph, places, lambda: permissions_in(tokens.token()))

    @property
    def described(self) -> str:
        return "document libraries in SharePoint"

    def close(self) -> None:
        self._graph.close()

    def canonical(self, address: str) -> str | None:
        found = _canonical(address)
        return found if found is not None and self._place_of(found) is not None else None

    def folder(self, address: str) -> str | None:
        found = self._found(address)
        if found is None:
            return None
        drive, item = found
        if "folder" not in item:
            raise ObjectError(
                "a document location names something that is not a folder", hint="look at the location in the CRM", where=WHERE
            )
        return f"{drive}/{_id(item)}"

    def documents(self, folder: str) -> Iterator[Document]:
        drive, _, item = folder.partition("/")
        yield from self._below(drive, item, ())

    def fetch(self, document: str) -> bytes | None:
        return self._graph.content(_address(document))

    def remove(self, folder: str) -> None:
        """Remove item by item, so that what forbids one of them keeps its folder, and is told of."""
        self._remove(folder, 0)

    def is_there(self, folder: str) -> bool:
        return self._graph.get(_address(folder)) is not None

    def binned(self, addresses: Collection[str]) -> set[str]:
        wanted = {address: canonical for address in addresses if (canonical := _canonical(address)) is not None}
        sites = {reached.id: reached for canonical in wanted.values() if (reached := self._reach_of(canonical)) is not None}
        binned = [place for site in sites.values() for place in self._bin(site)]
        return {
            address
            for address, canonical in wanted.items()
            if any(place == canonical or place.startswith(f"{canonical}/") or canonical.startswith(f"{place}/") for place in binned)
        }

    def findings(self) -> list[Finding]:
        """Return whether each site can be reached, its bin be listed, and the token permits to remove."""
        found = []
        for canonical in self._places:
            try:
                site = self._reach(canonical)
                for library in site.libraries:
                    self._graph.get(f"drives/{library.drive}/root")
                list(self._bin(site))
            except ObjectError as error:
                found.append(Finding(True, str(error), WHERE))
        if found:
            return found
        named = set(self._permissions())
        if named and named.isdisjoint(("Sites.Selected", "Sites.ReadWrite.All", "Files.ReadWrite.All", "Sites.FullControl.All")):
            missing = "the application lacks Sites.Selected with the role write on each site, or Files.ReadWrite.All"
            found.append(Finding(True, missing, WHERE))
        elif named and "Sites.Selected" in named:
            found.append(Finding(False, "whether the application's role on each site is write shows at the first removal", WHERE))
        return found

    # -- where things are ------------------------------------------------------------------------------------

    def _place_of(self, canonical: str) -> str | None:
        return max((place for place in self._places if canonical.startswith(f"{place}/")), key=len, default=None)

    def _reach_of(self, canonical: str) -> _Reached | None:
        place = self._place_of(canonical)
        return None if place is None else self._reach(place)

    def _reach(self, place: str) -> _Reached:
        """Return a place of the settings as Graph knows it: a site, or else a library of the site above
        it."""
        with self._lock:
            if place not in self._reached:
                self._reached[place] = self._look_for(place)
            return self._reached[place]

    def _look_for(self, place: str) -> _Reached:
        parts = urlsplit(self._places[place])
        path = unquote(parts.path).strip("/")
        for tried in dict.fromkeys((path, path.rpartition("/")[0])):
            site = self._graph.get(f"sites/{parts.hostname}:/{_quoted(tried)}" if tried else f"sites/{parts.hostname}")
            if site is None:
                continue
            url = _canonical(str(site.get("webUrl") or ""))
            rows = self._graph.rows(f"sites/{_id(site)}/drives")
            libraries = [_Library(_id(row), address) for row in rows or () if (address := _canonical(str(row.get("webUrl") or "")))]
            reached = tuple(each for each in libraries if f"{each.address}/".startswith(f"{place}/"))
            if url is not None and reached:
                return _Reached(_id(site), url, reached)
        raise ObjectError(
            "a site or library of the settings is not there, or the application may not see it",
            hint="look at SHAREPOINT_SITES, and grant the application the site",
            where=WHERE,
        )

    def _found(self, address: str) -> tuple[str, dict[str, Any]] | None:
        canonical = _canonical(address)
        site = self._reach_of(canonical) if canonical is not None else None
        if canonical is None or site is None:
            raise ObjectError("a document location lies outside the sites of the settings", hint="SHAREPOINT_SITES names them", where=WHERE)
        library = max(
            (each for each in site.libraries if f"{canonical}/".startswith(f"{each.address}/")),
            key=lambda each: len(each.address),
            default=None,
        )
        if library is None:
            raise ObjectError("a document location lies in no library of its site", hint="look at the location in the CRM", where=WHERE)
        names = [unquote(name) for name in urlsplit(address).path.split("/") if name]
        inside = names[len(urlsplit(library.address).path.strip("/").split("/")) :]
        if not inside:
            raise ObjectError("a document location names a whole library", hint="look at the location in the CRM", where=WHERE)
        item = self._graph.get(f"drives/{library.drive}/root:/{_quoted('/'.join(inside))}")
        return None if item is None else (library.drive, item)

    # -- what is there -------------------------------------------------------------------------------------

    def _below(self, drive: str, item: str, above: tuple[str, ...]) -> Iterator[Document]:
        if len(above) > DEEPEST:
            raise ObjectError("folders in SharePoint lie in one another without end", where=WHERE)
        for row in list(self._graph.rows(f"drives/{drive}/items/{item}/children") or ()):
            if "folder" in row and "remoteItem" not in row:
                yield from self._below(drive, _id(row), (*above, f"{drive}/{_id(row)}"))
            else:
                yield _document(drive, row, above)

    def _remove(self, item: str, depth: int) -> None:
        if depth > DEEPEST:
            raise ObjectError("folders in SharePoint lie in one another without end", where=WHERE)
        drive = item.partition("/")[0]
        for row in list(self._graph.rows(f"{_address(item)}/children") or ()):
            inside = f"{drive}/{_id(row)}"
            if "folder" in row and "remoteItem" not in row:
                self._remove(inside, depth + 1)
            else:
                self._delete(inside)
        self._delete(item)

    def _delete(self, item: str) -> None:
        self._graph.permanently_delete(_address(item))
        if self._graph.get(_address(item)) is not None:
            raise ObjectError("a document is still in SharePoint after it was removed", hint="look at it in SharePoint", where=WHERE)

    def _bin(self, site: _Reached) -> Iterator[str]:
        """Yield where what is in the recycle bin of a site lay, in the one spelling of addresses."""
        rows = self._graph.rows(f"sites/{site.id}/recycleBin/items")
        if rows is None:
            raise ObjectError("the recycle bin of a site cannot be looked at", hint="look at the application's access", where=WHERE)
        for row in rows:
            place, name = row.get("deletedFromLocation"), row.get("name")
            if not isinstance(place, str) or not isinstance(name, str):
                raise ObjectError("the recycle bin of a site does not say what lies in it", where=WHERE)
            found = _canonical(f"{site.url}/{_quoted(f'{place}/{name}')}")
            if found is not None:
                yield found


def _canonical(address: str) -> str | None:
    """Return the one spelling of an address: SharePoint makes no difference between upper and lower case, nor
    between two ways of writing an accent. None for what is not a plain https address."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not address.isprintable() or "\\" in address or parts.scheme != "https" or not host or port not in (None, 443):
        return None
    if parts.username is not None or parts.query or parts.fragment:
        return None
    names = [unquote(name) for name in parts.path.split("/") if name]
    if any(name in (".", "..") or "/" in name or "\x00" in name for name in names):
        return None
    spelled = [quote(unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()), safe="") for name in names]
    return "/".join([f"https://{host.lower()}", *spelled])


def _quoted(path: str) -> str:
    return "/".join(quote(name, safe="") for name in path.split("/") if name)


def _id(item: dict[str, Any]) -> str:
    found = item.get("id")
    if not isinstance(found, str) or not found:
        raise ObjectError("an answer of SharePoint cannot be read", hint="look at GRAPH_URL", where=WHERE)
    return quote(found, safe="")


def _address(item: str) -> str:
    drive, _, inside = item.partition("/")
    return f"drives/{drive}/items/{inside}"


def _document(drive: str, row: dict[str, Any], folders: tuple[str, ...]) -> Document:
    facet = row.get("file")
    is_plain = isinstance(facet, dict) and "package" not in row and "remoteItem" not in row
    return Document(
        id=f"{drive}/{_id(row)}",
        name=str(row.get("name") or ""),
        media_type=str(facet.get("mimeType") or "") if isinstance(facet, dict) else "",
        version=str(row.get("eTag") or ""),
        changed_at=str(row.get("lastModifiedDateTime") or ""),
        is_plain=is_plain,
        folders=folders,
    )
