"""The HTML report: one file, nothing fetched, nothing run, nobody named."""

import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from crm_compliance.reports.plan.charts import bar_chart, day_chart
from crm_compliance.reports.plan.formats import Source, write_report
from crm_compliance.reports.plan.listed_units import FLAG_CAP
from crm_compliance.reports.plan.model import build_report
from crm_compliance.reports.plan.page import page_pieces
from jobs.model.plan import Plan, PlanLine
from rules.dates.calendar import BELGIAN
from rules.model.decisions import Flag, Reason
from tests.crm_compliance.reports.golden import compare
from tests.crm_compliance.reports.parts.test_links import NO_PAGES
from tests.crm_compliance.reports.sample import LABELS, NOW, a_line, document_of, in_parts, link, plan_of, sample_lines, sample_plan

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Elements(HTMLParser):
    """All start tags with their attributes; complains about a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> out of turn"


def page_of(lines: list[PlanLine], plan: Plan | None = None) -> str:
    out = io.BytesIO()
    plan = plan or plan_of(lines)
    write_report(".html", Source(document_of(plan), plan, in_parts(lambda: lines), NOW, LABELS, link, BELGIAN), out)
    return out.getvalue().decode()


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(sample_lines(), sample_plan())


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    parser.close()
    assert not parser.open
    return parser.tags


def test_the_page_runs_nothing_and_fetches_nothing(page: str) -> None:
    for tag, attributes in elements(page):
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"}
        assert not {"src", "srcset", "xlink:href", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        if href := attributes.get("href"):
            assert tag == "a"
            assert href.startswith(("#", "https://org.example/main.aspx?"))
    assert "@import" not in page
    assert "url(" not in page
    assert not re.findall(r"https?://(?!org\.example/)", page)


def test_the_page_forbids_by_itself_what_it_does_not_need(page: str) -> None:
    policy = [attributes["content"] for tag, attributes in elements(page) if tag == "meta" and attributes.get("http-equiv")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert ("html", {"lang": "en"}) in elements(page)


def test_every_link_inside_the_page_has_its_section(page: str) -> None:
    ids = {attributes["id"] for _, attributes in elements(page) if "id" in attributes}
    links = {
        str(attributes["href"])[1:] for tag, attributes in elements(page) if tag == "a" and str(attributes.get("href")).startswith("#")
    }
    assert links <= ids
    assert len(links) > 6


def test_every_disposal_links_to_its_row_in_the_crm_with_anchor_end_rule_and_flags(page: str) -> None:
    lines = [line for line in sample_lines() if line.is_disposal]
    table = page[page.index('<h2 id="disposals">') : page.index('<h2 id="soon">')]
    for line in lines:
        row = next(part for part in table.split("<tr>") if line.id in part)
        assert link(line.table, line.id).replace("&", "&amp;") in row
        assert all(text in row for text in (line.disposition or "", line.retention_end or "", line.anchor_on or "", line.rule, *line.flags))


def test_a_birth_date_is_named_as_anchor_and_never_given() -> None:
    line = a_line(
        1, disposition="anonymise", end="2026-05-10", reasons=[Reason.EXPIRED], anchor="birth_date", categories=["exploitation_ict"]
    )
    page = page_of([line])
    assert "birth date of the child" in page
    assert "2008-05-10" not in page


def test_the_page_names_nobody(page: str) -> None:
    for word in ("nora.admin", "an.peeters", "Lotte", "Gezien", "suspect", "reporter"):
        assert word not in page


def test_what_comes_from_the_crm_is_never_markup() -> None:
    lines = [a_line(1, table="<b>", reasons=["<i>"], flags=["<u>"], categories=["<script>alert(1)</script>"])]
    found = page_of(lines, plan_of(lines, warnings=("<script>2</script>",)))
    assert not {"script", "i", "u"} & {tag for tag, _ in elements(found)}


@pytest.mark.parametrize("address", NO_PAGES)
def test_a_link_that_is_no_web_address_is_dropped(address: str) -> None:
    lines = [a_line(1, disposition="delete", reasons=[Reason.EXPIRED])]
    report = build_report(
        plan_of(lines), in_parts(lambda: lines), now=NOW, labels=LABELS, link=lambda table, row: address, calendar=BELGIAN
    )
    assert 'class="id" href' not in "".join(page_pieces(report))


def test_a_long_list_of_flagged_units_ends_with_how_many_more() -> None:
    lines = [a_line(number, flags=[Flag.RRN_PADDED]) for number in range(FLAG_CAP + 1234)]
    assert "and 1\u202f234 more" in page_of(lines)


def test_a_tripped_breaker_stands_above_everything_else(page: str) -> None:
    assert page.index("The circuit breaker tripped") < page.index("What to do next") < page.index("Totals by category")
    assert "36 planned, above the ceiling of 20 (median of the last runs 11.5)" in page
    assert "The circuit breaker tripped" not in page_of(sample_lines())


def test_outcomes_that_do_not_add_up_are_called_a_fault() -> None:
    lines = sample_lines()
    assert "do not add up" in page_of(lines[1:], plan_of(lines))
    assert "do not add up" not in page_of(lines)


def test_charts_are_valid_svg_that_say_what_they_show() -> None:
    bars = bar_chart([("Runaway & <co>", {"delete": 3, "anonymise": 1200}), ("x" * 90, {"delete": 1})], title='Units "by" category')
    for svg in (bars, day_chart([("2026-11-26", 3), ("2026-12-24", 1)], title="Due soon")):
        root = ElementTree.fromstring(svg)
        assert root.tag == "svg"
        assert root.get("aria-label") in {'Units "by" category', "Due soon"}
        assert root.get("viewBox")
        assert not {element.tag for element in root.iter()} & {"script", "style", "image", "foreignObject", "a"}
        assert "http" not in svg
    said = {element.get("aria-label") for element in ElementTree.fromstring(bars).iter()}
    assert {"Runaway & <co>: 3 to delete", "Runaway & <co>: 1200 to anonymise"} <= said


def test_there_is_no_chart_of_nothing() -> None:
    assert bar_chart([], title="x") == day_chart([], title="x") == ""


def test_the_page_of_the_sample_looks_as_agreed(page: str, pytestconfig: pytest.Config) -> None:
    compare("sample.html", re.sub(r"<style>.*?</style>", "<style/>", page, flags=re.DOTALL), pytestconfig)


def test_the_page_of_an_empty_plan_looks_as_agreed(pytestconfig: pytest.Config) -> None:
    page = page_of([])
    elements(page)
    compare("empty.html", re.sub(r"<style>.*?</style>", "<style/>", page, flags=re.DOTALL), pytestconfig)


@pytest.mark.parametrize("peak", [1, 2, 3, 7])
def test_the_axis_of_days_counts_in_whole_units(peak: int) -> None:
    marks = [
        element.text for element in ElementTree.fromstring(day_chart([("2026-11-26", peak), ("2026-12-24", 1)], title="x")).iter("text")
    ]
    numbers = [mark for mark in marks if mark and mark.isdigit()]
    assert len(numbers) == len(set(numbers)) >= 4
