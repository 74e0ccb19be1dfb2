"""The lines of which `python -m benchmarks.lines` asks, from small plans."""

from benchmarks.lines import a_night, another, columns_of, queries
from jobs.model.plan import PlanLine
from jobs.plans.lines.compare import compare
from jobs.plans.lines.query import SORTS
from jobs.plans.lines.view import LinesView
from tests.crm_compliance.store.values import a_plan


def opened(lines: list[PlanLine]) -> LinesView:
    return LinesView(a_plan(), columns_of(iter(lines)))


def test_lines_stand_in_the_order_of_a_plan_and_some_are_other_ones_the_next_night() -> None:
    lines = list(a_night(600))
    places = list(dict.fromkeys(line.table for line in lines))
    assert lines == sorted(lines, key=lambda line: (places.index(line.table), line.id))
    found = compare(opened(lines), opened(list(another(iter(lines), 0.5))))
    assert found.added == found.removed
    assert 10 < found.added < 60
    assert 240 < found.changed < 360


def test_each_sort_is_asked_for_both_ways_and_each_filter_lets_some_lines_pass() -> None:
    view, asked = opened(list(a_night(3_000))), [query for _, query in queries(3_000)]
    assert {(query.sort, query.descending) for query in asked} == {(sort, way) for sort in SORTS for way in (False, True)}
    assert all(view.page(query).total > 0 for query in asked)
    filtered = [{name for name in ("category", "reason", "flag", "table", "id") if getattr(query, name)} for query in asked]
    assert {len(names) for names in filtered} == {0, 1, 5}
