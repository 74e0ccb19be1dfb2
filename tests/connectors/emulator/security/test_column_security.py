"""Secured columns: null to who may not read them, refused to who may not write them."""

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import ANNOTATED, error_of

pytestmark = pytest.mark.row(48)

ENVIRONMENT = """
publisher_prefix: cf
languages: {nl: 1043}
tables:
  contact:
    set: contacts
    columns:
      contactid: {type: guid, key: true}
      fullname: {type: string(160), primary_name: true}
      cf_nationalnumber: {type: string(20), secured: true}
      cf_photo: {type: file, secured: true}
      cf_friendid: {type: lookup contact, schema_name: cf_FriendId}
"""
RIGHTS = {f"prv{kind}Contact": "Global" for kind in ("Create", "Read", "Write")} | {"prvReadUser": "Global"}
NUMBER = "85.07.30-033.61"


@pytest.fixture
def clerk(admin: Client) -> Client:
    """Someone with every right on the table and no field security profile."""
    return admin.application("loket", RIGHTS)


def allow(admin: Client, clerk: Client, **rights: int) -> None:
    profile = admin.create("fieldsecurityprofiles", name="Rijksregisternummer")
    bound = {"fieldsecurityprofileid@odata.bind": f"fieldsecurityprofiles({profile})"}
    admin.create("fieldpermissions", entityname="contact", attributelogicalname="cf_nationalnumber", **rights, **bound)
    link = {"@odata.id": f"fieldsecurityprofiles({profile})"}
    user = clerk.row("WhoAmI")["UserId"]
    assert admin.send("POST", f"systemusers({user})/systemuserprofiles_association/$ref", link).status_code == 204


def test_an_unreadable_column_is_null_wherever_it_is_read(admin: Client, clerk: Client) -> None:
    contact = admin.create("contacts", fullname="Lotte Peeters (fictief)", cf_nationalnumber=NUMBER)
    admin.create("contacts", fullname="Bram Maes (fictief)", **{"cf_FriendId@odata.bind": f"contacts({contact})"})
    assert admin.row(f"contacts({contact})")["cf_nationalnumber"] == NUMBER
    assert clerk.row(f"contacts({contact})", ANNOTATED)["cf_nationalnumber"] is None
    assert {row["cf_nationalnumber"] for row in clerk.rows("contacts?$select=cf_nationalnumber")} == {None}
    assert clerk.get(f"contacts({contact})/cf_nationalnumber").status_code == 204
    friends = clerk.rows("contacts?$filter=_cf_friendid_value ne null&$expand=cf_FriendId($select=cf_nationalnumber)")
    assert friends[0]["cf_FriendId"]["cf_nationalnumber"] is None


def test_an_unreadable_column_is_not_guessed_by_filter_or_order(admin: Client, clerk: Client) -> None:
    admin.create("contacts", fullname="Een (fictief)", cf_nationalnumber=NUMBER)
    assert clerk.rows(f"contacts?$filter=cf_nationalnumber eq '{NUMBER}'") == []
    assert clerk.rows("contacts?$filter=startswith(cf_nationalnumber,'85')") == []
    assert len(clerk.rows("contacts?$orderby=cf_nationalnumber desc")) == 1
    assert len(admin.rows("contacts?$filter=startswith(cf_nationalnumber,'85')")) == 1


def test_writing_a_secured_column_is_refused_and_nothing_changes(admin: Client, clerk: Client) -> None:
    contact = admin.create("contacts", fullname="Lotte Peeters (fictief)", cf_nationalnumber=NUMBER)
    path = f"contacts({contact})"
    assert error_of(clerk.send("PATCH", path, {"fullname": "x", "cf_nationalnumber": None})) == (403, "0x8004f507")
    assert error_of(clerk.send("PUT", f"{path}/cf_nationalnumber", {"value": "1"})) == (403, "0x8004f507")
    assert error_of(clerk.send("DELETE", f"{path}/cf_nationalnumber")) == (403, "0x8004f507")
    assert error_of(clerk.send("POST", "contacts", {"fullname": "y", "cf_nationalnumber": "1"})) == (403, "0x8004f507")
    row = admin.row(path)
    assert (row["fullname"], row["cf_nationalnumber"]) == ("Lotte Peeters (fictief)", NUMBER)
    assert clerk.send("PATCH", path, {"fullname": "Lotte P. (fictief)"}).status_code == 204


