"""One HTTP request: what is repeated, how long we wait, and what an error tells."""

from __future__ import annotations

import errno
import gzip
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from ssl import SSLContext
from threading import Thread
from typing import Any

import certifi
import pytest
import requests
import responses
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.http import faults, sessions
from connectors.dynamics.http.answers import Answer, NotSent
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.deadline import trusting
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.retry import MAX_BROKEN_BODIES, REPEATABLE
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import ConnectorError, Forbidden, ReadIncomplete, Throttled, Unauthorised, Unreachable
from rules.errors import UsageError

ROOT = "http://127.0.0.1:8765/api/data/v9.2/"
WHO = f"{ROOT}WhoAmI"


@pytest.fixture
def crm() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def naps() -> list[float]:
    return []


class TwoTokens:
    """A first token and, once that is rejected, a second."""

    def __init__(self) -> None:
        self.current = "eerste"

    def token(self) -> str:
        return self.current

    def renew(self, rejected: str) -> str | None:
        if rejected == "eerste":
            self.current = "tweede"
        return self.current

    def close(self) -> None:
        self.current = ""


def transport(naps: list[float], **settings: Any) -> Transport:
    environment = Environment(ROOT, **settings)
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    return Transport(environment, StaticToken("t0ken", ROOT), sleep=naps.append, chance=lambda: 1.0, now=lambda: now)


def error(code: str, message: str = "geheim") -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


def test_a_request_carries_ids_and_the_headers_that_the_service_recommends(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, json={})
    crm.get(WHO, json={})
    with transport(naps) as client:
        client.get("WhoAmI")
        client.get("WhoAmI")
    first, second = (call.request.headers for call in crm.calls)
    assert first["Authorization"] == "Bearer t0ken"
    assert (first["OData-Version"], first["If-None-Match"], first["Accept"]) == ("4.0", "null", "application/json")
    assert first["x-ms-client-request-id"] != second["x-ms-client-request-id"]
    assert first["x-ms-correlation-id"] == second["x-ms-correlation-id"]
    assert naps == []


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("EntityDefinitions(LogicalName='contact')?$select=LogicalName", "Strong"),
        ("systemusers(1)/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()", "Strong"),
        ("contacts?$select=contactid", None),
    ],
)
def test_definitions_and_privileges_are_asked_for_as_they_are_now(
    crm: responses.RequestsMock, naps: list[float], address: str, asked: str | None
) -> None:
    """A role may have been narrowed a moment ago, and the CRM answers from a cache of half a minute."""
    crm.get(ROOT + address.partition("?")[0], json={})
    with transport(naps) as client:
        client.get(address)
    assert crm.calls[0].request.headers.get("Consistency") == asked


@pytest.mark.parametrize("form", ["{}", "{{{}}}"])
def test_ids_are_told_in_one_form(crm: responses.RequestsMock, naps: list[float], form: str) -> None:
    """They are compared everywhere: by one of another form a hold on a dossier would not be found."""
    row = "0b5a7d1c-0000-4000-8000-00000000000a"
    crm.get(WHO, json={"UserId": form.format(row.upper()), "text": f"zie {form.format(row.upper())}"})
    with transport(naps) as client:
        assert json.loads(client.get("WhoAmI").body) == {"UserId": row, "text": f"zie {form.format(row.upper())}"}


def test_a_throttled_request_waits_as_long_as_the_server_asks(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=429, headers={"Retry-After": "7"}, json=error("0x80072322"))
    crm.get(WHO, json={"UserId": 1})
    with transport(naps) as client:
        assert json.loads(client.get("WhoAmI").body) == {"UserId": 1}
        assert (client.stats.requests, client.stats.retries, client.stats.throttled) == (2, 1, 1)
    assert naps == [7.0]
    assert client.stats.waited_s == 7.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "Fri, 01 May 2026 12:00:40 GMT"}, 40.0),
        ({"Retry-After": "Fri, 01 May 2026 12:00:40 GMT", "Date": "Fri, 01 May 2026 12:00:30 GMT"}, 10.0),
        ({"Retry-After": "Fri, 01 May 2026 11:00:00 GMT"}, 1.0),
        ({"Retry-After": "Fri, 01 May 2026 12:00:40", "Date": "Fri, 01 May 2026 12:00:30"}, 10.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "9999999999"}, 30.0),
        ({"Retry-After": "soon"}, 30.0),
        ({}, 30.0),
    ],
)
def test_the_wait_may_be_a_date_or_missing(crm: responses.RequestsMock, naps: list[float], headers: dict[str, str], seconds: float) -> None:
    crm.get(WHO, status=429, headers=headers, body="<html>busy</html>")
    crm.get(WHO, json={})
    with transport(naps) as client:
        client.get("WhoAmI")
    assert naps == [seconds]


