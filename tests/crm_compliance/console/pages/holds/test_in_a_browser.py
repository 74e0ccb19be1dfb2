"""Holds in a real browser: the form asks for what its choice needs, and an error, or the end of the
session, leaves what was typed.
No page of the holds, the schedule, the data map, the quarantine and the rules keeps anybody out."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete
from starlette.applications import Starlette

from crm_compliance.store.sql.tables import sessions
from tests.browser.axe import violations
from tests.crm_compliance.console.live import live
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist

NOBODY = "00000000-0000-0000-0000-0000000000ff"


def signed_in(context: Any) -> Any:
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/signin")
    page.locator("button[name=who][value=demo-ben]").click()
    page.wait_for_load_state()
    return page


def test_a_hold_is_placed_by_its_form(org: Night, app: Starlette, chrome: Any) -> None:
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    with live(app) as root:
        context = chrome.new_context(base_url=root, locale="en-GB", viewport={"width": 360, "height": 800})
        page = signed_in(context)
        page.goto("/holds/new")
        table, row, conditions = page.locator("#f-table"), page.locator("#f-id"), page.locator("#f-where")
        assert (table.is_visible(), row.is_visible(), conditions.is_visible()) == (True, True, False)
        page.get_by_label("Everything of a person").check()
        assert (table.is_visible(), row.is_visible(), conditions.is_visible()) == (False, True, False)
        page.get_by_label("Whatever meets conditions").check()
        assert (table.is_visible(), row.is_visible(), conditions.is_visible()) == (True, False, True)
        page.get_by_label("One record").check()
        table.select_option("cf_dossier")
        row.fill("somebody")
        page.get_by_label("Reason code").fill("LIT-1")
        page.get_by_label("Legal basis").fill("claim before the court")
        page.get_by_role("button", name="Place the hold").click()
        page.locator("#e-id").get_by_text("this is not the id of a record").wait_for()
        assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "h-id e-id"
        row.fill(NOBODY)
        with page.expect_response("**/holds/new"):
            page.get_by_role("button", name="Place the hold").click()
        page.locator("#e-id").wait_for(state="detached")
        page.get_by_role("alert").wait_for()
        assert page.get_by_label("Reason code").input_value() == "LIT-1"
        row.fill(dossier)
        held: list[Any] = []
        page.route("**/holds/new", lambda route: held.append(route))
        page.get_by_role("button", name="Place the hold").click()
        page.get_by_role("status").get_by_text("One moment: this is being done.").wait_for()
        held.pop().abort()
        page.get_by_role("status").get_by_text("One moment").wait_for(state="detached")
        page.unroute("**/holds/new")
        page.route("**/holds/new", lambda route: route.abort())
        page.get_by_role("button", name="Place the hold").click()
        page.get_by_text("The service cannot be reached").wait_for()
        page.unroute("**/holds/new")
        page.route("**/holds/new", lambda route: route.fulfill(status=502, body="Bad Gateway"))
        with page.expect_response("**/holds/new"):
            page.get_by_role("button", name="Place the hold").click()
        page.get_by_text("The service cannot be reached").wait_for()
        assert page.get_by_text("Bad Gateway").count() == 0, "a proxy's words tell nobody what to do"
        page.unroute("**/holds/new")
        with org.store.database.writing() as connection:
            connection.execute(delete(sessions))
        asks_again = "htmx.ajax('GET', '/plans/making', {target: '#told', headers: {'X-Asks-Again': '1'}})"
        page.evaluate(f"() => {asks_again}.catch(() => {{}})")
        assert page.url.endswith("/holds/new"), "what asks by itself takes nobody from what they type"
        page.get_by_role("button", name="Place the hold").click()
        page.get_by_role("status").get_by_text("the form waits for you").wait_for()
        page.locator("button[name=who][value=demo-ben]").click()
        page.get_by_text("This is not sent yet").wait_for()
        assert page.evaluate("document.activeElement.id") == "unsent", "whoever listens hears it first"
        assert (page.get_by_label("Reason code").input_value(), row.input_value(), table.input_value()) == ("LIT-1", dossier, "cf_dossier")
        assert (conditions.is_visible(), org.store.holds.all()) == (False, [])
        signed_in(context).close()  # beside the page, whose session that ends
        page.get_by_label("Reason code").fill("LIT-2")
        with page.expect_navigation():
            page.get_by_role("button", name="Place the hold").click()
        page.wait_for_load_state()
        assert page.get_by_label("Reason code").input_value() == "LIT-2"
        assert 0 <= page.get_by_text("This is not sent yet").bounding_box()["y"] < 800, "not where the button was"
        page.get_by_role("button", name="Place the hold").click()
        page.get_by_role("heading", name="Hold: legal").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert [hold.row for hold in org.store.holds.all()] == [dossier]
        context.close()


def test_these_pages_keep_nobody_out(org: Night, typist: Typist, app: Starlette, chrome: Any) -> None:
    """axe-core finds no violation, in light and dark, with everything open that can be opened."""
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    words = ("--type", "legal", "--reason", "LIT-1", "--basis", "claim", "--review-on", "2027-02-01", "--as", "dora", "--role", "dpo")
    hold = typist.ask("holds", "place", "--table", "cf_dossier", "--id", dossier, *words)["hold"]
    typist.type("datamap")
    pages = ("/holds", f"/holds/{hold}", "/holds/new", "/policy", "/policy/diff", "/policy/simulation", "/datamap", "/quarantine", "/rules")
    with live(app) as root:
        context = chrome.new_context(base_url=root, locale="nl-BE", reduced_motion="reduce")
        page = signed_in(context)
        for path in pages:
            page.goto(path)
            if page.locator(".timeline").count():
                columns = page.evaluate("getComputedStyle(document.querySelector('.timeline li')).gridTemplateColumns")
                assert len(columns.split()) == 1, "in a narrow card the words stand below their day"
            page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                assert violations(page) == [], (path, scheme)
        context.close()


def test_another_language_is_asked_for_twice_while_something_is_typed(org: Night, app: Starlette, chrome: Any) -> None:
    """It is another page, on which nothing is typed yet."""
    with live(app) as root:
        context = chrome.new_context(base_url=root, locale="en-GB")
        page = signed_in(context)
        page.goto("/holds/new")
        page.get_by_label("Legal basis").fill("claim before the court")
        page.locator("details[data-menu] summary").click()
        page.get_by_role("button", name="Nederlands").click()
        page.get_by_role("alert").get_by_text("is not taken along").wait_for()
        assert page.get_by_label("Legal basis").input_value() == "claim before the court"
        page.get_by_role("button", name="Nederlands").click()
        page.wait_for_selector("html[lang=nl]")
        page.locator("details[data-menu] summary").click()
        page.get_by_role("button", name="Français").click()
        page.wait_for_selector("html[lang=fr]")
        context.close()


def test_another_language_is_asked_for_twice_where_a_box_or_a_list_says_something_else(org: Night, app: Starlette, chrome: Any) -> None:
    """What is chosen is lost as what is typed is."""
    choices: tuple[Callable[[Any], Any], ...] = (
        lambda page: page.get_by_label("Everything of a person").check(),
        lambda page: page.get_by_label("Place it even if the CRM does not answer").check(),
        lambda page: page.locator("#f-type").select_option(index=2),
    )
    with live(app) as root:
        context = chrome.new_context(base_url=root, locale="en-GB")
        page = signed_in(context)
        for choose in choices:
            page.goto("/holds/new")
            choose(page)
            page.locator("details[data-menu] summary").click()
            page.get_by_role("button", name="Nederlands").click()
            page.get_by_role("alert").get_by_text("is not taken along").wait_for()
        context.close()


def test_a_form_that_is_answered_by_a_page_keeps_what_was_typed_while_the_service_is_away(org: Night, app: Starlette, chrome: Any) -> None:
    """A telephone in a tunnel, or a service that is started again behind its proxy."""
    with live(app) as root:
        context = chrome.new_context(base_url=root, locale="en-GB")
        page = signed_in(context)
        page.goto("/requests/new")
        page.locator("#f-given_lastname").fill("Voorbeeld (fictief)")
        register = page.get_by_role("button", name="Register the request")
        for away in (lambda route: route.abort(), lambda route: route.fulfill(status=502, body="Bad Gateway")):
            page.route("**/*", away)
            register.click()
            page.get_by_text("The service cannot be reached").wait_for()
            assert page.locator("#f-given_lastname").input_value() == "Voorbeeld (fictief)"
            page.unroute("**/*")
        assert not org.store.requests.all()
        register.click()
        page.wait_for_url("**/requests/request-*")
        assert len(org.store.requests.all()) == 1
        page.goto("/plans")
        page.get_by_role("button", name="Make a plan").click()
        page.locator("#make").get_by_label("Another day").fill("1/12/2027")
        page.route("**/*", lambda route: route.abort())
        page.get_by_role("button", name="Make it").click()
        page.get_by_text("The service cannot be reached").wait_for()
        assert page.locator("dialog:modal").count() == 0, "it would lie over these words"
        assert page.locator("#f-as_of").input_value() == "1/12/2027"
        context.close()
