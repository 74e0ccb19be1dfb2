"""Microsoft Graph, version 1.0, as far as documents need it: one resource, all pages of a list, a content, a
permanent removal. Requests are sent, paced and repeated as those to the CRM are
(connectors/dynamics/http/)."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from connectors.dynamics.http.answers import UNREADABLE, Answer
from connectors.dynamics.http.retry import REPEATABLE
from connectors.dynamics.http.transport import Transport
from connectors.interface.errors import ConnectorError, ObjectError, ReadIncomplete, Throttled, Unauthorised, Unreachable
from rules.model.crm_addresses import on_this_machine

WHERE: Final = "SHAREPOINT_SITES"
GLOBAL: Final = "https://graph.microsoft.com"
MISSING: Final = frozenset({"itemNotFound", "ResourceNotFound", "notFound"})  # the codes that say so of the thing itself
PAGE: Final = 200
PAGES: Final = 100_000
_SHAREPOINT: Final = (".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".sharepoint.cn", ".svc.ms")
_MOVED: Final = (301, 302, 303, 307, 308)


def scope_of(url: str) -> str:
    """Return what a token for Graph is requested for; at an emulator that of the global service."""
    parts = urlsplit(url)
    return f"{GLOBAL if on_this_machine(url) else f'{parts.scheme}://{parts.netloc}'}/.default"


def permissions_in(token: str) -> frozenset[str]:
    """Return the application permissions that a token names; none where it cannot be looked into. It is only
    told of, never relied on: a token is for the service that it was issued for."""
    try:
        part = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        roles = claims["roles"]
    except (IndexError, ValueError, LookupError, TypeError):
        return frozenset()
    return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()


class Graph:
    """Graph with the access of one application. Methods raise ObjectError with nothing of an address or an
    answer."""

    def __init__(self, transport: Transport, close: Callable[[], None]) -> None:
        self._transport, self._close = transport, close

    def close(self) -> None:
        self._transport.close()
        self._close()

    def get(self, address: str) -> dict[str, Any] | None:
        """Return one resource; None where Graph clearly says that there is none."""
        answer = self._send("GET", address)
        return None if self._is_missing(answer) else _object(self._fine(answer, 200))

    def rows(self, address: str) -> Iterator[dict[str, Any]] | None:
        """Return the rows of a list to its end, each once; None where what would have it does not exist."""
        answer = self._send("GET", f"{address}?$top={PAGE}")
        return None if self._is_missing(answer) else self._pages(answer)

    def content(self, address: str) -> bytes | None:
        """Return a content whole; None where the item is missing. The address that Graph redirects to needs
        no token and gets none."""
        answer = self._send("GET", f"{address}/content")
        if self._is_missing(answer):
            return None
        if answer.status in _MOVED:
            where = answer.headers.get("Location", "")
            if not self._may_be_asked(where):
                raise ObjectError("a document is said to lie outside SharePoint; it was not fetched", where=WHERE)
            with _explained("a document cannot be fetched"):
                answer = self._transport.get_elsewhere(where)
            if answer.status == 404:
                return None
        return self._fine(answer, 200, 206).body

    def permanently_delete(self, address: str) -> None:
        """Remove an item with what is in it, past the recycle bin; one that is missing counts as removed."""
        answer = self._send("POST", f"{address}/permanentDelete")
        if not self._is_missing(answer):
            self._fine(answer, 204)

    # -- answers ---------------------------------------------------------------------------------------------

    def _send(self, method: str, address: str) -> Answer:
        with _explained("SharePoint cannot be asked"):
            return self._transport.send(method, address, again=REPEATABLE)

    def _pages(self, answer: Answer) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        for _ in range(PAGES):
            page = _object(self._fine(answer, 200))
            rows, link = page.get("value"), page.get("@odata.nextLink")
            if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
                raise _unreadable()
            ids = {row["id"] for row in rows}
            if len(ids) < len(rows) or ids & seen:
                raise ObjectError("a list of SharePoint has something twice: it changed while it was read", hint="try again", where=WHERE)
            seen |= ids
            yield from rows
            if link is None:
                return
            if not isinstance(link, str):
                raise _unreadable()
            answer = self._send("GET", link)
        raise ObjectError("a list of SharePoint has no end", where=WHERE)

    @staticmethod
    def _is_missing(answer: Answer) -> bool:
        return answer.status == 404 and _code(answer) in MISSING

    @staticmethod
    def _fine(answer: Answer, *statuses: int) -> Answer:
        if answer.status in statuses:
            return answer
        what, hint = _refused(answer.status)
        code = _code(answer)
        raise ObjectError(f"{what} (HTTP {answer.status}{f', {code}' if code else ''})", hint=hint, where=WHERE)

    def _may_be_asked(self, address: str) -> bool:
        """Return whether an address for a content is one of SharePoint's, or at the emulator its own."""
        try:
            parts = urlsplit(address)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if not address.isprintable() or parts.username is not None:
            return False
        environment = self._transport.environment
        if environment.is_loopback:
            return f"{parts.scheme}://{parts.netloc}" == environment.origin
        return parts.scheme == "https" and port in (None, 443) and host.endswith(_SHAREPOINT)


def _refused(status: int) -> tuple[str, str]:
    """Return what a refusal means, and what to do."""
    if status == 423:
        return "SharePoint keeps a document from being deleted: it is checked out, open or locked", "let it be checked in, or wait"
    if status == 403:
        hint = "look at retention labels, holds, and the application's access to the site"
        return "SharePoint refuses: a retention label or a hold forbids it, or the application may not", hint
    if status == 401:
        return "Microsoft Graph does not accept the token", "look at tenant, application and secret"
    if status == 404:
        return "SharePoint does not know what was asked for, and does not say that it is gone", "look at SHAREPOINT_SITES and GRAPH_URL"
    if status in (429, 502, 503, 504):
        return "SharePoint asks for more waiting than this run may do", "try again later"
    return "SharePoint refuses", "look at the application's access to the site"


def _code(answer: Answer) -> str:
    """Return the service's own code of an error, which is of letters alone; never its message."""
    try:
        content = msgspec.json.decode(answer.body)
        code = content["error"]["code"]
    except UNREADABLE:
        return ""
    return code if isinstance(code, str) and code.isascii() and code.isalnum() and len(code) <= 40 else ""


def _object(answer: Answer) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(answer.body)
    except UNREADABLE:
        raise _unreadable() from None
    if not isinstance(content, dict):
        raise _unreadable()
    return content


def _unreadable() -> ObjectError:
    return ObjectError("an answer of SharePoint cannot be read", hint="look at GRAPH_URL", where=WHERE)


_KINDS: Final[Mapping[type[ConnectorError], str]] = {
    Throttled: "it asks for more waiting than this run may do",
    Unauthorised: "the sign-in service gives no token, or Graph does not accept it",
    ReadIncomplete: "an answer broke off, or is longer than one may be",
    Unreachable: "it does not answer",
}


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Raise what the shared way of sending requests says of the CRM in words about SharePoint."""
    try:
        yield
    except ConnectorError as error:
        why = next((text for kind, text in _KINDS.items() if isinstance(error, kind)), "it refuses")
        raise ObjectError(f"{what}: {why}", hint="look at GRAPH_URL, network and application", where=WHERE) from None
