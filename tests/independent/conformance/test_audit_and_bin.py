"""Sections 11.3 and 11.4: what history keeps, how it is purged, and what lies in the recycle bin."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.independent.conformance.served import Crm, Row, error, message, new_id

pytestmark = pytest.mark.row(27, 28, 29)
Control = Callable[[Any], Any]
NS = "Microsoft.Dynamics.CRM."
FETCH = (
    "<fetch datasource='bin'><entity name='{table}'><attribute name='createdon'/>"
    "<filter><condition attribute='{key}' operator='eq' value='{row}'/></filter></entity></fetch>"
)


def in_bin(crm: Crm, table: str, table_set: str, row: str, key: str = "") -> bool:
    return bool(crm.rows(f"{table_set}?fetchXml=" + quote(FETCH.format(table=table, key=key or table + "id", row=row))))


def history(crm: Crm, table_set: str, row: str, paging: Row | None = None) -> Row:
    target = quote(json.dumps({"@odata.id": f"{table_set}({row})"}))
    page = quote(json.dumps(paging or {"PageNumber": 1, "Count": 50, "ReturnTotalRecordCount": True}))
    answer = crm.get(f"RetrieveRecordChangeHistory(Target=@target,PagingInfo=@paginginfo)?@target={target}&@paginginfo={page}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["AuditDetailCollection"])


def purge(crm: Crm, table: str, row: str) -> Any:
    return crm.post("DeleteRecordChangeHistory", {"Target": {"@odata.type": NS + table, table + "id": row}})


@pytest.fixture
def bin_on(switches: Control) -> None:
    switches({"recycle_bin_days": 30})


def test_writes_leave_audit_rows_that_outlive_the_row(crm: Crm) -> None:
    """11.3: 'operation 1 Create, 2 Update, 3 Delete'; 'They survive deletion of the record'."""
    row = crm.create("cf_fiches", cf_name="A")
    crm.patch(f"cf_fiches({row})", {"cf_name": "B"})
    crm.delete(f"cf_fiches({row})")
    rows = crm.rows("audits", filter=f"_objectid_value eq {row}", orderby="createdon,auditid")
    assert sorted((r["operation"], r["action"]) for r in rows) == [(1, 1), (2, 2), (3, 3)]
    assert {r["objecttypecode"] for r in rows} == {"cf_fiche"}
    assert {r["_userid_value"] for r in rows} == {crm.one("WhoAmI")["UserId"]}


@pytest.mark.parametrize("table_set", ["cf_donations", "annotations"])
def test_tables_without_audit_leave_none(crm: Crm, table_set: str) -> None:
    """environment: audited tables only; 11.3: 'annotation and activitypointer are not auditable'."""
    row = crm.create(table_set, **({"subject": "n"} if table_set == "annotations" else {"cf_name": "n"}))
    crm.delete(f"{table_set}({row})")
    assert crm.rows("audits", filter=f"_objectid_value eq {row}") == []


def test_the_history_keeps_old_and_new_values(crm: Crm) -> None:
    """11.3: 'An anonymising UPDATE therefore leaves the old value in OldValue'."""
    row = crm.create("cf_fiches", cf_name="Jan (fictief)")
    crm.patch(f"cf_fiches({row})", {"cf_name": "-"})
    told = history(crm, "cf_fiches", row)
    assert (told["MoreRecords"], told["TotalRecordCount"], len(told["AuditDetails"])) == (False, 2, 2)
    [update] = [d for d in told["AuditDetails"] if d["OldValue"].get("cf_name")]
    assert update["@odata.type"] == "#Microsoft.Dynamics.CRM.AttributeAuditDetail"
    assert update["OldValue"]["@odata.type"] == update["NewValue"]["@odata.type"] == "#Microsoft.Dynamics.CRM.cf_fiche"
    assert (update["OldValue"]["cf_name"], update["NewValue"]["cf_name"]) == ("Jan (fictief)", "-")
    assert {"InvalidNewValueAttributes", "LocLabelLanguageCode", "DeletedAttributes"} <= set(update)


def test_the_history_is_paged(crm: Crm) -> None:
    """11.3: PagingInfo with PageNumber and Count; MoreRecords."""
    row = crm.create("cf_fiches", cf_name="0")
    for number in range(4):
        crm.patch(f"cf_fiches({row})", {"cf_name": str(number + 1)})
    first = history(crm, "cf_fiches", row, {"PageNumber": 1, "Count": 3, "ReturnTotalRecordCount": True})
    second = history(crm, "cf_fiches", row, {"PageNumber": 2, "Count": 3, "PagingCookie": first["PagingCookie"]})
    assert (first["MoreRecords"], len(first["AuditDetails"]), first["TotalRecordCount"]) == (True, 3, 5)
    assert (second["MoreRecords"], len(second["AuditDetails"])) == (False, 2)


def test_one_audit_row_tells_its_detail(crm: Crm) -> None:
    """11.3: 'GET audits(<id>)/Microsoft.Dynamics.CRM.RetrieveAuditDetails → {"AuditDetail":{…}}'; a delete
    stores the last values."""
    row = crm.create("cf_fiches", cf_name="laatste waarde")
    crm.delete(f"cf_fiches({row})")
    [gone] = crm.rows("audits", filter=f"_objectid_value eq {row} and operation eq 3")
    detail = crm.one(f"audits({gone['auditid']})/{NS}RetrieveAuditDetails")["AuditDetail"]
    assert detail["OldValue"]["cf_name"] == "laatste waarde"


def test_the_history_of_one_column(crm: Crm) -> None:
    """11.3: 'RetrieveAttributeChangeHistory(Target=@t,AttributeLogicalName='cf_name',PagingInfo=@p)'."""
    row = crm.create("cf_fiches", cf_name="a")
    crm.patch(f"cf_fiches({row})", {"cf_summary": "s"})
    crm.patch(f"cf_fiches({row})", {"cf_name": "b"})
    target, page = quote(json.dumps({"@odata.id": f"cf_fiches({row})"})), quote(json.dumps({"PageNumber": 1, "Count": 50}))
    told = crm.one(f"RetrieveAttributeChangeHistory(Target=@t,AttributeLogicalName='cf_name',PagingInfo=@p)?@t={target}&@p={page}")
    details = told["AuditDetailCollection"]["AuditDetails"]
    assert len(details) == 2
    assert not any("cf_summary" in d["NewValue"] for d in details)


def test_long_values_are_cut(crm: Crm) -> None:
    """11.3: 'Old/new values are capped at about 5 KB, truncated with …'."""
    row = crm.create("cf_fiches", cf_name="lang", cf_summary="x" * 20000)
    crm.patch(f"cf_fiches({row})", {"cf_summary": "kort"})
    [text] = [d["OldValue"]["cf_summary"] for d in history(crm, "cf_fiches", row)["AuditDetails"] if d["OldValue"].get("cf_summary")]
    assert 4000 < len(text) < 6000
    assert text.endswith("…")


def test_purging_leaves_one_row_of_its_own(crm: Crm) -> None:
    """15 row 28: 'returns DeletedEntriesCount; history empty after; adds one action-111 row'."""
    row = crm.create("cf_fiches", cf_name="a")
    crm.patch(f"cf_fiches({row})", {"cf_name": "b"})
    answer = purge(crm, "cf_fiche", row)
    told = answer.json()
    assert answer.status_code == 200
    assert told["@odata.context"].endswith("#Microsoft.Dynamics.CRM.DeleteRecordChangeHistoryResponse")
    assert told["DeletedEntriesCount"] == 2
    assert not [d for d in history(crm, "cf_fiches", row)["AuditDetails"] if d.get("OldValue", {}).get("cf_name")]
    assert [r["action"] for r in crm.rows("audits", filter=f"_objectid_value eq {row}")] == [111]


@pytest.mark.parametrize(("choice", "status"), [("refuse", 404), ("delete", 200)])
def test_purging_after_the_delete_is_a_choice(crm: Crm, switches: Control, choice: str, status: int) -> None:
    """15 row 28: 'behaviour for an already deleted record selectable'."""
    switches({"history_of_deleted": choice})
    row = crm.create("cf_fiches", cf_name="a")
    crm.delete(f"cf_fiches({row})")
    assert purge(crm, "cf_fiche", row).status_code == status


def test_audit_data_without_old_partitions_is_refused(crm: Crm) -> None:
    """11.3: 'nothing to delete → 400 0x80040203 There are no partitions ending before the given date'."""
    answer = crm.post("DeleteAuditData", {"EndDate": "2001-01-01T00:00:00Z"})
    assert error(answer) == (400, "0x80040203")
    assert message(answer).startswith("There are no partitions ending before the given date")


def test_audit_rows_are_not_deleted_or_changed(crm: Crm) -> None:
    """11.3: 'Plain DELETE audits(id) is refused'."""
    row = crm.create("cf_fiches", cf_name="a")
    [made] = crm.rows("audits", filter=f"_objectid_value eq {row}")
    for verb in ("DELETE", "PATCH"):
        assert 400 <= crm.send(verb, f"audits({made['auditid']})", None if verb == "DELETE" else {"action": 5}).status_code < 500
    assert len(crm.rows("audits", filter=f"_objectid_value eq {row}")) == 1


def test_audit_expands_of_users_are_null(crm: Crm) -> None:
    """2.3: 'associatednavigationproperty is missing on the audit table; there $expand=userid and
    callinguserid always give null'."""
    crm.create("cf_fiches", cf_name="a")
    row = crm.rows("audits?$top=1&$expand=userid", {"Prefer": 'odata.include-annotations="*"'})[0]
    assert row["userid"] is None
    assert not [name for name in row if name.endswith("associatednavigationproperty")]


