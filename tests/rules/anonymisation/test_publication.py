"""Published statistics: no count below 5 can be read, and none can be computed (ERA-10, ERA-11)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.anonymisation.publication import ALL, DIMENSIONS, Cell, PublishedTable, Shown, publish, show_line
from rules.model.records import Statistic

SEXES, BANDS, OUTCOMES = ("f", "m", "unknown"), ("12-14", "15-17"), ("returned", "unknown")


def row(number: int = 1, **values: object) -> Statistic:
    return Statistic(**({"year": 2020, "category": "sexting", "count": number} | values))  # type: ignore[arg-type]


def table(tables: tuple[PublishedTable, ...], name: str) -> PublishedTable:
    return next(each for each in tables if each.name == name)


def texts(cells: tuple[Cell, ...]) -> dict[tuple[str, str, str], str]:
    return {(cell.year, cell.category, cell.value): cell.text for cell in cells}


# -- one line ------------------------------------------------------------------------------------------------


def possible(counts: Mapping[str, int], shown: Mapping[str, Shown], total: int) -> Iterator[dict[str, int]]:
    """Every set of counts that somebody who knows the total and what is shown cannot rule out."""
    highest = min((number for value, number in counts.items() if shown[value] is Shown.COUNT), default=total)
    choices = {
        value: [number]
        if shown[value] is Shown.COUNT
        else list(range(1, 5))
        if shown[value] is Shown.BELOW
        else list(range(5, min(highest, total) + 1))
        for value, number in counts.items()
    }
    for guess in product(*choices.values()):
        if sum(guess) == total:
            yield dict(zip(counts, guess, strict=True))


@given(st.lists(st.integers(min_value=1, max_value=12), min_size=1, max_size=5))
def test_nobody_can_compute_a_hidden_cell_of_a_line(numbers: list[int]) -> None:
    """ERA-10: each hidden cell has two possible counts at least, found by trying all."""
    counts = {f"v{at}": number for at, number in enumerate(numbers)}
    shown = show_line(counts, sum(numbers))
    if shown is None:
        return
    assert all(shown[value] is not Shown.COUNT for value, number in counts.items() if number < 5)
    guesses: defaultdict[str, set[int]] = defaultdict(set)
    for guess in possible(counts, shown, sum(numbers)):
        for value, number in guess.items():
            guesses[value].add(number)
    for value, number in counts.items():
        assert number in guesses[value]
        assert shown[value] is Shown.COUNT or len(guesses[value]) >= 2


@given(st.lists(st.integers(min_value=5, max_value=500), min_size=1, max_size=8))
def test_a_line_without_a_small_cell_is_shown_whole(numbers: list[int]) -> None:
    counts = {f"v{at}": number for at, number in enumerate(numbers)}
    assert show_line(counts, sum(numbers)) == dict.fromkeys(counts, Shown.COUNT)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": 104, "b": 4}, {"a": Shown.SUPPRESSED, "b": Shown.BELOW}),
        ({"a": 90, "b": 8, "c": 4}, {"a": Shown.COUNT, "b": Shown.SUPPRESSED, "c": Shown.BELOW}),
        ({"a": 90, "b": 3, "c": 2}, {"a": Shown.COUNT, "b": Shown.BELOW, "c": Shown.BELOW}),
        ({"a": 4, "b": 4}, None),  # of a known total of 8 both are 4
        ({"a": 5, "b": 1}, None),
        ({"a": 90, "b": 5, "c": 1}, {"a": Shown.SUPPRESSED, "b": Shown.SUPPRESSED, "c": Shown.BELOW}),
        ({"a": 2, "b": 1}, None),
        ({"a": 4}, None),
    ],
)
def test_what_a_line_shows(counts: dict[str, int], expected: dict[str, Shown] | None) -> None:
    assert show_line(counts, sum(counts.values())) == expected


# -- tables --------------------------------------------------------------------------------------------------

rows = st.lists(
    st.builds(
        row,
        year=st.sampled_from([2019, 2020, None]),
        category=st.sampled_from(["sexting", "runaway"]),
        sex=st.sampled_from([*SEXES, None]),
        age_band=st.sampled_from(BANDS),
        outcome=st.sampled_from(OUTCOMES),
    ),
    max_size=60,
)


@given(rows)
def test_no_number_below_five_is_published(found: list[Statistic]) -> None:
    """ERA-10, R-084: not in a cell, not in a total."""
    for each in publish(found):
        for cell in (*each.cells, *each.totals):
            assert (cell.count >= 5) is (cell.shown is Shown.COUNT)
            assert cell.count == 0 or cell.text == str(cell.count)


@given(rows)
def test_a_total_tells_nothing_that_could_not_be_added_up(found: list[Statistic]) -> None:
    """ERA-10: a secondary total is masked where a masked cell is below it, or a line that is withheld."""
    for each in publish(found):
        for total in each.totals:
            below = [
                cell
                for cell in each.cells
                if cell.value == total.value and total.year in (ALL, cell.year) and total.category in (ALL, cell.category)
            ]
            is_withheld = any(total.year in (ALL, year) and total.category in (ALL, category) for year, category in each.withheld)
            if total.shown is Shown.COUNT:
                assert not is_withheld
                assert total.count == sum(cell.count for cell in below)
                assert all(cell.shown is Shown.COUNT for cell in below)
            else:
                assert is_withheld or any(cell.shown is not Shown.COUNT for cell in below)


@given(rows)
def test_what_all_tables_together_say_of_a_line_gives_no_cell_away(found: list[Statistic]) -> None:
    """Tables of one more dimension are linked by the number of rows with equal year and category alone; the
    attacker knows that number from wherever it can be read or added up, and each table by itself."""
    tables = publish(found)
    truth: defaultdict[tuple[str, str, str], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in found:
        for name in DIMENSIONS:
            year, category = "unknown" if each.year is None else str(each.year), each.category or ""
            truth[name, year, category][getattr(each, name) or "unknown"] += 1
    known = {(cell.year, cell.category): cell.count for cell in table(tables, "category").cells if cell.shown is Shown.COUNT}
    for (name, year, category), counts in truth.items():
        cells = {cell.value: cell.shown for cell in table(tables, name).cells if (cell.year, cell.category) == (year, category)}
        if (year, category) not in known:
            assert not cells  # the number itself is below 5: nothing of the line is shown in any table
            continue
        if not cells:
            assert (year, category) in table(tables, name).withheld
            continue
        guesses: defaultdict[str, set[int]] = defaultdict(set)
        for guess in possible(counts, cells, known[year, category]):
            for value, number in guess.items():
                guesses[value].add(number)
        assert all(len(guesses[value]) >= 2 for value, shown in cells.items() if shown is not Shown.COUNT)


@given(rows)
def test_the_order_of_the_rows_changes_nothing(found: list[Statistic]) -> None:
    assert publish(found) == publish(found[::-1])


def test_category_never_meets_age_and_sex_together() -> None:
    """ERA-11: which tables there are is fixed; each has one dimension beside year and category."""
    tables = publish([row(7, province="Antwerp", age_band="12-14", sex="f", outcome="returned")])
    assert [each.name for each in tables] == ["category", *DIMENSIONS, "mission"]
    assert texts(table(tables, "sex").cells) == {("2020", "sexting", "f"): "7"}
    assert texts(table(tables, "age_band").cells) == {("2020", "sexting", "12-14"): "7"}


def test_row_and_column_totals_are_there_where_they_may_be() -> None:
    tables = publish(
        [row(7, sex="f"), row(6, sex="f", year=2019), row(9, sex="f", category="runaway"), row(3, sex="m", category="runaway")]
    )
    assert texts(table(tables, "category").totals) == {
        ("2019", ALL, ""): "6",
        ("2020", ALL, ""): "19",
        (ALL, "runaway", ""): "12",
        (ALL, "sexting", ""): "13",
        (ALL, ALL, ""): "25",
    }
    by_sex = texts(table(tables, "sex").totals)
    assert (by_sex["2019", ALL, "f"], by_sex["2020", ALL, "f"], by_sex[ALL, "sexting", "f"]) == ("6", "x", "13")
    assert texts(table(tables, "sex").cells)["2020", "runaway", "m"] == "< 5"
    assert texts(table(tables, "sex").cells)["2020", "runaway", "f"] == "x"


def test_a_line_below_five_is_masked_everywhere() -> None:
    tables = publish([row(4, sex="f"), row(20, sex="f", year=2019)])
    assert texts(table(tables, "category").cells) == {("2019", "sexting", ""): "20", ("2020", "sexting", ""): "< 5"}
    assert texts(table(tables, "category").totals)[ALL, "sexting", ""] == "x"
    assert table(tables, "sex").withheld == (("2020", "sexting"),)
    assert texts(table(tables, "sex").totals)[ALL, "sexting", "f"] == "x"


def test_totals_of_missions_are_a_table_of_their_own() -> None:
    """What left no row of its own (ERA-04, ERA-09 step 6) is counted by mission and year; nothing is added to
    the categories."""
    tables = publish([row(12, category="total_exploitation", sex=None), row(2, category="total_disappearance"), row(6, sex="f")])
    assert texts(table(tables, "mission").cells) == {("2020", "disappearance", ""): "< 5", ("2020", "exploitation", ""): "12"}
    assert texts(table(tables, "mission").totals)["2020", ALL, ""] == "x"
    assert texts(table(tables, "category").cells) == {("2020", "sexting", ""): "6"}


def test_no_statistics_are_empty_tables() -> None:
    assert all(not (each.cells or each.totals or each.withheld) for each in publish([]))
