"""What a decision on a right other than access does at once, what it cannot do, and who may take it (6.2)."""

from collections.abc import Callable
from datetime import date

import msgspec
import pytest

from jobs.checks.kill_switch import stop
from jobs.model.request import Details
from jobs.register.hold_texts import request_code
from rules.errors import ComplianceError, Refused, UsageError
from rules.model.requests import RequestState, Right
from tests.drivers.deciding import (
    LOTTE,
    ask,
    compile_,
    context_of,
    decide,
    decision,
    decline,
    dora,
    release,
    whats,
)
from tests.drivers.holding import release as lift
from tests.drivers.night import Night
from tests.jobs.requests.decisions.carried_out import CANARY, ledger_of
from tests.meanwhile import between

# -- restriction ---------------------------------------------------------------------------------------------


def test_a_restriction_is_a_hold_from_the_moment_of_the_decision(night: Night) -> None:
    """R-074, HLD-09: by the DPO who decides, reviewed within a year; deciding again places no second one."""
    child = night.contact(birthdate="2000-02-01")
    dossier = night.dossier("sexting", spoken=date(2020, 1, 10))
    night.party(child, "child", dossier=dossier)
    request = ask(night, Right.RESTRICTION, child, details=Details(about="accuracy"))
    assert whats(compile_(night, request)) == [("restrict", "dossier")]
    assert decide(night, request).done == ("item-1",)
    decide(night, request)
    (hold,) = night.store.holds.all()
    assert (hold.type.value, hold.row, hold.placed_by, hold.reason_code) == ("restriction", dossier, "dora", "ART18-1-A")
    assert hold.review_on == date(2027, 11, 25)
    assert request.id not in repr(hold), "of the request a hold has a keyed reference (SUS-07)"
    assert hold.basis == f"GDPR art. 18(1)(a), {request_code(night.key.reference('request', request.id))}"
    release(night, request)
    assert night.lines(night.plan())[dossier].reason == "HOLD_RESTRICTION"


def test_a_restriction_writes_nothing_in_the_crm_and_is_placed_while_everything_is_stopped(night: Night) -> None:
    """Nor is it told as one that has still to follow."""
    child = night.contact(birthdate="2000-02-01")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.RESTRICTION, child)
    compile_(night, request)
    stop(night.store, night.clock())
    decided = decide(night, request)
    assert (decided.done, decided.waiting, decision(night, request).tasks) == (("item-1",), {}, ())
    assert [hold.type.value for hold in night.store.holds.all()] == ["restriction"]


def test_two_who_grant_a_restriction_at_the_same_instant_place_one_hold(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """HLD-02: of two, both would have to be lifted. Once it was lifted, granting it again places another."""
    child = night.contact(birthdate="2000-02-01")
    night.party(child, "child", dossier=night.dossier("sexting", spoken=date(2020, 1, 10)))
    request = ask(night, Right.RESTRICTION, child)
    compile_(night, request)
    between(monkeypatch, "jobs.requests.decisions.decide.table_of", lambda: decide(night, request))
    assert decide(night, request).done == ("item-1",)
    (hold,) = night.store.holds.all()
    assert [entry.data["hold"] for entry in night.store.ledger.entries() if entry.kind == "hold_placed"] == [hold.id]
    lift(night, hold, notified_on=date(2026, 11, 25))
    decide(night, request)
    assert len(night.store.holds.all()) == 2


def test_a_refused_restriction_places_nothing(night: Night) -> None:
    child = night.contact(birthdate="2000-02-01")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.RESTRICTION, child)
    compile_(night, request)
    assert decline(night, request, "RF-08").refusal == "RF-08"
    assert (night.store.holds.all(), night.store.requests.get(request.id).refusal) == ([], "RF-08")


# -- neutral answers, refusals, roles ------------------------------------------------------------------------


@pytest.mark.parametrize("right", [right for right in Right if right is not Right.ACCESS])
def test_a_neutral_answer_takes_the_decision_like_any_other_and_is_the_same_for_a_suspect_as_for_nobody(night: Night, right: Right) -> None:
    """SUS-04, SUS-07, SUS-10, R-111, R-113: granted or refused, the register says the same of both, and
    nothing is written."""
    suspect, nobody = night.contact(), night.contact(lastname="Maes (fictief)")
    night.party(suspect, "suspect", dossier=night.dossier("sexting", closed=False))
    rows = []
    before = night.writes()
    for contact in (suspect, nobody):
        request = ask(night, right, contact)
        if contact == nobody:
            forget_confirmation(night, request.id)
        assert compile_(night, request).items == ()
        decided = decide(night, request)
        again = decline(night, request, {"erasure": "RF-02", "objection": "RF-05"}.get(right.value, "RF-01"))
        with pytest.raises(UsageError):
            decide(night, request, "item-1")
        row = night.store.requests.get(request.id)
        entries = [entry.data for entry in night.store.ledger.entries() if entry.data.get("request") == request.id]
        for entry in entries:
            entry.pop("request")
        rows.append((row.state, row.answer, row.scope, row.refusal, row.outcome, decided.granted, again.refusal, entries))
        assert release(night, request) is None
    assert rows[0] == rows[1]
    assert rows[0][:4] == (RequestState.REVIEWING, "neutral", "own", "")
    assert night.writes() == before


