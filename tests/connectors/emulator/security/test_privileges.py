"""Roles and privileges: what is missing is named, what is out of reach is refused or silently left out."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.connectors.emulator.client import Caller, Client
from tests.web_api import error_of, new_id, request_part, statuses

pytestmark = pytest.mark.row(30)

ROOT_UNIT = "1d2c0000-0000-4000-8000-0000000000b1"
KARIM = "9e8f0000-0000-4000-8000-0000000000a3"


def user_of(client: Client) -> str:
    user: str = client.row("WhoAmI")["UserId"]
    return user


@pytest.mark.parametrize(
    ("method", "path", "body", "missing"),
    [
        ("GET", "cf_fiches", None, "prvReadcf_fiche"),
        ("GET", "cf_fiches/$count", None, "prvReadcf_fiche"),
        ("GET", "cf_fiches(FICHE)", None, "prvReadcf_fiche"),
        ("GET", "cf_fiches(FICHE)/cf_name", None, "prvReadcf_fiche"),
        ("GET", "contacts", None, "prvReadContact"),
        ("GET", "annotations", None, "prvReadNote"),
        ("GET", "phonecalls", None, "prvReadActivity"),
        ("GET", "activitypointers", None, "prvReadActivity"),
        ("GET", "systemusers", None, "prvReadUser"),
        ("GET", "audits", None, "prvReadAuditSummary"),
        ("POST", "cf_fiches", {"cf_name": "F-2"}, "prvCreatecf_fiche"),
        ("PATCH", "cf_fiches(FICHE)", {"cf_name": "F-2"}, "prvWritecf_fiche"),
        ("PUT", "cf_fiches(FICHE)/cf_name", {"value": "F-2"}, "prvWritecf_fiche"),
        ("DELETE", "cf_fiches(FICHE)", None, "prvDeletecf_fiche"),
        ("GET", "EntityDefinitions", None, "prvReadEntity"),
        ("GET", "GlobalOptionSetDefinitions", None, "prvReadOptionSet"),
    ],
)
def test_a_missing_privilege_is_named(crm: Client, caller: Caller, method: str, path: str, body: Any, missing: str) -> None:
    fiche = crm.fiche()
    client = caller({"prvReadTransactionCurrency": "Global"})
    answer = client.send(method, path.replace("FICHE", fiche), body)
    assert error_of(answer) == (403, "0x80040220")
    message = answer.json()["error"]["message"]
    assert message.startswith(f"Principal user (Id={user_of(client)}, type=8, roleCount=1, privilegeCount=")
    assert f"is missing {missing} privilege (Id=" in message
    assert "cf_fiches" not in path or "for entity 'cf_fiche'." in message
    assert crm.row(f"cf_fiches({fiche})")["cf_name"] == "F-1"


def test_an_application_is_a_system_administrator_until_told_otherwise(crm: Client, caller: Caller) -> None:
    client = caller({})
    assert client.get("cf_fiches").status_code == 403
    crm.control("PUT", "privileges", {"user": "proef", "administrator": True})
    assert client.get("cf_fiches").status_code == 200


@pytest.mark.parametrize(("depth", "expected"), [("Basic", {"own"}), ("Local", {"own", "unit"}), ("Global", {"own", "unit", "far"})])
def test_a_list_leaves_out_silently_what_the_depth_does_not_reach(crm: Client, caller: Caller, depth: str, expected: set[str]) -> None:
    client = caller({"prvReadcf_fiche": depth, "prvReadcf_dossier": depth})
    far = crm.create("businessunits", name="Verre eenheid", **{"parentbusinessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    stranger = crm.create("systemusers", lastname="Ver (fictief)", **{"businessunitid@odata.bind": f"businessunits({far})"})
    for name, owner in (("own", user_of(client)), ("unit", KARIM), ("far", stranger)):
        crm.fiche(cf_name=name, **{"ownerid@odata.bind": f"systemusers({owner})"})
    assert {row["cf_name"] for row in client.rows("cf_fiches")} == expected
    assert client.get("cf_fiches/$count").content.decode("utf-8-sig") == str(len(expected))
    assert client.row("cf_fiches?$count=true&$top=1")["@odata.count"] == len(expected)
    counts = client.row("RetrieveTotalRecordCount(EntityNames=['cf_fiche'])")["EntityRecordCountCollection"]
    assert counts["Values"] == [3]


def test_deep_reaches_the_business_units_below(crm: Client, caller: Caller) -> None:
    client = caller({"prvReadcf_fiche": "Deep"})
    below = crm.create("businessunits", name="Onder", **{"parentbusinessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    owner = crm.create("systemusers", lastname="Onder (fictief)", **{"businessunitid@odata.bind": f"businessunits({below})"})
    fiche = crm.fiche(**{"ownerid@odata.bind": f"systemusers({owner})"})
    assert crm.row(f"cf_fiches({fiche})")["_owningbusinessunit_value"] == below
    assert [row["cf_ficheid"] for row in client.rows("cf_fiches")] == [fiche]
    client = caller({"prvReadcf_fiche": "Local"})
    assert client.rows("cf_fiches") == []


def test_what_a_team_owns_its_members_own(crm: Client, caller: Caller) -> None:
    client = caller({"prvReadcf_fiche": "Basic"})
    team = crm.create("teams", name="Team", **{"businessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    crm.fiche(**{"ownerid@odata.bind": f"teams({team})"})
    assert client.rows("cf_fiches") == []
    link = {"@odata.id": f"{crm.url}systemusers({user_of(client)})"}
    assert crm.send("POST", f"teams({team})/teammembership_association/$ref", link).status_code == 204
    assert len(client.rows("cf_fiches")) == 1


def test_a_role_of_a_team_is_its_members_role(crm: Client, caller: Caller) -> None:
    client = caller({"prvReadcf_fiche": "Global"})
    role = crm.create("roles", name="Dossiers lezen", **{"businessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    grant(crm, role, prvReadcf_dossier="Global")
    team = crm.create("teams", name="Team", **{"businessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    crm.send("POST", f"teams({team})/teamroles_association/$ref", {"@odata.id": f"{crm.url}roles({role})"})
    assert client.get("cf_dossiers").status_code == 403
    crm.send("POST", f"teams({team})/teammembership_association/$ref", {"@odata.id": f"{crm.url}systemusers({user_of(client)})"})
    assert client.get("cf_dossiers").status_code == 200


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"cf_name": "F-2"}), ("DELETE", None)])
def test_a_row_out_of_reach_is_refused_as_a_row(crm: Client, caller: Caller, method: str, body: Any) -> None:
    fiche = crm.fiche()
    client = caller({f"prv{kind}cf_fiche": "Basic" for kind in ("Read", "Write", "Delete")})
    assert error_of(client.send(method, f"cf_fiches({fiche})", body)) == (403, "0x80048306")
    crm.send("PATCH", f"cf_fiches({fiche})", {"ownerid@odata.bind": f"systemusers({user_of(client)})"})
    assert client.send(method, f"cf_fiches({fiche})", body).status_code in (200, 204)


def test_rows_out_of_reach_are_left_out_of_expands_and_filters(crm: Client, caller: Caller) -> None:
    dossier = crm.dossier()
    crm.fiche(dossier)
    client = caller({"prvReadcf_fiche": "Basic", "prvReadcf_dossier": "Global"})
    assert client.rows("cf_dossiers?$expand=cf_dossier_fiches")[0]["cf_dossier_fiches"] == []
    assert client.rows("cf_dossiers?$filter=cf_dossier_fiches/any(f:f/cf_name eq 'F-1')") == []
    assert client.rows(f"cf_dossiers({dossier})/cf_dossier_fiches") == []
    assert client.rows(f"cf_dossiers({dossier})/cf_dossier_fiches/$ref") == []
    client = caller({"prvReadcf_fiche": "Global", "prvReadcf_dossier": "Basic"})
    assert client.rows("cf_fiches?$expand=cf_DossierId")[0]["cf_DossierId"] is None
    assert client.rows("cf_fiches?$filter=cf_DossierId/cf_name eq 'D-1'") == []


def test_an_expand_of_a_table_without_read_is_refused(crm: Client, caller: Caller) -> None:
    crm.fiche(crm.dossier())
    answer = caller({"prvReadcf_fiche": "Global"}).get("cf_fiches?$expand=cf_DossierId")
    assert error_of(answer) == (403, "0x80040220")
    assert "prvReadcf_dossier" in answer.json()["error"]["message"]


def test_parties_are_seen_with_their_activity(crm: Client, caller: Caller) -> None:
    contact = crm.contact()
    party = {"partyid_contact@odata.bind": f"contacts({contact})", "participationtypemask": 2}
    crm.create("phonecalls", subject="Gesprek", phonecall_activity_parties=[party])
    assert len(caller({"prvReadActivity": "Global"}).rows("activityparties")) == 1
    assert caller({"prvReadActivity": "Basic"}).rows("activityparties") == []


def test_a_cascade_needs_the_right_to_delete_each_child(crm: Client, caller: Caller) -> None:
    dossier = crm.dossier()
    party = crm.create("cf_parties", cf_name="P", **{"cf_DossierId@odata.bind": f"cf_dossiers({dossier})"})
    rights: dict[str, str | None] = {"prvReadcf_dossier": "Global", "prvDeletecf_dossier": "Global"}
    answer = caller(rights).send("DELETE", f"cf_dossiers({dossier})")
    assert error_of(answer) == (403, "0x80040220")
    assert "prvDeletecf_party" in answer.json()["error"]["message"]
    assert crm.exists("cf_dossiers", dossier)
    assert error_of(caller({**rights, "prvDeletecf_party": "Basic"}).send("DELETE", f"cf_dossiers({dossier})")) == (403, "0x80048306")
    assert caller({**rights, "prvDeletecf_party": "Global"}).send("DELETE", f"cf_dossiers({dossier})").status_code == 204
    assert not crm.exists("cf_parties", party)


def test_a_cascade_needs_the_right_to_delete_what_goes_with_a_child(crm: Client, caller: Caller) -> None:
    """Also where the child has the id of the row that is deleted."""
    same = new_id()
    crm.create("accounts", accountid=same, name="B (fictief)")
    crm.contact(contactid=same, **{"parentcustomerid_account@odata.bind": f"accounts({same})"})
    note = crm.create("annotations", subject="n", **{"objectid_contact@odata.bind": f"contacts({same})"})
    rights: dict[str, str | None] = dict.fromkeys(("prvDeleteAccount", "prvDeleteContact", "prvDeleteNote"), "Global")
    for missing in ("prvDeleteContact", "prvDeleteNote"):
        answer = caller({**rights, missing: None}).send("DELETE", f"accounts({same})")
        assert error_of(answer) == (403, "0x80040220")
        assert missing in answer.json()["error"]["message"]
    assert crm.exists("annotations", note)
    assert caller(rights).send("DELETE", f"accounts({same})").status_code == 204
    assert not crm.exists("annotations", note)


def test_a_cascade_asks_nothing_of_children_when_switched_so(crm: Client, caller: Caller) -> None:
    dossier = crm.dossier()
    party = crm.create("cf_parties", cf_name="P", **{"cf_DossierId@odata.bind": f"cf_dossiers({dossier})"})
    crm.control("PUT", "switches", {"cascade_needs_child_delete": False})
    assert caller({"prvDeletecf_dossier": "Global"}).send("DELETE", f"cf_dossiers({dossier})").status_code == 204
    assert not crm.exists("cf_parties", party)


def test_a_refused_part_of_a_change_set_undoes_the_rest(crm: Client, caller: Caller) -> None:
    fiche, dossier = crm.fiche(), crm.dossier()
    client = caller({"prvReadcf_fiche": "Global", "prvDeletecf_fiche": "Global"})
    inner = [
        request_part("DELETE", f"/api/data/v9.2/{path}", content_id=str(n))
        for n, path in enumerate((f"cf_fiches({fiche})", f"cf_dossiers({dossier})"))
    ]
    body = "".join(f"--c\r\n{part}\r\n" for part in inner) + "--c--\r\n"
    answer = client.batch(f'Content-Type: multipart/mixed; boundary="c"\r\n\r\n{body}')
    assert statuses(answer) == [403]
    assert crm.exists("cf_fiches", fiche)


@pytest.mark.parametrize("missing", ["prvAppendcf_fiche", "prvAppendTocf_dossier"])
def test_setting_a_lookup_needs_append_and_append_to(crm: Client, caller: Caller, missing: str) -> None:
    fiche, dossier = crm.fiche(), crm.dossier()
    names = ("prvWritecf_fiche", "prvAppendcf_fiche", "prvAppendTocf_dossier")
    bind = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
    answer = caller({name: "Global" for name in names if name != missing}).send("PATCH", f"cf_fiches({fiche})", bind)
    assert error_of(answer) == (403, "0x80040220")
    assert missing in answer.json()["error"]["message"]
    assert caller(dict.fromkeys(names, "Global")).send("PATCH", f"cf_fiches({fiche})", bind).status_code == 204


def test_giving_a_row_away_needs_assign(crm: Client, caller: Caller) -> None:
    fiche = crm.fiche()
    give = {"ownerid@odata.bind": f"systemusers({KARIM})"}
    assert "prvAssigncf_fiche" in caller({"prvWritecf_fiche": "Global"}).send("PATCH", f"cf_fiches({fiche})", give).text
    assert (
        caller({"prvWritecf_fiche": "Global", "prvAssigncf_fiche": "Global"}).send("PATCH", f"cf_fiches({fiche})", give).status_code == 204
    )


def test_a_user_without_roles_and_a_disabled_one_stay_outside(crm: Client, caller: Caller) -> None:
    client = caller({"prvReadcf_fiche": "Global"})
    user = user_of(client)
    crm.send("PATCH", f"systemusers({user})", {"isdisabled": True})
    refused = client.get("WhoAmI")
    assert error_of(refused) == (403, "0x80072560")
    assert refused.json()["error"]["message"] == "The user is not a member of the organization."
    crm.send("PATCH", f"systemusers({user})", {"isdisabled": False})
    assert client.get("cf_fiches").status_code == 200
    role = crm.rows(f"systemusers({user})/systemuserroles_association")[0]["roleid"]
    assert crm.send("DELETE", f"systemusers({user})/systemuserroles_association({role})/$ref").status_code == 204
    assert error_of(client.get("WhoAmI")) == (403, "0x80040220")


def test_basic_user_reads_definitions_and_no_fiches(crm: Client, caller: Caller) -> None:
    client = caller({})
    user = user_of(client)
    basic = crm.rows("roles?$filter=name eq 'Basic User'")[0]["roleid"]
    crm.send("POST", f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": f"roles({basic})"})
    assert client.get("EntityDefinitions?$select=LogicalName").status_code == 200
    assert client.get("contacts").status_code == 200
    assert client.get("cf_fiches").status_code == 403


# -- administering through the Web API -----------------------------------------------------------------------


def privilege(crm: Client, name: str) -> str:
    found: str = crm.rows(f"privileges?$filter=name eq '{name}'&$select=privilegeid")[0]["privilegeid"]
    return found


def grant(crm: Client, role: str, action: str = "AddPrivilegesRole", **depths: str) -> None:
    entries = [
        {"Depth": depth, "PrivilegeId": privilege(crm, name), "BusinessUnitId": ROOT_UNIT, "PrivilegeName": name}
        for name, depth in depths.items()
    ]
    answer = crm.send("POST", f"roles({role})/Microsoft.Dynamics.CRM.{action}", {"Privileges": entries})
    assert answer.status_code == 204, answer.text


def held(crm: Client, role: str) -> dict[str, str]:
    return {each["PrivilegeName"]: each["Depth"] for each in crm.row(f"RetrieveRolePrivilegesRole(RoleId={role})")["RolePrivileges"]}


def test_a_role_is_made_filled_and_emptied_by_messages(crm: Client) -> None:
    role = crm.create("roles", name="Opruimer", **{"businessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    grant(crm, role, prvReadcf_fiche="Global", prvDeletecf_fiche="Local")
    assert held(crm, role) == {"prvReadcf_fiche": "Global", "prvDeletecf_fiche": "Local"}
    grant(crm, role, prvDeletecf_fiche="Deep")
    assert held(crm, role)["prvDeletecf_fiche"] == "Deep"
    body = {"PrivilegeId": privilege(crm, "prvReadcf_fiche")}
    assert crm.send("POST", f"roles({role})/Microsoft.Dynamics.CRM.RemovePrivilegeRole", body).status_code == 204
    assert held(crm, role) == {"prvDeletecf_fiche": "Deep"}
    grant(crm, role, "ReplacePrivilegesRole", prvReadNote="Basic")
    assert held(crm, role) == {"prvReadNote": "Basic"}
    expanded = crm.row(f"roles({role})?$select=name&$expand=roleprivileges_association($select=name)")
    assert [each["name"] for each in expanded["roleprivileges_association"]] == ["prvReadNote"]
    masks = crm.rows(f"roleprivilegescollection?$filter=roleid eq {role}")
    assert [row["privilegedepthmask"] for row in masks] == [1]


def test_a_reset_gives_the_rights_that_the_platform_has_under_new_versions(crm: Client) -> None:
    """Also those of the platform's own role, whether somebody has altered them or not."""
    for remove in (False, True, False):
        role = crm.rows("roles?$select=roleid&$filter=name eq 'System Administrator'")[0]["roleid"]
        before, version = held(crm, role), newest(crm)
        if remove:
            body = {"PrivilegeId": privilege(crm, "prvReadcf_fiche")}
            assert crm.send("POST", f"roles({role})/Microsoft.Dynamics.CRM.RemovePrivilegeRole", body).status_code == 204
            assert held(crm, role) != before
        crm.control("POST", "reset", {"empty": True})
        assert held(crm, role) == before
        assert newest(crm, lowest=True) > version


