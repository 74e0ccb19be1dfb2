"""A form that is not taken: whoever sent it reads why, in their language, and finds the way back."""

from collections.abc import Callable
from http.client import HTTPConnection

import pytest
import requests
from starlette.applications import Starlette

from crm_compliance.console.app import SIGN_INS
from crm_compliance.console.frame.services import Services
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from rules.model.roles import Role
from tests.crm_compliance.console.browser import ROOT, Browser, text_of
from tests.crm_compliance.console.live import live

Signed = Callable[..., Browser]
OURS = {"Sec-Fetch-Site": "same-origin", "Referer": f"{ROOT}/plans?kind=all"}
NOT_TAKEN = "Uw sessie was afgelopen, en wat u verstuurde is niet aangenomen."


def ended(services: Services, browser: Browser) -> str:
    """End the session, and return the token of its forms."""
    token = browser.token
    services.sessions.end(browser.client.cookies["session"])
    return token


def test_who_sends_a_form_after_the_session_has_ended_is_told_and_comes_back(services: Services, signed_in: Signed) -> None:
    """Stopping everything, for one: a page that stays empty would look as if it were done."""
    dpo = signed_in(Role.DPO, "nl")
    answer = dpo.client.post("/stop", data={"csrf": ended(services, dpo)}, headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/signin")
    page = dpo.page("/signin")
    assert NOT_TAKEN in text_of(page)
    assert 'class="callout warn"' in page
    assert dpo.client.post("/signin", data={"who": "demo-ben"}).headers["Location"] == "/plans?kind=all"
    assert services.store.kill_switch.stopped_since() is None


def test_so_is_who_sends_it_by_htmx(services: Services, signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO, "nl")
    answer = dpo.client.post("/holds/new", data={"csrf": ended(services, dpo)}, headers={**OURS, "HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/signin"
    assert NOT_TAKEN in text_of(dpo.page("/signin"))


def test_a_piece_of_a_page_leads_back_to_the_page(services: Services, signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    ended(services, dpo)
    assert dpo.get("/plans/making", **OURS, **{"HX-Request": "true"}).headers["HX-Redirect"] == "/signin"
    assert "Your session has ended" in text_of(dpo.page("/signin"))
    assert dpo.client.post("/signin", data={"who": "demo-ben"}).headers["Location"] == "/plans?kind=all"


def test_a_form_of_another_site_leaves_nothing_in_the_browser_of_who_is_not_signed_in(browser: Browser) -> None:
    answer = browser.client.post("/stop", data={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.text) == (401, "")
    assert "Set-Cookie" not in answer.headers


def test_a_page_of_an_earlier_session_says_so(services: Services, signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO, "nl")
    old = ended(services, dpo)
    dpo.sign_in(Role.DPO)
    answer = dpo.client.post("/stop", data={"csrf": old}, headers=OURS)
    assert answer.status_code == 403
    assert "al open voordat u zich opnieuw aanmeldde" in text_of(answer.text)
    assert 'href="/plans?kind=all"' in answer.text
    part = dpo.client.post("/stop", data={"csrf": old}, headers={**OURS, "HX-Request": "true"})
    assert "<html" not in part.text
    assert "al open voordat u zich opnieuw aanmeldde" in text_of(part.text)


def test_a_file_that_is_too_large_is_refused_in_words(signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO, "nl")
    answer = dpo.client.post(
        "/requests/new/import",
        data={"csrf": dpo.token},
        files={"file": ("form.json", b"x" * 1_000_000)},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 413
    assert "Kies een kleiner bestand" in text_of(answer.text)


def test_who_sends_what_is_too_large_reads_the_whole_answer(app: Starlette) -> None:
    """Caddy passes a body on as it comes: answered in the middle of it, the browser had half a page."""
    with live(app) as root, requests.Session() as browser:
        browser.post(f"{root}/signin", data={"who": "demo-ben"}, timeout=30)
        one = HTTPConnection(root.removeprefix("http://"), timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        for _ in range(2):  # over the same connection
            one.request("POST", "/holds/new", b"x" * 5_000_000, {"Cookie": cookies, "Sec-Fetch-Site": "same-origin"})
            answer = one.getresponse()
            assert (answer.status, answer.read().rstrip().endswith(b"</html>")) == (413, True)
        one.close()


@pytest.mark.parametrize("referer", ["https://example.org/plans", f"{ROOT}@example.org/", "http://[", "", f"{ROOT}//example.org"])
def test_a_page_elsewhere_is_no_way_back(signed_in: Signed, referer: str) -> None:
    dpo = signed_in(Role.DPO)
    answer = dpo.client.post("/find", data={"csrf": dpo.token}, headers={"Sec-Fetch-Site": "same-origin", "Referer": referer})
    assert answer.status_code == 400
    assert "example.org" not in answer.text


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/plans/plan-1/reject", "/plans/plan-1"),
        ("/stop", "/"),
        ("/requests/new/import", "/requests/new"),
        ("/history/proof/verification", "/history/proof"),
        ("/a/b/c", None),
    ],
)
def test_where_only_forms_go_leads_to_the_page_above(signed_in: Signed, form: str, page: str | None) -> None:
    """The address that a browser shows where a form was refused, and asks for when it is loaded again."""
    answer = signed_in(Role.DPO).get(form)
    assert (answer.status_code, answer.headers.get("Location")) == ((303, page) if page else (404, None))


def test_from_a_filter_that_is_refused_leads_a_way_back(signed_in: Signed) -> None:
    auditor, asked = signed_in(Role.AUDITOR), "/history/audit?from=yesterday"
    for referer, is_offered in (("/history/audit?to=2026-11-25", True), (asked, False), ("/history", False), ("", False)):
        page = auditor.get(asked, Referer=f"{ROOT}{referer}" if referer else "")
        assert (page.status_code, "Back to the page" in page.text) == (400, is_offered), referer


def test_who_tries_too_often_is_told_in_words(browser: Browser) -> None:
    browser.client.headers["Accept-Language"] = "nl"
    for _ in range(SIGN_INS):
        assert browser.client.post("/signin", data={"who": "nobody"}).status_code == 400
    answer = browser.client.post("/signin", data={"who": "nobody"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert "te vaak geprobeerd" in text_of(answer.text)


def test_who_gets_in_is_not_counted_so_that_an_office_behind_one_address_comes_in(browser: Browser) -> None:
    who = DEMO_PEOPLE[0].who
    for _ in range(SIGN_INS + 1):
        assert browser.client.post("/signin", data={"who": who}).status_code == 303
    for _ in range(SIGN_INS):
        assert browser.client.post("/signin", data={"who": "nobody"}).status_code == 400
    assert browser.client.post("/signin", data={"who": who}).status_code == 429


def test_who_looks_at_a_page_after_the_session_has_ended_is_told_and_who_comes_for_the_first_time_is_not(
    services: Services, signed_in: Signed, browser: Browser
) -> None:
    dpo = signed_in(Role.DPO)
    ended(services, dpo)
    for visitor, is_told in ((dpo, True), (browser, False)):
        assert visitor.get("/plans").headers["Location"] == "/signin"
        assert ("Your session has ended" in text_of(visitor.page("/signin"))) is is_told
