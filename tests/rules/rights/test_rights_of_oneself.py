"""What people are told who ask for their own data (6.2, EXP-05, R-094, R-099, R-115)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model.file_roles import FILE_ROLES as ROLES
from rules.model.requests import RequesterKind, Right
from rules.rights.entitlement import ItemScope, item_scope
from tests.rules.rights_builders import BORN_FOURTEEN, BORN_NINE, ELSE, FINN, LONE, LOTTE, A, B, asked, role, told


def test_r094_a_child_of_fourteen_is_told_everything_without_a_parent() -> None:
    answer = told(asked(kind=RequesterKind.CHILD, child_born_on=BORN_FOURTEEN), role(LOTTE, "child"), role(ELSE, "parent"))
    assert (answer.answer, answer.scope, dict(answer.own)) == ("package", "own", {A: ("child",)})
    assert item_scope(answer, A) is ItemScope.WHOLE
    assert answer.limited == frozenset(), "RGT-09 limits who acts for a child, never the child"


@pytest.mark.parametrize(("received_on", "answer"), [(date(2026, 3, 31), "dpo_review"), (date(2026, 4, 1), "package")])
def test_rgt05_a_child_asks_alone_from_the_day_on_which_it_is_twelve(received_on: date, answer: str) -> None:
    """The age on the day of receipt counts, however old the child is by now."""
    question = asked(kind=RequesterKind.CHILD, child_born_on=date(2014, 4, 1), received_on=received_on)
    assert told(question, role(LOTTE, "child")).answer == answer


def test_rgt05_two_people_may_find_a_younger_child_mature() -> None:
    question = asked(kind=RequesterKind.CHILD, child_born_on=BORN_NINE)
    assert told(question, role(LOTTE, "child")).blocks == ("RGT-05",)
    overridden = told(asked(kind=RequesterKind.CHILD, child_born_on=BORN_NINE, overrides=frozenset({"RGT-05"})), role(LOTTE, "child"))
    assert (overridden.answer, overridden.blocks) == ("package", ())


def test_rgt05_a_child_of_unknown_age_is_looked_at_first() -> None:
    assert told(asked(kind=RequesterKind.CHILD), role(LOTTE, "child")).answer == "dpo_review"
    assert told(asked(kind=RequesterKind.FORMER_CHILD), role(LOTTE, "child")).answer == "package"
    assert told(asked(kind=RequesterKind.CHILD), role(LOTTE, "reporter")).answer == "package"


@pytest.mark.parametrize(("born_by", "answer"), [(date(2014, 12, 31), "dpo_review"), (date(2013, 12, 31), "package")])
def test_rgt05_who_may_be_too_young_by_a_year_of_birth_is_looked_at_first(born_by: date, answer: str) -> None:
    """Whatever the requester says to be; received on 8 May 2026."""
    assert told(asked(child_born_by=born_by), role(LOTTE, "child")).answer == answer
    assert told(asked(kind=RequesterKind.CHILD, child_born_by=born_by), role(LOTTE, "child")).answer == "dpo_review"


@pytest.mark.parametrize("name", ["reporter", "witness", "parent", "guardian", "professional", "other"])
def test_rgt01_whoever_has_another_role_is_told_own_data_only(name: str) -> None:
    """EXP-05: own identity data, contacts and statements, never everything about the child."""
    answer = told(asked(), role(LOTTE, name), role(FINN, "child"))
    assert (answer.answer, dict(answer.own), item_scope(answer, A)) == ("package", {A: (name,)}, ItemScope.OWN)


@pytest.mark.parametrize("claim", list(RequesterKind))
def test_rgt01_the_file_decides_whatever_the_requester_claims(claim: RequesterKind) -> None:
    question = asked(kind=claim, child_born_on=date(1980, 1, 1))
    answer = told(question, role(LOTTE, "witness"), role(FINN, "child"))
    assert (answer.answer, answer.scope, dict(answer.own), answer.for_child) == ("package", "own", {A: ("witness",)}, ())


def test_exp05_roles_add_up_over_files_and_contacts() -> None:
    """The contacts of a confirmed person are one person; a lone fiche is a file of its own."""
    question = asked(requester=frozenset({LOTTE, "lotte-2"}), has_relations=True)
    answer = told(question, role(LOTTE, "witness"), role("lotte-2", "reporter"), role("lotte-2", "reporter", LONE))
    assert dict(answer.own) == {A: ("reporter", "witness"), LONE: ("reporter",)}
    assert (answer.relations, answer.identity) == (True, True)


def test_a_known_contact_without_file_or_relation_is_told_what_the_contact_says() -> None:
    """RGT-01: in law the right is everybody's of whom data are kept."""
    answer = told(asked())
    assert (answer.answer, answer.identity, dict(answer.own), answer.relations) == ("package", True, {}, False)


