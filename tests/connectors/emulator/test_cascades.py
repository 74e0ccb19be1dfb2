"""What a delete takes along, leaves behind or is stopped by; activities and who took part in them."""

from __future__ import annotations

import pytest

from tests.connectors.emulator.client import Client, error_of


@pytest.mark.row(21)
def test_cascade_takes_the_whole_tree(crm: Client) -> None:
    dossier, fiche = crm.dossier(), crm.fiche()
    party = crm.create("cf_parties", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    note = crm.create("annotations", subject="n", **{"objectid_cf_dossier@odata.bind": f"/cf_dossiers({dossier})"})
    other_note = crm.create("annotations", subject="n", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"})
    call = crm.create("phonecalls", subject="c", **{"regardingobjectid_cf_dossier_phonecall@odata.bind": f"/cf_dossiers({dossier})"})
    assert crm.send("DELETE", f"cf_dossiers({dossier})").status_code == 204
    assert not crm.exists("cf_parties", party)
    assert not crm.exists("annotations", note)
    assert not crm.exists("phonecalls", call)
    assert crm.exists("annotations", other_note)


@pytest.mark.row(21)
def test_remove_link_leaves_the_child_with_a_new_version(crm: Client) -> None:
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    before = crm.etag("cf_fiches", fiche)
    crm.send("DELETE", f"cf_dossiers({dossier})")
    row = crm.row(f"cf_fiches({fiche})")
    assert row["_cf_dossierid_value"] is None
    assert row["@odata.etag"] != before


@pytest.mark.row(21)
def test_remove_link_may_leave_the_version_as_it_was(crm: Client) -> None:
    crm.switch(remove_link_bumps_etag=False)
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    before = crm.etag("cf_fiches", fiche)
    crm.send("DELETE", f"cf_dossiers({dossier})")
    row = crm.row(f"cf_fiches({fiche})")
    assert (row["_cf_dossierid_value"], row["@odata.etag"]) == (None, before)


@pytest.mark.row(21)
def test_restrict_stops_the_delete_and_all_that_hangs_on_it(crm: Client) -> None:
    """Also where another branch would cascade."""
    contact = crm.contact()
    note = crm.create("annotations", subject="n", **{"objectid_contact@odata.bind": f"/contacts({contact})"})
    donation = crm.create("cf_donations", cf_name="gift", **{"cf_ContactId@odata.bind": f"/contacts({contact})"})
    assert error_of(crm.send("DELETE", f"contacts({contact})")) == (405, "0x80040227")
    assert crm.exists("contacts", contact)
    assert crm.exists("annotations", note)
    crm.send("DELETE", f"cf_donations({donation})")
    assert crm.send("DELETE", f"contacts({contact})").status_code == 204


@pytest.mark.row(21)
def test_restrict_deep_in_the_tree_stops_the_root(crm: Client) -> None:
    """An account cascades to its contacts, and one of them is a donor."""
    account = crm.create("accounts", name="Voorbeeld NV")
    bound = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    free, donor = crm.contact(**bound), crm.contact(**bound)
    crm.create("cf_donations", cf_name="gift", **{"cf_ContactId@odata.bind": f"/contacts({donor})"})
    assert error_of(crm.send("DELETE", f"accounts({account})")) == (405, "0x80040227")
    assert crm.exists("accounts", account)
    assert crm.exists("contacts", free)


@pytest.mark.row(21, 22, 23)
def test_deleting_one_participant_leaves_the_activity_and_the_copies(crm: Client) -> None:
    """NoCascade leaves the dangling id."""
    contact = crm.contact(emailaddress1="lotte@voorbeeld.example")
    mail = crm.create(
        "emails", subject="m", email_activity_parties=[{"partyid_contact@odata.bind": f"contacts({contact})", "participationtypemask": 2}]
    )
    crm.send("DELETE", f"contacts({contact})")
    party = crm.rows(f"activityparties?$filter=_partyid_value eq {contact}")[0]
    assert party["_activityid_value"] == mail
    assert party["ispartydeleted"] is True
    assert party["addressused"] == "lotte@voorbeeld.example"
    assert party["partyidname"] == "Voorbeeld Peeters (fictief)"
    assert crm.exists("emails", mail)


@pytest.mark.row(22)
def test_the_copies_of_a_deleted_participant_may_be_emptied(crm: Client) -> None:
    crm.switch(party_name_cleared=True)
    gone, stays = (crm.contact(emailaddress1=f"{name}@voorbeeld.example") for name in ("gone", "stays"))
    parties = [{"partyid_contact@odata.bind": f"contacts({row})", "participationtypemask": 2} for row in (gone, stays)]
    crm.create("emails", subject="m", email_activity_parties=parties)
    crm.send("DELETE", f"contacts({gone})")
    found = {row["_partyid_value"]: row for row in crm.rows("activityparties")}
    assert (found[gone]["ispartydeleted"], found[gone]["addressused"], found[gone]["partyidname"]) == (True, None, None)
    assert (found[stays]["ispartydeleted"], found[stays]["addressused"]) == (False, "stays@voorbeeld.example")


@pytest.mark.row(22, 23)
def test_deleting_what_an_activity_regards_deletes_it_with_its_parties(crm: Client) -> None:
    contact = crm.contact()
    parties = [
        {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 1},
        {"addressused": "x@voorbeeld.example", "participationtypemask": 2},
    ]
    call = crm.create(
        "phonecalls",
        subject="c",
        phonecall_activity_parties=parties,
        **{"regardingobjectid_contact_phonecall@odata.bind": f"/contacts({contact})"},
    )
    assert len(crm.rows(f"phonecalls({call})/phonecall_activity_parties")) == 2
    crm.send("DELETE", f"contacts({contact})")
    assert not crm.exists("phonecalls", call)
    assert crm.rows("activityparties") == []


def test_put_replaces_the_parties_of_an_activity(crm: Client) -> None:
    """Section 4.6."""
    contact = crm.contact()
    mail = crm.create("emails", subject="m", email_activity_parties=[{"addressused": "a@voorbeeld.example", "participationtypemask": 1}])
    before = crm.etag("emails", mail)
    body = {"value": [{"partyid_contact@odata.bind": f"contacts({contact})", "participationtypemask": 2}]}
    assert crm.send("PUT", f"emails({mail})/email_activity_parties", body).status_code == 204
    parties = crm.rows(f"emails({mail})/email_activity_parties")
    assert [(party["_partyid_value"], party["participationtypemask"]) for party in parties] == [(contact, 2)]
    assert crm.etag("emails", mail) != before
    assert crm.send("PUT", f"emails({mail})/email_activity_parties", {"value": [{"cf_nothing": 1}]}).status_code == 400
    assert len(crm.rows("activityparties")) == 1


@pytest.mark.row(22)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "POST"])
def test_parties_are_only_listed(crm: Client, method: str) -> None:
    crm.create("emails", subject="m", email_activity_parties=[{"addressused": "a@voorbeeld.example"}])
    party = crm.rows("activityparties")[0]["activitypartyid"]
    path = "activityparties" if method == "POST" else f"activityparties({party})"
    assert crm.send(method, path, {"addressused": None}).status_code == 405
    assert crm.rows("activityparties")[0]["addressused"] == "a@voorbeeld.example"


@pytest.mark.row(23)
def test_activity_pointers_are_the_union_of_all_activities(crm: Client) -> None:
    fiche = crm.fiche()
    call = crm.create("phonecalls", subject="c", **{"regardingobjectid_cf_fiche_phonecall@odata.bind": f"/cf_fiches({fiche})"})
    mail = crm.create("emails", subject="m")
    rows = {row["activityid"]: row for row in crm.rows("activitypointers")}
    assert {row["activityid"]: row["activitytypecode"] for row in rows.values()} == {call: "phonecall", mail: "email"}
    assert [r["activityid"] for r in crm.rows(f"activitypointers?$filter=_regardingobjectid_value eq {fiche}")] == [call]
    assert (
        crm.row(f"activitypointers({call})?$expand=regardingobjectid_cf_fiche($select=cf_name)")["regardingobjectid_cf_fiche"]["cf_name"]
        == "F-1"
    )
    assert crm.send("DELETE", f"activitypointers({call})").status_code == 405
    assert len(crm.rows("activitypointers", {"Prefer": "odata.maxpagesize=1"})) == 1
