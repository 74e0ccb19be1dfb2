"""Cascades where organisations differ: the version of a cleared link, the copies of a deleted participant."""

import pytest

from tests.connectors.emulator.client import Client


@pytest.mark.row(21)
def test_remove_link_may_leave_the_version_as_it_was(crm: Client) -> None:
    crm.switch(remove_link_bumps_etag=False)
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    before = crm.etag("cf_fiches", fiche)
    crm.send("DELETE", f"cf_dossiers({dossier})")
    row = crm.row(f"cf_fiches({fiche})")
    assert (row["_cf_dossierid_value"], row["@odata.etag"]) == (None, before)


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
