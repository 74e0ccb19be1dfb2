"""Suspicion is bound to one file, and never shows (SUS-01 to SUS-12, R-106 to R-116)."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model.file_roles import FILE_ROLES as ROLES
from rules.model.requests import Mandate, Right
from rules.rights.entitlement import Entitlement, ItemScope, entitlement, item_scope
from rules.rights.facts import FileFacts, RoleInFile, UnitKey
from tests.rules.rights_builders import BORN_NINE, DAY, ELSE, FINN, LONE, LOTTE, A, B, C, asked, asked_for_finn, role, told

UNITS = st.sampled_from([A, B, C, LONE])
PEOPLE = st.sampled_from([LOTTE, FINN, ELSE, "another"])
ANY_ROLE = st.builds(
    RoleInFile,
    unit=UNITS,
    contact=PEOPLE,
    role=st.sampled_from([*ROLES, "100000099"]),
    suspect_until=st.none() | st.dates(DAY - timedelta(days=2), DAY + timedelta(days=2)),
    has_authority=st.booleans(),
    authority_until=st.none() | st.dates(DAY - timedelta(days=2), DAY + timedelta(days=2)),
)
ROLES_IN_FILES = st.lists(ANY_ROLE, max_size=10)


def without_excluded(answer: Entitlement) -> Entitlement:
    return msgspec.structs.replace(answer, excluded=frozenset())


@pytest.mark.parametrize("right", list(Right))
def test_r106_an_unknown_person_and_a_suspect_stand_alike(right: Right) -> None:
    """R-106, R-111, SUS-04, SUS-10: for each of the seven rights; only what never leaves the process
    differs."""
    unknown = told(asked(right, requester=frozenset()))
    suspect = told(asked(right), role(LOTTE, "suspect"), role(FINN, "child"))
    for_child = told(asked_for_finn(right, mandate=Mandate.SHOWN), role(LOTTE, "suspect"), role(LOTTE, "parent"), role(FINN, "child"))
    assert unknown.answer == "neutral"
    assert without_excluded(unknown) == without_excluded(suspect) == without_excluded(for_child)
    assert suspect.excluded == for_child.excluded == {A}


def test_r107_a_witness_in_one_file_and_suspect_in_another_gets_the_one() -> None:
    alone = told(asked(), role(LOTTE, "witness"), role(FINN, "child"))
    answer = told(asked(), role(LOTTE, "witness"), role(FINN, "child"), role(LOTTE, "suspect", B), role(ELSE, "child", B))
    assert without_excluded(answer) == alone
    assert item_scope(answer, B) is ItemScope.NOTHING


@pytest.mark.parametrize("name", ["witness", "child", "parent", "reporter"])
def test_r108_another_role_in_the_file_of_the_suspicion_opens_nothing(name: str) -> None:
    answer = told(asked(), role(LOTTE, name), role(LOTTE, "suspect"))
    assert (answer.answer, answer.excluded) == ("neutral", frozenset({A}))


def test_r109_a_file_that_shares_a_child_with_that_of_the_suspicion_is_looked_at_first() -> None:
    roles = (role(LOTTE, "witness"), role(FINN, "child"), role(LOTTE, "suspect", B), role(FINN, "child", B))
    answer = told(asked(), *roles)
    assert (answer.answer, answer.review, answer.excluded) == ("dpo_review", ((A, "SUS-06"),), frozenset({B}))
    overridden = told(asked(overrides=frozenset({"SUS-06"})), *roles)
    assert (overridden.answer, tuple(overridden.own), overridden.excluded) == ("package", (A,), frozenset({B}))


def test_sus06_files_are_linked_by_a_child_and_by_nobody_else() -> None:
    answer = told(asked(), role(LOTTE, "witness"), role(FINN, "witness"), role(LOTTE, "suspect", B), role(FINN, "child", B))
    assert answer.answer == "package"


def test_sus06_a_link_is_seen_over_the_contacts_of_one_person() -> None:
    """The requester is the child of both files, under two contacts."""
    question = asked(requester=frozenset({LOTTE, "lotte-2"}), child_born_on=date(2012, 1, 1))
    answer = told(question, role(LOTTE, "child"), role(LOTTE, "suspect", B), role("lotte-2", "child", B))
    assert answer.review == ((A, "SUS-06"),)


@pytest.mark.parametrize(
    ("until", "answer"),
    [(None, "neutral"), (DAY + timedelta(days=1), "neutral"), (DAY, "neutral"), (DAY - timedelta(days=1), "dpo_review")],
)
def test_r110_a_suspicion_that_has_ended_excludes_no_longer_but_is_looked_at(until: date | None, answer: str) -> None:
    """SUS-08: the day on which it is looked at decides, and the last day of the suspicion still counts."""
    found = told(asked(), role(LOTTE, "suspect", suspect_until=until))
    assert found.answer == answer
    if answer == "dpo_review":
        assert (found.review, dict(found.own)) == (((A, "SUS-08"),), {A: ("suspect",)})


def test_r110_two_people_may_let_it_be_told() -> None:
    ended = role(LOTTE, "suspect", suspect_until=DAY - timedelta(days=1))
    assert told(asked(overrides=frozenset({"SUS-08"})), ended, role(LOTTE, "witness")).answer == "package"


def test_sus08_a_second_suspicion_that_stands_keeps_the_file_closed() -> None:
    ended = role(LOTTE, "suspect", suspect_until=DAY - timedelta(days=1))
    assert told(asked(), ended, role(LOTTE, "suspect")).answer == "neutral"


def test_sus05_a_role_that_cannot_be_read_may_be_a_suspicion() -> None:
    answer = told(asked(), role(LOTTE, "100000099"))
    assert (answer.answer, answer.review, dict(answer.own)) == ("dpo_review", ((A, "SUS-05"),), {A: ("other",)})
    assert told(asked(overrides=frozenset({"SUS-05"})), role(LOTTE, "100000099")).answer == "package"


def test_sus09_a_minor_is_suspect_in_one_file_and_child_in_another() -> None:
    question = asked(child_born_on=date(2012, 1, 1))
    answer = told(question, role(LOTTE, "child"), role(LOTTE, "suspect", B), role(FINN, "child", B))
    assert (answer.answer, dict(answer.own), answer.excluded) == ("package", {A: ("child",)}, frozenset({B}))


def test_sus09_who_acts_for_a_minor_is_told_no_more_than_the_minor() -> None:
    answer = told(asked_for_finn(mandate=Mandate.SHOWN), role(FINN, "child"), role(FINN, "suspect", B), role(ELSE, "child", B))
    assert (answer.scope, answer.for_child, answer.excluded) == ("on_behalf", (A,), frozenset({B}))


def test_a_child_that_is_only_suspected_is_like_a_child_who_is_unknown() -> None:
    """SUS-04: nothing of a parent's answer shows that a file about the child is kept back."""
    mine = role(LOTTE, "witness", C)
    known = told(asked_for_finn(mandate=Mandate.SHOWN), mine, role(FINN, "suspect", B), role(ELSE, "child", B))
    unknown = told(asked_for_finn(mandate=Mandate.SHOWN, child=frozenset()), mine)
    assert without_excluded(known) == without_excluded(unknown)
    assert (known.answer, known.scope, dict(known.own)) == ("package", "own", {C: ("witness",)})


