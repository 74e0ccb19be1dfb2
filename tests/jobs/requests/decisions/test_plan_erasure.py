"""Erasure on request: what a DPO grants goes through the same guarded executor as everything else (6.2, table
4.2)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from unittest.mock import Mock

import pytest

from crm_compliance.answer_package.package import package_of
from jobs.erasures.register import REGISTERED
from jobs.inbox.item import InboxItem, ItemKind
from jobs.inbox.of_no_use import why_of_no_use
from jobs.inbox.plans import of_plans
from jobs.inbox.requests import LOOK_AGAIN, of_requests
from jobs.model.plan import Kind
from jobs.model.request import Details, GivenPerson, IdentityCheck, SubjectRequest
from jobs.model.run import Action, ActionState, RowWrite, Run, RunState
from jobs.plans.approve import approve_plan
from jobs.ports.context import JobContext
from jobs.register import transitions
from jobs.register.decision import decision_of
from jobs.register.overrides import override
from jobs.requests.answer.compile import compile_request, compiled
from jobs.requests.decisions.carry_out import apply_by_hand, fulfil, fulfil_all
from jobs.requests.decisions.plan_erasure import held_items, plan_erasure
from jobs.restores.replay_plan import plan_replay
from jobs.runs.apply import apply_plan
from rules.errors import Refused
from rules.model.requests import IdentityMethod, Mandate, RequesterKind, RequestState, Right
from tests.crm_compliance.answer_package.pages import text_of
from tests.drivers.deciding import ask, close, compile_, context_of, decide, decision, dora, granted, release, whats
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import ROLE, Night, references_of
from tests.meanwhile import between


def test_a_childs_dossier_goes_whole_with_a_certificate_that_names_the_request(night: Night) -> None:
    """6.2: disposal with reason ERASURE_REQUEST, long before the end, of the file with its fiches, notes,
    recordings, roles and people."""
    child, father = night.contact(birthdate="2010-05-05"), night.contact(lastname="Vader (fictief)")
    dossier = night.dossier("sexting", closed=False)
    (fiche,) = night.fiches_of(dossier)
    night.party(child, "child", dossier=dossier)
    night.party(father, "parent", fiche=fiche)
    recording = night.recording(date(2026, 11, 20), fiche=fiche)
    note = night.note("cf_dossier", dossier)
    request = ask(night, Right.ERASURE, child)
    assert whats(compile_(night, request)) == [("erase", "dossier")]
    decided = decide(night, request)
    assert (decided.granted, decided.waiting) == (("item-1",), {})
    assert night.get("cf_dossiers", dossier) is not None  # only the release carries it out
    run = release(night, request)
    assert run is not None
    assert (run.kind, run.state) == (Kind.REQUEST, RunState.DONE)
    gone = [("cf_dossiers", dossier), ("cf_fiches", fiche), ("cf_recordings", recording), ("annotations", note), ("contacts", child)]
    assert [night.get(*row) for row in (*gone, ("contacts", father))] == [None] * 6
    certificates = [issued.certificate for issued in night.store.certificates.of_run(run.id)]
    assert {one.reason for one in certificates} == {"ERASURE_REQUEST"}
    assert {one.rule_id for one in certificates} == {"GDPR-17"}
    assert sorted(one.unit_type for one in certificates) == ["contact", "contact", "dossier", "recording"]
    assert certificates[0].actor.approvers == ("approver", "dpo")
    assert {entry.reason for entry in night.store.erasures.all() if entry.operation in REGISTERED} == {"ERASURE_REQUEST"}
    assert decision(night, request).tasks == ()
    assert fulfil(context_of(night), request.id)[0] is None


def test_who_only_took_part_in_a_call_about_the_person_goes_by_the_next_plan_of_people(night: Night) -> None:
    """RET-20: as ever where nothing else leads to them."""
    child = night.contact(birthdate="2010-05-05")
    caller, donor = (night.contact(firstname=first, lastname="Smets (fictief)") for first in ("Karel", "Nora"))
    night.donation(donor)
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    night.call("contact", child, [caller, donor, child])
    granted(night, ask(night, Right.ERASURE, child))
    assert [night.get("contacts", person) is None for person in (child, caller, donor)] == [True, False, False]
    night.apply(night.approved(night.plan()))
    assert [night.get("contacts", person) is None for person in (child, caller, donor)] == [True, True, False]


def test_what_another_run_left_half_done_is_left_to_others(night: Night) -> None:
    """ERA-15: in a run for a request holds give way that apply to what is left of another unit."""
    earlier = night.apply(night.plan())
    left = night.dossier("grooming", closed=False)
    (fiche,) = night.fiches_of(left)
    versions = [(night.get(*row) or {})["@odata.etag"] for row in (("cf_fiches", fiche), ("cf_dossiers", left))]
    gone = RowWrite("fiche", str(uuid.UUID(int=7)), 'W/"1"')
    rows = (gone, RowWrite("fiche", fiche, versions[0]), RowWrite("dossier", left, versions[1]))
    night.store.journal.record(earlier.id, [Action("cf_dossier", left, "delete", ActionState.PARTIAL, rows=rows)])
    child = night.contact(birthdate="2010-05-05")
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    run = granted(night, ask(night, Right.ERASURE, child))
    assert run is not None
    assert run.counts["deleted"] != 0
    assert left not in {action.id for action in night.store.journal.of_run(run.id)}
    assert night.get("cf_dossiers", left) is not None


def test_table_4_2_rank_5_who_obtained_a_restriction_may_have_the_file_erased(night: Night) -> None:
    """Nothing but a restriction stands in the way, her own: the file goes. Somebody else's granted request
    stays where it is."""
    child, other = night.contact(birthdate="2000-02-01"), night.contact(birthdate="2001-02-01")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    night.party(other, "witness", dossier=dossier)
    restriction = ask(night, Right.RESTRICTION, child, details=Details(about="claim"))
    granted(night, restriction)
    close(night, restriction)
    assert night.lines(night.plan())[dossier].reason == "HOLD_RESTRICTION"

    somebody_elses = ask(night, Right.ERASURE, other)
    compile_(night, somebody_elses)
    assert decide(night, somebody_elses).waiting == {"item-1": "HOLD_RESTRICTION"}
    release(night, somebody_elses)
    assert night.get("cf_dossiers", dossier) is not None

    close(night, somebody_elses)
    night.clock.now += timedelta(days=31)  # what a request keeps after its closing has ended
    own = ask(night, Right.ERASURE, child)
    compile_(night, own)
    assert decide(night, own).waiting == {}
    run = release(night, own)
    assert run is not None
    assert run.state is RunState.DONE
    assert night.get("cf_dossiers", dossier) is None


def test_what_waits_stays_for_a_restriction_that_the_same_person_asks_for_meanwhile(night: Night) -> None:
    """GDPR art. 18(1)(b): it opposes the erasure, from its receipt on and once it was granted."""
    ilse = GivenPerson(firstname="Ilse", lastname="Wouters (fictief)")
    child = night.contact(firstname=ilse.firstname, lastname=ilse.lastname, birthdate="2000-02-01")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", dossier)
    erasure = ask(night, Right.ERASURE, child, given=ilse)
    granted(night, erasure)
    night.clock.advance(days=1)
    restriction = ask(night, Right.RESTRICTION, child, given=ilse)
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), night.get("cf_dossiers", dossier) is not None) == ({}, True)
    compile_(night, restriction)
    decide(night, restriction)
    close(night, restriction)
    assert held_items(context_of(night), erasure, decision(night, erasure)) == {"item-1": "HOLD_RESTRICTION"}


def test_rgt07_a_restriction_that_a_parent_obtained_gives_way_to_the_child_once_it_is_of_age(night: Night) -> None:
    """RGT-01: it was the child's. While the child is a minor it does not: it belongs to both."""
    child, mother = night.contact(birthdate="2009-01-15"), night.contact(firstname="Ilse")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    night.party(mother, "parent", dossier=dossier)
    restriction = ask(night, Right.RESTRICTION, mother, child=child, kind=RequesterKind.PARENT_FOR_CHILD)
    compile_(night, restriction)
    decide(night, restriction)
    close(night, restriction)

    for days, waiting in ((0, {"item-1": "HOLD_RESTRICTION"}), (60, {})):
        night.clock.advance(days=days)
        request = ask(night, Right.ERASURE, child)
        compile_(night, request)
        assert decide(night, request).waiting == waiting


