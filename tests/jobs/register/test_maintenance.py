"""The nightly maintenance of subject requests (DDL-08, DDL-10, DDL-11, EXP-17, ACC-07, ACC-08)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from crm_compliance.reports.holds import hold_document
from jobs.checks.ledger_drift import differences
from jobs.holds.place import Wanted, place_hold
from jobs.model.outcome import Outcome as JobOutcome
from jobs.model.request import CANDIDATES, COMPILATION, CONFIRMED, DECISIONS, GIVEN, PACKAGE, PRESERVED, SubjectRequest
from jobs.nightly.requests import run_requests
from jobs.register.decision import Decision, Task, What
from jobs.register.hold_texts import request_code
from jobs.register.maintenance import maintain_register
from jobs.register.transitions import close, identify, resume, suspend
from jobs.requests.search.preserve import preserve
from rules.holds.placements import HoldType
from rules.model.requests import IdentityMethod, Outcome, RequestState, Right
from tests.drivers.deciding import dora
from tests.drivers.holding import place, release
from tests.drivers.night import Night
from tests.drivers.requesting import ASKER, changed, registered

ALL = (GIVEN, CANDIDATES, CONFIRMED, PRESERVED, COMPILATION, DECISIONS, PACKAGE)
DECISION = Decision(right=Right.ACCESS, who="dora", at=datetime(2026, 5, 4, 9, tzinfo=UTC))
MAKING = {**dict.fromkeys((CANDIDATES, CONFIRMED, COMPILATION, PACKAGE), b"{}"), DECISIONS: msgspec.json.encode(DECISION)}


@pytest.fixture
def in_may(make_night: Callable[..., Night]) -> Night:
    return make_night(datetime(2026, 5, 4, 9, tzinfo=UTC))


def left(night: Night, request: SubjectRequest) -> set[str]:
    return {name for name in ALL if night.store.requests.part(request.id, name) is not None}


def on(night: Night, moment: datetime) -> JobOutcome:
    night.clock.now = moment
    return run_requests(night.context)


def delivered(night: Night) -> SubjectRequest:
    """A request with every part, delivered now."""
    request = registered(night)
    preserve(night.context, request)
    return changed(
        night, request.id, dict(MAKING), state=RequestState.RELEASED, answer="package", outcome=Outcome.DELIVERED, released_at=night.clock()
    )


def test_r125_an_answer_is_there_for_thirty_days_and_then_gone(in_may: Night) -> None:
    """R-125: delivered on 2026-05-04, there on 2026-06-03, not on 2026-06-04."""
    request = delivered(in_may)
    on(in_may, datetime(2026, 6, 3, 21, 59, 59, tzinfo=UTC))
    assert left(in_may, request) == set(ALL)
    done = on(in_may, datetime(2026, 6, 3, 22, tzinfo=UTC))
    assert left(in_may, request) == {GIVEN, CANDIDATES, CONFIRMED, PRESERVED}
    assert {each["part"] for each in done.document["erased"]} == {COMPILATION, DECISIONS, PACKAGE}


def test_the_names_go_thirty_days_after_the_closing(in_may: Night) -> None:
    """ACC-08, HLD-08: with them the key; the row stays."""
    request = delivered(in_may)
    close(dora(in_may), request.id, "DELIVERED")
    assert left(in_may, request) == {GIVEN, PRESERVED, COMPILATION, DECISIONS, PACKAGE}
    on(in_may, datetime(2026, 6, 3, 21, 59, tzinfo=UTC))
    assert left(in_may, request) == {GIVEN, PRESERVED, COMPILATION, DECISIONS, PACKAGE}
    key = in_may.key.folder / "requests" / f"{request.id}.key"
    assert key.exists()
    on(in_may, datetime(2026, 6, 3, 22, tzinfo=UTC))
    assert left(in_may, request) == set()
    assert not key.exists()
    assert in_may.store.requests.get(request.id).outcome is Outcome.DELIVERED


def test_working_copies_of_what_was_never_sent_go_at_the_closing(in_may: Night) -> None:
    request = registered(in_may)
    changed(in_may, request.id, {COMPILATION: b"{}", DECISIONS: b"{}"}, state=RequestState.REVIEWING, answer="package")
    close(dora(in_may), request.id, "WITHDRAWN")
    assert left(in_may, request) == {GIVEN}


def test_a_decision_outlives_its_day_while_something_granted_waits(in_may: Night) -> None:
    """DDL-12: what could not be carried out yet is not forgotten."""
    request = delivered(in_may)
    waiting = msgspec.structs.replace(DECISION, tasks=(Task("1", What.UNSUBSCRIBE, "contact", "none"),))
    changed(in_may, request.id, {DECISIONS: msgspec.json.encode(waiting)})
    in_may.clock.now = datetime(2026, 6, 10, 9, tzinfo=UTC)
    maintain_register(in_may.store, in_may.policy, in_may.clock(), in_may.key.references)
    assert left(in_may, request) == {GIVEN, CANDIDATES, CONFIRMED, PRESERVED, DECISIONS}
    changed(in_may, request.id, {DECISIONS: msgspec.json.encode(DECISION)})
    maintain_register(in_may.store, in_may.policy, in_may.clock(), in_may.key.references)
    assert DECISIONS not in left(in_may, request)


@pytest.mark.parametrize("by", ["reason", "person", "none"])
def test_the_names_stay_while_a_complaint_follows(in_may: Night, by: str) -> None:
    """ACC-08: a hold that names the request, or is on the person; any other one is about something else."""
    contact, stranger = in_may.contact(**ASKER), in_may.contact(firstname="Iemand", lastname="Anders (fictief)")
    request = delivered(in_may)
    close(dora(in_may), request.id, "DELIVERED")
    person = {"reason": stranger, "person": contact, "none": stranger}[by]
    reason = request.id if by == "reason" else "GBA-1"
    wanted = Wanted(
        type=HoldType.COMPLAINT, person=person, reason_code=reason, basis="GBA", ends_on=date(2026, 8, 1), review_on=date(2026, 8, 1)
    )
    placed = place_hold(in_may.context, wanted, "dora", "dpo")
    assert request.id not in repr(placed), "nobody but the DPO learns from a hold of a request (SUS-07)"
    on(in_may, datetime(2026, 7, 1, 9, tzinfo=UTC))
    assert (GIVEN in left(in_may, request)) is (by != "none")
    on(in_may, datetime(2026, 8, 2, 9, tzinfo=UTC))
    assert left(in_may, request) == set()


def test_a_request_of_which_nothing_is_left_is_asked_about_no_more(in_may: Night) -> None:
    """It stays in the register for years: neither its parts nor the holds are looked at for it each night."""

    def statements(requests: int, day: datetime) -> int:
        closed = [close(dora(in_may), delivered(in_may).id, "DELIVERED") for _ in range(requests)]
        place(in_may, "cf_dossier", in_may.dossier("social_card"), kind="complaint")
        in_may.clock.now = day
        maintain_register(in_may.store, in_may.policy, day, in_may.key.references)
        assert not any(left(in_may, each) for each in closed)
        asked: list[str] = []
        listening = (in_may.store.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
        event.listen(*listening)
        maintain_register(in_may.store, in_may.policy, day, in_may.key.references)
        event.remove(*listening)
        return len(asked)

    assert statements(1, datetime(2026, 7, 1, 9, tzinfo=UTC)) == statements(4, datetime(2026, 9, 1, 9, tzinfo=UTC))


def test_a_night_asks_as_little_about_many_requests_as_about_one(in_may: Night) -> None:
    """Of those that wait nothing was decided yet, of those that were closed nothing is left to be done."""

    def statements(requests: int) -> int:
        for _ in range(requests):
            registered(in_may)
            close(dora(in_may), registered(in_may).id, "WITHDRAWN")
        run_requests(in_may.context)
        asked: list[str] = []
        listening = (in_may.store.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
        event.listen(*listening)
        run_requests(in_may.context)
        event.remove(*listening)
        return len(asked)

    assert statements(1) == statements(4)


def test_a_hold_names_a_request_in_no_words(in_may: Night) -> None:
    """SUS-07, ACC-08: not in its reason, its basis or the reason of its release, by whatever name of the
    request somebody typed."""
    request = delivered(in_may)
    dossier = in_may.dossier("social_card")
    slip = request.reference.lower().replace("0", "o")
    placed = place(in_may, "cf_dossier", dossier, kind="complaint", reason_code=f"AP.{request.id}", basis=f"see {slip} and {request.id}.")
    released = release(in_may, placed, reason=f"{request.reference} is closed")
    code = request_code(in_may.key.reference("request", request.id))
    assert (placed.reason_code, placed.basis) == (f"AP.{code}", f"see {code} and {code}.")
    assert released.release_reason == f"{code} is closed"
    assert hold_document(placed, in_may.clock().date())["reason"] == "AP.REQUEST"
    told = repr([entry.data for entry in in_may.store.ledger.entries() if "hold" in entry.kind])
    assert not any(name.lower() in told.lower() for name in (request.id, request.reference))


def test_what_earlier_holds_say_of_requests_is_said_anew(in_may: Night) -> None:
    """Holds of before, in force or released, get the code with the next run, whether the CRM answers or
    not; the ledger agrees."""
    request = delivered(in_may)
    close(dora(in_may), request.id, "DELIVERED")
    dossiers = [in_may.dossier("social_card"), in_may.dossier("grooming")]
    with pytest.MonkeyPatch.context() as as_before:
        as_before.setattr("jobs.holds.place.without_requests", lambda store, reference, text: text)
        wanted = {"kind": "complaint", "reason_code": request.id, "basis": f"GBA about {request.id}"}
        holds = [place(in_may, "cf_dossier", dossier, **wanted) for dossier in dossiers]
        release(in_may, holds[1], reason=f"{request.id} is over")
    assert request.id in repr(in_may.store.holds.all())
    in_may.clock.now = datetime(2026, 6, 10, 9, tzinfo=UTC)
    maintain_register(in_may.store, in_may.policy, in_may.clock(), in_may.key.references)
    after = in_may.store.holds.all()
    code = request_code(in_may.key.reference("request", request.id))
    assert [(hold.id, hold.reason_code, hold.basis) for hold in after] == [(hold.id, code, f"GBA about {code}") for hold in holds]
    assert after[1].release_reason == f"{code} is over"
    assert GIVEN in left(in_may, request), "the complaint still follows the request"
    assert list(differences(in_may.store, in_may.key.references, date(2026, 6, 10), in_may.policy.calendar)) == []
    kinds = [entry.kind for entry in in_may.store.ledger.entries()]
    maintain_register(in_may.store, in_may.policy, in_may.clock(), in_may.key.references)
    assert kinds.count("hold_restated") == 2
    assert in_may.store.holds.all() == after
    release(in_may, after[0])
    assert list(differences(in_may.store, in_may.key.references, date(2026, 6, 10), in_may.policy.calendar)) == []


def test_a_row_becomes_a_yearly_total_five_years_after_its_closing(in_may: Night) -> None:
    """ACC-07."""
    request = delivered(in_may)
    close(dora(in_may), request.id, "DELIVERED")
    on(in_may, datetime(2031, 5, 4, 9, tzinfo=UTC))
    assert [row.id for row in in_may.store.requests.all()] == [request.id]
    done = on(in_may, datetime(2031, 5, 5, 9, tzinfo=UTC))
    assert (done.document["totalled"], in_may.store.requests.all()) == (1, [])
    assert in_may.store.requests.totals() == {(2026, "access", "DELIVERED"): 1}


def asked(night: Night, reason: str = "identity") -> SubjectRequest:
    return suspend(dora(night), registered(night).id, reason, night.clock().date())


def test_somebody_who_does_not_answer_is_reminded_once_and_given_up_after_ninety_days(in_may: Night) -> None:
    """DDL-08: asked on 2026-05-04."""
    request = asked(in_may)
    assert on(in_may, datetime(2026, 6, 2, 9, tzinfo=UTC)).document["reminded"] == []
    done = on(in_may, datetime(2026, 6, 3, 9, tzinfo=UTC))
    assert (done.document["reminded"], [alarm.code for alarm in done.alarms]) == ([request.id], ["QUESTION_UNANSWERED"])
    done = on(in_may, datetime(2026, 6, 4, 9, tzinfo=UTC))
    assert (done.document["reminded"], [alarm.code for alarm in done.alarms]) == ([], ["QUESTION_UNANSWERED"])
    assert on(in_may, datetime(2026, 8, 2, 9, tzinfo=UTC)).document["closed"] == []
    assert on(in_may, datetime(2026, 8, 3, 9, tzinfo=UTC)).document["closed"] == [request.id]
    row = in_may.store.requests.get(request.id)
    assert (row.state, row.outcome, row.refusal) == (RequestState.CLOSED, Outcome.NOT_IDENTIFIED, "RF-01")
    assert on(in_may, datetime(2026, 8, 4, 9, tzinfo=UTC)).document["closed"] == []
    steps = [entry.data.get("step") for entry in in_may.store.ledger.entries() if entry.kind == "request"]
    assert steps == ["open", "suspend", "remind", "close"]


def test_who_was_identified_is_never_given_up(in_may: Night) -> None:
    request = asked(in_may, "scope")
    identify(dora(in_may), request.id, IdentityMethod.EID)
    assert on(in_may, datetime(2026, 9, 1, 9, tzinfo=UTC)).document["closed"] == []
    assert resume(dora(in_may), request.id, date(2026, 9, 1)).state is RequestState.SEARCHING


def test_alarms_come_at_ten_five_and_one_day_and_once_it_is_late(in_may: Night) -> None:
    """DDL-10, DDL-11: received on 2026-05-04, due on 2026-06-04."""
    registered(in_may)
    seen: dict[str, str] = {}
    for days in range(33):
        done = on(in_may, datetime(2026, 5, 4, 9, tzinfo=UTC) + timedelta(days=days))
        for alarm in done.alarms:
            seen.setdefault(alarm.code, in_may.clock().date().isoformat())
    assert seen == {"DUE_IN_10": "2026-05-25", "DUE_IN_5": "2026-05-30", "DUE_IN_1": "2026-06-03", "OVERDUE": "2026-06-05"}
    assert len(done.document["overdue"]) == 1


def test_a_second_round_changes_nothing(in_may: Night) -> None:
    request = delivered(in_may)
    close(dora(in_may), request.id, "DELIVERED")
    asked(in_may)
    on(in_may, datetime(2026, 8, 10, 9, tzinfo=UTC))
    rows, entries = in_may.store.requests.all(), len(list(in_may.store.ledger.entries()))
    again = run_requests(in_may.context)
    assert (again.document["reminded"], again.document["closed"], again.document["erased"], again.document["totalled"]) == ([], [], [], 0)
    assert in_may.store.requests.all() == rows
    assert len(list(in_may.store.ledger.entries())) == entries + 2  # that the run began and ended


@pytest.mark.parametrize("saved", range(3))
def test_a_round_that_is_killed_anywhere_is_made_good_by_the_next_one(in_may: Night, monkeypatch: pytest.MonkeyPatch, saved: int) -> None:
    """Killed before the first, the second and the third row is saved."""
    requests = [delivered(in_may) for _ in range(3)]
    for request in requests:
        close(dora(in_may), request.id, "DELIVERED")
    in_may.clock.now = datetime(2026, 8, 10, 9, tzinfo=UTC)
    store, save, calls = in_may.store, in_may.store.requests.save, count()

    def save_or_die(*row: Any, **more: Any) -> None:
        if next(calls) == saved:
            raise KeyboardInterrupt
        save(*row, **more)

    with monkeypatch.context() as killing:
        killing.setattr(store.requests, "save", save_or_die)
        with pytest.raises(KeyboardInterrupt):
            maintain_register(store, in_may.policy, in_may.clock(), in_may.key.references)
    assert sum(not left(in_may, request) for request in requests) == saved
    maintain_register(store, in_may.policy, in_may.clock(), in_may.key.references)
    assert [left(in_may, request) for request in requests] == [set()] * 3


def test_the_ledger_says_nothing_about_anybody(in_may: Night) -> None:
    """ACC-05, SUS-07: ids, steps, roles and codes."""
    contact = in_may.contact(**ASKER)
    request = delivered(in_may)
    close(dora(in_may), request.id, "DELIVERED")
    on(in_may, datetime(2026, 8, 10, 9, tzinfo=UTC))
    told = str([entry.data for entry in in_may.store.ledger.entries()])
    assert all(word not in told for word in (*ASKER.values(), contact, "dora"))
