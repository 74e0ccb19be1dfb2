"""What every page of the console has: headers, the menu of a role, language, and answers to what goes
wrong."""

import re
from collections.abc import Callable

import pytest

from crm_compliance.console.frame.visit import local_path
from rules.model.roles import HUMAN_ROLES, Role
from tests.crm_compliance.console.browser import Browser, text_of

MENUS = {
    Role.CRM_ADMIN: ["/", "/plans", "/policy", "/datamap"],
    Role.DPO: ["/", "/plans", "/requests", "/holds", "/history", "/policy", "/datamap"],
    Role.APPROVER: ["/", "/requests", "/holds", "/policy"],
    Role.AUDITOR: ["/", "/plans", "/requests", "/holds", "/history", "/policy", "/datamap"],
}


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_the_menu_names_what_the_role_may_see(signed_in: Callable[..., Browser], role: Role) -> None:
    page = signed_in(role).page("/")
    links = [path for path in MENUS[Role.DPO] if f'<li><a href="{path}"' in page]
    assert links == MENUS[role]


def test_every_answer_has_the_headers_of_a_page(signed_in: Callable[..., Browser]) -> None:
    for answer in (signed_in(Role.DPO).get("/"), signed_in(Role.DPO).get("/nothing"), signed_in(Role.DPO).post("/signout")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_cookie_that_signs_in_is_for_nobody_else(browser: Browser) -> None:
    cookie = browser.client.post("/signin", data={"who": "demo-ben"}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_page_that_was_asked_for_waits_behind_the_way_in(browser: Browser) -> None:
    assert browser.get("/nothing-yet").status_code == 404
    browser.client.cookies.set("wanted", "/plans", domain="127.0.0.1")
    answer = browser.client.post("/signin", data={"who": "demo-ben"})
    assert answer.headers["Location"] == "/plans"


ROW = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/plans/plan-0"),
        ("GET", "/plans/plan-0/lines"),
        ("GET", f"/plans/plan-0/units/cf_dossier/{ROW}"),
        ("GET", f"/why/cf_dossier/{ROW}"),
        ("GET", f"/why/contact/{ROW}"),
        ("GET", "/history/run-0"),
        ("GET", "/history/run-0/certificates"),
        ("GET", "/holds/hold-0"),
        ("GET", "/requests/request-0"),
        ("GET", "/requests/request-0/preview"),
        ("POST", "/requests/request-0/close"),
    ],
)
def test_an_address_of_nothing_says_so(signed_in: Callable[..., Browser], method: str, path: str) -> None:
    browser = signed_in(Role.DPO)
    answer = browser.get(path) if method == "GET" else browser.post(path)
    assert answer.status_code == 404
    assert "Not found There is no such page." in text_of(answer.text)


def test_where_what_a_page_is_about_has_gone_its_place_says_so(signed_in: Callable[..., Browser]) -> None:
    answer = signed_in(Role.DPO).get(f"/why/cf_dossier/{ROW}", **{"HX-Request": "true"})
    assert answer.status_code == 404
    assert "What this is about is not there any more." in text_of(answer.text)


@pytest.mark.parametrize("text", ["//example.org", "https://example.org/", "/\\example.org", "javascript:alert(1)", "", "/a\r\nX: y"])
def test_nobody_is_sent_elsewhere(text: str) -> None:
    assert local_path(text) == "/"


@pytest.mark.parametrize(("language", "word"), [("nl", "Postbus"), ("fr", "Boîte de réception"), ("en", "Inbox"), ("de", "Inbox")])
def test_a_page_speaks_the_language_of_the_browser(signed_in: Callable[..., Browser], language: str, word: str) -> None:
    page = signed_in(Role.DPO, language).page("/")
    assert word in text_of(page)
    assert f'<html lang="{language if language != "de" else "en"}"' in page


def test_a_language_and_an_appearance_that_were_chosen_stay(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO, "fr")
    assert browser.post("/preferences", language="nl", theme="dark", here="/").status_code == 303
    page = browser.page("/")
    assert 'lang="nl" data-theme="dark"' in page
    browser.post("/preferences", language="xx", theme="<b>", here="/")
    assert 'lang="nl" data-theme="dark"' in browser.page("/")


def test_somebody_who_is_not_of_the_demo_does_not_get_in(browser: Browser) -> None:
    answer = browser.client.post("/signin", data={"who": "demo-mallory"})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_who_tries_too_often_waits(browser: Browser) -> None:
    codes = [browser.client.post("/signin", data={"who": "x"}).status_code for _ in range(11)]
    assert codes == [400] * 10 + [429]


def test_a_form_that_is_too_large_is_not_read(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    assert browser.post("/role", role="x" * 70_000).status_code == 413


def test_a_refusal_is_said_in_the_language_of_the_page(signed_in: Callable[..., Browser]) -> None:
    auditor = signed_in(Role.AUDITOR, "fr")
    page = auditor.post("/plans/making", kind="all").text
    assert '<p class="lead">Votre rôle ne permet pas de le faire.' in page
    assert '<p lang="en">' in page
    part = auditor.get("/plans/plan-9", **{"HX-Request": "true"}).text
    assert '<p class="callout-title">Ce dont il s’agit n’existe plus.' in part
    assert '<p lang="en">' in part


def test_what_a_button_opens_it_opens_without_script_too(signed_in: Callable[..., Browser]) -> None:
    page = signed_in(Role.CRM_ADMIN).page("/plans")
    dialogs = re.findall('<dialog id="([a-z]+)" (popover|)', page)
    assert sorted(dialogs) == [("make", "popover"), ("stop", "popover")]
    for name, _ in dialogs:
        assert f'popovertarget="{name}">' in page


def test_a_name_is_not_sent_where_an_id_is_looked_for(plan: str, signed_in: Callable[..., Browser]) -> None:
    """What is looked for stands in the address, and that in histories and in logs of proxies."""
    dpo = signed_in(Role.DPO)
    for path, ids in (
        (f"/plans/{plan}/lines", ["", f"{{{ROW.upper()}}}", "4000-8", "fe", "fee0"]),
        ("/holds?id=0", ["hold-0a", ROW]),
        ("/requests", ["dsr-2026-7K4M-9Q2X", "request-0a1b"]),
    ):
        (pattern,) = re.findall(r'<input[^>]* pattern="([^"]*)"', dpo.page(path))
        assert [each for each in ids if not re.fullmatch(pattern, each)] == []
        assert [each for each in ("Lotte Peeters", "Ada", "Abbé") if re.fullmatch(pattern, each)] == [], path
