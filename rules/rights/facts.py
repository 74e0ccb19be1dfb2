"""Who asks for what, and what the files say about the people in it: all that a right depends on. Source:
section 6 (RGT, SUS); policy §5."""

from datetime import date

import msgspec

from rules.model.requests import Mandate, RequesterKind, Right

UnitKey = tuple[str, str]  # kind (dossier, fiche) and id


class RoleInFile(msgspec.Struct, frozen=True):
    """One role of one contact in one dossier or lone fiche (a role on a fiche of a dossier counts for the
    dossier). `suspect_until` is the last day of a suspicion; `has_authority`: authority over the child is
    evidenced, `authority_until` its last day."""

    unit: UnitKey
    contact: str
    role: str
    suspect_until: date | None = None
    has_authority: bool = False
    authority_until: date | None = None


class FileFacts(msgspec.Struct, frozen=True):
    """What of one dossier or lone fiche decides: its CRM categories (those of its fiches too), and the
    contacts that are children in it."""

    categories: tuple[str, ...] = ()
    children: frozenset[str] = frozenset()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks what, on the day on which it is looked at (that of the release decides, SUS-08).

    `requester` and `child` are confirmed contacts (several rows may be one person). `child_born_on` is the
    birth date of the child, or of the requester where somebody asks for himself or herself; None unless the
    day is certain. `child_born_by` is the latest day on which that person can have been born, also where only
    a year or a stated age is known: what has been reached by then is certain. `overrides` are rules that two
    persons have overridden. `has_relations`: gifts, courses, agreements, a place at a partner organisation or
    a newsletter of the requester are there; `child_has_relations`: of the child. `deceased`: the person whom
    it is about is dead. `requester_born_on`, `requester_born_by` and `requester_deceased` are the same of
    whoever asks for a child, and may hear of own data alone. `about` is what an objection or a withdrawal is
    about (`direct_marketing`, `image`, …), where the request says it."""

    right: Right
    kind: RequesterKind
    on_behalf: bool
    requester: frozenset[str]
    child: frozenset[str] = frozenset()
    received_on: date
    day: date
    mandate: Mandate | None = None
    child_agrees: bool = False
    child_born_on: date | None = None
    child_born_by: date | None = None
    requester_born_on: date | None = None
    requester_born_by: date | None = None
    requester_deceased: bool = False
    overrides: frozenset[str] = frozenset()
    has_relations: bool = False
    child_has_relations: bool = False
    deceased: bool = False
    about: str = ""
