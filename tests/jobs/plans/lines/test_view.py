"""A page of lines is what a plain filter and a plain sort over the stored lines give."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from crm_compliance.store.store import SqlStore
from jobs.ledger.entries import StoreAltered
from jobs.ledger.plan_lines import LinesAltered, digest_head
from jobs.model.plan import LinesRemoved, PlanLine
from jobs.plans.lines import columns, pages
from jobs.plans.lines.columns import LineColumns
from jobs.plans.lines.open_plans import OpenedPlans
from jobs.plans.lines.pages import paged
from jobs.plans.lines.query import FILTERS, SORTS, LineQuery
from jobs.plans.lines.view import LinesView
from rules.errors import UsageError
from tests.crm_compliance.store.values import ENTRY, a_plan
from tests.jobs.plans.lines.storing import a_disposal, a_line, any_lines, holding, keep


@pytest.fixture(scope="module", autouse=True)
def several_pages() -> Iterator[None]:
    """Pages of three lines, so that plans here have several, each with the numbers of its own shapes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "LINES_A_PAGE", 3)
        patch.setattr(columns, "AT_ONCE", 4)
        yield


VALUES = {
    "outcome": ("dispose", "retain", "unknown"),
    "disposition": ("delete", "anonymise", ""),
    "reason": ("EXPIRED", "NOT_EXPIRED", "HOLD_LEGAL"),
    "category": ("runaway", "recording", "", "unknown"),
    "flag": ("REVIEW_DUE", ""),
    "table": ("cf_dossier", "contact"),
}
queries = st.builds(
    LineQuery,
    **{name: st.none() | st.sampled_from(values) for name, values in VALUES.items()},
    id=st.text("abAB1.*-[", max_size=2),
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
    offset=st.integers(0, 30),
    limit=st.integers(1, 30),
)


def values(line: PlanLine, name: str) -> Sequence[str]:
    many = {"category": line.categories, "flag": line.flags}
    return (many[name] or ("",)) if name in many else (getattr(line, name) or "",)


def matches(line: PlanLine, query: LineQuery, but: str = "") -> bool:
    wanted = {name: getattr(query, name) for name in FILTERS if name != but}
    return query.id.lower() in line.id and all(value is None or value in values(line, name) for name, value in wanted.items())


def in_order(lines: Sequence[PlanLine], query: LineQuery) -> list[PlanLine]:
    if not query.sort:
        return list(reversed(lines)) if query.descending else list(lines)
    known = [line for line in lines if getattr(line, query.sort)]
    return sorted(known, key=lambda line: str_or_tuple(line, query.sort), reverse=query.descending) + [
        line for line in lines if not getattr(line, query.sort)
    ]


def str_or_tuple(line: PlanLine, name: str) -> Any:
    return getattr(line, name)


@given(any_lines, st.lists(queries, min_size=1, max_size=5))
def test_a_page_is_what_a_plain_filter_and_sort_give(lines: list[PlanLine], asked: list[LineQuery]) -> None:
    view = LinesView.of(holding(lines), "plan")
    for query in asked:
        wanted = in_order([line for line in lines if matches(line, query)], query)
        page = view.page(query)
        assert list(page.lines) == wanted[query.offset : query.offset + query.limit]
        assert page.total == len(wanted)
        assert list(view.lines(query)) == wanted
        for name in FILTERS:
            counted = Counter(value for line in lines if matches(line, query, but=name) for value in set(values(line, name)))
            assert getattr(page.facets, name) == counted


@given(any_lines)
def test_pages_one_after_the_other_give_every_line_once(lines: list[PlanLine]) -> None:
    view, offset, seen = LinesView.of(holding(lines), "plan"), 0, list[PlanLine]()
    while True:
        query = LineQuery(sort="retention_end", descending=True, offset=offset, limit=4)
        page = view.page(query)
        seen += page.lines
        after = page.next_offset(query)
        if after is None:
            break
        offset = after
    assert seen == list(view.lines(LineQuery(sort="retention_end", descending=True)))
    assert len(seen) == len(lines)


def test_the_most_frequent_value_is_offered_first() -> None:
    lines = [a_line(id=str(number), categories=("runaway", "zeal") if number else ("abduction",)) for number in range(3)]
    facets = LinesView.of(holding(lines), "plan").page(LineQuery()).facets
    assert list(facets.category.items()) == [("runaway", 2), ("zeal", 2), ("abduction", 1)]


def test_an_id_may_be_given_as_the_crm_shows_it() -> None:
    lines = [a_line(id="0a1b"), a_line(id="0a1c")]
    assert LinesView.of(holding(lines), "plan").page(LineQuery(id=" {0A1B} ")).lines == (lines[0],)


@pytest.mark.parametrize("wrong", [{"sort": "etag"}, {"offset": -1}, {"limit": 0}, {"limit": 1_001}])
def test_a_question_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        LineQuery(**wrong)


