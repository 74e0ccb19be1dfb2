"""What subject requests preserve (HLD-08, HLD-10, R-035, R-073)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.holds.of_requests import REASON_OF_RIGHT, RequestHold, grace_of
from rules.model.decisions import Reason

CLOSED = date(2026, 4, 10)


@pytest.mark.parametrize("right", ["access", "portability", "rectification", "erasure"])
def test_r073_an_answered_request_still_holds_for_thirty_days(right: str) -> None:
    """R-073: closed 2026-04-10, kept on 2026-05-10, disposed of on 2026-05-11."""
    request = RequestHold(request="request-1", right=right, closed_on=CLOSED)
    assert request.reason(date(2026, 5, 10), grace_days=30) is Reason.HOLD_REQUEST
    assert request.reason(date(2026, 5, 11), grace_days=30) is None
    assert RequestHold(request="request-1", right=right).reason(date(2099, 1, 1), grace_days=30) is Reason.HOLD_REQUEST


@pytest.mark.parametrize(("right", "reason"), [("objection", Reason.HOLD_OBJECTION), ("restriction", Reason.HOLD_RESTRICTION)])
def test_what_is_decided_has_no_grace(right: str, reason: Reason) -> None:
    """HLD-10: an objection holds until it is decided."""
    assert RequestHold(request="request-1", right=right).reason(CLOSED, grace_days=30) is reason
    assert RequestHold(request="request-1", right=right, closed_on=CLOSED).reason(CLOSED, grace_days=30) is None


def test_withdrawn_consent_holds_nothing() -> None:
    assert RequestHold(request="request-1", right="consent_withdrawal").reason(CLOSED, grace_days=30) is None


@given(st.sampled_from(sorted(REASON_OF_RIGHT)), st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.integers(0, 90))
def test_the_last_day_is_the_closing_day_plus_the_grace(right: str, day: date, grace: int) -> None:
    request = RequestHold(request="request-1", right=right, closed_on=CLOSED)
    expected = REASON_OF_RIGHT[right] is Reason.HOLD_REQUEST and day <= CLOSED + timedelta(days=grace)
    assert (request.reason(day, grace_days=grace) is not None) is expected


@given(st.sampled_from([*sorted(REASON_OF_RIGHT), "consent_withdrawal"]), st.integers(0, 90))
def test_the_days_that_are_told_are_those_that_it_preserves(right: str, grace: int) -> None:
    """HLD-08, HLD-10."""
    told = grace_of(right, grace)
    request = RequestHold(request="request-1", right=right, closed_on=CLOSED)
    assert (request.reason(CLOSED + timedelta(days=told), grace_days=grace) is not None) is (
        REASON_OF_RIGHT.get(right) is Reason.HOLD_REQUEST
    )
    assert request.reason(CLOSED + timedelta(days=told + 1), grace_days=grace) is None
