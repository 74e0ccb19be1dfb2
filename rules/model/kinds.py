"""What is true of each kind of row: which hang on others, which are relations, to what each belongs, in which
order they are told."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.model.records import Call, Email, Note

RELATIONS: Final = ("donation", "enrolment", "engagement")
HANGING: Final = ("note", "call", "email")  # on a row of any other kind, by `regarding`
HANGING_RECORDS: Final[tuple[type[Note | Call | Email], ...]] = (Note, Call, Email)
# What is read of each kind of record that this product erases: no more than tells to what a row belongs.
LINKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "dossier": ("anonymised_on",),
        "fiche": ("dossier", "anonymised_on"),
        "party": ("dossier", "fiche", "contact"),
        "recording": ("fiche",),
        "note": ("regarding", "regarding_kind"),
        "call": ("regarding", "regarding_kind"),
        "email": ("regarding", "regarding_kind"),
        "donation": ("contact",),
        "enrolment": ("contact",),
        "engagement": ("contact",),
        "contact": ("anonymised_on",),
    }
)
# The kinds of row that an answer is made of, in the order in which it tells them.
KINDS_IN_ORDER: Final = (
    "contact", "dossier", "party", "fiche", "recording", "call", "email", "note", "donation", "enrolment", "engagement",
)  # fmt: skip
