"""A request in a real browser: the form shows what goes with a choice, and a search that takes its time leads
to its result by itself. Everybody is fictitious."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from crm_compliance.console.frame.services import Services
from tests.browser.axe import violations
from tests.crm_compliance.cli.requests.decided import asking_for, lotte
from tests.crm_compliance.console.live import live
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist


@pytest.fixture
def page(app: Starlette, chrome: Any) -> Iterator[Any]:
    """A browser of the DPO; nothing is said on its console."""
    with live(app) as root:
        page = chrome.new_context(base_url=root, locale="en-GB", viewport={"width": 1280, "height": 800}).new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.set_default_timeout(20_000)
        page.goto("/signin")
        page.locator("button[name=who][value=demo-ben]").click()
        yield page
        page.context.close()
        assert [each for each in said if "preloaded" not in each] == []


def test_from_the_form_to_who_the_person_is(org: Night, services: Services, page: Any) -> None:
    for born in ("1990-02-03", "1960-04-05"):
        org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", birthdate=born)
    page.goto("/requests/new")
    file = page.get_by_label("JSON file")
    file.set_input_files({"name": "form.json", "mimeType": "application/json", "buffer": b"x" * 1_000_000})
    assert "Choose a smaller file" in file.evaluate("each => each.validationMessage")
    file.set_input_files({"name": "form.json", "mimeType": "application/json", "buffer": b"{}"})
    assert file.evaluate("each => each.validity.valid")
    child, corrections = page.get_by_role("heading", name="The child"), page.get_by_role("heading", name="What it should say")
    assert (child.is_visible(), corrections.is_visible()) == (False, False)
    page.get_by_label("Who they say they are").select_option("guardian")
    page.get_by_label("Which right").select_option("rectification")
    assert (child.is_visible(), corrections.is_visible()) == (True, True)
    page.get_by_label("Who they say they are").select_option("donor")
    page.get_by_label("Which right").select_option("access")
    assert (child.is_visible(), corrections.is_visible()) == (False, False)
    page.locator("#f-given_firstname").fill("Fien")
    page.locator("#f-given_lastname").fill("Voorbeeld (fictief)")
    page.locator("#f-given_birthdate").fill("03/02/1990")
    page.get_by_role("button", name="Register the request").click()
    page.get_by_label("By eID").check()
    assert page.locator(".timeline li").first.is_visible()
    page.get_by_role("button", name="Record the identity").click()
    services.background.patience_s = 0
    page.get_by_role("button", name="Search the CRM").click()
    whom = "each => document.getElementById(each.getAttribute('aria-describedby')).innerText"
    page.get_by_label("This is the person").first.wait_for()
    asked = page.get_by_label("This is the person").all()
    assert [each.evaluate(whom) for each in asked] == ["Contact c1", "Contact c2"], "whoever only listens knows whom they confirm"
    asked[0].check()
    page.get_by_role("button", name="Confirm those that are marked").click()
    page.get_by_role("heading", name="Next: Compile the answer").wait_for()
    for width in (360, 820):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_pages_keep_nobody_out(org: Night, typist: Typist, app: Starlette, chrome: Any) -> None:
    """axe-core finds no violation, in light and dark, with everything open that can be opened."""
    contact = org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", birthdate="1990-02-03")
    asking = Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)", "birthdate": "1990-02-03"}, right="erasure")
    asking.identify().confirm(contact).compile()
    with live(app) as root:
        context = chrome.new_context(base_url=root, locale="nl-BE", reduced_motion="reduce")
        page = context.new_page()
        page.goto("/signin")
        page.locator("button[name=who][value=demo-ben]").click()
        page.wait_for_load_state()
        for path in ("/requests", "/requests?q=nobody", "/requests/new", f"/requests/{asking.id}"):
            page.goto(path)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
                assert violations(page) == [], (path, scheme)
        page.emulate_media(media="print")
        passed = "getComputedStyle(document.querySelector('.steps .done'), '::before').printColorAdjust"
        assert page.evaluate(passed) == "exact", "what has been passed is told by its colour, on paper too"
        context.close()


def test_going_back_to_a_form_that_was_refused_shows_it_with_what_was_typed(app: Starlette, chrome: Any) -> None:
    """Chromium would ask whether the form is to be sent once more, and what was typed would be gone."""
    with live(app) as root:
        for has_script in (True, False):
            context = chrome.new_context(base_url=root, locale="en-GB", java_script_enabled=has_script)
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.goto("/signin")
            page.locator("button[name=who][value=demo-ben]").click()
            page.goto("/requests/new")
            page.locator("#f-given_lastname").fill("Voorbeeld (fictief)")
            page.locator("#f-given_birthdate").fill("32/13/2010")
            page.get_by_role("button", name="Register the request").click()
            page.get_by_text("This is not a date.").first.wait_for()
            page.goto("/rules")
            page.go_back()
            assert page.locator("#f-given_lastname").input_value() == "Voorbeeld (fictief)"
            page.reload()
            assert page.locator("#f-given_birthdate").input_value() == "32/13/2010"
            page.go_back()
            page.get_by_role("heading", name="Who asks").wait_for()
            context.close()


def test_going_back_to_items_that_were_compiled_again_marks_none_by_its_place(org: Night, typist: Typist, page: Any) -> None:
    """A browser that goes back marks what had been marked by where it stood on the page, which is another
    file by then."""
    child = lotte(org, birthdate="2008-01-02")
    first, second = sorted(org.dossier("social_card") for _ in range(2))
    org.party(child, "child", dossier=second)
    asking = asking_for(typist, "erasure", child)
    page.goto(f"/requests/{asking.id}")
    page.locator("input[name=item]").check()
    page.goto("/rules")
    org.party(child, "child", dossier=first)
    asking.compile()
    page.go_back()
    page.get_by_text("item-2", exact=True).wait_for()
    assert [each.is_checked() for each in page.locator("input[name=item]").all()] == [False, False]