def test_waiting_for_the_service_protection_is_bounded(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=429, headers={"Retry-After": "50"}, json=error("0x80072321"))
    with transport(naps, max_wait_s=120.0) as client, pytest.raises(Throttled) as caught:
        client.get("WhoAmI")
    assert naps == [50.0, 50.0]
    assert caught.value.service_code == "0x80072321"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_error_is_tried_again_with_longer_and_longer_waits(crm: responses.RequestsMock, naps: list[float], status: int) -> None:
    crm.get(WHO, status=status, body="<html>Lotte Peeters</html>")
    with transport(naps, retries=4) as client, pytest.raises(Unreachable) as caught:
        client.get("WhoAmI")
    assert naps == [0.5, 1.0, 2.0, 4.0]
    assert "Peeters" not in str(caught.value)


def test_a_gateway_that_asks_for_a_wait_gets_it(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=503, headers={"Retry-After": "9"})
    crm.get(WHO, json={})
    with transport(naps) as client:
        client.get("WhoAmI")
    assert naps == [9.0]


@pytest.mark.parametrize(("code", "is_repeated"), [("0x80044151", True), ("0x80044150", True), ("0x80040216", False), ("", False)])
def test_a_server_error_is_tried_again_only_with_a_code_that_passes(
    crm: responses.RequestsMock, naps: list[float], code: str, is_repeated: bool
) -> None:
    crm.get(WHO, status=500, json=error(code))
    if is_repeated:
        crm.get(WHO, json={})
    with transport(naps) as client:
        if is_repeated:
            client.get("WhoAmI")
        else:
            with pytest.raises(ConnectorError, match="500"):
                client.get("WhoAmI")
    assert len(naps) == int(is_repeated)


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectTimeout("https://host/?$filter=name"),
        requests.ReadTimeout("name"),
        requests.ConnectionError(urllib3.exceptions.ProtocolError("name")),
        requests.exceptions.ProxyError("name"),
        requests.exceptions.ChunkedEncodingError("name"),
        requests.exceptions.InvalidHeader("name"),
    ],
)
def test_a_lost_connection_is_tried_again_and_then_told_without_addresses(
    crm: responses.RequestsMock, naps: list[float], failure: Exception
) -> None:
    crm.get(WHO, body=failure)
    with transport(naps, retries=2) as client, pytest.raises(Unreachable) as caught:
        client.get("WhoAmI", where="WhoAmI")
    assert naps == [0.5, 1.0]
    assert "name" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_no_file_handles_left_is_no_fault_of_the_network(naps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("urllib3.util.connection.socket.socket", full)
    with transport(naps, retries=1) as client, pytest.raises(NotSent, match="files open") as caught:
        client.get("WhoAmI")
    assert "ulimit" in str(caught.value.hint)
    assert naps == [0.5]


def test_a_certificate_that_is_not_trusted_is_told_at_once(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, body=requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    with transport(naps) as client, pytest.raises(Unreachable, match="certificate"):
        client.get("WhoAmI")
    assert naps == []


def test_a_rejected_token_is_renewed_once(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=401, json=error("0x8005f101"))
    crm.get(WHO, json={})
    with Transport(Environment(ROOT), TwoTokens(), sleep=naps.append) as client:
        client.get("WhoAmI")
    assert [call.request.headers["Authorization"] for call in crm.calls] == ["Bearer eerste", "Bearer tweede"]
    assert naps == []


def test_a_token_that_is_rejected_twice_is_told_and_does_not_show(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=401, headers={"req_id": "r-1"})
    with Transport(Environment(ROOT), TwoTokens(), sleep=naps.append) as client, pytest.raises(Unauthorised) as caught:
        client.get("WhoAmI")
    assert len(crm.calls) == 2
    assert "tweede" not in f"{caught.value!r} {caught.value.hint} {vars(caught.value)}"
    assert caught.value.request_id == "r-1"


@pytest.mark.parametrize(("rejected", "gets_in"), [(2, True), (3, True), (4, False)])
def test_new_tokens_that_are_rejected_too_are_renewed_three_times(
    crm: responses.RequestsMock, naps: list[float], rejected: int, gets_in: bool
) -> None:
    """The token that another thread obtained may have lapsed again by the time it is used here."""

    class Fresh(TwoTokens):
        def renew(self, rejected: str) -> str | None:
            self.current = f"{rejected}+"
            return self.current

    for _ in range(rejected):
        crm.get(WHO, status=401)
    if gets_in:
        crm.get(WHO, json={})
    with Transport(Environment(ROOT), Fresh(), sleep=naps.append) as client:
        if gets_in:
            client.get("WhoAmI")
        else:
            with pytest.raises(Unauthorised):
                client.get("WhoAmI")
    assert [call.request.headers["Authorization"] for call in crm.calls] == [
        f"Bearer eerste{'+' * renewals}" for renewals in range(rejected + gets_in)
    ]


def test_a_static_token_cannot_be_renewed(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=401)
    with transport(naps) as client, pytest.raises(Unauthorised):
        client.get("WhoAmI")
    assert len(crm.calls) == 1


def test_a_redirect_is_not_followed(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=302, headers={"Location": "https://elsewhere.example/"})
    with transport(naps) as client, pytest.raises(ConnectorError, match="elsewhere"):
        client.get("WhoAmI")
    assert len(crm.calls) == 1


def test_a_cache_that_says_that_nothing_has_changed_is_told_as_that(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=304)
    with transport(naps) as client, pytest.raises(ConnectorError, match="nothing has changed") as told:
        client.get("WhoAmI")
    assert "cache" in told.value.hint


def test_the_affinity_cookie_is_not_kept(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, json={}, headers={"Set-Cookie": "ARRAffinity=abc; path=/"})
    crm.get(WHO, json={})
    with transport(naps) as client:
        client.get("WhoAmI")
        client.get("WhoAmI")
    assert "Cookie" not in crm.calls[1].request.headers


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_compressed_body_is_read(crm: responses.RequestsMock, naps: list[float], encoding: str) -> None:
    crm.get(WHO, body=gzip.compress(b'{"UserId": "x"}'), headers={"Content-Encoding": encoding})
    with transport(naps) as client:
        assert client.get("WhoAmI").body == b'{"UserId": "x"}'


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"x" * 999)[:-9]), ("gzip", b"no gzip"), ("br", b"x")],
    ids=["cut", "garbled", "not asked for"],
)
def test_a_body_that_broke_off_is_never_taken_for_an_answer(
    crm: responses.RequestsMock, naps: list[float], encoding: str, body: bytes
) -> None:
    crm.get(WHO, body=body, headers={"Content-Encoding": encoding})
    with transport(naps) as client, pytest.raises(ReadIncomplete) as caught:
        client.get("WhoAmI")
    assert "pass on its answers as they are" in caught.value.hint
    assert len(crm.calls) == 1 + MAX_BROKEN_BODIES


