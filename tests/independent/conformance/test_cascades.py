"""Sections 4.5 and 11: what goes with a deleted row, what stays, and the parties of activities."""

from typing import Any

import pytest

from tests.web_api import WebApi, error_of, message_of, new_id

pytestmark = pytest.mark.row(21, 22, 23)


def person(crm: WebApi, **columns: Any) -> str:
    return crm.create("contacts", firstname="Voorbeeld", lastname="Persoon (fictief)", **columns)


def test_parties_come_with_their_activity(crm: WebApi) -> None:
    """contract 3.1: 'Parties of activities are created by deep insert or with PUT on the navigation
    property'."""
    who, other = person(crm), person(crm)
    parties = [
        {"partyid_contact@odata.bind": f"/contacts({who})", "participationtypemask": 1, "addressused": "een@example.org"},
        {"participationtypemask": 2, "addressused": "niemand@example.org"},
    ]
    mail = crm.create("emails", subject="m", email_activity_parties=parties)
    found = crm.rows("activityparties", filter=f"_activityid_value eq {mail}", orderby="participationtypemask")
    assert [(p["_partyid_value"], p["participationtypemask"], p["addressused"]) for p in found] == [
        (who, 1, "een@example.org"),
        (None, 2, "niemand@example.org"),
    ]
    body = {"value": [{"partyid_contact@odata.bind": f"contacts({other})", "participationtypemask": 2}]}
    before = crm.get(f"emails({mail})").headers["ETag"]
    assert crm.put(f"emails({mail})/email_activity_parties", body).status_code == 204
    assert crm.get(f"emails({mail})").headers["ETag"] != before
    assert crm.put(f"emails({mail})/email_activity_parties", {"value": [{"cf_nothing": 1}]}).status_code == 400
    told = crm.rows(f"emails({mail})/email_activity_parties")
    assert [(p["_partyid_value"], p["participationtypemask"]) for p in told] == [(other, 2)]


@pytest.mark.parametrize("verb", ["GET", "DELETE", "PATCH", "POST"])
def test_parties_cannot_be_written_directly(crm: WebApi, verb: str) -> None:
    """11.2: 'only RetrieveMultiple is exposed — it cannot be deleted or updated directly'."""
    mail = crm.create("emails", subject="m", email_activity_parties=[{"participationtypemask": 2, "addressused": "a@example.org"}])
    [party] = crm.rows("activityparties", filter=f"_activityid_value eq {mail}")
    path = "activityparties" if verb == "POST" else f"activityparties({party['activitypartyid']})"
    assert crm.send(verb, path, {"addressused": "b@example.org"}).status_code == 405
    assert [p["addressused"] for p in crm.rows("activityparties", filter=f"_activityid_value eq {mail}")] == ["a@example.org"]


def test_a_deleted_participant_leaves_name_and_address(crm: WebApi) -> None:
    """15 row 22: 'row still there, ispartydeleted=true, addressused and the stored party name unchanged; goes
    when its activity goes'; the address is the person's unless another is given."""
    who = person(crm, emailaddress1="blijft@example.org")
    party = {"partyid_contact@odata.bind": f"/contacts({who})", "participationtypemask": 2}
    mail = crm.create("emails", subject="m", email_activity_parties=[party])
    path = f"emails({mail})/email_activity_parties"
    [before] = crm.rows(path)
    assert before["ispartydeleted"] is False
    assert crm.delete(f"contacts({who})").status_code == 204
    [after] = crm.rows(path)
    kept = ("_partyid_value", "addressused", "partyidname", "_activityid_value")
    assert [after[name] for name in kept] == [who, "blijft@example.org", "Voorbeeld Persoon (fictief)", mail]
    assert after["ispartydeleted"] is True
    crm.delete(f"emails({mail})")
    assert crm.rows("activityparties", filter=f"_partyid_value eq {who}") == []


