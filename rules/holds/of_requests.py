"""What a subject request preserves, and until when. Source: HLD-08, HLD-10, R-035, R-072, R-073."""

from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from rules.holds.holds import REQUEST, Hold
from rules.model.decisions import Reason

# A request for a restriction counts as one until it is decided: what is contested is not destroyed meanwhile.
REASON_OF_RIGHT: Final = MappingProxyType(
    {
        "access": Reason.HOLD_REQUEST,
        "portability": Reason.HOLD_REQUEST,
        "rectification": Reason.HOLD_REQUEST,
        "erasure": Reason.HOLD_REQUEST,
        "restriction": Reason.HOLD_RESTRICTION,
        "objection": Reason.HOLD_OBJECTION,
    }
)


def grace_of(right: str, days: int) -> int:
    """Return how many of the `days` of grace a request has after its closing: none where it preserves only
    until it is decided, as a restriction and an objection do, or nothing at all."""
    return days if REASON_OF_RIGHT.get(right) is Reason.HOLD_REQUEST else 0


class RequestHold(msgspec.Struct, frozen=True, kw_only=True):
    """What holds need to know of one subject request.

    `contacts` are all rows that may be the person, or the child on whose behalf the request is made,
    confirmed or not: doubt keeps. `rows` (kind, id) are what was found without a contact, such as a recording
    of a caller's number. `closed_on` is a civil day, None while pending; `received_at` an instant."""

    request: str
    right: str
    contacts: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    closed_on: date | None = None
    received_at: datetime | None = None

    def reason(self, day: date, *, grace_days: int) -> Reason | None:
        """Return the reason for which the request preserves data on a day; None where it does not (any more).
        The last day is the closing day plus the grace; what is decided, a restriction or an objection, has no
        grace. Consent that is withdrawn preserves nothing."""
        reason = REASON_OF_RIGHT.get(self.right)
        if reason is None or self.closed_on is None:
            return reason
        if reason is not Reason.HOLD_REQUEST:
            return None
        return reason if day <= self.closed_on + timedelta(days=grace_days) else None

    def on_row(self, kind: str, row: str, reason: Reason) -> Hold:
        """Return this hold as it applies to one row."""
        pending = self.closed_on is None
        return Hold(
            self.request,
            reason,
            kind,
            row,
            REQUEST,
            persons=self.contacts,
            right=self.right,
            is_pending=pending,
            since=self.received_at,
        )
