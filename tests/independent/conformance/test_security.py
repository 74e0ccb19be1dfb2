"""Sections 1.6, 1.8 and 13: users, roles, depth, impersonation, column security."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.independent.conformance.served import Crm, error, message, new_id

pytestmark = pytest.mark.row(30, 41, 48)
NS = "Microsoft.Dynamics.CRM."


class Clerk:
    """An application user with a role of its own."""

    def __init__(self, admin: Crm) -> None:
        self.admin, self.client = admin, new_id()
        form = {"grant_type": "client_credentials", "client_id": self.client, "client_secret": "s", "scope": admin.origin + "/.default"}
        token = requests.post(f"{admin.origin}/t/oauth2/v2.0/token", data=form, timeout=10).json()["access_token"]
        self.crm = Crm(admin.root, token)
        self.user = self.crm.one("WhoAmI")["UserId"]
        unit = admin.one("WhoAmI")["BusinessUnitId"]
        for role in admin.rows(f"systemusers({self.user})/systemuserroles_association", select="name"):
            assert admin.delete(f"systemusers({self.user})/systemuserroles_association({role['roleid']})/$ref").status_code == 204
        self.role = admin.create("roles", name=f"role {self.client}", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
        self.unit = unit
        reference = {"@odata.id": f"{admin.root}roles({self.role})"}
        assert admin.post(f"systemusers({self.user})/systemuserroles_association/$ref", reference).status_code == 204

    def grant(self, *names: str, depth: str = "Global") -> None:
        privileges = []
        for name in names:
            [row] = self.admin.rows("privileges", select="name", filter=f"name eq '{name}'")
            privileges.append({"Depth": depth, "PrivilegeId": row["privilegeid"], "BusinessUnitId": self.unit, "PrivilegeName": name})
        answer = self.admin.post(f"roles({self.role})/{NS}AddPrivilegesRole", {"Privileges": privileges})
        assert answer.status_code == 204, answer.text


@pytest.fixture
def clerk(crm: Crm) -> Clerk:
    return Clerk(crm)


def test_any_role_may_ask_who_it_is(clerk: Clerk) -> None:
    """13: 'Log in, WhoAmI: enabled application user with any role'."""
    assert clerk.crm.get("WhoAmI").status_code == 200


@pytest.mark.parametrize(
    ("verb", "privilege"),
    [("GET", "prvReadcf_fiche"), ("POST", "prvCreatecf_fiche"), ("PATCH", "prvWritecf_fiche"), ("DELETE", "prvDeletecf_fiche")],
)
def test_a_missing_privilege_is_named(crm: Crm, clerk: Clerk, verb: str, privilege: str) -> None:
    """8.3: '403 0x80040220 Principal user (Id=…, …), is missing prvDeletecf_fiche privilege (Id=…) on OTC=…
    for entity 'cf_fiche'.'"""
    row = crm.create("cf_fiches", cf_name="F")
    clerk.grant(*{"prvReadcf_fiche", "prvCreatecf_fiche", "prvWritecf_fiche", "prvDeletecf_fiche"} - {privilege})
    body = {"cf_name": "x"} if verb in {"POST", "PATCH"} else None
    answer = clerk.crm.send(
        verb, "cf_fiches" if verb == "POST" else f"cf_fiches({row})", body, {"If-Match": "*"} if verb == "PATCH" else None
    )
    assert error(answer) == (403, "0x80040220")
    told = message(answer)
    assert told.startswith(f"Principal user (Id={clerk.user}, type=8, roleCount=1, privilegeCount=")
    assert f"is missing {privilege} privilege (Id=" in told
    assert "for entity 'cf_fiche'." in told


def test_granted_privileges_suffice(crm: Crm, clerk: Clerk) -> None:
    """13: read, anonymise, delete with the table's privileges."""
    clerk.grant("prvReadcf_fiche", "prvWritecf_fiche", "prvDeletecf_fiche")
    row = crm.create("cf_fiches", cf_name="F")
    assert clerk.crm.one(f"cf_fiches({row})")["cf_name"] == "F"
    assert clerk.crm.patch(f"cf_fiches({row})", {"cf_name": "-"}, {"If-Match": "*"}).status_code == 204


