"""Requests for tests of the store and of what it shows. Everybody is fictitious."""

from datetime import UTC, date, datetime

import msgspec

from jobs.model.request import SubjectRequest
from rules.model.requests import Channel, RequesterKind, Right

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
OPEN = ("request", {"step": "open"})


def a_request(request: str = "request-1", **changes: object) -> SubjectRequest:
    usual = SubjectRequest(
        id=request,
        right=Right.ACCESS,
        requester_kind=RequesterKind.WITNESS,
        channel=Channel.FORM,
        received_at=AT,
        received_on=date(2026, 3, 2),
        language="nl",
        on_behalf=False,
    )
    return msgspec.structs.replace(usual, **changes)
