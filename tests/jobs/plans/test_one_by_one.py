"""What a plan makes in columns of whole tables is what is made of the same rows one by one, where the
product has both: contacts (RET-20), attachments that go along (RET-03), what is out of reach (P34)."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.model.run import TRIM
from jobs.plans.contact_outcomes import all_contact_outcomes
from jobs.plans.decided_units import Decided
from jobs.plans.questions.explain_contact import facts_after
from jobs.reading.out_of_reach import OutOfReach
from jobs.reading.tables.out_of_reach import retained_units, unreachable
from jobs.reading.tables.row_numbers import ROW
from jobs.reading.tables.table_facts import facts_of_tables
from jobs.reading.tables.whole_tables import WholeTables
from rules.holds.holds import Hold, Holds
from rules.law.of_units import decisions
from rules.model.decisions import Decision, Reason
from rules.model.records import UnitKind
from rules.policy.policy import Anonymise
from rules.retention.contacts import contact_outcomes
from rules.retention.recording_owners import owner_of, with_owner
from rules.retention.relations import relation_terms
from tests.jobs.reading.tables.organisations import CLASSES, DAYS, FIVE, TRUTHS, OneByOne, Rows, filled, named
from tests.rules.builders import POLICY
from tests.rules.retention.rows_of_relations import EVERYTHING_ON
from tests.rules.strategies import AS_OF, examples

SEVERAL: Final = range(5)  # organisations


def any_of(kind: str, number: int) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{kind}-{each} of {of}" for each in range(number) for of in SEVERAL])


A_CONTACT = any_of("contact", 4)
A_FILE = st.one_of(any_of("dossier", 4), any_of("fiche", 5))
A_CONVERSATION = st.one_of(any_of("recording", 4), any_of("note", 4))


def units_of_tables(whole: WholeTables) -> pl.DataFrame:
    """Return the units of whole tables, with their ids and numbers."""
    return named(whole, pl.concat([part.units.filter(counts) for part, counts in facts_of_tables(whole)]))


def fields_of(**facts: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(facts), min_size=20, max_size=20)


# What leads from a contact to others, and what keeps it for itself.
LINKS = fields_of(
    of=st.one_of(
        st.just({}),
        A_CONTACT.map(lambda other: {"parent": other, "parent_kind": "contact"}),
        st.just({"parent": "account", "parent_kind": "account"}),
    ),
    newsletter=st.sampled_from([None, False, False, True]),
    anonymised_on=st.sampled_from([None, None, None, date(2020, 1, 1)]),
)


@examples(60)  # of five organisations
@given(
    FIVE,
    LINKS,
    st.sets(A_FILE, max_size=25),
    st.dictionaries(A_CONTACT, st.sampled_from([TRIM, "delete"]), max_size=3),
    st.sets(A_CONTACT, max_size=4),
    st.sets(A_CONTACT, max_size=4),
    st.dictionaries(A_CONTACT, st.lists(DAYS, min_size=1, max_size=2), max_size=3),
    st.sampled_from([POLICY, EVERYTHING_ON]),
)
def test_contacts_in_columns_become_what_they_become_one_by_one(
    rows: Rows,
    links: list[dict[str, Any]],
    asked: set[str],
    undone: dict[str, str],
    held: set[str],
    tied: set[str],
    gifts: dict[str, list[date | None]],
    policy: Any,
) -> None:
    """RET-20: over any number of steps, with holds, relations that last or end, and what a run had left."""
    for row, link in zip(rows["contacts"], links, strict=True):
        row |= {name: value for name, value in link.items() if name != "of"} | link["of"]
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    one_by_one.relations |= tied
    whole.add_ties(pl.Series(sorted(tied), dtype=pl.String))
    one_by_one.gifts, whole.gifts = dict(gifts), dict(gifts)
    terms = relation_terms(policy)
    going = {unit.id for unit in one_by_one.every_unit()} & asked
    facts, _ = facts_after(one_by_one, going, undone, frozenset(held), day=AS_OF, terms=terms, of_files=())
    expected = contact_outcomes(facts)
    units = units_of_tables(whole).filter(pl.col("id").is_in(sorted(going)))
    found = all_contact_outcomes(whole, units["number"].cast(ROW), undone, day=AS_OF, terms=terms, held=held)
    ids = whole.contacts.ids
    assert (set(ids(found.remove)), set(ids(found.orphans))) == (expected.remove, expected.orphans)
    assert (len(found.remove), len(found.orphans)) == (len(expected.remove), len(expected.orphans))
    assert (set(found.trim), dict(found.held), set(found.mentioned)) == (expected.trim, expected.held, expected.mentioned)
    assert found.waiting == expected.waiting


@dataclass(frozen=True)
class ACrm:
    """A CRM with one table of each kind."""

    purges: bool

    def tables(self, _: object) -> tuple[str, ...]:
        return ("rows",)

    def may_purge_retained(self) -> bool:
        return self.purges


CATEGORIES: Final = {"a": "social_card", "b": "sexting", "c": "e_safety"}
SHARED: Final = ("dossier-0", "dossier-1")
IN_PLACE: Final = POLICY.model_copy(update={"anonymise": Anonymise(how="in_place")})


def told(decision: Decision) -> tuple[Any, ...]:
    end = decision.deciding
    return (
        decision.disposition,
        decision.reasons,
        decision.retention_end,
        decision.flags,
        decision.categories,
        decision.rule,
        None if end is None else (end.anchor, end.on),
    )


@examples(60)  # of five organisations
@given(
    FIVE,
    st.lists(st.booleans(), min_size=20, max_size=20),
    st.sets(st.one_of(A_FILE, A_CONVERSATION, any_of("email", 4)), max_size=12),
    st.sets(A_FILE, max_size=4),
    st.sets(any_of("dossier", 4), max_size=3),
    st.sets(st.one_of(A_FILE, A_CONVERSATION), max_size=4),
    st.sampled_from([POLICY, IN_PLACE]),
    TRUTHS,
)
def test_units_in_columns_become_what_they_become_one_by_one(
    rows: Rows,
    outside: list[bool],
    retained: set[str],
    named_there: set[str],
    bound: set[str],
    held: set[str],
    policy: Any,
    purges: bool | None,
) -> None:
    """RET-03, ACC-03, P34: what goes along with its file, and what no run may dispose of for a part of it
    that is in long-term retention."""
    for row in (*rows["dossiers"], *rows["fiches"]):
        row["categories"] = tuple(CATEGORIES[each] for each in row["categories"])
    for row, is_outside in zip(rows["recordings"], outside, strict=True):
        row["storage_uri"] = "https://storage.example/object" if is_outside else None
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    crm: Any = ACrm(purges is True)
    holds = Holds.of(Hold(f"hold-{at}", Reason.HOLD_JUDICIAL, row.partition("-")[0], row) for at, row in enumerate(sorted(held)))
    units = list(one_by_one.every_unit())
    numbers = dict(units_of_tables(whole).select("id", "number").iter_rows())
    one_by_one.retained, one_by_one.named_there = set(retained), set(named_there)
    whole.retained, whole.named_there = set(retained), set(named_there)
    one_by_one.bound, whole.bound = set(bound), {numbers[each] for each in bound}

    verdicts = dict(zip((unit.id for unit in units), decisions(units, policy, holds, AS_OF), strict=True))
    out_of_reach = OutOfReach(crm, one_by_one, policy, holds, AS_OF)
    staying = {unit.id for unit in units if verdicts[unit.id].is_disposal and out_of_reach.keeps(unit, verdicts[unit.id])}
    decided = Decided.of(whole, crm, policy, holds, AS_OF)
    assert unreachable(crm, whole, decided.told("row", "is_held", "disposition"), policy) == {numbers[each] for each in staying}
    assert retained_units(whole) == {numbers[unit.id] for unit in units if one_by_one.lies_in_retention(unit)}

    going = {each for each, verdict in verdicts.items() if verdict.is_disposal and each not in staying}
    found = decided.with_owners(whole, pl.Series([numbers[each] for each in sorted(going)], dtype=ROW))
    expected = {
        unit.id: with_owner(verdicts[unit.id], verdicts[owner] if (owner := owner_of(unit)) in going else None)
        if unit.kind is UnitKind.ATTACHMENT
        else verdicts[unit.id]
        for unit in units
    }
    assert {identity: told(decision) for _, _, _, identity, decision in found.decisions()} == {
        identity: told(decision) for identity, decision in expected.items()
    }


@pytest.mark.parametrize("held", ["dossier-0", "dossier-1"])
def test_evidence_of_a_fiche_in_several_dossiers_stays_for_the_reasons_of_the_one_that_is_held(held: str) -> None:
    """RET-05, HLD-04: the other one is expired, and no hold on the first reaches it."""
    rows: Rows = {name: [] for name in CLASSES}
    over = {"etag": "1", "categories": ("sexting",), "closed_on": date(2001, 1, 1)}
    rows["dossiers"] = [over | {"id": each, "is_active": each == held} for each in SHARED]
    told_on = {"categories": ("sexting",), "communicated_on": date(2001, 1, 1)}
    rows["fiches"] = [told_on | {"id": "fiche", "dossier": SHARED[0], "also_in": SHARED[1:], "etag": "1"}]
    rows["recordings"] = [{"id": "recording", "fiche": "fiche", "evidence": True, "ended_on": date(2001, 1, 1), "taken_over": True}]
    holds = Holds.of([Hold("hold", Reason.HOLD_JUDICIAL, "dossier", held)])
    one_by_one, whole = filled(OneByOne(), rows), filled(WholeTables(("audio/*",)), rows)
    (decision,) = decisions([one_by_one.recordings["recording"]], POLICY, holds, AS_OF)
    crm: Any = ACrm(purges=True)
    found = {row: verdict for _, _, _, row, verdict in Decided.of(whole, crm, POLICY, holds, AS_OF).decisions()}
    assert told(found["recording"]) == told(decision)
    assert decision.reasons == (Reason.HOLD_JUDICIAL, Reason.OPEN_DOSSIER)