def test_rgt08_a_childs_restriction_stays_where_a_parent_who_may_not_act_for_it_is_told_own_data(night: Night) -> None:
    """Whether the other parent obtained it in the child's name, or the child did: the child does not ask."""
    child, mother, father = night.contact(birthdate="2012-01-15"), night.contact(firstname="Ilse"), night.contact(firstname="Bram")
    night.patch("contacts", mother, birthdate="1980-02-01")
    dossiers = [night.dossier("sexting", closed=False) for _ in range(2)]
    for dossier in dossiers:
        night.party(child, "child", dossier=dossier)
        night.party(mother, "parent", dossier=dossier)
    place(night, "cf_dossier", dossiers[0], kind="restriction", obtained_by=(father, child), obtained_for=(child,))
    place(night, "cf_dossier", dossiers[1], kind="restriction", obtained_by=(child,))
    check = IdentityCheck(IdentityMethod.EID, night.clock(), "dora", Mandate.CONTESTED)
    request = ask(night, Right.ERASURE, mother, child=child, kind=RequesterKind.PARENT_FOR_CHILD, identity=check)
    answer = compile_(night, request)
    assert (answer.scope, whats(answer)) == ("own", [("disown", "dossier")] * 2)
    assert decide(night, request).waiting == {"item-1": "HOLD_RESTRICTION", "item-2": "HOLD_RESTRICTION"}