@pytest.mark.parametrize("right", list(Right))
def test_sus04_somebody_unknown_gets_the_neutral_answer_for_each_right(right: Right) -> None:
    assert told(asked(right, requester=frozenset())).answer == "neutral"


@pytest.mark.parametrize("name", ["child", "parent", "reporter", "witness"])
def test_r099_nobody_takes_a_mission_file_along(name: str) -> None:
    """R-099, RGT-10: RF-04, and nothing of the file goes out."""
    answer = told(asked(Right.PORTABILITY, child_born_on=BORN_FOURTEEN), role(LOTTE, name))
    assert (answer.answer, answer.refusal) == ("package", "RF-04")
    assert (dict(answer.own), answer.relations, answer.identity) == ({}, False, False)


def test_exp05_relations_alone_open_no_more_of_the_contact_than_they_need() -> None:
    answer = told(asked(has_relations=True))
    assert (answer.answer, answer.relations, answer.identity) == ("package", True, False)


def test_r100_a_donor_takes_the_relation_along() -> None:
    answer = told(asked(Right.PORTABILITY, has_relations=True))
    assert (answer.answer, answer.relations, answer.refusal, answer.remarks) == ("package", True, "", ())


def test_rgt10_a_donor_who_is_a_witness_too_is_told_that_the_file_stays() -> None:
    answer = told(asked(Right.PORTABILITY, has_relations=True), role(LOTTE, "witness"))
    assert (answer.relations, dict(answer.own), answer.refusal, answer.remarks) == (True, {}, "", ("RF-04",))


def test_rgt12_a_mission_file_rests_on_no_consent() -> None:
    assert told(asked(Right.CONSENT_WITHDRAWAL), role(LOTTE, "witness")).refusal == "RF-06"


@pytest.mark.parametrize("about", ["image", "testimonial"])
def test_rgt12_the_use_of_an_image_does_rest_on_consent(about: str) -> None:
    answer = told(asked(Right.CONSENT_WITHDRAWAL, about=about), role(LOTTE, "witness"))
    assert (answer.refusal, dict(answer.own)) == ("", {A: ("witness",)})


def test_r115_a_suspect_ends_a_subscription_and_is_told_nothing_else() -> None:
    answer = told(asked(Right.CONSENT_WITHDRAWAL, has_relations=True), role(LOTTE, "suspect"), role(FINN, "child"))
    assert (answer.answer, answer.relations, dict(answer.own)) == ("package", True, {})
    assert (answer.refusal, answer.remarks, answer.review, answer.blocks, answer.identity) == ("", (), (), (), False)


def test_ddl13_an_objection_to_marketing_waits_for_no_file() -> None:
    """A file that the DPO has to look at does not keep the newsletter going (RGT-11, DDL-13)."""
    ended = role(LOTTE, "suspect", suspect_until=date(2026, 1, 1))
    assert told(asked(Right.OBJECTION, has_relations=True), ended).answer == "dpo_review"
    answer = told(asked(Right.OBJECTION, has_relations=True, about="direct_marketing"), ended)
    assert (answer.answer, dict(answer.own), answer.review) == ("package", {}, ())


@pytest.mark.parametrize("right", [Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION, Right.OBJECTION])
def test_the_other_rights_reach_the_files_that_access_reaches(right: Right) -> None:
    roles = (role(LOTTE, "witness"), role(LOTTE, "suspect", B), role(FINN, "child"))
    assert told(asked(right), *roles) == told(asked(Right.ACCESS), *roles)


def test_rgt13_a_person_recorded_as_dead_who_asks_is_looked_at_first() -> None:
    question = asked(deceased=True)
    assert told(question, role(LOTTE, "witness")).blocks == ("RGT-13",)
    assert told(question, role(LOTTE, "witness")).answer == "dpo_review"


@given(st.lists(st.tuples(st.sampled_from([A, B, LONE]), st.sampled_from(ROLES[:-1])), max_size=6))
def test_without_a_suspicion_every_role_is_told(found: list[tuple[tuple[str, str], str]]) -> None:
    answer = told(asked(child_born_on=BORN_FOURTEEN), *(role(LOTTE, name, unit) for unit, name in found))
    assert {(unit, name) for unit, names in answer.own.items() for name in names} == set(found)
    assert (answer.answer, answer.excluded, answer.review) == ("package", frozenset(), ())
