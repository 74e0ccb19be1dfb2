"""ERA-08 and ERA-09 recounted by hand, row by row, against what the product aggregates (R-084, R-085,
R-086)."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.anonymisation.k_anonymity import aggregate, count_rows
from rules.anonymisation.statistics import StatisticFacts
from rules.policy.categories import Mission
from rules.policy.loader import load_policy
from tests.independent.counting import REGIONS, WIDE_AGES, Cell, generalised, mission, needed

POLICY = load_policy(
    (Path(__file__).parents[3] / "rules/policy/schedules/childfocus.yaml").read_text(encoding="utf-8"), source="childfocus.yaml"
)
PLACES = ("Antwerp", "Limburg", "Namur", "Liège", "Brussels-Capital", "BE", "eea")
AGES = ("0-5", "6-11", "12-14", "15-17", "18-24", "unknown")
CATEGORIES = ("missing_runaway", "exploitation_ict")

# Few values, so that combinations meet each other at every step.
cells = st.tuples(
    st.sampled_from([2019, 2020]),
    st.sampled_from(CATEGORIES),
    st.sampled_from(PLACES),
    st.sampled_from(AGES),
    st.sampled_from(["f", "m"]),
    st.sampled_from(["returned", "located"]),
)


def repeated(cell: st.SearchStrategy[Cell]) -> st.SearchStrategy[list[Cell]]:
    """Batches in which combinations come several times, around the numbers that decide."""
    groups = st.lists(st.tuples(cell, st.integers(1, 11)), max_size=8)
    return groups.map(lambda found: [each for each, number in found for _ in range(number)])


def facts(cell: Cell) -> StatisticFacts:
    year, category, province, age, sex, outcome = cell
    of = Mission.EXPLOITATION if category.startswith("exploitation") else Mission.DISAPPEARANCE
    return StatisticFacts(year, category, of, True, province, age, sex, outcome)


def by_hand(batch: list[Cell], written: Counter[Cell]) -> tuple[list[Cell], Counter[tuple[str, int | None]]]:
    """The rule, read aloud: test every row, make those that fail coarser, test again; count pairs, one by
    one."""

    def coarser(step: int, cell: Cell) -> Cell:
        year, category, place, age, sex, outcome = cell
        if step == 1:
            place = REGIONS.get(place, place)
        elif step == 2:
            age = WIDE_AGES.get(age, age)
        elif step == 3:
            sex = "unknown"
        elif step == 4:
            place = "BE" if place in {"Brussels", "Flanders", "Wallonia"} else place
        else:
            outcome = "unknown"
        return (year, category, place, age, sex, outcome)

    there = [cell for cell, number in written.items() for _ in range(number)]
    failing = list(batch)
    for step in range(6):
        if step:
            failing = [coarser(step, cell) for cell in failing]
        alike = [sum(other == cell for other in there + failing) for cell in failing]
        passing = [cell for cell, number in zip(failing, alike, strict=True) if number >= needed(cell[1])]
        failing = [cell for cell, number in zip(failing, alike, strict=True) if number < needed(cell[1])]
        there += passing
    kept = Counter(there) - written
    return list(kept.elements()), Counter((mission(cell[1]), cell[0]) for cell in failing)


def as_cell(combination: tuple[object, ...]) -> Cell:
    category, year, province, age, sex, outcome = combination
    return (year, category, province, age, sex, outcome)  # type: ignore[return-value]


def combination(cell: Cell) -> tuple[str | None, int | None, str | None, str | None, str | None, str | None]:
    year, category, province, age, sex, outcome = cell
    return (category, year, province, age, sex, outcome)


@settings(max_examples=300)
@given(batch=repeated(cells), written=st.dictionaries(cells, st.integers(1, 9), max_size=4))
def test_the_aggregation_is_the_rule_read_aloud(batch: list[Cell], written: dict[Cell, int]) -> None:
    done = aggregate([facts(cell) for cell in batch], {combination(cell): number for cell, number in written.items()}, POLICY)
    rows, totals = by_hand(batch, Counter(written))
    assert Counter(map(as_cell, count_rows(done.rows).elements())) == Counter(rows)
    assert done.totals == dict(totals)
    assert len(done.rows) + sum(done.totals.values()) == len(batch)  # every unit once


@settings(max_examples=200)
@given(batch=repeated(cells))
def test_on_an_empty_table_it_agrees_with_the_second_recount(batch: list[Cell]) -> None:
    """`tests/independent/counting.py` was written from the rules alone, with another way of counting."""
    done = aggregate([facts(cell) for cell in batch], {}, POLICY)
    rows, totals = generalised(batch)
    assert Counter(map(as_cell, count_rows(done.rows).elements())) == rows
    assert done.totals == dict(totals)


@settings(max_examples=100)
@given(batch=repeated(cells), written=st.dictionaries(cells, st.integers(1, 9), max_size=4), seed=st.integers())
def test_the_order_of_a_batch_changes_nothing(batch: list[Cell], written: dict[Cell, int], seed: int) -> None:
    existing = {combination(cell): number for cell, number in written.items()}
    mixed = list(batch)
    random.Random(seed).shuffle(mixed)
    once, again = (aggregate([facts(cell) for cell in each], existing, POLICY) for each in (batch, mixed))
    assert once == again


@settings(max_examples=100)
@given(batch=repeated(cells), written=st.dictionaries(cells, st.integers(1, 9), max_size=4))
def test_every_row_written_has_its_k_and_none_written_before_is_touched(batch: list[Cell], written: dict[Cell, int]) -> None:
    existing = {combination(cell): number for cell, number in written.items()}
    before = dict(existing)
    done = aggregate([facts(cell) for cell in batch], existing, POLICY)
    after = Counter(existing) + count_rows(done.rows)
    assert existing == before
    assert all(after[each] >= POLICY.k_of(str(each[0])) for each in count_rows(done.rows))


def test_each_number_around_k_goes_to_its_side() -> None:
    """R-085, R-086: one below k is a total, k itself is rows."""
    for (category, k), less in product((("missing_runaway", 5), ("exploitation_ict", 10)), (0, 1)):
        cell = (2019, category, "Antwerp", "15-17", "f", "returned")
        done = aggregate([facts(cell)] * (k - less), {}, POLICY)
        assert len(done.rows) == (0 if less else k)
        assert sum(done.totals.values()) == (k - less if less else 0)
