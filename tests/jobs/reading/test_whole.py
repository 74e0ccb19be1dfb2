"""Whole tables in columns say of every unit what the same rows say that are put together one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface.errors import ReadIncomplete
from jobs.reading.facts import facts_of_tables
from jobs.reading.few import few_of
from jobs.reading.units import Gathering
from jobs.reading.whole import WholeTables
from rules.law.facts import facts_of, with_leaders
from rules.model.records import ActivityParty, Call, Contact, Dossier, Email, Fiche, Note, Party, Recording, Unit

FEW = st.integers(0, 3)
DAYS = st.none() | st.dates(date(2000, 1, 1), date(2030, 1, 1))
TRUTHS = st.none() | st.booleans()
ROLES = st.sampled_from(["child", "reporter", "100000099", None])


def link(kind: str) -> st.SearchStrategy[str | None]:
    return st.none() | FEW.map(lambda number: f"{kind}-{number}")


@st.composite
def organisations(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Rows of each kind; every link leads to a row that there is."""
    numbers = range(4)
    fiches = []
    for number in range(5):
        of = draw(st.lists(FEW.map(lambda each: f"dossier-{each}"), unique=True, max_size=3))
        categories = tuple(draw(st.sets(st.sampled_from("ab"))))
        days = {name: draw(DAYS) for name in ("communicated_on", "created_on", "transmitted_on")}
        fiches.append(
            {
                "id": f"fiche-{number}",
                "etag": "1",
                "dossier": of[0] if of else None,
                "also_in": tuple(of[1:]),
                "categories": categories,
                **days,
            }
        )
    row = st.sampled_from(range(5)).map(lambda each: f"fiche-{each}")
    kinds = st.sampled_from([None, "dossier", "fiche", "contact", "recording"])

    def regarding() -> dict[str, str | None]:
        kind = draw(kinds)
        return {
            "regarding": draw(row if kind == "fiche" else FEW.map(lambda each: f"{kind}-{each}")) if kind else None,
            "regarding_kind": kind,
        }

    return {
        "contacts": [
            {"id": f"contact-{each}", "birth_on": draw(DAYS), "national_number": draw(st.none() | st.just("1")),
             "birth_year": draw(st.none() | FEW)}
            for each in numbers
        ],
        "dossiers": [
            {"id": f"dossier-{each}", "etag": f"{each}", "opened_on": draw(DAYS), "is_active": draw(TRUTHS),
             "legal_hold": draw(TRUTHS), "categories": ("a",)}
            for each in numbers
        ],
        "fiches": fiches,
        "parties": [
            {"id": f"party-{each}", "contact": draw(link("contact")), "dossier": draw(link("dossier")), "fiche": draw(st.none() | row),
             "role": draw(ROLES)}
            for each in range(6)
        ],
        "recordings": [
            {"id": f"recording-{each}", "fiche": draw(st.none() | row), "ended_on": draw(DAYS), "evidence": draw(TRUTHS),
             "taken_over": draw(TRUTHS)}
            for each in numbers
        ],
        "notes": [
            {"id": f"note-{each}", **regarding(), "is_document": draw(TRUTHS),
             "media_type": draw(st.sampled_from([None, "audio/WAV", "text/plain"])),
             "evidence": draw(TRUTHS)}
            for each in numbers
        ],
        "calls": [{"id": f"call-{each}", **regarding()} for each in numbers],
        "emails": [{"id": f"email-{each}", **regarding(), "sent_on": draw(DAYS)} for each in numbers],
        "activity_parties": [
            {"id": f"{each}", "activity": draw(st.sampled_from(["call-1", "email-2", "fiche-3", "gone"])), "party": f"contact-{draw(FEW)}",
             "party_kind": draw(st.sampled_from(["contact", "account"]))}
            for each in range(5)
        ],
    }  # fmt: skip


