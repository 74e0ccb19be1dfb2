"""The main path of each role in a real browser: from the way in to the act, by what is written on buttons and
links. Everybody is fictitious."""

import re

from jobs.model.plan import PlanState
from rules.model.requests import RequestState
from rules.model.roles import Role
from tests.crm_compliance.console.clicking import Visitor, clicks, come_in
from tests.crm_compliance.nights import Applied
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases

__all__ = ["come_in"]


def test_two_people_approve_a_plan_from_their_inboxes(org: Night, plan: str, come_in: Visitor) -> None:
    for role in (Role.CRM_ADMIN, Role.DPO):
        page = come_in(role)
        with clicks(page, 2) as click:
            click("waits for your approval")
            page.get_by_label("Comment").fill("looked through")
            click("Approve", "button")
        page.get_by_text("Your approval is recorded").wait_for()
        assert "looked through" in page.locator("main").inner_text()
    assert org.store.plans.get(plan).state(org.clock()) is PlanState.READY
    assert "waits for your approval" not in come_in(Role.DPO).locator("main").inner_text()


def test_why_a_fiche_is_kept_is_found_in_three_clicks(plan: str, come_in: Visitor) -> None:
    page = come_in(Role.DPO)
    with clicks(page, 3) as click:
        click("waits for your approval")
        click("The dossier is still open")
        page.locator("main table tbody a").first.click()
    assert "RET-13" in page.locator("main").inner_text()


def test_who_approved_a_run_is_found_in_three_clicks_and_the_record_verified(applied_night: Applied, come_in: Visitor) -> None:
    page = come_in(Role.AUDITOR)
    with clicks(page, 2) as click:
        click("History")
        page.locator("main table tbody a").first.click()
    said = page.locator("main").inner_text()
    assert "fictief-dpo" in said
    assert "fictief-crm_admin" in said
    with clicks(page, 3) as click:
        click("History")
        click("Proof")
        click("Verify now", "button")
    page.get_by_text("The record is whole").wait_for()
    assert page.get_by_role("button", name="Approve").count() == 0


def test_a_second_person_releases_an_answer_from_the_inbox(org: Night, typist: Typist, come_in: Visitor) -> None:
    contact = org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", birthdate="1990-02-03", emailaddress1="fien@example.org")
    asking = Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)", "birthdate": "1990-02-03"}, kind="donor")
    asking.identify().confirm(contact).compile()
    asking.approve_all()
    page = come_in(Role.APPROVER)
    with clicks(page, 2) as click:
        click("waits for release by a second person")
        click("Release", "button")
    page.get_by_text("Show the passphrase").click()
    assert len(page.locator(".passphrase").inner_text()) > 20
    assert asking.row().state is RequestState.RELEASED


def test_a_request_is_taken_in_on_a_telephone_in_dutch(org: Night, come_in: Visitor) -> None:
    people_and_cases(org)
    page = come_in(Role.DPO, "nl-BE")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(re.sub(r"/$", "/requests/new", page.url))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("html").get_attribute("lang") == "nl"
    page.locator("[name=requester_kind]").select_option("donor")
    page.locator("[name=given_lastname]").fill("Voorbeeld (fictief)")
    page.locator("[name=given_emails]").fill("voorbeeld@example.org")
    page.get_by_role("button", name=re.compile("Het verzoek registreren")).click()
    page.wait_for_url(re.compile("/requests/request-"))
    assert len(list(org.store.requests.all())) == 1


def test_the_keyboard_goes_on_at_what_came_of_a_form(plan: str, come_in: Visitor) -> None:
    page = come_in(Role.CRM_ADMIN)
    for opener, does, says in ((True, "Stop everything", "Everything is stopped"), (False, "Lift the stop", "The stop is lifted")):
        page.goto(re.sub(r"(?<=\d/).*$", "plans", page.url))
        if opener:
            page.locator("[popovertarget=stop]").first.press("Enter")
        page.locator("form[method=post]").get_by_role("button", name=does).press("Enter")
        page.locator("#told").get_by_text(says).wait_for()
        assert says in page.evaluate("document.activeElement.innerText")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null"), "and not with the menu"
