"""Recipients who are told of a decision: what their notices are about, how each ends, and how long they are
kept (art. 19, ERA-14).

Everybody is fictitious.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from jobs.model.outcome import Outcome as JobOutcome
from jobs.model.request import COMPILATION, DECISIONS, Details, GivenPerson, SubjectRequest
from jobs.nightly.requests import run_requests
from jobs.register.decision import Known, NotTold, Task, What, change_decision, reopened
from jobs.register.transitions import close as withdraw
from jobs.requests.decisions.carry_out import fulfil_all
from jobs.requests.decisions.notices import counts_of, due_in, listed, not_told, told
from rules.errors import Refused, UsageError
from rules.model.requests import RequestState, Right
from tests.crm_compliance.answer_package.samples import DOSSIER
from tests.drivers.deciding import ask, close, compile_, context_of, decide, decision, dora, release
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import Night
from tests.meanwhile import between

POLICE = "Politiezone Verzonnen"
TODAY = date(2026, 11, 25)


def lotte(night: Night, **columns: Any) -> str:
    return night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2008-05-10", **columns)


def passed_on(night: Night, child: str, to: str = POLICE, **columns: Any) -> str:
    """A dossier of a child, of which something was passed on."""
    dossier = night.dossier("sexting", closed=False)
    night.fiche("sexting", dossier=dossier, cf_transmittedto=to, cf_transmittedon="2026-02-05", **columns)
    night.party(child, "child", dossier=dossier)
    return dossier


def decided(night: Night, right: Right, child: str, **more: Any) -> SubjectRequest:
    request = ask(night, right, child, **more)
    compile_(night, request)
    decide(night, request)
    return request


def corrected(night: Night, child: str, **corrections: str) -> SubjectRequest:
    """A granted correction; its answer names the files that it is about, as the whole answer does."""
    request = ask(night, Right.RECTIFICATION, child, details=Details(corrections=corrections))
    answer = compile_(night, request)
    row = night.store.requests.get(request.id)
    dossiers = [each["cf_dossierid"] for each in night.rows("cf_dossiers?$select=cf_dossierid")]
    contexts = tuple(msgspec.structs.replace(DOSSIER, source=("dossier", each)) for each in dossiers)
    parts = {COMPILATION: msgspec.json.encode(msgspec.structs.replace(answer, contexts=contexts))}
    night.store.requests.save(row, since=row, parts=parts)
    decide(night, request)
    return request


def states(night: Night, request: SubjectRequest) -> list[str]:
    return [one.state.value for one in decision(night, request).notices]


def on(night: Night, moment: datetime) -> JobOutcome:
    night.clock.now = moment
    return run_requests(context_of(night))


def test_the_names_are_sealed_before_an_erasure_takes_them(night: Night) -> None:
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.ERASURE, child)
    release(night, request)
    assert night.get("contacts", child) is None
    left = decision(night, request)
    assert (left.known, left.corrected) == ((Known("Lotte Peeters (fictief)", "2008-05-10"),), {})
    assert (states(night, request), left.notices[0].due_on, left.contacts) == (["due"], TODAY, ())
    assert list(due_in(listed(dora(night), request.id)[1])) == [1]


def test_a_restriction_is_told_of_at_once(night: Night) -> None:
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.RESTRICTION, child)
    assert states(night, request) == ["due"]
    told(dora(night), request.id, 1, TODAY)
    decide(night, request)  # who was told stays told when it is decided again
    assert states(night, request) == ["told"]
    assert b"Verzonnen" in (reopened(night.store, request.id) or b"")


def test_what_a_hold_keeps_is_told_once_it_is_done(night: Night) -> None:
    """R-079: a recipient never hears of an erasure that has not been carried out."""
    child = lotte(night)
    hold = place(night, "cf_dossier", passed_on(night, child), kind="legal")
    request = decided(night, Right.ERASURE, child)
    release(night, request)
    assert states(night, request) == ["waiting"]
    with pytest.raises(Refused) as refused:
        told(dora(night), request.id, 1, TODAY)
    assert refused.value.code == "waiting"
    night.clock.now += timedelta(days=3)
    release_hold(night, hold)
    fulfil_all(context_of(night))
    assert [one.due_on for one in decision(night, request).notices] == [date(2026, 11, 28)]
    with pytest.raises(UsageError):
        told(dora(night), request.id, 1, TODAY)


@pytest.mark.parametrize("is_closed", [False, True])
def test_what_was_done_is_told_though_the_rest_is_withdrawn(night: Night, is_closed: bool) -> None:
    """Of two files the one is gone, and the other is held; whoever received something of both hears of the
    first."""
    child = lotte(night)
    passed_on(night, child)
    held = passed_on(night, child)
    passed_on(night, child, to="School Verzonnen")
    place(night, "cf_dossier", held, kind="legal")
    request = decided(night, Right.ERASURE, child)
    release(night, request)
    assert states(night, request) == ["waiting", "due"]
    night.clock.now += timedelta(days=3)
    if is_closed:
        close(night, request)
    withdraw(dora(night), request.id, "WITHDRAWN")
    first, second = decision(night, request).notices
    assert (first.recipient, first.due_on, second.due_on) == (POLICE, TODAY + timedelta(days=3), TODAY)
    assert decision(night, request).tasks == ()


def test_of_a_correction_that_is_withdrawn_nobody_is_told(night: Night) -> None:
    child = lotte(night)
    place(night, "cf_dossier", passed_on(night, child), kind="legal")
    request = corrected(night, child, birthdate="2009-05-10")
    release(night, request)
    withdraw(dora(night), request.id, "WITHDRAWN")
    assert (decision(night, request).notices, decision(night, request).corrected) == ((), {})


def test_a_correction_is_told_with_its_values(night: Night) -> None:
    child = lotte(night)
    passed_on(night, child)
    request = corrected(night, child, birthdate="2009-05-10", city="Gent")
    assert decision(night, request).corrected == {"birth_on": "2009-05-10", "city": "Gent"}
    assert decision(night, request).known == (Known("Lotte Peeters (fictief)", "2008-05-10"),)
    release(night, request)
    assert states(night, request) == ["due"]


def test_where_somebody_is_who_must_not_be_found_is_not_told_to_others(night: Night) -> None:
    """IDV-05."""
    child = lotte(night, cf_nocontact=True)
    passed_on(night, child)
    request = corrected(night, child, birthdate="2009-05-10", city="Gent", phone="0470 11 22 33")
    assert decision(night, request).corrected == {"birth_on": "2009-05-10", "city": "", "mobile": ""}


def test_a_filler_date_is_no_birth_date_and_nobody_without_a_name_can_be_found(night: Night) -> None:
    child = night.contact(firstname="", lastname="", birthdate="1900-01-01")
    passed_on(night, child)
    request = decided(night, Right.RESTRICTION, child)
    assert decision(night, request).known == ()
    with pytest.raises(Refused) as refused:
        due_in(listed(dora(night), request.id)[1])
    assert refused.value.code == "not_found"
    assert [one.state for one in not_told(dora(night), request.id, 1, NotTold.IMPOSSIBLE)] == ["not_told"]


def test_two_who_record_an_outcome_at_the_same_instant_lose_neither(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    child = lotte(night)
    passed_on(night, child)
    passed_on(night, child, "Missing Verzonnen")
    request = decided(night, Right.RESTRICTION, child)
    between(monkeypatch, "jobs.requests.decisions.notices.listed", lambda: told(dora(night), request.id, 2, TODAY))
    with pytest.raises(Refused) as refused:
        told(dora(night), request.id, 1, TODAY)
    assert (refused.value.code, states(night, request)) == ("changed", ["due", "told"])
    told(dora(night), request.id, 1, TODAY)
    assert states(night, request) == ["told", "told"]


def test_an_outcome_that_is_recorded_while_more_is_carried_out_stays(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.RESTRICTION, child)
    left = Task("item-9", What.ANNOTATE, "dossier", "a")
    change_decision(night.store, request.id, lambda now: msgspec.structs.replace(now, tasks=(left,)))
    between(monkeypatch, "jobs.register.decision.decision_of", lambda: told(dora(night), request.id, 1, TODAY))
    change_decision(night.store, request.id, lambda now: now.without([left], TODAY))
    assert (states(night, request), decision(night, request).done[-1]) == (["told"], "item-9")


def test_what_takes_effect_at_once_is_recorded_though_somebody_takes_a_step(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it stands in the CRM it is not open any more."""
    child = lotte(night, cf_newsletter=True)
    request = ask(night, Right.OBJECTION, child, details=Details(about="direct_marketing"))
    compile_(night, request)

    def step() -> None:
        row = night.store.requests.get(request.id)
        night.store.requests.save(msgspec.structs.replace(row, transitions=row.transitions + 1), since=row)

    between(monkeypatch, "jobs.requests.decisions.correct.write", step)
    assert decide(night, request).done == ("item-1",)
    assert decision(night, request).tasks == ()


