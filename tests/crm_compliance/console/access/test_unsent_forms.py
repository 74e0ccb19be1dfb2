"""A form that is sent after its session had ended: whoever typed it finds it filled in after signing in
again, nobody else sees it, and nothing is carried out by itself. Everybody is fictitious."""

import json
import logging
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import text
from starlette.datastructures import FormData
from starlette.requests import Request

from crm_compliance.console.access import unsent_forms
from crm_compliance.console.access.owners import Owner
from crm_compliance.console.access.unsent_forms import LASTS, UnsentForms
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages import signin
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.store.sql.problems import StoreUnusable
from rules.model.roles import Role
from tests.crm_compliance.console.browser import ROOT, Browser, text_of
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO

BASIS = 'claim before the court of "Voorbeeldstad" <fictitious> & others'
HOLD = {
    "once": "0" * 16,
    "scope": "person",
    "id": "00000000-0000-4000-8000-000000000001",
    "type": "legal",
    "reason": "LIT-1",
    "basis": BASIS,
    "obtained_by": "\nfirst line\nsecond line",
    "review_on": "01/02/2027",
    "unseen": "1",
}


class Hours:
    """A service whose clock stands where a test puts it."""

    def __init__(self, org: Night, services: Services) -> None:
        self.now = services.clock()
        self.served = Services(services.settings, org.store, lambda: self.now, services.sessions)
        self.app = app_of(Downloads(org.store, self.served.clock), console=routes(self.served))

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)

    def browser(self, role: Role = Role.DPO, language: str = "en") -> Browser:
        return Browser(self.app, language).sign_in(role)


@pytest.fixture
def hours(org: Night, services: Services) -> Hours:
    return Hours(org, services)


def send(browser: Browser, page: str, token: str, fields: dict[str, str], path: str = "", **headers: str) -> tuple[int, str]:
    said = {"Sec-Fetch-Site": "same-origin", "Referer": f"{ROOT}{page}", **headers}
    answer = browser.client.post(path or page, data={"csrf": token, **fields}, headers=said)
    led_to = (str(answer.headers.get(name, "")) for name in ("Location", "HX-Redirect", "HX-Refresh"))
    return answer.status_code, next(filter(None, led_to), "")


def signed_in_again(browser: Browser, who: str = "demo-ben") -> str:
    """Choose somebody, and return where that leads."""
    return browser.client.post("/signin", data={"who": who}).headers["Location"]


def field(page: str, name: str) -> str:
    """What a field of a page says, or its tag where it is a choice."""
    area = re.search(rf'<textarea[^>]* name="{name}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    if area is not None:
        return unescape(area[1])
    found = re.search(rf'<input[^>]* name="{name}"[^>]*>', page)
    assert found is not None, name
    return unescape(found[0].partition(' value="')[2].partition('"')[0])


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}], ids=["plain", "htmx"])
def test_what_was_typed_stands_in_the_form_again_and_is_not_sent_by_itself(
    org: Night, hours: Hours, htmx: dict[str, str], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    dpo = hours.browser()
    token = dpo.token
    hours.pass_(minutes=31)
    assert send(dpo, "/holds/new?from=x&afresh=1", token, HOLD, "/holds/new", **htmx) == (401 if htmx else 303, "/signin")
    signin = dpo.page("/signin")
    assert "the form waits for you" in text_of(signin)
    assert "court" not in signin + str(dict(dpo.client.cookies))
    led_to = signed_in_again(dpo)
    assert led_to == "/holds/new?from=x#unsent"
    page = dpo.page("/holds/new")
    assert org.store.holds.all() == []
    assert [field(page, name) for name in ("id", "reason", "basis", "obtained_by", "review_on")] == [
        HOLD["id"],
        "LIT-1",
        BASIS,
        HOLD["obtained_by"],
        "01/02/2027",
    ]
    scopes = re.findall(r'<input type="radio" name="scope" value="(\w+)"[^>]* checked', page)
    assert (scopes, 'name="unseen" value="1" aria-describedby="h-unseen" checked' in page) == (["person"], True)
    assert '<option value="legal" selected>' in page
    assert "This is not sent yet" in text_of(page.partition('action="/holds/new"')[2].partition("<fieldset")[0])
    assert (field(page, "csrf") not in ("", token), field(page, "once") not in ("", HOLD["once"])) == (True, True)
    assert BASIS not in unescape(dpo.page("/holds/new?afresh=1"))
    said = capsys.readouterr()
    assert "court" not in said.out + said.err + caplog.text
    mended = {"scope": "row", "table": "cf_dossier", "id": dossier, "obtained_by": ""}
    sent = {**HOLD, **mended, "csrf": field(page, "csrf"), "once": field(page, "once")}
    assert dpo.client.post("/holds/new", data=sent, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert [hold.basis for hold in org.store.holds.all()] == [BASIS]
    assert BASIS not in unescape(dpo.page("/holds/new")), "what is sent waits no more"


def test_nobody_else_sees_it_and_an_hour_later_it_is_gone(hours: Hours) -> None:
    dpo = hours.browser()
    token = dpo.token
    hours.pass_(hours=11)
    send(dpo, "/holds/new", token, HOLD)
    assert signed_in_again(dpo, "demo-anna") == "/holds/new", "to the page, not to what somebody else had typed"
    assert "Voorbeeldstad" not in dpo.get("/holds/new").text
    assert "Voorbeeldstad" in hours.browser().page("/holds/new"), "at another browser too it is the same person"
    hours.pass_(minutes=59)
    dpo.sign_in(Role.DPO)
    assert "Voorbeeldstad" in dpo.page("/holds/new")
    hours.pass_(minutes=1)
    assert "Voorbeeldstad" not in dpo.page("/holds/new")


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}], ids=["plain", "htmx"])
def test_who_has_signed_in_again_beside_the_page_finds_it_filled_in_and_somebody_else_does_not(hours: Hours, htmx: dict[str, str]) -> None:
    dpo = hours.browser()
    token = dpo.token
    dpo.sign_in(Role.APPROVER)
    assert send(dpo, "/holds/new", token, HOLD, **htmx)[0] == 403
    dpo.sign_in(Role.DPO)
    assert "Voorbeeldstad" not in dpo.page("/holds/new")
    assert send(dpo, "/holds/new", token, HOLD, **htmx) == ((409, "true") if htmx else (303, "/holds/new#unsent"))
    assert "Voorbeeldstad" in dpo.page("/holds/new")


