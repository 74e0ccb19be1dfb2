"""Rectification, restriction, objection and withdrawn consent: what a decision does at once, and what waits
for the release (6.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from jobs.model.answer import Compilation
from jobs.model.request import COMPILATION, Details, GivenPerson
from jobs.register.hold_texts import request_code
from jobs.requests.decisions.carry_out import fulfil_all
from rules.decoders import decoder_of
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
    granted,
    release,
    whats,
)
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import Night

CANARY = "Zonnebloem"


def born(day: str) -> GivenPerson:
    return GivenPerson(firstname="Lotte", lastname="Peeters (fictief)", birthdate=day)


def ledger_of(night: Night) -> str:
    return json.dumps([[entry.kind, entry.data] for entry in night.store.ledger.entries()])


# -- rectification -------------------------------------------------------------------------------------------


def test_r102_a_corrected_birth_date_moves_the_end_of_a_grooming_dossier(night: Night) -> None:
    """R-102: 2008-05-10 becomes 2009-05-10, and the next evaluation gives 2027-05-10."""
    child = night.contact(birthdate="2008-05-10")
    dossier = night.dossier("grooming")
    night.party(child, "child", dossier=dossier)
    assert night.lines(night.plan())[dossier].retention_end == "2026-05-10"
    request = ask(night, Right.RECTIFICATION, child, given=born("2009-05-10"))
    assert whats(compile_(night, request)) == [("correct", "contact")]
    decide(night, request)
    assert (night.get("contacts", child) or {})["birthdate"] == "2008-05-10"
    release(night, request)
    assert (night.get("contacts", child) or {})["birthdate"] == "2009-05-10"
    assert night.lines(night.plan())[dossier].retention_end == "2027-05-10"


def test_of_a_correction_the_ledger_keeps_fields_and_keyed_references_and_no_value(night: Night) -> None:
    """Proof without values, ACC-05: the value stands in no ledger, plan or register."""
    child = night.contact(birthdate="2008-05-10")
    night.party(child, "child", dossier=night.dossier("grooming", closed=False))
    given = GivenPerson(firstname="Lotte", lastname=f"{CANARY} (fictief)", birthdate="2009-05-10", phones=("0470 11 22 33",))
    request = ask(night, Right.RECTIFICATION, child, given=given)
    granted(night, request)
    row = night.get("contacts", child)
    assert row is not None
    assert (row["lastname"], row["birthdate"], row["mobilephone"]) == (f"{CANARY} (fictief)", "2009-05-10", "0470 11 22 33")
    written: list[dict[str, Any]] = [dict(entry.data) for entry in night.store.ledger.entries() if entry.kind == "request_write"]
    assert [one["state"] for one in written] == ["intended", "done"] * 3
    assert {str(one["fields"]) for one in written} == {"['birth_on']", "['last_name']", "['mobile']"}
    assert all(len(one["digests"]) == 1 for one in written)
    text = ledger_of(night) + json.dumps(
        [str(each) for each in (*night.store.plans.all(), *night.store.requests.all(), *night.store.runs.all())]
    )
    assert not [value for value in (CANARY, "2009-05-10", "0470 11", "70112233", child) if value in text]


def test_what_is_only_written_otherwise_is_no_correction(night: Night) -> None:
    child = night.contact(birthdate="2008-05-10", mobilephone="+32470112233", emailaddress2="Lotte@Example.org")
    night.party(child, "child", dossier=night.dossier("grooming", closed=False))
    given = GivenPerson("lotte", "PEETERS (fictief)", "2008-05-10", phones=("0470/11.22.33",), emails=("lotte@example.org",))
    request = ask(night, Right.RECTIFICATION, child, given=given)
    assert whats(compile_(night, request)) == [("annotate", "dossier")]


def test_only_the_fields_that_are_granted_are_written(night: Night) -> None:
    child = night.contact(birthdate="2008-05-10")
    night.party(child, "child", dossier=night.dossier("grooming", closed=False))
    details = Details(corrections={"city": "Gent", "birthdate": "2009-05-10", "hair": "red", "email": "no address"})
    request = ask(night, Right.RECTIFICATION, child, details=details)
    answer = compile_(night, request)
    assert [field.name for item in answer.items for field in item.fields] == ["birth_on", "city"]
    decide(night, request, "item-2")
    release(night, request)
    row = night.get("contacts", child)
    assert row is not None
    assert (row["address1_city"], row["birthdate"]) == ("Gent", "2008-05-10")


@pytest.mark.parametrize("statement", ["", "Het ging anders (verzonnen)."])
def test_r103_a_contested_statement_stays_and_gets_a_dated_note(night: Night, statement: str) -> None:
    """R-103; once, however often it is carried out."""
    witness = night.contact()
    dossier = night.dossier("grooming", closed=False)
    fiche = night.fiche("grooming", dossier=dossier, cf_summary="De oorspronkelijke verklaring (verzonnen).")
    night.party(witness, "reporter", fiche=fiche)
    request = ask(night, Right.RECTIFICATION, witness, details=Details(statement=statement))
    assert whats(compile_(night, request)) == [("annotate", "fiche")]
    decide(night, request)
    release(night, request)
    fulfil_all(context_of(night))
    row = night.get("cf_fiches", fiche)
    assert row is not None
    assert row["cf_summary"] == "De oorspronkelijke verklaring (verzonnen)."
    (note,) = night.rows(f"annotations?$filter=_objectid_value eq {fiche}")
    assert "2026-11-25" in note["notetext"]
    assert statement in note["notetext"]
    assert "verzonnen" not in ledger_of(night)


def test_a_legal_hold_on_a_file_keeps_the_person_in_it_as_they_are(night: Night) -> None:
    """HLD-04: evidence is not overwritten; the correction is written once the hold is lifted."""
    child = night.contact(birthdate="2008-05-10")
    dossier = night.dossier("grooming", closed=False)
    night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", dossier, kind="legal")
    request = ask(night, Right.RECTIFICATION, child, given=born("2009-05-10"))
    granted(night, request)
    assert (night.get("contacts", child) or {})["birthdate"] == "2008-05-10"
    release_hold(night, hold)
    assert fulfil_all(context_of(night)) == {}
    assert (night.get("contacts", child) or {})["birthdate"] == "2009-05-10"
    assert decision(night, request).tasks == ()


def phones_and_name(night: Night, contact: str) -> Any:
    details = Details(corrections={"phones": "0472 12 13 99", "lastname": "Pagé (fictief)"}, statement="Het ging anders (verzonnen).")
    return ask(night, Right.RECTIFICATION, contact, details=details)


@pytest.mark.parametrize("right", [Right.ACCESS, Right.ERASURE, Right.RECTIFICATION, Right.OBJECTION])
def test_the_pending_request_of_somebody_else_in_the_file_does_not_stop_a_correction(night: Night, right: Right) -> None:
    """HLD-08 keeps from disposal, and a correction disposes of nothing; HLD-04: what is on one person stops
    at the file."""
    witness, child = night.contact(mobilephone="0472 12 13 14"), night.contact(lastname="Maes (fictief)", birthdate="2010-05-05")
    dossier = night.dossier("grooming", closed=False)
    night.party(witness, "reporter", dossier=dossier)
    night.party(child, "child", dossier=dossier)
    ask(night, right, child, given=GivenPerson(firstname="Lotte", lastname="Maes (fictief)", birthdate="2010-05-05"))
    request = phones_and_name(night, witness)
    compile_(night, request)
    assert decide(night, request).waiting == {}
    release(night, request)
    row = night.get("contacts", witness) or {}
    assert (row["lastname"], row["mobilephone"]) == ("Pagé (fictief)", "0472 12 13 99")
    assert decision(night, request).tasks == ()


def test_a_hold_on_somebody_else_in_the_file_does_not_stop_a_correction(night: Night) -> None:
    """HLD-04: a hold on a contact covers the files in which they have a role, and spreads no further."""
    witness, suspect = night.contact(mobilephone="0472 12 13 14"), night.contact(lastname="Maes (fictief)")
    dossier = night.dossier("grooming", closed=False)
    night.party(witness, "reporter", dossier=dossier)
    night.party(suspect, "suspect", dossier=dossier)
    place(night, person=suspect, kind="legal")
    request = phones_and_name(night, witness)
    granted(night, request)
    assert (night.get("contacts", witness) or {})["lastname"] == "Pagé (fictief)"


@pytest.mark.parametrize(
    ("kind", "code", "on_person"),
    [
        ("legal", "HOLD_LEGAL", True),
        ("legal", "HOLD_LEGAL", False),
        ("judicial", "HOLD_JUDICIAL", True),
        ("restriction", "HOLD_RESTRICTION", False),
    ],
)
def test_a_correction_that_has_to_wait_is_told_at_the_decision(night: Night, kind: str, code: str, on_person: bool) -> None:
    """Whatever `write` would leave undone, `waiting` says, with its code; a restriction gives way to the
    person who obtained it alone."""
    witness = night.contact(mobilephone="0472 12 13 14")
    dossier = night.dossier("grooming", closed=False)
    night.party(witness, "reporter", dossier=dossier)
    place(night, kind=kind, person=witness) if on_person else place(night, "cf_dossier", dossier, kind=kind)
    request = phones_and_name(night, witness)
    items = {item.item: item.title for item in compile_(night, request).items}
    decided = decide(night, request)
    waiting = [item for item, title in items.items() if title == "correct"]
    assert (len(waiting), decided.waiting) == (2, dict.fromkeys(waiting, code))
    part = night.store.requests.part(request.id, COMPILATION)
    assert part is not None
    answer = decoder_of(Compilation).decode(part)
    assert (set(answer.delayed), answer.held) == (set(waiting), ())
    release(night, request)
    assert {task.item for task in decision(night, request).tasks} == set(waiting)
    assert (night.get("contacts", witness) or {})["mobilephone"] == "0472 12 13 14"


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


def test_a_refused_restriction_places_nothing(night: Night) -> None:
    child = night.contact(birthdate="2000-02-01")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.RESTRICTION, child)
    compile_(night, request)
    assert decline(night, request, "RF-08").refusal == "RF-08"
    assert (night.store.holds.all(), night.store.requests.get(request.id).refusal) == ([], "RF-08")


# -- objection and consent -----------------------------------------------------------------------------------


def test_r101_direct_marketing_stops_at_once_and_the_suppression_stays(night: Night) -> None:
    """R-101, DDL-13: at the decision, not at the release."""
    donor = night.contact(cf_newsletter=True, cf_newsletterconsenton="2025-01-01")
    night.donation(donor)
    request = ask(night, Right.OBJECTION, donor)
    assert whats(compile_(night, request)) == [("unsubscribe", "contact")]
    assert decide(night, request).done == ("item-1",)
    row = night.get("contacts", donor)
    assert row is not None
    assert (row["cf_newsletter"], row["cf_newsletterconsenton"], row["donotbulkemail"]) == (False, None, True)
    before = night.writes()
    release(night, request)
    assert night.writes() == before


def test_direct_marketing_stops_whatever_hold_there_is(night: Night) -> None:
    """GDPR art. 21(3): a hold keeps data, and no use of them."""
    donor = night.contact(cf_newsletter=True)
    night.donation(donor)
    place(night, person=donor, kind="legal")
    request = ask(night, Right.OBJECTION, donor)
    compile_(night, request)
    decide(night, request)
    assert (night.get("contacts", donor) or {})["cf_newsletter"] is False


def test_an_objection_that_is_refused_keeps_nothing_any_longer_once_the_request_is_closed(night: Night) -> None:
    """HLD-10: HOLD_OBJECTION while it is assessed; what is decided has no grace."""
    from tests.drivers.deciding import close

    witness = night.contact()
    dossier = night.dossier("social_card", spoken=date(2020, 1, 10))
    night.party(witness, "reporter", dossier=dossier)
    request = ask(night, Right.OBJECTION, witness, details=Details(about="processing"))
    compile_(night, request)
    assert night.lines(night.plan())[dossier].reason == "HOLD_OBJECTION"
    decline(night, request, "RF-05")
    assert release(night, request) is None
    close(night, request)
    assert night.lines(night.plan())[dossier].is_disposal


def test_a_caller_whose_objection_is_granted_has_the_recording_deleted(night: Night) -> None:
    """6.2: a recording rests on a legitimate interest; GDPR art. 17(1)(c)."""
    caller = night.contact()
    fiche = night.fiche("e_safety", spoken=date(2026, 11, 20))
    night.party(caller, "reporter", fiche=fiche)
    recording = night.recording(date(2026, 11, 20), fiche=fiche)
    request = ask(night, Right.OBJECTION, caller, details=Details(about="recording"))
    assert whats(compile_(night, request)) == [("erase", "recording")]
    decide(night, request)
    release(night, request)
    assert night.get("cf_recordings", recording) is None
    assert night.get("cf_fiches", fiche) is not None


def test_who_withdraws_the_only_consent_there_is_leaves_nothing_behind(night: Night) -> None:
    """6.2: data without another basis are disposed of, with CONSENT_WITHDRAWN on the certificate."""
    subscriber = night.contact(cf_newsletter=True)
    request = ask(night, Right.CONSENT_WITHDRAWAL, subscriber)
    compile_(night, request)
    decide(night, request)
    assert (night.get("contacts", subscriber) or {})["cf_newsletter"] is False
    run = release(night, request)
    assert run is not None
    assert night.get("contacts", subscriber) is None
    assert {issued.certificate.reason for issued in night.store.certificates.of_run(run.id)} == {"CONSENT_WITHDRAWN"}


def test_a_donor_who_withdraws_from_the_newsletter_loses_nothing_else(night: Night) -> None:
    """RGT-12: data held on another basis stay."""
    donor = night.contact(cf_newsletter=True, birthdate="1966-06-06", description="Verzonnen.")
    night.donation(donor)
    request = ask(night, Right.CONSENT_WITHDRAWAL, donor)
    compile_(night, request)
    decide(night, request)
    release(night, request)
    left = night.get("contacts", donor) or {}
    assert (left["cf_newsletter"], left["birthdate"], left["description"]) == (False, "1966-06-06", "Verzonnen.")


def test_r115_a_suspect_who_withdraws_consent_is_unsubscribed_and_nothing_else_is_told(night: Night) -> None:
    """R-115: the same answer, items and entries as for a subscriber who is known for nothing else; the file
    stays as it is."""
    suspect = night.contact(cf_newsletter=True)
    dossier = night.dossier("sexting", closed=False)
    role = night.party(suspect, "suspect", dossier=dossier)
    donor = night.contact(lastname="Maes (fictief)", cf_newsletter=True)
    night.donation(donor)
    told = []
    for contact in (suspect, donor):
        request = ask(night, Right.CONSENT_WITHDRAWAL, contact)
        answer = compile_(night, request)
        decided = decide(night, request)
        assert release(night, request) is None
        entries = [entry for entry in night.store.ledger.entries() if entry.data.get("request") == request.id]
        told.append(
            (
                whats(answer),
                answer.scope,
                answer.withheld,
                decided.granted,
                decided.waiting,
                decided.notices,
                [each.kind for each in entries],
            )
        )
    assert told[0] == told[1]
    assert (night.get("contacts", suspect) or {})["cf_newsletter"] is False
    assert (night.get("cf_parties", role) or {})["_cf_contactid_value"] == suspect
    assert night.store.plans.all() == []


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
    assert (last.kind, last.data["action"], last.data["role"]) == ("denied", "requests decide", role)
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
