"""Long-term retention: policies and messages that put rows out of reach, and the one way to delete them
there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.connectors.emulator.client import JUNE, Client
from tests.web_api import error_of, new_id

pytestmark = pytest.mark.row(49)

CLOSED = '<fetch><entity name="cf_dossier"><filter><condition attribute="statecode" operator="eq" value="1"/></filter></entity></fetch>'


@pytest.fixture
def archive(jobs: Client) -> Client:
    return jobs


def retained(crm: Client, table_set: str, table: str) -> list[str]:
    """Ids of the retained rows of a table, by the one query that shows them."""
    text = f'<fetch datasource="retained"><entity name="{table}"><attribute name="{table}id"/></entity></fetch>'
    return [row[f"{table}id"] for row in crm.rows(f"{table_set}?fetchXml={quote(text)}")]


def target(table: str, row: str) -> dict[str, Any]:
    return {"Target": {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", f"{table}id": row}}


def closed_dossier(crm: Client, **columns: Any) -> str:
    dossier = crm.dossier(**columns)
    crm.send("PATCH", f"cf_dossiers({dossier})", {"statecode": 1})
    return dossier


def note(crm: Client, dossier: str) -> str:
    return crm.create("annotations", subject="n", **{"objectid_cf_dossier@odata.bind": f"/cf_dossiers({dossier})"})


def policy(crm: Client, criteria: str = CLOSED, **columns: Any) -> dict[str, Any]:
    given = {"name": "gesloten", "uniquename": "cf_gesloten", "entitylogicalname": "cf_dossier", "statuscode": 10}
    return {**given, "criteria": criteria, "starttime": "2020-01-01T00:00:00Z", "recurrence": "", **columns}


def bulk_delete(crm: Client, **query: Any) -> dict[str, Any]:
    """A whole job; gives its operation."""
    body = {"JobName": "opruiming", "SendEmailNotification": False, "ToRecipients": [], "CCRecipients": [], "RecurrencePattern": ""}
    answer = crm.send("POST", "BulkDelete", {**body, "QuerySet": [query]})
    assert answer.status_code == 200, answer.text
    crm.control("PUT", "clock", {"advance_s": 30})
    (row,) = crm.rows(f"bulkdeleteoperations?$filter=_asyncoperationid_value eq {answer.json()['JobId']}")
    return row


def test_a_retained_row_is_out_of_reach_of_every_ordinary_request(archive: Client) -> None:
    dossier, other = archive.dossier(), archive.dossier()
    assert archive.send("POST", "Retain", target("cf_dossier", dossier)).status_code == 200
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"cf_name": "x"})):
        answer = archive.send(method, f"cf_dossiers({dossier})", body, {"If-Match": "*"} if body else None)
        assert error_of(answer) == (404, "0x80040217"), method
    assert [row["cf_dossierid"] for row in archive.rows("cf_dossiers")] == [other]
    assert retained(archive, "cf_dossiers", "cf_dossier") == [dossier]


def test_what_cascades_goes_along_and_what_does_not_stays_linked(archive: Client) -> None:
    dossier = archive.dossier()
    hanging, fiche = note(archive, dossier), archive.fiche(dossier)
    archive.fiche(cf_ficheid=dossier)  # another table may have a row of the same id
    elsewhere = archive.create("annotations", subject="n", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({dossier})"})
    archive.send("POST", "Retain", target("cf_dossier", dossier))
    assert retained(archive, "annotations", "annotation") == [hanging]
    assert archive.exists("annotations", elsewhere)
    assert not archive.exists("annotations", hanging)
    assert archive.row(f"cf_fiches({fiche})")["_cf_dossierid_value"] == dossier


def test_a_rollback_brings_everything_back(archive: Client) -> None:
    dossier = archive.dossier(cf_name="D-7")
    hanging = note(archive, dossier)
    archive.send("POST", "Retain", target("cf_dossier", dossier))
    assert archive.send("POST", "RollbackRetain", target("cf_dossier", dossier)).status_code == 200
    assert archive.row(f"cf_dossiers({dossier})")["cf_name"] == "D-7"
    assert archive.exists("annotations", hanging)
    assert retained(archive, "cf_dossiers", "cf_dossier") == []
    assert error_of(archive.send("POST", "RollbackRetain", target("cf_dossier", dossier))) == (404, "0x80040217")


def test_a_rollback_is_refused_when_the_key_is_in_use_again(archive: Client) -> None:
    dossier = archive.dossier()
    hanging = note(archive, dossier)
    archive.send("POST", "Retain", target("cf_dossier", dossier))
    archive.dossier(cf_dossierid=dossier)
    assert error_of(archive.send("POST", "RollbackRetain", target("cf_dossier", dossier))) == (412, "0x80040237")
    assert not archive.exists("annotations", hanging), "all or nothing"


def test_files_wait_with_their_row(archive: Client) -> None:
    fiche = archive.fiche()
    recording = archive.create("cf_recordings", cf_name="r", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    address = f"{archive.url}cf_recordings({recording})/cf_media"
    archive.http.patch(address, data=b"geluid", headers={"Content-Type": "application/octet-stream", "x-ms-file-name": "a.wav"}, timeout=30)
    archive.send("POST", "Retain", target("cf_recording", recording))
    archive.send("POST", "RollbackRetain", target("cf_recording", recording))
    assert archive.get(f"{address}/$value").content == b"geluid"


def test_retained_rows_are_deleted_by_a_job_with_their_source_alone(archive: Client) -> None:
    first, second, live = archive.dossier(), archive.dossier(cf_name="D-2"), archive.dossier()
    note(archive, first)
    for dossier in (first, second):
        archive.send("POST", "Retain", target("cf_dossier", dossier))
    by_name = {"Conditions": [{"AttributeName": "cf_name", "Operator": "Equal", "Values": [{"Value": "D-1", "Type": "System.String"}]}]}
    done = bulk_delete(archive, EntityName="cf_dossier", DataSource="retained", Criteria=by_name)
    assert (done["successcount"], done["childrecordsdeletedcount"]) == (1, 1)
    assert retained(archive, "cf_dossiers", "cf_dossier") == [second]
    assert retained(archive, "annotations", "annotation") == []
    assert archive.exists("cf_dossiers", live), "live rows are another source"
    done = bulk_delete(archive, EntityName="cf_dossier")
    assert done["successcount"] == 1
    assert retained(archive, "cf_dossiers", "cf_dossier") == [second], "and retained rows are out of reach without the source"


def test_a_query_retains_many_rows(archive: Client) -> None:
    closed = [closed_dossier(archive) for _ in range(3)]
    still_open = archive.dossier()
    given = {"EntityName": "cf_dossier", "FetchXml": CLOSED}
    assert archive.send("POST", "BulkRetain", {**given, "PageSize": 2}).status_code == 200
    assert len(retained(archive, "cf_dossiers", "cf_dossier")) == 2
    assert archive.send("POST", "BulkRetain", given).status_code == 200
    assert set(retained(archive, "cf_dossiers", "cf_dossier")) == set(closed)
    assert archive.exists("cf_dossiers", still_open)
    assert archive.send("POST", "PurgeRetainedContent", {"EntityName": "cf_dossier"}).status_code == 200
    assert set(retained(archive, "cf_dossiers", "cf_dossier")) == set(closed), "that message cleans the live tables only"


def test_a_policy_runs_once_when_its_time_has_come(archive: Client) -> None:
    dossier = closed_dossier(archive)
    hanging = note(archive, dossier)
    later = (JUNE + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    plan = archive.create("retentionconfigs", **policy(archive, starttime=later))
    assert archive.exists("cf_dossiers", dossier)
    archive.control("PUT", "clock", {"advance_s": 3700})
    assert not archive.exists("cf_dossiers", dossier)
    (run,) = archive.rows(f"retentionoperations?$filter=_retentionconfigid_value eq {plan}")
    assert (run["statecode"], run["statuscode"], run["retentioncount"], run["rootentitylogicalname"]) == (3, 30, 2, "cf_dossier")
    details = archive.rows(f"retentionoperationdetails?$filter=_retentionoperationid_value eq {run['retentionoperationid']}")
    assert {(each["entitylogicalname"], each["isrootentity"], each["retentioncount"]) for each in details} == {
        ("cf_dossier", True, 1),
        ("annotation", False, 1),
    }
    assert retained(archive, "annotations", "annotation") == [hanging]
    late = closed_dossier(archive)
    archive.control("PUT", "clock", {"advance_s": 400 * 86_400})
    assert archive.exists("cf_dossiers", late), "without a recurrence it does not run again"


def test_a_recurring_policy_runs_every_year(archive: Client) -> None:
    plan = archive.create("retentionconfigs", **policy(archive, recurrence="FREQ=YEARLY;INTERVAL=1"))
    dossier = closed_dossier(archive)
    assert archive.exists("cf_dossiers", dossier)
    upcoming = archive.row(f"retentionconfigs({plan})")["nextrun"]
    assert upcoming[4:] == "-01-01T00:00:00Z"
    archive.control("PUT", "clock", {"advance_s": 366 * 86_400})
    assert not archive.exists("cf_dossiers", dossier)
    assert len(archive.rows("retentionoperations")) == 2
    assert archive.row(f"retentionconfigs({plan})")["nextrun"] > upcoming


@pytest.mark.parametrize("state", [{"statecode": 1, "statuscode": 2}, {"statuscode": 20}])
def test_an_inactive_or_unscheduled_policy_does_not_run(archive: Client, state: dict[str, int]) -> None:
    later = (JUNE + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    plan = archive.create("retentionconfigs", **policy(archive, starttime=later))
    assert archive.send("PATCH", f"retentionconfigs({plan})", state).status_code == 204
    dossier = closed_dossier(archive)
    archive.control("PUT", "clock", {"advance_s": 3700})
    assert archive.exists("cf_dossiers", dossier)


@pytest.mark.parametrize(
    "wrong",
    [
        {"criteria": "<fetch"},
        {"criteria": CLOSED.replace("statecode", "cf_nothing")},
        {"criteria": CLOSED.replace("<fetch", '<fetch datasource="retained"')},
        {"entitylogicalname": "contact"},
        {"recurrence": "FREQ=SOMETIMES"},
    ],
)
def test_a_policy_that_could_never_run_is_refused(archive: Client, wrong: dict[str, str]) -> None:
    assert archive.send("POST", "retentionconfigs", policy(archive, **wrong)).status_code == 400
    plan = archive.create("retentionconfigs", **policy(archive, statuscode=20))
    assert archive.send("PATCH", f"retentionconfigs({plan})", wrong).status_code == 400
    assert archive.row(f"retentionconfigs({plan})")["criteria"] == CLOSED


def test_the_criteria_of_a_policy_can_be_tried_out(archive: Client) -> None:
    dossier = closed_dossier(archive)
    assert archive.send("POST", "ValidateRetentionConfig", {"EntityName": "cf_dossier", "FetchXml": CLOSED}).status_code == 200
    assert archive.send("POST", "ValidateRetentionConfig", {"EntityName": "contact", "FetchXml": CLOSED}).status_code == 400
    assert archive.exists("cf_dossiers", dossier)


@pytest.mark.parametrize("message", ["Retain", "RollbackRetain"])
def test_a_row_that_is_not_there_is_not_found(archive: Client, message: str) -> None:
    assert error_of(archive.send("POST", message, target("cf_dossier", new_id()))) == (404, "0x80040217")
    assert error_of(archive.send("POST", message, {"Target": {"@odata.id": f"activitypointers({new_id()})"}})) == (405, "0x80040800")


@pytest.mark.row(32, 49)
def test_who_follows_changes_is_told_of_retention_and_of_its_end(archive: Client) -> None:
    kept, dossier = archive.dossier(), archive.dossier()
    track = {"Prefer": "odata.track-changes"}
    link = archive.row("cf_dossiers?$select=cf_name", track)["@odata.deltaLink"]
    archive.send("POST", "Retain", target("cf_dossier", dossier))
    document = archive.row(link)
    assert [(row["id"], row["reason"]) for row in document["value"]] == [(dossier, "deleted")]
    archive.send("POST", "RollbackRetain", target("cf_dossier", dossier))
    assert [row["cf_dossierid"] for row in archive.row(document["@odata.deltaLink"])["value"]] == [dossier]
    assert [row["cf_dossierid"] for row in archive.row(link)["value"]] == [dossier]
    assert archive.exists("cf_dossiers", kept)


def test_a_table_of_which_rows_were_moved_is_enabled_for_it(archive: Client) -> None:
    def enabled() -> bool:
        found = archive.row("EntityDefinitions(LogicalName='cf_dossier')?$select=LogicalName,IsRetentionEnabled")["IsRetentionEnabled"]
        assert isinstance(found, bool)
        return found

    dossier = archive.dossier()
    assert not enabled()
    archive.send("POST", "Retain", target("cf_dossier", dossier))
    assert enabled()


@pytest.mark.parametrize(
    "inside",
    [
        '<attribute name="cf_dossierid" alias="n" aggregate="count"/>',
        '<attribute name="cf_dossierid"/><link-entity name="cf_fiche" from="cf_dossierid" to="cf_dossierid"/>',
    ],
)
def test_a_query_there_is_of_one_table_and_adds_nothing_up(archive: Client, inside: str) -> None:
    aggregate = ' aggregate="true"' if "aggregate" in inside else ""
    text = f'<fetch datasource="retained"{aggregate}><entity name="cf_dossier">{inside}</entity></fetch>'
    assert archive.get(f"cf_dossiers?fetchXml={quote(text)}").status_code == 400
    live = text.replace('datasource="retained"', "")
    assert archive.get(f"cf_dossiers?fetchXml={quote(live)}").status_code == 200
