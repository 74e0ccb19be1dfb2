"""Whole tables in columns say of every unit what the same rows say that are put together one by one."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface.errors import ReadIncomplete
from jobs.reading.tables import table_facts
from jobs.reading.tables.few_units import few_of
from jobs.reading.tables.table_facts import facts_of_tables, held_in_tables
from jobs.reading.tables.whole_tables import WholeTables
from jobs.reading.units import sort_relations
from rules.holds.conditions import FIELDS, Condition
from rules.holds.holds import Hold, Holds
from rules.law.bits import bits, reasons_in
from rules.law.facts import IN_TABLES, Facts, facts_of, with_leaders
from rules.model.decisions import Reason
from rules.model.records import (
    RELATION_KINDS,
    Contact,
    Donation,
    Dossier,
    Engagement,
    Enrolment,
    Fiche,
    Party,
    Recording,
    UnitKind,
)
from rules.retention.relations import RelationTerms
from tests.jobs.reading.tables.organisations import FIVE, TRUTHS, OneByOne, Rows, filled, named, one_of
from tests.rules.law.anything import conditions
from tests.rules.law.written_facts import assert_written
from tests.rules.strategies import examples

HELD = st.lists(st.one_of(*map(one_of, ("contact", "dossier", "fiche", "recording", "email"))), min_size=5, max_size=5)  # a row of each


@examples(20)  # of five organisations
@given(FIVE)
def test_whole_tables_say_what_units_say(rows: Rows) -> None:
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    units = [*one_by_one.every_unit()]
    expected, found = facts_of(with_leaders(units)), facts_in_parts(whole)  # behind the units, leaders of a chain once more
    units_of_tables = named(whole, found.units)
    names = dict(units_of_tables.select("number", "id").iter_rows())
    known = dict(expected.units.select("row", "id").iter_rows())
    columns = [name for name in expected.units.columns if name != "row"]
    assert units_of_tables.select(columns).sort("id").equals(expected.units.head(len(units)).select(columns).sort("id"))
    for part in ("fiches", "children", "leaders"):
        mine, theirs = getattr(found, part), getattr(expected, part)
        assert mine.schema == theirs.schema
        assert _told(part, mine, names) == _told(part, theirs.filter(pl.col("row") < len(units)), known)
    ids = whole.contacts.ids(pl.Series(range(whole.contacts.height), dtype=pl.UInt32))
    assert sorted((ids[person], names.get(place, "")) for person, place in whole.people.iter_rows()) == sorted(
        (person, unit.id if unit is not None else "") for person, unit in zip(one_by_one.people, one_by_one.places, strict=True)
    )
    assert whole.without_term(whole.anonymised.units.clear()) == len(one_by_one.in_nothing)
    assert sorted((ids[about], ids[contact]) for about, contact in whole.about.iter_rows()) == sorted(one_by_one.about)


@examples(20)  # of five organisations
@given(FIVE, st.sets(st.sampled_from([f"dossier-{each} of {of}" for each in range(4) for of in range(5)])), st.lists(TRUTHS, min_size=25))
def test_live_fiches_are_counted_all_of_whose_dossiers_are_anonymised(rows: Rows, gone: set[str], masked: list[bool | None]) -> None:
    for dossier in rows["dossiers"]:
        dossier["anonymised_on"] = date(2025, 1, 1) if dossier["id"] in gone else None
    for fiche, mask in zip(rows["fiches"], masked, strict=False):
        fiche["anonymised_on"] = date(2025, 1, 1) if mask else None
    expected = [
        row
        for row in rows["fiches"]
        if row["anonymised_on"] is None and row["dossier"] is not None and {row["dossier"], *row["also_in"]} <= gone
    ]
    assert filled(WholeTables(("audio/*",)), rows).anonymised.live_fiches == len(expected)


def facts_in_parts(whole: WholeTables) -> Facts:
    """Return facts of whole tables, made a few units at a time, as one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_facts, "PART", 3)
        parts = list(facts_of_tables(whole))
    for part, _ in parts:
        assert_written(part, IN_TABLES)
        assert part.units["row"].to_list() == list(range(part.units.height))
    units = pl.concat([part.units.filter(counts) for part, counts in parts])
    assert units["number"].is_unique().all()
    alone = [part for part, _ in parts if part.leaders.is_empty()]  # what others follow is there once more with these
    fiches, children = (pl.concat([numbered(part, getattr(part, name)) for part in alone]) for name in ("fiches", "children"))
    return Facts(units, fiches, children, numbered(parts[-1][0], parts[-1][0].leaders))


