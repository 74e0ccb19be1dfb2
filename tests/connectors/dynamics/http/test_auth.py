"""Tokens: from MSAL at the HTTP edge, renewed in time, and never to be seen."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from connectors.dynamics.http.answers import NotSent
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.entra import EntraTokens
from connectors.interface.errors import Unauthorised, Unreachable
from rules.errors import UsageError

TENANT = "5b1f0c7e-3d0a-4f11-9f8a-000d3ab1c001"
AUTHORITY = f"https://login.microsoftonline.com/{TENANT}"
ADFS = "https://adfs.example.org/adfs"
ORGANISATION = "https://cfbe.crm4.dynamics.com"


@pytest.fixture
def authority() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{AUTHORITY}/v2.0/.well-known/openid-configuration", json=_discovery(f"{AUTHORITY}/oauth2/v2.0"))
        mock.get(f"{ADFS}/.well-known/openid-configuration", json=_discovery(f"{ADFS}/oauth2"))
        yield mock


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tokens(clock: Clock | None = None, naps: list[float] | None = None, **settings: str) -> EntraTokens:
    given = {"tenant_id": TENANT, "client_id": "app-1", "organisation_url": ORGANISATION, "secret": "zeer geheim"} | settings
    return EntraTokens(
        **{name: value for name, value in given.items() if value},
        sleep=(naps if naps is not None else []).append,
        chance=lambda: 1.0,
        monotonic=clock or Clock(),
    )


def test_an_application_signs_in_in_the_cloud_of_its_crm() -> None:
    made = tokens(organisation_url="https://org.crm.dynamics.cn")
    assert repr(made) == f"EntraTokens(authority='https://login.partner.microsoftonline.cn/{TENANT}', client_id='app-1')"
    assert "login.microsoftonline.com" in repr(tokens())


def answer(token: str, lifetime_s: int = 3599) -> dict[str, object]:
    return {"token_type": "Bearer", "expires_in": lifetime_s, "access_token": token}


def test_a_secret_buys_a_token_for_the_organisation(authority: responses.RequestsMock) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1"))
    assert tokens().token() == "tok-1"
    sent = parse_qs(str(authority.calls[-1].request.body))
    assert sent["scope"] == [f"{ORGANISATION}/.default"]
    assert sent["client_secret"] == ["zeer geheim"]
    assert sent["grant_type"] == ["client_credentials"]


def test_nothing_is_sent_before_a_token_is_needed(authority: responses.RequestsMock) -> None:
    tokens()
    assert len(authority.calls) == 0


def test_a_token_is_kept_until_shortly_before_it_lapses(authority: responses.RequestsMock) -> None:
    clock = Clock()
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1"))
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-2"))
    source = tokens(clock)
    assert [source.token(), source.token()] == ["tok-1", "tok-1"]
    clock.now += 3599 - 301
    assert source.token() == "tok-1"
    source._app.remove_tokens_for_client()  # MSAL's own cache goes by the real clock
    clock.now += 2
    assert source.token() == "tok-2"


def test_a_token_that_is_still_good_is_used_while_the_sign_in_service_is_away(authority: responses.RequestsMock) -> None:
    """An outage of five minutes at the hour when a token is renewed costs a run nothing."""
    clock = Clock()
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1"))
    away = authority.post(f"{AUTHORITY}/oauth2/v2.0/token", body=requests.ConnectionError())
    source = tokens(clock)
    source.token()
    source._app.remove_tokens_for_client()  # MSAL's own cache goes by the real clock
    for later_s in (3599 - 299, 1, 30, 267):
        clock.now += later_s
        assert source.token() == "tok-1"
    assert away.call_count == 3 * 4, "asked again after half a minute, not for each request"
    clock.now += 3
    with pytest.raises(NotSent):
        source.token()
    with pytest.raises(NotSent):
        source.renew("tok-1")
    authority.upsert("POST", f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-2"))
    assert source.token() == "tok-2"


@pytest.mark.parametrize("lie", ["tok\n1", "tok 1", "tök", 7, ["tok"], "", None])
def test_what_cannot_be_a_token_is_none(authority: responses.RequestsMock, lie: object) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("") | {"access_token": lie})
    with pytest.raises(Unauthorised) as caught:
        tokens().token()
    assert "tok" not in str(caught.value).replace("token", "")


@pytest.mark.parametrize("lifetime", [-1, 0, None, "soon", 1e400, 10**400, "9" * 400, "²", True, [1]])
def test_a_lifetime_that_is_none_does_not_keep_a_token(authority: responses.RequestsMock, lifetime: object) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1") | {"expires_in": lifetime})
    with suppress(Unauthorised):  # where MSAL itself stumbles
        source = tokens()
        assert (source.token(), source._lapses_at <= 1001) == ("tok-1", True)


def test_a_rejected_token_is_replaced_although_msal_has_it_cached(authority: responses.RequestsMock) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1"))
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-2"))
    source = tokens()
    first = source.token()
    assert source.renew(first) == "tok-2"
    assert source.renew(first) == "tok-2", "another thread has renewed it meanwhile: no second request"
    assert source.token() == "tok-2"


@pytest.mark.parametrize("kind", ["pem", "pem with password", "pfx", "pfx without password"])
def test_a_certificate_buys_a_token(authority: responses.RequestsMock, tmp_path: Path, kind: str) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-c"))
    password = "" if kind in ("pem", "pfx without password") else "wachtwoord"
    key, certificate = _certificate()
    encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    if kind.startswith("pem"):
        path = tmp_path / "client.pem"
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    else:
        path = tmp_path / "client.pfx"
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"client", key, certificate, None, encryption))
    assert tokens(secret="", certificate=str(path), password=password).token() == "tok-c"
    sent = parse_qs(str(authority.calls[-1].request.body))
    assertion = jwt.decode(
        sent["client_assertion"][0], key.public_key(), algorithms=["PS256", "RS256"], audience=f"{AUTHORITY}/oauth2/v2.0/token"
    )
    assert assertion["iss"] == "app-1"
    assert "client_secret" not in sent


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pem", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"), ("a.pfx", b"no pfx"), ("a.pem", b"\xff\xfe")],
)
def test_a_certificate_file_that_does_not_serve_is_told_at_once(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError):
        tokens(secret="", certificate=str(path))
    with pytest.raises(UsageError, match="cannot be read"):
        tokens(secret="", certificate=str(tmp_path / "missing.pem"))


@pytest.mark.parametrize(
    ("name", "of_rsa", "fault"),
    [
        ("a.pem", False, "no RSA key"),
        ("a.pfx", False, "no RSA key"),
        ("first.pem", True, "not the one of its key"),
        ("torn.pem", True, "cannot be read"),
    ],
)
def test_a_certificate_with_which_nobody_can_sign_is_told_at_once(tmp_path: Path, name: str, of_rsa: bool, fault: str) -> None:
    key, certificate = _certificate() if of_rsa else _certificate(ec.generate_private_key(ec.SECP256R1()))
    plain = serialization.NoEncryption()
    told = (_certificate()[1] if name == "first.pem" else certificate).public_bytes(serialization.Encoding.PEM)
    content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    content += told.replace(b"MII", b"AII", 1) if name == "torn.pem" else told
    if name == "a.pfx":
        content = pkcs12.serialize_key_and_certificates(b"client", key, certificate, None, plain)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=fault):
        tokens(secret="", certificate=str(tmp_path / name))


@pytest.mark.parametrize("password", ["", "fout"])
def test_a_wrong_password_of_a_key_is_told_at_once(tmp_path: Path, password: str) -> None:
    key, certificate = _certificate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"wachtwoord")
    )
    (tmp_path / "client.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(UsageError, match="password is wrong"):
        tokens(secret="", certificate=str(tmp_path / "client.pem"), password=password)


def test_ad_fs_is_asked_at_its_own_addresses(authority: responses.RequestsMock) -> None:
    authority.post(f"{ADFS}/oauth2/token", json=answer("tok-a"))
    source = tokens(tenant_id="", authority=ADFS, organisation_url="https://crm.example.org")
    assert source.token() == "tok-a"
    assert parse_qs(str(authority.calls[-1].request.body))["scope"] == ["https://crm.example.org/openid"]
    assert {call.request.url.split("/")[2] for call in authority.calls if call.request.url} == {"adfs.example.org"}


def test_a_sign_in_service_that_is_down_is_unreachable(authority: responses.RequestsMock) -> None:
    naps: list[float] = []
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", body=requests.ConnectionError("zeer geheim"))
    with pytest.raises(Unreachable) as caught:
        tokens(naps=naps).token()
    assert naps == [1.0, 2.0, 4.0]
    assert "geheim" not in f"{caught.value}{caught.value.hint}"


def test_a_sign_in_service_that_is_silent_holds_nobody_for_long(authority: responses.RequestsMock) -> None:
    clock, began = Clock(), 1000.0

    def silent(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        clock.now += 30.0  # until its time is over
        raise requests.ReadTimeout

    authority.add_callback("POST", f"{AUTHORITY}/oauth2/v2.0/token", silent)
    with pytest.raises(Unreachable):
        tokens(clock).token()
    assert clock.now - began <= 60


@pytest.mark.parametrize("status", [500, 503])
def test_a_sign_in_service_that_fails_is_tried_again(authority: responses.RequestsMock, status: int) -> None:
    naps: list[float] = []
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", status=status, body="<html>")
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1"))
    assert tokens(naps=naps).token() == "tok-1"
    assert naps == [1.0]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (503, "<html>", "HTTP 503"),
        (429, "<html>", "HTTP 429"),
        (429, '{"error": "temporarily_unavailable", "error_codes": [90055]}', "HTTP 429"),
        (400, '{"error": "temporarily_unavailable", "error_codes": [90033]}', "AADSTS90033"),
        (400, '{"error": "server_error", "error_description": "geheim"}', "server_error"),
    ],
)
def test_a_sign_in_service_that_cannot_answer_now_refuses_nobody(
    authority: responses.RequestsMock, status: int, body: str, told: str
) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", status=status, body=body)
    with pytest.raises(NotSent) as caught:
        tokens().token()
    assert told in str(caught.value)
    assert "secret" not in caught.value.hint
    assert "geheim" not in f"{caught.value} {vars(caught.value)}"


def test_a_sign_in_service_that_is_too_busy_to_describe_itself_refuses_nobody() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{AUTHORITY}/v2.0/.well-known/openid-configuration", status=429)
        with pytest.raises(NotSent):
            tokens().token()


def test_a_wrong_secret_is_told_by_its_code_alone(authority: responses.RequestsMock) -> None:
    refusal = {
        "error": "invalid_client",
        "error_description": "AADSTS7000215: Invalid client secret provided for app of Lotte Peeters. zeer geheim",
        "error_codes": [7000215],
    }
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", status=401, json=refusal)
    with pytest.raises(Unauthorised) as caught:
        tokens().token()
    assert "AADSTS7000215" in str(caught.value)
    assert caught.value.service_code == "AADSTS7000215"
    assert "Peeters" not in f"{caught.value} {vars(caught.value)}"
    assert "geheim" not in f"{caught.value} {vars(caught.value)}"


def test_a_secret_that_has_expired_is_told_so(authority: responses.RequestsMock) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", status=401, json={"error": "invalid_client", "error_codes": [7000222]})
    with pytest.raises(Unauthorised) as caught:
        tokens().token()
    assert "has expired" in caught.value.hint


def test_an_unknown_tenant_is_told_without_the_answer() -> None:
    with responses.RequestsMock() as mock:
        mock.get(
            f"{AUTHORITY}/v2.0/.well-known/openid-configuration",
            status=400,
            json={"error": "invalid_tenant", "error_description": "geheim"},
        )
        with pytest.raises(Unauthorised) as caught:
            tokens().token()
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 403, 404])
@pytest.mark.parametrize("body", ["<html>geheim</html>", '{"token_type": "Bearer", "access_token": "geheim', ""])
def test_what_is_no_json_is_no_refusal_and_logged_nowhere(
    authority: responses.RequestsMock, caplog: pytest.LogCaptureFixture, status: int, body: str
) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", status=status, body=body)
    with pytest.raises(NotSent) as caught:
        tokens().token()
    assert "geheim" not in f"{caught.value} {vars(caught.value)} {caplog.text}"


def test_a_page_in_the_place_of_the_sign_in_service_takes_no_good_token_away(authority: responses.RequestsMock) -> None:
    clock = Clock()
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1"))
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", status=200, body="<html>")
    source = tokens(clock)
    source.token()
    clock.now += 3599 - 200
    assert source.token() == "tok-1"


def test_neither_token_nor_secret_stands_in_a_repr(authority: responses.RequestsMock) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", json=answer("tok-1"))
    source = tokens()
    source.token()
    shown = f"{source!r} {source} {StaticToken('tok-s', 'http://localhost/x')!r}"
    assert not any(secret in shown for secret in ("tok-1", "tok-s", "geheim"))
    source.close()


@pytest.mark.parametrize("url", ["https://cfbe.crm4.dynamics.com/api/data/v9.2/", "http://127.0.0.1.example.org/", "http://10.0.0.1/"])
def test_a_static_token_is_for_this_machine_only(url: str) -> None:
    with pytest.raises(UsageError):
        StaticToken("tok", url)


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "é"])
def test_a_static_token_is_one_word(token: str) -> None:
    with pytest.raises(UsageError):
        StaticToken(token, "http://127.0.0.1:1/")


@pytest.mark.parametrize(
    "settings",
    [{"certificate": "x.pem"}, {"secret": ""}, {"client_id": ""}, {"tenant_id": ""}, {"authority": "http://adfs.example.org/adfs"}],
)
def test_half_a_configuration_is_refused(settings: dict[str, str]) -> None:
    given = {"tenant_id": TENANT, "client_id": "app-1", "organisation_url": ORGANISATION, "secret": "s"} | settings
    with pytest.raises(UsageError):
        EntraTokens(**given)  # type: ignore[arg-type]


def _discovery(root: str) -> dict[str, str]:
    return {"issuer": root, "authorization_endpoint": f"{root}/authorize", "token_endpoint": f"{root}/token"}


def _certificate(key: ec.EllipticCurvePrivateKey | None = None) -> tuple[Any, x509.Certificate]:
    made = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client.example")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(made.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=3650))
    return made, builder.sign(made, hashes.SHA256())
