"""Links to released packages, as the people who hold them use them: over real HTTP."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import requests

from crm_compliance.keys.request_seals import Sealing
from crm_compliance.service.web.app import CHUNK, TRIES, app_of, hosts_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.service.web.server import HEADERS, listening
from crm_compliance.store.sql.problems import StoreUnusable
from crm_compliance.store.store import SqlStore
from jobs.model.request import PACKAGE, SubjectRequest
from jobs.register.request_steps import Actor
from jobs.register.transitions import renew
from jobs.requests.answer.download_link import TIMES, VALID, Link, digest_of, new_link
from rules.dates.calendar import BELGIAN
from rules.errors import Refused, UsageError
from rules.model.languages import LANGUAGES
from rules.model.requests import Channel, RequesterKind, RequestState, Right
from tests.crm_compliance.web import serving
from tests.drivers.clock import Clock

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ZIP = b"PK" + bytes(range(256)) * 2000


@dataclass
class Desk:
    """A store with one released answer, and the service in front of it."""

    store: SqlStore
    clock: Clock
    downloads: Downloads
    link: Link
    root: str
    id: str = "request-0123456789ab"

    @property
    def url(self) -> str:
        return f"{self.root}/d/{self.link.token}"

    @property
    def row(self) -> SubjectRequest:
        return self.store.requests.get(self.id)

    def change(self, **changes: Any) -> None:
        self.store.requests.save(msgspec.structs.replace(self.row, **changes), since=self.row)

    def receipts(self) -> list[dict[str, Any]]:
        return [dict(entry.data) for entry in self.store.ledger.entries() if entry.kind == "request_downloaded"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock(NOW)
    with closing(SqlStore.open(f"sqlite:///{tmp_path / 'state.db'}", clock=clock, sealer=Sealing(tmp_path))) as store:
        link = new_link(NOW)
        row = SubjectRequest(
            id=Desk.id,
            right=Right.ACCESS,
            requester_kind=RequesterKind.UNKNOWN,
            channel=Channel.FORM,
            received_at=NOW,
            received_on=date(2026, 5, 4),
            language="nl",
            on_behalf=False,
            state=RequestState.RELEASED,
            released_at=NOW,
            link=link.digest,
            link_until=link.until,
        )
        store.requests.add(row, {PACKAGE: ZIP}, ("request", {"request": row.id}))
        downloads = Downloads(store, clock)
        with listening(0) as listener, serving(app_of(downloads), listener) as root:
            yield Desk(store, clock, downloads, link, root)


def test_a_link_hands_out_the_archive_and_leaves_a_receipt(desk: Desk) -> None:
    """EXP-16."""
    answer = requests.get(desk.url, timeout=10)
    assert (answer.status_code, answer.content) == (200, ZIP)
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="package.zip"'
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Cache-Control"] == "no-store"
    assert "server" not in answer.headers
    assert desk.row.downloads == (NOW,)
    assert desk.receipts() == [{"request": desk.id, "at": "2026-05-04T12:00:00+00:00", "number": 1}]


@pytest.mark.parametrize("step", ["linked", "part"])
def test_who_comes_while_the_database_is_away_is_told_to_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def away(*_: object) -> None:
        raise StoreUnusable("the database cannot be reached", where="postgresql://crm@db.example/crm")

    with monkeypatch.context() as outage:
        outage.setattr(desk.store.requests, step, away)
        answer = requests.get(desk.url, timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert all(f'<p lang="{each}">' in answer.text for each in LANGUAGES)
    assert not re.search("postgresql|crm@", answer.text)
    assert requests.get(desk.url, timeout=10).content == ZIP


def test_a_look_at_a_link_does_not_count(desk: Desk) -> None:
    """A mail scanner asks with HEAD."""
    answer = requests.head(desk.url, timeout=10)
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, str(len(ZIP)), b"")
    assert desk.row.downloads == ()


def test_five_downloads_and_no_more(desk: Desk) -> None:
    """EXP-16."""
    answers = [requests.get(desk.url, timeout=10).status_code for _ in range(TIMES + 2)]
    assert answers == [200] * 5 + [404] * 2
    assert requests.head(desk.url, timeout=10).status_code == 404


def test_fourteen_days_and_no_longer(desk: Desk) -> None:
    """EXP-16."""
    assert timedelta(days=14) == VALID
    desk.clock.now = NOW + VALID - timedelta(seconds=1)
    assert requests.get(desk.url, timeout=10).status_code == 200
    desk.clock.now = NOW + VALID
    assert requests.get(desk.url, timeout=10).status_code == 404


def test_whatever_is_wrong_looks_the_same(desk: Desk) -> None:
    """Unknown, withdrawn, used up, lapsed, deleted: one answer."""

    def seen(url: str = desk.url) -> tuple[int, bytes, dict[str, str]]:
        answer = requests.get(url, timeout=10)
        return answer.status_code, answer.content, {key: value for key, value in answer.headers.items() if key.lower() != "date"}

    unknown = seen(f"{desk.root}/d/{new_link(NOW).token}")
    found = [seen(f"{desk.root}/{path}") for path in ("d/x", "d/x/y", "", f"d/{desk.link.digest}", "d", f"d/{desk.link.token}/")]
    for changes in ({"misdelivered_at": NOW}, {"misdelivered_at": None, "downloads": (NOW,) * 5}, {"downloads": (), "link_until": NOW}):
        desk.change(**changes)
        found.append(seen())
    desk.change(link_until=NOW + VALID)
    assert seen()[0] == 200
    desk.store.requests.save(desk.row, since=desk.row, parts={PACKAGE: None})
    found.append(seen())
    assert all(each == unknown for each in found)
    assert unknown[0] == 404
    told = unknown[1].decode()
    assert [language for language in LANGUAGES if f'<p lang="{language}">' not in told] == [], (
        "whoever asked is told in the language of the letter"
    )


def test_an_answer_that_is_not_out_yet_has_no_link(desk: Desk) -> None:
    desk.change(state=RequestState.APPROVED)
    assert requests.get(desk.url, timeout=10).status_code == 404


def test_a_closed_request_can_still_be_fetched(desk: Desk) -> None:
    desk.change(state=RequestState.CLOSED, closed_at=NOW)
    assert requests.get(desk.url, timeout=10).status_code == 200


def test_a_download_that_breaks_off_does_not_count(desk: Desk) -> None:
    """The receipt is for whoever has the whole file."""
    large = ZIP * 40  # more than the buffers between the two take
    desk.store.requests.save(desk.row, since=desk.row, parts={PACKAGE: large})
    part = requests_part(desk.url)
    assert 0 < len(part) < len(large)
    assert requests.get(desk.url, timeout=30).content == large
    assert desk.row.downloads == (NOW,)


def requests_part(url: str) -> bytes:
    """Ask for the archive, take its beginning and hang up; the buffers between are kept small, so that the
    service cannot run ahead."""
    parts = urlsplit(url)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((parts.hostname, parts.port))
        client.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        got = client.recv(2048)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    return got


def test_those_that_are_under_way_count_as_long_as_they_are(desk: Desk) -> None:
    """Six at once are five, whoever is first."""
    with desk.downloads.taken(desk.link.token) as one:
        assert one is not None
        assert (one.request, one.content) == (desk.id, ZIP)
        desk.change(downloads=(NOW,) * 4)
        with desk.downloads.taken(desk.link.token) as other:
            assert other is None
    with desk.downloads.taken(desk.link.token) as again:
        assert again is not None


def test_many_at_once_never_get_more_than_five(desk: Desk) -> None:
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(requests.get(desk.url, timeout=30).status_code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(200) == len(desk.row.downloads) == TIMES
    assert codes.count(200) + codes.count(404) == 12


def test_one_that_is_being_counted_is_one_of_the_five_and_not_two(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the fifth would be refused who asks at that moment, when the register has it and it is still under
    way."""
    desk.change(downloads=(NOW,) * 3)
    found: list[int | None] = []
    fifth = threading.Thread(target=lambda: found.append(desk.downloads.look_up(desk.link.token)))
    save = desk.store.requests.save

    def counted(*given: Any, **named: Any) -> None:
        save(*given, **named)
        fifth.start()
        while fifth.is_alive() and not desk.downloads._lock.locked():
            pass

    with desk.downloads.taken(desk.link.token) as taken:
        assert taken is not None
        monkeypatch.setattr(desk.store.requests, "save", counted)
        desk.downloads.receipt(taken)
    fifth.join()
    assert found == [len(ZIP)]


