"""Requests of this process to emulators of this very process, without sockets between them.

A test that plays a whole request of a person sends some hundreds of requests, and most of what each costs is
HTTP itself: two parsers, two threads, a socket. Here a prepared request is given to the emulator's ASGI
application as the server would give it, and what the application sends becomes the answer as urllib3 would
have read it: the same target, the same header fields, the same bytes, still to be read and unpacked by the
client. Everything above and below is what it is over HTTP.

Over HTTP goes whatever a connection may change: another method or another address than those the emulator
listens at, TLS, a proxy, a body that is written in pieces, anything at all while trouble is scripted that
concerns the connection or the time; and every request of tests that ask for `real_http`, of
`tests/connectors` but for the emulator's own and those that ask for `without_sockets`, and of
`tests/independent`, but for the scenarios that are played inside this process
(`tests/independent/inside.py`).
"""

from __future__ import annotations

import io
import re
import select
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.client import HTTPMessage, RemoteDisconnected, responses
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError
from urllib3.util.url import _encode_target

from connectors.emulator.serving import app, server
from connectors.emulator.serving.wire import CutConnection, Message

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ON_THE_LINE = ("latency", "cut_before", "cut_after", "truncate")
FINE = re.compile(
    r"[A-Za-z0-9$'()*+,\-./:;=@_!&~]*+(?:\?(?:[A-Za-z0-9$'()*+,\-./:;=@_!&~?]++|%[0-9A-F]{2})*+)?+"
).fullmatch  # what urllib3 leaves as it is; possessive, since addresses are long and no part of one is read in two ways
SEND = HTTPAdapter.send  # the sending itself
SERVER = server._Server
FAILED: list[Message] = [
    {"status": 500, "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21"), (b"connection", b"close")]},
    {"body": b"Internal Server Error"},
]


class Served:
    """An emulator that listens in this process; like its server, it acts on one request at a time."""

    def __init__(self, application: app.App, address: tuple[str, int]) -> None:
        self.application = application
        self.address = address
        self._lock = threading.Lock()

    @property
    def is_calm(self) -> bool:
        """Whether nothing is scripted that befalls a connection or takes time."""
        return not any(rule.kind in ON_THE_LINE for rule in self.application.faults.rules)

    def answer(self, request: requests.PreparedRequest) -> HTTPResponse:
        """What the application answers, as it is there to be read.

        Raises:
            CutConnection: it breaks off without an answer.
        """
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        target = (request.path_url if FINE(request.path_url) else _encode_target(request.path_url)).encode("ascii")
        path, _, query = target.partition(b"?")
        spoken: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            spoken.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.address,
            "client": ("127.0.0.1", 0),
            "scheme": "http",
            "method": request.method,
            "root_path": "",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "headers": self._headers(request),
        }
        with self._lock:
            try:
                _run(self.application(scope, receive, send))
            except CutConnection:
                raise
            except Exception:  # noqa: BLE001  as the server answers where an application fails
                spoken = spoken or FAILED
        return _as_read(str(request.method), spoken)

    def _headers(self, request: requests.PreparedRequest) -> list[tuple[bytes, bytes]]:
        """The header fields as urllib3 sends them: its own where the request has none."""
        own = [(_sent(name), _raw(value)) for name, value in request.headers.items()]
        there = {name for name, _ in own}
        given = {b"host": "{}:{}".format(*self.address), b"accept-encoding": "identity", b"user-agent": "python-urllib3"}
        return [*((name, value.encode()) for name, value in given.items() if name not in there), *own]


def _raw(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text


@lru_cache(maxsize=256)  # the same names with every request, and with every answer
def _sent(name: str | bytes) -> bytes:
    return _raw(name).lower()


@lru_cache(maxsize=256)
def _came(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing outside.

    Raises:
        GeneratorExit: it does wait.
    """
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise GeneratorExit("the emulator waits for something in the middle of a request")


def _as_read(method: str, spoken: list[Message]) -> HTTPResponse:
    start, *parts = spoken
    fields = [(_came(name), value.decode("latin-1")) for name, value in start["headers"]]
    message, headers = HTTPMessage(), HTTPHeaderDict()
    message._headers = fields  # type: ignore[attr-defined]  # as the parser leaves them; adding them one by one takes longer than the request
    for name, value in fields:
        headers._container.setdefault(name, [name]).append(value)
    return HTTPResponse(
        body=io.BytesIO(b"".join(part.get("body", b"") for part in parts)),
        headers=headers,
        status=start["status"],
        version=11,
        version_string="HTTP/1.1",
        reason=responses.get(start["status"], ""),
        preload_content=False,
        decode_content=False,
        original_response=SimpleNamespace(msg=message, close=lambda: None, isclosed=lambda: True),  # type: ignore[arg-type]  # for cookies
        request_method=method,
    )


class InProcess:
    """The emulators that listen in this process, by the addresses at which they do."""

    def __init__(self) -> None:
        self._served: dict[str, Served] = {}

    def send(self, adapter: HTTPAdapter, request: requests.PreparedRequest, *given: Any, **options: Any) -> requests.Response:
        """What stands in for `HTTPAdapter.send`."""
        parts = urlsplit(request.url or "")
        served = self._served.get(parts.netloc) if parts.scheme == "http" else None
        is_whole = request.body is None or isinstance(request.body, bytes | str)
        proxies = options.get("proxies")
        if (
            not served
            or request.method not in METHODS
            or not is_whole
            or not served.is_calm
            or (proxies and select_proxy(str(request.url), proxies))
        ):
            return SEND(adapter, request, *given, **options)
        try:
            return adapter.build_response(request, served.answer(request))
        except CutConnection:
            broken = ProtocolError("Connection aborted.", RemoteDisconnected("Remote end closed connection without response"))
            raise requests.ConnectionError(broken, request=request) from None

    def server(self) -> type[SERVER]:
        """The emulator's server, which is known here while it listens, and serves only once somebody connects
        to it."""
        served = self._served

        class Known(SERVER):
            def __init__(self, *given: Any) -> None:
                self._woken, self._waking = socket.socketpair()
                super().__init__(*given)

            @property
            def should_exit(self) -> bool:
                return self._should_exit

            @should_exit.setter
            def should_exit(self, value: bool) -> None:
                self._should_exit = value
                if value:
                    self._waking.close()

            def run(self, sockets: list[socket.socket] | None = None) -> None:
                application = self.config.app
                known: dict[str, Served] = {}
                if isinstance(application, app.App) and not self.config.is_ssl:
                    addresses = [each.getsockname() for each in sockets or ()]
                    known = {"{}:{}".format(*address): Served(application, address) for address in addresses}
                served.update(known)
                try:
                    if known:
                        self._ready()
                        select.select([*(sockets or ()), self._woken], (), ())
                    if not self.should_exit:
                        super().run(sockets)
                finally:
                    for name in known:
                        del served[name]
                    self._woken.close()
                    self._waking.close()

        return Known


@contextmanager
def emulators_in_process() -> Iterator[None]:
    """While it lasts, requests to emulators that are started meanwhile take the short way."""
    here = InProcess()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_Server", here.server())
        patch.setattr(app, "COMPRESS_ASIDE_FROM", 1 << 60)  # there is no loop here that other requests share
        patch.setattr(HTTPAdapter, "send", lambda adapter, *given, **options: here.send(adapter, *given, **options))
        yield
