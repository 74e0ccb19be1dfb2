"""To whom each field of each kind of record may be shown: the person it describes, anybody to whom the file
is disclosed, or nobody. Source: EXP-06, EXP-13; R-119, R-123."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from rules.model.kinds import Kind

# What relations need of a person (6.2); the rest of the row belongs to files that may be closed.
_OF_RELATIONS: Final = frozenset(
    {
        "first_name", "last_name", "email", "email_2", "phone", "mobile", "street", "postcode", "city", "country", "language", "newsletter",
        "newsletter_consent_on", "no_bulk_email",
    }
)  # fmt: skip
_OF_AGREEMENTS: Final = _OF_RELATIONS | {"birth_on", "birth_place", "national_number"}  # who makes an agreement is known by these


class ShownTo(StrEnum):
    """Who may see a field."""

    OWN = "own"  # only the person whom the row, the number or the address belongs to
    FILE = "file"  # whoever is told of this row at all
    NEVER = "never"  # nobody: the service's and the CRM's own housekeeping


class Nature(StrEnum):
    """What a field holds. TEXT is free text: redacted, and read by a person before it is sent (EXP-07); so is
    a FILE. REFERENCE is a short designation (a number, a title): redacted, without a review. RECIPIENT names
    a service to which data were sent."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    NATIONAL_NUMBER = "national_number"
    BIRTH_DATE = "birth_date"
    ACCOUNT = "account"
    IP_ADDRESS = "ip_address"
    TEXT = "text"
    REFERENCE = "reference"
    RECIPIENT = "recipient"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"
    FILE = "file"
    INTERNAL = "internal"


class FieldRule(msgspec.Struct, frozen=True):
    """What may become of one field in an answer."""

    shown: ShownTo
    nature: Nature

    @property
    def needs_review(self) -> bool:
        """Whether a person must read it before it is sent (EXP-07)."""
        return self.shown is not ShownTo.NEVER and self.nature in (Nature.TEXT, Nature.FILE)


def _own(nature: Nature) -> FieldRule:
    return FieldRule(ShownTo.OWN, nature)


def _file(nature: Nature) -> FieldRule:
    return FieldRule(ShownTo.FILE, nature)


_NEVER = FieldRule(ShownTo.NEVER, Nature.INTERNAL)
_ROW = {"id": _NEVER, "etag": _NEVER}
_OWN_DATE = _own(Nature.DATE)
_OWN_CHOICE = _own(Nature.CHOICE)
_OWN_REFERENCE = _own(Nature.REFERENCE)
_FILE_DATE = _file(Nature.DATE)
_FILE_CHOICE = _file(Nature.CHOICE)
_FILE_TEXT = _file(Nature.TEXT)
_FILE_REFERENCE = _file(Nature.REFERENCE)

_CONTACT = {
    "first_name": _own(Nature.NAME),
    "last_name": _own(Nature.NAME),
    "birth_on": _own(Nature.BIRTH_DATE),
    "birth_year": _own(Nature.NUMBER),
    "birth_month": _own(Nature.NUMBER),
    "stated_age": _own(Nature.NUMBER),
    "stated_on": _OWN_DATE,
    "birth_place": _own(Nature.ADDRESS),
    "national_number": _own(Nature.NATIONAL_NUMBER),
    "gender": _OWN_CHOICE,
    "email": _own(Nature.EMAIL),
    "email_2": _own(Nature.EMAIL),
    "phone": _own(Nature.PHONE),
    "mobile": _own(Nature.PHONE),
    "street": _own(Nature.ADDRESS),
    "postcode": _own(Nature.ADDRESS),
    "city": _own(Nature.ADDRESS),
    "country": _own(Nature.ADDRESS),
    "language": _OWN_CHOICE,
    "deceased_on": _OWN_DATE,
    "newsletter": _OWN_CHOICE,
    "newsletter_consent_on": _OWN_DATE,
    "no_bulk_email": _OWN_CHOICE,
    "description": _own(Nature.TEXT),
    "picture": _own(Nature.FILE),
    "image": _NEVER,  # the same picture as a column that is emptied
    "no_contact": _NEVER,  # a place of safety; whoever asks in somebody's name must not learn of it (IDV-05)
    "parent": _NEVER,
    "parent_kind": _NEVER,
    "anonymised_on": _NEVER,
}

