"""Every page that a link leads to, for each role, in both themes and the three languages: no violation by
axe, nothing wider than a telephone, nothing that the browser complains of. Everybody is fictitious."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from crm_compliance.console.app import INSIDE
from rules.model.roles import HUMAN_ROLES, Role
from tests.browser.axe import violations
from tests.crm_compliance.cli.requests.family import LOTTE, lotte
from tests.crm_compliance.console.browser import Browser
from tests.crm_compliance.console.live import live
from tests.crm_compliance.console.walk import Walk, kind_of, walk
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, Typist, people_and_cases

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
ALL_LOOKS = (("nl", ("light", "dark")), ("fr", ("dark", "light")), ("en", ("light", "dark")))  # the first comes so from the server
OTHERS = tuple(role for role in HUMAN_ROLES if role is not Role.DPO)
# Pages are mostly the same for all roles: the DPO, who sees most of them, looks at each in every way.
LOOKS: dict[Role, tuple[tuple[str, tuple[str, ...]], ...]] = {
    role: ALL_LOOKS if role is Role.DPO else (("nl", ("dark",)), ("fr", ("light",))) for role in HUMAN_ROLES
}
THEME = "document.documentElement.dataset.theme = theme;"
IN_THEME = f"theme => {{ {THEME} }}"
WIDTH = f"theme => {{ {THEME} return document.documentElement.scrollWidth; }}"
# A browser may send what is typed or shown to its maker, to be spelt or translated.
SENT_AWAY = """() => [...(document.documentElement.translate ? ["the page"] : []),
  ...[...document.querySelectorAll("input, textarea")].filter((field) => field.spellcheck).map((field) => field.name)]"""
WIDE_TABLES = f"""theme => {{ {THEME}
  return [...document.querySelectorAll(".table-box")].filter(box => box.scrollWidth > box.clientWidth)
    .map(box => box.getAttribute("aria-label") + ": " + box.scrollWidth + " in " + box.clientWidth); }}"""

# Text spaced as a reader may set it (WCAG 1.4.12), and how wide the page is then.
SPACED = """() => { const spaced = new CSSStyleSheet();
  spaced.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }");
  document.adoptedStyleSheets = [spaced];
  const width = document.documentElement.scrollWidth;
  document.adoptedStyleSheets = [];
  return width; }"""

# The edge of a field or button against what it stands on (WCAG 1.4.11), which axe does not look at.
FAINT = f"""theme => {{ {THEME}
  const light = (colour) => {{ const [red, green, blue] = colour.match(/[\\d.]+/g).map((each) => each / 255)
    .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05; }};
  const ground = (each) => {{ const own = getComputedStyle(each).backgroundColor;
    return own.endsWith(", 0)") && each.parentElement ? ground(each.parentElement) : own; }};
  return [...document.querySelectorAll("select, textarea, .button, input:not([type=hidden], [type=radio], [type=checkbox])")]
    .filter((each) => each.checkVisibility()).filter((each) => {{
      const [edge, under] = [light(getComputedStyle(each).borderTopColor), light(ground(each.parentElement))];
      return Math.max(edge, under) / Math.min(edge, under) < 3; }})
    .map((each) => each.name || each.innerText); }}"""


WORLDS = ("busy",)


@pytest.fixture
def busy(worlds: Worlds, request: pytest.FixtureRequest) -> None:
    """An organisation with something on every page."""
    worlds.begin(request, something_on_every_page)


def something_on_every_page(typist: Typist, org: Night) -> None:
    cases = people_and_cases(org)
    typist.ask("apply", typist.ask("plan")["plan"])
    held = ("--type", "judicial", "--reason", "CASE", "--basis", "letter", "--review-on", "2027-05-01")
    typist.ask("holds", "place", "--table", "cf_dossier", "--id", cases["open"], *held, *DORA)
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte vertelt over een chatgroep met Femke Duinmeijer (fictief).")
    org.party(child, "child", dossier=dossier)
    Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child).compile()
    Asking(typist).open(LOTTE | {"lastname": "Vanouwenhovenstroobandtdeterbekendelaket (fictief)"}, kind="child")
    typist.ask("plan")


def test_every_page_is_reached_by_links_and_none_is_far(busy: None, signed_in: Callable[..., Browser]) -> None:
    walks = [walk(signed_in(role)) for role in HUMAN_ROLES]
    paths = {each.path for each in INSIDE if each.method == "GET"}
    assert {path for path in paths if not any(each.reaches(path) for each in walks)} <= BY_OTHER_WAYS
    far = {kind: clicks for each in walks for kind, (_, clicks) in each.pages.items() if clicks > 4}
    assert far == {}


@pytest.mark.parametrize("roles", [(Role.DPO,), OTHERS], ids=["dpo", "others"])
def test_no_page_keeps_anybody_out(
    busy: None, app: Starlette, signed_in: Callable[..., Browser], chrome: Any, roles: tuple[Role, ...], subtests: pytest.Subtests
) -> None:
    """One test for several roles: what it takes is an organisation with something on every page."""
    with live(app) as root:
        for role in roles:
            browser = signed_in(role)
            walked = walk(browser)
            assert len(walked.pages) > 5
            cookies = {cookie.name: str(cookie.value) for cookie in browser.client.cookies.jar}
            for language, themes in LOOKS[role]:
                with subtests.test(role=role, language=language):
                    given = {**cookies, "language": language, "theme": themes[0]}
                    assert list(what_is_wrong(chrome, root, given, walked, themes)) == []


def what_is_wrong(chrome: Any, root: str, cookies: dict[str, str], walked: Walk, themes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """What keeps somebody out of a page of each kind, and what the browser complains of. A page comes in the
    first theme, and is looked at in the others as the style sheet has them."""
    context = chrome.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_cookies([{"name": name, "value": value, "url": root} for name, value in cookies.items()])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(root) else said.append(request.url))
    for kind, (address, _) in walked.pages.items():
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(root + address, wait_until="load")
        yield from ((kind, "leaves the browser", name) for name in page.evaluate(SENT_AWAY))
        for theme in themes:
            page.evaluate(IN_THEME, theme)
            yield from ((kind, theme, rule, str(elements)) for rule, elements in violations(page))
            yield from ((kind, theme, "a faint edge", name) for name in page.evaluate(FAINT, theme))
        page.set_viewport_size({"width": 360, "height": 740})
        for theme in themes:
            if (width := page.evaluate(WIDTH, theme)) > 360:
                yield kind, theme, "wider than a telephone", str(width)
        page.set_viewport_size({"width": 320, "height": 640})
        if (width := page.evaluate(SPACED)) > 320:
            yield kind, "wider than a small telephone where text has more space", str(width)
        page.set_viewport_size({"width": 768, "height": 1024})
        for theme in themes:
            yield from ((kind, theme, "a table wider than a tablet", name) for name in page.evaluate(WIDE_TABLES, theme))
    yield from (("the browser", text) for text in said)
    context.close()


def test_what_keeps_somebody_out_is_found_and_shown(chrome: Any) -> None:
    page = chrome.new_page()
    page.set_content('<html lang="nl"><title>Fictief</title><main><h1>Fictief</h1><img id="mute" src="data:,"></main></html>')
    assert violations(page) == [["image-alt", ['<img id="mute" src="data:,">']]]
    page.close()


def test_kinds_of_pages_are_told_apart() -> None:
    assert kind_of("/plans/plan-391eee69459d?sort=id") == kind_of("/plans/plan-000000000000")
    assert kind_of("/requests/request-0123abcd/review/item-3") == "/requests/ID/review/ID"
    assert kind_of("/holds/new") == "/holds/new"
