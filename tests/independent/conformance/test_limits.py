"""Section 7.1: service protection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.independent.conformance.served import END, PART, Crm, error, message

pytestmark = pytest.mark.row(16)
TEXT = {
    "0x80072322": "Number of requests exceeded the limit of {} over time window of 300 seconds.",
    "0x80072321": "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of 300 seconds. "
    "Decrease number of concurrent requests or reduce the duration of requests and try again later.",
    "0x80072326": "Number of concurrent requests exceeded the limit of {}.",
}


@pytest.fixture(autouse=True)
def fresh(crm: Crm) -> Iterator[None]:
    before = crm.control("GET", "limits")
    crm.control("POST", "reset", {"empty": True})
    crm.http.cookies.clear()
    yield
    crm.control("PUT", "limits", before)
    crm.control("PUT", "faults", [])
    crm.control("PUT", "clock", {"real": True})


def pinned(crm: Crm, server: str, token: str = "t") -> Crm:
    caller = Crm(crm.root, token)
    caller.http.headers["Cookie"] = f"ARRAffinity={server}"
    return caller


def flood(crm: Crm, server: str, number: int) -> bytes:
    """So many requests over one connection, each sent before the last was answered."""
    place = urlsplit(crm.root)
    start = f"GET {crm.path}WhoAmI HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer t\r\nCookie: ARRAffinity={server}\r\n"
    with socket.create_connection((str(place.hostname), place.port or 80), 30) as line, ThreadPoolExecutor(1) as pool:
        pool.submit(line.sendall, ((start + "\r\n") * (number - 1) + start + "Connection: close\r\n\r\n").encode())
        told = bytearray()
        while chunk := line.recv(1 << 20):
            told += chunk
    return bytes(told)


def test_the_6001st_request_in_300_seconds_is_429(crm: Crm) -> None:
    """7.1: '6,000 in a sliding 300 s window; 0x80072322 Number of requests exceeded the limit of 6000 over
    time window of 300 seconds.'"""
    crm.control("PUT", "clock", {"now": "2026-03-14T12:00:00Z"})
    told = flood(crm, "aa", 6000)
    assert (told.count(b"HTTP/1.1 200 OK"), told.count(b"HTTP/1.1 429")) == (6000, 0)
    answer = pinned(crm, "aa").get("WhoAmI")
    assert error(answer) == (429, "0x80072322")
    assert message(answer) == TEXT["0x80072322"].format(6000)
    assert answer.headers["Content-Type"] == "application/json; odata.metadata=minimal"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "0"
    assert pinned(crm, "bb").get("WhoAmI").status_code == 200  # "Limits are counted per web server"
    assert crm.control("GET", "stats")["throttled"] == 1
    crm.control("PUT", "clock", {"now": "2026-03-14T12:06:40Z"})
    assert pinned(crm, "aa").get("WhoAmI").status_code == 200


def test_requests_during_the_penalty_lengthen_it(crm: Crm) -> None:
    """7.1: 'Retry-After = integer seconds; grows while the client keeps sending'."""
    crm.control("PUT", "limits", {"requests": 3})
    crm.control("PUT", "clock", {"now": "2026-03-14T12:00:00Z"})
    caller = pinned(crm, "aa")
    waits = [int(answer.headers["Retry-After"]) for answer in (caller.get("WhoAmI") for _ in range(9)) if answer.status_code == 429]
    assert len(waits) == 6
    assert waits == sorted(waits)
    assert waits[-1] > waits[0]


def test_who_waits_as_told_is_let_in(crm: Crm) -> None:
    """7.1: 'the documentation tells clients to wait that long'."""
    crm.control("PUT", "limits", {"requests": 3})
    crm.control("PUT", "clock", {"now": "2026-03-14T12:00:00Z"})
    caller = pinned(crm, "aa")
    wait = [caller.get("WhoAmI") for _ in range(4)][-1].headers["Retry-After"]
    crm.control("PUT", "clock", {"advance_s": int(wait) + 1})
    assert caller.get("WhoAmI").status_code == 200