_DOSSIER = {
    "number": _FILE_REFERENCE,
    "categories": _FILE_CHOICE,
    "outcome": _FILE_CHOICE,
    "outcome_on": _FILE_DATE,
    "opened_on": _FILE_DATE,
    "closed_on": _FILE_DATE,
    "reopened_on": _FILE_DATE,
    "proceedings_ended_on": _FILE_DATE,
    "is_active": _FILE_CHOICE,
    "public_alert": _FILE_CHOICE,
    "court_reference": _FILE_REFERENCE,
    "summary": _FILE_TEXT,
    "reviewed_on": _NEVER,
    "legal_hold": _NEVER,  # tells of proceedings that the person may not know of
    "legal_hold_reason": _NEVER,
    "anonymised_on": _NEVER,
}

_FICHE = {
    "number": _FILE_REFERENCE,
    "categories": _FILE_CHOICE,
    "communicated_on": _FILE_DATE,
    "communicated_at": _FILE_DATE,
    "created_on": _FILE_DATE,
    "channel": _FILE_CHOICE,
    "summary": _FILE_TEXT,
    "transmitted_on": _FILE_DATE,
    "transmitted_to": _file(Nature.RECIPIENT),
    "transmitted_country": _FILE_CHOICE,
    "transfer_basis": _FILE_REFERENCE,
    # By these the person who called would be known (EXP-06, R-119): a grandparent, in French, from this
    # number.
    "reporter_kind": _OWN_CHOICE,
    "language": _OWN_CHOICE,
    "caller_number": _own(Nature.PHONE),
    "caller_email": _own(Nature.EMAIL),
    "ip_address": _own(Nature.IP_ADDRESS),
    "dossier": _NEVER,
    "anonymised_on": _NEVER,
}

_PARTY = {
    "role": _OWN_CHOICE,
    "name": _own(Nature.NAME),
    "authority_evidence": _own(Nature.TEXT),
    "authority_valid_until": _OWN_DATE,
    "notes": _own(Nature.TEXT),
    "suspect_until": _NEVER,  # SUS-02, SUS-05
    "contact": _NEVER,
    "dossier": _NEVER,
    "fiche": _NEVER,
}

_RECORDING = {
    "name": _FILE_TEXT,
    "channel": _FILE_CHOICE,
    "started_on": _FILE_DATE,
    "started_at": _FILE_DATE,
    "ended_on": _FILE_DATE,
    "ended_at": _FILE_DATE,
    "taken_over": _FILE_CHOICE,
    "evidence": _FILE_CHOICE,
    "transcript": _FILE_TEXT,
    "media": _file(Nature.FILE),
    "caller_number": _own(Nature.PHONE),
    "dossier": _NEVER,
    "fiche": _NEVER,
    "storage_uri": _NEVER,
}

_NOTE = {
    "subject": _FILE_TEXT,
    "text": _FILE_TEXT,
    "file_name": _FILE_TEXT,
    "media_type": _FILE_CHOICE,
    "evidence": _FILE_CHOICE,
    "created_on": _FILE_DATE,
    "created_at": _FILE_DATE,
    "body": _file(Nature.FILE),
    "is_document": _NEVER,
    "regarding": _NEVER,
    "regarding_kind": _NEVER,
}

_CALL = {
    "subject": _FILE_TEXT,
    "text": _FILE_TEXT,
    "number": _own(Nature.PHONE),
    "is_outgoing": _FILE_CHOICE,
    "ended_at": _FILE_DATE,
    "regarding": _NEVER,
    "regarding_kind": _NEVER,
}