@pytest.mark.parametrize("right", ["canread", "canupdate", "cancreate"])
def test_a_profile_allows_what_it_says(admin: Client, clerk: Client, right: str) -> None:
    contact = admin.create("contacts", fullname="Lotte Peeters (fictief)", cf_nationalnumber=NUMBER)
    allow(admin, clerk, **{right: 4})
    assert (clerk.row(f"contacts({contact})")["cf_nationalnumber"] == NUMBER) is (right == "canread")
    assert (clerk.send("PATCH", f"contacts({contact})", {"cf_nationalnumber": "2"}).status_code == 204) is (right == "canupdate")
    assert (clerk.send("POST", "contacts", {"cf_nationalnumber": "3"}).status_code == 204) is (right == "cancreate")


def test_a_secured_file_is_not_downloaded(admin: Client, clerk: Client) -> None:
    contact = admin.create("contacts", fullname="Lotte Peeters (fictief)")
    url = f"{admin.url}contacts({contact})/cf_photo"
    sent = admin.http.patch(url, data=b"beeld", headers={"Content-Type": "application/octet-stream", "x-ms-file-name": "a.txt"}, timeout=10)
    assert sent.status_code == 204
    assert admin.get(f"contacts({contact})/cf_photo/$value").content == b"beeld"
    assert clerk.get(f"contacts({contact})/cf_photo/$value").status_code == 204
    refused = clerk.http.patch(url, data=b"x", headers={"Content-Type": "application/octet-stream", "x-ms-file-name": "b.txt"}, timeout=10)
    assert error_of(refused) == (403, "0x8004f507")
    assert admin.get(f"contacts({contact})/cf_photo/$value").content == b"beeld"


def test_a_column_is_secured_by_its_definition(admin: Client, clerk: Client) -> None:
    path = "EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='fullname')"
    definition = admin.row(path + "/Microsoft.Dynamics.CRM.StringAttributeMetadata")
    definition["@odata.type"] = "Microsoft.Dynamics.CRM.StringAttributeMetadata"
    contact = admin.create("contacts", fullname="Lotte (fictief)")
    for secured in (True, False):
        assert admin.send("PUT", path, {**definition, "IsSecured": secured}, {"MSCRM.MergeLabels": "true"}).status_code == 204
        assert clerk.row(f"contacts({contact})")["fullname"] == (None if secured else "Lotte (fictief)")
        answer = clerk.send("PATCH", f"contacts({contact})", {"fullname": "Lotte (fictief)"}, {"If-Match": "*"})
        assert answer.status_code == (403 if secured else 204)


def test_who_asks_is_told_what_it_may_do_with_secured_columns(admin: Client, clerk: Client) -> None:
    address = f"systemusers({clerk.row('WhoAmI')['UserId']})/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()"
    assert clerk.row(address)["AttributePrivileges"] == []
    allow(admin, clerk, canread=4)
    (told,) = clerk.row(address)["AttributePrivileges"]
    (column,) = admin.rows("EntityDefinitions(LogicalName='contact')/Attributes?$filter=LogicalName eq 'cf_nationalnumber'")
    assert told == {"AttributeId": column["MetadataId"], "CanRead": 4, "CanCreate": 0, "CanUpdate": 0}
    everything = admin.row(f"systemusers({admin.row('WhoAmI')['UserId']})/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()")
    assert len(everything["AttributePrivileges"]) == 2


def test_definitions_tell_which_columns_are_secured(admin: Client) -> None:
    rows = admin.rows("EntityDefinitions(LogicalName='contact')/Attributes?$select=LogicalName,IsSecured&$filter=IsSecured eq true")
    assert {row["LogicalName"] for row in rows} == {"cf_nationalnumber", "cf_photo"}
