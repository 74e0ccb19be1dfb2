"""Facts of units that were put together are as they are written down. Those of whole tables are looked at in
tests/jobs/reading/tables/test_whole_tables.py."""

from hypothesis import given
from hypothesis import strategies as st

from rules.law.facts import ALONE, CHILD_FACTS, FICHE_FACTS, IN_TABLES, LEADER_FACTS, UNIT_FACTS, facts_of, with_leaders
from rules.model.records import Unit, UnitKind
from tests.rules.law import anything
from tests.rules.law.written_facts import assert_written
from tests.rules.strategies import examples


@examples(100)
@given(st.lists(anything.units(), max_size=10))
def test_facts_have_the_columns_that_are_written_down_and_are_null_where_that_says_so(units: list[Unit]) -> None:
    assert_written(facts_of(with_leaders(units)), ALONE)


def test_no_column_is_written_down_twice_or_as_null_and_not_null() -> None:
    for facts in (UNIT_FACTS, ALONE, IN_TABLES, FICHE_FACTS, CHILD_FACTS, LEADER_FACTS):
        for name, fact in facts.items():
            assert set(fact.always).isdisjoint(fact.maybe), name
            assert UnitKind.CONTACT not in (*fact.always, *fact.maybe), name
    assert len({*UNIT_FACTS, *ALONE, *IN_TABLES}) == len(UNIT_FACTS) + len(ALONE) + len(IN_TABLES)
