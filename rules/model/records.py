"""The CRM's rows in the product's words, and the units of the schedule.

A record holds civil dates (DAT-01, DAT-08), keys instead of option values, and None where
the CRM has nothing or the column was not requested. Records are msgspec structs because a nightly run decodes
every row of the CRM into one."""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from functools import cache
from typing import ClassVar, Final

import msgspec

# What stands for the categories of a fiche whose table records none: those of its dossier. No key is like it.
OF_ITS_DOSSIER: Final = "@dossier"


class Record(msgspec.Struct, gc=False, kw_only=True):
    """One CRM row. `id` is lower case without braces; `etag` is the version read, as the CRM gave it. `table`
    is the row's table where rows of its kind come from several: a class of its own for each of them."""

    table: ClassVar[str] = ""

    id: str = ""
    etag: str = ""


class Dossier(Record, gc=False, kw_only=True):
    """All fiches about one person (policy §4.2). `categories` is empty where the column is; an unmapped
    option stands as its number."""

    categories: tuple[str, ...] = ()
    outcome: str | None = None
    opened_on: date | None = None
    closed_on: date | None = None
    reopened_on: date | None = None
    proceedings_ended_on: date | None = None
    reviewed_on: date | None = None
    is_active: bool | None = None
    public_alert: bool | None = None
    legal_hold: bool | None = None
    anonymised_on: date | None = None


class Fiche(Record, gc=False, kw_only=True):
    """One communication. A fiche without `dossier` is a lone fiche (RET-02); `also_in` are the other dossiers
    of one that is in several. Where its table records no category, `categories` says that it
    goes by its dossier."""

    dossier: str | None = None
    also_in: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    communicated_on: date | None = None
    created_on: date | None = None
    transmitted_on: date | None = None
    channel: str | None = None
    reporter_kind: str | None = None
    anonymised_on: date | None = None

    @property
    def dossiers(self) -> tuple[str, ...]:
        """Every dossier that it is in."""
        return (self.dossier, *self.also_in) if self.dossier is not None else ()


class Party(Record, gc=False, kw_only=True):
    """A person's role in one dossier or one fiche; never a property of the contact (SUS-02)."""

    contact: str | None = None
    dossier: str | None = None
    fiche: str | None = None
    role: str | None = None


class Contact(Record, gc=False, kw_only=True):
    """A person. `parent_kind` is `account` or `contact`, the table that `parent` points to."""

    birth_on: date | None = None
    birth_year: int | None = None
    birth_month: int | None = None
    stated_age: int | None = None
    stated_on: date | None = None
    national_number: str | None = None
    parent: str | None = None
    parent_kind: str | None = None
    newsletter: bool | None = None
    gender: str | None = None
    postcode: str | None = None
    country: str | None = None
    birth_place: str | None = None
    image: str | None = None
    description: str | None = None
    anonymised_on: date | None = None


class Recording(Record, gc=False, kw_only=True):
    """A stored phone or chat conversation (policy §6), of a fiche or of a dossier itself. `storage_uri`: its
    content is outside the CRM."""

    dossier: str | None = None
    fiche: str | None = None
    channel: str | None = None
    started_on: date | None = None
    ended_on: date | None = None
    taken_over: bool | None = None
    evidence: bool | None = None
    storage_uri: str | None = None


class Donation(Record, gc=False, kw_only=True):
    """A gift; an active relation of its contact (RET-20)."""

    contact: str | None = None
    booked_on: date | None = None


class Enrolment(Record, gc=False, kw_only=True):
    """A course followed; an active relation of its contact (RET-20). `kind` distinguishes courses where the
    organisation does."""

    contact: str | None = None
    kind: str | None = None
    held_on: date | None = None


class Engagement(Record, gc=False, kw_only=True):
    """An agreement with a volunteer, trainee or employee, distinguished by `kind`; an active relation until
    it has ended (RET-20)."""

    contact: str | None = None
    kind: str | None = None
    ended_on: date | None = None


class Note(Record, gc=False, kw_only=True):
    """A note or attachment. `regarding_kind` is the kind of row it belongs to: dossier, fiche, contact,
    recording, or None if unmapped. `subject` and `text` are written for a notice of our own, and never
    read."""

    regarding: str | None = None
    regarding_kind: str | None = None
    subject: str | None = None
    text: str | None = None
    is_document: bool | None = None
    media_type: str | None = None
    evidence: bool | None = None
    created_on: date | None = None


class Call(Record, gc=False, kw_only=True):
    """A telephone call as an activity."""

    regarding: str | None = None
    regarding_kind: str | None = None


class Email(Record, gc=False, kw_only=True):
    """An e-mail as an activity. Attached to nothing, it is a unit of its own (RET-05)."""

    regarding: str | None = None
    regarding_kind: str | None = None
    sent_on: date | None = None
    created_on: date | None = None


class ActivityParty(Record, gc=False, kw_only=True):
    """A participant of an activity; it cannot be deleted by itself and is deleted with its activity."""

    activity: str | None = None
    party: str | None = None
    party_kind: str | None = None


class Dependent(Record, gc=False, kw_only=True):
    """A row of a table of the organisation's own that goes with what it belongs to: `regarding`, of the kind
    `regarding_kind`, which may be such a table again; the others where it has several links. Where a table of
    links ties it to several of them, or several point to it, `tied` are the others (`of_kind`)."""

    regarding: str | None = None
    regarding_kind: str | None = None
    regarding_2: str | None = None
    regarding_2_kind: str | None = None
    regarding_3: str | None = None
    regarding_3_kind: str | None = None
    regarding_4: str | None = None
    regarding_4_kind: str | None = None
    tied: tuple[str, ...] = ()


_OF_KIND = ":"


