"""Every page that a link leads to, for each role, in both themes and the three languages: no violation by
axe, nothing wider than a telephone, nothing that the browser complains of. Everybody is fictitious."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from starlette.applications import Starlette

from crm_compliance.console.app import INSIDE
from rules.model.roles import HUMAN_ROLES, Role
from tests.crm_compliance.asking import DORA, Asking
from tests.crm_compliance.cli.test_requests_answer_rights import LOTTE, lotte
from tests.crm_compliance.console.browser import Browser
from tests.crm_compliance.console.live import live
from tests.crm_compliance.console.walk import kind_of, walk
from tests.crm_compliance.typist import Typist, people_and_cases
from tests.integration.night import Night

# A form of the CRM leads to the first; the others need units in quarantine, a file in an answer or a package,
# a release, or work under way: those have tests of their own.
BY_OTHER_WAYS = {
    "/open",
    "/plans/{plan}/opening",
    "/plans/{plan}/progress",
    "/quarantine",
    "/requests/{request}/archive",
    "/requests/{request}/message",
    "/requests/{request}/preview/files/{name:path}",
    "/requests/{request}/preview/pages/{page}",
    "/requests/{request}/review/{item}/file",
    "/requests/{request}/review/{item}/file/content",
    "/requests/{request}/review/{item}/file/pages/{page}",
    "/requests/{request}/work",
}
ALL_LOOKS = tuple((language, theme) for language in ("nl", "fr", "en") for theme in ("light", "dark"))
# Pages are mostly the same for all roles: the DPO, who sees most of them, looks at each in every way.
LOOKS: dict[Role, tuple[tuple[str, str], ...]] = {
    role: ALL_LOOKS if role is Role.DPO else (("nl", "dark"), ("fr", "light")) for role in HUMAN_ROLES
}
WIDE_TABLES = """() => [...document.querySelectorAll(".table-box")].filter(box => box.scrollWidth > box.clientWidth)
  .map(box => box.getAttribute("aria-label") + ": " + box.scrollWidth + " in " + box.clientWidth)"""


@pytest.fixture
def busy(org: Night, typist: Typist) -> Night:
    """An organisation with something on every page."""
    cases = people_and_cases(org)
    typist.ask("apply", typist.ask("plan")["plan"])
    held = ("--type", "judicial", "--reason", "CASE", "--basis", "letter", "--review-on", "2027-05-01")
    typist.ask("holds", "place", "--table", "cf_dossier", "--id", cases["open"], *held, *DORA)
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte vertelt over een chatgroep met Femke Duinmeijer (fictief).")
    org.party(child, "child", dossier=dossier)
    Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child).compile()
    Asking(typist).open(LOTTE, kind="child")
    typist.ask("plan")
    return org


def test_every_page_is_reached_by_links_and_none_is_far(busy: Night, signed_in: Callable[..., Browser]) -> None:
    walks = [walk(signed_in(role)) for role in HUMAN_ROLES]
    paths = {each.path for each in INSIDE if each.method == "GET"}
    assert {path for path in paths if not any(each.reaches(path) for each in walks)} <= BY_OTHER_WAYS
    far = {kind: clicks for each in walks for kind, (_, clicks) in each.pages.items() if clicks > 4}
    assert far == {}


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_no_page_keeps_anybody_out(busy: Night, app: Starlette, signed_in: Callable[..., Browser], chrome: Any, role: Role) -> None:
    browser = signed_in(role)
    pages = walk(browser).pages
    assert len(pages) > 5
    cookies = {cookie.name: str(cookie.value) for cookie in browser.client.cookies.jar}
    axe, wrong = Axe(), []
    with live(app) as root:
        for language, theme in LOOKS[role]:
            context = chrome.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
            given = {**cookies, "language": language, "theme": theme}
            context.add_cookies([{"name": name, "value": value, "url": root} for name, value in given.items()])
            page = context.new_page()
            said: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.on("request", lambda request, said=said: None if request.url.startswith(root) else said.append(request.url))
            for kind, (address, _) in pages.items():
                page.set_viewport_size({"width": 1280, "height": 900})
                page.goto(root + address, wait_until="load")
                wrong += [
                    (kind, language, theme, found["id"], str([node["target"] for node in found["nodes"]][:3]))
                    for found in axe.run(page).response["violations"]
                ]
                page.set_viewport_size({"width": 360, "height": 740})
                if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
                    wrong.append((kind, language, theme, "wider than a telephone", str(width)))
                page.set_viewport_size({"width": 768, "height": 1024})
                wrong += [(kind, language, theme, "a table wider than a tablet", name) for name in page.evaluate(WIDE_TABLES)]
            wrong += [("the browser", language, theme, text, "") for text in said]
            context.close()
    assert wrong == []


def test_kinds_of_pages_are_told_apart() -> None:
    assert kind_of("/plans/plan-391eee69459d?sort=id") == kind_of("/plans/plan-000000000000")
    assert kind_of("/requests/request-0123abcd/review/item-3") == "/requests/ID/review/ID"
    assert kind_of("/holds/new") == "/holds/new"
