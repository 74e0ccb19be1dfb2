"""Properties of every decision: doubt keeps, a hold wins, order does not matter, nothing is disposed of
before its day."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dates.periods import add_months, add_years
from rules.holds.holds import Hold, Holds
from rules.holds.precedence import HOLD_REASONS, RANKS
from rules.law.of_units import decisions
from rules.model.decisions import Disposition, Reason
from rules.model.records import Contact, Fiche, Unit, UnitKind
from rules.policy.policy import Policy
from tests.rules.builders import BRAM, POLICY, a_child, a_dossier, a_fiche, a_policy, decided
from tests.rules.people.test_birthdates import children_and_births
from tests.rules.strategies import AS_OF, PAST, children, dossiers, examples, fiches, group, holds, policies, units

PLENTY = examples(60)  # of five cases: also of so many policies, holds and days
WITHOUT_END = {Reason.NO_TERM, Reason.UNCONFIGURED, Reason.DATA_ERROR, Reason.NOT_STARTED}


@PLENTY
@given(group(5, units()), policies(), holds(), st.dates(AS_OF - timedelta(days=9000), date(2060, 1, 1)))
def test_every_decision_hangs_together(some: list[Unit], policy: Policy, held: Holds, as_of: date) -> None:
    for decision in decisions(some, policy, held, as_of):
        assert decision.is_disposal == (decision.reasons == (Reason.EXPIRED,))
        assert list(decision.reasons) == sorted(set(decision.reasons), key=RANKS.__getitem__)
        assert list(decision.flags) == sorted(set(decision.flags))
        assert list(decision.categories) == sorted(set(decision.categories))
        assert (decision.retention_end is None) == bool(WITHOUT_END & set(decision.reasons))
        if decision.retention_end is not None:
            assert (as_of <= decision.retention_end) == (Reason.NOT_EXPIRED in decision.reasons)
            assert decision.deciding is not None
            assert decision.deciding.on == decision.retention_end
        if decision.is_disposal:
            assert decision.deciding is not None
            assert decision.rule == decision.deciding.rule
        assert decision.rule


@PLENTY
@given(group(5, units()), policies(), holds())
def test_a_hold_always_wins_and_never_moves_an_end(some: list[Unit], policy: Policy, held: Holds) -> None:
    free = decisions(some, policy, held, AS_OF)
    apart = [msgspec.structs.replace(unit, id=f"{unit.id} {number}") for number, unit in enumerate(some)]
    each = Holds.of([Hold("H-9", Reason.HOLD_COMPLAINT, unit.kind.value, unit.id) for unit in apart])  # by its own hold alone
    for before, frozen in zip(free, decisions(apart, policy, each, AS_OF), strict=True):
        assert frozen.disposition is Disposition.KEEP
        assert frozen.reason in HOLD_REASONS
        assert frozen.retention_end == before.retention_end
        assert Reason.EXPIRED not in frozen.reasons


@examples(30)
@given(group(10, dossiers()), policies(), st.randoms())
def test_the_order_of_fiches_children_and_categories_does_not_matter(some: list[Unit], policy: Policy, random: Any) -> None:
    both = decisions([*some, *(mixed(unit, random) for unit in some)], policy, Holds.none(), AS_OF)
    assert both[: len(some)] == both[len(some) :]


def mixed(unit: Unit, random: Any) -> Unit:
    assert unit.dossier is not None
    other = msgspec.structs.replace(unit, fiches=list(unit.fiches), children=list(unit.children))
    random.shuffle(other.fiches)
    random.shuffle(other.children)
    other.dossier = msgspec.structs.replace(unit.dossier, categories=unit.dossier.categories[::-1])
    other.fiches = [msgspec.structs.replace(fiche, categories=fiche.categories[::-1]) for fiche in other.fiches]
    return other


Birth = tuple[dict[str, Any], date, date]


@examples(30)
@given(st.data(), group(10, st.tuples(children_and_births(), st.sampled_from([("grooming", 18), ("runaway", 25)]))))
def test_nobody_is_erased_before_the_birthday_whatever_is_known(data: st.DataObject, cases: list[tuple[Birth, tuple[str, int]]]) -> None:
    birthdays = [max(add_years(born_on, age), first) for (_, born_on, first), (_, age) in cases]
    as_of = data.draw(st.sampled_from(birthdays) | st.dates(date(2020, 1, 1), date(2060, 1, 1)))
    files = [
        a_dossier(a_fiche(category, communicated_on=first), children=[a_child(BRAM, **facts)]) for (facts, _, first), (category, _) in cases
    ]
    for ((_, born_on, first), (_, age)), decision in zip(cases, decisions(files, POLICY, Holds.none(), as_of), strict=True):
        if decision.is_disposal and first <= as_of:
            assert as_of > add_years(born_on, age)


TALKS = st.tuples(
    st.lists(PAST, min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 4000), st.sampled_from(["social_card", "e_safety"])
)


@examples(10)
@given(group(10, TALKS))
def test_a_later_communication_never_ends_sooner(cases: list[tuple[list[date], int, int, str]]) -> None:
    pairs: list[Unit] = []
    for days, which, by, category in cases:
        moved = list(days)
        moved[which % len(days)] = min(moved[which % len(days)] + timedelta(days=by), AS_OF)
        pairs += [a_dossier(*(a_fiche(category, communicated_on=on) for on in some)) for some in (days, moved)]
    ends = [decision.retention_end for decision in decisions(pairs, POLICY, Holds.none(), AS_OF)]
    for (days, *_), sooner, later in zip(cases, ends[::2], ends[1::2], strict=True):
        assert sooner is not None
        assert later is not None
        assert sooner <= later
        assert sooner == add_months(max(days), 6)


CLOSINGS = st.tuples(PAST, PAST, st.dates(date(1985, 1, 1), date(2020, 1, 1)), st.sampled_from(["closed_on", "proceedings_ended_on"]))


@examples(10)
@given(group(10, CLOSINGS))
def test_a_later_closing_or_judgment_never_ends_sooner(cases: list[tuple[date, date, date, str]]) -> None:
    sooner_and_later: list[Unit] = []
    for one, other, born_on, column in cases:
        for on in sorted((one, other)):
            told: dict[str, Any] = {column: on}
            sooner_and_later.append(a_dossier(categories=("civil_party", "runaway"), children=[a_child(birth_on=born_on)], **told))
    ends = [decision.retention_end or date.max for decision in decisions(sooner_and_later, POLICY, Holds.none(), AS_OF)]
    assert all(sooner <= later for sooner, later in zip(ends[::2], ends[1::2], strict=True))


@examples(30)
@given(group(10, st.tuples(dossiers(), fiches())), policies())
def test_one_more_fiche_without_category_keeps_any_dossier(cases: list[tuple[Unit, Fiche]], policy: Policy) -> None:
    for unit, extra in cases:
        unit.fiches.append(msgspec.structs.replace(extra, categories=()))
    for decision in decisions([unit for unit, _ in cases], policy, Holds.none(), AS_OF):
        assert Reason.UNCONFIGURED in decision.reasons
        assert decision.retention_end is None


@examples(30)
@given(group(10, st.tuples(dossiers(with_children=True), children())))
def test_one_more_child_never_ends_sooner_unless_activity_came_after_a_birthday(cases: list[tuple[Unit, Contact | None]]) -> None:
    """Without the late-activity rule the youngest child decides; with it, a longer term may take the place of
    a late one (RET-10)."""
    strict = a_policy(late_rule_months=0)
    more = [msgspec.structs.replace(unit, children=[*unit.children, child]) for unit, child in cases]
    ends = [decision.retention_end for decision in decisions([*(unit for unit, _ in cases), *more], strict, Holds.none(), AS_OF)]
    for before, after in zip(ends[:10], ends[10:], strict=True):
        if before is not None and after is not None:
            assert before <= after


@pytest.mark.parametrize("as_of", [date(2027, 1, 1), date(2100, 1, 1), date(9999, 12, 30)])
@pytest.mark.parametrize(
    "facts",
    [
        {"categories": ("preventive",)},
        {"categories": ("runaway", "preventive")},
        {"categories": ("unexplained_disappearance",)},
        {"categories": ()},
        {"categories": ("civil_party",)},
        {"categories": ("social_card",)},
        {"categories": ("grooming",)},
    ],
)
def test_what_is_not_known_never_disposes(facts: dict[str, Any], as_of: date) -> None:
    assert not decided(a_dossier(**facts), as_of).is_disposal


def test_a_policy_is_read_anew_when_it_is_another_one() -> None:
    dossier = a_dossier(a_fiche("social_card", communicated_on=date(2026, 1, 15)))
    for months in (*range(1, 12), *range(1, 12)):
        row = {"type": "months_after", "months": months, "anchor": "last_activity", "disposition": "delete", "open_blocks": False}
        assert decided(dossier, AS_OF, a_policy({"social_card": row})).retention_end == add_months(date(2026, 1, 15), months)


def test_a_contact_has_no_decision_of_its_own() -> None:
    with pytest.raises(ValueError, match="decided together"):
        decided(Unit(UnitKind.CONTACT, BRAM, "1"), AS_OF)


def test_a_row_may_name_the_rule_that_its_controller_decided_by() -> None:
    row = {"type": "months_after", "months": 6, "anchor": "last_activity", "disposition": "delete", "rule": "BOARD-7"}
    dossier = a_dossier(a_fiche("preventive", communicated_on=date(2020, 1, 1)))
    assert decided(dossier, AS_OF, a_policy({"preventive": row})).rule == "BOARD-7"
    assert decided(a_dossier(a_fiche("social_card", communicated_on=date(2020, 1, 1))), AS_OF, POLICY).rule == "RET-07"


def test_a_transmission_that_has_not_happened_has_not_started_its_period() -> None:
    policy = a_policy({"csam_report": {"type": "months_after", "months": 6, "anchor": "transmitted_on", "disposition": "delete"}})
    sent = a_fiche("csam_report", communicated_on=date(2020, 1, 1), transmitted_on=date(2020, 1, 5))
    unsent = a_fiche("csam_report", communicated_on=date(2020, 1, 1))
    other = a_fiche("social_card", communicated_on=date(2020, 1, 1))
    assert decided(a_dossier(sent, other), AS_OF, policy).retention_end == date(2020, 7, 5)
    assert decided(a_dossier(sent, unsent), AS_OF, policy).reasons == (Reason.NOT_STARTED,)
    future = a_fiche("csam_report", communicated_on=date(2020, 1, 1), transmitted_on=date(2206, 1, 5))
    assert decided(a_dossier(future), AS_OF, policy).reasons == (Reason.DATA_ERROR,)


@pytest.mark.parametrize("names", [("social_card", "e_safety"), ("e_safety", "social_card")])
@pytest.mark.parametrize("ends_alike", ["first", "second"])
def test_where_two_categories_end_on_one_day_deleting_wins(names: tuple[str, str], ends_alike: str) -> None:
    """RET-23, in whatever order they stand and whichever of them deletes."""
    term = {"type": "years_after", "years": 5, "anchor": "last_activity"}
    deletes, masks = names if ends_alike == "first" else names[::-1]
    rows = {deletes: term | {"disposition": "delete"}, masks: term | {"disposition": "anonymise"}}
    policy = a_policy(rows)
    dossier = a_dossier(a_fiche(deletes, communicated_on=date(2018, 3, 1)), categories=names, closed_on=date(2018, 3, 1))
    found = decided(dossier, date(2023, 3, 2), policy)
    assert (found.disposition, found.retention_end) == (Disposition.DELETE, date(2023, 3, 1))
    alone = a_dossier(a_fiche(masks, communicated_on=date(2018, 3, 1)), categories=(masks,), closed_on=date(2018, 3, 1))
    assert decided(alone, date(2023, 3, 2), policy).disposition is Disposition.ANONYMISE


def test_era_04_a_dossier_with_a_public_alert_is_deleted_where_its_category_says_anonymise() -> None:
    """ERA-04: whoever was sought by name in public is known to everybody, masked or not."""
    for alert, disposition in ((True, Disposition.DELETE), (False, Disposition.ANONYMISE), (None, Disposition.ANONYMISE)):
        dossier = a_dossier(categories=("runaway",), public_alert=alert, children=[a_child(birth_on=date(2000, 1, 1))])
        assert decided(dossier, AS_OF).disposition is disposition
