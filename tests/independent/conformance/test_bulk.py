"""Section 6: CreateMultiple and its kin, BulkDelete, long-term retention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.independent.conformance.served import Crm, Row, error, message, new_id

pytestmark = pytest.mark.row(24, 25, 26, 42, 49)
NS = "Microsoft.Dynamics.CRM."
Deletes = Callable[..., str]


def target(table: str, **columns: Any) -> Row:
    return {"@odata.type": NS + table, **columns}


def condition(column: str, operator: str, *values: tuple[str, Any]) -> Row:
    told = [{"Value": str(value), "Type": "System." + kind} for kind, value in values]
    return {"AttributeName": column, "Operator": operator, "Values": told}


def query(table: str, *conditions: Row, **more: Any) -> Row:
    return {
        "@odata.type": NS + "QueryExpression",
        "EntityName": table,
        "ColumnSet": {"AllColumns": False, "Columns": []},
        "Criteria": {"FilterOperator": "And", "Conditions": list(conditions), "Filters": []},
        "Distinct": False,
        **more,
    }


def job(*queries: Row, **more: Any) -> Row:
    return {
        "QuerySet": list(queries),
        "JobName": "conformance",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "StartDateTime": "2020-01-01T00:00:00Z",
        **more,
    }


@pytest.fixture
def bulk_delete(crm: Crm, clock: Callable[[Any], Any]) -> Deletes:
    """Send a job and let enough time pass for it to end."""

    def run(*queries: Row, **more: Any) -> str:
        answer = crm.post("BulkDelete", job(*queries, **more))
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["@odata.context"] == crm.root + "$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse"
        clock({"advance_s": 60})
        return str(body["JobId"])

    return run


def counts(crm: Crm, job_id: str) -> tuple[int, int]:
    [row] = crm.rows("bulkdeleteoperations", select="successcount,failurecount,isrecurring", filter=f"_asyncoperationid_value eq {job_id}")
    return row["successcount"], row["failurecount"]


def test_create_multiple_gives_ids(crm: Crm) -> None:
    """6.1: '200 {"@odata.context":"…#Microsoft.Dynamics.CRM.CreateMultipleResponse","Ids":["…","…"]}'."""
    mine = new_id()
    body = {"Targets": [target("cf_fiche", cf_ficheid=mine, cf_name="A"), target("cf_fiche", cf_name="B")]}
    answer = crm.post(f"cf_fiches/{NS}CreateMultiple", body)
    told = answer.json()
    assert answer.status_code == 200
    assert told["@odata.context"] == f"{crm.root}$metadata#{NS}CreateMultipleResponse"
    assert told["Ids"][0] == mine
    assert [crm.one(f"cf_fiches({row})")["cf_name"] for row in told["Ids"]] == ["A", "B"]


def test_update_multiple_is_204(crm: Crm) -> None:
    """6.1: 'UpdateMultiple (PK in each target) 204'."""
    rows = [crm.create("cf_fiches", cf_name="U", cf_callernumber="1") for _ in range(2)]
    body = {"Targets": [target("cf_fiche", cf_ficheid=row, cf_name="-") for row in rows]}
    answer = crm.post(f"cf_fiches/{NS}UpdateMultiple", body)
    assert (answer.status_code, answer.content) == (204, b"")
    told = [crm.one(f"cf_fiches({row})") for row in rows]
    assert [(row["cf_name"], row["cf_callernumber"]) for row in told] == [("-", "1"), ("-", "1")]


def test_upsert_multiple_takes_keys_in_odata_id(crm: Crm) -> None:
    """6.1: '"@odata.id":"cf_fiches(cf_nationalnumber='85.07.30-033.61')"'."""
    known = crm.create("contacts", lastname="Eerst (fictief)", cf_nationalnumber="M-1")
    body = {
        "Targets": [
            target("contact", **{"@odata.id": "contacts(cf_nationalnumber='M-1')", "lastname": "Daarna (fictief)"}),
            target("contact", **{"@odata.id": "contacts(cf_nationalnumber='O''Neill')", "lastname": "Nieuw (fictief)"}),
        ]
    }
    answer = crm.post(f"contacts/{NS}UpsertMultiple", body)
    assert (answer.status_code, answer.content) == (204, b"")
    rows = {row["cf_nationalnumber"]: row for row in crm.rows("contacts", filter="cf_nationalnumber ne null")}
    assert rows["M-1"]["contactid"] == known
    assert {key: row["lastname"] for key, row in rows.items()} == {"M-1": "Daarna (fictief)", "O'Neill": "Nieuw (fictief)"}


def test_upsert_multiple_refuses_key_columns_in_the_body(crm: Crm) -> None:
    """4.4: 'Key columns in UpsertMultiple targets that lead to a create gave 400 in practice'."""
    body = {
        "Targets": [target("contact", **{"@odata.id": "contacts(cf_nationalnumber='M-2')", "cf_nationalnumber": "M-2", "lastname": "x"})]
    }
    assert error(crm.post(f"contacts/{NS}UpsertMultiple", body)) == (400, "0x80048d19")
    assert crm.rows("contacts", filter="cf_nationalnumber eq 'M-2'") == []
    crm.create("contacts", cf_nationalnumber="M-2")
    assert crm.post(f"contacts/{NS}UpsertMultiple", body).status_code == 204


@pytest.mark.parametrize("name", ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"])
def test_a_target_without_the_type_of_the_set_is_400(crm: Crm, name: str) -> None:
    """6.1: '@odata.type is mandatory in every target'."""
    row = {"cf_ficheid": new_id(), "cf_name": "x"}
    for targets in ([row], [target("cf_fiche", **row), row], [target("contact", **row)], [{"@odata.type": 1, **row}]):
        assert error(crm.post(f"cf_fiches/{NS}{name}", {"Targets": targets})) == (400, "0x80048d19")
    assert not crm.exists(f"cf_fiches({row['cf_ficheid']})")


def test_one_failure_rolls_all_back(crm: Crm) -> None:
    """6.1: 'Standard tables: one transaction; any failure rolls back all'."""
    one, row = new_id(), crm.create("cf_fiches", cf_name="oud")
    before = crm.get(f"cf_fiches({row})").headers["ETag"]
    body = {"Targets": [target("cf_fiche", cf_ficheid=one, cf_name="x"), target("cf_fiche", cf_name="y" * 101)]}
    assert error(crm.post(f"cf_fiches/{NS}CreateMultiple", body)) == (400, "0x80044331")
    assert not crm.exists(f"cf_fiches({one})")
    body = {"Targets": [target("cf_fiche", cf_ficheid=row, cf_name="nieuw"), target("cf_fiche", cf_ficheid=new_id(), cf_name="x")]}
    assert error(crm.post(f"cf_fiches/{NS}UpdateMultiple", body)) == (404, "0x80040217")
    after = crm.get(f"cf_fiches({row})")
    assert (after.json()["cf_name"], after.headers["ETag"]) == ("oud", before)


def test_delete_multiple_of_a_standard_table_is_not_implemented(crm: Crm) -> None:
    """6.1: 'DeleteMultiple on a standard table fails: DeleteMultiple has not yet been implemented.'"""
    row = crm.create("cf_fiches", cf_name="D")
    answer = crm.post(f"cf_fiches/{NS}DeleteMultiple", {"Targets": [target("cf_fiche", cf_ficheid=row)]})
    assert answer.status_code == 400
    assert message(answer) == "DeleteMultiple has not yet been implemented."
    assert crm.exists(f"cf_fiches({row})")


def test_message_filters_tell_what_is_supported(crm: Crm) -> None:
    """6.1: 'sdkmessagefilters?$filter=sdkmessageid/name eq 'CreateMultiple' and primaryobjecttypecode eq
    'cf_fiche''."""
    ask = "sdkmessageid/name eq '{}' and primaryobjecttypecode eq 'cf_fiche'"
    assert len(crm.rows("sdkmessagefilters", select="sdkmessagefilterid", filter=ask.format("CreateMultiple"))) == 1
    assert crm.rows("sdkmessagefilters", select="sdkmessagefilterid", filter=ask.format("DeleteMultiple")) == []


