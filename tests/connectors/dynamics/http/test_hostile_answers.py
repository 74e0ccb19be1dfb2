"""A CRM, or something that answers in its place, that sends what no client should swallow."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import requests

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.deadline import DeadlineAdapter
from connectors.dynamics.http.entra import PatientSession
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.interface.errors import ReadIncomplete, Unreachable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def whole() -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 2\r\n\r\n{}"


@contextmanager
def answering(pieces: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """A server on this machine that sends these pieces to whoever connects; gives the root of its Web API."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    for piece in pieces():
                        connection.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/data/v9.2/"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def transport(root: str, **settings: Any) -> Transport:
    return Transport(Environment(root, retries=1, **settings), StaticToken("t0ken", root), sleep=lambda _: None)


@pytest.fixture
def a_second_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock of an answer finds it a second later, so that nothing has to be waited for."""
    ticks = count()
    made = DeadlineAdapter.__init__

    def ticking(self: DeadlineAdapter, answer_s: float, **options: Any) -> None:
        made(self, answer_s, now=lambda: float(next(ticks)), **options)

    monkeypatch.setattr(DeadlineAdapter, "__init__", ticking)


@pytest.mark.usefixtures("a_second_a_look")
def test_a_body_that_drips_for_ever_is_broken_off() -> None:
    def pieces() -> Iterator[bytes]:
        yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        yield from endless(b"1\r\n \r\n")

    with answering(pieces) as root, transport(root, answer_s=20) as client, pytest.raises(ReadIncomplete):
        client.get("WhoAmI")


@pytest.mark.usefixtures("a_second_a_look")
def test_headers_that_drip_for_ever_are_broken_off() -> None:
    def pieces() -> Iterator[bytes]:
        yield HEAD + b"X: "
        for _ in range(40):  # fewer than a line of headers may have
            yield b"x" * 512

    with answering(pieces) as root, transport(root, answer_s=5) as client, pytest.raises(Unreachable):
        client.get("WhoAmI")


@pytest.mark.usefixtures("a_second_a_look")
def test_each_answer_has_its_own_time() -> None:
    with answering(whole) as root, transport(root, answer_s=10) as client:
        assert [client.get("WhoAmI").body for _ in range(20)] == [b"{}"] * 20


@pytest.mark.usefixtures("a_second_a_look")
@pytest.mark.parametrize("piece", [b"1\r\n \r\n", b"%x\r\n%s\r\n" % (1 << 18, bytes(1 << 18))])
def test_a_sign_in_service_that_drips_or_pours_for_ever_is_broken_off(piece: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        yield from endless(piece)

    naps: list[float] = []
    with answering(pieces) as root, PatientSession(None, sleep=naps.append) as session, pytest.raises(requests.ConnectionError):
        session.post(root, data={"client_secret": "zeer geheim"})
    assert len(naps) == PatientSession.ATTEMPTS - 1


def test_a_small_body_that_unpacks_to_a_large_one_is_broken_off_before_it_fills_the_memory() -> None:
    bomb = gzip.compress(bytes(400 << 20), 9)

    def pieces() -> Iterator[bytes]:
        yield HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode() + bomb

    with answering(pieces) as root, transport(root, max_answer_bytes=8 << 20) as client:
        tracemalloc.start()
        try:
            with pytest.raises(ReadIncomplete):
                client.get("WhoAmI")
            assert tracemalloc.get_traced_memory()[1] < 64 << 20
        finally:
            tracemalloc.stop()


def test_a_body_without_an_end_is_broken_off() -> None:
    def pieces() -> Iterator[bytes]:
        yield HEAD + b"\r\n"
        yield from endless(b" " * 65536)

    with answering(pieces) as root, transport(root, max_answer_bytes=4 << 20) as client, pytest.raises(ReadIncomplete):
        client.get("WhoAmI")


def test_a_host_is_asked_again_after_another_one() -> None:
    """The pool of the first is closed by then: a thread keeps that of one host."""
    with answering(whole) as root, answering(whole) as elsewhere, transport(root) as client:
        asked = [client.get("WhoAmI"), client.get_elsewhere(elsewhere), client.get("WhoAmI"), client.get_elsewhere(elsewhere)]
    assert [answer.body for answer in asked] == [b"{}"] * 4
