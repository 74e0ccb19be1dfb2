"""What a granted erasure may overrule: the third column of table 4.2 (HLD-12, R-078, R-079)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.holds.erasure_rulings import GrantedErasure, Ruling, rule_on
from rules.holds.holds import Hold
from rules.holds.of_requests import RequestHold
from rules.holds.precedence import HOLD_REASONS, RANKS
from rules.model.decisions import Reason

LOTTE, BRAM = "lotte", "bram"
BLOCKED, ANSWER_FIRST, DPO, ALLOWED = Ruling
ERASURE = GrantedErasure("request-9", frozenset({LOTTE}))
DECIDED = GrantedErasure("request-9", frozenset({LOTTE}), dpo_decided=True)


def a_hold(reason: Reason, **facts: Any) -> Hold:
    return Hold("hold-1", reason, "dossier", "one", **facts)


def asked(right: str, who: str = LOTTE, *, closed_on: date | None = None, request: str = "request-1") -> Hold:
    request_hold = RequestHold(request=request, right=right, contacts=(who,), closed_on=closed_on)
    reason = request_hold.reason(date(2026, 1, 1), grace_days=30)
    assert reason is not None
    return request_hold.on_row("dossier", "one", reason)


def ruled(*holds: Hold, reasons: tuple[Reason, ...] = (), erasure: GrantedErasure = ERASURE) -> Ruling:
    return rule_on(reasons, holds, erasure).ruling


TAIL = date(2025, 12, 20)


@pytest.mark.parametrize(
    ("hold", "usual", "decided"),
    [
        (a_hold(Reason.HOLD_LEGAL), BLOCKED, BLOCKED),
        (a_hold(Reason.HOLD_LEGAL, source="crm"), BLOCKED, BLOCKED),
        (a_hold(Reason.HOLD_JUDICIAL), BLOCKED, BLOCKED),
        (a_hold(Reason.HOLD_COMPLAINT), BLOCKED, BLOCKED),
        (a_hold(Reason.HOLD_COMPLAINT, persons=(LOTTE,)), BLOCKED, BLOCKED),
        (a_hold(Reason.HOLD_COMPLAINT, is_about_erasure=True), DPO, ALLOWED),
        (asked("access"), ANSWER_FIRST, ANSWER_FIRST),
        (asked("access", BRAM), BLOCKED, BLOCKED),
        (asked("access", closed_on=TAIL), ALLOWED, ALLOWED),
        (asked("access", BRAM, closed_on=TAIL), BLOCKED, BLOCKED),
        (asked("portability"), ANSWER_FIRST, ANSWER_FIRST),
        (asked("rectification"), ANSWER_FIRST, ANSWER_FIRST),
        (asked("erasure", request="request-9"), ALLOWED, ALLOWED),
        (asked("erasure"), ALLOWED, ALLOWED),
        (a_hold(Reason.HOLD_RESTRICTION), BLOCKED, BLOCKED),
        (a_hold(Reason.HOLD_RESTRICTION, persons=(BRAM,)), BLOCKED, BLOCKED),
        (a_hold(Reason.HOLD_RESTRICTION, persons=(LOTTE,)), ALLOWED, ALLOWED),
        (asked("objection"), ALLOWED, ALLOWED),
        (asked("objection", BRAM), BLOCKED, BLOCKED),
    ],
)
def test_each_hold_of_the_table_is_ruled_on_as_it_says(hold: Hold, usual: Ruling, decided: Ruling) -> None:
    assert (ruled(hold), ruled(hold, erasure=DECIDED)) == (usual, decided)


@pytest.mark.parametrize(("who", "is_grown", "ruling"), [(LOTTE, True, ALLOWED), (LOTTE, False, BLOCKED), (BRAM, True, BLOCKED)])
def test_rgt07_what_was_obtained_in_the_name_of_a_child_is_the_childs_once_it_is_of_age(who: str, is_grown: bool, ruling: Ruling) -> None:
    obtained = a_hold(Reason.HOLD_RESTRICTION, persons=(BRAM, LOTTE), child=(LOTTE,))
    assert ruled(obtained, erasure=GrantedErasure("request-9", frozenset({who}), True, is_grown)) is ruling


@pytest.mark.parametrize(
    ("reason", "ruling"),
    [
        (Reason.NO_TERM, DPO),
        (Reason.UNCONFIGURED, DPO),
        (Reason.DATA_ERROR, ALLOWED),
        (Reason.NOT_STARTED, DPO),
        (Reason.OPEN_DOSSIER, DPO),
        (Reason.NOT_EXPIRED, DPO),
        (Reason.EXPIRED, ALLOWED),
        (Reason.ORPHAN_CONTACT, DPO),  # not in the table: a person decides
    ],
)
def test_each_other_reason_of_the_table_is_ruled_on_as_it_says(reason: Reason, ruling: Ruling) -> None:
    assert ruled(reasons=(reason,)) is ruling
    assert ruled(reasons=(reason,), erasure=DECIDED) is ALLOWED


@pytest.mark.parametrize(("reason", "ruling"), [(Reason.HOLD_RESTRICTION, BLOCKED), (Reason.HOLD_OBJECTION, ALLOWED)])
def test_who_asks_for_a_restriction_after_the_erasure_was_granted_wants_that_by_now(reason: Reason, ruling: Ruling) -> None:
    """GDPR art. 18(1)(b): the person opposes the erasure. An objection does not."""
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    granted = GrantedErasure("request-9", frozenset({LOTTE}), True, decided_at=at)
    earlier, later = (a_hold(reason, persons=(LOTTE,), since=at + timedelta(minutes=minutes)) for minutes in (0, 1))
    assert (ruled(earlier, erasure=granted), ruled(later, erasure=granted)) == (ALLOWED, ruling)


def test_r078_the_access_request_is_answered_first() -> None:
    """R-078: pending, then answered; the grace of one's own request does not stand in the way."""
    reasons = (Reason.HOLD_REQUEST, Reason.NOT_EXPIRED)
    before = rule_on(reasons, [asked("access"), asked("erasure", request="request-9")], DECIDED)
    assert (before.ruling, before.because) == (ANSWER_FIRST, (Reason.HOLD_REQUEST,))
    assert rule_on(reasons, [asked("access", closed_on=TAIL), asked("erasure", request="request-9")], DECIDED).ruling is ALLOWED