def test_a_list_without_any_read_privilege_is_403(clerk: Clerk) -> None:
    """15 row 30: 'missing → 403 0x80040220 naming prv…'."""
    answer = clerk.crm.get("cf_dossiers")
    assert error(answer) == (403, "0x80040220")
    assert "prvReadcf_dossier" in message(answer)


def test_lists_are_filtered_by_depth_without_a_word(crm: Crm, clerk: Clerk) -> None:
    """13: 'Reads of lists never fail for missing depth: rows are silently filtered'; record-level denial is
    0x80048306."""
    clerk.grant("prvReadcf_fiche", "prvCreatecf_fiche", "prvWritecf_fiche", "prvDeletecf_fiche", depth="Basic")
    theirs = crm.create("cf_fiches", cf_name="van een ander")
    mine = clerk.crm.create("cf_fiches", cf_name="van mij")
    assert [row["cf_ficheid"] for row in clerk.crm.rows("cf_fiches", select="cf_name")] == [mine]
    assert clerk.crm.one("cf_fiches?$count=true")["@odata.count"] == 1
    assert error(clerk.crm.get(f"cf_fiches({theirs})")) == (403, "0x80048306")
    assert error(clerk.crm.delete(f"cf_fiches({theirs})")) == (403, "0x80048306")
    assert crm.exists(f"cf_fiches({theirs})")


def test_privileges_are_seen_by_message(crm: Crm, clerk: Clerk) -> None:
    """13: a start-up check of the caller's own privileges."""
    clerk.grant("prvReadcf_fiche", "prvReadUser")
    answer = clerk.crm.get(f"systemusers({clerk.user})/{NS}RetrieveUserPrivileges()")
    if answer.status_code == 404:
        answer = clerk.crm.get(f"systemusers({clerk.user})/{NS}RetrieveUserPrivileges")
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["RolePrivileges"]) >= 1


def test_a_cascade_needs_the_right_to_delete_the_children(crm: Crm, clerk: Clerk) -> None:
    """13: 'prvDelete and on cascaded children (403 otherwise)'."""
    clerk.grant("prvReadcf_fiche", "prvDeletecf_fiche")
    row = crm.create("cf_fiches", cf_name="F")
    crm.create("cf_parties", cf_name="p", **{"cf_FicheId@odata.bind": f"/cf_fiches({row})"})
    answer = clerk.crm.delete(f"cf_fiches({row})")
    assert error(answer) == (403, "0x80040220")
    assert "prvDeletecf_party" in message(answer)
    assert crm.exists(f"cf_fiches({row})")
    clerk.grant("prvDeletecf_party")
    assert clerk.crm.delete(f"cf_fiches({row})").status_code == 204


def test_lookups_need_append_privileges(crm: Crm, clerk: Clerk) -> None:
    """13: 'for lookups also prvAppend{…}/prvAppendTo{target}'."""
    dossier, row = crm.create("cf_dossiers", cf_name="D"), crm.create("cf_fiches", cf_name="F")
    clerk.grant("prvReadcf_fiche", "prvWritecf_fiche", "prvReadcf_dossier")
    bind = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
    assert error(clerk.crm.patch(f"cf_fiches({row})", bind, {"If-Match": "*"})) == (403, "0x80040220")
    clerk.grant("prvAppendcf_fiche", "prvAppendTocf_dossier")
    assert clerk.crm.patch(f"cf_fiches({row})", bind, {"If-Match": "*"}).status_code == 204


