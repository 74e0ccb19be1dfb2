"""Dossiers that seem to be about the same child are reported, and not merged (A-25)."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from jobs.plans.possible_duplicates import possible_duplicates
from jobs.reading.tables.whole_tables import WholeTables
from rules.model.number_schemes import BELGIAN
from rules.model.records import Contact, Dossier, Party


def reported(children: list[tuple[str, str | None]], numbers: Mapping[str, str]) -> set[str]:
    """Return which dossiers are alike that have these children: (dossier, contact), or None; `numbers`
    are those of the register, by contact."""
    found = WholeTables(())
    found.add_contacts([Contact(id=name, national_number=number or None) for name, number in numbers.items()])
    found.add_dossiers([Dossier(id=name) for name in dict.fromkeys(of for of, _ in children)])
    parties = [Party(id=f"{number}", contact=child, dossier=of, role="child") for number, (of, child) in enumerate(children)]
    assert not found.add_parties(parties)
    rows = possible_duplicates(found, as_of=date(2026, 11, 25), scheme=BELGIAN)
    return set(found.dossiers.ids(pl.Series(sorted(rows), dtype=pl.UInt32)))


def test_r040_two_dossiers_with_one_register_number_are_reported_and_not_merged() -> None:
    numbers = {"lotte": "08.02.29-998.89", "bram": "08022999889", "somebody": "12.08.15-997.55", "another": "12.08.15-997.55"}
    children: list[tuple[str, str | None]] = [("one", "lotte"), ("two", "bram"), ("other", "somebody"), ("copy", "another")]
    assert reported(children, numbers) == {"one", "two"}, "a number that is none says nothing"


def test_r040_two_dossiers_with_one_child_contact_are_reported() -> None:
    assert reported([("one", "lotte"), ("one", None), ("two", "lotte"), ("two", None), ("three", None)], {"lotte": ""}) == {"one", "two"}