def test_r113_a_parent_suspected_in_another_file_of_the_child_gets_the_neutral_answer() -> None:
    """SUS-11; also where the child has another role there, and whatever else is known of the parent."""
    question = asked_for_finn(mandate=Mandate.SHOWN, has_relations=True)
    for of_child in ("child", "witness"):
        answer = told(question, role(LOTTE, "parent"), role(FINN, "child"), role(LOTTE, "suspect", B), role(FINN, of_child, B))
        assert without_excluded(answer) == Entitlement(answer="neutral", scope="own")


def test_sus11_overridden_opens_the_other_files_only_and_these_are_linked() -> None:
    roles = (role(LOTTE, "parent"), role(FINN, "child"), role(LOTTE, "suspect", B), role(FINN, "child", B))
    answer = told(asked_for_finn(mandate=Mandate.SHOWN, overrides=frozenset({"SUS-11"})), *roles)
    assert (answer.answer, answer.for_child, answer.review, answer.excluded) == ("dpo_review", (A,), ((A, "SUS-06"),), frozenset({B}))
    both = told(asked_for_finn(mandate=Mandate.SHOWN, overrides=frozenset({"SUS-11", "SUS-06"})), *roles)
    assert (both.answer, both.for_child) == ("package", (A,))


def test_sus06_a_parent_suspected_in_the_file_of_a_sister_waits_for_the_dpo() -> None:
    roles = (role(LOTTE, "parent"), role(FINN, "child"), role("mia", "child"), role(LOTTE, "suspect", B), role("mia", "child", B))
    answer = told(asked_for_finn(mandate=Mandate.SHOWN), *roles)
    assert (answer.answer, answer.review) == ("dpo_review", ((A, "SUS-06"),))


def test_a_suspect_donor_gets_the_relation_and_no_more() -> None:
    answer = told(asked(has_relations=True), role(LOTTE, "suspect"))
    assert without_excluded(answer) == Entitlement(answer="package", scope="own", relations=True)