def test_a_job_deletes_what_matches(crm: Crm, bulk_delete: Deletes) -> None:
    """6.2: the documented body; steps 1 and 2 of following the job."""
    gone, kept = (crm.create("cf_fiches", cf_name=name) for name in ("B-1", "B-2"))
    job_id = bulk_delete(
        query("cf_fiche", condition("cf_ficheid", "In", ("Guid", gone), ("Guid", new_id())), condition("statecode", "Equal", ("Int32", 0)))
    )
    told = crm.one(f"asyncoperations({job_id})?$select=statecode,statuscode,message,completedon,operationtype,name")
    assert (told["statecode"], told["statuscode"], told["operationtype"], told["name"]) == (3, 30, 13, "conformance")
    assert told["completedon"]
    assert (crm.exists(f"cf_fiches({gone})"), crm.exists(f"cf_fiches({kept})")) == (False, True)
    assert counts(crm, job_id) == (1, 0)


def test_a_job_passes_through_its_states(crm: Crm, clock: Callable[[Any], Any], switches: Callable[[Any], Any]) -> None:
    """15 row 24: 'job passes 0→20→30'."""
    switches({"bulk_delete_queue_s": 10, "bulk_delete_run_s": 10})
    clock({"now": "2026-03-14T12:00:00Z"})
    row = crm.create("cf_fiches", cf_name="B-3")
    job_id = crm.post("BulkDelete", job(query("cf_fiche", condition("cf_name", "Equal", ("String", "B-3"))))).json()["JobId"]
    seen = []
    for second in (1, 15, 30):
        clock({"now": f"2026-03-14T12:00:{second:02d}Z"})
        told = crm.one(f"asyncoperations({job_id})")
        seen.append((told["statecode"], told["statuscode"]))
    assert seen == [(0, 0), (2, 20), (3, 30)]
    assert not crm.exists(f"cf_fiches({row})")