def test_remove_link_leaves_the_child(crm: WebApi) -> None:
    """15 row 21: 'RemoveLink nulls _x_value (and bumps the child's ETag)'."""
    dossier = crm.create("cf_dossiers", cf_name="D")
    row = crm.create("cf_fiches", cf_name="F", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    before = crm.get(f"cf_fiches({row})").headers["ETag"]
    assert crm.delete(f"cf_dossiers({dossier})").status_code == 204
    after = crm.get(f"cf_fiches({row})")
    assert after.json()["_cf_dossierid_value"] is None
    assert after.headers["ETag"] != before


def test_a_cascade_goes_all_the_way_down(crm: WebApi) -> None:
    """15 row 21: 'Cascade removes transitively in one transaction'."""
    fiche, other = crm.create("cf_fiches", cf_name="F"), crm.create("cf_fiches", cf_name="F")
    stays = crm.create("annotations", subject="n", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({other})"})
    party = crm.create("cf_parties", cf_name="p", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    note = crm.create("annotations", subject="n", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"})
    party_of_mail = [{"participationtypemask": 2, "addressused": "x@example.org"}]
    mail = crm.create(
        "emails",
        subject="m",
        email_activity_parties=party_of_mail,
        **{"regardingobjectid_cf_fiche_email@odata.bind": f"/cf_fiches({fiche})"},
    )
    assert crm.delete(f"cf_fiches({fiche})").status_code == 204
    assert not any(
        crm.exists(path) for path in (f"cf_parties({party})", f"annotations({note})", f"emails({mail})", f"activitypointers({mail})")
    )
    assert crm.rows("activityparties", filter=f"_activityid_value eq {mail}") == []
    assert crm.exists(f"annotations({stays})")


def test_restrict_is_405_and_changes_nothing(crm: WebApi) -> None:
    """4.5: '405 0x80040227 The object you tried to delete is associated with another object and cannot be
    deleted.'"""
    who = person(crm)
    note = crm.create("annotations", subject="n", **{"objectid_contact@odata.bind": f"/contacts({who})"})
    party = crm.create("cf_parties", cf_name="p", **{"cf_ContactId@odata.bind": f"/contacts({who})"})
    crm.create("cf_donations", cf_name="g", **{"cf_ContactId@odata.bind": f"/contacts({who})"})
    answer = crm.delete(f"contacts({who})")
    assert error_of(answer) == (405, "0x80040227")
    assert message_of(answer) == "The object you tried to delete is associated with another object and cannot be deleted."
    assert crm.exists(f"contacts({who})")
    assert crm.exists(f"annotations({note})")
    assert crm.row(f"cf_parties({party})")["_cf_contactid_value"] == who


def test_restrict_below_a_cascade_stops_all(crm: WebApi) -> None:
    """15 row 21: 'Restrict → 405, nothing changed, even when another branch cascades'."""
    company = crm.create("accounts", name="B (fictief)")
    free = person(crm, **{"parentcustomerid_account@odata.bind": f"/accounts({company})"})
    donor = person(crm, **{"parentcustomerid_account@odata.bind": f"/accounts({company})"})
    gift = crm.create("cf_donations", cf_name="g", **{"cf_ContactId@odata.bind": f"/contacts({donor})"})
    assert error_of(crm.delete(f"accounts({company})")) == (405, "0x80040227")
    assert crm.exists(f"contacts({free})")
    crm.delete(f"cf_donations({gift})")
    assert crm.delete(f"accounts({company})").status_code == 204
    assert not crm.exists(f"contacts({donor})")


def test_only_children_of_the_row_itself_go_or_are_unlinked(crm: WebApi) -> None:
    """3: a polymorphic lookup names a table and an id, and two parents may share the id."""
    same = new_id()
    crm.create("accounts", accountid=same, name="B (fictief)")
    person(crm, contactid=same)
    at_company = person(crm, **{"parentcustomerid_account@odata.bind": f"/accounts({same})"})
    with_person = person(crm, **{"parentcustomerid_contact@odata.bind": f"/contacts({same})"})
    party = {"partyid_account@odata.bind": f"/accounts({same})", "participationtypemask": 2}
    mail = crm.create("emails", subject="m", email_activity_parties=[party])
    assert crm.delete(f"contacts({same})").status_code == 204
    assert crm.row(f"contacts({with_person})")["_parentcustomerid_value"] is None
    assert crm.row(f"contacts({at_company})")["_parentcustomerid_value"] == same
    assert [row["ispartydeleted"] for row in crm.rows(f"emails({mail})/email_activity_parties")] == [False]
    person(crm, contactid=same)
    crm.patch(f"contacts({with_person})", {"parentcustomerid_contact@odata.bind": f"/contacts({same})"})
    assert crm.delete(f"accounts({same})").status_code == 204
    assert [crm.exists(f"contacts({row})") for row in (at_company, with_person, same)] == [False, True, True]
    assert crm.row(f"contacts({with_person})")["_parentcustomerid_value"] == same


def test_regarding_goes_and_taking_part_stays(crm: WebApi) -> None:
    """15 row 23: 'deleting the regarding record deletes them, deleting a participant does not'."""
    who = person(crm)
    about = crm.create("phonecalls", subject="a", **{"regardingobjectid_contact_phonecall@odata.bind": f"/contacts({who})"})
    joined = crm.create(
        "phonecalls",
        subject="b",
        phonecall_activity_parties=[{"partyid_contact@odata.bind": f"/contacts({who})", "participationtypemask": 2}],
    )
    crm.delete(f"contacts({who})")
    assert (crm.exists(f"phonecalls({about})"), crm.exists(f"phonecalls({joined})")) == (False, True)


def test_what_a_duplicate_search_found_goes_with_either_row(crm: WebApi) -> None:
    """11.1: 'Cascade … duplicaterecord (baserecordid, duplicaterecordid)'; the table is one of the
    environment's platform tables."""
    one, two = person(crm), person(crm)
    pair = {"baserecordid_contact@odata.bind": f"/contacts({one})", "duplicaterecordid_contact@odata.bind": f"/contacts({two})"}
    assert crm.post("duplicaterecords", pair).status_code == 204
    assert len(crm.rows("duplicaterecords", filter=f"_baserecordid_value eq {one}")) == 1
    assert crm.delete(f"contacts({two})").status_code == 204
    assert crm.rows("duplicaterecords", filter=f"_baserecordid_value eq {one}") == []


def test_an_erased_person_is_found_by_address(crm: WebApi) -> None:
    """11.2: 'Find … by addressused eq '…' afterwards'."""
    who = person(crm)
    party = {"partyid_contact@odata.bind": f"/contacts({who})", "participationtypemask": 1, "addressused": "zoek@example.org"}
    crm.create("emails", subject="m", email_activity_parties=[party])
    crm.delete(f"contacts({who})")
    rows = crm.rows(
        "activityparties", select="addressused,participationtypemask,_activityid_value", filter="addressused eq 'zoek@example.org'"
    )
    assert [row["participationtypemask"] for row in rows] == [1]
    by_id = crm.rows("activityparties", filter=f"_partyid_value eq {who}")
    assert len(by_id) == 1