def newest(crm: Client, *, lowest: bool = False) -> int:
    """The highest version of a privilege or of who has it, or the lowest."""
    rows = [*crm.rows("privileges?$select=versionnumber"), *crm.rows("roleprivilegescollection?$select=versionnumber")]
    versions = [int(row["versionnumber"]) for row in rows]
    return min(versions) if lowest else max(versions)


def test_a_role_message_with_nonsense_is_refused(crm: Client) -> None:
    role = crm.create("roles", name="Opruimer")
    path = f"roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    assert crm.send("POST", path, {}).status_code == 400
    assert crm.send("POST", path, {"Privileges": [{"Depth": "Global", "PrivilegeId": new_id()}]}).status_code == 404
    assert crm.send("POST", path, {"Privileges": [{"Depth": "Far", "PrivilegeId": privilege(crm, "prvReadNote")}]}).status_code == 400
    assert held(crm, role) == {}


def test_only_who_may_write_roles_changes_them(crm: Client, caller: Caller) -> None:
    role = crm.create("roles", name="Opruimer")
    client = caller({"prvReadRole": "Global", "prvReadUser": "Global"})
    body = {"PrivilegeId": privilege(crm, "prvReadNote")}
    assert "prvWriteRole" in client.send("POST", f"roles({role})/Microsoft.Dynamics.CRM.RemovePrivilegeRole", body).text
    link = {"@odata.id": f"roles({role})"}
    assert "prvAssignRole" in client.send("POST", f"systemusers({user_of(client)})/systemuserroles_association/$ref", link).text


