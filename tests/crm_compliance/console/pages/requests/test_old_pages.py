"""Two people have the page of one request open, and one of them takes a step. What the other then sends goes
by what is not so any more, or would undo what nobody saw. Everybody is fictitious."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Response

from rules.model.requests import RequestState
from rules.model.roles import Role
from tests.crm_compliance.cli.requests.decided import asking_for, lotte
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, Typist

SignedIn = Callable[..., Browser]
FIEN = {"firstname": "Fien", "lastname": "Voorbeeld (fictief)", "birthdate": "1990-02-03"}
TOLD = "The request was changed meanwhile, by somebody else or in another window."


def send(browser: Browser, page: str, action: str, **fields: Any) -> Response:
    """Send a form of a page, with what it carries unseen."""
    form = next(each.partition("</form>")[0] for each in page.split("<form")[1:] if f'action="{action}"' in each)
    return browser.post(action, **dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)), **fields)


def a_donor(typist: Typist, org: Night) -> tuple[Asking, str]:
    return Asking(typist).open(FIEN, kind="donor"), org.contact(emailaddress1="fien@example.org", **FIEN)


def test_nobody_grants_what_has_another_number_by_now(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    child = lotte(org, birthdate="2008-01-02")
    first, second = sorted(org.dossier("social_card") for _ in range(2))
    org.party(child, "child", dossier=second)
    asking = asking_for(typist, "erasure", child)
    path, dpo = f"/requests/{asking.id}", signed_in(Role.DPO)
    page = dpo.page(path)
    (marked,) = re.findall(r'name="item" value="([^"]*)"', page)
    org.party(child, "child", dossier=first)
    typist.ask("requests", "compile", asking.id, *DORA)
    assert [item.source[1] for item in asking.compilation.items] == [first, second]
    answer = send(dpo, page, f"{path}/decide", grant="1", item=marked)
    assert answer.status_code == 409
    assert TOLD in text_of(answer.text)
    assert not asking.compilation.granted
    again = re.findall(r'name="item" value="([^"]*)"( checked)?', answer.text)
    assert [bool(tick) for _, tick in again] == [False, True], "what was marked stands marked, under whatever number"
    assert send(dpo, answer.text, f"{path}/decide", grant="1", item=marked).status_code == 303
    assert [item.source[1] for item in asking.compilation.items if item.item in asking.compilation.granted] == [second]


def test_nobody_approves_or_releases_an_answer_that_the_page_did_not_show(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    asking, contact = a_donor(typist, org)
    asking.identify().confirm(contact).compile()
    path, dpo, approver = f"/requests/{asking.id}", signed_in(Role.DPO), signed_in(Role.APPROVER)
    page = dpo.page(path)
    org.donation(contact)
    asking.compile()
    answer = send(dpo, page, f"{path}/approve")
    assert (answer.status_code, TOLD in text_of(answer.text)) == (409, True)
    assert asking.row().state is RequestState.REVIEWING
    assert send(dpo, answer.text, f"{path}/approve").status_code == 303
    page = approver.page(path)
    org.donation(contact)
    asking.compile()
    asking.approve_all()
    answer = send(approver, page, f"{path}/release")
    assert (answer.status_code, TOLD in text_of(answer.text)) == (409, True)
    assert asking.row().state is RequestState.APPROVED
    assert send(approver, answer.text, f"{path}/release").status_code == 303


@pytest.mark.parametrize("step", ["identify", "match", "confirm", "compile", "close"])
def test_nobody_undoes_what_somebody_else_did_since_the_page_was_opened(org: Night, typist: Typist, signed_in: SignedIn, step: str) -> None:
    asking, contact = a_donor(typist, org)
    path, dpo, pages = f"/requests/{asking.id}", signed_in(Role.DPO), {}
    pages["identify"] = pages["close"] = dpo.page(path)
    asking.identify()
    pages["match"] = dpo.page(path)
    asking.confirm(contact)
    pages["confirm"] = pages["compile"] = dpo.page(path)
    asking.compile()
    fields = {"identify": {"method": "shown"}, "confirm": {"none": "1"}, "close": {"outcome": "WITHDRAWN"}}.get(step, {})
    if step == "compile":
        asking.approve_all()
    before = asking.row()
    answer = send(dpo, pages[step], f"{path}/{step}", **fields)
    assert (answer.status_code, TOLD in text_of(answer.text)) == (409, True)
    assert asking.row() == before
    assert asking.compilation
    assert send(dpo, answer.text, f"{path}/{step}", **fields).status_code == 303, "who has seen it may"


def test_what_undoes_nothing_is_taken_from_an_older_page(org: Night, typist: Typist, signed_in: SignedIn) -> None:
    asking, contact = a_donor(typist, org)
    asking.identify().confirm(contact).compile()
    path, dpo, approver = f"/requests/{asking.id}", signed_in(Role.DPO), signed_in(Role.APPROVER)
    mine, theirs = dpo.page(path), approver.page(path)
    word = {"rule": "NO_CONTACT", "code": "WEIGHED"}
    assert send(dpo, mine, f"{path}/override", **word).status_code == 303
    assert send(approver, theirs, f"{path}/override", **word).status_code == 303
    assert send(dpo, mine, f"{path}/extend", reason="number", notified_on="25/11/2026", notified_time="12:00").status_code == 303
    row = asking.row()
    assert ([each.step for each in row.approvals], row.extension is not None) == (["override", "override"], True)
