"""Two rows are merged: what belonged to one belongs to the other, and the one stays, inactive."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Caller, Client

pytestmark = pytest.mark.usefixtures("real_http")


def named(contact: str) -> dict[str, str]:
    return {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": contact}


def merge(client: Client, target: str, subordinate: str, **more: Any) -> Any:
    return client.send(
        "POST", "Merge", {"Target": named(target), "Subordinate": named(subordinate), "PerformParentingChecks": False, **more}
    )


def role(client: Client, contact: str) -> str:
    return client.create("cf_parties", **{"cf_name": "r", "cf_ContactId@odata.bind": f"/contacts({contact})"})


@pytest.mark.row(54)
def test_the_subordinate_stays_inactive_and_says_into_what_it_was_merged(crm: Client) -> None:
    one, other = crm.contact(), crm.contact(telephone1="02 000 00 00")
    before = crm.row(f"contacts({one})")
    assert (before["merged"], before["_masterid_value"], before["statecode"]) == (False, None, 0)
    assert merge(crm, other, one, UpdateContent={**named(other), "telephone1": "02 111 11 11"}).status_code == 204
    row, target = crm.row(f"contacts({one})"), crm.row(f"contacts({other})")
    assert (row["merged"], row["_masterid_value"], row["statecode"], row["statuscode"]) == (True, other, 1, 2)
    assert (target["merged"], target["_masterid_value"], target["statecode"], target["telephone1"]) == (False, None, 0, "02 111 11 11")
    assert before["@odata.etag"] != row["@odata.etag"]
    assert [each["contactid"] for each in crm.rows(f"contacts?$filter=merged eq true and _masterid_value eq {other}")] == [one]


@pytest.mark.row(54)
def test_what_belonged_to_the_subordinate_belongs_to_the_target(crm: Client) -> None:
    one, other = crm.contact(), crm.contact()
    party, child = role(crm, one), crm.contact(**{"parentcustomerid_contact@odata.bind": f"/contacts({one})"})
    note = crm.create("annotations", **{"subject": "n", "objectid_contact@odata.bind": f"/contacts({one})"})
    call = crm.create(
        "phonecalls",
        subject="c",
        phonecall_activity_parties=[{"participationtypemask": 2, "partyid_contact@odata.bind": f"/contacts({one})"}],
    )
    assert merge(crm, other, one).status_code == 204
    assert crm.row(f"cf_parties({party})")["_cf_contactid_value"] == other
    assert crm.row(f"contacts({child})")["_parentcustomerid_value"] == other
    assert crm.row(f"annotations({note})")["_objectid_value"] == other
    parties = crm.row(f"phonecalls({call})?$expand=phonecall_activity_parties")["phonecall_activity_parties"]
    assert [each["_partyid_value"] for each in parties] == [other]


@pytest.mark.row(54)
def test_the_target_does_not_become_its_own_parent(crm: Client) -> None:
    one = crm.contact()
    other = crm.contact(**{"parentcustomerid_contact@odata.bind": f"/contacts({one})"})
    assert merge(crm, other, one).status_code == 204
    assert crm.row(f"contacts({other})")["_parentcustomerid_value"] == one


@pytest.mark.row(54)
def test_a_row_is_merged_once_and_into_one_that_is_active(crm: Client) -> None:
    one, other, third = crm.contact(), crm.contact(), crm.contact()
    assert merge(crm, other, one).status_code == 204
    assert merge(crm, third, one).status_code == 400
    assert merge(crm, one, third).status_code == 400
    assert merge(crm, third, third).status_code == 400
    assert merge(crm, third, "00000000-0000-0000-0000-000000000001").status_code == 404
    dossier = {"@odata.type": "Microsoft.Dynamics.CRM.cf_dossier", "cf_dossierid": crm.dossier()}
    assert merge(crm, third, other, Target=dossier, Subordinate=dossier).status_code == 400
    assert merge(crm, third, other, PerformParentingChecks="no").status_code == 400
    crm.send("PATCH", f"contacts({third})", {"merged": True})
    assert crm.row(f"contacts({third})")["merged"] is False


@pytest.mark.row(54)
def test_merging_takes_a_privilege_and_both_rows(caller: Caller, crm: Client) -> None:
    one, other = crm.contact(), crm.contact()
    everything = {"prvReadContact": "Global", "prvWriteContact": "Global", "prvMerge": "Global"}
    for lacking in ("prvMerge", "prvWriteContact"):
        refused = merge(caller({name: depth for name, depth in everything.items() if name != lacking}), other, one)
        assert (refused.status_code, lacking in refused.text) == (403, True)
    assert merge(caller({**everything}), other, one).status_code == 204