def test_a_rolled_back_write_leaves_no_audit(crm: Crm) -> None:
    """4.5: 'Restrict: nothing is deleted' – and nothing logged."""
    row = crm.create("contacts", lastname="Vast (fictief)")
    crm.create("cf_donations", cf_name="g", **{"cf_ContactId@odata.bind": f"/contacts({row})"})
    crm.delete(f"contacts({row})")
    assert [r["operation"] for r in crm.rows("audits", filter=f"_objectid_value eq {row}")] == [1]


def test_cascaded_rows_have_audit_too(crm: Crm) -> None:
    """11.3 with 4.5: cascades run in the same transaction, each row's delete is audited."""
    fiche = crm.create("cf_fiches", cf_name="a")
    party = crm.create("cf_parties", cf_name="p", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    crm.delete(f"cf_fiches({fiche})")
    assert {r["operation"] for r in crm.rows("audits", filter=f"_objectid_value eq {party}")} == {1, 3}


def test_the_bin_is_off_unless_someone_turns_it_on(crm: Crm) -> None:
    """11.4: 'off unless an admin enables it'."""
    row = crm.create("cf_fiches", cf_name="a")
    crm.delete(f"cf_fiches({row})")
    assert not in_bin(crm, "cf_fiche", "cf_fiches", row)
    assert crm.rows("deleteditemreferences", filter=f"_deletedobject_value eq {row}") == []


def test_deleted_and_cascaded_rows_lie_in_the_bin(crm: Crm, bin_on: None) -> None:
    """11.4: 'Deleted rows, including cascaded ones, are readable only via … datasource="bin"'."""
    fiche = crm.create("cf_fiches", cf_name="in de bak")
    party = crm.create("cf_parties", cf_name="p", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    assert not in_bin(crm, "cf_fiche", "cf_fiches", fiche)
    crm.delete(f"cf_fiches({fiche})")
    assert in_bin(crm, "cf_fiche", "cf_fiches", fiche)
    assert in_bin(crm, "cf_party", "cf_parties", party)
    assert not crm.exists(f"cf_fiches({fiche})")
    [listed] = crm.rows("deleteditemreferences", select="_deletedobject_value,name,createdon", filter=f"_deletedobject_value eq {fiche}")
    assert listed["name"] == "in de bak"


def test_a_row_can_be_restored_with_other_values(crm: Crm, bin_on: None) -> None:
    """11.4: 'Restore … → {"id":"…"}; a full record, so columns can be overridden'."""
    row = crm.create("cf_fiches", cf_name="a", cf_summary="s", overriddencreatedon="2011-01-01T00:00:00Z")
    crm.delete(f"cf_fiches({row})")
    answer = crm.post("Restore", {"Target": {"@odata.type": NS + "cf_fiche", "cf_ficheid": row, "cf_name": "terug"}})
    assert answer.status_code == 200
    assert answer.json()["id"] == row
    assert crm.one(f"cf_fiches({row})").items() >= {"cf_name": "terug", "cf_summary": "s", "createdon": "2011-01-01T00:00:00Z"}.items()
    assert not in_bin(crm, "cf_fiche", "cf_fiches", row)


def test_a_row_whose_id_is_used_again_is_not_restored(crm: Crm, bin_on: None) -> None:
    """15 row 29: 'PK re-used → 0x80049939/0x80049929'."""
    row = crm.create("cf_fiches", cf_name="a")
    crm.delete(f"cf_fiches({row})")
    crm.post("cf_fiches", {"cf_ficheid": row, "cf_name": "b"})
    answer = crm.post("Restore", {"Target": {"@odata.type": NS + "cf_fiche", "cf_ficheid": row}})
    assert error(answer)[1] in {"0x80049939", "0x80049929"}
    assert crm.one(f"cf_fiches({row})")["cf_name"] == "b"


def test_a_row_that_never_was_is_not_restored(crm: Crm, bin_on: None) -> None:
    """11.4: Restore of what is not in the bin."""
    assert error(crm.post("Restore", {"Target": {"@odata.type": NS + "cf_fiche", "cf_ficheid": new_id()}}))[0] in {400, 404}


def test_the_bin_empties_with_time(crm: Crm, bin_on: None, clock: Control) -> None:
    """15 row 29: 'expiry by clock'; 11.4: '1–30 days retention'."""
    row = crm.create("cf_fiches", cf_name="a")
    crm.delete(f"cf_fiches({row})")
    clock({"advance_s": 29 * 86400})
    assert in_bin(crm, "cf_fiche", "cf_fiches", row)
    clock({"advance_s": 2 * 86400})
    assert not in_bin(crm, "cf_fiche", "cf_fiches", row)
    assert crm.rows("deleteditemreferences", filter=f"_deletedobject_value eq {row}") == []


def test_a_table_can_be_left_out_of_the_bin(crm: Crm, bin_on: None) -> None:
    """11.4: 'per-table recyclebinconfigs (name, cleanupintervalindays, statecode 1/statuscode 2 disables a
    table)'."""
    path = f"recyclebinconfigs({crm.create('recyclebinconfigs', name='cf_fiche', cleanupintervalindays=-1)})"
    assert crm.patch(path, {"statecode": 1, "statuscode": 2}).status_code == 204
    row = crm.create("cf_fiches", cf_name="a")
    crm.delete(f"cf_fiches({row})")
    assert not in_bin(crm, "cf_fiche", "cf_fiches", row)
    assert crm.patch(path, {"statecode": 0, "statuscode": 1}).status_code == 204


def test_jobs_never_lie_in_the_bin(crm: Crm, bin_on: None) -> None:
    """11.4: 'Not covered by the bin: … asyncoperation, bulkdeleteoperation/failure …'."""
    fetched = crm.get(
        "bulkdeleteoperations?fetchXml="
        + quote("<fetch datasource='bin'><entity name='bulkdeleteoperation'><attribute name='name'/></entity></fetch>")
    )
    assert fetched.status_code >= 400 or fetched.json()["value"] == []
