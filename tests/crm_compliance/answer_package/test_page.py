"""The page as a browser shows it: readable by everybody, and in contact with nobody."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.answer_package.content.make_answer import answer_of
from crm_compliance.answer_package.page import page_html
from jobs.model.answer import Addressee, Withheld
from rules.model.languages import LANGUAGES
from tests.crm_compliance.answer_package.samples import ORGANISATION, compilation, fiche
from tests.saying import texts_in

NASTY = "<script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7*7 }} https://example.org/ &amp; \u202egpj.exe"


def page(**changes: Any) -> str:
    return page_html(answer_of(compilation(**changes), ORGANISATION)).decode()


class Tags(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_text_of_the_crm_is_text() -> None:
    """EXP-19: no script, no picture, no template, no link."""
    found = Tags(page(items=(fiche(2, NASTY),), addressee=Addressee(NASTY)))
    assert not found.of("script")
    assert not found.of("img")
    assert "{{ 7*7 }} https://example.org/ &amp; gpj.exe" in found.said
    assert {str(link["href"]) for link in found.of("a") if not str(link["href"]).startswith("#")} == {"letter.pdf"}


def test_letter_attachments_and_the_number_to_call_are_links() -> None:
    """EXP-10: and nothing else is, whatever the CRM has."""
    found = Tags(page(addressee=Addressee("Lotte (fictief)", is_minor=True, first_name="Lotte")))
    links = [str(link["href"]) for link in found.of("a") if not str(link["href"]).startswith("#")]
    assert links == ["letter.pdf", "tel:116000", "attachments/attachment-1.png"]
    assert texts_in("nl").say("child", "rest_page") in found.said
    assert texts_in("nl").say("child", "rest") not in found.said


def test_sixty_records_have_one_table_with_its_headings_once_and_a_way_to_jump() -> None:
    found = Tags(page(items=tuple(fiche(number) for number in range(1, 61)), withheld=()))
    records = [attributes for attributes in found.of("table") if attributes.get("class") == "records"]
    assert len(records) == 1
    assert found.said.count(texts_in("nl").say("access", "what")) == 1
    targets = {str(link["href"])[1:] for link in found.of("a")}
    assert {f"item-{number}" for number in range(1, 61)} <= targets


def test_it_asks_for_nothing_and_allows_nothing() -> None:
    """EXP-19: a policy that allows its own style and nothing else."""
    found = Tags(page())
    policy = next(meta["content"] for meta in found.of("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not {tag for tag, _ in found.tags} & {"link", "iframe", "object", "form", "base", "audio", "video"}
    assert not any(key in attributes for _, attributes in found.tags for key in ("src", "style", "onclick", "onload"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_structure_can_be_walked(language: str) -> None:
    found = Tags(page(language=language))
    names = [tag for tag, _ in found.tags]
    assert found.of("html") == [{"lang": language}]
    assert (names.count("h1"), names.count("main"), names.count("nav"), names.count("header"), names.count("footer")) == (1, 1, 1, 1, 1)
    assert found.of("a")[0] == {"class": "skip", "href": "#contents"}
    assert all(attributes.get("scope") in ("col", "row", "rowgroup") for attributes in found.of("th"))
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    assert {str(link["href"])[1:] for link in found.of("a") if str(link["href"]).startswith("#")} <= ids
    said = found.said.replace("\u00a0", " ")
    assert texts_in(language).say("letter", "scope", article="15") in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_on_it_keeps_anybody_out(chrome: Any, tmp_path: Path, language: str, scheme: Any) -> None:
    """axe-core finds no violation, and the page asks for nothing but itself."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    file = tmp_path / "index.html"
    file.write_bytes(
        page_html(answer_of(compilation(language=language, addressee=Addressee("Lotte (fictief)", is_minor=True)), ORGANISATION))
    )
    context = chrome.new_context(color_scheme=scheme, bypass_csp=True)  # axe itself is a script, which the page forbids
    asked: list[str] = []
    opened = context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(file.as_uri())
    found = Axe().run(opened)
    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found.response["violations"]] == []
    assert asked == [file.as_uri()]
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


BROKEN_WORDS = r"""() => {
    const broken = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walk.nextNode(); text; text = walk.nextNode())
        for (const word of text.textContent.matchAll(/[\p{L}\p{N}]+/gu)) {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1)
                broken.push(text.parentElement.tagName + " " + word[0]);
        }
    return broken;
}"""


@pytest.mark.parametrize("width", [320, 390, 640, 700, 769])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_broken_and_every_heading_has_the_whole_width(chrome: Any, tmp_path: Path, language: str, width: int) -> None:
    """On a telephone each cell has a line of its own, with the name of its column before it."""
    withheld = (Withheld("voice"), Withheld("item"), Withheld("contact_details", "RGT-09"))
    decided = compilation(language=language, right="erasure", granted=("item-1", "item-90"), kept=("context-1",), withheld=())
    file, opened = tmp_path / "index.html", chrome.new_page(viewport={"width": width, "height": 800})
    reviewed = compilation(language=language, items=tuple(fiche(number) for number in (2, 1000)))
    for compiled, working_copy in ((compilation(language=language, withheld=withheld), False), (decided, False), (reviewed, True)):
        file.write_bytes(page_html(answer_of(compiled, ORGANISATION, working_copy=working_copy)))
        opened.goto(file.as_uri())
        assert opened.evaluate(BROKEN_WORDS) == []
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        widths = "[...document.querySelectorAll('tr.group th')].map(each => each.offsetWidth / each.closest('table').offsetWidth)"
        assert all(share > 0.95 for share in opened.evaluate(widths))
        named = "[...document.querySelectorAll('table:not(.records) td')].map(each => getComputedStyle(each, '::before').content)"
        names = opened.evaluate(named)
        assert names
        assert all((name == "none") is (width > 768) for name in names)
    opened.close()


def test_no_script_runs_on_it(chrome: Any, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_bytes(page_html(answer_of(compilation(items=(fiche(2, NASTY),)), ORGANISATION)))
    opened = chrome.new_page()
    alarms: list[str] = []
    opened.on("dialog", lambda dialog: alarms.append(dialog.message))
    opened.on("console", lambda message: alarms.append(message.text))
    opened.on("pageerror", lambda error: alarms.append(str(error)))
    opened.goto(file.as_uri())
    opened.set_viewport_size({"width": 320, "height": 600})
    assert alarms == []
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    opened.close()