def test_table_4_2_rank_5_a_restriction_that_a_dpo_noted_for_somebody_is_theirs(night: Night) -> None:
    child = night.contact(birthdate="2000-02-01")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    place(night, "cf_dossier", dossier, kind="restriction", obtained_by=(child,))
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    assert decide(night, request).waiting == {}


def test_table_4_2_rank_5_a_restriction_of_which_nobody_said_whose_it_is_is_not_that_of_its_contact(night: Night) -> None:
    """A parent may have obtained it for the child, or the other way round."""
    child = night.contact(birthdate="2000-02-01")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    place(night, "contact", child, kind="restriction")
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    assert decide(night, request).waiting == {"item-1": "HOLD_RESTRICTION"}
    release(night, request)
    assert night.get("cf_dossiers", dossier) is not None


def test_the_number_goes_from_which_who_is_named_without_a_contact_reported(night: Night) -> None:
    """IDN-17: the role is confirmed to be theirs."""
    ilse = night.contact(telephone1="+32470112233")
    fiche = night.fiche("sexting", dossier=night.dossier("sexting", closed=False), cf_callernumber="+32470112233")
    answer = compile_(night, ask(night, Right.ERASURE, ilse, role=night.party(None, "reporter", fiche=fiche)))
    assert [(item.title, item.source) for item in answer.items] == [("no_caller", ("fiche", fiche))]


def test_a_witness_loses_the_name_and_the_information_stays(night: Night) -> None:
    """6.2, witness: partial anonymisation of the party row; the contact goes, and the number from which was
    reported."""
    child, witness = night.contact(birthdate="2010-05-05"), night.contact(lastname="Getuige (fictief)")
    dossier = night.dossier("sexting", closed=False)
    fiche = night.fiche("sexting", dossier=dossier, cf_callernumber="+32470112233", cf_summary="Verzonnen verklaring.")
    night.party(child, "child", dossier=dossier)
    role = night.party(witness, "reporter", fiche=fiche)
    night.patch("cf_parties", role, cf_name="Getuige (fictief)", cf_notes="Verzonnen.")
    request = ask(night, Right.ERASURE, witness)
    assert whats(compile_(night, request)) == [("disown", "dossier")]
    decide(night, request)
    run = release(night, request)
    assert run is not None
    assert run.state is RunState.DONE
    row = night.get("cf_parties", role)
    assert row is not None
    assert [row[column] for column in ("_cf_contactid_value", "cf_name", "cf_notes", "cf_role")] == [None, None, None, 100000003]
    told = night.get("cf_fiches", fiche)
    assert told is not None
    assert (told["cf_callernumber"], told["cf_summary"]) == (None, "Verzonnen verklaring.")
    assert night.get("contacts", witness) is None
    assert night.get("contacts", child) is not None


def test_only_the_items_that_are_named_go(night: Night) -> None:
    child = night.contact(birthdate="2010-05-05")
    dossiers = sorted(night.dossier("sexting", closed=False) for _ in range(2))
    for dossier in dossiers:
        night.party(child, "child", dossier=dossier)
    request = ask(night, Right.ERASURE, child)
    answer = compile_(night, request)
    (first, second) = answer.items
    run = (decide(night, request, second.item), release(night, request))[1]
    assert run is not None
    assert night.get("cf_dossiers", first.source[1]) is not None
    assert night.get("cf_dossiers", second.source[1]) is None
    assert night.get("contacts", child) is not None  # still the child of the other file (RET-20)