def test_an_outcome_is_on_record_without_the_recipient(night: Night) -> None:
    """ACC-05; recorded again, both stand in the ledger."""
    child = lotte(night)
    passed_on(night, child)
    passed_on(night, child, "Missing Verzonnen", cf_transmittedcountry="gb")
    request = decided(night, Right.ERASURE, child)
    release(night, request)
    assert [one.country for one in decision(night, request).notices] == ["GB", ""]
    told(dora(night), request.id, 2, TODAY)
    not_told(dora(night), request.id, 1, NotTold.DISPROPORTIONATE)
    told(dora(night), request.id, 1, TODAY)
    entries = [dict(entry.data) for entry in night.store.ledger.entries() if entry.data.get("step") == "notices"]
    assert [(one["notice"], one["code"]) for one in entries] == [(2, "TOLD"), (1, "DISPROPORTIONATE"), (1, "TOLD")]
    assert {one["request"] for one in entries} == {request.id}
    assert not [word for word in ("Verzonnen", "Lotte", "dora") if word in json.dumps(entries)]
    assert counts_of(night.store, night.store.requests.get(request.id)) == {"waiting": 0, "due": 0, "told": 2, "not_told": 0}


@pytest.mark.parametrize("number", [0, 2, -1])
def test_there_is_no_notice_of_another_number(night: Night, number: int) -> None:
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.RESTRICTION, child)
    with pytest.raises(UsageError):
        told(dora(night), request.id, number, TODAY)


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TODAY + timedelta(days=1)])
def test_nobody_is_told_before_it_was_done_or_in_the_future(night: Night, day: date) -> None:
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.RESTRICTION, child)
    with pytest.raises(UsageError):
        told(dora(night), request.id, 1, day)
    assert states(night, request) == ["due"]


