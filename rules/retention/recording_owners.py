"""Recordings and audio attachments that go with the row that they belong to. What becomes of those that
follow a dossier on their evidence mark is in rules/law/followed_dossiers.py. Source: RET-03, RET-05,
ACC-03."""

from typing import Final

from rules.holds.precedence import HOLD_REASONS
from rules.model.decisions import Decision, Disposition, End, Reason
from rules.model.records import Unit, UnitKind
from rules.retention.clocks import RECORDING

GOES_ALONG: Final = "RET-03"  # the rule of an audio attachment that goes with the row that it belongs to


def followed_dossier(unit: Unit) -> Unit | None:
    """Return the dossier that a recording or attachment follows on its evidence mark; None where it has its
    own term (RET-05). On a lone fiche, or without a fiche, the mark has no effect."""
    marked = unit.recording.evidence if unit.recording is not None else unit.note is not None and unit.note.evidence
    owner = unit.belongs_to
    return owner if marked and owner is not None and owner.kind is UnitKind.DOSSIER else None


def owner_of(unit: Unit) -> str | None:
    """Return the id of the dossier or lone fiche without which an audio attachment cannot exist; None for
    every other unit, and where its fiche is in several dossiers: that goes with none of them that another one
    outlasts."""
    if unit.kind is not UnitKind.ATTACHMENT or (unit.fiches and unit.fiches[0].also_in):
        return None
    if unit.belongs_to is not None:
        return unit.belongs_to.id
    return unit.fiches[0].id if unit.fiches else None


def with_owner(own: Decision, owner: Decision | None) -> Decision:
    """Return the decision of an audio attachment. Where its dossier or lone fiche (`owner`) is disposed of
    and the own term still runs, it is deleted along, always, since a note cannot exist without the row to
    which it belongs. A hold on it keeps both. Source: RET-03, ACC-03."""
    if owner is None or own.is_disposal or not owner.is_disposal or any(reason in HOLD_REASONS for reason in own.reasons):
        return own
    end = End(RECORDING, GOES_ALONG, "owner", None, "", owner.retention_end, Disposition.DELETE)
    return Decision(Disposition.DELETE, (Reason.EXPIRED,), owner.retention_end, own.flags, (RECORDING,), GOES_ALONG, (end,))