@pytest.mark.parametrize(
    ("message_name", "privilege"), [("BulkDelete", "prvBulkDelete"), ("DeleteRecordChangeHistory", "prvDeleteRecordChangeHistory")]
)
def test_messages_need_their_privilege(crm: Crm, clerk: Clerk, message_name: str, privilege: str) -> None:
    """13: 'prvBulkDelete + Delete + Read on the tables'; 'Purge audit: prvDeleteRecordChangeHistory'."""
    clerk.grant("prvReadcf_fiche", "prvDeletecf_fiche")
    row = crm.create("cf_fiches", cf_name="F")
    condition = {"AttributeName": "cf_name", "Operator": "Equal", "Values": [{"Value": "q", "Type": "System.String"}]}
    query = {"EntityName": "cf_fiche", "Criteria": {"FilterOperator": "And", "Conditions": [condition], "Filters": []}}
    bodies: dict[str, Any] = {
        "BulkDelete": {
            "QuerySet": [query],
            "JobName": "j",
            "SendEmailNotification": False,
            "ToRecipients": [],
            "CCRecipients": [],
            "RecurrencePattern": "",
        },
        "DeleteRecordChangeHistory": {"Target": {"@odata.type": NS + "cf_fiche", "cf_ficheid": row}},
    }
    refused = clerk.crm.post(message_name, bodies[message_name])
    assert error(refused) == (403, "0x80040220")
    assert privilege in message(refused)
    clerk.grant(privilege)
    assert clerk.crm.post(message_name, bodies[message_name]).status_code == 200


def test_audit_needs_its_privilege(clerk: Clerk) -> None:
    """13: 'Read audit: prvReadAuditSummary'."""
    answer = clerk.crm.get("audits")
    assert error(answer) == (403, "0x80040220")
    assert "prvReadAuditSummary" in message(answer)
    clerk.grant("prvReadAuditSummary")
    assert clerk.crm.get("audits").status_code == 200


def test_change_tracking_needs_organisation_depth(clerk: Clerk) -> None:
    """9: 'Caller needs organisation-level read on the table, otherwise a privilege error'."""
    clerk.grant("prvReadcf_fiche", depth="Basic")
    assert clerk.crm.get("cf_fiches?$select=cf_name", {"Prefer": "odata.track-changes"}).status_code == 403
    clerk.grant("prvReadcf_fiche")
    assert clerk.crm.get("cf_fiches?$select=cf_name", {"Prefer": "odata.track-changes"}).status_code == 200


def test_a_privilege_taken_away_empties_the_reach(crm: Crm, clerk: Clerk) -> None:
    """15, hooks: 'permission removed mid-run'; the role leaves the user through
    systemuserroles_association."""
    clerk.grant("prvReadcf_fiche")
    assert clerk.crm.get("cf_fiches").status_code == 200
    assert crm.delete(f"systemusers({clerk.user})/systemuserroles_association({clerk.role})/$ref").status_code == 204
    assert clerk.crm.get("cf_fiches").status_code == 403


def test_a_disabled_user_is_no_member(crm: Crm, clerk: Clerk) -> None:
    """1.6: '403 0x80072560 The user is not a member of the organization.'"""
    assert crm.patch(f"systemusers({clerk.user})", {"isdisabled": True}).status_code == 204
    answer = clerk.crm.get("WhoAmI")
    assert error(answer) == (403, "0x80072560")
    assert message(answer) == "The user is not a member of the organization."


def test_impersonation_without_the_privilege_is_403(crm: Crm, clerk: Clerk) -> None:
    """15 row 41: 'CallerObjectId/MSCRMCallerID without privilege → 403'."""
    clerk.grant("prvReadcf_fiche")
    me = crm.one("WhoAmI")["UserId"]
    assert error(clerk.crm.get("cf_fiches", {"MSCRMCallerID": me}))[0] == 403


def test_impersonation_records_both_users(crm: Crm, clerk: Clerk) -> None:
    """1.8: 'The real caller is recorded in createdonbehalfby / modifiedonbehalfby'; row 41."""
    clerk.grant("prvReadcf_fiche", "prvCreatecf_fiche", "prvWritecf_fiche")
    me = crm.one("WhoAmI")["UserId"]
    row = new_id()
    assert crm.post("cf_fiches", {"cf_ficheid": row, "cf_name": "F"}, {"MSCRMCallerID": clerk.user}).status_code == 204
    told = crm.one(f"cf_fiches({row})")
    assert (told["_createdby_value"], told["_createdonbehalfby_value"], told["_ownerid_value"]) == (clerk.user, me, clerk.user)
    [user] = crm.rows("systemusers", select="azureactivedirectoryobjectid", filter=f"systemuserid eq {clerk.user}")
    headers = {"CallerObjectId": user["azureactivedirectoryobjectid"]}
    assert crm.patch(f"cf_fiches({row})", {"cf_name": "G"}, headers).status_code == 204
    told = crm.one(f"cf_fiches({row})")
    assert (told["_modifiedby_value"], told["_modifiedonbehalfby_value"]) == (clerk.user, me)


