"""A subject request: its row in the register, and the sealed parts of its working area.

The register says nothing about anybody: who asked, what was found and what may be disclosed are in parts,
each sealed with a key of the request that is destroyed when its time has come (ACC-08, IDN-19, EXP-17). In
the register a person who is unknown and one about whom nothing may be said look the same (SUS-07)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

import msgspec

from rules.model.references import short_reference
from rules.model.requests import Channel, IdentityMethod, Mandate, Outcome, RequesterKind, RequestState, Right

CONTACT_KIND: Final = "contact"


class IdentityCheck(msgspec.Struct, frozen=True):
    """How somebody was identified; of the proof only method, day and verifier are kept (IDV-02). `mandate` is
    for on-behalf requests."""

    method: IdentityMethod
    at: datetime
    who: str
    mandate: Mandate | None = None
    child_agrees: bool = False


class Suspension(msgspec.Struct, frozen=True):
    """A question to the person, from the day it was asked to the day it was answered. `counts`: it was asked
    in time (DDL-07). `reminded_on` is the day on which a reminder was found to be due (DDL-08)."""

    reason: str  # identity | scope
    asked_on: date
    counts: bool
    answered_on: date | None = None
    reminded_on: date | None = None


class Extension(msgspec.Struct, frozen=True):
    """Two further months, of which the person was notified in time (DDL-06)."""

    reason: str  # complexity | number
    notified_at: datetime


class RequestApproval(msgspec.Struct, frozen=True):
    """One person's approval: `step` is content, release, or override with the `rule` that is overridden and a
    reason code."""

    step: str
    who: str
    role: str
    at: datetime
    rule: str = ""
    reason: str = ""


class SubjectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the register (ACC-08), without a name.

    `received_on` is the civil day of `received_at` (DDL-02). `language` is that of the request; that of
    the answer follows from what is found (EXP-11). `resumes_to` is the state that a suspension interrupts.
    `answer` is package, neutral or dpo_review once it is compiled; `refusal` the RF code of a refusal.
    `package_sha256` is the hash of what was released, `link` the SHA-256 of the download's token; at each of
    the `renewals` its number of downloads began again. `transitions` counts steps: a row that was read
    before one is not that of now, even where the step has changed a sealed part alone."""

    id: str
    right: Right
    requester_kind: RequesterKind
    channel: Channel
    received_at: datetime
    received_on: date
    language: str
    on_behalf: bool
    state: RequestState = RequestState.RECEIVED
    resumes_to: RequestState | None = None
    identity: IdentityCheck | None = None
    suspensions: tuple[Suspension, ...] = ()
    extension: Extension | None = None
    approvals: tuple[RequestApproval, ...] = msgspec.field(name="words", default=())  # so named in stored requests
    answer: str = ""
    scope: str = ""
    outcome: Outcome | None = None
    refusal: str = ""
    released_at: datetime | None = None
    closed_at: datetime | None = None
    misdelivered_at: datetime | None = None
    package_sha256: str = ""
    link: str = ""
    link_until: datetime | None = None
    downloads: tuple[datetime, ...] = ()
    renewals: tuple[datetime, ...] = ()
    crm: str = ""  # the CRM that the steps were taken on; empty until there was one
    transitions: int = msgspec.field(name="moves", default=0)  # so named in stored requests

    @property
    def reference(self) -> str:
        """The short number by which letters, messages and people on the telephone name it."""
        return short_reference(self.id, self.received_on.year)

    @property
    def version(self) -> str:
        """What tells it from itself before or after a step that somebody takes."""
        return f"{self.transitions}-{self.state.value}"

    @property
    def is_closed(self) -> bool:
        return self.state is RequestState.CLOSED

    @property
    def is_answered(self) -> bool:
        return self.state in (RequestState.RELEASED, RequestState.CLOSED)


class GivenPerson(msgspec.Struct, frozen=True):
    """What a requester says of a person, as it was typed; `birthdate` is a day in ISO form or empty."""

    firstname: str = ""
    lastname: str = ""
    birthdate: str = ""
    nationalnumbers: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class Details(msgspec.Struct, frozen=True):
    """What a right other than access asks for, where the form says it; all of it may be left out.

    `corrections` are fields (as in `given`, and those of the address) with what they should say; `statement`
    is what the person wants added to a contested one. `about` says what an objection, a restriction or a
    withdrawal is about: direct_marketing, recording, processing; accuracy, unlawful, claim, objection;
    newsletter, image, testimonial. `audio`: the person asks for the sound of recordings (EXP-08)."""

    corrections: dict[str, str] = {}
    statement: str = ""
    about: str = ""
    audio: bool = False


class Given(msgspec.Struct, frozen=True):
    """The sealed part `given`: who asks, and for which child. Erased when its time has come (ACC-08)."""

    requester: GivenPerson
    on_behalf_of: GivenPerson | None = None
    details: Details = Details()


class Candidate(msgspec.Struct, frozen=True):
    """A row that may be about the person. `person` is requester or child, `strength` a class of IDN-17,
    `flags`, `evidence` are codes. `born_in` and `number`, masked (IDN-08), are of a contact, for a person to
    recognise them."""

    candidate: str
    person: str
    table: str
    kind: str
    id: str
    strength: str
    flags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    born_in: int | None = None
    number: str = ""


class Candidates(msgspec.Struct, frozen=True):
    """The sealed part `candidates`: what the last search found, and where it did not look (EXP-03);
    `left_out` are the fields of which something that was given could not be looked for."""

    found: tuple[Candidate, ...]
    not_searched: tuple[str, ...]
    at: datetime
    left_out: tuple[str, ...] = ()


class Confirmed(msgspec.Struct, frozen=True):
    """The sealed part `confirmed`: the candidates that a person says are about the requester or the child, by
    id; none is an answer too."""

    candidates: tuple[str, ...]
    who: str
    at: datetime


class Preserved(msgspec.Struct, frozen=True):
    """The sealed part `frozen`: what the request preserves from disposal, confirmed or not (HLD-08). It is
    kept until the grace period is over."""

    contacts: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    at: datetime

    @classmethod
    def of(cls, candidates: Iterable[Candidate], at: datetime, before: "Preserved | None" = None) -> "Preserved":
        """Return everything that was found, of any class of match, and what was preserved `before`. What was
        there at the receipt stays."""
        found = [(each.kind, each.id) for each in candidates]
        contacts = {row for kind, row in found if kind == CONTACT_KIND}.union(before.contacts if before is not None else ())
        rows = {(kind, row) for kind, row in found if kind != CONTACT_KIND}.union(before.rows if before is not None else ())
        return cls(tuple(sorted(contacts)), tuple(sorted(rows)), at)


class Handover(msgspec.Struct, frozen=True):
    """The sealed part `handover`: what goes with a package that was released from a page, or by a command
    that was cut off before it had written its files, until somebody has passed it on. `message` takes the
    link to the person; the passphrase goes in another way."""

    passphrase: str
    message: str


# The names of the sealed parts.
KEEP = "keep"  # the step of an entry: what a request keeps was stored once more after it was closed
GIVEN, CANDIDATES, CONFIRMED, PRESERVED = "given", "candidates", "confirmed", "frozen"  # the last as stored parts are named
COMPILATION, DECISIONS, PACKAGE, REVIEW_PAGE = "compilation", "decisions", "package", "review_page"
HANDOVER, PLAIN_COPY = "handover", "plain_copy"
WRITTEN_OUT = frozenset({REVIEW_PAGE, PLAIN_COPY})  # these say where files of the answer are, which go with them
