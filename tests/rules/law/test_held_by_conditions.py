"""What fits a hold by conditions in columns fits it as a unit by itself."""

from datetime import date
from itertools import product
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.holds.conditions import FIELDS, Comparison, Condition, fits
from rules.law.facts import SEPARATOR, facts_of
from rules.law.held_by_conditions import EXPRESSIONS, that_fit
from rules.model.records import OF_ITS_DOSSIER, Dossier, Fiche, Recording, Unit, UnitKind
from tests.rules.builders import a_dossier, a_fiche, a_lone_fiche, a_recording
from tests.rules.law import anything
from tests.rules.strategies import examples

BEFORE, ON, BEHIND = date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)
# Of each way to compare what the CRM may say, and what may be asked.
TOLD: Final[dict[Comparison, tuple[tuple[Any, ...], tuple[str, ...]]]] = {
    Comparison.SINCE: ((None, BEFORE, ON, BEHIND, date.min, date.max), (ON.isoformat(), BEHIND.isoformat())),
    Comparison.UNTIL: ((None, BEFORE, ON, BEHIND, date.min, date.max), (BEFORE.isoformat(), ON.isoformat())),
    Comparison.ONE_OF: ((None, "", "located", "none"), ("none", "located", "100000099")),
    Comparison.ANY_OF: (((), ("a",), ("b", "a"), ("ab",), ("b", "ab", "c"), ("none",)), ("none", "a", "b", "zz")),
    Comparison.YES_NO: ((None, False, True), ("yes", "no")),
    Comparison.YES_UNLESS_NO: ((None, False, True), ("yes", "no")),
}
KIND_OF: Final[dict[str, Any]] = {"dossier": Dossier, "fiche": Fiche, "recording": Recording}
ASKED: Final = [(kind, field) for kind, fields in FIELDS.items() for field in fields]


def rows_that_fit(kind: str, conditions: tuple[Condition, ...], units: list[Unit], sentinels: frozenset[date] = frozenset()) -> set[int]:
    facts = facts_of(units)
    records = facts.units.filter(pl.col("kind") == (UnitKind.DOSSIER if kind == UnitKind.FICHE else kind))
    if kind == UnitKind.RECORDING:
        marks = [unit.recording.evidence for unit in units if unit.recording is not None]
        records = records.with_columns(pl.Series("evidence", marks, dtype=pl.Boolean))
    found = that_fit(kind, conditions, records, facts.fiches, sentinels)
    assert found.is_unique().all()
    return set(found)


@examples(200)
@given(
    st.lists(anything.units().map(lambda unit: unit if unit.recording is None else a_copy_of_its_own(unit)), max_size=8),
    st.booleans(),
    st.sampled_from(sorted(FIELDS)).flatmap(lambda kind: st.tuples(st.just(kind), anything.conditions(kind))),
)
def test_columns_and_units_by_themselves_fit_alike(units: list[Unit], are_silent: bool, asked: tuple[str, tuple[Condition, ...]]) -> None:
    if are_silent:  # every fiche of another table than the one that has a category
        units = [replace(unit, fiches=[replace(each, categories=(OF_ITS_DOSSIER,)) for each in unit.fiches]) for unit in units]
    own = [unit for unit in units if unit.belongs_to is None]  # what belongs to something is covered by that, elsewhere
    files_and_recordings = [unit for unit in own if unit.dossier or unit.recording or unit.kind is UnitKind.FICHE]
    found = rows_that_fit(*asked, files_and_recordings)
    assert found == {row for row, unit in enumerate(files_and_recordings) if fits(unit, *asked)}


def a_copy_of_its_own(unit: Unit) -> Unit:
    """Return a recording that belongs to nothing."""
    return Unit(unit.kind, unit.id, unit.etag, recording=unit.recording)


