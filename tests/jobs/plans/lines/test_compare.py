"""What two plans say differently, against a comparison of dictionaries."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jobs.model.plan import PlanLine
from jobs.plans.lines.compare import Change, compare
from jobs.plans.lines.view import LinesView
from tests.jobs.plans.lines.storing import a_disposal, a_line, any_line, holding

plans = st.lists(any_line, max_size=25, unique_by=lambda line: line.key)
SAID_OF_A_UNIT = {
    "outcome",
    "disposition",
    "retention_end",
    "reason",
    "reasons",
    "flags",
    "categories",
    "rule",
    "anchor",
    "anchor_on",
}


def view(lines: list[PlanLine]) -> LinesView:
    return LinesView.of(holding(lines), "plan")


def difference(one: PlanLine, other: PlanLine) -> set[str]:
    return {name for name in SAID_OF_A_UNIT if getattr(one, name) != getattr(other, name)}


@st.composite
def two_plans(draw: st.DrawFn) -> tuple[list[PlanLine], list[PlanLine]]:
    """Most units are in both, many of them equal."""
    before, after = draw(plans), draw(plans)
    new = {line.key for line in after}
    again = [line for line in before if line.key not in new and draw(st.booleans())]
    return before, draw(st.permutations(after + again))


@given(two_plans())
def test_a_comparison_is_that_of_two_dictionaries(both: tuple[list[PlanLine], list[PlanLine]]) -> None:
    before, after = both
    old, new = {line.key: line for line in before}, {line.key: line for line in after}
    wanted: dict[tuple[str, str], str] = {}
    for key in old.keys() | new.keys():
        if key not in old or key not in new:
            wanted[key] = "added" if key in new else "removed"
        elif difference(old[key], new[key]):
            wanted[key] = "changed"
    found = compare(view(before), view(after))
    changes = list(found.changes())
    assert [(each.table, each.id) for each in changes] == sorted(wanted)
    for each in changes:
        key = (each.table, each.id)
        assert (each.change, each.before, each.after) == (wanted[key], old.get(key), new.get(key))
        if each.before is not None and each.after is not None:
            assert set(each.differs) == difference(each.before, each.after)
    counts = Counter(wanted.values())
    assert (found.added, found.removed, found.changed) == (counts["added"], counts["removed"], counts["changed"])
    assert found.unchanged == len(old.keys() | new.keys()) - len(wanted)


def test_a_new_version_of_row_or_schedule_alone_is_no_change() -> None:
    before, after = a_line(), a_line(etag='W/"2"', policy_version="2027-1")
    found = compare(view([before]), view([after]))
    assert (found.changed, found.unchanged) == (0, 1)


def test_what_differs_comes_in_the_order_of_the_plan_file() -> None:
    before, after = a_line(id="d1"), a_disposal()
    assert list(compare(view([before]), view([after])).changes()) == [
        Change("cf_dossier", "d1", "changed", before, after, ("outcome", "disposition", "retention_end", "reason", "reasons"))
    ]