def test_impersonation_has_the_rights_of_both(crm: Crm, clerk: Clerk) -> None:
    """1.8: 'Effective rights = intersection of caller and impersonated user'."""
    assert error(crm.get("cf_fiches", {"MSCRMCallerID": clerk.user})) == (403, "0x80040220")


def test_a_batch_inherits_impersonation(crm: Crm, clerk: Clerk) -> None:
    """5.1: 'outer headers are not inherited except authentication and impersonation'."""
    clerk.grant("prvReadcf_fiche", "prvCreatecf_fiche")
    row = new_id()
    body = (
        "--batch_k\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"POST {crm.path}cf_fiches HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        f'{{"cf_ficheid":"{row}","cf_name":"F"}}\r\n--batch_k--\r\n'
    )
    assert crm.batch(body.encode(), headers={"MSCRMCallerID": clerk.user}).status_code == 200
    assert crm.one(f"cf_fiches({row})")["_createdby_value"] == clerk.user


def test_bypassing_plug_ins_needs_its_privilege(crm: Crm, clerk: Clerk) -> None:
    """1.8: 'MSCRM.BypassBusinessLogicExecution needs prvBypassCustomBusinessLogic'."""
    clerk.grant("prvReadcf_fiche", "prvCreatecf_fiche")
    headers = {"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"}
    assert error(clerk.crm.post("cf_fiches", {"cf_name": "F"}, headers))[0] == 403
    assert crm.post("cf_fiches", {"cf_name": "F"}, headers).status_code == 204


def test_a_secured_column_is_null_to_read_and_refused_to_write(crm: Crm, clerk: Clerk) -> None:
    """2.4: 'a column the caller may not read comes back as null (no error); updating without the right → 403,
    0x8004f507'."""
    path = "EntityDefinitions(LogicalName='cf_fiche')/Attributes(LogicalName='cf_transmittedto')"
    definition = crm.one(path + "/Microsoft.Dynamics.CRM.StringAttributeMetadata")
    definition["@odata.type"] = "Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert crm.put(path, {**definition, "IsSecured": True}, {"MSCRM.MergeLabels": "true"}).status_code == 204
    clerk.grant("prvReadcf_fiche", "prvWritecf_fiche")
    row = crm.create("cf_fiches", cf_name="F", cf_transmittedto="politie")
    told = clerk.crm.one(f"cf_fiches({row})")
    assert (told["cf_name"], told["cf_transmittedto"]) == ("F", None)
    assert error(clerk.crm.patch(f"cf_fiches({row})", {"cf_transmittedto": "x"}, {"If-Match": "*"})) == (403, "0x8004f507")
    assert clerk.crm.patch(f"cf_fiches({row})", {"cf_name": "G"}, {"If-Match": "*"}).status_code == 204
    assert crm.one(f"cf_fiches({row})").items() >= {"cf_name": "G", "cf_transmittedto": "politie"}.items()
    assert crm.put(path, {**definition, "IsSecured": False}, {"MSCRM.MergeLabels": "true"}).status_code == 204


def test_an_unknown_object_id_is_nobody(crm: Crm) -> None:
    """1.8: 'CallerObjectId: Entra object id'; 8.2: 403 'not a member of the organisation'."""
    assert error(crm.get("cf_fiches", {"CallerObjectId": new_id()}))[0] == 403


def test_at_most_three_steps_are_bypassed(crm: Crm) -> None:
    """1.8: 'MSCRM.BypassBusinessLogicExecutionStepIds: Default maximum 3 ids'."""
    for number, expected in ((3, 204), (4, 400)):
        headers = {"MSCRM.BypassBusinessLogicExecutionStepIds": ",".join(new_id() for _ in range(number))}
        assert crm.post("cf_fiches", {"cf_name": "F"}, headers).status_code == expected
