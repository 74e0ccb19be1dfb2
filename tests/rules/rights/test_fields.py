"""Every field of every kind of record has a rule for whom it may be shown to (EXP-06, EXP-13, RGT-09)."""

import pytest

from rules.model.personal_records import FULL
from rules.rights.fields import FIELDS, Nature, ShownTo, rule_for
from rules.rights.withholding import (
    CHILD_STATEMENTS,
    CONFIDANTS,
    CONTACT_DETAILS,
    withheld_on_behalf,
    withheld_recipient,
)


@pytest.mark.parametrize("kind", FULL)
def test_every_field_of_a_kind_has_a_rule(kind: str) -> None:
    assert set(FIELDS[kind]) == set(FULL[kind].__struct_fields__)


@pytest.mark.parametrize("kind", FULL)
def test_no_id_of_the_crm_is_shown(kind: str) -> None:
    """EXP-13, R-123."""
    links = {"id", "etag", "dossier", "fiche", "contact", "parent", "regarding", "activity", "party", "storage_uri"}
    shown = {name for name, rule in FIELDS[kind].items() if rule.shown is not ShownTo.NEVER}
    assert not shown & (links - ({"party"} if kind == "party" else set()))


def test_what_would_tell_who_reported_is_shown_to_the_reporter_only() -> None:
    """R-119."""
    for field in ("caller_number", "caller_email", "ip_address", "reporter_kind", "language"):
        assert rule_for("fiche", field).shown is ShownTo.OWN
    assert rule_for("recording", "caller_number").shown is ShownTo.OWN
    assert rule_for("call", "number").shown is ShownTo.OWN


@pytest.mark.parametrize(
    ("kind", "field"),
    [("party", "suspect_until"), ("dossier", "legal_hold"), ("contact", "no_contact"), ("fiche", "unheard_of"), ("x", "y")],
)
def test_what_guards_others_or_is_unknown_is_shown_to_nobody(kind: str, field: str) -> None:
    """SUS-02, SUS-05, IDV-05."""
    assert rule_for(kind, field).shown is ShownTo.NEVER


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("fiche", "summary"),
        ("recording", "transcript"),
        ("recording", "media"),
        ("note", "body"),
        ("party", "notes"),
        ("contact", "picture"),
    ],
)
def test_free_text_and_files_are_read_by_a_person(kind: str, field: str) -> None:
    """EXP-07, EXP-08."""
    assert rule_for(kind, field).needs_review


def test_a_donors_rows_need_no_review() -> None:
    """R-100: structured, and the donor's own."""
    assert not any(rule.needs_review for kind in ("donation", "enrolment", "engagement") for rule in FIELDS[kind].values())


@pytest.mark.parametrize("kind", FULL)
def test_every_free_text_of_a_limited_file_is_withheld(kind: str) -> None:
    """RGT-09, R-096."""
    for name, rule in FIELDS[kind].items():
        if rule.needs_review:
            assert withheld_on_behalf(kind, name) is not None


@pytest.mark.parametrize(
    ("kind", "field", "code"),
    [
        ("contact", "street", CONTACT_DETAILS),
        ("contact", "city", CONTACT_DETAILS),
        ("contact", "mobile", CONTACT_DETAILS),
        ("contact", "email_2", CONTACT_DETAILS),
        ("fiche", "caller_number", CONTACT_DETAILS),
        ("fiche", "summary", CHILD_STATEMENTS),
        ("contact", "first_name", None),
        ("contact", "birth_place", None),
        ("dossier", "opened_on", None),
        ("party", "suspect_until", None),
    ],
)
def test_a_field_of_a_limited_file_has_its_class(kind: str, field: str, code: str | None) -> None:
    assert withheld_on_behalf(kind, field) == code


@pytest.mark.parametrize(
    "name", ["Politiezone Voorbeeldstad", "Parket Brussel", "Police fédérale", "Jugendgericht Eupen", "Tribunal de la famille"]
)
def test_police_and_courts_are_named_to_a_parent(name: str) -> None:
    """R-120."""
    assert withheld_recipient(name) is None


@pytest.mark.parametrize("name", ["Opvanghuis De Zwaluw (fictief)", "CAW Voorbeeldstad", "School"])
def test_an_institution_is_not_named_to_a_parent(name: str) -> None:
    assert withheld_recipient(name) == CONFIDANTS


def test_a_reference_is_redacted_without_a_review() -> None:
    assert (rule_for("dossier", "number").nature, rule_for("dossier", "number").needs_review) == (Nature.REFERENCE, False)
