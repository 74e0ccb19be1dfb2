"""What the audit log keeps of changes and deletes, how it is read, and how it is purged (sections 11.3 and 15
of the wire reference)."""

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import ANNOTATED, change_set, error_of, new_id, request_part, statuses

USER = "9e8f0000-0000-4000-8000-0000000000a1"
COLUMNS = "$select=auditid,operation,action,_objectid_value,objecttypecode,_userid_value,changedata,createdon"


def audits(crm: Client, row: str) -> list[dict[str, Any]]:
    """The audit rows about one row, oldest first."""
    return crm.rows(f"audits?{COLUMNS}&$filter=_objectid_value eq {row}&$orderby=versionnumber")


def changes(audit: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    listed = json.loads(audit["changedata"])["changedAttributes"]
    return {change["logicalName"]: (change["oldValue"], change["newValue"]) for change in listed}


def history(crm: Client, target: dict[str, Any], paging: dict[str, Any] | None = None, column: str = "") -> dict[str, Any]:
    name = "RetrieveAttributeChangeHistory" if column else "RetrieveRecordChangeHistory"
    parameters = f"Target=@target,PagingInfo=@paging{f',AttributeLogicalName={column!r}' if column else ''}"
    options = f"@target={quote(json.dumps(target))}&@paging={quote(json.dumps(paging))}"
    document = crm.row(f"{name}({parameters})?{options}")
    assert document["@odata.context"].endswith(f"$metadata#Microsoft.Dynamics.CRM.{name}Response")
    collection: dict[str, Any] = document["AuditDetailCollection"]
    return collection


def fiche_target(row: str) -> dict[str, str]:
    return {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": row}


def purge(crm: Client, row: str) -> dict[str, Any]:
    answer = crm.send("POST", "DeleteRecordChangeHistory", {"Target": fiche_target(row)})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


# -- what is written -----------------------------------------------------------------------------------------


@pytest.mark.row(27)
def test_create_update_and_delete_each_leave_an_audit_row_that_outlives_the_record(crm: Client) -> None:
    fiche = crm.fiche(cf_name="Jan (fictief)", cf_summary="Verzonnen.")
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_name": "-"})
    assert crm.send("DELETE", f"cf_fiches({fiche})").status_code == 204
    rows = audits(crm, fiche)
    assert [(row["operation"], row["action"]) for row in rows] == [(1, 1), (2, 2), (3, 3)]
    assert {(row["objecttypecode"], row["_objectid_value"], row["_userid_value"]) for row in rows} == {("cf_fiche", fiche, USER)}
    created, updated, deleted = map(changes, rows)
    assert created["cf_name"] == (None, "Jan (fictief)")
    assert created["ownerid"] == (None, f"systemuser,{USER}")
    assert created["statecode"] == (None, "0")
    assert updated == {"cf_name": ("Jan (fictief)", "-")}
    assert (deleted["cf_name"], deleted["cf_summary"]) == (("-", None), ("Verzonnen.", None))


@pytest.mark.row(27)
def test_an_update_keeps_the_old_value_of_changed_columns_alone(crm: Client) -> None:
    dossier = crm.dossier(cf_legalhold=False, cf_summary="a", cf_outcome=100000001)
    crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_legalhold": True, "cf_summary": "a", "cf_outcome": None})
    crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_summary": "a"})
    _, updated = audits(crm, dossier)
    assert changes(updated) == {"cf_legalhold": ("False", "True"), "cf_outcome": ("100000001", None)}


@pytest.mark.row(27)
def test_a_long_value_is_cut_at_five_thousand_characters(crm: Client) -> None:
    fiche = crm.fiche(cf_summary="x" * 5_000)
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_summary": "y" * 20_000})
    _, updated = audits(crm, fiche)
    assert changes(updated)["cf_summary"] == ("x" * 5_000, "y" * 4_999 + "…")


@pytest.mark.row(27)
def test_a_cascade_and_a_removed_link_are_audited_too(crm: Client) -> None:
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    party = crm.create("cf_parties", cf_name="p", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    crm.send("DELETE", f"cf_dossiers({dossier})")
    assert [row["operation"] for row in audits(crm, party)] == [1, 3]
    _, unlinked = audits(crm, fiche)
    assert changes(unlinked) == {"cf_dossierid": (f"cf_dossier,{dossier}", None)}


@pytest.mark.row(27)
def test_notes_activities_and_tables_without_auditing_leave_nothing(crm: Client) -> None:
    for table_set, columns in (("annotations", {"subject": "n"}), ("phonecalls", {"subject": "c"}), ("cf_statistics", {"cf_name": "s"})):
        row = crm.create(table_set, **columns)
        crm.send("PATCH", f"{table_set}({row})", {next(iter(columns)): "changed"})
        crm.send("DELETE", f"{table_set}({row})")
    assert crm.rows("audits") == []


def test_nothing_is_audited_while_the_organisation_has_auditing_off(crm: Client) -> None:
    organisation = crm.rows("organizations?$select=isauditenabled")[0]
    assert organisation["isauditenabled"] is True
    crm.send("PATCH", f"organizations({organisation['organizationid']})", {"isauditenabled": False})
    fiche = crm.fiche()
    assert audits(crm, fiche) == []


def test_what_is_rolled_back_is_not_audited(crm: Client) -> None:
    fiche = crm.fiche()
    parts = [
        request_part("DELETE", f"/api/data/v9.2/cf_fiches({fiche})", content_id="1"),
        request_part("DELETE", f"/api/data/v9.2/cf_fiches({new_id()})", content_id="2"),
    ]
    assert statuses(crm.batch(change_set(*parts))) == [404]
    assert [row["operation"] for row in audits(crm, fiche)] == [1]
    donor = crm.contact()
    crm.create("cf_donations", cf_name="g", **{"cf_ContactId@odata.bind": f"/contacts({donor})"})
    assert crm.send("DELETE", f"contacts({donor})").status_code == 405
    assert [row["operation"] for row in audits(crm, donor)] == [1]


def test_audit_rows_have_the_time_of_the_clock_and_are_no_operations_of_their_own(crm: Client) -> None:
    crm.control("PUT", "clock", {"now": "2031-02-03T04:05:06Z"})
    before = crm.control("GET", "stats")["operations"]
    fiche = crm.fiche()
    after = crm.control("GET", "stats")["operations"]
    assert {kind: after[kind] - before[kind] for kind in after} == {"read": 0, "create": 1, "update": 0, "delete": 0}
    assert audits(crm, fiche)[0]["createdon"][:16] == "2031-02-03T04:05"


def test_operations_and_lookups_of_audit_rows_are_annotated(crm: Client) -> None:
    fiche = crm.fiche()
    row = crm.rows(f"audits?$filter=_objectid_value eq {fiche}&$expand=userid,callinguserid", ANNOTATED)[0]
    assert (row["userid"], row["callinguserid"]) == (None, None), "they are never expanded"
    assert row["operation@OData.Community.Display.V1.FormattedValue"] == "Maken"
    assert row["_objectid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "cf_fiche"
    assert not [name for name in row if name.endswith("@Microsoft.Dynamics.CRM.associatednavigationproperty")]
    assert crm.rows(f"systemusers({USER})/lk_audit_userid?$select=auditid") != []
    assert set(row) >= {"auditid", "_callinguserid_value", "attributemask"}
    assert not {"statecode", "_ownerid_value", "modifiedon"} & set(row)


@pytest.mark.row(26)
def test_audit_rows_are_read_only(crm: Client) -> None:
    crm.fiche()
    audit = crm.rows("audits?$select=auditid")[0]["auditid"]
    for refused in (
        crm.send("DELETE", f"audits({audit})"),
        crm.send("PATCH", f"audits({audit})", {"changedata": None}),
        crm.send("PATCH", f"audits({new_id()})", {"changedata": None}),
        crm.send("PUT", f"audits({audit})/changedata", {"value": "x"}),
        crm.send("POST", "audits", {"operation": 1}),
    ):
        assert error_of(refused) == (405, "0x80040800")
    assert crm.exists("audits", audit)


# -- history -------------------------------------------------------------------------------------------------


@pytest.mark.row(27)
@pytest.mark.parametrize("form", ["id", "address", "type"])
def test_the_history_of_a_row_has_old_and_new_values_newest_first(crm: Client, form: str) -> None:
    dossier = crm.dossier()
    fiche = crm.fiche(cf_name="Jan (fictief)", cf_communicatedon="2026-01-02T03:04:05Z")
    bind = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_name": "-", "cf_channel": 100000002, **bind})
    targets = {
        "id": {"@odata.id": f"cf_fiches({fiche})"},
        "address": {"@odata.id": f"{crm.url}cf_fiches({fiche})"},
        "type": fiche_target(fiche),
    }
    collection = history(crm, targets[form], {"PageNumber": 1, "Count": 50, "ReturnTotalRecordCount": True})
    assert (collection["MoreRecords"], collection["PagingCookie"], collection["TotalRecordCount"]) == (False, "", 2)
    updated, created = collection["AuditDetails"]
    kind = {"@odata.type": "#Microsoft.Dynamics.CRM.cf_fiche"}
    assert updated == {
        "@odata.type": "#Microsoft.Dynamics.CRM.AttributeAuditDetail",
        "InvalidNewValueAttributes": [],
        "LocLabelLanguageCode": 0,
        "DeletedAttributes": {"Count": 0, "Keys": [], "Values": []},
        "OldValue": {**kind, "cf_name": "Jan (fictief)"},
        "NewValue": {**kind, "cf_name": "-", "cf_channel": 100000002, "_cf_dossierid_value": dossier},
    }
    assert created["OldValue"] == kind
    assert created["NewValue"]["cf_communicatedon"] == "2026-01-02T03:04:05Z"


@pytest.mark.row(27)
def test_the_history_of_a_deleted_row_can_still_be_read(crm: Client) -> None:
    dossier = crm.dossier(cf_legalhold=True, cf_outcomeon="2026-01-02")
    crm.send("DELETE", f"cf_dossiers({dossier})")
    deleted = history(crm, {"@odata.id": f"cf_dossiers({dossier})"})["AuditDetails"][0]
    assert (deleted["OldValue"]["cf_legalhold"], deleted["OldValue"]["cf_outcomeon"]) == (True, "2026-01-02")
    assert deleted["NewValue"] == {"@odata.type": "#Microsoft.Dynamics.CRM.cf_dossier"}


def test_a_history_comes_in_pages(crm: Client) -> None:
    fiche = crm.fiche(cf_name="0")
    for number in range(1, 5):
        crm.send("PATCH", f"cf_fiches({fiche})", {"cf_name": str(number)})
    seen: list[str] = []
    page: dict[str, Any] = {"PageNumber": 1, "Count": 2}
    while True:
        collection = history(crm, fiche_target(fiche), page)
        assert collection["TotalRecordCount"] == -1
        seen += [detail["NewValue"]["cf_name"] for detail in collection["AuditDetails"]]
        if not collection["MoreRecords"]:
            break
        assert collection["PagingCookie"].startswith(f'<cookie page="{page["PageNumber"]}">')
        page = {"PageNumber": page["PageNumber"] + 1, "Count": 2, "PagingCookie": collection["PagingCookie"]}
    assert seen == ["4", "3", "2", "1", "0"]


def test_the_history_of_a_column_has_its_changes_alone(crm: Client) -> None:
    fiche = crm.fiche(cf_name="a")
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_summary": "s"})
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_name": "b", "cf_summary": "t"})
    details = history(crm, fiche_target(fiche), {"PageNumber": 1, "Count": 1, "ReturnTotalRecordCount": True}, "cf_name")
    assert (details["TotalRecordCount"], details["MoreRecords"]) == (2, True)
    kind = {"@odata.type": "#Microsoft.Dynamics.CRM.cf_fiche"}
    assert (details["AuditDetails"][0]["OldValue"], details["AuditDetails"][0]["NewValue"]) == (
        {**kind, "cf_name": "a"},
        {**kind, "cf_name": "b"},
    )


def test_the_details_of_one_audit_row_are_a_function_of_it(crm: Client) -> None:
    fiche = crm.fiche(cf_name="a")
    audit = crm.rows("audits?$select=auditid")[0]["auditid"]
    document = crm.row(f"audits({audit})/Microsoft.Dynamics.CRM.RetrieveAuditDetails")
    assert document["AuditDetail"]["NewValue"]["cf_name"] == "a"
    assert crm.row(f"audits({audit})/Microsoft.Dynamics.CRM.RetrieveAuditDetails()")["AuditDetail"] == document["AuditDetail"]
    purge(crm, fiche)
    logged = crm.rows("audits?$select=auditid")[0]["auditid"]
    assert crm.row(f"audits({logged})/Microsoft.Dynamics.CRM.RetrieveAuditDetails")["AuditDetail"] == {
        "@odata.type": "#Microsoft.Dynamics.CRM.AuditDetail"
    }
    assert crm.get(f"cf_fiches({fiche})/Microsoft.Dynamics.CRM.RetrieveAuditDetails").status_code == 400


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("RetrieveRecordChangeHistory(Target=@t)", "0x80060888"),
        ("RetrieveRecordChangeHistory(Target=@t)?@t={'@odata.id':'x'}", "0x80060888"),
        ('RetrieveRecordChangeHistory(Target=@t)?@t={"@odata.id":"cf_nothing(1)"}', "0x80060888"),
        ('RetrieveRecordChangeHistory(Target=@t)?@t={"@odata.type":"Microsoft.Dynamics.CRM.cf_fiche"}', "0x80040203"),
        ("RetrieveRecordChangeHistory(PagingInfo=@p)?@p=null", "0x80040203"),
        ('RetrieveRecordChangeHistory(Target=@t,PagingInfo=@p)?@t={{}}&@p={{"PageNumber":"1"}}', "0x80040203"),
        ("RetrieveAttributeChangeHistory(Target=@t,AttributeLogicalName='nothing')?@t={{}}", "0x0"),
    ],
)
def test_a_history_that_makes_no_sense_is_refused(crm: Client, path: str, code: str) -> None:
    target = json.dumps({"@odata.id": f"cf_fiches({uuid.uuid4()})"})
    assert error_of(crm.get(path.replace("{{}}", target).replace("{{", "{").replace("}}", "}"))) == (400, code)


# -- purging -------------------------------------------------------------------------------------------------


@pytest.mark.row(28)
def test_deleting_the_history_of_a_row_empties_it_and_is_logged_without_the_data(crm: Client) -> None:
    fiche, other = crm.fiche(cf_name="Jan (fictief)"), crm.fiche()
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_name": "-"})
    document = purge(crm, fiche)
    assert document["DeletedEntriesCount"] == 2
    assert document["@odata.context"].endswith("#Microsoft.Dynamics.CRM.DeleteRecordChangeHistoryResponse")
    assert history(crm, fiche_target(fiche))["AuditDetails"] == []
    (logged,) = crm.rows(f"audits?{COLUMNS}&$filter=action eq 111")
    assert (logged["_objectid_value"], logged["_userid_value"], logged["changedata"]) == (fiche, USER, None)
    assert len(audits(crm, other)) == 1
    assert purge(crm, fiche)["DeletedEntriesCount"] == 0


@pytest.mark.row(28)
def test_the_log_of_a_purge_may_keep_silent_about_whose_history_it_was(crm: Client) -> None:
    crm.control("PUT", "switches", {"purge_log_names_row": False})
    fiche = crm.fiche()
    purge(crm, fiche)
    assert audits(crm, fiche) == []
    assert [row["_objectid_value"] for row in crm.rows(f"audits?{COLUMNS}&$filter=action eq 111")] == [None]


@pytest.mark.row(28)
def test_the_history_of_a_row_that_is_gone_is_purged_only_where_the_switch_says_so(crm: Client) -> None:
    fiche = crm.fiche()
    crm.send("DELETE", f"cf_fiches({fiche})")
    refused = crm.send("POST", "DeleteRecordChangeHistory", {"Target": fiche_target(fiche)})
    assert error_of(refused) == (404, "0x80040217")
    assert len(audits(crm, fiche)) == 2
    crm.control("PUT", "switches", {"history_of_deleted": "delete"})
    assert purge(crm, fiche)["DeletedEntriesCount"] == 2


@pytest.mark.row(26)
def test_audit_rows_can_be_deleted_by_the_platform_itself(crm: Client) -> None:
    """As a bulk delete does."""
    fiche = crm.fiche()
    (audit,) = audits(crm, fiche)
    tables = crm.emulator.emulator.tables
    with tables.lock:
        tables.delete(tables.environment.tables["audit"], audit["auditid"])
    assert crm.rows("audits") == []


def audited_in(crm: Client, *instants: str) -> None:
    for instant in instants:
        crm.control("PUT", "clock", {"now": instant})
        crm.fiche()


def test_audit_data_is_deleted_by_whole_quarters(crm: Client) -> None:
    audited_in(crm, "2023-01-10T00:00:00Z", "2023-03-31T23:59:00Z", "2023-07-01T00:00:00Z", "2023-11-05T00:00:00Z")
    answer = crm.send("POST", "DeleteAuditData", {"EndDate": "2023-09-30T00:00:00Z"})
    assert (answer.status_code, answer.json()["PartitionsDeleted"]) == (200, 1)
    kept = [row["createdon"][:10] for row in crm.rows("audits?$select=createdon&$filter=action ne 111&$orderby=createdon")]
    assert kept == ["2023-07-01", "2023-11-05"]
    assert len(crm.rows("audits?$filter=action eq 111")) == 1
    nothing = crm.send("POST", "DeleteAuditData", {"EndDate": "2023-09-30T00:00:00Z"})
    assert error_of(nothing) == (400, "0x80040203")
    assert nothing.json()["error"]["message"] == "There are no partitions ending before the given date."


def test_the_quarter_of_today_is_not_deleted(crm: Client) -> None:
    audited_in(crm, "2023-01-10T00:00:00Z")
    assert error_of(crm.send("POST", "DeleteAuditData", {"EndDate": "2030-01-01T00:00:00Z"})) == (400, "0x80040203")
    assert error_of(crm.send("POST", "DeleteAuditData", {"EndDate": "soon"})) == (400, "0x80040203")
    assert len(crm.rows("audits")) == 1


def test_without_partitions_audit_data_is_deleted_up_to_the_date(crm: Client) -> None:
    crm.control("PUT", "switches", {"quarterly_audit_partitions": False})
    audited_in(crm, "2023-01-10T00:00:00Z", "2023-03-31T00:00:00Z")
    assert crm.send("POST", "DeleteAuditData", {"EndDate": "2023-02-01T00:00:00Z"}).json()["PartitionsDeleted"] == 1
    assert [row["createdon"][:10] for row in crm.rows("audits?$select=createdon&$filter=action eq 1")] == ["2023-03-31"]


def test_a_reset_empties_the_audit_log(crm: Client) -> None:
    crm.fiche()
    crm.control("POST", "reset", {"empty": True})
    assert crm.rows("audits") == []


COLLEAGUE = {"MSCRMCallerID": "9e8f0000-0000-4000-8000-0000000000a2"}  # a Basic User


@pytest.mark.row(28)
def test_purging_a_history_needs_its_privilege(crm: Client) -> None:
    fiche = crm.fiche()
    refused = crm.send("POST", "DeleteRecordChangeHistory", {"Target": fiche_target(fiche)}, COLLEAGUE)
    assert error_of(refused) == (403, "0x80040220")
    assert "prvDeleteRecordChangeHistory" in refused.json()["error"]["message"]
    assert len(audits(crm, fiche)) == 1


def test_reading_a_history_and_deleting_audit_data_need_theirs(crm: Client) -> None:
    fiche = crm.fiche()
    query = f"?@t={quote(json.dumps(fiche_target(fiche)))}"
    audit = audits(crm, fiche)[0]["auditid"]
    for path in (
        f"RetrieveRecordChangeHistory(Target=@t){query}",
        f"RetrieveAttributeChangeHistory(Target=@t,AttributeLogicalName='cf_name'){query}",
    ):
        refused = crm.get(path, COLLEAGUE)
        assert error_of(refused) == (403, "0x80040220")
        assert "prvReadRecordAuditHistory" in refused.json()["error"]["message"]
    assert error_of(crm.get(f"audits({audit})/Microsoft.Dynamics.CRM.RetrieveAuditDetails", COLLEAGUE)) == (403, "0x80040220")
    refused = crm.send("POST", "DeleteAuditData", {"EndDate": "2020-01-01T00:00:00Z"}, COLLEAGUE)
    assert "prvDeleteAuditPartitions" in refused.json()["error"]["message"]