def test_r079_a_judicial_hold_blocks_and_is_named() -> None:
    """R-079."""
    holds = [a_hold(Reason.HOLD_JUDICIAL), asked("access")]
    verdict = rule_on((Reason.HOLD_JUDICIAL, Reason.HOLD_REQUEST, Reason.NOT_EXPIRED), holds, ERASURE)
    assert (verdict.ruling, verdict.because) == (BLOCKED, (Reason.HOLD_JUDICIAL,))


def test_a_request_that_may_be_somebody_elses_blocks() -> None:
    """Not yet identified: the rows that may be the person are those of two people."""
    doubtful = RequestHold(request="request-1", right="access", contacts=(LOTTE, BRAM)).on_row("dossier", "one", Reason.HOLD_REQUEST)
    assert ruled(doubtful) is BLOCKED


def test_a_hold_reason_without_its_hold_blocks() -> None:
    assert ruled(reasons=(Reason.HOLD_OBJECTION,), erasure=DECIDED) is BLOCKED


HOLDS = st.builds(
    Hold,
    hold_id=st.sampled_from(["hold-1", "request-9"]),
    reason=st.sampled_from(sorted(HOLD_REASONS)),
    kind=st.just("dossier"),
    id=st.just("one"),
    persons=st.sampled_from([(), (LOTTE,), (BRAM,), (LOTTE, BRAM)]),
    right=st.sampled_from(["", "access", "erasure"]),
    is_pending=st.booleans(),
    is_about_erasure=st.booleans(),
)


@given(st.lists(HOLDS, max_size=4), st.sets(st.sampled_from(sorted(set(Reason) - HOLD_REASONS))), st.booleans(), HOLDS)
def test_one_more_hold_never_makes_an_erasure_easier(holds: list[Hold], reasons: set[Reason], decided: bool, more: Hold) -> None:
    erasure = DECIDED if decided else ERASURE
    order = list(Ruling)
    before, after = rule_on(reasons, holds, erasure), rule_on(reasons, [*holds, more], erasure)
    assert order.index(after.ruling) <= order.index(before.ruling)
    assert list(after.because) == sorted(after.because, key=RANKS.__getitem__)
    if any(hold.reason in (Reason.HOLD_LEGAL, Reason.HOLD_JUDICIAL) for hold in holds):
        assert before.ruling is BLOCKED