_EMAIL = {
    "subject": _FILE_TEXT,
    "text": _FILE_TEXT,
    "sender": _own(Nature.EMAIL),
    "recipients": _own(Nature.EMAIL),  # several, apart by `;`: each by itself
    "sent_on": _FILE_DATE,
    "sent_at": _FILE_DATE,
    "created_on": _FILE_DATE,
    "regarding": _NEVER,
    "regarding_kind": _NEVER,
}

# A field that is not here is shown to nobody. Statistics are about nobody (5.4).
FIELDS: Final[Mapping[str, Mapping[str, FieldRule]]] = MappingProxyType(
    {
        "contact": _ROW | _CONTACT,
        "dossier": _ROW | _DOSSIER,
        "fiche": _ROW | _FICHE | {"also_in": _NEVER},
        "party": _ROW | _PARTY,
        "recording": _ROW | _RECORDING,
        "donation": _ROW
        | {"name": _OWN_REFERENCE, "booked_on": _OWN_DATE, "amount": _own(Nature.NUMBER), "iban": _own(Nature.ACCOUNT), "contact": _NEVER},
        "enrolment": _ROW
        | {"name": _OWN_REFERENCE, "course": _OWN_REFERENCE, "kind": _OWN_CHOICE, "held_on": _OWN_DATE, "contact": _NEVER},
        "engagement": _ROW
        | {"name": _OWN_REFERENCE, "kind": _OWN_CHOICE, "started_on": _OWN_DATE, "ended_on": _OWN_DATE, "contact": _NEVER},
        "note": _ROW | _NOTE,
        "call": _ROW | _CALL,
        "email": _ROW | _EMAIL,
        "activity_party": _ROW
        | {
            "name": _own(Nature.NAME),
            "address": _own(Nature.EMAIL),
            "participation": _OWN_CHOICE,
            "activity": _NEVER,
            "party": _NEVER,
            "party_kind": _NEVER,
        },
        "statistic": _ROW
        | dict.fromkeys(
            (
                "name",
                "year",
                "category",
                "province",
                "age_band",
                "sex",
                "outcome",
                "channel",
                "reporter_kind",
                "duration_band",
                "fiches_band",
                "count",
            ),
            _NEVER,
        ),
    }
)


def rule_for(kind: str, field: str) -> FieldRule:
    """Return the rule of a field. A field without one is shown to nobody."""
    return FIELDS.get(kind, {}).get(field, _NEVER)


def fields_of(kind: str, *natures: Nature) -> tuple[str, ...]:
    """Return the fields of a kind that hold something of these natures."""
    return tuple(name for name, rule in FIELDS[kind].items() if rule.nature in natures)


def rules_of(kind: Kind) -> Mapping[str, FieldRule]:
    """Return the rules of all fields of a kind. What a dependent table says is told like the story of a file:
    to whom the file is disclosed, texts once a person has read them; who is named in it by a link is not. A
    further text is told like the others of its kind: of files and what belongs to them with the file, of a
    person to that person."""
    if kind.own is None:
        further = _FILE_TEXT if kind.is_file or kind.depends or kind.word == "recording" else _own(Nature.TEXT)
        return {**FIELDS[kind.word], **dict.fromkeys(kind.further, further)} if kind.further else FIELDS[kind.word]
    told = {name: Nature(nature) for name, nature in kind.natures.items()}
    return {name: _NEVER if nature is Nature.INTERNAL else _file(nature) for name, nature in told.items()}


def needed_by(kinds: Collection[str]) -> frozenset[str]:
    """Return the columns of a contact that relations of these kinds need. An agreement needs more than a gift
    or a course (EXP-01)."""
    return _OF_AGREEMENTS if "engagement" in kinds else _OF_RELATIONS
