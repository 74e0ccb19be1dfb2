"""What was granted and is not among the live rows any more is not gone for that: it may lie in long-term
retention or in the recycle bin, and the request is not fulfilled before it has gone from there (DDL-12)."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

import pytest

from connectors.interface.errors import Unreachable
from jobs.model.plan import Kind
from jobs.model.request import Details, GivenPerson, SubjectRequest
from jobs.nightly.retention import plan_and_apply
from jobs.reading.out_of_reach import IN_BIN, LONG_TERM
from jobs.register.decision import waits_for
from jobs.requests.decisions.carry_out import fulfil_all
from rules.model.requests import Right
from tests.drivers.deciding import ask, compile_, context_of, decide, decision, release
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.merging import merge
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.integration.in_place.anonymised import in_place
from tests.jobs.requests.decisions.test_plan_erasure import with_payments
from tests.jobs.requests.decisions.test_suspicions import look, waiting_for_a_look
from tests.jobs.requests.search.searching import remove, switch
from tests.jobs.residual.cleaning import kept
from tests.jobs.residual.retained import SETS, Stubborn, retain, roll_back, there
from tests.jobs.runs.interruptions import Meddling

Row = tuple[str, str]


def course(night: Night, person: str) -> Row:
    values = {"cf_name": "cursus", "cf_ContactId@odata.bind": f"/contacts({person})"}
    return "cf_enrolment", night.create("cf_enrolments", "cf_enrolmentid", **values)


def agreement(night: Night, person: str) -> Row:
    values = {"cf_name": "overeenkomst", "cf_kind": 100000000, "cf_startedon": "2020-01-01", "cf_endedon": "2021-01-01"}
    row = night.create("cf_engagements", "cf_engagementid", **values | {"cf_ContactId@odata.bind": f"/contacts({person})"})
    return "cf_engagement", row


def role(night: Night, person: str) -> Row:
    return "cf_party", night.party(person, "witness", dossier=night.dossier("sexting"))


def recording(night: Night, person: str) -> Row:
    fiche = night.fiche("sexting")
    night.party(person, "reporter", fiche=fiche)
    return "cf_recording", night.recording(date(2026, 11, 20), fiche=fiche)


def fiche(night: Night, person: str) -> Row:
    row = night.fiche("sexting")
    night.party(person, "child", fiche=row)
    return "cf_fiche", row


def file(night: Night, person: str) -> Row:
    dossier = night.dossier("sexting", fiches=0)
    night.party(person, "child", dossier=dossier)
    return "cf_dossier", dossier


def caller(night: Night, person: str) -> Row:
    night.patch("contacts", person, telephone1="+32475000001")
    dossier = night.dossier("sexting")
    night.party(person, "reporter", dossier=dossier)
    return "cf_fiche", night.fiche("sexting", dossier=dossier, cf_callernumber="+32475000001")


def subscriber(night: Night, person: str) -> Row:
    night.patch("contacts", person, cf_newsletter=True)
    return "contact", person


def donor(night: Night, person: str) -> Row:
    night.donation(person)
    file(night, person)
    return "contact", person


def decided(night: Night, person: str, right: Right = Right.ERASURE, details: Details | None = None) -> SubjectRequest:
    request = ask(night, right, person, details=details)
    compile_(night, request)
    assert decide(night, request).waiting == {}
    return request


def lies_there(night: Night, row: Row) -> bool:
    return row[1] in there(night, row[0])


def unanswered(*_: object) -> None:
    raise Unreachable("The CRM does not answer.")


def is_fulfilled(night: Night) -> bool:
    return any(entry.kind == "request_fulfilled" for entry in night.store.ledger.entries())


@pytest.mark.parametrize("of", [course, agreement, recording, fiche, file, subscriber])
def test_what_was_moved_to_long_term_retention_since_the_decision_is_purged_there(night: Night, of: Callable[..., Row]) -> None:
    """ERA-12; with it goes who was in it (RET-20), where nothing else needs them."""
    person = night.contact(birthdate="2000-05-05")
    row = of(night, person)
    request = decided(night, person)
    retain(night, *row)
    release(night, request)
    fulfil_all(context_of(night))
    assert (lies_there(night, row), is_fulfilled(night), decision(night, request).tasks) == (False, True, ())
    assert night.get("contacts", person) is None
    assert not lies_there(night, ("contact", person))


@pytest.mark.parametrize("of", [course, agreement, role, file, caller, donor])
def test_what_no_write_reaches_there_is_told_and_waits(night: Night, of: Callable[..., Row]) -> None:
    """A role or a number cannot be emptied there, a donor not be trimmed, and without the privilege no job
    purges anything."""
    person = night.contact(birthdate="2000-05-05")
    row = of(night, person)
    request = decided(night, person)
    retain(night, *row)
    context = context_of(night)
    lacking = dataclasses.replace(context, connector=Stubborn(context.connector, may_purge_retained=lambda: False))
    release(night, request, lacking)
    assert fulfil_all(lacking) == {request.id: LONG_TERM}
    assert (lies_there(night, row), is_fulfilled(night)) == (True, False)
    assert waits_for(night.store, night.store.requests.get(request.id)) == LONG_TERM
    roll_back(night, *row)
    for _ in range(2):  # what ties a person goes first
        fulfil_all(context_of(night))
    assert (is_fulfilled(night), decision(night, request).tasks) == (True, ())
    assert waits_for(night.store, night.store.requests.get(request.id)) == ""


@pytest.mark.parametrize("of", [course, role, recording, file, caller, subscriber])
def test_what_somebody_else_deleted_waits_while_the_recycle_bin_has_it(night: Night, of: Callable[..., Row]) -> None:
    """R-088: whoever may can still restore it."""
    switch(night, recycle_bin_days=30)
    person = night.contact(birthdate="2000-05-05")
    row = of(night, person)
    request = decided(night, person)
    remove(night, SETS[row[0]], row[1])
    release(night, request)
    assert fulfil_all(context_of(night)) == {request.id: IN_BIN}
    assert not is_fulfilled(night)
    switch(night, recycle_bin_days=0)
    for _ in range(2):
        assert fulfil_all(context_of(night)) == {}
    assert (is_fulfilled(night), decision(night, request).tasks) == (True, ())


@pytest.mark.parametrize("keeps", ["", "access", "judicial"])
def test_what_the_run_of_a_request_has_left_is_gone_on_with_while_that_request_is_open(night: Night, keeps: str) -> None:
    """HLD-12, R-089: by the next night, as by its own run. What somebody else asks, or a hold on somebody
    else in the file, keeps it."""
    switch(night, recycle_bin_days=30)
    person, other = night.contact(birthdate="2000-05-05"), night.contact(lastname="Anders (fictief)")
    _, dossier = file(night, person)
    for of in (dossier, night.dossier("sexting", closed=False)):
        night.party(other, "witness", dossier=of)
    request = decided(night, person)
    context = context_of(night)
    run = release(night, request, dataclasses.replace(context, connector=Stubborn(context.connector, purge=lambda *_, **__: frozenset())))
    assert run is not None
    assert run.counts["partial"] == 2
    if keeps == "access":
        ask(night, Right.ACCESS, other, given=GivenPerson("Lotte", "Anders (fictief)"))
    elif keeps:
        place(night, person=other, kind=keeps)
    codes = {action.id: action.code for action in night.store.journal.of_run(plan_and_apply(context_of(night), Kind.RETENTION).id)}
    assert codes == {dossier: {"": "", "access": "HOLD_REQUEST", "judicial": "HOLD_JUDICIAL"}[keeps], person: ""}
    assert fulfil_all(context_of(night)) == ({request.id: IN_BIN} if keeps else {})


@pytest.mark.parametrize("meanwhile", ["kept by the CRM", "changed by somebody", "held"])
def test_who_stayed_when_their_file_went_is_erased_by_the_next_round(night: Night, meanwhile: str) -> None:
    """Nothing else leads to them by then, and until thirty days after the closing the request itself keeps
    them from the schedule."""
    person = night.contact(birthdate="2000-05-05")
    file(night, person)
    request = decided(night, person)
    acts: dict[str, Callable[[], object]] = {
        "kept by the CRM": lambda: set_faults(night.emulator, kept("contacts", person)),
        "changed by somebody": lambda: night.patch("contacts", person, telephone1="+32475000001"),
        "held": lambda: place(night, "contact", person),
    }
    context = context_of(night)
    release(night, request, dataclasses.replace(context, connector=Meddling(context.connector, acts[meanwhile], before="change", nth=2)))
    assert (night.rows("cf_dossiers"), night.get("contacts", person) is None, is_fulfilled(night)) == ([], False, False)
    for hold in night.store.holds.all():
        fulfil_all(context_of(night))
        assert (night.get("contacts", person) is None, is_fulfilled(night)) == (False, False)
        release_hold(night, hold)
        plan_and_apply(context_of(night), Kind.RETENTION)  # their file was held with them before it was cleaned
    assert fulfil_all(context_of(night)) == {}
    assert (night.get("contacts", person), is_fulfilled(night), decision(night, request).tasks) == (None, True, ())
    reasons = [issued.certificate.reason for run in night.store.runs.all() for issued in night.store.certificates.of_run(run.id)]
    assert reasons == ["ERASURE_REQUEST"] * 2


@pytest.mark.parametrize("is_planned", [False, True])
def test_who_stayed_and_has_to_be_looked_at_stays_until_somebody_has(
    night: Night, monkeypatch: pytest.MonkeyPatch, is_planned: bool
) -> None:
    """RGT-08: what was granted to somebody who was merged into another contact since is not done unseen, nor
    by a plan of before that."""
    person, witness, other = night.contact(birthdate="2000-05-05"), night.contact(), night.contact()
    night.party(witness, "witness", dossier=file(night, person)[1])
    request = decided(night, person)
    context = context_of(night)
    calls = [partial(night.patch, "contacts", each, telephone1="+32475000001") for each in (person, witness)]
    act = Meddling(context.connector, lambda: [call() for call in calls], before="change", nth=2)
    release(night, request, dataclasses.replace(context, connector=act))
    with monkeypatch.context() as outage:
        outage.setattr("jobs.requests.decisions.carry_out.apply_plan", unanswered)
        assert not is_planned or fulfil_all(context_of(night)) == {request.id: "crm_unreachable"}
    merge(night, person, other)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    assert (night.rows("cf_dossiers"), [night.get("contacts", each) is None for each in (person, witness)]) == ([], [False, False])
    look(night, request)
    assert [fulfil_all(context_of(night)) for _ in range(1 + is_planned)] == [{}] * (1 + is_planned)
    assert ([night.get("contacts", each) for each in (person, witness)], is_fulfilled(night)) == ([None, None], True)


@pytest.mark.parametrize("has_term", [False, True])
def test_a_donor_waits_for_a_gift_there_only_where_the_gift_can_do_without_them(make_night: Callable[..., Night], has_term: bool) -> None:
    """R-104: its link to the donor cannot be emptied there; without a term each gift ties its donor, who is
    emptied of what it does not need."""
    night = make_night(datetime(2026, 11, 25, 11, tzinfo=UTC), policy=with_payments if has_term else str)
    person = night.contact(birthdate="1980-01-01")
    subscriber(night, person)
    gift = night.donation(person)
    request = decided(night, person)
    retain(night, "cf_donation", gift)
    release(night, request)
    assert fulfil_all(context_of(night)) == ({request.id: LONG_TERM} if has_term else {})
    assert is_fulfilled(night) is not has_term
    roll_back(night, "cf_donation", gift)
    fulfil_all(context_of(night))
    assert (is_fulfilled(night), night.get("contacts", person) is None) == (True, has_term)


def test_a_person_whom_a_hold_keeps_goes_once_it_is_lifted(night: Night) -> None:
    """R-079: a granted profile waits like a granted file."""
    person = night.contact()
    subscriber(night, person)
    request = decided(night, person)
    hold = place(night, "contact", person, kind="legal")
    release(night, request)
    assert (night.get("contacts", person) is not None, is_fulfilled(night)) == (True, False)
    release_hold(night, hold)
    fulfil_all(context_of(night))
    assert (night.get("contacts", person), is_fulfilled(night)) == (None, True)


def test_a_correction_waits_for_a_row_that_is_elsewhere_and_for_none_that_is_gone(night: Night) -> None:
    """What has gone for good leaves nothing to correct: a decision with what the person said stays no
    longer."""
    person = night.contact(birthdate="2000-05-05")
    file(night, person)
    request = decided(night, person, Right.RECTIFICATION, Details(corrections={"birthdate": "2001-05-05"}))
    retain(night, "contact", person)
    release(night, request)
    assert fulfil_all(context_of(night)) == {request.id: LONG_TERM}
    roll_back(night, "contact", person)
    remove(night, "contacts", person)
    assert fulfil_all(context_of(night)) == {}
    assert (is_fulfilled(night), decision(night, request).tasks) == (True, ())


def test_a_file_goes_from_there_with_the_people_and_the_recordings_of_its_fiches(night: Night) -> None:
    """R-158: a recording that only lost its link would never be found again."""
    person, reporter = night.contact(birthdate="2000-05-05"), night.contact()
    dossier = night.dossier("sexting")
    (fiche,) = night.fiches_of(dossier)
    night.party(person, "child", dossier=dossier)
    night.party(reporter, "reporter", fiche=fiche)
    spoken = night.recording(date(2026, 11, 20), fiche=fiche)
    request = decided(night, person)
    retain(night, "cf_fiche", fiche)
    retain(night, "cf_dossier", dossier)
    release(night, request)
    fulfil_all(context_of(night))
    assert is_fulfilled(night)
    assert [night.get("cf_recordings", spoken), night.get("contacts", reporter), night.get("contacts", person)] == [None, None, None]


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_suspicion_in_a_fiche_that_was_moved_there_or_deleted_keeps_the_file(night: Night, is_deleted: bool) -> None:
    """SUS-06, SUS-10: the file of a fiche is closed wherever the fiche lies."""
    switch(night, recycle_bin_days=30)
    person = night.contact(birthdate="2000-05-05")
    dossier = night.dossier("sexting")
    (fiche,) = night.fiches_of(dossier)
    night.party(person, "child", dossier=dossier)
    request = decided(night, person)
    night.party(person, "suspect", fiche=fiche)
    if is_deleted:
        remove(night, "cf_fiches", fiche)
    else:
        retain(night, "cf_fiche", fiche)
    assert release(night, request) is None
    fulfil_all(context_of(night))
    assert (night.get("cf_dossiers", dossier) is not None, is_fulfilled(night)) == (True, False)


def test_a_fiche_that_came_after_the_decision_is_looked_at_there_too(night: Night) -> None:
    """RET-17: what was weighed was another file."""
    person = night.contact(birthdate="2000-05-05")
    dossier = night.dossier("sexting")
    night.party(person, "child", dossier=dossier)
    request = decided(night, person)
    retain(night, "cf_fiche", night.fiche("sexting", dossier=dossier))
    assert release(night, request) is None
    assert night.get("cf_dossiers", dossier) is not None
    assert decision(night, request).looked_for_at is not None


@pytest.mark.parametrize("moved", [False, True])
def test_a_file_that_is_anonymised_in_place_is_done_and_one_that_cannot_be_is_told(make_night: Callable[..., Night], moved: bool) -> None:
    night = make_night(policy=in_place())
    night.create("teams", "teamid", name="Geanonimiseerd")
    person = night.contact(birthdate="2000-05-05")
    dossier = night.dossier("sexting")
    night.party(person, "child", dossier=dossier)
    request = decided(night, person)
    if moved:
        retain(night, "cf_fiche", night.fiches_of(dossier)[0])
    release(night, request)
    assert fulfil_all(context_of(night)) == ({request.id: LONG_TERM} if moved else {})
    assert is_fulfilled(night) is not moved
