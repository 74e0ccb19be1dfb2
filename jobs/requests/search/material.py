"""What was found of people in the CRM, by kind and id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.model.kinds import Kinds
from rules.model.personal_records import (
    FullActivityParty,
    FullCall,
    FullContact,
    FullDonation,
    FullDossier,
    FullEmail,
    FullEngagement,
    FullEnrolment,
    FullFiche,
    FullNote,
    FullParty,
    FullRecording,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A row that mentions people without being linked to them. It has the place, the strongest kind of
    evidence (name, phone, email, national_number), and those of the people searched for whom it mentions.
    Where the place is a file, `said` are the passages of it that mention them: nothing else keeps them."""

    kind: str
    id: str
    field: str
    evidence: str
    people: tuple[str, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowElsewhere:
    """A row in the recycle bin or in long-term retention (`place`), with its fields by their names here;
    texts as they are."""

    place: str
    kind: str
    id: str
    values: dict[str, object]


@dataclass(slots=True)
class Material:
    """What was found, by id. `contacts` are the people searched for and everybody else in their files;
    `accounts` are names of organisations.

    `numbers` are those of every dossier and fiche of the CRM, and of proceedings. Fiches, recordings, notes,
    calls and e-mails are those of the files in which the person has a role, those about the person, those in
    which they take part, and those that mention them. Of the file of such an activity or mention in which the
    person has no role, only the dossier or lone fiche itself is here, with its roles, the fiches that these
    are on, and their contacts. Anonymised rows are left out."""

    contacts: dict[str, FullContact] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    parties: dict[str, FullParty] = field(default_factory=dict)
    dossiers: dict[str, FullDossier] = field(default_factory=dict)
    fiches: dict[str, FullFiche] = field(default_factory=dict)
    recordings: dict[str, FullRecording] = field(default_factory=dict)
    notes: dict[str, FullNote] = field(default_factory=dict)
    calls: dict[str, FullCall] = field(default_factory=dict)
    emails: dict[str, FullEmail] = field(default_factory=dict)
    activity_parties: dict[str, FullActivityParty] = field(default_factory=dict)
    donations: dict[str, FullDonation] = field(default_factory=dict)
    enrolments: dict[str, FullEnrolment] = field(default_factory=dict)
    engagements: dict[str, FullEngagement] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)  # by kind
    mentions: list[Mention] = field(default_factory=list)
    elsewhere: list[RowElsewhere] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    not_searched: tuple[str, ...] = ()
    kinds: Kinds = field(default_factory=Kinds)

    def rows(self, kind: str) -> dict[str, Any]:
        """Return the rows of one kind, by the word for it."""
        found: dict[str, Any] = getattr(self, _PLACES[kind]) if kind in _PLACES else self.others.setdefault(kind, {})
        return found


_PLACES: Mapping[str, str] = {
    "contact": "contacts",
    "party": "parties",
    "dossier": "dossiers",
    "fiche": "fiches",
    "recording": "recordings",
    "note": "notes",
    "call": "calls",
    "email": "emails",
    "activity_party": "activity_parties",
    "donation": "donations",
    "enrolment": "enrolments",
    "engagement": "engagements",
}

# The numbers by which a file is known: also of those that nobody asks about, for texts name them.
NUMBERS: Mapping[str, tuple[str, ...]] = {"dossier": ("number", "court_reference"), "fiche": ("number",)}
