"""The matrix of rights (6.2)."""

import pytest

from rules.model.requests import Right
from rules.rights.entitlement import OVERRIDABLE
from rules.rights.matrix import CONDITIONS, MATRIX, MISSION, RELATIONS, Availability, Row, refusal_in_files

REFUSALS = {"", "RF-02", "RF-04", "RF-05", "RF-06"}

# Right -> the decisions for child, child under 12, former child, parent for the child, parent, witness; then
# for donor, training, volunteer, partner, newsletter; then for a suspect.
TABLE = {
    Right.ACCESS: "YCYCYY YYYYY 0",
    Right.RECTIFICATION: "YCYCYY YYYYY 0",
    Right.ERASURE: "DDDDDD CYYYY 0",
    Right.RESTRICTION: "CCCCCC CCCCC 0",
    Right.PORTABILITY: "NNNNNN YYYYY 0",
    Right.OBJECTION: "DDDDDD YYDDY 0",
    Right.CONSENT_WITHDRAWAL: "NNNNNN YYYYY 0",
}


@pytest.mark.parametrize("right", list(Right))
def test_every_cell_decides_as_section_6_2_does(right: Right) -> None:
    found = "".join(MATRIX[right][row].decision for row in Row)
    assert found == TABLE[right].replace(" ", "")


def test_the_people_of_the_mission_those_with_a_relation_and_suspects_are_everybody() -> None:
    assert MISSION | RELATIONS | {Row.SUSPECT} == set(Row)
    assert not MISSION & RELATIONS


def test_every_condition_has_words_and_is_used() -> None:
    used = {condition for rows in MATRIX.values() for cell in rows.values() for condition in cell.conditions}
    assert used == set(CONDITIONS)


def test_a_refusal_has_a_text_that_fits_and_is_never_the_neutral_one() -> None:
    assert {cell.refusal for rows in MATRIX.values() for cell in rows.values()} == REFUSALS
    assert all(cell.refusal for rows in MATRIX.values() for cell in rows.values() if cell.decision is Availability.NOT_AVAILABLE)


@pytest.mark.parametrize("right", list(Right))
def test_sus10_each_right_is_neutral_for_a_suspect(right: Right) -> None:
    assert MATRIX[right][Row.SUSPECT].decision is Availability.NEUTRAL


def test_the_rights_that_do_not_reach_a_file_of_the_mission() -> None:
    found = {right: refusal_in_files(right, about="") for right in Right}
    assert {right: code for right, code in found.items() if code} == {Right.PORTABILITY: "RF-04", Right.CONSENT_WITHDRAWAL: "RF-06"}
    assert refusal_in_files(Right.CONSENT_WITHDRAWAL, "image") == ""
    assert refusal_in_files(Right.CONSENT_WITHDRAWAL, "newsletter") == "RF-06"


def test_the_rows_of_the_mission_agree_about_what_does_not_exist() -> None:
    for rows in MATRIX.values():
        refused = {rows[row].refusal for row in MISSION if rows[row].decision is Availability.NOT_AVAILABLE}
        assert not refused or all(rows[row] == rows[Row.WITNESS] for row in MISSION)


def test_portability_has_no_exception_for_an_image() -> None:
    assert refusal_in_files(Right.PORTABILITY, "image") == "RF-04"


def test_what_two_people_may_override_is_a_rule_of_this_part() -> None:
    assert set(OVERRIDABLE) == {"RGT-05", "RGT-13", "SUS-05", "SUS-06", "SUS-08", "SUS-11"}