@responses.activate
@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 500, 501])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_for_people_that_refuses_is_no_word_of_the_crm(naps: list[float], status: int, method: str) -> None:
    """A gateway's, for a moment: what the CRM refuses is taken for refused from then on."""
    responses.add(method, f"{ROOT}audits", body=f"<h1>{status}</h1>", status=status, content_type="text/html; charset=utf-8")
    with transport(naps) as client, pytest.raises(ReadIncomplete, match=f"a web page answers .HTTP {status}") as refused:
        client.get("audits") if method == "GET" else client.send("POST", "audits")
    assert refused.value.status is None


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/xhtml+xml"])
def test_a_web_page_in_the_place_of_the_crm_is_told_as_that_and_asked_again(
    crm: responses.RequestsMock, naps: list[float], kind: str
) -> None:
    crm.get(WHO, body="<html>Aanmelden</html>", content_type=kind)
    with transport(naps) as client, pytest.raises(ReadIncomplete, match="a web page answers") as refused:
        client.get("WhoAmI")
    assert "proxy" in str(refused.value.hint)
    assert len(crm.calls) == 1 + MAX_BROKEN_BODIES
    with transport(naps) as client:
        assert client.get_bytes("WhoAmI", where="").body == b"<html>Aanmelden</html>"  # a file may be one
        with pytest.raises(ReadIncomplete):  # of what is sent otherwise it says nothing
            client.send("GET", "WhoAmI")


