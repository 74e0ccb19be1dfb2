"""Tokens of scripts, as a real tenant gives them: fetched over https, checked against the keys that the
authority publishes. Everybody is fictitious."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from httpx2 import Response

from crm_compliance.identity.bearer import TokenBearers
from tests.integration.tenants import ANNA, CLIENT, ELSEWHERE, FORMS, OID, TENANT, Tenant, at, authority, ca_file
from tests.rules.holds.placed_holds import a_hold

pytestmark = pytest.mark.row(1)
OWN = f"api://{CLIENT}/.default"
__all__ = ["at", "authority", "ca_file"]  # fixtures


def token_of(tenant: Tenant, scope: str = OWN, kind: str = "access_token") -> str:
    """A token by device code, as a script of a person fetches one."""
    base = f"{tenant.settings.crm_authority}/oauth2" + ("" if str(tenant.settings.crm_authority).endswith("adfs") else "/v2.0")

    def ask(what: str, **form: str) -> dict[str, Any]:
        answer = requests.post(f"{base}/{what}", data={"client_id": CLIENT, **form}, timeout=10, verify=str(tenant.ca_file))
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    code = ask("devicecode", scope=scope)["device_code"]
    return str(ask("token", grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=code)[kind])


def call(tenant: Tenant, token: str, method: str = "GET", path: str = "/plans", **given: Any) -> Response:
    headers = {"Authorization": f"Bearer {token}", **given.pop("headers", {})}
    return tenant.browser.client.request(method, f"/api/v1{path}", headers=headers, **given)


@FORMS
def test_a_person_calls_with_the_roles_of_their_token(at: Callable[[str], Tenant], form: str) -> None:
    tenant = at(form)
    token = token_of(tenant)
    assert (call(tenant, token).status_code, call(tenant, token).json()) == (200, [])
    assert call(tenant, token, path="/runs", headers={"Compliance-Role": "auditor"}).status_code == 200
    other = call(tenant, token, headers={"Compliance-Role": "crm_admin"})
    assert (other.status_code, other.json()["error"]["code"]) == (403, "role"), "a role that the token does not carry"
    refused = call(tenant, token, "POST", "/holds/hold-1/release", headers={"Compliance-Role": "auditor"}, json={})
    assert refused.status_code == 403
    kinds = [entry.kind for entry in tenant.store.ledger.entries()]
    assert kinds == ["crm_seen", "authority_seen", "denied", "denied"]
    assert "Anna" not in str(list(tenant.store.ledger.entries()))


def _changed(token: str, **claims: Any) -> str:
    head, body, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | claims
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip('=')}.{signature}"


def _said(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


FORGERIES: dict[str, Callable[[str], str]] = {
    "other claims under the same signature": lambda token: _changed(token, roles=["dpo", "approver"]),
    "no signature at all": lambda token: jwt.encode(_said(token), "", algorithm="none"),
    "a key of somebody else, by the same name": lambda token: jwt.encode(
        _said(token), rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm="RS256", headers={"kid": "emulator-1"}
    ),
    "a key that nobody publishes": lambda token: jwt.encode(_said(token), "x" * 32, algorithm="HS256", headers={"kid": "mine"}),
    "a shared secret where a public key belongs": lambda token: jwt.encode(
        _said(token), "x" * 32, algorithm="HS256", headers={"kid": "emulator-1"}
    ),
    "half of one": lambda token: token[: len(token) // 2],
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_token_is_nobodys(at: Callable[[str], Tenant], how: str) -> None:
    tenant = at(TENANT)
    token = FORGERIES[how](token_of(tenant))
    answer = call(tenant, token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token")
    assert token[:20] not in answer.text
    assert "authority_seen" not in [entry.kind for entry in tenant.store.ledger.entries()]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "https://elsewhere.example.org"},
        {"oid": "service"},
        {"exp": None},
    ],
    ids=str,
)
def test_a_token_for_something_else_or_nobody_is_refused(at: Callable[[str], Tenant], claims: dict[str, Any]) -> None:
    tenant = at(TENANT)
    tenant.knows(**(ANNA | claims))
    assert call(tenant, token_of(tenant)).status_code == 401


@pytest.mark.parametrize("roles", [[], ["service"]], ids=str)
def test_a_token_of_somebody_without_a_role_here_is_good_for_nothing(at: Callable[[str], Tenant], roles: list[str]) -> None:
    tenant = at(TENANT)
    tenant.knows(**ANNA | {"roles": roles})
    refused = call(tenant, token_of(tenant))
    assert (refused.status_code, refused.json()["error"]["code"], "WWW-Authenticate" in refused.headers) == (403, "role", False)


def test_a_token_for_another_service_is_refused(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    assert call(tenant, token_of(tenant, "User.Read")).status_code == 401


def test_who_has_signed_in_is_no_key(at: Callable[[str], Tenant]) -> None:
    """The ID token of our own pages has our audience and the roles; it is told by what an access token of
    Entra ID always says, and this one does not."""
    tenant = at(TENANT)
    answer = call(tenant, token_of(tenant, kind="id_token"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token")
    assert "who has signed in" in answer.json()["error"]["message"]


@FORMS
@pytest.mark.parametrize("claim", ["nonce", "at_hash", "c_hash"])
def test_what_is_of_a_sign_in_alone_is_refused_of_either_authority(at: Callable[[str], Tenant], form: str, claim: str) -> None:
    tenant = at(form)
    tenant.knows(**(ANNA | {claim: "abc", "azp": CLIENT}))
    assert call(tenant, token_of(tenant, kind="id_token")).status_code == 401


@pytest.mark.parametrize(
    "named", [{"crm_client_id": CLIENT.upper()}, {"crm_authority": None, "crm_tenant_id": "fictief.onmicrosoft.com"}], ids=str
)
def test_application_and_tenant_may_be_named_as_a_sign_in_takes_them(
    at: Callable[[str], Tenant], monkeypatch: pytest.MonkeyPatch, named: dict[str, Any]
) -> None:
    tenant = at(TENANT)
    tenant.tenants = ("fictief.onmicrosoft.com", TENANT)
    tenant.knows(**ANNA, tid=TENANT)
    monkeypatch.setattr("crm_compliance.identity.authority.entra_of", lambda _: tenant.authority.root)
    if name := named.get("crm_tenant_id"):
        tenant.settings = tenant.settings.model_copy(update={"crm_authority": f"{tenant.authority.root}/{name}"})
    bearers = TokenBearers(tenant.settings.model_copy(update=named), tenant.store, tenant.clock)
    assert bearers.holder_of(token_of(tenant)).who == OID


def test_a_token_ends_by_our_clock(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    token = token_of(tenant)
    tenant.clock.advance(minutes=58)
    assert call(tenant, token).status_code == 200
    tenant.clock.advance(minutes=8)
    answer = call(tenant, token)
    assert answer.status_code == 401
    assert "not valid now" in answer.json()["error"]["message"]


def test_a_clock_that_is_some_minutes_behind_that_of_the_authority_keeps_nobody_out(at: Callable[[str], Tenant]) -> None:
    tenant = at("adfs")
    token = token_of(tenant)
    tenant.clock.advance(minutes=-4)
    assert call(tenant, token).status_code == 200
    tenant.clock.advance(minutes=-2)
    assert call(tenant, token).status_code == 401


def test_an_application_reads_and_does_not_act(at: Callable[[str], Tenant]) -> None:
    """Two words on a plan are two people's (ACC-09)."""
    tenant = at(TENANT)
    tenant.knows(oid=OID, roles=["dpo"], idtyp="app")
    token = token_of(tenant)
    assert call(tenant, token).status_code == 200
    answer = call(tenant, token, "POST", "/plans/plan-1/approve", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "person_needed")
    told = [entry.data for entry in tenant.store.ledger.entries() if entry.kind == "denied"]
    assert [(each["action"], each["code"]) for each in told] == [("approve_plan", "person_needed")]


@pytest.mark.parametrize(("form", "called"), [(TENANT, "erik@example.org"), ("adfs", "erik"), ("adfs", OID)])
def test_hld02_nobody_lifts_a_hold_that_they_ask_to_be_lifted_by_whatever_name(at: Callable[[str], Tenant], form: str, called: str) -> None:
    tenant = at(form)
    tenant.knows(oid=OID, roles=["approver"], **({"preferred_username": "erik@example.org"} if form == TENANT else {"upn": "HOME\\erik"}))
    tenant.store.holds.place(a_hold(crm=ELSEWHERE), ("hold_placed", {"hold": "hold-1"}))
    token = token_of(tenant)
    answer = call(tenant, token, "POST", "/holds/hold-1/release", json={"asked_by": called, "reason": "it is over"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "same_person")
    answer = call(tenant, token, "POST", "/holds/hold-1/release", json={"asked_by": "erika@example.org", "reason": "it is over"})
    assert (answer.status_code, answer.json()["state"]) == (200, "released")


def test_the_demo_is_not_here(at: Callable[[str], Tenant]) -> None:
    assert call(at(TENANT), "demo-ben").status_code == 401
