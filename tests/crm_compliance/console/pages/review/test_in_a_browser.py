"""The review in a real browser, by keyboard: what is decided is stored when the next item comes, nothing is
approved that nobody can have looked at, and the page keeps nobody out. Everybody is fictitious."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete
from starlette.applications import Starlette

from crm_compliance.store.sql.tables import sessions
from tests.browser.axe import violations
from tests.crm_compliance.console.live import live
from tests.crm_compliance.console.pages.review.reviewing import TEXTS, compiled, status_of, waiting
from tests.drivers.asking import Asking
from tests.drivers.night import Night

__all__ = ["compiled"]  # which the fixture `asking` sets up


@pytest.fixture
def page(chrome: Any, app: Starlette, asking: Asking) -> Iterator[Any]:
    """The review in a real browser of the DPO; nothing is said on its console but what a refusal says."""
    with live(app) as root:
        context = chrome.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{root}/signin")
        page.locator("button[name=who][value=demo-ben]").click()
        page.goto(f"{root}/requests/{asking.id}/review")
        page.set_default_timeout(10_000)
        yield page
        context.close()
        assert [each for each in said if not any(usual in each for usual in ("ERR_INTERNET_DISCONNECTED", "502", "preloaded"))] == []


def ready(page: Any) -> None:
    """Wait until a person can have looked at the item."""
    page.wait_for_function("() => document.getElementById('item')?.dataset.ready === '1'")


def here(page: Any) -> str:
    return str(page.get_attribute("#item", "data-item"))


def test_a_review_by_keyboard(page: Any, asking: Asking) -> None:
    """Approve, redact a selection, withhold with a reason, not this person, undo; each is stored when the
    page says so."""
    first, second, third, long = (item["item"] for item in waiting(asking))
    assert here(page) == first
    page.evaluate(
        """() => { const walk = document.createTreeWalker(document.querySelector('[data-proposal]'), NodeFilter.SHOW_TEXT);
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
          const at = node.data.indexOf('erte');
          if (at >= 0) { getSelection().setBaseAndExtent(node, at, node, at + 3); return; }
        } }"""
    )
    page.keyboard.press("r")
    assert page.inner_text("[data-review-selected]") == "vertelt", "half a word is a word"
    page.keyboard.press("2")
    page.wait_for_selector("#item:has-text('Your text, to be approved')")
    assert "vertelt" not in page.inner_text("[data-proposal]")
    assert status_of(asking, first)[0] == "PENDING_REVIEW"
    ready(page)
    page.keyboard.press("a")
    page.wait_for_selector(f"#item[data-item={second}]")
    status, _, text = status_of(asking, first)
    assert (status, "[derde]" in (text or ""), "Femke" in (text or "")) == ("APPROVED_REDACTED", True, False)
    page.wait_for_function("() => document.getElementById('review-said').textContent === 'Saved.'")
    assert page.locator("#f-show").input_value() == "open", "the filter says which items the list has"
    page.keyboard.press("w")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#item[data-item={third}]")
    assert status_of(asking, second)[:2] == ("WITHHELD", "RGT-09")
    page.keyboard.press("n")
    page.wait_for_selector(f"#item[data-item={long}]")
    assert status_of(asking, third)[:2] == ("WITHHELD", "NOT_THE_PERSON")
    page.keyboard.press("u")
    page.wait_for_selector(f"#item[data-item={third}][data-status=PENDING_REVIEW]")
    assert status_of(asking, third) == ("PENDING_REVIEW", None, None)
    ready(page)
    page.keyboard.press("a")
    page.wait_for_selector(f"#item[data-item={long}]")
    assert "3 of 4" in page.inner_text("#review-progress")
    assert page.evaluate("document.activeElement.id") == "item-title", "whoever listens hears where they are"
    ready(page)
    page.keyboard.press("a")
    page.wait_for_function("() => document.getElementById('review-said').textContent.startsWith('There is more')")
    assert status_of(asking, long)[0] == "PENDING_REVIEW", "its end was not on the screen"
    for _ in range(40):
        page.keyboard.press("a")
        if page.locator("text=Everything is reviewed").count():
            break
        page.wait_for_timeout(100)
    page.wait_for_selector("text=Everything is reviewed")
    assert status_of(asking, long)[0] == "APPROVED"


def test_keys_pressed_before_anybody_can_have_looked_approve_nothing(page: Any, asking: Asking) -> None:
    page.evaluate(
        """async () => { const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        const first = document.getElementById('item'); press('j');
        while (document.getElementById('item') === first) await new Promise(requestAnimationFrame);
        for (const key of 'aaaajaaa') press(key); }"""
    )
    ready(page)
    assert len(waiting(asking)) == len(TEXTS)
    page.keyboard.press("?")
    page.uncheck("[data-review-keys]")
    page.keyboard.press("Escape")
    before = here(page)
    page.keyboard.press("j")
    page.keyboard.press("n")
    assert here(page) == before, "single keys are switched off (WCAG 2.1.4)"
    page.reload()
    assert not page.is_checked("[data-review-keys]")


def test_keys_of_a_selection_and_of_a_player_stay_theirs(page: Any, asking: Asking) -> None:
    first, second, *_ = (item["item"] for item in waiting(asking))
    ready(page)
    page.locator("[data-proposal]").dblclick(position={"x": 20, "y": 20})
    word = page.evaluate("getSelection().toString()")
    page.keyboard.press("Shift+ArrowRight")
    assert (here(page), page.evaluate("getSelection().toString().length") > len(word)) == (first, True)
    page.evaluate("document.querySelector('#item').insertAdjacentHTML('afterbegin', '<audio controls></audio>')")
    page.locator("audio").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.wait_for_selector(f"#item[data-item={second}]")
    assert status_of(asking, first)[0] == "PENDING_REVIEW"


def test_a_screen_that_is_magnified_fourfold_shows_the_text(page: Any, asking: Asking) -> None:
    page.set_viewport_size({"width": 320, "height": 256})  # WCAG 1.4.10
    page.goto(f"{page.url.partition('?')[0].rpartition('/review')[0]}/review/{waiting(asking)[3]['item']}")
    ready(page)
    page.evaluate("document.querySelector('[data-proposal]').scrollIntoView({ block: 'start' })")
    is_text = "document.elementFromPoint(innerWidth / 2, y)?.closest('[data-proposal]')"
    assert page.evaluate(f"() => [...Array(innerHeight).keys()].filter((y) => {is_text}).length") > 150


def test_going_back_puts_no_text_into_what_is_another_item_by_now(page: Any, asking: Asking, org: Night) -> None:
    """A browser fills in what was typed by the name of the field."""
    page.locator("#review-edit").evaluate("each => { each.open = true; }")
    page.locator("#f-text").fill("Iets over deze tekst.")
    address = page.url
    page.goto(page.url.partition("/requests")[0] + "/rules")
    (dossier,) = (row["cf_dossierid"] for row in org.rows("cf_dossiers"))
    org.fiche("grooming", dossier=dossier, cf_summary="Van vroeger.", cf_name="F-2026-0000", spoken=date(2026, 2, 1))
    asking.compile()
    page.go_back()
    ready(page)
    assert page.url == address
    assert page.locator("#f-text").input_value() == "Van vroeger."


def test_a_text_that_is_half_written_is_neither_left_nor_passed_over_nor_lost(page: Any, asking: Asking, org: Night) -> None:
    first = waiting(asking)[0]["item"]
    ready(page)
    page.keyboard.press("e")
    page.locator("#f-text").fill("Half geschr")
    page.keyboard.press("Escape")
    for key in "jank":
        page.keyboard.press(key)
        page.get_by_role("alert").get_by_text("Your text is not kept yet").wait_for()
        assert (here(page), page.locator("#f-text").input_value()) == (first, "Half geschr")
        page.keyboard.press("Escape")
    assert status_of(asking, first)[0] == "PENDING_REVIEW"
    page.keyboard.press("e")
    page.get_by_role("button", name="Cancel").click()
    page.keyboard.press("j")
    page.wait_for_selector(f"#item:not([data-item={first}])")
    text_whose_session_ends(page, asking, org)


def text_whose_session_ends(page: Any, asking: Asking, org: Night) -> None:
    """Type a text of the first item, and find it there after signing in again, still not kept."""
    first, there = waiting(asking)[0]["item"], page.url.partition("/item-")[0]
    page = page.context.new_page()  # whose console says of the refusal, as it should
    page.set_default_timeout(10_000)
    page.goto(there)
    ready(page)
    page.keyboard.press("e")
    page.locator("#f-text").fill("Half\ngeschr")
    with org.store.database.writing() as connection:
        connection.execute(delete(sessions))
    asked: list[str] = []

    def accept(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.keyboard.press("Control+Enter")
    page.get_by_text("the form waits for you").wait_for()
    page.locator("button[name=who][value=demo-ben]").click()
    page.get_by_text("This is not sent yet").wait_for()
    assert asked == [], "nobody is asked whether to lose what is not lost"
    assert page.locator("#f-text").input_value() == "Half\ngeschr"
    page.locator("#item-title").focus()
    page.keyboard.press("a")
    page.get_by_role("alert").get_by_text("Your text is not kept yet").wait_for()
    assert status_of(asking, first)[0] == "PENDING_REVIEW"
    page.locator("#f-text").press("Control+Enter")
    page.wait_for_selector("#item:has-text('Your text, to be approved')")
    assert status_of(asking, first) == ("PENDING_REVIEW", None, "Half\ngeschr")


def test_why_a_decision_is_not_taken_is_in_sight(page: Any, asking: Asking) -> None:
    first, second, *_ = (item["item"] for item in waiting(asking))
    other = page.context.new_page()  # whose console says of the refusals, as it should
    other.set_default_timeout(10_000)
    other.set_viewport_size({"width": 1280, "height": 600})
    other.goto(page.url)
    ready(other)
    page.bring_to_front()
    page.keyboard.press("n")
    page.wait_for_selector(f"#item[data-item={second}]")
    in_sight = """code => { const wrong = document.getElementById('review-wrong').getBoundingClientRect();
        const top = document.querySelector('.top').getBoundingClientRect().bottom;
        return document.querySelector('#review-wrong code')?.textContent === code && wrong.top >= top && wrong.top < innerHeight; }"""
    other.bring_to_front()
    other.keyboard.press("n")
    other.wait_for_selector("#item[data-status=WITHHELD]")
    other.wait_for_function(in_sight, arg="changed")
    other.keyboard.press("j")
    other.wait_for_selector(f"#item:not([data-item={first}])")
    ready(other)
    other.keyboard.press("e")
    other.locator("#f-text").fill("Femke Duinmeijer belde.")
    other.locator("#f-text").press("Control+Enter")
    other.wait_for_selector("#item:has-text('Your text, to be approved')")
    ready(other)
    other.keyboard.press("a")
    other.wait_for_function(in_sight, arg="near_name")
    assert other.evaluate("document.activeElement.id") == "f-no-name"


def test_what_the_service_does_not_confirm_stays_open(page: Any, asking: Asking) -> None:
    first = waiting(asking)[0]["item"]
    ready(page)
    page.context.set_offline(True)
    page.keyboard.press("n")
    page.wait_for_selector("#review-wrong [role=alert]")
    assert here(page) == first
    page.context.set_offline(False)
    page.route("**/review/**", lambda route: route.fulfill(status=502, body="Bad Gateway"))
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.keyboard.press("n")
    page.wait_for_function("() => !document.getElementById('item').hasAttribute('aria-busy')")
    assert "has not confirmed" in page.inner_text("#review-wrong"), "and no words of a proxy"
    page.unroute("**/review/**")
    page.keyboard.press("n")
    page.wait_for_selector(f"#item:not([data-item={first}])")
    assert status_of(asking, first)[:2] == ("WITHHELD", "NOT_THE_PERSON")


def test_what_is_saved_is_said_to_be_though_the_next_item_cannot_be_shown(page: Any, asking: Asking) -> None:
    first, second = (item["item"] for item in waiting(asking)[:2])
    page.route(f"**/review/{second}*", lambda route: route.abort("internetdisconnected"))
    page.reload()
    ready(page)
    page.keyboard.press("n")
    page.wait_for_selector("#review-wrong [role=alert]")
    assert (here(page), status_of(asking, first)[1]) == (first, "NOT_THE_PERSON")
    assert (page.inner_text("#review-said"), "cannot be shown" in page.inner_text("#review-wrong")) == ("Saved.", True)
    page.unroute(f"**/review/{second}*")
    page.keyboard.press("j")
    page.wait_for_selector(f"#item[data-item={second}]")


def test_the_review_keeps_nobody_out(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": 1280, "height": 800})
        assert violations(page) == [], scheme
        page.set_viewport_size({"width": 360, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), scheme


def test_paper_has_the_whole_list_of_items_and_no_filters(page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 200})
    listed = page.locator(".review-list")
    is_cut = "each => each.scrollHeight > each.clientHeight"
    assert listed.evaluate(is_cut), "nothing is cut on the screen: the test shows nothing"
    page.emulate_media(media="print")
    assert (listed.evaluate(is_cut), page.locator(".review-filters").is_visible()) == (False, False)
