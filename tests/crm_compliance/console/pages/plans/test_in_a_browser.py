"""The units of a plan in a real browser: a filter works at once, keeps the place of whoever types, and going
back shows the page of before. Everybody is fictitious."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.crm_compliance.console.live import live
from tests.drivers.night import Night
from tests.drivers.typist import Typist


@pytest.fixture
def page(app: Starlette, chrome: Any) -> Iterator[Any]:
    seen = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
    with live(app) as root, chrome.new_context(base_url=root, **seen) as context:
        page = context.new_page()
        page.set_default_timeout(8_000)
        page.goto("/signin")
        page.locator("button[name=who][value=demo-ben]").click()
        yield page


def test_units_are_filtered_at_once_and_going_back_undoes_it(plan: str, units: dict[str, str], page: Any) -> None:
    page.goto(f"/plans/{plan}")
    page.get_by_role("link", name="Units", exact=True).click()
    page.get_by_label("Way").select_option("anonymise")
    page.get_by_role("status").get_by_text("1 unit", exact=True).wait_for()
    assert page.locator(".unit .id").all_inner_texts() == [units["anonymise"]]
    page.get_by_label("Way").select_option("")
    page.get_by_role("status").get_by_text("units", exact=False).wait_for()
    page.get_by_label("Id").press_sequentially(units["open"][:8])
    page.get_by_role("status").get_by_text("1 unit", exact=True).wait_for()
    assert page.locator(".unit .id").all_inner_texts() == [units["open"]]
    assert page.evaluate("document.activeElement.id") == "f-id"
    page.go_back()
    page.get_by_role("status").get_by_text("units", exact=False).wait_for()
    assert page.get_by_role("navigation", name="Main menu").is_visible()
    page.get_by_role("link", name="Dossier", exact=True).first.click()
    page.get_by_role("link", name="Decide now, step by step").click()
    page.get_by_text("as the CRM is now").wait_for()
    page.wait_for_function("() => document.activeElement.textContent === 'Step by step'")  # the keyboard goes on where the answer came


def test_the_keyboard_keeps_its_place_where_a_list_is_sorted_and_leaves_a_menu_behind(plan: str, page: Any) -> None:
    page.goto(f"/plans/{plan}/lines")
    page.locator("#sort-reason").press("Enter")
    page.locator("th[aria-sort] #sort-reason").wait_for()
    assert page.evaluate("document.activeElement.id") == "sort-reason"
    page.locator("details[data-menu] summary").press("Enter")
    assert page.get_by_role("button", name="Sign out").is_visible()
    page.get_by_role("button", name="Sign out").press("Tab")
    assert not page.get_by_role("button", name="Sign out").is_visible()


def test_a_list_is_sorted_on_a_narrow_screen_and_at_four_times_the_size_too(plan: str, page: Any) -> None:
    """Its rows stand as cards then; what sorts them takes the focus where it can be seen (WCAG 2.4.7)."""
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"/plans/{plan}/lines")
    page.get_by_role("region", name="Units of this plan").focus()
    page.keyboard.press("Tab")
    focused = page.evaluate(
        "(({id}, {left, right}) => ({id, left, right}))(document.activeElement, document.activeElement.getBoundingClientRect())"
    )
    assert focused["id"].startswith("sort-")
    assert 0 <= focused["left"] < focused["right"] <= 320


def test_where_one_is_shows_in_the_colours_of_the_device(plan: str, page: Any) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(f"/plans/{plan}")
    ground = "each => getComputedStyle(each).backgroundColor"
    for place in (page.get_by_role("navigation", name="Main menu"), page.locator(".tabs")):
        assert place.locator("a[aria-current]").evaluate(ground) != place.locator("a:not([aria-current])").first.evaluate(ground)
    page.goto("/plans")
    assert page.locator("select").first.evaluate("each => getComputedStyle(each).appearance") == "auto", "its arrow is a ground of ours"


def test_months_stand_apart_on_a_narrow_screen_too(org: Night, typist: Typist, page: Any) -> None:
    org.dossier("social_card", spoken=date(2026, 10, 1))
    plan = typist.ask("plan")["plan"]
    page.set_extra_http_headers({"Accept-Language": "fr"})
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/plans/{plan}")
    page.locator(".column-name").nth(11).wait_for()
    ends = page.locator(".column-name").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert [month for month, (before, after) in enumerate(pairwise(ends)) if after[0] - before[1] < 3] == [], ends


def test_everything_is_stopped_without_script_too(org: Night, app: Starlette, chrome: Any) -> None:
    with live(app) as root, chrome.new_context(base_url=root, locale="en-GB", java_script_enabled=False) as context:
        page = context.new_page()
        page.set_default_timeout(8_000)
        page.goto("/signin")
        page.locator("button[name=who][value=demo-ben]").click()
        page.goto("/plans")
        dialog = page.get_by_role("dialog", name="Stop everything")
        page.get_by_role("button", name="Stop everything").click()
        dialog.get_by_role("button", name="Close").click()
        assert not dialog.is_visible()
        page.get_by_role("button", name="Stop everything").click()
        dialog.get_by_role("button", name="Stop everything").click()
        page.get_by_role("button", name="Lift the stop").wait_for()


def test_a_dialog_that_comes_open_is_closed_without_script_too(org: Night, app: Starlette, chrome: Any) -> None:
    """Its form was refused, and stands there filled in: it lies over the page until it is closed."""
    with live(app) as root:
        for has_script in (False, True):
            with chrome.new_context(base_url=root, locale="en-GB", java_script_enabled=has_script) as context:
                page = context.new_page()
                page.set_default_timeout(8_000)
                page.goto("/signin")
                page.locator("button[name=who][value=demo-ben]").click()
                page.goto("/plans")
                page.get_by_role("button", name="Make a plan").click()
                page.get_by_label("Another day").fill("32/13/2030")
                page.get_by_role("button", name="Make it").click()
                dialog = page.get_by_role("dialog", name="Make a plan")
                assert dialog.get_by_label("Another day").input_value() == "32/13/2030"
                dialog.get_by_role("button", name="Close").click()
                assert not dialog.is_visible()
                page.get_by_role("button", name="Make a plan").click()
                dialog.get_by_role("button", name="Close").click()
                assert not dialog.is_visible()


def test_the_menu_of_a_narrow_screen_opens_and_closes_by_keyboard(org: Night, page: Any) -> None:
    button, menu = page.get_by_role("button", name="Main menu"), page.get_by_role("navigation", name="Main menu")
    page.goto("/")
    assert (button.is_visible(), menu.is_visible()) == (False, True)
    page.set_viewport_size({"width": 360, "height": 740})
    assert (button.is_visible(), menu.is_visible()) == (True, False)
    button.press("Enter")
    menu.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.pathname") == "/"
    page.keyboard.press("Escape")
    assert not menu.is_visible()
    assert page.evaluate("document.activeElement.getAttribute('popovertarget')") == "menu"


def test_a_comment_without_a_space_stays_in_its_card(plan: str, typist: Typist, page: Any) -> None:
    typist.ask("plans", "approve", plan, "--comment", "https://example.org/" + "w" * 1_000, "--as", "demo-anna", "--role", "crm_admin")
    page.goto(f"/plans/{plan}")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.get_by_role("link", name="Decide").is_visible() == (width == 360)
    tops = """[...document.querySelectorAll('[aria-labelledby=categories] tbody tr')]
        .map((row) => new Set([...row.querySelectorAll('td')].map((each) => each.offsetTop)).size)"""
    assert set(page.evaluate(tops)) == {1}, "the numbers of a row stand beside one another"
    page.get_by_role("link", name="Decide").click()
    assert 0 < page.get_by_role("heading", name="Decision", exact=True).bounding_box()["y"] < 740


def test_a_card_that_is_a_form_alone_is_not_on_paper(page: Any) -> None:
    page.goto("/")
    found = page.locator("section[aria-labelledby=find]")
    assert found.is_visible()
    page.emulate_media(media="print")
    assert (found.is_visible(), page.locator("section[aria-labelledby=nights]").is_visible()) == (False, True)


def test_what_a_list_cuts_short_stands_on_paper(plan: str, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.plan.SHOWN", 1)
    page.goto(f"/plans/{plan}")
    rest = page.locator("details.rest > :not(summary)").first
    page.emulate_media(media="print")
    for happens, is_seen in (("beforeprint", True), ("afterprint", False)):
        page.evaluate("happens => { window.dispatchEvent(new Event(happens)); }", happens)
        assert rest.is_visible() is is_seen
