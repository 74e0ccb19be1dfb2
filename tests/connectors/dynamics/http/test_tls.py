"""Requests over https: whom the client trusts, and that it reads only once whom that is."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
from urllib3.util import connection

from connectors.dynamics.http.auth import TokenSource
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.emulator.serving.server import RunningEmulator
from connectors.interface.errors import Unreachable

pytestmark = pytest.mark.usefixtures("real_http")
AT_ONCE = 3
ELSEWHERE = "https://org.crm4.dynamics.com/api/data/v9.2/"


class Token:
    def token(self) -> str:
        return "any"

    def renew(self, rejected: str) -> str | None:
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def elsewhere(over_tls: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """An address whose name leads to the emulator."""
    create, port = connection.create_connection, urlsplit(over_tls.root).port or 0
    monkeypatch.setattr(connection, "create_connection", lambda _, *given, **more: create(("127.0.0.1", port), *given, **more))
    monkeypatch.setenv("NO_PROXY", "*")
    return ELSEWHERE


def transport(url: str, **settings: Any) -> Transport:
    tokens: TokenSource = Token()
    return Transport(Environment(url, retries=0, patience_s=0, **settings), tokens, sleep=lambda _: None)


def test_whom_to_trust_is_read_once_for_all_threads(over_tls: RunningEmulator, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together, read, bundles = Barrier(AT_ONCE), ssl.SSLContext.load_verify_locations, list[object]()

    def noted(context: ssl.SSLContext, *given: Any, **more: Any) -> None:
        bundles.append((given, more))
        read(context, *given, **more)

    def ask(_: int) -> int:
        together.wait()
        return client.get("WhoAmI").status

    with transport(over_tls.url, ca_file=str(authority)) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", noted)
        assert list(pool.map(ask, range(AT_ONCE))) == [200] * AT_ONCE
    assert len(bundles) == 1


def test_who_is_vouched_for_by_a_stranger_is_not_trusted(over_tls: RunningEmulator) -> None:
    with transport(over_tls.url) as client, pytest.raises(Unreachable, match="certificate"):
        client.get("WhoAmI")


def test_a_certificate_for_another_name_is_not_trusted(elsewhere: str, authority: Path) -> None:
    with transport(elsewhere, ca_file=str(authority)) as client, pytest.raises(Unreachable, match="certificate"):
        client.get("WhoAmI")


def test_certificates_that_cannot_be_read_trust_nobody(elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with transport(elsewhere) as client, pytest.raises(Unreachable):
        client.get("WhoAmI")


def test_certificates_of_the_environment_are_trusted_elsewhere(
    over_tls: RunningEmulator, elsewhere: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom they vouch for is asked by its own name here."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    monkeypatch.setattr(Environment, "is_loopback", False)
    with transport(over_tls.url) as client:
        assert client.get("WhoAmI").status == 200