def test_rows_made_after_the_start_survive(crm: Crm, clock: Callable[[Any], Any], switches: Callable[[Any], Any]) -> None:
    """6.2: 'Only rows created before the job starts are deleted'."""
    switches({"bulk_delete_queue_s": 5, "bulk_delete_run_s": 20})
    clock({"now": "2026-03-14T12:00:00Z"})
    before = crm.create("cf_fiches", cf_name="B-4")
    crm.post("BulkDelete", job(query("cf_fiche", condition("cf_name", "Equal", ("String", "B-4")))))
    clock({"now": "2026-03-14T12:00:10Z"})
    after = crm.create("cf_fiches", cf_name="B-4")
    clock({"now": "2026-03-14T12:01:00Z"})
    assert (crm.exists(f"cf_fiches({before})"), crm.exists(f"cf_fiches({after})")) == (False, True)


@pytest.mark.parametrize("key", ["QuerySet", "JobName", "SendEmailNotification", "ToRecipients", "CCRecipients", "RecurrencePattern"])
def test_a_missing_key_is_400(crm: Crm, key: str) -> None:
    """15 row 24: 'body validation of required keys (missing → 400)'."""
    body = job(query("cf_fiche", condition("cf_name", "Equal", ("String", "none"))))
    del body[key]
    assert error(crm.post("BulkDelete", body))[0] == 400


def test_inner_types_may_be_spelt_out(crm: Crm, bulk_delete: Deletes) -> None:
    """6.2: 'the inner @odata.types are sent by the Python client; the doc example leaves them out; both must
    work'."""
    crm.create("cf_fiches", cf_name="B-5")
    told = query(
        "cf_fiche", {"@odata.type": NS + "ConditionExpression", **condition("cf_name", "Equal", ("String", "B-5"))}, DataSource=None
    )
    told["Criteria"]["@odata.type"], told["ColumnSet"]["@odata.type"] = NS + "FilterExpression", NS + "ColumnSet"
    assert counts(crm, bulk_delete(told)) == (1, 0)


