"""Rectification: what was granted is written, and nothing of it is in the ledger; where a file keeps the
person as they are, it is told (6.2)."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.answer import Compilation
from jobs.model.request import COMPILATION, Details, GivenPerson, IdentityCheck
from jobs.register.decision import Decision, Notice, What, change_decision
from jobs.requests.decisions.carry_out import fulfil_all
from rules.decoders import decoder_of
from rules.model.requests import IdentityMethod, Mandate, RequesterKind, Right
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.deciding import (
    ask,
    compile_,
    context_of,
    decide,
    decision,
    granted,
    release,
    whats,
)
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import Night, night_in
from tests.jobs.requests.decisions.carried_out import CANARY, ledger_of


def born(day: str) -> GivenPerson:
    return GivenPerson(firstname="Lotte", lastname="Peeters (fictief)", birthdate=day)


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


def test_rgt08_what_is_asked_for_a_child_corrects_nothing_of_a_parent_who_may_not_act_for_it(night: Night) -> None:
    child, ilse = night.contact(birthdate="2016-05-05"), night.contact(firstname="Ilse", mobilephone="0470 11 22 33")
    dossier = night.dossier("sexting", closed=False)
    for person, role in ((child, "child"), (ilse, "parent")):
        night.party(person, role, dossier=dossier)
    given, details = (
        GivenPerson("Ilse", phones=("0472 12 13 14",)),
        Details(corrections={"firstname": "Liselotte", "street": "Nieuwstraat 1"}),
    )
    for mandate, corrected in ((Mandate.SHOWN, ["first_name", "street"]), (Mandate.NOT_SHOWN, ["mobile"])):
        check = IdentityCheck(IdentityMethod.EID, night.clock(), "dora", mandate)
        asked: dict[str, Any] = {"kind": RequesterKind.PARENT_FOR_CHILD, "identity": check, "given": given, "details": details}
        request = ask(night, Right.RECTIFICATION, ilse, child=child, **asked)
        found = compile_(night, request)
        assert [field.name for item in found.items for field in item.fields] == corrected
        assert {item.source[1] for item in found.items} == {child if mandate is Mandate.SHOWN else ilse}


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


def test_a_correction_that_waits_gives_way_to_what_the_same_person_said_later(night: Night) -> None:
    """Whatever else it corrects is still written, and who received the first number does not hear of it."""
    child = night.contact(birthdate="2008-05-10")
    night.party(child, "child", dossier=night.dossier("grooming", closed=False))
    hold, said = place(night, person=child), []
    for name, phone in (("Liselotte", "0470 11 11 11"), ("Lotte", "0470 22 22 22")):
        given = GivenPerson(name, "Peeters (fictief)", "2008-05-10", phones=(phone,))
        said.append(ask(night, Right.RECTIFICATION, child, given=given))
    first, second = said
    granted(night, first)
    to_write = {next(iter(task.values)): task for task in decision(night, first).tasks}
    assert sorted(to_write) == ["first_name", "mobile"]
    of_both = Notice("Politiezone Verzonnen", deeds=(What.CORRECT,), items=tuple(task.item for task in to_write.values()))
    of_number = msgspec.structs.replace(of_both, recipient="Jeugdrechtbank Verzonnen", items=(to_write["mobile"].item,))

    def passed_on(now: Decision) -> Decision:
        values = {name: value for task in now.tasks for name, value in task.values.items()}
        return msgspec.structs.replace(now, notices=(of_both, of_number), corrected=values)

    change_decision(night.store, first.id, passed_on)
    release_hold(night, hold)
    granted(night, second)
    left = decision(night, first)
    assert [task.values for task in left.tasks] == [{"first_name": "Liselotte"}] == [left.corrected]
    assert left.notices == (msgspec.structs.replace(of_both, items=(to_write["first_name"].item,)),)
    fulfil_all(context_of(night))
    row = night.get("contacts", child) or {}
    assert (row["mobilephone"], row["firstname"]) == ("0470 22 22 22", "Liselotte")
    assert (decision(night, first).tasks, [notice.due_on for notice in decision(night, first).notices]) == ((), [date(2026, 11, 25)])


def test_who_wants_what_the_crm_says_ends_the_correction_that_waits(night: Night) -> None:
    """There is nothing to write; but the later word counts, and what was asked before is not written any
    more."""
    child = night.contact(birthdate="2008-05-10", address1_line1="Dorp 1")
    night.party(child, "child", dossier=night.dossier("grooming", closed=False))
    hold, said = place(night, person=child), []
    for street in ("Kade 2", "Dorp 1"):
        given = GivenPerson("Lotte", "Peeters (fictief)", "2008-05-10")
        said.append(ask(night, Right.RECTIFICATION, child, given=given, details=Details(corrections={"street": street})))
    first, second = said
    assert [whats(compile_(night, request)) for request in reversed(said)] == [[("annotate", "dossier")], [("correct", "contact")]]
    granted(night, first)
    assert [task.values for task in decision(night, first).tasks] == [{"street": "Kade 2"}]
    granted(night, second)
    release_hold(night, hold)
    fulfil_all(context_of(night))
    assert ((night.get("contacts", child) or {})["address1_line1"], decision(night, first).tasks) == ("Dorp 1", ())


def test_sus05_what_is_corrected_of_a_donor_does_not_tell_what_a_closed_file_knows(night: Night) -> None:
    """Of a donor no birth date is told: that the right one needs no correction tells that it is known."""
    suspect, other = night.contact(birthdate="1980-05-05"), night.contact()
    night.party(suspect, "suspect", dossier=night.dossier("grooming", closed=False))
    for donor in (suspect, other):
        night.donation(donor)
    for details, expected in ((Details(), []), (Details(corrections={"birthdate": "1980-05-05"}), [["birth_on"]])):
        for donor in (suspect, other):
            answer = compile_(night, ask(night, Right.RECTIFICATION, donor, given=born("1980-05-05"), details=details))
            assert [[field.name for field in item.fields] for item in answer.items] == expected


def test_sus10_what_is_known_of_a_donor_from_a_file_of_their_suspicion_stays_as_it_is(night: Night) -> None:
    """The donor is not told the birth date, and nobody corrects what a file says of whom it suspects. The
    name is on letters to the donor: that it stayed wrong would show. Who has another role is told both."""
    suspect, other, witness = (night.contact(birthdate="1980-05-05") for _ in range(3))
    for one in (suspect, witness):
        night.party(one, "suspect", dossier=night.dossier("grooming", closed=False))
    night.party(witness, "witness", dossier=night.dossier("sexting", closed=False))
    details, told = Details(corrections={"birthdate": "1990-09-09", "lastname": "Anders (fictief)"}), []
    for donor in (suspect, other, witness):
        night.donation(donor)
        request = ask(night, Right.RECTIFICATION, donor, details=details)
        told.append([[field.name for field in item.fields] for item in compile_(night, request).items])
        decide(night, request)
        release(night, request)
        assert decision(night, request).tasks == ()
    rows = [night.get("contacts", donor) or {} for donor in (suspect, other, witness)]
    assert [row["lastname"] for row in rows] == ["Anders (fictief)"] * 3
    assert [row["birthdate"] for row in rows] == ["1980-05-05", "1990-09-09", "1990-09-09"]
    assert told[0] == told[1], "nothing tells of it"


@pytest.mark.parametrize("role", ["witness", "suspect"])
def test_sus10_a_role_without_a_contact_that_is_confirmed_to_be_theirs_counts_as_one_of_them(night: Night, role: str) -> None:
    """Whoever is told of a birth date, since they have a role elsewhere, has it corrected too."""
    donor = night.contact(birthdate="1980-05-05")
    night.donation(donor)
    night.party(donor, "suspect", dossier=night.dossier("grooming", closed=False))
    nameless = night.party(None, role, dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.RECTIFICATION, donor, role=nameless, details=Details(corrections={"birthdate": "1990-09-09"}))
    answer = compile_(night, request)
    assert [[field.name for field in item.fields] for item in answer.items] == [["birth_on"]]
    decide(night, request)
    release(night, request)
    assert (night.get("contacts", donor) or {})["birthdate"] == ("1990-09-09" if role == "witness" else "1980-05-05")


def test_a_number_goes_where_the_mapping_has_room_and_a_note_stands_for_what_has_none(tmp_path: Path) -> None:
    mapping = mapping_text(Settings())[0].replace("      mobile: mobilephone\n", "").replace("      birth_place: cf_birthplace\n", "")
    with night_in(ENVIRONMENT, tmp_path, kind=Night, mapping=mapping) as night:
        witness, dossier = night.contact(telephone1="02 475 44 99"), night.dossier("grooming", closed=False)
        night.party(witness, "reporter", dossier=dossier)
        details = Details(corrections={"phones": "0472 12 13 14", "birthplace": "Gent"})
        request = ask(night, Right.RECTIFICATION, witness, details=details)
        answer = compile_(night, request)
        named = [(item.title, [field.name for field in item.fields]) for item in answer.items]
        assert named == [("correct", ["phone"]), ("annotate", [])]
        decide(night, request, "item-1")
        release(night, request)
        assert (night.get("contacts", witness) or {})["telephone1"] == "0472 12 13 14"


def test_no_note_contests_a_file_for_a_number_that_goes_where_there_is_room(tmp_path: Path) -> None:
    mapping = mapping_text(Settings())[0].replace("      phone: telephone1\n", "")
    with night_in(ENVIRONMENT, tmp_path, kind=Night, mapping=mapping) as night:
        witness = night.contact()
        night.party(witness, "reporter", dossier=night.dossier("grooming", closed=False))
        request = ask(night, Right.RECTIFICATION, witness, details=Details(corrections={"phones": "02 475 44 98"}))
        answer = compile_(night, request)
        assert [(item.title, [field.name for field in item.fields]) for item in answer.items] == [("correct", ["mobile"])]