def test_a_user_learns_which_privileges_they_have(crm: Client, caller: Caller) -> None:
    client = caller({"prvReadcf_fiche": "Basic", "prvReadUser": "Global"})
    document = client.row(f"systemusers({user_of(client)})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()")
    assert document["@odata.context"].endswith("#Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse")
    assert [(each["PrivilegeName"], each["Depth"]) for each in document["RolePrivileges"]] == [
        ("prvReadUser", "Global"),
        ("prvReadcf_fiche", "Basic"),
    ]
    assert document["RolePrivileges"][0]["BusinessUnitId"] == ROOT_UNIT


def test_the_access_to_one_row_is_told(crm: Client, caller: Caller) -> None:
    client = caller({"prvReadcf_fiche": "Global", "prvWritecf_fiche": "Basic", "prvReadUser": "Global"})
    fiche = crm.fiche()
    path = f"systemusers({user_of(client)})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)?@t="
    by_address = f'{{"@odata.id":"cf_fiches({fiche})"}}'
    by_key = f'{{"@odata.type":"Microsoft.Dynamics.CRM.cf_fiche","cf_ficheid":"{fiche}"}}'
    for target in (by_address, by_address.replace('"', "'"), by_key):
        assert crm.row(path + target)["AccessRights"] == "ReadAccess"
    crm.send("PATCH", f"cf_fiches({fiche})", {"ownerid@odata.bind": f"systemusers({user_of(client)})"})
    assert crm.row(path + by_address)["AccessRights"] == "ReadAccess, WriteAccess"
    assert crm.row(path + f'{{"@odata.id":"cf_dossiers({crm.dossier()})"}}')["AccessRights"] == "None"