@pytest.mark.parametrize(
    ("test", "found"),
    [
        (condition("cf_year", "NotEqual", ("Int32", 1)), 2), (condition("cf_year", "NotIn", ("Int32", 1), ("Int32", 2)), 1),
        (condition("cf_sex", "Null"), 1), (condition("cf_sex", "NotNull"), 2), (condition("cf_name", "Like", ("String", "%-x")), 1),
        (condition("createdon", "OlderThanXMonths", ("Int32", 12)), 1),
        (condition("createdon", "OnOrBefore", ("DateTime", "2021-01-01")), 1),
        (condition("createdon", "LastXDays", ("Int32", 3)), 2), (condition("cf_year", "GreaterThan", ("Int32", 1)), 2),
        (condition("cf_name", "Equal", ("String", "nothing")), 0),
    ],
)  # fmt: skip
def test_conditions_have_query_expression_names(crm: Crm, bulk_delete: Deletes, test: Row, found: int) -> None:
    """6.2: 'Condition operators use QueryExpression names'; 'A query that matches nothing ends as 30 with
    0/0'."""
    for row in crm.rows("cf_statistics", select="cf_name"):
        crm.delete(f"cf_statistics({row['cf_statisticid']})")
    for year, sex, created in ((1, "m", "2020-01-01T00:00:00Z"), (2, None, None), (3, "f", None)):
        crm.create("cf_statistics", cf_name=f"S{year}-{'x' if year == 2 else 'y'}", cf_year=year, cf_sex=sex, overriddencreatedon=created)
    job_id = bulk_delete(query("cf_statistic", test))
    assert counts(crm, job_id) == (found, 0)
    assert crm.one(f"asyncoperations({job_id})")["statuscode"] == 30


def test_filters_may_nest(crm: Crm, bulk_delete: Deletes) -> None:
    """6.2: Criteria with Filters and FilterOperator Or."""
    for name in ("N-1", "N-2", "N-3"):
        crm.create("cf_fiches", cf_name=name)
    told = query("cf_fiche")
    inner = {"FilterOperator": "Or", "Conditions": [condition("cf_name", "Equal", ("String", n)) for n in ("N-1", "N-3")], "Filters": []}
    told["Criteria"]["Filters"] = [inner]
    assert counts(crm, bulk_delete(told)) == (2, 0)
    assert [row["cf_name"] for row in crm.rows("cf_fiches", filter="startswith(cf_name,'N-')")] == ["N-2"]


def test_restricted_rows_end_as_failures(crm: Crm, bulk_delete: Deletes) -> None:
    """6.2: '"Succeeded" (30) is compatible with failurecount > 0'; step 3: bulkdeletefailures; 'No
    rollback'."""
    free, bound = (crm.create("contacts", lastname="Bulk (fictief)") for _ in range(2))
    crm.create("cf_donations", cf_name="g", **{"cf_ContactId@odata.bind": f"/contacts({bound})"})
    job_id = bulk_delete(query("contact", condition("lastname", "Equal", ("String", "Bulk (fictief)"))))
    assert counts(crm, job_id) == (1, 1)
    assert (crm.exists(f"contacts({free})"), crm.exists(f"contacts({bound})")) == (False, True)
    assert crm.one(f"asyncoperations({job_id})")["statuscode"] == 30
    [failure] = crm.rows(
        "bulkdeletefailures",
        select="errornumber,errordescription,orderedqueryindex,_regardingobjectid_value,regardingobjecttypecode",
        filter=f"_asyncoperationid_value eq {job_id}",
    )
    assert failure["errornumber"] == -2147220953
    assert "associated with another object" in failure["errordescription"]
    assert (failure["orderedqueryindex"], failure["_regardingobjectid_value"], failure["regardingobjecttypecode"]) == (0, bound, "contact")
    assert 400 <= crm.delete(f"bulkdeletefailures({failure['bulkdeletefailureid']})").status_code < 500