def test_a_notice_outlives_the_closing_until_it_is_told_and_then_goes_with_the_working_copies(night: Night) -> None:
    """EXP-17, ACC-08: reminded of from the fifteenth day on, closed or not."""
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.ERASURE, child)
    release(night, request)
    close(night, request)
    at = datetime(2026, 11, 25, 11, tzinfo=UTC)
    assert on(night, at + timedelta(days=14)).alarms == ()
    done = on(night, at + timedelta(days=15))
    (alarm,), (name,) = done.alarms, [each["request"] for each in done.document["alarms"]]
    assert (name, alarm.code) == (request.id, "NOTICE_DUE")
    assert "Verzonnen" not in alarm.message
    on(night, at + timedelta(days=100))
    assert states(night, request) == ["due"]
    told(dora(night), request.id, 1, TODAY + timedelta(days=99))
    assert on(night, at + timedelta(days=101)).alarms == ()
    assert night.store.requests.part(request.id, DECISIONS) is None
    assert not (night.key.folder / "requests" / f"{request.id}.key").exists()
    assert listed(dora(night), request.id)[1] is None


def test_an_answer_that_is_neutral_by_now_has_no_notices(night: Night) -> None:
    """SUS-04, SUS-07: also where recipients had been told of a restriction before."""
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.RESTRICTION, child)
    told(dora(night), request.id, 1, TODAY)
    row = night.store.requests.get(request.id)
    night.store.requests.save(msgspec.structs.replace(row, answer="neutral", state=RequestState.REVIEWING), since=row)
    row = night.store.requests.get(request.id)
    assert (listed(dora(night), request.id)[1], counts_of(night.store, row)) == (None, {})


def test_a_child_is_named_and_whoever_told_of_it_is_not(night: Night) -> None:
    """ERA-14 tells who received data, and gives nobody a name that they may never have had."""
    child, teller = lotte(night), night.contact(firstname="Karel", lastname="Zandman (fictief)")
    dossier = passed_on(night, child, cf_name="F-1")
    night.party(teller, "reporter", dossier=dossier)
    (of_child,) = decision(night, decided(night, Right.RESTRICTION, child)).notices
    (of_teller,) = decision(night, decided(night, Right.ERASURE, teller)).notices
    assert (of_child.is_named, of_child.numbers, of_child.deeds) == (True, (), ("restrict",))
    assert (of_teller.is_named, of_teller.numbers, of_teller.deeds) == (False, ("F-1",), ("disown",))


def test_a_number_that_goes_from_a_fiche_is_an_erasure_of_which_recipients_hear(night: Night) -> None:
    """GDPR art. 19 asks it of every erasure, also of one that leaves the fiche and the role."""
    child, caller = lotte(night), night.contact(mobilephone="+32470112233")
    dossier = passed_on(night, child, cf_name="F-1", cf_callernumber="0470 11 22 33")
    night.party(caller, "reporter", dossier=dossier)
    request = ask(night, Right.ERASURE, caller)
    of_number = next(item.item for item in compile_(night, request).items if item.title == What.NO_CALLER)
    decide(night, request, of_number)
    (notice,) = decision(night, request).notices
    assert (notice.recipient, notice.numbers, notice.deeds) == (POLICE, ("F-1",), ("no_caller",))
    release(night, request)
    assert states(night, request) == ["due"]


def test_whom_the_person_gave_is_no_name_for_others(night: Night) -> None:
    """What somebody calls themselves is not told to a recipient who knows them by what the CRM has."""
    child = lotte(night)
    passed_on(night, child)
    request = decided(night, Right.RESTRICTION, child, given=GivenPerson("Charlotte", "Janssens (fictief)"))
    assert decision(night, request).known == (Known("Lotte Peeters (fictief)", "2008-05-10"),)