def test_definitions_list_the_privileges_of_a_table(crm: Client) -> None:
    def listed(table: str) -> dict[str, dict[str, Any]]:
        row = crm.row(f"EntityDefinitions(LogicalName='{table}')?$select=Privileges")
        return {each["PrivilegeType"]: each for each in row["Privileges"]}

    fiche = listed("cf_fiche")
    assert {kind: each["Name"] for kind, each in fiche.items()} == {
        kind: f"prv{kind}cf_fiche" for kind in ("Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")
    }
    assert fiche["Read"]["PrivilegeId"] == privilege(crm, "prvReadcf_fiche")
    assert fiche["Read"]["CanBeBasic"] is True
    assert listed("contact")["Read"]["Name"] == "prvReadContact"
    assert listed("email")["Read"]["Name"] == listed("phonecall")["Read"]["Name"] == "prvReadActivity"
    assert listed("annotation")["Delete"]["Name"] == "prvDeleteNote"
    organisation = listed("organization")
    assert "Assign" not in organisation
    assert organisation["Read"]["CanBeBasic"] is False


def test_privileges_that_are_none_are_not_controlled(crm: Client) -> None:
    bodies: list[Any] = [{"user": "x"}, {"user": "x", "set": {"prvNothing": "Global"}}, {"user": "x", "set": {"prvReadNote": "Far"}}, []]
    for body in bodies:
        assert requests.put(f"{crm.root}/_emulator/privileges", json=body, timeout=10).status_code == 400
