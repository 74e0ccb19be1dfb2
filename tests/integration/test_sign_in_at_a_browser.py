"""Signing in at the console as towards a real tenant: authorisation code with PKCE by MSAL over https, to a
sign-in service in the forms of Entra ID and of AD FS. Everybody is fictitious."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from connectors.dynamics.http.entra import PatientSession
from crm_compliance.console.access.sessions import Sessions
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from tests.crm_compliance.console.browser import text_of
from tests.integration.tenants import ANNA, CLIENT, ELSEWHERE, FORMS, OID, SECRET, TENANT, Tenant, at, authority, ca_file
from tests.rules.holds.placed_holds import a_hold

pytestmark = pytest.mark.row(1)
__all__ = ["at", "authority", "ca_file"]  # fixtures


@FORMS
def test_somebody_comes_in_with_the_roles_of_their_token(at: Callable[[str], Tenant], form: str) -> None:
    tenant = at(form)
    answer = tenant.comes_back(tenant.goes_out())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    page = tenant.browser.page("/")
    assert "Anna Voorbeeld (fictief)" in page
    assert 'name="role" value="auditor"' in page, "the other role of the token"
    assert 'name="role" value="approver"' not in page
    tenant.browser.post("/role", role="auditor")
    assert "Auditor" in text_of(tenant.browser.page("/"))
    refused = text_of(tenant.browser.get("/holds/new").text)
    assert "Choose another of yours, at your name: Data protection officer." in refused, "nobody is sent to themselves"
    told = [entry.data for entry in tenant.store.ledger.entries() if entry.kind == "authority_seen"]
    assert [each["client"] for each in told] == [CLIENT]
    assert "Anna" not in str(list(tenant.store.ledger.entries()))


def test_the_way_out_asks_for_a_code_with_pkce_and_tells_nothing(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    out = tenant.browser.get("/signin/entra")
    query = parse_qs(urlsplit(out.headers["Location"]).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://127.0.0.1:8080/signin/callback"]
    assert {"state", "nonce", "code_challenge"} <= set(query)
    kept = tenant.browser.client.cookies["flow"]
    assert query["state"][0] not in bytes.fromhex(kept).decode("latin-1")
    assert SECRET not in str(out.headers)


def test_a_code_comes_in_once(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    address = tenant.goes_out()
    flow = tenant.browser.client.cookies["flow"]
    assert tenant.comes_back(address).status_code == 303
    tenant.browser.client.cookies.clear()
    tenant.browser.client.cookies.set("flow", flow)
    assert tenant.comes_back(address).status_code == 403


def test_who_is_signed_in_already_is_led_on(at: Callable[[str], Tenant]) -> None:
    """Of two tabs the one that began last comes in; the other one, and an address that comes again, begin no
    session and keep nobody from their page."""
    tenant = at(TENANT)
    first, second = tenant.goes_out(), tenant.goes_out()
    assert tenant.comes_back(first).status_code == 403
    assert tenant.comes_back(second).status_code == 303
    tenant.browser.client.cookies.set("wanted", "/requests")
    for address in (first, second):
        led = tenant.comes_back(address)
        assert (led.status_code, led.headers["Location"]) == (303, "/requests")
        assert "session" not in led.headers.get("Set-Cookie", "")
    assert "Anna" in tenant.browser.page("/")
    tenant.knows(oid="another", roles=[], name="Voorbeeld (fictief)")
    assert tenant.comes_back(tenant.goes_out()).status_code == 403


@pytest.mark.parametrize("wrong", ["another browser", "another state", "too late", "changed", "no code"])
def test_what_was_not_begun_here_gets_nobody_in(at: Callable[[str], Tenant], wrong: str) -> None:
    """Login CSRF, and a stolen address of the way back."""
    tenant = at(TENANT)
    address = tenant.goes_out()
    cookies = tenant.browser.client.cookies
    if wrong == "another browser":
        cookies.clear()
    elif wrong == "another state":
        other = parse_qs(urlsplit(tenant.goes_out()).query)["code"][0]
        address = f"/signin/callback?code={other}&state=another"
    elif wrong == "too late":
        tenant.clock.advance(minutes=15)
    elif wrong == "changed":
        kept = cookies["flow"]
        cookies.clear()
        cookies.set("flow", kept[:-2] + ("00" if not kept.endswith("00") else "11"))
    else:
        address = "/signin/callback"
    answer = tenant.comes_back(address)
    assert answer.status_code == 403
    assert "session" not in answer.headers.get("Set-Cookie", "")
    assert tenant.browser.get("/").status_code == 303


@FORMS
@pytest.mark.parametrize(
    ("claims", "status", "reason"),
    [
        ({"aud": "another"}, 503, ["InvalidAudienceError"]),
        ({"aud": ["another"]}, 503, ["InvalidAudienceError"]),
        ({"iss": "https://login.microsoftonline.com/another/v2.0"}, 503, ["InvalidIssuerError"]),
        ({"exp": 1_700_000_000}, 503, ["ExpiredSignatureError"]),
        ({"exp": None}, 503, ["MissingRequiredClaimError"]),
        ({"nonce": "of-another-time"}, 403, []),
    ],
    ids=str,
)
def test_a_token_of_somebody_else_or_for_something_else_or_over_gets_nobody_in(
    at: Callable[[str], Tenant], form: str, claims: dict[str, object], status: int, reason: list[str]
) -> None:
    tenant = at(form)
    tenant.knows(**ANNA | claims)
    with capture_logs() as logs:
        assert tenant.comes_back(tenant.goes_out()).status_code == status
    assert [each["reason"] for each in logs if each["event"] == "nobody can sign in at the console"] == reason
    assert tenant.browser.get("/").status_code == 303


@FORMS
def test_a_token_that_has_just_ended_by_our_clock_is_taken(at: Callable[[str], Tenant], form: str) -> None:
    """The clocks may differ by some minutes."""
    tenant = at(form)
    tenant.knows(**ANNA, exp=int(time.time()) - 120)
    assert tenant.comes_back(tenant.goes_out()).status_code == 303


@pytest.mark.parametrize("answer", [b"[]", b"null", b'{"id_token": "e30"}', b'{"id_token": 5}', b'{"error": ["no name"]}'], ids=str)
def test_an_answer_that_is_none_of_an_authority_is_told_as_that(
    at: Callable[[str], Tenant], monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    tenant = at(TENANT)
    address, post = tenant.goes_out(), PatientSession.post

    def posted(session: PatientSession, *given: Any, **more: Any) -> requests.Response:
        found = post(session, *given, **more)
        found._content = answer
        return found

    monkeypatch.setattr(PatientSession, "post", posted)
    back = tenant.comes_back(address)
    assert (back.status_code, "Nobody can sign in now" in text_of(back.text)) == (503, True)


@pytest.mark.parametrize("roles", [[], ["service"], ["Administrator"], None])
def test_somebody_without_a_role_of_ours_does_not_get_in(at: Callable[[str], Tenant], roles: list[str] | None) -> None:
    tenant = at(TENANT)
    tenant.knows(oid=OID, name="Voorbeeld (fictief)", **({} if roles is None else {"roles": roles}))
    answer = tenant.comes_back(tenant.goes_out())
    assert answer.status_code == 403
    assert "Your account has no role here" in text_of(answer.text)
    assert "Voorbeeld" not in answer.text


@pytest.mark.parametrize(("form", "prompt"), [(TENANT, "select_account"), ("adfs", "login")])
def test_who_has_no_role_can_come_with_another_account(at: Callable[[str], Tenant], form: str, prompt: str) -> None:
    """The browser is signed in there with one, which is taken without a question."""
    tenant = at(form)
    tenant.knows(oid=OID)
    answer = tenant.comes_back(tenant.goes_out())
    way = re.search(r'href="(/signin/entra[^"]*)"', answer.text)
    assert way is not None
    query = parse_qs(urlsplit(tenant.browser.get(way[1]).headers["Location"]).query)
    assert query["prompt"] == [prompt]
    assert "prompt" not in parse_qs(urlsplit(tenant.browser.get("/signin/entra").headers["Location"]).query)


def test_who_declines_is_back_at_the_door(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    tenant.knows(**ANNA, declines=True)
    answer = tenant.comes_back(tenant.goes_out())
    assert answer.status_code == 403
    assert "access_denied" in answer.text


def test_a_secret_that_has_expired_is_told_as_that_and_is_in_the_log(at: Callable[[str], Tenant]) -> None:
    """Nobody can come in then, whatever their role: who stands at the door can do nothing."""
    tenant = at(TENANT)
    tenant.secret = "a new one"
    tenant.knows(**ANNA)
    with capture_logs() as logs:
        answer = tenant.comes_back(tenant.goes_out())
    assert answer.status_code == 503
    page = text_of(answer.text)
    assert "You could not be signed in" in page
    assert "Nobody can sign in now" in page
    assert "The CRM does not answer" not in page
    assert {"event": "nobody can sign in at the console", "reason": "invalid_client", "log_level": "error"} in logs


def test_an_authority_that_does_not_answer_is_told_as_that(at: Callable[[str], Tenant]) -> None:
    tenant = at("gone")
    with capture_logs() as logs:
        answer = tenant.browser.get("/signin/entra")
    assert (answer.status_code, "Nobody can sign in now" in text_of(answer.text)) == (503, True)
    assert next(each["event"] for each in logs if each["log_level"] == "error") == "nobody can sign in at the console"


def test_an_authority_that_stops_answering_in_the_middle_of_a_sign_in_is_told_as_that(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    address = tenant.goes_out()
    tenant.tenants = ()
    tenant.knows(**ANNA)
    with capture_logs() as logs:
        answer = tenant.comes_back(address)
    assert (answer.status_code, "Nobody can sign in now" in text_of(answer.text)) == (503, True)
    assert next(each["event"] for each in logs if each["log_level"] == "error") == "nobody can sign in at the console"


@pytest.mark.parametrize("claim", ["unique_name", "upn"])
def test_who_comes_from_ad_fs_is_greeted_by_the_name_of_the_account(at: Callable[[str], Tenant], claim: str) -> None:
    tenant = at("adfs")
    tenant.knows(roles="dpo", oid=OID, **{claim: "HOME\\anna"})
    assert tenant.comes_back(tenant.goes_out()).status_code == 303
    assert "HOME\\anna" in tenant.browser.page("/")


@pytest.mark.parametrize(("form", "called"), [(TENANT, "erik@example.org"), (TENANT, "Erik"), ("adfs", "erik"), ("adfs", OID)])
def test_hld02_nobody_lifts_a_hold_that_they_ask_to_be_lifted_by_whatever_name_they_give(
    at: Callable[[str], Tenant], form: str, called: str
) -> None:
    """What the console knows of a person is an object id, and what people type is the name of an account."""
    tenant = at(form)
    names = {"name": "Erik V. (fictief)", "preferred_username": "erik@example.org"} if form == TENANT else {"unique_name": "HOME\\erik"}
    tenant.knows(oid=OID, roles=["approver"], **names)
    tenant.comes_back(tenant.goes_out())
    tenant.store.holds.place(a_hold(crm=ELSEWHERE), ("hold_placed", {"hold": "hold-1"}))
    answer = tenant.browser.post("/holds/hold-1/release", asked_by=called, reason="it is over")
    assert (answer.status_code, "Who asks for it cannot be you" in text_of(answer.text)) == (403, True)
    assert tenant.browser.post("/holds/hold-1/release", asked_by="erika@example.org", reason="it is over").status_code == 303


@FORMS
def test_colleagues_are_called_by_their_names_and_the_id_stands_behind(at: Callable[[str], Tenant], form: str) -> None:
    tenant = at(form)
    tenant.store.holds.place(a_hold(crm=ELSEWHERE, placed_by=OID), ("hold_placed", {"hold": "hold-1"}))
    tenant.knows(oid="another", roles=["dpo"], name="Erik Voorbeeld (fictief)")
    tenant.comes_back(tenant.goes_out())
    assert f"by {OID}" in text_of(tenant.browser.page("/holds")), "they have not come yet"
    tenant.knows(**ANNA)
    tenant.comes_back(tenant.goes_out())
    tenant.browser.post("/signout")
    tenant.knows(oid="another", roles=["dpo"], name="Erik Voorbeeld (fictief)")
    tenant.comes_back(tenant.goes_out())
    assert "by Anna Voorbeeld (fictief)" in text_of(tenant.browser.page("/holds"))


def test_who_signs_out_is_told_that_the_authority_may_know_them_still(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    tenant.comes_back(tenant.goes_out())
    assert tenant.browser.post("/signout").headers["Location"] == "/signin"
    assert "You are signed out here" in text_of(tenant.browser.page("/signin"))


def test_another_authority_for_the_same_crm_is_refused(at: Callable[[str], Tenant]) -> None:
    first = at(TENANT)
    assert first.comes_back(first.goes_out()).status_code == 303
    second = at("adfs")
    answer = second.comes_back(second.goes_out())
    assert answer.status_code == 409
    assert "other_authority" in answer.text


def test_the_people_of_the_demo_do_not_get_in_here(at: Callable[[str], Tenant]) -> None:
    tenant = at(TENANT)
    assert "demo-" not in tenant.browser.page("/signin")
    assert tenant.browser.client.post("/signin", data={"who": "demo-ben"}).status_code == 400
    assert tenant.browser.get("/").status_code == 303


def test_a_cookie_behind_tls_is_for_this_host_alone(at: Callable[[str], Tenant], tmp_path: Path) -> None:
    tenant = at(TENANT)
    settings = tenant.settings.model_copy(update={"public_url": "https://compliance.example.org"})
    services = Services(settings, tenant.store, tenant.clock, Sessions(tenant.store.sessions, timedelta(minutes=30), timedelta(hours=10)))
    app = app_of(Downloads(tenant.store, tenant.clock), hosts={"compliance.example.org"}, console=routes(services))
    tenant.browser.client = TestClient(app, base_url="https://compliance.example.org", follow_redirects=False)
    way_out, back = tenant.browser.get("/signin/entra"), tenant.goes_out()
    assert way_out.headers["Set-Cookie"].startswith("__Host-flow=")
    cookies = tenant.browser.client.cookies
    kept = cookies["__Host-flow"]
    cookies.clear()
    cookies.set("flow", kept)
    assert tenant.comes_back(back).status_code == 403, "what a neighbour of this host has planted is nobody's way in"
    cookie = tenant.comes_back(tenant.goes_out()).headers["Set-Cookie"]
    assert "__Host-session=" in cookie
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