@given(ROLES_IN_FILES, st.sampled_from(list(Right)), st.booleans(), st.booleans(), st.sampled_from([None, *Mandate]), st.booleans())
def test_no_file_of_a_suspicion_is_ever_told(
    roles: list[RoleInFile], right: Right, on_behalf: bool, overridden: bool, mandate: Mandate | None, has_relations: bool
) -> None:
    """SUS-05, SUS-06: whatever is overridden, shown or asked."""
    overrides = frozenset({"SUS-05", "SUS-06", "SUS-08", "SUS-11", "RGT-05", "RGT-13"}) if overridden else frozenset()
    make = asked_for_finn if on_behalf else asked
    answer = told(make(right, overrides=overrides, mandate=mandate, has_relations=has_relations), *roles)
    told_files: set[UnitKey] = {*answer.own, *answer.for_child}
    closed = {
        each.unit
        for each in roles
        if each.contact == LOTTE and each.role == "suspect" and (each.suspect_until is None or each.suspect_until >= DAY)
    }
    assert not told_files & closed
    assert not told_files & answer.excluded
    assert {unit for unit, _ in answer.review} <= told_files or answer.refusal
    assert answer.limited | answer.whole <= told_files
    assert not (answer.own and answer.for_child), "own data, or those of the child"
    if answer.answer == "neutral":
        assert without_excluded(answer) == Entitlement(answer="neutral", scope="own")
    if answer.answer == "package" and not answer.blocks:
        assert answer.refusal or told_files or answer.relations or answer.identity


@given(ROLES_IN_FILES, st.sampled_from(list(Right)), st.booleans(), st.sampled_from([None, *Mandate]))
def test_a_file_of_a_suspicion_that_is_linked_to_nothing_changes_nothing(
    roles: list[RoleInFile], right: Right, on_behalf: bool, mandate: Mandate | None
) -> None:
    """SUS-05: the answer is the one that would be given if that file did not exist, to a donor and to the
    parent of a child."""
    elsewhere: UnitKey = ("dossier", "elsewhere")
    make = asked_for_finn if on_behalf else asked
    question = make(right, mandate=mandate, has_relations=True)
    before = told(question, *roles)
    after = told(question, *roles, role(LOTTE, "suspect", elsewhere), role("nobody-else", "child", elsewhere))
    assert without_excluded(before) == without_excluded(after)


@given(ROLES_IN_FILES, st.sets(st.sampled_from(["SUS-06", "SUS-08", "SUS-11", "RGT-05"])), st.sampled_from([None, *Mandate]))
def test_the_order_of_what_was_read_changes_nothing(roles: list[RoleInFile], overrides: set[str], mandate: Mandate | None) -> None:
    question = asked_for_finn(mandate=mandate, overrides=frozenset(overrides), child_born_on=BORN_NINE)
    assert told(question, *roles) == told(question, *reversed(roles))


@pytest.mark.parametrize("where", ["roles", "facts"])
def test_a_child_counts_wherever_it_is_written_down(where: str) -> None:
    """R-109, R-113: as a role, or among the children of the file; under each of its contacts."""
    second = "finn-2"
    roles = [role(LOTTE, "parent"), role(FINN, "child"), role(LOTTE, "suspect", B)]
    files = {A: FileFacts(("grooming",)), B: FileFacts(("grooming",))}
    if where == "roles":
        roles.append(role(second, "child", B))
    else:
        files[B] = FileFacts(("grooming",), frozenset({second}))
    both = frozenset({FINN, second})
    assert entitlement(asked_for_finn(child=both, mandate=Mandate.SHOWN), roles, files).answer == "neutral"
    overridden = asked_for_finn(child=both, mandate=Mandate.SHOWN, overrides=frozenset({"SUS-11"}))
    assert entitlement(overridden, roles, files).review == ((A, "SUS-06"),)


def test_rf07_is_not_for_a_parent_whose_suspicion_was_looked_past() -> None:
    roles = (role(LOTTE, "parent"), role(FINN, "child"), role(LOTTE, "suspect", B), role(FINN, "child", B))
    question = asked_for_finn(mandate=Mandate.NOT_SHOWN, overrides=frozenset({"SUS-06", "SUS-11"}))
    answer = told(question, *roles)
    assert (answer.answer, dict(answer.own), answer.remarks) == ("package", {A: ("parent",)}, ())


def test_rf07_is_not_said_of_a_file_that_the_dpo_has_not_looked_at() -> None:
    roles = (role(LOTTE, "parent"), role(LOTTE, "suspect", suspect_until=DAY - timedelta(days=1)), role(FINN, "child"))
    answer = told(asked_for_finn(mandate=Mandate.NOT_SHOWN), *roles)
    assert (answer.answer, answer.remarks) == ("dpo_review", ())


def test_rf04_is_not_said_of_a_file_that_the_dpo_has_not_looked_at() -> None:
    roles = (role(LOTTE, "witness"), role(FINN, "child"), role(LOTTE, "suspect", B), role(FINN, "child", B))
    answer = told(asked(Right.PORTABILITY, has_relations=True), *roles)
    assert (answer.answer, answer.relations, answer.remarks, answer.review) == ("package", True, (), ())
