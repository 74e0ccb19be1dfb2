"""Holds and what they cover (HLD-04, HLD-06, HLD-14)."""

from datetime import date

import pytest

from rules.holds.holds import Hold, Holds
from rules.holds.precedence import HOLD_REASONS
from rules.model.decisions import Reason
from rules.model.records import Unit
from tests.rules.builders import BRAM, a_child, a_dossier, a_fiche, a_lone_fiche, a_recording, an_attachment, decided

FICHE = a_fiche("social_card", id="fiche", communicated_on=date(2020, 1, 1))


def a_hold(kind: str, row: str, reason: Reason = Reason.HOLD_JUDICIAL) -> Holds:
    return Holds.of([Hold("H-1", reason, kind, row)])


def test_the_flag_of_the_crm_is_a_legal_hold_with_the_crm_as_its_source() -> None:
    dossier = a_dossier(FICHE, legal_hold=True)
    assert Holds.none().covering(dossier) == (Reason.HOLD_LEGAL,)
    (hold,) = Holds.none().on(dossier)
    assert (hold.source, hold.kind, hold.id) == ("crm", "dossier", "dossier")
    assert Holds.none().covering(a_dossier(FICHE, legal_hold=None)) == ()


@pytest.mark.parametrize("build", [a_recording, an_attachment])
def test_a_hold_on_a_dossier_covers_its_recordings_and_attachments(build: type[Unit]) -> None:
    unit = build(fiche=FICHE, belongs_to=a_dossier(FICHE, legal_hold=True))  # type: ignore[call-arg]  # a builder
    assert Holds.none().covering(unit) == (Reason.HOLD_LEGAL,)
    placed = build(fiche=FICHE, belongs_to=a_dossier(FICHE))  # type: ignore[call-arg]  # a builder
    assert a_hold("dossier", "dossier").covering(placed) == (Reason.HOLD_JUDICIAL,)
    assert a_hold("dossier", "another").covering(placed) == ()


def test_a_hold_on_a_child_covers_the_dossier_and_does_not_spread_to_siblings() -> None:
    dossier = a_dossier(FICHE, children=[a_child(BRAM)])
    assert a_hold("contact", BRAM).covering(dossier) == (Reason.HOLD_JUDICIAL,)
    assert a_hold("contact", "somebody else").covering(dossier) == ()


def test_a_hold_on_a_lone_fiche_covers_its_recording() -> None:
    lone = a_lone_fiche("social_card", id="fiche", communicated_on=date(2020, 1, 1))
    assert a_hold("fiche", "fiche").covering(lone) == (Reason.HOLD_JUDICIAL,)
    assert a_hold("fiche", "fiche").covering(a_recording(fiche=lone.fiches[0], belongs_to=lone)) == (Reason.HOLD_JUDICIAL,)


def test_several_holds_are_listed_by_rank_and_each_reason_once() -> None:
    holds = Holds.of(
        [
            Hold("H-3", Reason.HOLD_OBJECTION, "dossier", "dossier"),
            Hold("H-2", Reason.HOLD_JUDICIAL, "dossier", "dossier"),
            Hold("H-1", Reason.HOLD_JUDICIAL, "fiche", "fiche"),
        ]
    )
    dossier = a_dossier(FICHE, legal_hold=True)
    assert holds.covering(dossier) == (Reason.HOLD_LEGAL, Reason.HOLD_JUDICIAL, Reason.HOLD_OBJECTION)
    assert [hold.hold_id for hold in holds.on(dossier)] == ["crm:dossier", "H-1", "H-2", "H-3"]
    assert decided(dossier, date(2026, 1, 1), holds=holds).reasons == holds.covering(dossier)


@pytest.mark.parametrize("reason", sorted(HOLD_REASONS))
def test_every_kind_of_hold_keeps_an_expired_unit_and_never_moves_its_end(reason: Reason) -> None:
    decision = decided(a_dossier(FICHE), date(2026, 1, 1), holds=a_hold("dossier", "dossier", reason))
    assert (decision.is_disposal, decision.reasons, decision.retention_end) == (False, (reason,), date(2020, 7, 1))
    assert decision.rule.startswith("HLD-")
