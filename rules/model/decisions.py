"""What the schedule asks, and the codes that say why, in their order: of several reasons to keep a unit, the
one that is named first in `Reason` counts. They are sorted by it in rules/holds/precedence.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec


class Disposition(StrEnum):
    """What happens to a unit after its retention end."""

    __hash__ = str.__hash__  # Enum's own is written in Python, and members are keys a million times a night

    KEEP = "keep"
    DELETE = "delete"
    ANONYMISE = "anonymise"


class Reason(StrEnum):
    """Why a unit is kept or disposed of, in the order of the precedence table (4.2): rank 1 first."""

    __hash__ = str.__hash__  # Enum's own is written in Python, and members are keys a million times a night

    HOLD_LEGAL = "HOLD_LEGAL"
    HOLD_JUDICIAL = "HOLD_JUDICIAL"
    HOLD_COMPLAINT = "HOLD_COMPLAINT"
    HOLD_REQUEST = "HOLD_REQUEST"
    HOLD_RESTRICTION = "HOLD_RESTRICTION"
    HOLD_OBJECTION = "HOLD_OBJECTION"
    NO_TERM = "NO_TERM"
    UNCONFIGURED = "UNCONFIGURED"
    DATA_ERROR = "DATA_ERROR"
    NOT_STARTED = "NOT_STARTED"
    OPEN_DOSSIER = "OPEN_DOSSIER"
    NOT_EXPIRED = "NOT_EXPIRED"
    ORPHAN_CONTACT = "ORPHAN_CONTACT"
    EXPIRED = "EXPIRED"


class Flag(StrEnum):
    """What a person should look at; a flag never changes a disposition."""

    __hash__ = str.__hash__  # Enum's own is written in Python, and members are keys a million times a night

    ANCHOR_FALLBACK = "ANCHOR_FALLBACK"
    BIRTHDATE_AFTER_FIRST_FICHE = "BIRTHDATE_AFTER_FIRST_FICHE"
    BIRTHDATE_APPROXIMATE = "BIRTHDATE_APPROXIMATE"
    BIRTHDATE_CONFLICT = "BIRTHDATE_CONFLICT"
    BIRTHDATE_FUTURE = "BIRTHDATE_FUTURE"
    BIRTHDATE_SENTINEL = "BIRTHDATE_SENTINEL"
    BIRTHDATE_UNKNOWN = "BIRTHDATE_UNKNOWN"
    DISPOSED_NOT_TAKEN_OVER = "DISPOSED_NOT_TAKEN_OVER"
    HOLD_REVIEW_OVERDUE = "HOLD_REVIEW_OVERDUE"
    LONG_TERM_RETENTION = "LONG_TERM_RETENTION"
    OPEN_PAST_END = "OPEN_PAST_END"
    ORPHAN_CONTACT = "ORPHAN_CONTACT"
    ORPHAN_FICHE = "ORPHAN_FICHE"
    OUTCOME_AMBIGUOUS = "OUTCOME_AMBIGUOUS"
    OUTCOME_MISSING = "OUTCOME_MISSING"
    POSSIBLE_DUPLICATE = "POSSIBLE_DUPLICATE"
    RECLASSIFY = "RECLASSIFY"
    REVIEW_DUE = "REVIEW_DUE"
    RRN_PADDED = "RRN_PADDED"
    TAKEOVER_WARNING = "TAKEOVER_WARNING"


class End(msgspec.Struct, frozen=True, gc=False):
    """The retention end that one category gives: `on` is the last day kept, Brussels; None where the category
    has no term or no anchor."""

    category: str
    rule: str
    anchor: str
    anchor_on: date | None
    period: str
    on: date | None
    disposition: Disposition


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What must become of one unit, and why.

    `reasons` is in the order of ranks, the first is the primary one; a disposed unit has just EXPIRED.
    `retention_end` is the last day kept. `categories` are retention keys (the CRM's key where unconfigured,
    empty where missing). `rule` is the rule of the deciding end or reason. `ends` shows the arithmetic, one
    entry a category."""

    disposition: Disposition
    reasons: tuple[Reason, ...]
    retention_end: date | None
    flags: tuple[Flag, ...]
    categories: tuple[str, ...]
    rule: str
    ends: tuple[End, ...] = ()

    @property
    def reason(self) -> Reason:
        return self.reasons[0]

    @property
    def is_disposal(self) -> bool:
        return self.disposition is not Disposition.KEEP

    @property
    def deciding(self) -> End | None:
        """Return the end that decides: the latest, on equal days the one that deletes (RET-11, RET-23); None
        where there is none."""
        return deciding_end(self.ends) if self.retention_end is not None else None


def deciding_end(ends: Iterable[End]) -> End | None:
    """Pick the latest end; on one day `delete` beats `anonymise`, then the first (RET-11, RET-23). The law
    decides so over many units in rules/law/deciding_category.py."""
    best: End | None = None
    best_on = date.min
    for end in ends:
        on = end.on
        if on is None:
            continue
        deletes = best is not None and end.disposition is Disposition.DELETE and best.disposition is not Disposition.DELETE
        if best is None or on > best_on or (on == best_on and deletes):
            best, best_on = end, on
    return best


def with_flags(decision: Decision, *flags: Flag) -> Decision:
    """Return the same decision with more for a person to look at. Flags stay sorted, each once."""
    return msgspec.structs.replace(decision, flags=tuple(sorted({*decision.flags, *flags})))


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trace: the rule, what went in, what came out; JSON values, dates in ISO form."""

    rule: str
    inputs: dict[str, object]
    result: object