def test_only_what_was_a_page_of_ours_is_kept(hours: Hours) -> None:
    """Who was never signed in has nothing read or kept; nor has who sends it from elsewhere, or with the
    token of nobody."""
    dpo = hours.browser()
    token = dpo.token
    hours.pass_(minutes=31)
    send(Browser(hours.app), "/holds/new", token, HOLD)
    send(dpo, "/holds/new", "0" * 64, HOLD)
    send(dpo, "/holds/new", token, HOLD, **{"Sec-Fetch-Site": "cross-site"})
    send(dpo, "/holds/new", token, HOLD, Referer="http://elsewhere.example/holds/new")
    send(dpo, "/holds/new", token, {}, "/role")
    assert signed_in_again(dpo).partition("#")[2] == ""
    assert "Voorbeeldstad" not in dpo.page("/holds/new")


def test_a_form_is_found_again_in_the_role_in_which_it_was_open(hours: Hours) -> None:
    served = hours.served
    served.unsent.keep(Owner("oid-2", "dpo"), "/holds/new", "/holds/new", FormData(HOLD), hours.now)
    for who, role in (("oid-1", "auditor"), ("oid-2", "dpo")):
        asked = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"cookie", b"wanted=/holds/new")]})
        signin.begin(Visit(asked, served), who, ("auditor", "dpo"), ("Voorbeeld (fictief)",))
        with served.store.database.reading() as connection:
            docs = connection.execute(text("SELECT doc FROM sessions")).scalars().all()
        assert [doc["role"] for doc in map(json.loads, docs) if doc["who"] == who] == [role]


def test_what_waits_is_bounded(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsent_forms, "MOST_BYTES", 100)
    forms, owner, now = UnsentForms(), Owner("oid-1", "dpo"), services.clock()
    for number in range(3):
        assert forms.keep(owner, f"/{number}", "/a", FormData([("text", "x" * 50), ("csrf", "0"), ("since", "9")]), now)
    assert [len(forms.of("oid-1", f"/{number}", now)) for number in range(3)] == [0, 0, 1], "two of them are more than that"
    assert not forms.keep(owner, "/", "/a", FormData([("text", "x" * 101)]), now)
    assert not forms.keep(owner, "/", "/a", FormData([("csrf", "0"), ("once", "1"), ("since", "2"), ("text", "")]), now)
    assert forms.of("oid-1", "/2", now + LASTS) == []


def test_a_form_that_was_refused_stands_filled_in_for_who_goes_back(hours: Hours) -> None:
    """A script leaves it where it is; without one the browser has thrown it away. It is shown once."""
    dpo = hours.browser()
    wrong = HOLD | {"id": "no id", "unseen": ""}
    assert send(dpo, "/holds/new", dpo.token, wrong) == (400, "")
    page = dpo.page("/holds/new")
    assert "This was not accepted this is not the id of a record Nothing was carried out." in text_of(page)
    assert '<p class="error" id="e-id">this is not the id of a record</p>' in page, "at its field too"
    assert (field(page, "basis"), field(page, "id")) == (BASIS, "no id")
    assert "This was not accepted" not in text_of(dpo.page("/holds/new"))
    assert send(dpo, "/holds/new", dpo.token, wrong, **{"HX-Request": "true"}) == (400, "")
    assert "no id" not in dpo.page("/holds/new")


def test_a_form_that_was_sent_while_the_database_was_away_stands_filled_in(
    hours: Hours, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could tell then who sent it: it is found by the page from which it came."""
    dpo = hours.browser()
    token = dpo.token

    def away(*_: object) -> None:
        raise StoreUnusable("the database cannot be reached")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(type(services.store.sessions), "get", away)
        assert send(dpo, "/holds/new", token, HOLD) == (503, "")
        assert send(dpo, "/holds/new", "of nobody", HOLD | {"basis": "of nobody"}) == (503, "")
    page = dpo.page("/holds/new")
    assert field(page, "basis") == BASIS
    assert "Nothing was carried out." in text_of(page)