LINES = [a_line(id=f"{number:05}") for number in range(7)] + [a_disposal()]


OTHER_PAGES = {
    "the first altered": "UPDATE plan_pages SET content = :other WHERE page = 0",
    "the last altered": "UPDATE plan_pages SET content = :other WHERE page = 2",
    "the last removed": "DELETE FROM plan_pages WHERE page = 2",
    "two exchanged": "UPDATE plan_pages SET content = (SELECT content FROM plan_pages AS o WHERE o.page = 1 - plan_pages.page)"
    " WHERE page < 2",
}


@pytest.mark.parametrize("altered", OTHER_PAGES)
def test_lines_that_do_not_give_the_digest_are_refused(store: SqlStore, altered: str) -> None:
    plan = keep(store, "plan-1", LINES)
    assert list(LinesView.of(store, plan.id).lines(LineQuery())) == LINES
    other = paged([a_line(id="other")], (), {})[0][0]
    with store.database.writing() as connection:
        connection.execute(text(OTHER_PAGES[altered]), {"other": other} if ":other" in OTHER_PAGES[altered] else {})
    with pytest.raises(StoreAltered) as caught:
        LinesView.of(store, plan.id)
    assert caught.value.exit_code == 7


def test_pages_of_the_older_form_are_read_and_checked(store: SqlStore) -> None:
    plan, page = a_plan("plan-1"), zlib.compress(b"".join(msgspec.json.encode(line) + b"\n" for line in LINES))
    head = digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest)
    digest = hashlib.sha256(msgspec.json.encode(head, order="sorted") + zlib.decompress(page)).hexdigest()
    store.plans.save(msgspec.structs.replace(plan, digest=digest), [page], ENTRY)
    assert list(LinesView.of(store, "plan-1").lines(LineQuery())) == LINES
    for damage in (page[:-3], zlib.compress(b"{}"), zlib.compress(zlib.decompress(page) + b"\n")):
        with store.database.writing() as connection:
            connection.execute(text("UPDATE plan_pages SET content = :damage"), {"damage": damage})
        with pytest.raises(StoreAltered):
            LinesView.of(store, "plan-1")


def test_lines_that_have_expired_are_gone_everywhere(store: SqlStore) -> None:
    for plan in ("plan-1", "plan-2"):
        keep(store, plan, LINES)
    opened = OpenedPlans(store)
    first = opened.of("plan-1")
    assert opened.of("plan-1") is first
    assert list(opened.of("plan-2").lines(LineQuery())) == LINES
    with store.database.writing() as connection:
        connection.execute(text("DELETE FROM plan_pages WHERE plan = 'plan-1'"))
    with pytest.raises(LinesRemoved):
        opened.of("plan-1")


def test_a_plan_that_many_ask_for_at_once_is_read_once(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, "plan-1", LINES)
    opened, read, opens = OpenedPlans(store), list[str](), LinesView.of

    def counted(*asked: Any) -> LinesView:
        read.append(asked[1])
        return opens(*asked)

    monkeypatch.setattr(LinesView, "of", counted)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(opened.of, ["plan-1"] * 16))
    assert (read, {id(each) for each in found}) == (["plan-1"], {id(found[0])})


def test_the_plans_looked_at_last_stay_open(store: SqlStore) -> None:
    for plan in ("plan-1", "plan-2", "plan-3"):
        keep(store, plan, [a_line()])
    opened = OpenedPlans(store, most=2)
    first, second = opened.of("plan-1"), opened.of("plan-2")
    assert opened.of("plan-1") is first
    opened.of("plan-3")
    assert opened.of("plan-1") is first
    assert opened.of("plan-2") is not second


PAGE = LineColumns.of([a_line(id=f"a{number}", anchor="closed_on", anchor_on="2020-02-28") for number in range(50)]).written()


@given(st.lists(st.tuples(st.integers(0, len(PAGE) - 1), st.integers(0, 255)), min_size=1, max_size=8), st.integers(1, len(PAGE)))
def test_a_damaged_page_is_told_as_such_and_nothing_else(bytes_put: list[tuple[int, int]], end: int) -> None:
    """Of some damage polars panics, or ends the process: it never sees any."""
    page = bytearray(PAGE)
    for at, value in bytes_put:
        page[at] = value
    for content in (bytes(page), bytes(page[:end])):
        if content != PAGE:
            with pytest.raises(StoreAltered), unread():
                LineColumns.read(content)


@contextmanager
def unread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("polars.read_parquet", lambda _: pytest.fail("damaged bytes were read"))
        yield


def test_altered_lines_are_refused_before_any_is_read() -> None:
    store: Any = holding([a_line(id="a1")])
    store.plans._pages[0] = store.plans._pages[0][:-1]
    with pytest.raises(LinesAltered):
        LinesView.of(store, "plan")