def test_several_queries_run_in_order(crm: Crm, bulk_delete: Deletes) -> None:
    """6.2: 'Several QuerySet entries (several tables) run in array order'."""
    who = crm.create("contacts", lastname="Reeks (fictief)")
    crm.create("cf_donations", cf_name="reeks", **{"cf_ContactId@odata.bind": f"/contacts({who})"})
    job_id = bulk_delete(
        query("cf_donation", condition("cf_name", "Equal", ("String", "reeks"))),
        query("contact", condition("contactid", "Equal", ("Guid", who))),
    )
    assert counts(crm, job_id) == (2, 0)
    assert not crm.exists(f"contacts({who})")


def test_a_job_waits_for_its_start(crm: Crm, clock: Callable[[Any], Any]) -> None:
    """6.2: StartDateTime."""
    clock({"now": "2026-03-14T12:00:00Z"})
    row = crm.create("cf_fiches", cf_name="B-6")
    body = job(query("cf_fiche", condition("cf_ficheid", "Equal", ("Guid", row))), StartDateTime="2026-03-14T13:00:00Z")
    job_id = crm.post("BulkDelete", body).json()["JobId"]
    clock({"now": "2026-03-14T12:59:00Z"})
    assert crm.exists(f"cf_fiches({row})")
    assert crm.one(f"asyncoperations({job_id})")["statecode"] in {0, 1}
    clock({"now": "2026-03-14T13:01:00Z"})
    assert not crm.exists(f"cf_fiches({row})")


def test_a_job_past_the_bin_leaves_nothing_there(crm: Crm, bulk_delete: Deletes, switches: Callable[[Any], Any]) -> None:
    """15 row 25: 'CanRecoverDeletedRecords:false → nothing in the bin'."""
    switches({"recycle_bin_days": 30})
    fetch = (
        "<fetch datasource='bin'><entity name='cf_fiche'><attribute name='cf_name'/><filter>"
        "<condition attribute='cf_ficheid' operator='eq' value='{}'/></filter></entity></fetch>"
    )
    for options, found in (
        ({"CanRecoverDeletedRecords": False}, 0),
        ({"CanRecoverDeletedRecords": True}, 1),
        ({"RunJobForSandbox": True}, 1),
    ):
        row = crm.create("cf_fiches", cf_name="B-7")
        bulk_delete(query("cf_fiche", condition("cf_ficheid", "Equal", ("Guid", row))), Options=options)
        assert len(crm.rows("cf_fiches?fetchXml=" + fetch.format(row))) == found
        assert not crm.exists(f"cf_fiches({row})")


def test_sandbox_mode_counts_in_a_sandbox(crm: Crm, bulk_delete: Deletes, switches: Callable[[Any], Any]) -> None:
    """6.2: 'RunJobForSandbox=true (skips plug-ins, workflows and bin) works only in environments of type
    Sandbox'."""
    switches({"recycle_bin_days": 30, "sandbox": True})
    row = crm.create("cf_fiches", cf_name="B-8")
    bulk_delete(query("cf_fiche", condition("cf_ficheid", "Equal", ("Guid", row))), Options={"RunJobForSandbox": True})
    assert crm.rows("deleteditemreferences", filter=f"_deletedobject_value eq {row}") == []


def test_the_job_keeps_its_query(crm: Crm, bulk_delete: Deletes) -> None:
    """6.2: 'orderedquerysetxml, the job name and asyncoperation data keep the filter values and GUIDs you
    passed'."""
    job_id = bulk_delete(query("cf_fiche", condition("cf_name", "Equal", ("String", "geheime waarde"))))
    [row] = crm.rows("bulkdeleteoperations", filter=f"_asyncoperationid_value eq {job_id}")
    assert "geheime waarde" in row["orderedquerysetxml"]
    assert crm.delete(f"bulkdeleteoperations({row['bulkdeleteoperationid']})").status_code == 204