@pytest.mark.parametrize("kind", ["judicial", "legal"])
def test_r079_a_judicial_or_legal_hold_blocks_a_granted_erasure_until_it_is_lifted(night: Night, kind: str) -> None:
    """R-079."""
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", dossier, kind=kind)
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    assert decide(night, request).waiting == {"item-1": hold.reason.value}
    assert release(night, request) is None
    assert night.get("cf_dossiers", dossier) is not None
    assert fulfil_all(context_of(night)) == {}
    assert night.get("cf_dossiers", dossier) is not None
    release_hold(night, hold)
    fulfil_all(context_of(night))
    assert night.get("cf_dossiers", dossier) is None
    assert decision(night, request).tasks == ()


def test_r079_a_hold_that_comes_between_plan_and_write_wins(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-079, HLD-07: the journal says HOLD_JUDICIAL, and nothing of the file is written."""
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    decide(night, request)

    def held_first(context: JobContext, plan: str) -> Run:
        place(night, "cf_dossier", dossier)
        return apply_plan(context, plan)

    monkeypatch.setattr("jobs.requests.decisions.carry_out.apply_plan", held_first)
    run = release(night, request)
    assert run is not None
    assert run.counts["skipped"] == {"HOLD_JUDICIAL": 1, "STILL_REFERRED": 1}
    assert night.get("cf_dossiers", dossier) is not None


def test_a_conversation_about_two_children_does_not_go_at_the_word_of_one(night: Night) -> None:
    one, two = (night.contact(birthdate=f"2010-05-0{day}", lastname=f"{day} (fictief)") for day in (1, 2))
    (fiche,) = night.fiches_of(night.dossier("sexting", closed=False))
    for child in (one, two):
        night.party(child, "child", fiche=fiche)
    night.recording(date(2026, 11, 1), fiche=fiche)
    assert whats(compile_(night, ask(night, Right.ERASURE, one))) == [("disown", "dossier")]


@pytest.mark.parametrize("place", ["dossier", "fiche"])
def test_a_child_of_whom_there_is_no_contact_is_another_child_of_the_file(night: Night, place: str) -> None:
    child, dossier = night.contact(birthdate="2010-05-05"), night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    role = night.party(None, "child", **{place: dossier if place == "dossier" else night.fiches_of(dossier)[0]})
    assert whats(compile_(night, ask(night, Right.ERASURE, child))) == [("disown", "dossier")]
    night.patch("cf_parties", role, cf_role=ROLE["witness"])
    assert whats(compile_(night, ask(night, Right.ERASURE, child))) == [("erase", "dossier")]


def test_a_recording_that_has_to_wait_is_not_lost_when_its_file_goes(night: Night) -> None:
    """HLD-13: what is outside the CRM cannot be reached on the first night; the recording goes on the next
    one, without its fiche."""
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    recording = night.recording(date(2026, 11, 20), fiche=night.fiches_of(dossier)[0], cf_storageuri="file:///nowhere/1.wav")
    request = ask(night, Right.ERASURE, child)
    run = granted(night, request)
    assert run is not None
    assert (run.state, run.counts["skipped"]) == (RunState.DONE_WITH_FAILURES, {"SKIPPED_TECHNICAL": 1})
    assert night.get("cf_dossiers", dossier) is None
    assert decision(night, request).done == ()
    night.patch("cf_recordings", recording, cf_storageuri=None)
    assert fulfil_all(context_of(night)) == {}
    assert night.get("cf_recordings", recording) is None
    assert (decision(night, request).tasks, decision(night, request).done) == ((), ("item-1",))


def test_r078_the_persons_own_access_request_is_answered_first(night: Night) -> None:
    """R-078; neither the erasure's own hold nor the thirty days after an answer stand in the way (table 4.2,
    rank 4)."""
    child = night.contact(birthdate="2010-05-05", emailaddress1="lotte@example.org")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    access = ask(night, Right.ACCESS, child)
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    assert decide(night, request).waiting == {"item-1": "HOLD_REQUEST"}
    assert release(night, request) is None
    assert night.get("cf_dossiers", dossier) is not None
    close(night, access)
    fulfil_all(context_of(night))
    assert night.get("cf_dossiers", dossier) is None


@pytest.mark.parametrize(
    ("birthdate", "stated", "outcome"),
    [
        ("2008-11-28", "", "MANDATE_LAPSED"),
        ("2008-11-29", "2000-01-01", None),
        (None, "2008-11-28", "MANDATE_LAPSED"),
        (None, "1900-01-01", None),
    ],
)
def test_rgt07_what_waited_when_the_child_came_of_age_is_not_erased_at_the_word_of_a_parent(
    night: Night, birthdate: str | None, stated: str, outcome: str | None
) -> None:
    """DAT-06: what is destroyed cannot be had back, so the adult asks for it, or not. Where the CRM has no
    age, the one that was stated counts, unless it stands for none."""
    child = night.contact(birthdate=birthdate)
    mother = night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    access = ask(night, Right.ACCESS, child)
    mothers = GivenPerson(firstname="Ilse", lastname="Wouters (fictief)")
    of_child = GivenPerson(firstname="Lotte", lastname="Peeters (fictief)", birthdate=stated)
    request = ask(night, Right.ERASURE, mother, child=child, kind=RequesterKind.PARENT_FOR_CHILD, given=mothers, of_child=of_child)
    if birthdate is None:  # the child may be an adult
        for who, role in (("dora", "dpo"), ("erik", "approver")):
            request = override(dora(night, who, role), request.id, "RGT-05", "SERVES")
    compile_(night, request)
    decide(night, request)
    assert release(night, request) is None, "the child's own request is answered first (R-078)"
    night.clock.advance(days=3)
    close(night, access)
    waiting = fulfil_all(context_of(night))
    assert waiting == ({request.id: outcome} if outcome else {})
    assert (night.get("cf_dossiers", dossier) is not None) == bool(outcome)
    assert (decision(night, request).tasks, night.store.requests.get(request.id).outcome) == ((), outcome)
    assert fulfil_all(context_of(night)) == {}


def test_sus10_a_file_in_which_who_asked_became_suspect_is_not_erased_while_that_lasts(night: Night) -> None:
    """SUS-06: whether it is the file of the child or one role in a file, and by a fiche too. Nothing is told
    of it, and another file goes."""
    child, witness = night.contact(birthdate="2010-05-05"), night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    own, of_another, free = (night.dossier("sexting", closed=False) for _ in range(3))
    night.party(child, "child", dossier=own)
    night.party(child, "child", dossier=free)
    role = night.party(witness, "witness", dossier=of_another)
    asked = [ask(night, Right.ERASURE, child), ask(night, Right.ERASURE, witness, given=GivenPerson("Ilse", "Wouters (fictief)"))]
    holds = [place(night, table, row) for table, row in (("cf_dossier", own), ("cf_dossier", of_another), ("cf_dossier", free))]
    for request in asked:
        compile_(night, request)
        decide(night, request)
        assert release(night, request) is None
    of_child = night.party(child, "suspect", fiche=night.fiches_of(own)[0])
    for suspicion in (of_child, night.party(witness, "suspect", dossier=of_another)):
        night.patch("cf_parties", suspicion, cf_suspectuntil="2026-12-10")
    for hold in holds:
        release_hold(night, hold)
    night.clock.advance(days=2)
    assert fulfil_all(context_of(night)) == {}
    there = [night.get(*row) is not None for row in (("cf_dossiers", own), ("cf_dossiers", of_another), ("cf_dossiers", free))]
    party = night.get("cf_parties", role)
    assert (there, party and party["_cf_contactid_value"]) == ([True, True, False], witness)
    assert not [line for plan in night.store.plans.all() for line in night.lines(plan).values() if line.id in (own, of_another)]
    night.clock.advance(days=20)
    assert fulfil_all(context_of(night)) == {}
    assert night.get("cf_dossiers", own) is not None, "it has ended, and nobody has looked (SUS-08)"
    for request in asked:
        for who, told in (("dora", "dpo"), ("erik", "approver")):
            assert [(item.subject, item.code) for item in looked_for(night, told) if item.subject == request.id] == [
                (request.id, LOOK_AGAIN)
            ]
            with pytest.raises(Refused, match="not possible"):
                override(dora(night, who, told), request.id, "SUS-06", "CHECKED")
            assert override(dora(night, who, told), request.id, "SUS-08", "CHECKED").state is RequestState.RELEASED
        with pytest.raises(Refused, match="not possible"):
            override(dora(night), request.id, "SUS-08", "CHECKED")
    assert looked_for(night, "dpo") == []
    assert fulfil_all(context_of(night)) == {}
    party = night.get("cf_parties", role)
    assert (night.get("cf_dossiers", own), party and party["_cf_contactid_value"]) == (None, None)


def looked_for(night: Night, role: str) -> list[InboxItem]:
    """What waits for somebody in a role until they have looked again at something granted."""
    found = of_requests(night.store, night.clock(), night.policy.calendar)
    return [item for item in found if item.code == LOOK_AGAIN and item.is_for("nobody", [role])]


def test_rgt07_sus10_a_plan_that_is_applied_by_hand_is_asked_again_as_the_night_asks(night: Night) -> None:
    """A plan is valid for 72 hours, in which a child comes of age and somebody becomes a suspect."""
    child = night.contact(firstname="Joris", lastname="Claes (fictief)", birthdate="2010-05-05")
    grown = night.contact(birthdate="2008-11-28")
    mother = night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    own, of_grown = (night.dossier("sexting", closed=False) for _ in range(2))
    night.party(child, "child", dossier=own)
    night.party(grown, "child", dossier=of_grown)
    given = GivenPerson(firstname="Ilse", lastname="Wouters (fictief)")
    of_parent = ask(night, Right.ERASURE, mother, child=grown, kind=RequesterKind.PARENT_FOR_CHILD, given=given)
    asked = [ask(night, Right.ERASURE, child, given=GivenPerson("Joris", "Claes (fictief)")), of_parent]
    holds = [place(night, "cf_dossier", dossier) for dossier in (own, of_grown)]
    for request in asked:
        compile_(night, request)
        decide(night, request)
        assert release(night, request) is None
    for hold in holds:
        release_hold(night, hold)
    night.clock.advance(days=1)
    plans = []
    for request in asked:
        chosen = decision_of(night.store, request.id)
        assert chosen is not None
        plan = plan_erasure(context_of(night), night.store.requests.get(request.id), chosen)
        assert plan is not None
        plans.append(plan.id)
    night.clock.advance(days=2)
    suspicion = night.party(child, "suspect", dossier=own)
    codes = []
    for plan_id in (*plans, *plans):
        with pytest.raises(Refused) as error:
            apply_by_hand(context_of(night), plan_id)
        codes.append(error.value.code)
    assert codes == ["granted_no_more", "MANDATE_LAPSED", "granted_no_more", "granted_no_more"]
    assert (night.get("cf_dossiers", own) is None, night.get("cf_dossiers", of_grown) is None) == (False, False)
    night.http.delete(f"{night.emulator.url}cf_parties({suspicion})").raise_for_status()
    assert apply_by_hand(context_of(night), plans[0]).state is RunState.DONE
    assert (night.get("cf_dossiers", own), fulfil_all(context_of(night))) == (None, {})


def test_a_strangers_pending_request_keeps_the_file_that_both_are_in(night: Night) -> None:
    """HLD-08: everything about the other person is preserved, the file of the child too."""
    child, other = night.contact(birthdate="2010-05-05"), night.contact(firstname="Bram", lastname="Maes (fictief)")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    night.party(other, "reporter", dossier=dossier)
    ask(night, Right.ACCESS, other, given=GivenPerson(firstname="Bram", lastname="Maes (fictief)"))
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    assert decide(night, request).waiting == {"item-1": "HOLD_REQUEST"}
    assert release(night, request) is None
    assert night.get("cf_dossiers", dossier) is not None


def with_payments(text: str) -> str:
    """The shipped schedule with the row for gifts in force, as a controller puts it in force."""
    start = text.index("  donor_payment:")
    assert "enabled: false" in text[start:]
    return text[:start] + text[start:].replace("enabled: false", "enabled: true", 1)


def test_r104_a_donors_profile_is_erased_and_the_payment_kept_until_the_end_of_2036(make_night: Callable[..., Night]) -> None:
    """R-104."""
    night = make_night(datetime(2026, 11, 25, 11, tzinfo=UTC), policy=with_payments)
    donor = night.contact(cf_newsletter=True)
    gift = night.donation(donor)
    night.patch("cf_donations", gift, cf_bookedon="2026-05-01T11:00:00Z")
    request = ask(night, Right.ERASURE, donor)
    assert whats(compile_(night, request)) == [("unsubscribe", "contact"), ("profile", "contact")]
    decide(night, request)
    run = release(night, request)
    assert run is not None
    assert run.state is RunState.DONE
    assert night.get("contacts", donor) is None
    kept = night.get("cf_donations", gift)
    assert kept is not None
    assert kept["_cf_contactid_value"] is None
    line = night.lines(night.plan())[gift]
    assert (line.reason, line.retention_end) == ("NOT_EXPIRED", "2036-12-31")


def test_r104_the_answer_tells_until_when_a_payment_stays_and_on_what_ground(make_night: Callable[..., Night]) -> None:
    """R-104, art. 12(4): by its day where the schedule has a term, in the language of the answer, for people
    and for computers."""
    night = make_night(datetime(2026, 11, 25, 11, tzinfo=UTC), policy=with_payments)
    donor = night.contact(cf_newsletter=True)
    night.patch("cf_donations", night.donation(donor), cf_bookedon="2026-05-01T11:00:00Z")
    request = ask(night, Right.ERASURE, donor)
    compile_request(context_of(night), request.id, "dora", "dpo")
    decide(night, request)
    contents = package_of(compiled(night.store, night.store.requests.get(request.id)), night.context.organisation, {})
    (kept,) = json.loads(contents["data.json"])["kept"]
    assert (kept["type"], kept["last_day"]) == ("donation", "2036-12-31")
    letter = text_of(contents["letter.pdf"])
    assert "Wat blijft, en waarom" in letter
    assert "31 december 2036" in letter
    assert "Wettelijke verplichting (artikel 6, lid 1, punt c), AVG)" in letter


@pytest.mark.parametrize(("hold", "is_told"), [("legal", True), ("", False)])
def test_what_is_held_for_now_is_told_without_detail(night: Night, hold: str, is_told: bool) -> None:
    child = night.contact(birthdate="1990-01-02")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    if hold:
        place(night, "cf_dossier", dossier, kind=hold)
    request = ask(night, Right.ERASURE, child)
    compile_request(context_of(night), request.id, "dora", "dpo")
    decide(night, request)
    letter = text_of(package_of(compiled(night.store, night.store.requests.get(request.id)), night.context.organisation, {})["letter.pdf"])
    assert ("een wettelijke verplichting of een rechtsvordering" in letter) == is_told


@pytest.mark.parametrize("right", [Right.ERASURE, Right.RESTRICTION])
def test_of_two_courses_the_review_and_the_letter_tell_which_was_granted(night: Night, right: Right) -> None:
    """GDPR art. 12(4): by their days."""
    person = night.contact()
    courses = {day: {"cf_heldon": day, "cf_ContactId@odata.bind": f"/contacts({person})"} for day in ("2025-03-01", "2026-05-05")}
    for columns in courses.values():
        night.create("cf_enrolments", "cf_enrolmentid", cf_name="inschrijving", **columns)
    request = ask(night, right, person)
    compilation = compile_request(context_of(night), request.id, "dora", "dpo")
    (older,) = [item for item in compilation.items if item.at == "2025-03-01"]
    decide(night, request, older.item)
    letter = text_of(package_of(compiled(night.store, night.store.requests.get(request.id)), night.context.organisation, {})["letter.pdf"])
    assert letter.index("1 maart 2025") < letter.index("Waar wij niet op konden ingaan") < letter.index("5 mei 2026")


def test_without_a_term_for_payments_a_gift_keeps_its_donor_without_what_it_does_not_need(night: Night) -> None:
    """Nobody says until when: the payment needs who paid, so the contact is trimmed and not removed."""
    donor = night.contact(birthdate="1980-05-05", description="Verzonnen.", cf_newsletter=True)
    gift = night.donation(donor)
    granted(night, ask(night, Right.ERASURE, donor))
    row = night.get("contacts", donor)
    assert row is not None
    assert night.get("cf_donations", gift) is not None
    assert (row["birthdate"], row["description"], row["cf_newsletter"], row["donotbulkemail"]) == (None, None, False, True)
    assert row["lastname"] == "Peeters (fictief)"


def test_a_role_that_was_disowned_is_disowned_again_after_a_restore(night: Night) -> None:
    """ERA-13, R-091: a partial anonymisation on request is replayed like an erasure."""
    witness = night.contact()
    dossier = night.dossier("sexting", closed=False)
    role = night.party(witness, "reporter", dossier=dossier)
    granted(night, ask(night, Right.ERASURE, witness))
    assert plan_replay(night.context, only_if_due=True) is None
    again = night.contact()
    night.patch("cf_parties", role, cf_name="rol", **{"cf_ContactId@odata.bind": f"/contacts({again})"})
    plan = plan_replay(night.context)
    assert plan is not None
    apply_plan(night.context, plan.id)
    row = night.get("cf_parties", role)
    assert row is not None
    assert (row["_cf_contactid_value"], row["cf_name"]) == (None, None)


def granted_beyond_the_breaker(make_night: Callable[..., Night]) -> tuple[Night, SubjectRequest]:
    """An erasure of two dossiers that is decided on, where the breaker lets one go."""
    night = make_night(policy=lambda text: text.replace("max: 200", "max: 1"))
    child = night.contact(birthdate="2010-05-05")
    for _ in range(2):
        night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    decide(night, request)
    return night, request


def test_the_breaker_stops_a_request_that_would_take_too_much_until_two_people_have_looked(make_night: Callable[..., Night]) -> None:
    """RET-24: the DPO's word on the content counts; a CRM administrator's is lacking."""
    night, request = granted_beyond_the_breaker(make_night)
    with pytest.raises(Refused) as refused:
        release(night, request)
    assert refused.value.code == "breaker"
    (plan,) = night.store.plans.all()
    assert plan.missing(night.clock()) == ("crm_admin",)
    assert fulfil_all(context_of(night)) == {request.id: "breaker"}
    assert len(night.store.plans.all()) == 1
    approve_plan(night.store, plan.id, "carl", "crm_admin", "", approves=True, now=night.clock(), **references_of(night.key))
    assert fulfil_all(context_of(night)) == {}
    assert night.rows("cf_dossiers") == []


def test_nobody_is_asked_to_approve_the_plan_of_a_request_that_was_withdrawn(make_night: Callable[..., Night]) -> None:
    night, request = granted_beyond_the_breaker(make_night)
    with pytest.raises(Refused):
        release(night, request)
    (plan,) = night.store.plans.all()

    def asked() -> tuple[list[str], str]:
        items = of_plans(night.store, night.policy, night.clock(), rules=None)
        subjects = [item.subject for item in items if item.kind is ItemKind.PLAN_TO_APPROVE]
        return subjects, why_of_no_use(night.store, night.store.plans.get(plan.id), night.clock(), None)

    assert asked() == ([plan.id], "")
    transitions.close(dora(night), request.id, "WITHDRAWN")
    assert asked() == ([], "granted_no_more")


@pytest.mark.parametrize(
    "after",
    [
        "jobs.requests.decisions.carry_out.kept_items",
        "jobs.requests.decisions.carry_out.plan_erasure",
        "jobs.runs.apply.refuse_altered",
        "jobs.runs.apply.look_up_unseen",
    ],
)
def test_what_is_withdrawn_just_before_its_run_begins_is_not_erased(night: Night, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    """The round reads the CRM for a plan, and the guards of its run read more, which takes a while."""
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    held = place(night, "cf_dossier", dossier)
    request = ask(night, Right.ERASURE, child)
    granted(night, request)
    release_hold(night, held)
    between(monkeypatch, after, lambda: transitions.close(dora(night), request.id, "WITHDRAWN"))
    assert fulfil_all(context_of(night)) == {}
    assert night.get("cf_dossiers", dossier) is not None
    assert night.store.runs.all() == []
    assert night.store.requests.get(request.id).outcome == "WITHDRAWN"


def test_who_withdraws_as_the_run_begins_is_told_that_it_has_changed(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has read the request before the run began does not end what it goes by."""
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    held = place(night, "cf_dossier", dossier)
    request = ask(night, Right.ERASURE, child)
    granted(night, request)
    release_hold(night, held)

    def begin() -> None:
        with monkeypatch.context() as patch:
            patch.setattr("jobs.runs.request_run.Fulfilment.carry_out", Mock(side_effect=Refused("stopped", code="stopped")))
            assert fulfil_all(context_of(night)) == {request.id: "stopped"}

    between(monkeypatch, "jobs.register.transitions.parts_at_closing", begin)
    for code in ("changed", "another_run"):
        with pytest.raises(Refused) as refused:
            transitions.close(dora(night), request.id, "WITHDRAWN")
        assert refused.value.code == code
    assert fulfil_all(context_of(night)) == {}
    assert night.get("cf_dossiers", dossier) is None


def test_what_a_run_has_erased_and_nobody_has_noted_yet_is_not_withdrawn(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has ended, and the round still reads what is left: recipients are to be told of it."""
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False, fiches=0)
    night.fiche("sexting", dossier=dossier, cf_transmittedto="Politiezone Verzonnen")
    night.party(child, "child", dossier=dossier)
    held = place(night, "cf_dossier", dossier)
    request = ask(night, Right.ERASURE, child)
    granted(night, request)
    release_hold(night, held)
    between(monkeypatch, "jobs.requests.decisions.carry_out.apply_plan", lambda: transitions.close(dora(night), request.id, "WITHDRAWN"))
    assert fulfil_all(context_of(night)) == {}
    assert night.get("cf_dossiers", dossier) is None
    found = decision(night, request)
    assert (found.tasks, found.done) == ((), ("item-1",))
    assert [notice.due_on for notice in found.notices] == [date(2026, 11, 25)]


def test_nothing_is_carried_out_before_the_release(night: Night) -> None:
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    before = night.writes()
    decide(night, request)
    assert fulfil(context_of(night), request.id)[0] is None
    assert (fulfil_all(context_of(night)), night.writes()) == ({}, before)
    assert night.store.requests.get(request.id).state is RequestState.REVIEWING