@pytest.mark.parametrize("failure", [ReadIncomplete("cut"), Unreachable("silent")])
def test_an_answer_that_used_up_its_time_is_not_asked_for_again(failure: ConnectorError) -> None:
    """Nor one for which all tries together took as long."""
    clock = [0.0]
    timeline = Timeline(lambda seconds: None, lambda: clock[0])
    client = Transport(Environment(ROOT, answer_s=300.0), StaticToken("t0ken", ROOT), timeline=timeline)
    tries = []

    def attempt() -> Answer:
        tries.append(clock[0])
        clock[0] += 160.0
        raise failure

    with pytest.raises(type(failure)):
        client.retry.until_answered(attempt, REPEATABLE)
    assert len(tries) == 2


def test_a_missing_privilege_is_named(crm: responses.RequestsMock, naps: list[float]) -> None:
    message = "Principal user (Id=1, Jan Janssens) is missing prvReadcf_fiche privilege (Id=2)"
    crm.get(WHO, status=403, json=error("0x80040220", message))
    with transport(naps) as client, pytest.raises(Forbidden) as caught:
        client.get("WhoAmI")
    assert "prvReadcf_fiche" in str(caught.value)
    assert "Janssens" not in str(caught.value)


def test_a_client_id_without_application_user_is_explained(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.get(WHO, status=403, json=error("0x80072560"))
    with transport(naps) as client, pytest.raises(Forbidden, match="application user"):
        client.get("WhoAmI")


@given(st.integers(400, 599), st.binary(max_size=200) | st.text().map(lambda text: json.dumps(error(text, text)).encode()))
def test_no_error_body_gets_into_a_message(status: int, body: bytes) -> None:
    found = faults.fault(status, body)
    told = str(faults.error(found))
    assert found.status == status
    assert told == str(faults.error(faults.Fault(status, found.code, found.privilege)))
    assert found.code == "" or len(found.code) <= 10


def test_a_batch_is_sent_once(crm: responses.RequestsMock, naps: list[float]) -> None:
    crm.post(f"{ROOT}$batch", status=503)
    with transport(naps) as client:
        assert client.post_batch(b"", "b", operations=1).status == 503
    assert len(crm.calls) == 1
    assert naps == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://org.example/api/data/v9.2/",
        "http://org.example/api/data/v9.2/",
        "https://org.example/",
        "https://user:pw@org.example/api/data/v9.2/",
        "https://org.example/api/data/v9.2/?x=1",
        "org.example",
        "https://[::1/api/data/v9.2/",
        "",
    ],
)
def test_an_address_that_is_no_web_api_root_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        Environment(url)


def test_an_address_is_normalised() -> None:
    environment = Environment(" https://CFBE.crm4.dynamics.com/api/data/v9.2 ")
    assert environment.url == "https://cfbe.crm4.dynamics.com/api/data/v9.2/"
    assert Environment("http://[::1]:80/api/data/v9.2").is_loopback


def test_settings_out_of_bounds_are_refused() -> None:
    for size in (0, 5001):
        with pytest.raises(UsageError):
            Environment(ROOT, page_size=size)
    with pytest.raises(UsageError):
        Environment(ROOT, batch_operations=1001)