def of_kind(kind: str, row: str) -> str:
    """Return a row among the `tied` of another, with its kind; an empty kind is that of none."""
    return f"{kind}{_OF_KIND}{row}"


def tied_to(tied: Iterable[str], kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield the kind and id of each of the `tied`; `kind` is that of those which do not say theirs."""
    for each in tied:
        said, mark, row = each.rpartition(_OF_KIND)
        yield (said if mark else kind or ""), row


REGARDING = ("regarding", "regarding_2", "regarding_3", "regarding_4")  # by how many links such a row may belong to others


_DEPENDENT: Final[dict[str, type[Dependent]]] = {}


def dependent_record(table: str) -> type[Dependent]:
    """Return the class of the rows of one such table, named like it; the table's name is also the word of
    their kind. All threads get the same: rows are told apart by it."""
    found = _DEPENDENT.get(table)
    if found is None:
        made: type[Dependent] = msgspec.defstruct(table, [], bases=(Dependent,), module=__name__, gc=False, kw_only=True)  # type: ignore[assignment]
        found = _DEPENDENT.setdefault(table, made)
    return found


class _Kinds(dict[str, type[Record]]):
    """By word. What is not one of our words is a table of the organisation's own."""

    def __missing__(self, word: str) -> type[Record]:
        return dependent_record(word)


class Statistic(Record, gc=False, kw_only=True):
    """What may outlive a dossier: no identifier of its source (5.2). `count` is 1, or the number in a row of
    totals."""

    name: str | None = None
    year: int | None = None
    category: str | None = None
    province: str | None = None
    age_band: str | None = None
    sex: str | None = None
    outcome: str | None = None
    channel: str | None = None
    reporter_kind: str | None = None
    duration_band: str | None = None
    fiches_band: str | None = None
    count: int | None = None


# The kinds of record, by the word that mapping files use: those that every organisation has. The word of a
# dependent table (`dependent` in the mapping) leads to its record too, though it is not listed.
KINDS: dict[str, type[Record]] = _Kinds()
KINDS |= {
    "dossier": Dossier,
    "fiche": Fiche,
    "party": Party,
    "contact": Contact,
    "recording": Recording,
    "donation": Donation,
    "enrolment": Enrolment,
    "engagement": Engagement,
    "note": Note,
    "call": Call,
    "email": Email,
    "activity_party": ActivityParty,
    "statistic": Statistic,
}


@cache
def word_of(record: type[Record]) -> str:
    """Return the word for the kind of which this class has rows, with or without what they say about people,
    of one table or of all; empty where it is not a kind of row."""
    if issubclass(record, Dependent):
        return record.__name__ if record is not Dependent else ""
    return next((word for word, kind in KINDS.items() if issubclass(record, kind)), "")


class UnitKind(StrEnum):
    """What ends as one (2.1); the value is the kind of record that stands for it."""

    __hash__ = str.__hash__

    DOSSIER = "dossier"
    FICHE = "fiche"
    RECORDING = "recording"
    ATTACHMENT = "note"
    EMAIL = "email"
    DONATION = "donation"
    ENROLMENT = "enrolment"
    ENGAGEMENT = "engagement"
    OWN_TABLE = "own_table"  # rows of a dependent table that have a term of their own
    CONTACT = "contact"


def unit_kind(word: str) -> UnitKind:
    """Return what ends as one with a row of a kind, by its word: a dependent table's is a unit where it has a
    term. Raises ValueError: no unit is of this kind."""
    return UnitKind(word) if word in KINDS else UnitKind.OWN_TABLE


# What makes a person known to the organisation outside its missions (2.3); each a unit where the schedule has
# a row in force for it.
RELATION_KINDS = (UnitKind.DONATION, UnitKind.ENROLMENT, UnitKind.ENGAGEMENT)


class Unit(msgspec.Struct, gc=False):
    """What ends as one, with every fact that its retention end depends on.

    A dossier carries its fiches and, in `children`, the contact of each party with the role `child` on it or
    on one of its fiches (None for a child party without contact). A lone fiche carries itself in `fiches`. A
    recording or audio attachment carries its fiche, if any, in `fiches`, and the unit of that fiche's
    dossier, or of its own, in `belongs_to`: holds reach it from there (HLD-04), and with an evidence mark it
    follows that unit (RET-05). A donation, enrolment or engagement stands in `relation`, and so does a row of
    a dependent table that has a term of its own: with `belongs_to` the file, and in `children` the person,
    that it belongs to. Fiches come in no particular order."""

    kind: UnitKind
    id: str
    etag: str
    dossier: Dossier | None = None
    fiches: list[Fiche] = []
    children: list[Contact | None] = []
    recording: Recording | None = None
    note: Note | None = None
    email: Email | None = None
    belongs_to: "Unit | None" = None
    relation: Donation | Enrolment | Engagement | Dependent | None = None

    def above(self) -> "Iterator[Unit]":
        """Yield what it belongs to, and what that belongs to: the dossiers of a fiche that is in several."""
        level = self.belongs_to
        while level is not None:
            yield level
            level = level.belongs_to

    @property
    def word(self) -> str:
        """The word for the kind of the row that the unit is."""
        return self.kind.value if self.kind is not UnitKind.OWN_TABLE else word_of(type(self.row))

    @property
    def row(self) -> Record:
        """The row of the CRM that the unit is. Raises ValueError: it was not read, or is a contact."""
        lone = next((fiche for fiche in self.fiches if fiche.id == self.id), None)
        file: Record | None = lone if self.kind is UnitKind.FICHE else self.dossier if self.kind is UnitKind.DOSSIER else None
        row = file or self.recording or self.note or self.email or self.relation
        if row is None or row.id != self.id:
            raise ValueError(f"the row of a {self.kind.value} was not read")
        return row
