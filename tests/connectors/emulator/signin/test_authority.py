"""The sign-in service once told whom it knows: tenants, applications by secret or certificate, and who types
a device code."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.connectors.emulator.client import Client

pytestmark = pytest.mark.row(1)

SCOPE = {"scope": "https://crm.example.org/.default"}
TOKEN_FORM = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "geheim", **SCOPE}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PERSON = {"oid": "5c1d2f60-0000-4000-8000-00000000beef", "name": "Lotte Peeters (fictief)", "roles": ["dpo"]}
FORMS = pytest.mark.parametrize("endpoint", ["tenant/oauth2/v2.0", "adfs/oauth2"])


def know(crm: Client, **document: object) -> dict[str, Any]:
    known: dict[str, Any] = crm.control("PUT", "authority", document)
    return known


def post(crm: Client, endpoint: str, **form: str) -> requests.Response:
    return requests.post(f"{crm.root}/{endpoint}", data=form, timeout=10)


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def a_key() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client.example")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    return key, builder.not_valid_before(start).not_valid_after(start + timedelta(days=30)).sign(key, hashes.SHA256())


KEY, CERTIFICATE = a_key()
PEM = CERTIFICATE.public_bytes(serialization.Encoding.PEM).decode()


def an_assertion(crm: Client, *, key: Any = KEY, alg: str = "PS256", header: dict[str, str] | None = None, **claims: object) -> str:
    thumbprint = base64.urlsafe_b64encode(CERTIFICATE.fingerprint(hashes.SHA256())).decode().rstrip("=")
    audience = f"{crm.root}/tenant/oauth2/v2.0/token"
    soon = datetime.now(UTC) + timedelta(minutes=5)
    stated = {"iss": "client", "sub": "client", "aud": audience, "exp": soon, **claims}
    return jwt.encode(stated, key, algorithm=alg, headers=header or {"x5t#S256": thumbprint})


# -- applications --------------------------------------------------------------------------------------------


@FORMS
def test_unless_told_otherwise_anybody_gets_a_token_with_any_secret(crm: Client, endpoint: str) -> None:
    assert crm.control("GET", "authority") == {"tenants": None, "applications": None, "person": None}
    assert post(crm, f"{endpoint}/token", **TOKEN_FORM).status_code == 200


@FORMS
def test_then_an_application_needs_its_own_secret(crm: Client, endpoint: str) -> None:
    know(crm, applications={"client": {"secret": "geheim"}})
    assert post(crm, f"{endpoint}/token", **TOKEN_FORM).status_code == 200
    assert refusal(post(crm, f"{endpoint}/token", **TOKEN_FORM | {"client_secret": "anders"})) == (401, "invalid_client")
    assert refusal(post(crm, f"{endpoint}/token", **TOKEN_FORM | {"client_id": "vreemd"})) == (400, "unauthorized_client")


def test_entra_numbers_its_refusals_and_ad_fs_does_not(crm: Client) -> None:
    know(crm, applications={"client": {"secret": "anders"}})
    entra = post(crm, "tenant/oauth2/v2.0/token", **TOKEN_FORM).json()
    assert (entra["error_codes"], entra["error_description"].partition(":")[0]) == ([7000215], "AADSTS7000215")
    assert set(post(crm, "adfs/oauth2/token", **TOKEN_FORM).json()) == {"error", "error_description"}


def test_what_it_knows_is_told_without_secrets_and_forgotten_at_a_reset(crm: Client) -> None:
    known = know(crm, tenants=["tenant"], applications={"Client": {"secret": "geheim"}}, person=PERSON)
    assert known == {"tenants": ["tenant"], "applications": ["client"], "person": PERSON}
    crm.control("POST", "reset", {})
    assert crm.control("GET", "authority") == {"tenants": None, "applications": None, "person": None}


def test_a_tenant_that_is_not_there_has_no_endpoints(crm: Client) -> None:
    know(crm, tenants=["tenant"])
    configuration = f"{crm.root}/other/v2.0/.well-known/openid-configuration"
    assert refusal(requests.get(configuration, timeout=10)) == (400, "invalid_tenant")
    for name in ("token", "devicecode"):
        assert refusal(post(crm, f"other/oauth2/v2.0/{name}", **TOKEN_FORM)) == (400, "invalid_tenant")
    assert post(crm, "tenant/oauth2/v2.0/token", **TOKEN_FORM).status_code == 200


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"people": []},
        {"tenants": "tenant"},
        {"applications": ["client"]},
        {"applications": {"client": "geheim"}},
        {"applications": {"client": {"secret": ""}}},
        {"applications": {"client": {"certificate": "-----BEGIN CERTIFICATE-----"}}},
        {"person": "Lotte"},
    ],
    ids=json.dumps,
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(crm: Client, document: object) -> None:
    know(crm, tenants=["tenant"])
    assert requests.put(f"{crm.root}/_emulator/authority", json=document, timeout=10).status_code == 400
    assert crm.control("GET", "authority")["tenants"] == ["tenant"]


# -- assertions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["PS256", "RS256"])
def test_an_application_with_a_certificate_signs_a_statement(crm: Client, alg: str) -> None:
    know(crm, applications={"client": {"certificate": PEM}})
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": an_assertion(crm, alg=alg)}
    given = {name: value for name, value in TOKEN_FORM.items() if name != "client_secret"}
    assert post(crm, "tenant/oauth2/v2.0/token", **given, **form).status_code == 200
    assert refusal(post(crm, "tenant/oauth2/v2.0/token", **TOKEN_FORM)) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}, "signature does not fit"),
        ({"key": "a shared secret of at least 32 bytes", "alg": "HS256"}, "neither RS256 nor PS256"),
        ({"header": {"x5t#S256": "b3RoZXI"}}, "names another certificate"),
        ({"iss": "vreemd"}, "issuer and subject"),
        ({"sub": "vreemd"}, "issuer and subject"),
        ({"aud": "https://elsewhere.example.org/token"}, "audience"),
        ({"exp": datetime(2020, 1, 1, tzinfo=UTC)}, "expired"),
    ],
    ids=["another-key", "shared-secret", "another-certificate", "issuer", "subject", "audience", "expired"],
)
def test_a_statement_that_proves_nothing_is_refused(crm: Client, changes: dict[str, Any], why: str) -> None:
    know(crm, applications={"client": {"certificate": PEM}})
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": an_assertion(crm, **changes)}
    answer = post(crm, "tenant/oauth2/v2.0/token", **TOKEN_FORM, **form)
    assert refusal(answer) == (401, "invalid_client")
    assert why in answer.json()["error_description"]


@pytest.mark.parametrize("text", ["x", "x.y", "x.y.z", "e30.e30.e30", "W10.e30.e30", "é.é.é"])
def test_a_statement_that_is_none_is_refused(crm: Client, text: str) -> None:
    know(crm, applications={"client": {"certificate": PEM}})
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    assert refusal(post(crm, "tenant/oauth2/v2.0/token", **TOKEN_FORM, **form)) == (401, "invalid_client")


# -- device codes --------------------------------------------------------------------------------------------


def ask(crm: Client, endpoint: str, code: str, client: str = "client") -> requests.Response:
    return post(crm, f"{endpoint}/token", grant_type=DEVICE_GRANT, client_id=client, device_code=code)


@FORMS
def test_a_device_code_waits_for_a_person_and_is_good_once(crm: Client, endpoint: str) -> None:
    flow = post(crm, f"{endpoint}/devicecode", client_id="client", scope="User.Read").json()
    assert flow["user_code"] in flow["message"]
    assert flow["verification_uri"] in flow["message"]
    assert refusal(ask(crm, endpoint, flow["device_code"])) == (400, "authorization_pending")
    know(crm, person=PERSON)
    assert refusal(ask(crm, endpoint, flow["device_code"], client="vreemd")) == (400, "bad_verification_code")
    answer = ask(crm, endpoint, flow["device_code"])
    claims = jwt.decode(answer.json()["id_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["oid"], claims["roles"]) == ("client", PERSON["oid"], ["dpo"])
    assert refusal(ask(crm, endpoint, flow["device_code"])) == (400, "bad_verification_code")


@FORMS
def test_who_signed_in_gets_tokens_again_with_the_claims_of_now(crm: Client, endpoint: str) -> None:
    know(crm, person=PERSON)
    flow = post(crm, f"{endpoint}/devicecode", client_id="client", scope="User.Read offline_access").json()
    first = ask(crm, endpoint, flow["device_code"]).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "client", "scope": "User.Read"}
    know(crm, person=PERSON | {"roles": ["auditor"]})
    again = post(crm, f"{endpoint}/token", **form, refresh_token=first).json()
    assert jwt.decode(again["id_token"], options={"verify_signature": False})["roles"] == ["auditor"]
    assert refusal(post(crm, f"{endpoint}/token", **form, refresh_token="none")) == (400, "invalid_grant")
    know(crm, person=PERSON | {"declines": True})
    assert refusal(post(crm, f"{endpoint}/token", **form, refresh_token=first)) == (400, "invalid_grant")


@FORMS
def test_a_device_code_expires_or_is_declined(crm: Client, endpoint: str) -> None:
    codes = [post(crm, f"{endpoint}/devicecode", client_id="client", scope="User.Read").json()["device_code"] for _ in range(2)]
    know(crm, person=PERSON | {"declines": True})
    assert refusal(ask(crm, endpoint, codes[0])) == (400, "authorization_declined")
    crm.control("PUT", "clock", {"advance_s": 901})
    assert refusal(ask(crm, endpoint, codes[1])) == (400, "expired_token")


@FORMS
@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "User.Read"}, "invalid_request"),
        ({"client_id": "client"}, "invalid_request"),
        ({"client_id": "vreemd", **SCOPE}, "unauthorized_client"),
    ],
    ids=["no-client", "no-scope", "unknown-client"],
)
def test_a_poor_request_for_a_device_code_is_refused(crm: Client, endpoint: str, form: dict[str, str], error: str) -> None:
    know(crm, applications={"client": {"secret": "geheim"}})
    assert refusal(post(crm, f"{endpoint}/devicecode", **form)) == (400, error)
