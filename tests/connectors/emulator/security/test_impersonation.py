"""Acting on behalf of another user."""

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import error_of, new_id, request_part, statuses

pytestmark = pytest.mark.row(41)

ME = "9e8f0000-0000-4000-8000-0000000000a1"
SOFIE = "9e8f0000-0000-4000-8000-0000000000a2"
SOFIES_OBJECT_ID = "5c4b0000-0000-4000-8000-0000000000a2"
AS_SOFIE = {"MSCRMCallerID": SOFIE}


def an_application(crm: Client, **privileges: str) -> Client:
    return crm.application("proef", privileges)


@pytest.mark.parametrize("headers", [AS_SOFIE, {"CallerObjectId": SOFIES_OBJECT_ID}])
def test_impersonation_takes_its_privilege(crm: Client, headers: dict[str, str]) -> None:
    answer = an_application(crm, prvReadContact="Global").get("contacts", headers)
    assert error_of(answer) == (403, "0x80040220")
    assert "prvActOnBehalfOfAnotherUser" in answer.json()["error"]["message"]


@pytest.mark.parametrize("headers", [AS_SOFIE, {"CallerObjectId": SOFIES_OBJECT_ID}])
def test_what_is_created_is_the_others_and_names_the_caller(crm: Client, headers: dict[str, str]) -> None:
    answer = crm.send("POST", "contacts", {"lastname": "Peeters (fictief)"}, headers)
    row = crm.row(answer.headers["OData-EntityId"])
    assert (row["_createdby_value"], row["_createdonbehalfby_value"], row["_ownerid_value"]) == (SOFIE, ME, SOFIE)
    assert (row["_modifiedby_value"], row["_modifiedonbehalfby_value"]) == (SOFIE, ME)
    assert crm.row(f"contacts({row['contactid']})?$expand=createdonbehalfby($select=fullname)")["createdonbehalfby"]["systemuserid"] == ME
    assert crm.row("WhoAmI", headers)["UserId"] == SOFIE


def test_a_change_names_the_caller_until_someone_changes_it_directly(crm: Client) -> None:
    contact = crm.send("POST", "contacts", {"lastname": "Peeters (fictief)"}, AS_SOFIE).headers["OData-EntityId"][-37:-1]
    crm.send("PATCH", f"contacts({contact})", {"firstname": "Lotte"}, AS_SOFIE)
    row = crm.row(f"contacts({contact})")
    assert (row["_modifiedby_value"], row["_modifiedonbehalfby_value"]) == (SOFIE, ME)
    crm.send("PATCH", f"contacts({contact})", {"firstname": "Lot"})
    row = crm.row(f"contacts({contact})")
    assert (row["_modifiedby_value"], row["_modifiedonbehalfby_value"], row["_createdonbehalfby_value"]) == (ME, None, ME)


def test_nobody_impersonates_themselves(crm: Client) -> None:
    contact = crm.send("POST", "contacts", {"lastname": "Peeters (fictief)"}, {"MSCRMCallerID": ME}).headers["OData-EntityId"]
    assert crm.row(contact)["_createdonbehalfby_value"] is None


def test_only_what_both_may_do_is_done(crm: Client) -> None:
    """Sofie is a Basic User: her own contacts, no fiches."""
    crm.fiche()
    mine = crm.contact()
    assert crm.get("cf_fiches", AS_SOFIE).status_code == 403
    hers = crm.send("POST", "contacts", {"lastname": "Claes (fictief)"}, AS_SOFIE).headers["OData-EntityId"][-37:-1]
    assert [row["contactid"] for row in crm.rows("contacts", AS_SOFIE)] == [hers]
    assert error_of(crm.get(f"contacts({mine})", AS_SOFIE)) == (403, "0x80048306")
    narrow = an_application(crm, prvActOnBehalfOfAnotherUser="Global", prvReadAccount="Global")
    refused = narrow.get("contacts", AS_SOFIE)
    assert error_of(refused) == (403, "0x80040220")
    assert f"Id={SOFIE}" in refused.json()["error"]["message"]
    assert narrow.rows("accounts", AS_SOFIE) == []


def test_unknown_and_disabled_users_are_not_impersonated(crm: Client) -> None:
    assert error_of(crm.get("WhoAmI", {"CallerObjectId": new_id()})) == (403, "0x80072560")
    assert error_of(crm.get("WhoAmI", {"MSCRMCallerID": new_id()})) == (404, "0x80040217")
    crm.send("PATCH", f"systemusers({SOFIE})", {"isdisabled": True})
    assert error_of(crm.get("WhoAmI", AS_SOFIE)) == (403, "0x80072560")


def test_the_header_of_a_batch_holds_for_its_parts(crm: Client) -> None:
    contact = new_id()
    body = f'{{"contactid":"{contact}","lastname":"Peeters (fictief)"}}'
    answer = crm.batch(request_part("POST", "/api/data/v9.2/contacts", body), headers=AS_SOFIE)
    assert statuses(answer) == [204]
    row = crm.row(f"contacts({contact})")
    assert (row["_createdby_value"], row["_createdonbehalfby_value"]) == (SOFIE, ME)


def test_the_header_of_one_part_holds_for_that_part(crm: Client) -> None:
    first, second = new_id(), new_id()
    parts = [
        request_part("POST", "/api/data/v9.2/contacts", f'{{"contactid":"{first}","lastname":"Een (fictief)"}}', MSCRMCallerID=SOFIE),
        request_part("POST", "/api/data/v9.2/contacts", f'{{"contactid":"{second}","lastname":"Twee (fictief)"}}'),
    ]
    assert statuses(crm.batch(*parts)) == [204, 204]
    assert [crm.row(f"contacts({each})")["_createdby_value"] for each in (first, second)] == [SOFIE, ME]