def test_a_job_can_delete_audit_and_old_jobs(crm: Crm, bulk_delete: Deletes) -> None:
    """15 row 26: 'EntityName:"audit" removes matching audit rows; plain DELETE audits(id) refused'; 11.5
    jobs."""
    row = crm.create("cf_fiches", cf_name="B-9")
    crm.delete(f"cf_fiches({row})")
    rows = crm.rows("audits", filter=f"_objectid_value eq {row}")
    assert len(rows) == 2
    assert 400 <= crm.delete(f"audits({rows[0]['auditid']})").status_code < 500
    job_id = bulk_delete(query("audit", condition("objectid", "Equal", ("Guid", row))))
    assert crm.rows("audits", filter=f"_objectid_value eq {row}") == []
    bulk_delete(query("asyncoperation", condition("asyncoperationid", "Equal", ("Guid", job_id))))
    assert not crm.exists(f"asyncoperations({job_id})")


def test_retained_rows_are_out_of_reach(crm: Crm, bulk_delete: Deletes) -> None:
    """6.4: 'immutable, not reachable by normal queries or DELETE'; 'delete through BulkDelete with
    "DataSource":"retained"'."""
    row = crm.create("cf_fiches", cf_name="bewaard")
    answer = crm.post("Retain", {"Target": target("cf_fiche", cf_ficheid=row)})
    assert answer.status_code < 300, answer.text
    assert not crm.exists(f"cf_fiches({row})")
    assert error(crm.delete(f"cf_fiches({row})"))[0] == 404
    fetch = "<fetch datasource='retained'><entity name='cf_fiche'><attribute name='cf_name'/></entity></fetch>"
    assert [r["cf_name"] for r in crm.get("cf_fiches?fetchXml=" + fetch).json()["value"]] == ["bewaard"]
    bulk_delete(query("cf_fiche", condition("cf_ficheid", "Equal", ("Guid", row)), DataSource="retained"))
    assert crm.get("cf_fiches?fetchXml=" + fetch).json()["value"] == []


def test_a_recurring_job_comes_again(crm: Crm, clock: Callable[[Any], Any]) -> None:
    """6.2: 'Recurrence: iCal-like FREQ=DAILY;INTERVAL=1;'; step 2 reads isrecurring and nextrun."""
    clock({"now": "2026-03-14T12:00:00Z"})
    body = job(query("cf_fiche", condition("cf_name", "Equal", ("String", "elke dag"))), RecurrencePattern="FREQ=DAILY;INTERVAL=1;")
    crm.create("cf_fiches", cf_name="elke dag")
    job_id = crm.post("BulkDelete", {**body, "StartDateTime": "2026-03-14T12:00:00Z"}).json()["JobId"]
    clock({"now": "2026-03-14T12:05:00Z"})
    rows = crm.rows("bulkdeleteoperations", select="isrecurring,nextrun,successcount", filter=f"_asyncoperationid_value eq {job_id}")
    assert rows[0]["isrecurring"] is True
    assert crm.rows("cf_fiches", filter="cf_name eq 'elke dag'") == []
    crm.create("cf_fiches", cf_name="elke dag")
    clock({"now": "2026-03-15T12:05:00Z"})
    assert crm.rows("cf_fiches", filter="cf_name eq 'elke dag'") == []


def test_a_retained_row_can_come_back(crm: Crm) -> None:
    """6.4: 'Messages: Retain, BulkRetain, RollbackRetain, PurgeRetainedContent, ValidateRetentionConfig'."""
    row = crm.create("cf_fiches", cf_name="terug")
    assert crm.post("Retain", {"Target": target("cf_fiche", cf_ficheid=row)}).status_code < 300
    assert not crm.exists(f"cf_fiches({row})")
    assert crm.post("RollbackRetain", {"Target": target("cf_fiche", cf_ficheid=row)}).status_code < 300
    assert crm.one(f"cf_fiches({row})")["cf_name"] == "terug"