def numbered(part: Facts, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of a part with the numbers of their units instead of their places there."""
    return rows.with_columns(part.units["number"].gather(rows[name]).alias(name) for name in ("row", "leader") if name in rows.columns)


def _told(part: str, frame: Any, names: dict[int, str]) -> Any:
    rows = [
        tuple(names[value] if name in ("row", "leader") else value for name, value in zip(frame.columns, row, strict=True))
        for row in frame.iter_rows()
    ]
    if part == "leaders":  # in their order
        return {unit: [leader for row, leader in rows if row == unit] for unit, _ in rows}
    return sorted(set(rows) if part == "children" else rows, key=repr)


@examples(20)  # of five organisations
@given(FIVE, HELD)
def test_a_few_units_of_whole_tables_are_the_units_and_held_like_them(rows: Rows, on: list[str]) -> None:
    """HLD-04."""
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    found = named(whole, facts_in_parts(whole).units)
    together = [*one_by_one.every_unit()]
    made, units = few_of(whole, found["number"])[1], {each.id: each for each in together}
    assert sorted(found["id"]) == sorted(each.id for each in together)  # each of them once
    for row, identity in found.select("number", "id").iter_rows():
        unit, expected = made[row], units[identity]
        assert (unit.kind, unit.id, unit.etag) == (expected.kind, expected.id, expected.etag)
        assert sorted(fiche.id for fiche in unit.fiches) == sorted(fiche.id for fiche in expected.fiches)
        assert {child and child.id for child in unit.children} == {child and child.id for child in expected.children}
        assert [above.id for above in unit.above()] == [above.id for above in expected.above()]
    reason = Reason.HOLD_JUDICIAL
    holds = Holds.of(Hold(f"hold-{at}", reason, row.partition("-")[0], f"{row} of {at}") for at, row in enumerate(on))
    held = held_in_tables(whole, holds).filter(pl.col("held") & bits([reason]) != 0)  # beside the flag of the CRM
    assert sorted(named(whole, held.rename({"row": "number"}))["id"]) == sorted(
        unit.id for unit in together if reason in holds.covering(unit)
    )


@examples(40)  # of five organisations
@given(
    FIVE,
    st.lists(
        st.sampled_from(sorted(FIELDS)).flatmap(lambda kind: st.tuples(st.just(kind), conditions(kind, st.sampled_from("abc")))),
        min_size=1,
        max_size=3,
    ),
)
def test_a_hold_by_conditions_covers_the_units_of_whole_tables_that_fit_by_themselves(
    rows: Rows, asked: list[tuple[str, tuple[Condition, ...]]]
) -> None:
    """HLD-04, HLD-07: fiches that are shared, and what depends on them, too."""
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    reasons = (Reason.HOLD_JUDICIAL, Reason.HOLD_RESTRICTION, Reason.HOLD_REQUEST)
    by_facts = [
        (Hold(f"hold-{reason}", reason, kind, "", is_overdue=kind == "fiche"), met)
        for reason, (kind, met) in zip(reasons, asked, strict=False)
    ]
    holds = Holds.of([], by_facts=by_facts, sentinels=[date(1753, 1, 1), date(1900, 1, 1), date(9999, 12, 31)])
    held = held_in_tables(whole, holds)
    names = named(whole, held.rename({"row": "number"}))["id"]
    found = {
        name: (set(reasons_in(number)) & set(reasons), is_overdue)
        for name, number, is_overdue in zip(names, held["held"], held["is_overdue"], strict=True)
    }
    assert len(found) == held.height
    expected = {
        unit.id: (set(holds.covering(unit)) & set(reasons), any(hold.is_overdue for hold in holds.on(unit)))
        for unit in one_by_one.every_unit()
        if not set(reasons).isdisjoint(holds.covering(unit))
    }
    assert found == expected


def test_facts_of_what_stands_outside_the_missions_are_as_they_are_written_down() -> None:
    """2.3: gifts, courses and agreements, of whole tables as of a few."""
    whole, terms = WholeTables(()), RelationTerms(units=RELATION_KINDS)
    whole.add_contacts([Contact(id="somebody")])
    for kind, row in (
        (UnitKind.DONATION, Donation(id="gift", etag="1", contact="somebody")),
        (UnitKind.ENROLMENT, Enrolment(id="course", etag="1", contact="somebody", kind="first_aid", held_on=date(2020, 1, 1))),
        (UnitKind.ENGAGEMENT, Engagement(id="agreement", etag="1", contact="somebody")),
    ):
        sort_relations(whole, kind, [row], terms=terms)
    whole.add_dossiers([Dossier(id="one")])
    units = facts_in_parts(whole).units
    assert units.select("kind", "sort", "counted_from").rows() == [
        ("dossier", None, None),
        ("donation", None, None),
        ("enrolment", "first_aid", date(2020, 1, 1)),
        ("engagement", None, None),
    ]


def test_a_row_read_twice_stops_the_reading() -> None:
    whole = WholeTables(())
    whole.add_dossiers([Dossier(id="one"), Dossier(id="two")])
    whole.add_dossiers([Dossier(id="one")])
    with pytest.raises(ReadIncomplete, match="read twice"):
        whole.add_fiches([Fiche(id="fiche", dossier="one")])


def test_rows_that_point_to_what_was_not_read_come_back_as_records() -> None:
    whole = WholeTables(("audio/*",))
    whole.add_dossiers([Dossier(id="one")])
    hidden = Fiche(id="shared", dossier="one", also_in=("two",), categories=("a", "b"))
    assert whole.add_fiches([Fiche(id="plain", dossier="one"), hidden]) == [hidden]
    assert whole.add_parties([Party(id="party", fiche="shared")]) == [Party(id="party", fiche="shared")]
    assert whole.add_recordings([Recording(id="recording", fiche="shared")]) == [Recording(id="recording", fiche="shared")]
    whole.add_dossiers([Dossier(id="two")])
    assert whole.add_fiches([hidden]) == []


def test_a_relation_of_somebody_who_is_read_later_is_not_lost() -> None:
    whole = WholeTables(())
    whole.add_contacts([Contact(id="one"), Contact(id="other")])
    whole.add_ties(pl.Series(["other", "late"]))
    assert (whole.tied.to_list(), whole.relations) == ([1], {"late"})
