"""What becomes of contacts once units go, in columns. Only those that lead to others, and those that are
held, are decided one by one. Source: RET-04, RET-20, A-18."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from jobs.model.run import TRIM
from jobs.reading.relations import relations_after
from jobs.reading.tables.parts import repeated
from jobs.reading.tables.row_numbers import BASE, ROW
from jobs.reading.tables.whole_tables import WholeTables
from rules.model.records import Contact, UnitKind
from rules.retention.contacts import ContactFacts, Stopped, contact_outcomes
from rules.retention.relations import RelationTerms

_OUTSIDE = BASE[UnitKind.DONATION]


@dataclass(frozen=True)
class ContactOutcomes:
    """`remove` and `orphans` are contacts by number, `trim`, `mentioned` and `waiting` by id; `held` and
    these as in `ContactVerdicts`."""

    remove: pl.Series
    orphans: pl.Series
    trim: frozenset[str]
    held: Mapping[str, Stopped]
    mentioned: frozenset[str]
    waiting: frozenset[str]


def all_contact_outcomes(
    found: WholeTables,
    going: pl.Series,
    undone: Mapping[str, str],
    *,
    day: date,
    terms: RelationTerms,
    held: Collection[str] = (),
    of_files: Collection[str] = (),
) -> ContactOutcomes:
    """Return which contacts are deleted with the units of these numbers, trimmed, or were never linked
    (RET-20). `undone` are contacts that an earlier run should have removed or trimmed, each with which of the
    two; `held` those whose own row a hold keeps (HLD-04); `of_files` the dependent tables that belong to
    files."""
    contacts, about = found.contacts.frame, found.about
    facts = _facts(found, going, undone, day=day, terms=terms, of_files=of_files)
    parents = found.particulars.parents.filter((pl.col("parent_kind") == "contact") & pl.col("parent").is_not_null())
    parents = found.contacts.numbered(parents, "parent", "leads").filter(pl.col("leads").is_not_null())
    own = pl.Series(list(found.contacts.of(held).values()), dtype=ROW)
    leading = pl.concat([parents["contact"].cast(ROW), parents["leads"], about["about"], about["contact"], own]).unique()
    few = contact_outcomes(_facts_of(found, facts, leading, held))
    facts = facts.with_columns(pl.Series("leads", _marks(contacts.height, leading)))
    had = (pl.col("going") | pl.col("lapsed")) & ~pl.col("gone")
    alone = ~pl.col("leads")
    numbers = found.contacts.of(few.remove | few.orphans)
    trim = facts.select((alone & pl.col("going") & ~pl.col("gone") & pl.col("related") & ~pl.col("kept")).arg_true()).to_series()
    return ContactOutcomes(
        _with(facts.select((alone & had & ~pl.col("kept") & ~pl.col("related")).arg_true()).to_series(), numbers, few.remove),
        _with(
            facts.select((alone & ~had & ~pl.col("kept") & ~pl.col("related") & ~pl.col("gone")).arg_true()).to_series(),
            numbers,
            few.orphans,
        ),
        frozenset(found.contacts.ids(trim)) | few.trim,
        few.held,
        frozenset(few.mentioned),  # whoever is led to is among the few
        frozenset(few.waiting),
    )


def _facts(
    found: WholeTables, going: pl.Series, undone: Mapping[str, str], *, day: date, terms: RelationTerms, of_files: Collection[str]
) -> pl.DataFrame:
    """Return of each contact whether something that stays, or something that goes, refers to it; whether it
    has a relation, or one of it ends; and whether it is gone already."""
    contacts, people = found.contacts.frame, found.people
    height = contacts.height
    goes = people["place"].is_in(going.implode()).fill_null(False)
    kept, leaving = people["contact"].filter(~goes), people["contact"].filter(goes)
    outside = found.unit_numbers().filter(pl.col("outside").is_in(going.implode()))
    relations = relations_after(found, set(outside["id"]), day=day, terms=terms)
    lapsed = found.contacts.of(relations.lapsed).values()
    again: dict[str, list[int]] = {TRIM: [], "": []}
    for contact, number in found.contacts.of(undone).items():
        again[TRIM if terms.are_off or undone[contact] == TRIM else ""].append(number)
    # An activity about a gift says nothing of the missions, and a removal that did not happen may have been
    # for a relation's end: neither is a reason to trim a person who now has another one. A row of a file is.
    ended = pl.concat([pl.Series([*lapsed, *again[""]], dtype=ROW), leaving])
    own = found.relation_units.get(UnitKind.OWN_TABLE, {})
    of_missions = [BASE[UnitKind.OWN_TABLE] + number for number, unit in enumerate(own.values()) if unit.word in of_files]
    is_of_missions = (people["place"] < _OUTSIDE) | people["place"].is_in(of_missions)
    leaving = pl.concat([people["contact"].filter(goes & is_of_missions.fill_null(False)), pl.Series(again[TRIM], dtype=ROW)])
    tied = pl.concat([found.tied, pl.Series(list(found.contacts.of(relations.lasting).values()), dtype=ROW)])
    accounts = found.particulars.parents.filter(pl.col("parent_kind") == "account")["contact"]
    return contacts.select(
        pl.Series("kept", _marks(height, kept)),
        pl.Series("going", _marks(height, leaving)),
        pl.Series("lapsed", _marks(height, ended)),
        pl.Series("tied", _marks(height, tied)),
        pl.Series("gone", _marks(height, found.contacts.sparse["anonymised_on"].frame["number"])),
        writes=pl.col("newsletter").fill_null(False) | pl.Series(_marks(height, accounts)),
    ).with_columns(related=pl.col("tied") | pl.col("writes"))


def _facts_of(found: WholeTables, facts: pl.DataFrame, numbers: pl.Series, held: Collection[str]) -> ContactFacts:
    """Return the facts of some contacts, as the rule about single ones asks for them."""
    asked = ("id", "parent", "parent_kind", "newsletter", "anonymised_on")
    rows, marks = found.people_of(numbers).select(asked), facts[numbers]
    ids = found.contacts.ids
    about = found.about
    tied = set(rows["id"].filter(marks["tied"]))
    return ContactFacts(
        contacts={values["id"]: Contact(**values) for values in rows.iter_rows(named=True)},
        kept=set(rows["id"].filter(marks["kept"])),
        going=set(rows["id"].filter(marks["going"])),
        about=list(zip(ids(about["about"]), ids(about["contact"]), strict=True)) if about.height else [],
        relations=tied,
        lapsed=set(rows["id"].filter(marks["lapsed"])),
        held=frozenset(held),
    )


def _marks(height: int, numbers: pl.Series) -> pl.Series:
    """Return for each contact whether it is one of these."""
    marks = repeated(False, height, pl.Boolean)
    return marks.scatter(numbers, True) if len(numbers) else marks


def _with(numbers: pl.Series, of: Mapping[str, int], more: Collection[str]) -> pl.Series:
    return pl.concat([numbers.cast(ROW), pl.Series([of[each] for each in more], dtype=ROW)])
