"""The CRM's rows with all that they say about people: read for a subject request, and for nothing else.

A nightly run decides without names, numbers and texts, so the records that it reads have none (`records.py`).
Here each kind has a richer one. `…_at` are aware instants; a field of type `bytes` is content that is fetched
by itself, never with the row. Source: EXP-03, EXP-05; policy §4.1, §4.3."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from rules.model.records import (
    KINDS,
    ActivityParty,
    Call,
    Contact,
    Donation,
    Dossier,
    Email,
    Engagement,
    Enrolment,
    Fiche,
    Note,
    Party,
    Record,
    Recording,
)


class FullContact(Contact, gc=False, kw_only=True):
    """A person as the CRM knows them. `no_contact`: a place of safety or an estrangement, never deliver
    without an override (IDV-05)."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    email_2: str | None = None
    phone: str | None = None
    mobile: str | None = None
    street: str | None = None
    city: str | None = None
    language: str | None = None
    deceased_on: date | None = None
    no_contact: bool | None = None
    newsletter_consent_on: date | None = None
    no_bulk_email: bool | None = None
    picture: bytes | None = None


class FullDossier(Dossier, gc=False, kw_only=True):
    """A dossier with its number and texts."""

    number: str | None = None
    court_reference: str | None = None
    legal_hold_reason: str | None = None
    summary: str | None = None
    outcome_on: date | None = None


class FullFiche(Fiche, gc=False, kw_only=True):
    """A communication with what was said, from where, and to whom it was passed on (policy §7)."""

    number: str | None = None
    language: str | None = None
    caller_number: str | None = None
    caller_email: str | None = None
    ip_address: str | None = None
    summary: str | None = None
    communicated_at: datetime | None = None
    transmitted_to: str | None = None
    transmitted_country: str | None = None
    transfer_basis: str | None = None


class FullParty(Party, gc=False, kw_only=True):
    """A role, how it was shown and how long it lasts; `suspect_until` ends a suspicion (SUS-08)."""

    name: str | None = None
    authority_evidence: str | None = None
    authority_valid_until: date | None = None
    suspect_until: date | None = None
    notes: str | None = None


class FullRecording(Recording, gc=False, kw_only=True):
    """A conversation with its transcript; `media` is its sound where the CRM itself keeps it."""

    name: str | None = None
    transcript: str | None = None
    caller_number: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    media: bytes | None = None


class FullDonation(Donation, gc=False, kw_only=True):
    """A gift with its amount, in the currency of the organisation, and the account that it came from."""

    name: str | None = None
    amount: float | None = None
    iban: str | None = None


class FullEnrolment(Enrolment, gc=False, kw_only=True):
    """A course followed, by its title."""

    name: str | None = None
    course: str | None = None


class FullEngagement(Engagement, gc=False, kw_only=True):
    """An agreement with its first day."""

    name: str | None = None
    started_on: date | None = None


class FullNote(Note, gc=False, kw_only=True):
    """A note or attachment; `body` is the content of the file."""

    file_name: str | None = None
    created_at: datetime | None = None
    body: bytes | None = None


class FullCall(Call, gc=False, kw_only=True):
    """A telephone call as an activity."""

    subject: str | None = None
    text: str | None = None
    number: str | None = None
    is_outgoing: bool | None = None
    ended_at: datetime | None = None


class FullEmail(Email, gc=False, kw_only=True):
    """An e-mail as an activity."""

    subject: str | None = None
    text: str | None = None
    sender: str | None = None
    recipients: str | None = None
    sent_at: datetime | None = None


class FullActivityParty(ActivityParty, gc=False, kw_only=True):
    """A participant of an activity. `participation` is the platform's number (`PARTICIPATIONS`)."""

    address: str | None = None
    name: str | None = None
    participation: int | None = None


# How somebody took part in a call or a message, by the platform's number; whatever else it may be, they took
# part.
PARTICIPATIONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "sender",
        2: "addressee",
        3: "copy",
        4: "blind_copy",
        5: "attendee",
        6: "optional_attendee",
        7: "organiser",
        8: "regarding",
    }
)
TOOK_PART: Final = "participant"

# By the word that mapping files use. A kind that is not named has nothing beside what a nightly run reads.
FULL: Final[Mapping[str, type[Record]]] = MappingProxyType(
    KINDS
    | {
        "contact": FullContact,
        "dossier": FullDossier,
        "fiche": FullFiche,
        "party": FullParty,
        "recording": FullRecording,
        "donation": FullDonation,
        "enrolment": FullEnrolment,
        "engagement": FullEngagement,
        "note": FullNote,
        "call": FullCall,
        "email": FullEmail,
        "activity_party": FullActivityParty,
    }
)


def personal_fields(kind: str) -> tuple[str, ...]:
    """Return the fields that a kind has only here, in their order."""
    lean = KINDS[kind].__struct_fields__
    return tuple(name for name in FULL[kind].__struct_fields__ if name not in lean)
