"""Builders for the tests of the law: each names only what matters. The people are fictitious and stay the
same."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from rules.holds.holds import Holds
from rules.law.of_units import decisions
from rules.model.decisions import Decision
from rules.model.records import Contact, Dossier, Email, Fiche, Note, Recording, Unit, UnitKind
from rules.policy.loader import load_policy
from rules.policy.policy import Policy

LOTTE = "a0000000-0000-0000-0000-0000000000aa"  # Lotte Peeters
BRAM = "a0000000-0000-0000-0000-0000000000bb"  # Bram Maes

LABELS = {"nl": "nl", "fr": "fr", "en": "en", "de": "de"}
SIX_MONTHS: dict[str, Any] = {"type": "months_after", "months": 6, "anchor": "last_activity", "disposition": "delete", "open_blocks": False}
UNTIL_18: dict[str, Any] = {"type": "until_age", "age": 18, "disposition": "anonymise"}
UNTIL_25: dict[str, Any] = {"type": "until_age", "age": 25, "disposition": "anonymise"}
NO_TERM: dict[str, Any] = {"type": "no_term", "disposition": "retain"}

# The machine-readable form of section 2.2, written out once more: the tests do not believe the shipped file.
CATEGORIES: dict[str, dict[str, Any]] = {
    "social_card": SIX_MONTHS,
    "e_safety": SIX_MONTHS,
    "civil_party": {"type": "years_after", "years": 5, "anchor": ["proceedings_ended_on", "closed_on"], "disposition": "delete"},
    "exploitation_organised": UNTIL_18,
    "exploitation_ict": UNTIL_18,
    "missing_runaway": UNTIL_25,
    "missing_intl_abduction_located": UNTIL_25,
    "missing_third_party_returned": UNTIL_25,
    "missing_unexplained": NO_TERM,
    "missing_intl_abduction_unlocated": NO_TERM,
    "missing_third_party_not_returned": NO_TERM,
    "recording": {"type": "months_after", "months": 6, "anchor": "ended_on", "disposition": "delete", "unit": "recording"},
}
FOUND = ["located", "returned", "found_deceased"]
DERIVE: dict[str, list[dict[str, Any]]] = {
    **{key: [{"key": key}] for key in ("social_card", "e_safety", "civil_party")},
    **{key: [{"key": "exploitation_organised"}] for key in ("child_prostitution", "child_trafficking", "sex_tourism")},
    **{key: [{"key": "exploitation_ict"}] for key in ("social_networks", "grooming", "sexting", "sextortion")},
    "runaway": [{"key": "missing_runaway"}],
    "international_abduction": [
        {"key": "missing_intl_abduction_located", "outcomes": FOUND},
        {"key": "missing_intl_abduction_unlocated", "outcomes": ["not_located"]},
        {"key": "missing_intl_abduction_unlocated", "outcomes": ["not_returned"], "flag": "OUTCOME_AMBIGUOUS"},
        {"key": "missing_intl_abduction_unlocated", "outcomes": [], "flag": "OUTCOME_MISSING"},
    ],
    "third_party_abduction": [
        {"key": "missing_third_party_returned", "outcomes": ["returned"]},
        {"key": "missing_third_party_not_returned", "outcomes": ["located", "not_located", "not_returned", "found_deceased"]},
        {"key": "missing_third_party_not_returned", "outcomes": [], "flag": "OUTCOME_MISSING"},
    ],
    "unexplained_disappearance": [
        {"key": "missing_unexplained", "outcomes": FOUND, "flag": "RECLASSIFY"},
        {"key": "missing_unexplained"},
    ],
}
CRM_KEYS = tuple(DERIVE)
OUTCOMES = (None, *FOUND, "not_located", "not_returned")


def a_policy(
    categories: Mapping[str, Mapping[str, Any]] | None = None, derive: Mapping[str, list[dict[str, Any]]] | None = None, **defaults: Any
) -> Policy:
    """The schedule of section 2.2, with rows added or replaced, and other defaults."""
    rows = {**CATEGORIES, **(categories or {})}
    named = {key: {"labels": LABELS, "basis": "a basis", "source": "a source", **row} for key, row in rows.items()}
    return Policy.model_validate(
        {
            "schema": "retention-schedule/1",
            "name": "tests",
            "version": "1",
            "valid_from": date(2018, 5, 25),
            "approvers": ["Approver one", "Approver two"],
            "controller": {"name": "A foundation"},
            "dpo": {"name": "A DPO"},
            "backups": {"beyond_use": True, "days": 28},
            "defaults": defaults,
            "derive": {**DERIVE, **(derive or {})},
            "categories": named,
        }
    )


POLICY = a_policy()


@cache
def shipped_policy() -> Policy:
    """The schedule that the product comes with."""
    path = Path(__file__).parents[2] / "rules" / "policy" / "schedules" / "childfocus.yaml"
    return load_policy(path.read_text(encoding="utf-8"), source=path.name)


def a_child(identity: str = BRAM, **facts: Any) -> Contact:
    return Contact(id=identity, **facts)


def a_fiche(*categories: str, **facts: Any) -> Fiche:
    facts.setdefault("id", f"fiche-{facts.get('communicated_on') or facts.get('created_on')}")
    return Fiche(categories=categories, **facts)


def a_dossier(
    *fiches: Fiche, identity: str = "dossier", children: Sequence[Contact | None] = (), is_active: bool | None = False, **facts: Any
) -> Unit:
    """A dossier with its fiches and children; closed unless said otherwise."""
    facts.setdefault("legal_hold", False)
    dossier = Dossier(id=identity, etag="1", is_active=is_active, **facts)
    return Unit(UnitKind.DOSSIER, identity, "1", dossier=dossier, fiches=list(fiches), children=list(children))


def a_lone_fiche(*categories: str, children: Sequence[Contact | None] = (), **facts: Any) -> Unit:
    fiche = a_fiche(*categories, **facts)
    return Unit(UnitKind.FICHE, fiche.id, "1", fiches=[fiche], children=list(children))


def a_recording(*, fiche: Fiche | None = None, belongs_to: Unit | None = None, **facts: Any) -> Unit:
    recording = Recording(id="recording", etag="1", **facts)
    return Unit(UnitKind.RECORDING, "recording", "1", recording=recording, fiches=[fiche] if fiche else [], belongs_to=belongs_to)


def an_attachment(*, fiche: Fiche | None = None, belongs_to: Unit | None = None, **facts: Any) -> Unit:
    """An audio file on a fiche."""
    note = Note(id="note", etag="1", regarding_kind="fiche", is_document=True, media_type="audio/mpeg", **facts)
    return Unit(UnitKind.ATTACHMENT, "note", "1", note=note, fiches=[fiche] if fiche else [], belongs_to=belongs_to)


def an_email(**facts: Any) -> Unit:
    """An e-mail attached to nothing."""
    return Unit(UnitKind.EMAIL, "email", "1", email=Email(id="email", etag="1", **facts))


def decided(unit: Unit, as_of: date, policy: Policy = POLICY, holds: Holds | None = None) -> Decision:
    return decide(unit, policy, holds or Holds.none(), as_of=as_of)


def decide(unit: Unit, policy: Policy, holds: Holds, *, as_of: date) -> Decision:
    """What the law says of one unit by itself."""
    (decision,) = decisions([unit], policy, holds, as_of)
    return decision


def codes(members: Iterable[str]) -> list[str]:
    """The codes of reasons or flags, as a plan file has them."""
    return [str(member) for member in members]