@pytest.mark.parametrize(("status", "part"), [(400, "proxy"), (407, "proxy"), (418, "proxy"), (500, "proxy")])
def test_whatever_status_a_crm_answers_there_is_something_to_do(status: int, part: str) -> None:
    assert part in str(faults.error(faults.Fault(status)).hint)


def test_a_read_that_is_void_says_what_to_do() -> None:
    assert "repeat" in str(ReadIncomplete("A page is wrong.").hint)
    assert ReadIncomplete("A page is wrong.", hint="look here").hint == "look here"


def test_a_ca_file_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(UsageError, match="CA file") as refused:
            Environment(ROOT, ca_file=str(tmp_path / name))
        assert refused.value.hint == "look at crm_ca_file"
    assert Environment(ROOT, ca_file=certifi.where()).ca_file == certifi.where()


def test_a_proxy_that_wants_a_sign_in_is_told_as_that(naps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(server: socket.socket) -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                line.recv(4096)
                line.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=answer, args=(server,), daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        far = Environment("https://crm.fictief.example/api/data/v9.2/")
        with Transport(far, TwoTokens(), sleep=naps.append) as client, pytest.raises(NotSent, match="407") as refused:
            client.get("WhoAmI")
    assert "HTTPS_PROXY" in refused.value.hint


def test_proxies_of_the_environment_are_used_for_other_machines_only(
    crm: responses.RequestsMock, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    far = "https://cfbe.crm4.dynamics.com/api/data/v9.2/"
    trusted: list[str] = []

    def noted(bundle: str) -> SSLContext:
        trusted.append(bundle)
        return trusting(bundle)

    monkeypatch.setattr(sessions, "trusting", noted)
    crm.get(WHO, json={})
    crm.get(f"{far}WhoAmI", json={})
    with transport(naps) as client:
        client.get("WhoAmI")
    with Transport(Environment(far, ca_file=certifi.where()), TwoTokens(), sleep=naps.append) as client:
        client.get("WhoAmI")
    near_options, far_options = (call.request.req_kwargs for call in crm.calls)  # type: ignore[attr-defined]
    assert near_options["proxies"] == {}
    assert far_options["proxies"]["https"] == "http://proxy.example:3128"
    assert (far_options["verify"], trusted) == (True, [certifi.where()])


def test_an_address_of_the_service_that_has_no_host_is_an_error_and_no_bug(naps: list[float]) -> None:
    """What a file's address leads to is the service's to say."""
    with Transport(Environment(url=ROOT, retries=1), StaticToken("x", ROOT), sleep=naps.append) as transport:
        for url in ("https://files..example/x", "https:///x"):
            with pytest.raises(Unreachable) as caught:
                transport.get_elsewhere(url)
            assert "example" not in str(caught.value)


MEMBER = "on type 'Microsoft.Dynamics.CRM.cf_fiche'"


@pytest.mark.parametrize(
    ("status", "code", "message", "told"),
    [
        (400, "0x0", f"Could not find a property named 'cf_summary' {MEMBER}.", "no column cf_fiche.cf_summary (0x0)"),
        (400, "0x80060888", f"Could not find a property named 'cf_summary' {MEMBER}.", "no column cf_fiche.cf_summary"),
        (400, "0x80048D19", f"… The property 'cf_summary' does not exist {MEMBER}. Make sure …", "no column cf_fiche.cf_summary"),
        (404, "0x8006088a", "Resource not found for the segment 'cf_fiches'.", "no table with the set cf_fiches"),
        (404, "0x80060888", "Resource not found for the segment 'cf_fiches'.", "no table with the set cf_fiches"),
        (400, "0x80040265", f"Could not find a property named 'janssens' {MEMBER}.", "A plug-in"),
        (400, "0x0", f"Could not find a property named 'Lotte Janssens' {MEMBER}.", "HTTP 400"),
    ],
)
def test_what_there_is_not_is_told_by_its_name(status: int, code: str, message: str, told: str) -> None:
    said = str(faults.error(faults.fault(status, json.dumps(error(code, message)).encode())))
    assert told in said
    assert "anssens" not in said
