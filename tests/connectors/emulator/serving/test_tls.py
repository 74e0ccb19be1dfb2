"""https: the certificate is written, fits this machine's names only, and faults break off there as they do
over plain HTTP."""

import socket
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509

from connectors.emulator.serving import server
from connectors.emulator.serving.certificates import CertificateProblem, server_certificate, write_authority
from connectors.emulator.serving.server import RunningEmulator, running, serve
from tests.connectors.emulator.client import Client

pytestmark = pytest.mark.usefixtures("real_http")


@pytest.fixture
def crm(over_tls: RunningEmulator, authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    client = Client(over_tls)
    yield client
    client.control("PUT", "faults", [])
    client.http.close()


def test_who_trusts_the_file_reads_and_writes_over_https(crm: Client, authority: Path) -> None:
    assert crm.url.startswith("https://127.0.0.1:")
    assert b"-----BEGIN CERTIFICATE-----" in authority.read_bytes()
    assert b"PRIVATE KEY" not in authority.read_bytes()
    made = crm.send("POST", "contacts", {"lastname": "Peeters (fictief)"})
    assert made.headers["OData-EntityId"].startswith(crm.url)
    assert crm.rows("contacts?$select=lastname")[0]["lastname"] == "Peeters (fictief)"
    assert "; secure" in crm.http.get(crm.url + "WhoAmI", cookies={}).headers.get("Set-Cookie", "; secure")


def test_who_does_not_trust_it_gets_no_connection(over_tls: RunningEmulator) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(over_tls.url + "WhoAmI", headers={"Authorization": "Bearer any"}, timeout=10)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_certificate_passes_the_strictest_check_under_each_loopback_name(over_tls: RunningEmulator, authority: Path, name: str) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    port = urlsplit(over_tls.root).port
    with socket.create_connection(("127.0.0.1", port or 0)) as plain, context.wrap_socket(plain, server_hostname=name) as secure:
        assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_it_fits_no_other_name(over_tls: RunningEmulator, authority: Path) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    port = urlsplit(over_tls.root).port
    with socket.create_connection(("127.0.0.1", port or 0)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="org.crm4.dynamics.com")


def test_the_authority_may_vouch_for_this_machine_only() -> None:
    certificate = x509.load_pem_x509_certificate(server_certificate("127.0.0.2").authority)
    permitted = certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    assert sorted(str(name.value) for name in permitted) == ["127.0.0.1/32", "127.0.0.2/32", "::1/128", "localhost"]


def test_the_key_is_on_disk_only_as_long_as_it_is_being_read() -> None:
    with server_certificate("127.0.0.1").files() as (certificate, key):
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    assert not key.parent.exists()


def test_each_start_has_an_authority_of_its_own() -> None:
    assert server_certificate("127.0.0.1").authority != server_certificate("127.0.0.1").authority


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncate"])
def test_a_connection_breaks_off_as_over_plain_http(crm: Client, kind: str) -> None:
    crm.contact()
    crm.faults({"match": {"method": "GET", "path": "contacts"}, "times": 1, "do": kind})
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        crm.get("contacts")
    assert crm.get("contacts").status_code == 200


def test_an_old_certificate_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "CA.pem"
    path.write_text("old")
    write_authority(path, b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["CA.pem"]


def test_a_missing_folder_stops_the_start_and_nothing_is_announced(tmp_path: Path) -> None:
    said: list[str] = []
    options = {"environment": None, "seed": None, "token": None, "limits": False, "state": None, "announce": said.append}
    with pytest.raises(CertificateProblem):
        serve(host="127.0.0.1", port=0, tls=tmp_path / "none" / "CA.pem", **options)  # type: ignore[arg-type]
    assert said == []


def test_the_on_premises_root_ends_in_its_version(crm: Client) -> None:
    with running(profile="onprem") as premises:
        assert premises.url.endswith("/api/data/v9.1/")
        assert requests.get(premises.url + "WhoAmI", headers={"Authorization": "Bearer any"}, timeout=10).status_code == 200


def test_an_idle_connection_does_not_hold_up_the_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "CA.pem"))
    monkeypatch.setattr(server, "STOP_S", 120)  # so long it would take, where a busy machine takes a second or two
    with requests.Session() as http:
        with running(tls=tmp_path / "CA.pem") as emulator:
            http.get(emulator.url + "WhoAmI", headers={"Authorization": "Bearer any"}, timeout=10)
            port = urlsplit(emulator.root).port or 0
            began = time.monotonic()
        assert time.monotonic() - began < 100
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
