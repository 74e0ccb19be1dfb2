"""Holds on whatever meets some conditions."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import UsageError
from rules.holds.conditions import FIELDS, Condition, fits, read_conditions
from rules.holds.holds import Hold, Holds
from rules.model.decisions import Reason
from rules.model.records import Unit
from tests.rules.builders import CRM_KEYS, a_dossier, a_fiche, a_lone_fiche, a_recording, an_attachment, an_email, decided
from tests.rules.strategies import units

OUTCOMES = ("located", "not_located")
FICHE = a_fiche("sexting", id="fiche", communicated_on=date(2024, 5, 6))


def asked(kind: str, *given_texts: str) -> tuple[Condition, ...]:
    return read_conditions(kind, given_texts, categories=CRM_KEYS, outcomes=OUTCOMES)


def a_case(**facts: Any) -> Unit:
    return a_dossier(FICHE, **facts)


@pytest.mark.parametrize(
    ("texts", "facts", "does"),
    [
        (("category=sexting",), {}, True),
        (("category=grooming",), {}, False),
        (("category=grooming",), {"categories": ("grooming",)}, True),
        (("category=grooming", "category=sexting"), {}, True),
        (("category=sexting", "outcome=located"), {"outcome": "located"}, True),
        (("category=sexting", "outcome=located"), {"outcome": "not_located"}, False),
        (("outcome=none",), {}, True),
        (("outcome=none",), {"outcome": "located"}, False),
        (("opened_from=2024-01-01", "opened_to=2024-12-31"), {"opened_on": date(2024, 1, 1)}, True),
        (("opened_from=2024-01-01", "opened_to=2024-12-31"), {"opened_on": date(2024, 12, 31)}, True),
        (("opened_from=2024-01-01", "opened_to=2024-12-31"), {"opened_on": date(2025, 1, 1)}, False),
        (("opened_from=2024-01-01",), {"opened_on": date(2023, 12, 31)}, False),
        (("opened_from=2024-01-01",), {}, True),  # doubt keeps
        (("closed_from=2024-01-01",), {"closed_on": date(2023, 12, 31)}, False),
        (("closed_to=2024-01-01",), {"closed_on": date(2024, 1, 2)}, False),
        (("public_alert=yes",), {"public_alert": True}, True),
        (("public_alert=yes",), {}, False),
        (("public_alert=no",), {}, True),
        (("active=yes",), {"is_active": True}, True),
        (("active=yes",), {"is_active": None}, True),
        (("active=no",), {"is_active": False}, True),
    ],
)
def test_a_dossier_fits_by_its_facts(texts: tuple[str, ...], facts: dict[str, Any], *, does: bool) -> None:
    assert fits(a_case(**facts), "dossier", asked("dossier", *texts)) is does


def test_all_conditions_are_met_by_the_same_fiche() -> None:
    old = a_fiche("grooming", id="old", communicated_on=date(2020, 1, 1))
    dossier = a_dossier(FICHE, old)
    assert fits(dossier, "fiche", asked("fiche", "category=sexting", "communicated_from=2024-01-01"))
    assert not fits(dossier, "fiche", asked("fiche", "category=grooming", "communicated_from=2024-01-01"))
    assert fits(a_lone_fiche("sexting", communicated_on=date(2024, 5, 6)), "fiche", asked("fiche", "communicated_to=2024-05-06"))


def test_what_fits_covers_what_hangs_on_it() -> None:
    """HLD-04: a dossier its recordings and attachments; a recording only itself."""
    dossier = a_case()
    recording = a_recording(fiche=FICHE, belongs_to=dossier, ended_on=date(2024, 1, 1), evidence=True)
    for unit in (recording, an_attachment(fiche=FICHE, belongs_to=dossier)):
        assert fits(unit, "dossier", asked("dossier", "category=sexting"))
        assert fits(unit, "fiche", asked("fiche", "category=sexting"))
    assert fits(recording, "recording", asked("recording", "evidence=yes", "ended_to=2024-12-31", "taken_over=no"))
    assert not fits(recording, "recording", asked("recording", "ended_from=2024-01-02"))
    assert not fits(dossier, "recording", asked("recording", "evidence=yes"))
    assert not fits(an_email(), "dossier", asked("dossier", "active=no"))


def test_what_a_part_that_has_gone_would_have_told_counts_as_fitting() -> None:
    """HLD-07: of a unit that a run has begun to delete the fiches may be gone."""
    left = a_dossier(outcome="located")
    assert not fits(left, "dossier", asked("dossier", "category=sexting"))
    assert fits(left, "dossier", asked("dossier", "category=sexting"), in_part=True)
    assert not fits(left, "dossier", asked("dossier", "outcome=not_located"), in_part=True)
    assert fits(left, "fiche", asked("fiche", "category=sexting"), in_part=True)


def test_a_hold_by_conditions_is_a_reason_and_takes_in_what_comes_later() -> None:
    holds = Holds.of([], by_facts=[(Hold("hold-1", Reason.HOLD_JUDICIAL, "dossier", ""), asked("dossier", "category=social_card"))])
    expired = a_fiche("social_card", communicated_on=date(2020, 1, 1))
    for identity in ("one", "another"):
        decision = decided(a_dossier(expired, identity=identity), date(2026, 1, 1), holds=holds)
        assert (decision.reasons, decision.retention_end) == ((Reason.HOLD_JUDICIAL,), date(2020, 7, 1))
    assert decided(a_dossier(a_fiche("e_safety", communicated_on=date(2020, 1, 1))), date(2026, 1, 1), holds=holds).is_disposal
    assert holds.asks_for_facts


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("dossier", ()),
        ("contact", ("category=sexting",)),
        ("dossier", ("colour=red",)),
        ("dossier", ("category",)),
        ("dossier", ("category=exploitation_ict",)),
        ("dossier", ("outcome=lost",)),
        ("dossier", ("opened_from=2024",)),
        ("dossier", ("public_alert=maybe",)),
        ("recording", ("category=sexting",)),
        ("fiche", ("communicated_from=",)),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(kind: str, texts: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        asked(kind, *texts)
    assert caught.value.field == "where" or caught.value.hint


def test_an_option_that_nobody_mapped_is_named_by_its_number() -> None:
    assert fits(a_dossier(a_fiche("100000099")), "dossier", asked("dossier", "category=100000099"))


@given(units(), st.sampled_from([(kind, field) for kind, fields in FIELDS.items() for field in fields]))
def test_every_field_can_be_asked_of_every_unit(unit: Unit, asked_for: tuple[str, str]) -> None:
    kind, field = asked_for
    value = "2020-01-01" if field.endswith(("_from", "_to")) else "none" if field in ("category", "outcome") else "yes"
    conditions = asked(kind, f"{field}={value}")
    whole, in_part = fits(unit, kind, conditions), fits(unit, kind, conditions, in_part=True)
    assert in_part or not whole
