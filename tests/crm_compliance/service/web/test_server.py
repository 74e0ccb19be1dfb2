"""Who connects and does not behave: each costs little, and soon nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from crm_compliance.service.web.server import HEADER_BYTES, HEADERS, GuardedConnection, listening
from tests.crm_compliance.web import serving

LARGE = b"x" * (64 << 20)


async def small(request: Request) -> Response:
    return PlainTextResponse("well\n")


async def large(request: Request) -> Response:
    return Response(LARGE)


async def reading(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())}\n")


APP = Starlette(routes=[Route("/", small, methods=["GET", "POST"]), Route("/large", large), Route("/form", reading, methods=["POST"])])


@contextmanager
def served(**limits: float) -> Iterator[socket.SocketType]:
    """A function that connects to a service with these limits."""
    with listening(0) as listener, serving(APP, listener, connection=type("Limited", (GuardedConnection,), limits)):
        yield listener


def connected(listener: socket.SocketType, text: bytes = b"") -> socket.socket:
    client = socket.create_connection(listener.getsockname(), timeout=20)
    client.sendall(text)
    return client


def ends(client: socket.socket) -> bool:
    """Read to the end; fails with a time-out where there is none."""
    with client:
        try:
            while client.recv(1 << 20):
                pass
        except ConnectionError:
            pass
    return True


@pytest.mark.parametrize("text", [b"", b"GET / HTTP/1.1\r\nHost: h", b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HT"])
def test_headers_that_never_end_are_not_waited_for(text: bytes) -> None:
    with served(header_s=0.1) as listener:
        assert ends(connected(listener, text))


def test_an_endless_header_is_refused_before_it_takes_memory() -> None:
    with served() as listener, connected(listener, b"GET / HTTP/1.1\r\nHost: h\r\nX: ") as client:
        try:
            for _ in range(1000):
                client.sendall(b"x" * HEADER_BYTES)
        except ConnectionError:
            return  # it hung up
        answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400")


def test_what_is_no_http_gets_an_answer_with_the_guarding_headers() -> None:
    with served() as listener, connected(listener, b"\x16\x03\x01\x02 hello\r\n\r\n") as client:
        head = client.recv(65536).decode()
    assert head.startswith("HTTP/1.1 400")
    lines = {line.lower() for line in head.splitlines()}
    assert {f"{name}: {value}".lower() for name, value in HEADERS.items()} <= lines


@pytest.mark.parametrize(
    "lengths", [b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5"]
)
def test_what_says_twice_how_long_it_is_brings_no_second_request_along(lengths: bytes) -> None:
    """A proxy that believes the other length would take the second one for somebody else's."""
    smuggled = b"0\r\n\r\nGET /large HTTP/1.1\r\nHost: h\r\n\r\n"
    with served() as listener, connected(listener, b"POST /form HTTP/1.1\r\nHost: h\r\n" + lengths + b"\r\n\r\n" + smuggled) as client:
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


def test_many_that_hang_keep_nobody_else_out_for_long() -> None:
    """Beyond the limit one that hangs is closed at once; the others are gone after the time for headers."""
    with served(most=20, header_s=0.5) as listener, ExitStack() as held:
        clients = [held.enter_context(connected(listener)) for _ in range(40)]
        assert all(ends(client) for client in clients)
        assert requests.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=10).text == "well\n"


def test_a_crowd_that_only_holds_its_places_loses_them_to_whoever_asks() -> None:
    """Three times as many as there are places, all of one address, as everybody has behind a reverse proxy:
    some silent, some in the middle of their headers or of a form, some after an answer."""
    form = b"POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na=b"
    texts = (b"", b"GET / HTTP/1.1\r\nHost: h", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", form)
    with served(most=20, header_s=3600.0) as listener, ExitStack() as held:
        for number in range(60):
            with contextlib.suppress(ConnectionError):
                held.enter_context(connected(listener, texts[number % len(texts)]))
        for _ in range(30):
            assert requests.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=10).text == "well\n"


def test_who_is_being_answered_keeps_the_place() -> None:
    with served(most=1, header_s=3600.0) as listener, connected(listener, b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n") as client:
        taken = len(client.recv(1))
        assert ends(connected(listener)), "there is no place for one more, and nobody idle to give way"
        while taken < len(LARGE) and (piece := client.recv(1 << 20)):
            taken += len(piece)
        assert taken >= len(LARGE)


def test_an_answer_that_nobody_takes_is_broken_off() -> None:
    lost = threading.Event()

    class Watched(GuardedConnection):
        stall_s = 0.2

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    with listening(0) as listener, serving(APP, listener, connection=Watched):
        client = connected(listener, b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        assert lost.wait(20), "nothing was taken, and the service still waits"
        with client:
            taken = 0
            with contextlib.suppress(ConnectionError):
                while piece := client.recv(1 << 20):
                    taken += len(piece)
        assert taken < len(LARGE)


def test_a_body_that_nobody_asked_for_is_not_waited_for() -> None:
    with served() as listener:
        client = connected(listener, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nx")
        assert ends(client)


def test_a_form_that_never_ends_is_not_waited_for() -> None:
    with served(body_s=0.2) as listener:
        assert ends(connected(listener, b"POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na=b"))


def test_the_time_for_a_form_ends_with_it() -> None:
    """A connection that has sent one whole goes on, and the next form has its own time."""
    form = b"POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"
    with served(body_s=3600.0) as listener, connected(listener) as client:
        for _ in range(2):
            client.sendall(form + b"a=b")
            client.sendall(b"&c=def")
            answer = b""
            while not answer.endswith(b"\r\n\r\n9\n"):  # head and body may come apart
                piece = client.recv(65536)
                assert piece
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200")


def test_a_connection_does_not_last_for_ever() -> None:
    with served(connection_s=0.2) as listener:
        assert ends(connected(listener, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
