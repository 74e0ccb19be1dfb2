"""A page that answers a form has an address of its own: who goes back to it sees it again, and is not asked
whether the form is to be sent once more. Everybody is fictitious."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import Response

from crm_compliance.console.access.answered_forms import LASTS, MOST_BYTES, AnsweredForms
from crm_compliance.console.frame.services import Services
from rules.model.roles import Role
from tests.crm_compliance.console.browser import ROOT, Browser, text_of
from tests.drivers.night import Night

Signed = Callable[..., Browser]
HOLD = {"scope": "person", "id": "no id", "type": "legal", "reason": "LIT-1", "basis": "claim before the court", "review_on": "01/02/2027"}


def send(browser: Browser, page: str, path: str, **fields: str) -> Response:
    """Send a form as a browser does that shows whole pages."""
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document", "Referer": f"{ROOT}{page}"}
    return browser.client.post(path, data={"csrf": browser.token, **fields}, headers=headers)


def led_to(answer: Response) -> str:
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_why_a_form_was_refused_is_seen_again_as_often_as_somebody_goes_back(signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    first = led_to(send(dpo, "/holds/new?table=cf_dossier&id=", "/holds/new", **HOLD))
    assert first.startswith("/holds/new?table=cf_dossier&id=&answer=")
    for _ in range(2):
        page = dpo.get(first)
        assert (page.status_code, page.headers["Cache-Control"]) == (400, "no-store")
        assert "This was not accepted this is not the id of a record Nothing was carried out." in text_of(page.text)
        assert 'value="no id"' in page.text, "it is the page of the form, filled in"
    second = led_to(send(dpo, first, "/holds/new", **HOLD))
    assert parse_qs(urlsplit(second).query)["answer"] != parse_qs(urlsplit(first).query)["answer"]
    assert second.count("answer=") == 1


def test_what_the_same_page_says_at_its_fields_is_seen_again_too(signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    wrong = {"right": "access", "requester_kind": "donor", "given_lastname": "Voorbeeld (fictief)", "given_birthdate": "32/13/2010"}
    page = dpo.get(led_to(send(dpo, "/requests/new", "/requests/new", **wrong)))
    assert page.status_code == 400
    assert 'value="Voorbeeld (fictief)"' in page.text
    assert "This is not a date." in text_of(page.text)


def test_where_the_page_of_the_form_cannot_be_shown_it_is_said_on_a_page_of_its_own(signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    page = dpo.get(led_to(send(dpo, "/holds/hold-0", "/holds/new", **HOLD)))
    assert (page.status_code, "Back to the page" in page.text) == (400, True)


@pytest.mark.parametrize("comment", ["ok", "looked at with the service (fictitious)", ""])
def test_who_comes_too_late_reads_why_and_what_they_had_written(plan: str, signed_in: Signed, comment: str) -> None:
    admin, page = signed_in(Role.CRM_ADMIN), f"/plans/{plan}"
    signed_in(Role.DPO).post(f"{page}/reject", comment="no")
    said = admin.get(led_to(send(admin, page, f"{page}/approve", comment=comment)))
    assert (said.status_code, "waits for nobody’s approval any more" in text_of(said.text)) == (409, True)
    assert (" " not in comment) or comment in said.text


def test_nobody_else_sees_it_and_it_goes_once_the_form_is_taken(org: Night, signed_in: Signed, services: Services) -> None:
    dpo = signed_in(Role.DPO)
    address = led_to(send(dpo, "/holds/new", "/holds/new", **HOLD))
    for other in (signed_in(Role.DPO), signed_in(Role.CRM_ADMIN)):
        assert led_to(other.get(address)) == "/holds/new"
    token = dpo.client.cookies["session"]
    key = parse_qs(urlsplit(address).query)["answer"][0]
    assert services.answered.of(token, "dpo", key, services.clock()) is not None
    assert services.answered.of(token, "auditor", key, services.clock()) is None, "in another role it is not shown"
    assert services.answered.of(token, "dpo", key, services.clock() + LASTS) is None
    taken = HOLD | {"scope": "row", "table": "cf_dossier", "id": org.dossier("social_card", fiches=0)}
    assert "/holds/" in led_to(send(dpo, address, "/holds/new", **taken))
    assert led_to(dpo.get(address)) == "/holds/new"
    assert "no id" not in dpo.page("/holds/new")


def test_who_signs_out_leaves_nothing_of_it(signed_in: Signed, services: Services) -> None:
    dpo, other = signed_in(Role.DPO), signed_in(Role.DPO)
    for browser in (dpo, other):
        led_to(send(browser, "/holds/new", "/holds/new", **HOLD))
    assert led_to(send(dpo, "/", "/signout")) == "/signin"
    assert len(services.answered._kept) == 1, "what somebody else is shown stays"


@pytest.mark.parametrize("headers", [{"HX-Request": "true", "Sec-Fetch-Dest": "empty"}, {}], ids=["htmx", "a program"])
def test_who_shows_no_whole_pages_is_answered_at_once(signed_in: Signed, headers: dict[str, str]) -> None:
    dpo = signed_in(Role.DPO)
    answer = dpo.client.post("/holds/new", data={"csrf": dpo.token, **HOLD}, headers={"Sec-Fetch-Site": "same-origin", **headers})
    assert answer.status_code == 400


def test_what_is_kept_is_bounded(services: Services) -> None:
    forms, now = AnsweredForms(), services.clock()
    half = bytes(MOST_BYTES // 2)
    keys = [forms.keep("token", "dpo", f"/{number}", half, 400, now) for number in range(3)]
    assert [forms.of("token", "dpo", key, now) is not None for key in keys] == [False, True, True]
    assert forms.keep("token", "dpo", "/", bytes(MOST_BYTES + 1), 400, now) == ""
    later = forms.keep("token", "dpo", "/", b"page", 400, now + LASTS)
    assert forms._kept.keys() == {later}, "what is an hour old goes with the next"
    forms.keep("token", "dpo", "/", b"page", 400, now + LASTS - timedelta(minutes=1))  # the clock was put back
    assert len(forms._kept) == 1