@pytest.mark.parametrize("sentinels", [frozenset(), frozenset({BEFORE, date.max})])
@pytest.mark.parametrize(("kind", "field"), ASKED)
def test_every_field_is_compared_alike_whatever_the_crm_says(kind: str, field: str, sentinels: frozenset[date]) -> None:
    """Each value that there may be, null and sentinels among them, against each that may be asked for, and
    two of them."""
    fact, comparison = FIELDS[kind][field].fact, FIELDS[kind][field].comparison
    told, values = TOLD[comparison]
    units = []
    for each in told:
        row = KIND_OF[kind](id="row", **{fact: each} | ({"is_active": False} if fact == "closed_on" else {}))
        if kind == "dossier":
            units.append(Unit(UnitKind.DOSSIER, "row", "1", dossier=row))
        elif kind == "fiche":
            units.append(Unit(UnitKind.FICHE, "row", "1", fiches=[row]))
        else:
            units.append(Unit(UnitKind.RECORDING, "row", "1", recording=row))
    for one, other in product(values, values):
        conditions = (Condition(field, (one, other)),)
        found = rows_that_fit(kind, conditions, units, sentinels)
        assert found == {row for row, unit in enumerate(units) if fits(unit, kind, conditions, sentinels=sentinels)}
        if comparison in (Comparison.SINCE, Comparison.UNTIL):
            assert {row for row, each in enumerate(told) if each in sentinels} <= found


def test_every_way_to_compare_has_an_expression_and_a_case() -> None:
    asked = {field.comparison for fields in FIELDS.values() for field in fields.values()}
    assert asked == set(Comparison) == set(EXPRESSIONS) == set(TOLD)


@pytest.mark.parametrize(
    ("kind", "field", "value", "unit"),
    [
        ("dossier", "opened_from", "2024-01-01", a_dossier()),
        ("dossier", "opened_to", "2024-01-01", a_dossier()),
        ("dossier", "closed_from", "2024-01-01", a_dossier()),
        ("dossier", "closed_to", "2024-01-01", a_dossier()),
        ("dossier", "closed_to", "2024-01-01", a_dossier(is_active=True, closed_on=date(2025, 1, 1))),
        ("dossier", "closed_to", "2024-01-01", a_dossier(is_active=None, closed_on=date(2025, 1, 1))),
        ("dossier", "active", "yes", a_dossier(is_active=None)),
        ("dossier", "category", "none", a_dossier(a_fiche())),
        ("fiche", "communicated_from", "2024-01-01", a_lone_fiche()),
        ("fiche", "communicated_to", "2024-01-01", a_lone_fiche()),
        ("recording", "ended_from", "2024-01-01", a_recording()),
        ("recording", "ended_to", "2024-01-01", a_recording()),
    ],
)
def test_what_is_not_known_is_held(kind: str, field: str, value: str, unit: Unit) -> None:
    """HLD-07: doubt keeps, whichever way is asked."""
    conditions = (Condition(field, (value,)),)
    assert fits(unit, kind, conditions)
    assert rows_that_fit(kind, conditions, [unit]) == {0}


def test_a_fiche_of_a_table_without_categories_fits_by_those_of_its_dossier_and_where_there_is_none_in_doubt() -> None:
    units = [
        a_dossier(a_fiche(OF_ITS_DOSSIER, communicated_on=ON), categories=("a",)),
        a_dossier(a_fiche(OF_ITS_DOSSIER, communicated_on=ON), categories=("b",)),
        a_dossier(a_fiche(OF_ITS_DOSSIER, communicated_on=ON), categories=()),
        a_lone_fiche(OF_ITS_DOSSIER, communicated_on=ON),
        a_lone_fiche("b", communicated_on=ON),
        a_lone_fiche(OF_ITS_DOSSIER, communicated_on=BEFORE),
    ]
    conditions = (Condition("category", ("a",)), Condition("communicated_from", (ON.isoformat(),)))
    assert rows_that_fit("fiche", conditions, units) == {0, 2, 3}
    assert [fits(unit, "fiche", conditions) for unit in units] == [True, False, True, True, False, False]
    both = (Condition("category", ("a",)), Condition("category", ("none",)))
    assert rows_that_fit("fiche", both, units) == {row for row, unit in enumerate(units) if fits(unit, "fiche", both)} == {2, 3, 5}


def test_a_category_of_a_dossier_is_its_own_or_that_of_any_fiche_and_none_only_where_there_is_none() -> None:
    units = [
        a_dossier(a_fiche(), a_fiche("b"), categories=()),
        a_dossier(a_fiche(), categories=("a", "c")),
        a_dossier(a_fiche(), categories=()),
        a_dossier(categories=()),
    ]
    assert rows_that_fit("dossier", (Condition("category", ("b", "c")),), units) == {0, 1}
    assert rows_that_fit("dossier", (Condition("category", ("none",)),), units) == {2, 3}
    assert SEPARATOR not in "abc"