def forget_confirmation(night: Night, request: str) -> None:
    """Nobody was confirmed."""

    from jobs.model.request import CANDIDATES, CONFIRMED, Candidates, Confirmed

    row = night.store.requests.get(request)
    parts = {CANDIDATES: Candidates((), (), night.clock()), CONFIRMED: Confirmed((), "dora", night.clock())}
    night.store.requests.save(row, since=row, parts={name: msgspec.json.encode(part) for name, part in parts.items()})


def test_r099_portability_of_a_mission_file_has_nothing_to_grant(night: Night) -> None:
    """R-099: the right does not exist here; RF-04 is what the DPO refuses with."""
    child = night.contact(birthdate="2010-05-05")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.PORTABILITY, child)
    answer = compile_(night, request)
    assert (answer.items, answer.refusal) == ((), "RF-04")
    with pytest.raises(Refused) as refused:
        decide(night, request)
    assert refused.value.code == "nothing_to_grant"
    assert decline(night, request, "RF-04").refusal == "RF-04"


@pytest.mark.parametrize(
    ("right", "code"),
    [
        (Right.ERASURE, "RF-05"),
        (Right.ERASURE, "RF-00"),
        (Right.ERASURE, "RF-03"),
        (Right.ERASURE, "RF-07"),  # nobody asks for a child here
        (Right.RECTIFICATION, "RF-02"),
        (Right.RESTRICTION, "RF-06"),
        (Right.OBJECTION, "RF-02"),
        (Right.CONSENT_WITHDRAWAL, "RF-04"),
        (Right.ERASURE, CANARY),
    ],
)
def test_a_text_that_does_not_fit_the_right_refuses_nothing(night: Night, right: Right, code: str) -> None:
    """6.4; RF-00 is never chosen, and what was typed is not repeated."""
    request = ask(night, right, night.contact())
    with pytest.raises(UsageError) as refused:
        decline(night, request, code)
    assert CANARY not in f"{refused.value} {refused.value.hint} {refused.value.where}"


def test_access_is_not_decided_about(night: Night) -> None:
    request = ask(night, Right.ACCESS, night.contact())
    with pytest.raises(UsageError):
        decide(night, request)
    with pytest.raises(UsageError):
        decline(night, request, "RF-08")


@pytest.mark.parametrize("role", ["crm_admin", "approver", "auditor"])
def test_only_the_dpo_decides_and_the_attempt_is_on_record(night: Night, role: str) -> None:
    """Section 9.4, ACC-10."""
    from jobs.requests.decisions.decide import grant

    child = night.contact(birthdate="2010-05-05")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    with pytest.raises(Refused) as refused:
        grant(context_of(night), dora(night, "carl", role), request.id, ())
    assert refused.value.code == "role"
    last = list(night.store.ledger.entries())[-1]
    assert (last.kind, last.data["action"], last.data["step"], last.data["role"]) == ("denied", "handle_request", "decide", role)
    assert request.id not in str(last.data)


def test_nothing_is_decided_before_there_is_an_answer_and_after_it_is_approved(night: Night) -> None:
    child = night.contact(birthdate="2010-05-05")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.ERASURE, child)
    assert code_of(lambda: decide(night, request)) == "not_compiled"
    compile_(night, request)
    assert code_of(lambda: decide(night, request, "item-7")) == "usage"
    assert code_of(lambda: decide(night, request, "item-1", "item-1")) == "usage"
    release(night, request)
    assert code_of(lambda: decide(night, request)) == "state"


def code_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(ComplianceError) as refused:
        attempt()
    return refused.value.code


# -- recipients ----------------------------------------------------------------------------------------------


def test_recipients_of_what_is_erased_are_named_once_and_only_of_what_was_granted(night: Night) -> None:
    """Art. 19, ERA-14: looked up before anything goes; of a file in which the person is suspected, nothing
    (SUS-05)."""
    child = night.contact(birthdate="2010-05-05")
    dossier, other = night.dossier("sexting", closed=False), night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    night.party(child, "suspect", dossier=other)
    for on in ("2026-01-05", "2026-02-05"):
        night.fiche("sexting", dossier=dossier, cf_transmittedto="Politiezone Verzonnen", cf_transmittedon=on, cf_transmittedcountry="BE")
    night.fiche("sexting", dossier=other, cf_transmittedto="Parket Verzonnen", cf_transmittedon="2026-03-05")
    request = ask(night, Right.ERASURE, child, given=LOTTE)
    compile_(night, request)
    decided = decide(night, request)
    assert [(one.recipient, one.on, one.country) for one in decided.notices] == [("Politiezone Verzonnen", "2026-02-05", "BE")]
    assert [one.state for one in decided.notices] == ["waiting"]
    release(night, request)
    assert [(one.recipient, one.state) for one in decision(night, request).notices] == [("Politiezone Verzonnen", "due")]
    assert "Verzonnen" not in ledger_of(night)