class OneByOne(Gathering):
    """Units put together one by one, with the activities that hang on them."""

    def __init__(self) -> None:
        super().__init__(("audio/*",))
        self.activities: dict[str, Unit | str | None] = {}

    def add_calls(self, page: list[Call]) -> None:
        self.activities |= {row.id: self.hook_of(row.regarding_kind, row.regarding) for row in page}

    def add_emails(self, page: Iterable[Email]) -> None:
        page = list(page)
        self.activities |= {row.id: self.hook_of(row.regarding_kind, row.regarding) for row in page}
        super().add_emails(page)

    def add_activity_parties(self, page: list[ActivityParty]) -> None:
        for row in page:
            if row.party_kind == "contact" and row.party in self.contacts:
                hook = self.activities.get(row.activity or "")
                if hook is None and row.activity in self.fiches:  # a fiche may be one
                    hook = self.hook_of("fiche", row.activity)
                self.take_part(row.party or "", hook)


CLASSES = {
    "contacts": Contact, "dossiers": Dossier, "fiches": Fiche, "parties": Party, "recordings": Recording, "notes": Note, "calls": Call,
    "emails": Email, "activity_parties": ActivityParty,
}  # fmt: skip


def filled(found: Any, rows: dict[str, list[Any]]) -> Any:
    for name, record in CLASSES.items():
        unresolved = getattr(found, f"add_{name}")([record(**values) for values in rows[name]])
        assert not unresolved
    return found


@given(organisations())
def test_whole_tables_say_what_units_say(rows: dict[str, list[Any]]) -> None:
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    units = [*one_by_one.every_unit()]
    expected, facts = facts_of(with_leaders(units)), facts_of_tables(whole)  # behind the units, leaders of a chain once more
    names = dict(facts.units.select("row", "id").iter_rows())
    known = dict(expected.units.select("row", "id").iter_rows())
    columns = [name for name in expected.units.columns if name != "row"]
    assert facts.units.select(columns).sort("id").equals(expected.units.head(len(units)).select(columns).sort("id"))
    for part in ("fiches", "children", "leaders"):
        mine, theirs = getattr(facts, part), getattr(expected, part)
        assert mine.schema == theirs.schema
        assert _told(part, mine, names) == _told(part, theirs.filter(pl.col("row") < len(units)), known)
    ids = whole.contacts.frame["id"]
    assert sorted((ids[person], names.get(place, "")) for person, place in whole.people.iter_rows()) == sorted(
        (person, unit.id if unit is not None else "") for person, unit in zip(one_by_one.people, one_by_one.places, strict=True)
    )
    assert sorted((ids[about], ids[contact]) for about, contact in whole.about.iter_rows()) == sorted(one_by_one.about)


def _told(part: str, frame: Any, names: dict[int, str]) -> Any:
    rows = [
        tuple(names[value] if name in ("row", "leader") else value for name, value in zip(frame.columns, row, strict=True))
        for row in frame.iter_rows()
    ]
    if part == "leaders":  # in their order
        return {unit: [leader for row, leader in rows if row == unit] for unit, _ in rows}
    return sorted(set(rows) if part == "children" else rows, key=repr)


@given(organisations())
def test_a_few_units_of_whole_tables_are_the_units(rows: dict[str, list[Any]]) -> None:
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    facts = facts_of_tables(whole).units
    made = few_of(whole, facts["row"])[1]
    for row, identity in facts.select("row", "id").iter_rows():
        unit = made[row]
        (expected,) = (each for each in one_by_one.every_unit() if each.id == identity)
        assert (unit.kind, unit.id, unit.etag) == (expected.kind, expected.id, expected.etag)
        assert sorted(fiche.id for fiche in unit.fiches) == sorted(fiche.id for fiche in expected.fiches)
        assert {child and child.id for child in unit.children} == {child and child.id for child in expected.children}
        assert [above.id for above in unit.above()] == [above.id for above in expected.above()]


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
