"""Plans on pages: the list, one plan with its lines, and people's words. Everybody is fictitious."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.typist import Typist, people_and_cases
from tests.integration.night import Night

Signed = Callable[..., Browser]


@pytest.fixture
def units(org: Night) -> dict[str, str]:
    return people_and_cases(org)


@pytest.fixture
def plan(units: dict[str, str], typist: Typist) -> str:
    return str(typist.ask("plan")["plan"])


def test_the_list_has_every_plan_and_pages_with_a_filter(
    org: Night, typist: Typist, signed_in: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.index.A_PAGE", 2)
    made = [typist.ask("plan", "--kind", kind)["plan"] for kind in ("retention", "recordings", "retention", "retention")]
    browser = signed_in(Role.AUDITOR)
    first = browser.page("/plans?kind=retention")
    assert [f'href="/plans/{each}"' in first for each in made] == [False, False, True, True]
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = browser.page(older[1].replace("&amp;", "&"))
    assert [f'href="/plans/{each}"' in second for each in made] == [True, False, False, False]
    assert 'rel="next"' not in second
    assert browser.get("/plans?kind=nonsense").status_code == 400
    assert "No plan is like this" in text_of(browser.page("/plans?state=applied"))
    assert "No plan is like this" in text_of(browser.page("/plans?before=plan-unknown"))


def test_a_plan_says_what_it_would_do_and_leads_to_the_lines(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.AUDITOR)
    page = browser.page(f"/plans/{plan}")
    assert "It disposes of a category of which no completed run has disposed before." in text_of(page)
    assert browser.get(f"/plans/{plan}?disposition=anonymise").headers["Location"] == f"/plans/{plan}/lines?disposition=anonymise"
    lines = browser.page(f"/plans/{plan}/lines?disposition=anonymise")
    assert units["anonymise"] in lines
    assert f"id={units['anonymise']}&amp;pagetype=entityrecord" in lines, "the record in the CRM"
    assert [units[each] in lines for each in ("delete", "open", "no_term", "recording")] == [False] * 4
    assert browser.get("/plans/plan-unknown").status_code == 400
    assert "no plan" in text_of(browser.get("/plans/plan-unknown").text)


def test_lines_are_filtered_by_what_has_no_category_by_id_and_in_order(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.CRM_ADMIN)
    contacts = browser.page(f"/plans/{plan}/lines?category=-")
    assert "no category (" in text_of(contacts)
    assert units["delete"] not in contacts
    assert "1 unit " in text_of(browser.page(f"/plans/{plan}/lines?id=%7B{units['open'].upper()}%7D"))
    for direction, word in (("", "ascending"), ("&descending=1", "descending")):
        page = browser.page(f"/plans/{plan}/lines?sort=id{direction}&outcome=dispose")
        ids = re.findall(r'class="soft id">([0-9a-f-]{36})', page)
        assert ids == sorted(ids, reverse=bool(direction))
        assert len(ids) > 3
        page = browser.page(f"/plans/{plan}/lines?sort=reason{direction}")
        assert f'aria-sort="{word}"' in page
    for bad in ("sort=nothing", "offset=-1", "offset=x", "offset=99999999999999999999"):
        assert browser.get(f"/plans/{plan}/lines?{bad}").status_code == 400, bad
    part = browser.get(f"/plans/{plan}/lines?outcome=retain", **{"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="lines"')
    assert "No unit is like this" in text_of(browser.page(f"/plans/{plan}/lines?reason=%3Cscript%3E"))
    assert "<script>" not in browser.page(f"/plans/{plan}/lines?reason=%3Cscript%3E&id=%3Cscript%3E")


def test_pages_of_lines_follow_each_other_with_the_filter(plan: str, signed_in: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.lines.A_PAGE", 2)
    browser, where, seen = signed_in(Role.DPO), f"/plans/{plan}/lines?outcome=dispose", []
    while where:
        page = browser.page(where)
        seen += re.findall(r'class="soft id">([0-9a-f-]{36})', page)
        after = re.search(r'rel="next" href="([^"]+)"', page)
        where = after[1].replace("&amp;", "&") if after else ""
        assert "outcome=dispose" in page
    assert len(seen) == len(set(seen)) > 4


def test_two_people_approve_each_in_their_role(org: Night, plan: str, signed_in: Signed) -> None:
    admin, dpo = signed_in(Role.CRM_ADMIN), signed_in(Role.DPO)
    assert f'action="/plans/{plan}/approve"' in admin.page(f"/plans/{plan}")
    answer = admin.post(f"/plans/{plan}/approve", comment="looked at")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/plans/{plan}")
    page = admin.page(f"/plans/{plan}")
    assert "Your approval is recorded." in text_of(page)
    assert "You have given your word on this plan." in text_of(page)
    assert f'action="/plans/{plan}' not in page
    assert admin.post(f"/plans/{plan}/approve").status_code == 403, "one person is not two"
    assert "looked at" in dpo.page(f"/plans/{plan}")
    dpo.post(f"/plans/{plan}/approve")
    assert org.store.plans.get(plan).missing(org.clock()) == ()
    assert "Approved by everybody whose word it takes." in text_of(dpo.page(f"/plans/{plan}"))


def test_who_made_a_plan_does_not_decide_on_it(org: Night, units: dict[str, str], typist: Typist, signed_in: Signed) -> None:
    plan = typist.ask("plan", "--as", "demo-anna")["plan"]
    admin = signed_in(Role.CRM_ADMIN)
    page = admin.page(f"/plans/{plan}")
    assert "You made this plan" in text_of(page)
    assert f'action="/plans/{plan}' not in page
    answer = admin.post(f"/plans/{plan}/approve")
    assert answer.status_code == 403
    assert org.store.plans.get(plan).given == ()


def test_a_rejection_takes_a_reason_and_ends_the_plan(org: Night, plan: str, signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    assert dpo.post(f"/plans/{plan}/reject", comment="  ").status_code == 400
    assert org.store.plans.get(plan).given == ()
    dpo.post(f"/plans/{plan}/reject", comment="<b>wrong</b> categories")
    page = dpo.page(f"/plans/{plan}")
    assert "&lt;b&gt;wrong&lt;/b&gt; categories" in page
    assert f'action="/plans/{plan}' not in page
    assert signed_in(Role.CRM_ADMIN).post(f"/plans/{plan}/approve").status_code == 409


def test_who_may_only_look_is_offered_nothing(plan: str, signed_in: Signed) -> None:
    page = signed_in(Role.AUDITOR).page(f"/plans/{plan}")
    assert f'action="/plans/{plan}' not in page
    assert "Data protection officer" in text_of(page), "whose word it lacks"


def test_a_plan_for_another_day_is_nobodys_to_approve(units: dict[str, str], typist: Typist, signed_in: Signed) -> None:
    plan = typist.ask("plan", "--as-of", "2030-01-01")["plan"]
    page = signed_in(Role.DPO).page(f"/plans/{plan}")
    assert "can never be applied" in text_of(page)
    assert f'action="/plans/{plan}' not in page


def test_what_becomes_due_is_counted_by_month(org: Night, plan: str, typist: Typist, signed_in: Signed) -> None:
    assert "Nothing becomes due in these months." in text_of(signed_in(Role.DPO).page(f"/plans/{plan}/months"))
    org.fiche("social_card", spoken=org.clock().date())
    later = typist.ask("plan")["plan"]
    words = text_of(signed_in(Role.DPO, "nl").page(f"/plans/{later}/months"))
    assert "1 mei 2027" in words
    assert words.count(" 0 ") == 11
