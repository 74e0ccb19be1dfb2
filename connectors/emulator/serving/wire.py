"""HTTP as the server sees it: reading a request, writing an answer, and breaking off in the middle of one."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from isal import isal_zlib

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

COMPRESS_FROM = 2_048
COMPRESS_ASIDE_FROM = 262_144  # by another thread, while requests go on
_GZIP = 31  # zlib's window bits for a gzip envelope
NO_BODY = (204, 304)


class CutConnection(Exception):
    """The connection breaks here: nothing more is said."""


@dataclass
class Request:
    method: str
    path: str  # percent-encoded, without the query
    query: str
    headers: dict[str, str]
    body: bytes
    origin: str  # scheme and host, as the caller spelled them

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def cookie(self, name: str) -> str | None:
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None


async def read_request(scope: Scope, receive: Receive) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value  # repeated headers, Prefer above all
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    host = headers.get("host") or "127.0.0.1"
    return Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, b"".join(chunks), f"{scope['scheme']}://{host}")


def compressed(body: bytes) -> bytes:
    return bytes(isal_zlib.compress(body, 1, _GZIP))


async def send_answer(send: Send, status: int, headers: list[tuple[str, str]], body: bytes, *, truncated: bool) -> None:
    """Write an answer; a truncated one announces all of its body and stops half-way."""
    if status not in NO_BODY:
        headers = [*headers, ("Content-Length", str(len(body)))]
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if truncated and body:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise CutConnection
    await send({"type": "http.response.body", "body": b"" if status in NO_BODY else body})


async def cut(send: Send, receive: Receive) -> None:
    """Close the connection without an answer, as far as the server below lets us."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise CutConnection
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
