"""What is asked without sockets is answered as it is over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from requests.adapters import HTTPAdapter

from connectors.dynamics.http.bodies import read_body
from connectors.dynamics.http.deadline import DeadlineAdapter
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.emulator.serving.wire import CutConnection
from tests import in_process

TOKEN = "test-token"
ITS_OWN = {"date", "req_id", "x-ms-service-request-id", "authactivityid"}  # another in each answer, as what is left of the limits
ROW = "11111111-1111-4111-8111-111111111111"
BATCH = "\r\n".join(
    (
        "--b",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "GET /api/data/v9.2/contacts HTTP/1.1",
        "",
        "--b--",
        "",
    )
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with in_process.emulators_in_process(), running(token=TOKEN, limits=False) as started:
        started.load([("contact", {"lastname": f"Fictief {number} é"}) for number in range(200)])
        yield started


@pytest.fixture
def ways(emulator: RunningEmulator) -> Iterator[tuple[requests.Session, requests.Session]]:
    """A session without sockets, and one over HTTP; faults are gone afterwards."""
    short, real = _session(), _session()
    real.mount("http://", _Real())
    yield short, real
    for session in (short, real):
        session.close()
    emulator.emulator.faults.replace([])


class _Real(HTTPAdapter):
    def send(self, *given: object, **options: object) -> requests.Response:
        return in_process.SEND(self, *given, **options)  # type: ignore[arg-type]


def _session() -> requests.Session:
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {TOKEN}", "Accept": "application/json", "Accept-Encoding": "gzip"})
    return session


def _seen(answer: requests.Response) -> tuple[object, ...]:
    given = {name.lower(): value for name, value in answer.headers.items()}
    headers = {name: "" if name in ITS_OWN or "-remaining-" in name else value for name, value in given.items()}
    cookies = headers.pop("set-cookie", "").partition("ReqClientId")[0]
    return answer.status_code, answer.reason, headers, cookies, answer.content, answer.encoding, sorted(answer.cookies.keys())


@pytest.mark.parametrize(
    ("method", "address", "options"),
    [
        ("GET", "/api/data/v9.2/contacts?$select=lastname", {}),
        ("GET", "/api/data/v9.2/contacts?$select=lastname&$filter=lastname eq 'Fictief 1 é'", {}),
        ("GET", "/api/data/v9.2/contacts?$filter=lastname%20eq%20%27Fictief%201%20%c3%a9%27&$select=lastname", {}),
        ("GET", "/api/data/v9.2/contacts?$select=lastname", {"headers": {"Accept-Encoding": "identity", "Prefer": "odata.maxpagesize=10"}}),
        ("GET", f"/api/data/v9.2/contacts({ROW})", {}),
        ("GET", "/api/data/v9.2/no%2Fsuch set?x=|", {}),
        ("GET", "/api/data/v9.2/contacts", {"headers": {"Authorization": "Bearer another"}}),
        ("PATCH", f"/api/data/v9.2/contacts({ROW})", {"json": {"firstname": "Lotte (fictief)"}}),
        ("DELETE", f"/api/data/v9.2/contacts({ROW[:-1]}2)", {}),
        ("POST", "/api/data/v9.2/contacts", {"data": "no JSON é", "headers": {"Content-Type": "application/json"}}),
        (
            "POST",
            "/api/data/v9.2/$batch",
            {"data": BATCH, "headers": {"Content-Type": "multipart/mixed; boundary=b", "Accept-Encoding": ""}},
        ),
        ("HEAD", "/api/data/v9.2/contacts", {}),
        ("GET", "/_emulator/switches", {}),
        ("PUT", "/_emulator/clock", {"json": {"advance_s": "x"}}),
        ("GET", "/adfs/.well-known/openid-configuration", {}),
        ("POST", "/adfs/oauth2/token", {"data": {"grant_type": "client_credentials"}}),
        ("GET", "/nowhere", {}),
        ("DELETE", "/_emulator/reset", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_is_the_same_both_ways(
    emulator: RunningEmulator,
    ways: tuple[requests.Session, requests.Session],
    method: str,
    address: str,
    options: dict[str, object],
) -> None:
    short, real = (session.request(method, emulator.root + address, **options) for session in ways)  # type: ignore[arg-type]
    assert _batchless(_seen(short)) == _batchless(_seen(real))


def _batchless(seen: tuple[object, ...]) -> tuple[object, ...]:
    """A batch is answered with a boundary of its own."""
    kind = str(seen[2]["content-type"]) if isinstance(seen[2], dict) and "content-type" in seen[2] else ""
    boundary = kind.partition("boundary=")[2] or "no boundary"
    return tuple(
        {name: str(value).replace(boundary, "") for name, value in part.items()}
        if isinstance(part, dict)
        else part.replace(boundary.encode(), b"")
        if isinstance(part, bytes)
        else part
        for part in seen
    )


def test_the_products_adapter_reads_the_same_body(emulator: RunningEmulator, ways: tuple[requests.Session, requests.Session]) -> None:
    short, real = ways
    short.mount("http://", DeadlineAdapter(30.0))
    url = f"{emulator.url}contacts?$select=lastname"
    answers = [session.get(url, stream=True) for session in (short, real)]
    assert [answer.headers["Content-Encoding"] for answer in answers] == ["gzip", "gzip"]
    bodies = [read_body(answer, 1 << 30) for answer in answers]
    assert len(bodies[0]) > 10_000
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("kind", in_process.ON_THE_LINE)
def test_what_befalls_a_connection_goes_over_one(emulator: RunningEmulator, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.emulator.faults.replace([{"do": kind, "ms": 1}])
    over_http: list[str] = []
    send = in_process.SEND

    def sent(adapter: HTTPAdapter, request: requests.PreparedRequest, *given: object, **options: object) -> requests.Response:
        over_http.append(str(request.url))
        return send(adapter, request, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(in_process, "SEND", sent)
    with _session() as session:
        try:
            session.get(emulator.url)
        except requests.RequestException:
            assert kind != "latency"
    emulator.emulator.faults.replace([])
    assert over_http == [emulator.url]


def test_a_break_is_told_as_requests_tells_it(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise CutConnection

    monkeypatch.setattr("connectors.emulator.serving.app.App._answer", breaks)
    with _session() as session, pytest.raises(requests.ConnectionError, match="Connection aborted"):
        session.get(emulator.url)


def test_an_emulator_that_has_stopped_is_not_there() -> None:
    with in_process.emulators_in_process():
        with running(token=TOKEN) as started, _session() as session:
            assert session.get(started.url).status_code == 200
        with _session() as session, pytest.raises(requests.ConnectionError):
            session.get(started.url)
