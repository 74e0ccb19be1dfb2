"""Who a person is: believed on this machine, proved by a device code elsewhere."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import msal
import pytest
import requests

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.entra import EntraTokens, PatientSession
from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.credentials import token_source
from crm_compliance.identity.signin import NotSignedIn, Person, person, proposer
from rules.errors import UsageError
from rules.model.roles import HUMAN_ROLES
from tests.drivers.night import Night
from tests.drivers.typist import Typist

HERE = Settings(crm_url="http://127.0.0.1:8765/api/data/v9.2/")
REAL = "https://org.crm4.dynamics.com/api/data/v9.2/"
ISSUER = "https://login.microsoftonline.com/tenant/v2.0"
OID = "5c1d2f60-0000-4000-8000-00000000beef"


class Desk:
    """MSAL at its edge: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.flow: dict[str, Any] = {"message": "open https://example.org/device and type ABC"}
        self.answer: dict[str, Any] | None = None  # without one, a token with these claims
        self.claims: dict[str, Any] = {"oid": OID, "name": "Lotte Peeters", "roles": ["dpo", "auditor"]}
        self.error: Exception | None = None

    def application(self, client_id: str, **more: Any) -> Desk:
        self.made = {"client_id": client_id, **more}
        if self.error is not None:
            raise self.error
        return self

    def initiate_device_flow(self, *, scopes: list[str]) -> dict[str, Any]:
        self.made["scopes"] = scopes
        return self.flow

    def acquire_token_by_device_flow(self, flow: dict[str, Any]) -> dict[str, Any]:
        assert flow is self.flow
        return {"id_token": a_token(self.claims)} if self.answer is None else self.answer

    def get_accounts(self) -> list[dict[str, Any]]:
        return []


def a_token(claims: dict[str, Any]) -> str:
    own = {"iss": ISSUER, "aud": "client", "exp": int(time.time()) + 3600}
    return jwt.encode({name: value for name, value in (own | claims).items() if value is not None}, "", algorithm="none")


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    return Settings(crm_url=REAL, crm_tenant_id="tenant", crm_client_id="client", data_dir=tmp_path / "data")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk()
    monkeypatch.setattr(msal, "PublicClientApplication", found.application)
    monkeypatch.setattr("crm_compliance.identity.signin.published", lambda *_: {"issuer": ISSUER})
    return found


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_compliance.identity.signin._at_a_terminal", lambda: True)


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_on_this_machine_a_person_is_believed(desk: Desk, role: str) -> None:
    assert person(HERE, "anna", role) == Person("anna", role)
    assert (proposer(HERE, "anna"), proposer(HERE, None)) == ("anna", "service")
    assert desk.made == {}


@pytest.mark.parametrize("role", ["", "king", "DPO", "service"])
def test_an_unknown_role_is_refused_before_anybody_signs_in(desk: Desk, there: Settings, role: str) -> None:
    for settings in (HERE, there):
        with pytest.raises(UsageError, match="--role"):
            person(settings, "anna", role)
    assert desk.made == {}


@pytest.mark.parametrize("who", ["", "Anna Peeters", "a" * 101, "a/b", "a\nb"])
def test_a_name_that_is_no_account_is_refused(who: str) -> None:
    with pytest.raises(UsageError, match="not an account name"):
        person(HERE, who, "dpo")
    with pytest.raises(UsageError, match="not an account name"):
        proposer(HERE, who)


@pytest.mark.usefixtures("terminal")
def test_elsewhere_the_token_says_who_and_in_which_roles(desk: Desk, there: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """What `--as` claims does not count; the object id is the name, so that no personal data enters the
    store."""
    assert person(there, "somebody-else", "dpo") == Person(OID, "dpo")
    said = capsys.readouterr()
    assert ("type ABC" in said.err, said.out) == (True, "")
    assert isinstance(desk.made.pop("token_cache"), msal.SerializableTokenCache)
    assert isinstance(desk.made.pop("http_client"), PatientSession)
    assert desk.made == {
        "client_id": "client",
        "authority": "https://login.microsoftonline.com/tenant",
        "instance_discovery": False,
        "scopes": ["User.Read"],
    }
    assert proposer(there, "somebody-else") == OID
    assert proposer(there, None) == "service"


@pytest.mark.usefixtures("terminal")
def test_a_role_that_the_token_lacks_is_refused(desk: Desk, there: Settings) -> None:
    with pytest.raises(NotSignedIn, match="crm_admin"):
        person(there, "anna", "crm_admin")
    desk.claims.pop("roles")
    with pytest.raises(NotSignedIn, match="dpo"):
        person(there, "anna", "dpo")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("roles", "is_let"), [(["auditor"], False), (["approver", "service"], False), ([], False), (["crm_admin"], True), (["dpo"], True)]
)
def test_who_makes_no_plans_proposes_none(desk: Desk, there: Settings, roles: list[str], is_let: bool) -> None:
    """Section 9.4: a dry run is for the service, a CRM admin and the DPO."""
    desk.claims["roles"] = roles
    if is_let:
        assert proposer(there, "anna") == OID
        return
    with pytest.raises(NotSignedIn, match="no app role that makes plans") as caught:
        proposer(there, "anna")
    assert (caught.value.exit_code, caught.value.code) == (5, "role")


