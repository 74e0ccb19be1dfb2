"""Whether facts are as rules/law/facts.py writes them down: their columns, and of which kinds of unit each is
never null, or null."""

from collections.abc import Mapping

import polars as pl

from rules.law.facts import CHILD_FACTS, FICHE_FACTS, LEADER_FACTS, UNIT_FACTS, Fact, Facts, schema_of


def assert_written(facts: Facts, beside: Mapping[str, Fact]) -> None:
    """Assert it of all frames; units have these columns `beside`."""
    kinds = facts.units["kind"]
    parts = (
        (facts.units, {**UNIT_FACTS, **beside}),
        (facts.fiches, FICHE_FACTS),
        (facts.children, CHILD_FACTS),
        (facts.leaders, LEADER_FACTS),
    )
    for frame, written in parts:
        assert dict(frame.schema) == schema_of(written)
        assert not frame["row"].null_count()
        _assert_nulls(frame.with_columns(of=kinds.gather(frame["row"])), written)
    of_leaders = set(kinds.gather(facts.leaders["leader"]))
    assert of_leaders <= {"dossier"}


def _assert_nulls(frame: pl.DataFrame, written: Mapping[str, Fact]) -> None:
    for (kind,), rows in frame.partition_by("of", as_dict=True).items():
        for name, fact in written.items():
            nulls = rows[name].null_count()
            if kind in fact.always:
                assert nulls == 0, f"{name} of a {kind} is null"
            elif kind not in fact.maybe:
                assert nulls == rows.height, f"a {kind} has {name}"