def test_another_user_has_a_limit_of_its_own(crm: Crm) -> None:
    """7.1: 'Service protection (per user, per web server)'; 1.4 each client_id is a user."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "20000000-0000-4000-8000-000000000002",
        "client_secret": "s",
        "scope": crm.origin + "/.default",
    }
    token = crm.http.post(f"{crm.origin}/t/oauth2/v2.0/token", data=form).json()["access_token"]
    crm.control("PUT", "limits", {"requests": 1})
    mine = pinned(crm, "aa")
    assert [mine.get("WhoAmI").status_code for _ in range(2)] == [200, 429]
    assert pinned(crm, "aa", token).get("WhoAmI").status_code == 200


def test_the_headers_count_down(crm: Crm) -> None:
    """1.10: 'x-ms-ratelimit-burst-remaining-xrm-requests'."""
    caller = pinned(crm, "aa")
    left = [int(caller.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) for _ in range(3)]
    assert left == [5999, 5998, 5997]


def test_execution_time_is_limited(crm: Crm) -> None:
    """7.1: '0x80072321 Combined execution time of incoming requests exceeded limit of 1,200,000
    milliseconds'."""
    crm.control("PUT", "limits", {"execution_s": 0.05})
    crm.control("PUT", "faults", [{"match": {"path": "WhoAmI"}, "do": "latency", "ms": 60}])
    caller = pinned(crm, "aa")
    caller.get("WhoAmI")
    answer = caller.get("WhoAmI")
    assert error(answer) == (429, "0x80072321")
    assert message(answer) == TEXT["0x80072321"].format("50")
    assert int(answer.headers["Retry-After"]) > 0


def test_concurrency_is_limited_at_once(crm: Crm) -> None:
    """7.1: '0x80072326 Number of concurrent requests exceeded the limit of 52.'"""
    crm.control("PUT", "limits", {"concurrent": 2})
    crm.control("PUT", "faults", [{"match": {"path": "WhoAmI"}, "do": "latency", "ms": 250}])
    callers = [pinned(crm, "aa") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda caller: caller.get("WhoAmI"), callers))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 2
    assert error(refused[0]) == (429, "0x80072326")
    assert message(refused[0]) == TEXT["0x80072326"].format(2)
    crm.control("PUT", "faults", [])


def test_a_throttled_batch_is_refused_as_a_whole(crm: Crm) -> None:
    """5.4: 'the usual symptom is an outer 429 with JSON body and Retry-After'; a batch is one request."""
    crm.control("PUT", "limits", {"requests": 2})
    body = (PART.format("GET contacts?$top=1") * 20 + END).encode()
    caller = pinned(crm, "aa")
    answers = [caller.batch(body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].text.count("HTTP/1.1 200 OK") == 20
    assert error(answers[2]) == (429, "0x80072322")


@pytest.mark.parametrize(("code", "limit"), [("0x80072322", "6000"), ("0x80072321", "1,200,000"), ("0x80072326", "52")])
def test_each_kind_of_429_can_be_called_up(crm: Crm, code: str, limit: str) -> None:
    """7.1: codes and exact messages of the three limits."""
    crm.control("PUT", "faults", [{"match": {"path": "contacts"}, "do": "status", "status": 429, "retry_after": 37, "code": code}])
    answer = crm.get("contacts")
    assert error(answer) == (429, code)
    assert answer.headers["Retry-After"] == "37"
    assert message(answer) == TEXT[code].format(limit)


def test_limits_can_be_turned_off(crm: Crm) -> None:
    """contract 3.1: '--limits on|off'."""
    crm.control("PUT", "limits", {"requests": 1, "on": False})
    caller = pinned(crm, "aa")
    statuses: list[Any] = [caller.get("WhoAmI").status_code for _ in range(3)]
    assert statuses == [200, 200, 200]
