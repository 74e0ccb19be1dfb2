"""Holds that people place and release: what each says, whether it is in force, and what a new one must look
like. Source: HLD-01, HLD-02, HLD-03, HLD-09, HLD-11."""

import re
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from rules.dates.periods import add_months
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.holds.conditions import Condition
from rules.holds.excluded_reasons import NOT_A_HOLD, is_no_reason
from rules.holds.holds import Hold
from rules.model.decisions import Reason
from rules.model.references import NAMED_OR_CODED

REVIEW_MONTHS: Final = 12  # HLD-01
# The reason code of a complaint about the refusal to erase: the one that a DPO may overrule (table 4.2, rank
# 3).
ERASURE_REFUSED: Final = "ERASURE_REFUSED"
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


class HoldType(StrEnum):
    """Why a hold is placed. A pending request is a hold by itself; it is never placed (HLD-08)."""

    LEGAL = "legal"
    JUDICIAL = "judicial"
    COMPLAINT = "complaint"
    REQUEST = "request"
    RESTRICTION = "restriction"
    OBJECTION = "objection"


REASON_OF: Final = MappingProxyType({kind: Reason[f"HOLD_{kind.name}"] for kind in HoldType})
OBTAINABLE: Final = frozenset({HoldType.RESTRICTION, HoldType.OBJECTION})  # what a person obtains, and may overrule by asking for erasure
PLACEABLE: Final = tuple(kind for kind in HoldType if kind is not HoldType.REQUEST)


class HoldState(StrEnum):
    """`active` is in force, `ended` is past its last day, `released` was lifted by a second person."""

    ACTIVE = "active"
    ENDED = "ended"
    RELEASED = "released"


class PlacedHold(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction to keep data, as the DPO gave it.

    It is on one row (`kind`, `row`), on everything of a person (`everything`; the row is a contact), or on
    anything that meets `conditions` (then `row` is empty). `table` is the kind's logical name in the CRM.
    `ends_on` is the last day; `review_on` is when a person looks again, and releases nothing. `reason_code`
    and `basis` hold no personal data. `obtained_by` are the contacts of the person who obtained a restriction
    or has objected, where that is known: their own granted erasure passes it, and nobody else's does (4.2,
    ranks 5 and 6). `obtained_for` are those among them of the child in whose name it was: once of age, the
    child alone passes it (RGT-01, RGT-07)."""

    id: str
    type: HoldType
    kind: str
    table: str
    row: str = ""
    everything: bool = False
    conditions: tuple[Condition, ...] = ()
    reason_code: str
    basis: str
    obtained_by: tuple[str, ...] = ()
    obtained_for: tuple[str, ...] = ()
    placed_by: str
    placed_at: datetime
    ends_on: date | None = None
    review_on: date
    released_by: str = ""
    released_at: datetime | None = None
    release_asked_by: str = ""
    release_reason: str = ""
    notified_on: date | None = None
    crm: str = ""  # whose row it is; empty in a hold that was placed before CRMs were told apart
    is_unseen: bool = False  # nobody has seen its row: the CRM did not answer, or, once it was looked up, has none
    looked_up_at: datetime | None = None  # when the row of a hold that was placed unseen was looked for

    @property
    def reason(self) -> Reason:
        return REASON_OF[self.type]

    @property
    def told_reason(self) -> str:
        """The reason code as anybody may see it: of a request only that it is one (SUS-07, ACC-08)."""
        return NAMED_OR_CODED.sub("REQUEST", self.reason_code)

    def state(self, day: date) -> HoldState:
        """Return the state of the hold on a civil day. Its last day is still covered (HLD-03)."""
        if self.released_at is not None:
            return HoldState.RELEASED
        return HoldState.ENDED if self.ends_on is not None and day > self.ends_on else HoldState.ACTIVE

    def is_in_force(self, day: date) -> bool:
        """Return whether the hold covers a civil day: not released, and the day is not after its last one."""
        return self.state(day) is HoldState.ACTIVE

    def is_overdue(self, day: date) -> bool:
        """Return whether the review was not done in time, which is reported and never a release (HLD-03)."""
        return self.is_in_force(day) and day > self.review_on

    def on_row(self, kind: str, row: str, day: date) -> Hold:
        """Return this hold as it applies to one row, its own or one that it reaches."""
        about_erasure = self.type is HoldType.COMPLAINT and self.reason_code.upper() == ERASURE_REFUSED
        return Hold(
            self.id,
            self.reason,
            kind,
            row,
            is_overdue=self.is_overdue(day),
            persons=self.obtained_by,
            child=self.obtained_for,
            is_about_erasure=about_erasure,
            since=self.placed_at,
        )


def check_new(hold: PlacedHold, day: date) -> None:
    """Refuse a hold that may not be placed on this day.

    Raises:
        Refused: the reason is statistics, a study, research, training or quality (NOT_A_HOLD).
        UsageError: a request, which is a hold by itself; a reason that is not a code; a last day in the
            past; no review within 12 months.

    Source: HLD-01, HLD-11, RET-22, R-049."""
    if is_no_reason(hold.reason_code, hold.basis, is_investigation=hold.type in (HoldType.LEGAL, HoldType.JUDICIAL)):
        raise Refused(
            f"{NOT_A_HOLD}: statistics, studies, research, training and quality do not keep personal data longer",
            hint="statistics are made at disposal without a hold; copy into the dossier what it needs (HLD-11, RET-22)",
            code=NOT_A_HOLD.lower(),
        )
    if hold.type not in PLACEABLE:
        raise UsageError("a pending request is a hold by itself", hint=hint_to("open_request"), field="type")
    if not _CODE.fullmatch(hold.reason_code):
        raise UsageError("the reason is a code without spaces", hint="such as LIT-2026-014", field="reason")
    if not hold.basis.strip():
        raise UsageError("the legal basis is missing", hint='such as "claim before the court"; no personal data', field="basis")
    if hold.obtained_by and hold.type not in OBTAINABLE:
        raise UsageError("only a restriction or an objection is somebody's own", hint="leave out who obtained it", field="obtained_by")
    if hold.ends_on is not None and hold.ends_on < day:
        raise UsageError("the last day of the hold is in the past", field="ends_on")
    last = add_months(day, REVIEW_MONTHS)
    if not day <= hold.review_on <= last:
        what = f"the review is due within {REVIEW_MONTHS} months, and not in the past"
        raise UsageError(what, hint=f"a day from {day} to {last} (HLD-01)", field="review_on")


def check_notice(hold: PlacedHold, notified_on: date | None, *, placed_on: date, day: date) -> None:
    """Refuse to lift a restriction before the person has been informed: on the day of the lifting at the
    latest, not before it was obtained. Raises Refused: with code `notice`. Source: HLD-09, GDPR art. 18(3),
    R-074."""
    missing = notified_on is None and hold.type is HoldType.RESTRICTION
    if missing or (notified_on is not None and not placed_on <= notified_on <= day):
        raise Refused(
            "the person is told before a restriction is lifted" if missing else "the notice lies in the future, or before the hold",
            hint=hint_to("say_when_told"),
            where=hold.id,
            code="notice",
        )