@pytest.mark.usefixtures("terminal")
def test_the_authority_and_the_ca_file_of_the_settings_are_used(desk: Desk, there: Settings, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    settings = there.model_copy(update={"crm_authority": "https://adfs.example.org/adfs", "crm_ca_file": ca})
    person(settings, "anna", "dpo")
    assert desk.made["authority"] == "https://adfs.example.org/adfs"
    assert desk.made["http_client"]._ca_file == str(ca)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("flow", "answer", "error", "part"),
    [
        ({"error": "unauthorized_client", "error_description": "Lotte"}, {}, None, "(unauthorized_client)"),
        (None, {"error": "authorization_declined", "error_description": "Lotte"}, None, "(authorization_declined)"),
        (None, {"error": "AADSTS50: Lotte Peeters"}, None, "the sign-in failed"),
        (None, {"id_token": a_token({"name": "Lotte"})}, None, "the sign-in failed"),
        (None, {"id_token": a_token({"aud": "another", "oid": "Lotte"})}, None, "(InvalidAudienceError)"),
        (None, {"id_token": a_token({"aud": None, "oid": "Lotte"})}, None, "(MissingRequiredClaimError)"),
        (None, {"id_token": a_token({"iss": "https://sts.windows.net/another/", "oid": "Lotte"})}, None, "(InvalidIssuerError)"),
        (None, {"id_token": a_token({"exp": int(time.time()) - 600, "oid": "Lotte"})}, None, "(ExpiredSignatureError)"),
        (None, {"id_token": "Lotte"}, None, "(DecodeError)"),
        (None, {}, IndexError("Lotte"), "(IndexError)"),
        (None, {}, requests.ConnectionError("https://x/Lotte"), "(ConnectionError)"),
        (None, {}, ValueError("unable to get authority configuration for Lotte"), "(ValueError)"),
    ],
)
def test_a_sign_in_that_fails_says_so_without_a_name(
    desk: Desk, there: Settings, flow: dict[str, Any] | None, answer: dict[str, Any], error: Exception | None, part: str
) -> None:
    desk.flow, desk.answer, desk.error = flow or desk.flow, answer, error
    with pytest.raises(NotSignedIn) as refused:
        person(there, "anna", "dpo")
    assert part in str(refused.value)
    assert "Lotte" not in str(refused.value)
    assert (refused.value.exit_code, bool(refused.value.hint)) == (5, True)


def test_without_a_terminal_nobody_is_asked(desk: Desk, typist: Typist, org: Night) -> None:
    typist.unset("CRM_TOKEN", "CLOCK")
    typist.set(
        CRM_URL="https://org.crm4.dynamics.com/api/data/v9.2/", CRM_TENANT_ID="tenant", CRM_CLIENT_ID="client", CRM_CLIENT_SECRET="s"
    )
    for line in ("plans approve plan-1 --as anna --role dpo", "plans reject plan-1 --as anna --role dpo --comment x", "plan --as anna"):
        error = typist.refused(*line.split(), code=5)
        assert (error["code"], "terminal" in error["message"]) == ("role", True)
    assert desk.made == {}


def test_without_an_application_nobody_can_sign_in() -> None:
    with pytest.raises(UsageError, match="Entra ID application"):
        person(Settings(crm_url=REAL), "anna", "dpo")


def test_an_approval_elsewhere_needs_two_accounts(desk: Desk, terminal: None, typist: Typist, org: Night) -> None:
    """The same account in two roles is one person, whatever --as says."""
    plan = org.plan().id
    desk.claims["roles"] = ["dpo", "crm_admin"]
    typist.monkeypatch.setattr(Settings, "is_loopback", property(lambda _: False))
    typist.unset("CRM_TOKEN", "CLOCK")
    typist.set(CRM_TENANT_ID="tenant", CRM_CLIENT_ID="client", CRM_CLIENT_SECRET="s")
    typist.monkeypatch.setattr("jobs.model.plan.Plan.missing", lambda self, now: ("crm_admin", "dpo"))
    # the plan is not past its days, whatever day it is
    typist.monkeypatch.setattr("crm_compliance.wiring.clock.clock_of", lambda _: org.clock)
    code, error = 0, ""
    for role in ("dpo", "crm_admin"):
        said = typist.type("plans", "approve", plan, "--as", f"person-{role}", "--role", role, "--json")
        code, error = said.code, said.err
    assert code == 5
    assert json.loads(error.splitlines()[-1])["error"]["code"] == "same_person"


# -- the service's own token ---------------------------------------------------------------------------------


def test_a_static_token_is_for_this_machine() -> None:
    settings = Settings(crm_url="http://127.0.0.1:8765/api/data/v9.2/", crm_token="geheim")
    source = token_source(settings)
    assert isinstance(source, StaticToken)
    assert source.token() == "geheim"
    assert "geheim" not in repr(source)


def test_without_credentials_the_settings_are_named() -> None:
    with pytest.raises(UsageError) as refused:
        token_source(Settings(crm_url="https://org.crm4.dynamics.com/api/data/v9.2/"))
    assert "CRM_COMPLIANCE_CRM_CLIENT_ID" in refused.value.hint or "_CRM_CLIENT_ID" in refused.value.hint


def test_an_application_signs_in_with_its_secret(there: Settings) -> None:
    settings = there.model_copy(update={"crm_client_secret": Settings(crm_client_secret="geheim").crm_client_secret})
    source = token_source(settings)
    assert isinstance(source, EntraTokens)
    assert repr(source) == "EntraTokens(authority='https://login.microsoftonline.com/tenant', client_id='client')"
    source.close()


def test_neither_secret_nor_certificate_is_refused(there: Settings) -> None:
    with pytest.raises(UsageError, match="secret or a client certificate"):
        token_source(there)


def test_a_certificate_that_is_not_there_is_named(there: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        token_source(there.model_copy(update={"crm_client_certificate": tmp_path / "none.pem"}))
    assert refused.value.where == str(tmp_path / "none.pem")


def test_who_looks_without_a_crm_is_told_of_the_crm_and_not_asked_for_a_role() -> None:
    for role in ("", "dpo"):
        with pytest.raises(UsageError, match="no CRM is named"):
            person(Settings(), "dora", role, looks_only=True)