def test_a_package_that_is_withdrawn_while_it_is_under_way_gets_no_receipt(desk: Desk) -> None:
    with desk.downloads.taken(desk.link.token) as taken:
        assert taken is not None
        desk.change(misdelivered_at=NOW)
        with pytest.raises(Refused) as caught:
            desk.downloads.receipt(taken)
    assert caught.value.code == "gone"
    assert desk.receipts() == []


def test_the_register_and_the_ledger_know_no_token(desk: Desk, tmp_path: Path) -> None:
    requests.get(desk.url, timeout=10)
    assert desk.row.link == digest_of(desk.link.token) == hashlib.sha256(desk.link.token.encode()).hexdigest()
    assert len(desk.link.token) >= 43  # 256 bits
    assert all(desk.link.token.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_no_log_has_a_token(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        requests.get(desk.url, timeout=10)
        requests.get(f"{desk.root}/d/another", timeout=10)
        requests_part(desk.url)
    served = [record.getMessage() for record in caplog.records if record.name.startswith(("uvicorn", "crm_compliance"))]
    assert not any(desk.link.token in message or "another" in message for message in served)


def test_only_reading_is_allowed(desk: Desk) -> None:
    answers = [requests.request(method, desk.url, timeout=10) for method in ("POST", "PUT", "DELETE", "OPTIONS")]
    assert [answer.status_code for answer in answers] == [405] * 4
    assert all(answer.headers.items() >= HEADERS.items() for answer in answers)
    assert desk.row.downloads == ()


def test_the_service_says_that_it_is_up(desk: Desk) -> None:
    """Contract 6."""
    answer = requests.get(f"{desk.root}/healthz", timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_nobody_tries_a_thousand_tokens(desk: Desk) -> None:
    codes = [requests.get(f"{desk.root}/d/{number}", timeout=10).status_code for number in range(TRIES + 1)]
    assert codes == [404] * TRIES + [429]


def test_whoever_holds_a_link_is_not_refused_for_what_others_try(desk: Desk) -> None:
    for number in range(TRIES + 5):
        requests.get(f"{desk.root}/d/{number}", timeout=10)
    assert requests.get(f"{desk.root}/d/one-more", timeout=10).status_code == 429
    assert requests.get(desk.url, timeout=10).content == ZIP


def test_nobody_is_somebody_else_by_his_own_word(desk: Desk) -> None:
    """Without a proxy that is named in the settings, what a request says of its sender counts for nothing."""
    codes = [
        requests.get(f"{desk.root}/d/{number}", headers={"X-Forwarded-For": f"192.0.2.{number}"}, timeout=10).status_code
        for number in range(TRIES + 1)
    ]
    assert codes == [404] * TRIES + [429]


def test_a_proxy_that_is_trusted_says_for_whom_it_asks(desk: Desk) -> None:
    with listening(0) as listener, serving(app_of(desk.downloads), listener, trusted_proxies=["127.0.0.0/8"]) as root:
        codes = [
            requests.get(f"{root}/d/{number}", headers={"X-Forwarded-For": f"192.0.2.{number % 2}"}, timeout=10).status_code
            for number in range(2 * TRIES + 1)
        ]
    assert codes == [404] * 2 * TRIES + [429]


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "example.org:80",
        "127.0.0.1.example.org",
        "[::2]",
        "[",
        "a/b",
        "",
        "example.org@127.0.0.1",
        "127.0.0.1/x",
        "127.0.0.1?x",
    ],
)
def test_another_host_is_not_served(desk: Desk, host: str) -> None:
    """No answer, and no address in one, follows from a host that somebody else has chosen."""
    answer = requests.get(desk.url, headers={"Host": host}, timeout=10, allow_redirects=False)
    assert answer.status_code in (400, 421)
    assert "location" not in answer.headers
    assert answer.headers.items() >= HEADERS.items()
    assert desk.row.downloads == ()


def test_the_host_that_people_know_is_served(desk: Desk) -> None:
    hosts = hosts_of("https://Compliance.Example.org/crm")
    with listening(0) as listener, serving(app_of(desk.downloads, hosts=hosts), listener) as root:
        for host in ("compliance.example.org", "COMPLIANCE.example.org:443", "localhost:8080"):
            assert requests.get(f"{root}/healthz", headers={"Host": host}, timeout=10).status_code == 200


def test_a_link_that_a_proxy_used_up_can_be_renewed(desk: Desk) -> None:
    """EXP-16: a proxy that takes the whole archive and does not hand it on has used one of the five."""
    for _ in range(TIMES):
        requests.get(desk.url, timeout=10)
    assert requests.get(desk.url, timeout=10).status_code == 404
    desk.clock.now += timedelta(hours=1)
    actor = Actor(desk.store, "dora", "dpo", desk.clock.now, lambda kind, name: f"{kind}-reference", BELGIAN)
    renew(actor, desk.id)
    desk.clock.now += timedelta(hours=1)
    assert [requests.get(desk.url, timeout=10).status_code for _ in range(TIMES + 1)] == [200] * TIMES + [404]
    assert [entry.data["step"] for entry in desk.store.ledger.entries() if entry.data.get("step")] == ["renew"]
    for changes in ({"link_until": NOW}, {"link": ""}):
        desk.change(**changes)
        with pytest.raises(Refused) as caught:
            renew(actor, desk.id)
        assert caught.value.code == "gone"


def test_a_port_that_is_taken_is_said_at_once() -> None:
    with listening(0) as listener, pytest.raises(UsageError) as caught, listening(listener.getsockname()[1]):
        pass
    assert caught.value.exit_code == 2


def test_pieces_are_smaller_than_a_package_can_be() -> None:
    assert io.BytesIO(ZIP).getbuffer().nbytes > 4 * CHUNK
