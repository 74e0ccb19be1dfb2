"""Bulk deletes: what they ask for, how they come along by the clock, and what they leave behind."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.emulator.serving.server import running
from tests.connectors.emulator.bulk_deletes import advance, body, finished, one, query, run_of, start, state
from tests.connectors.emulator.client import JUNE, Client
from tests.web_api import change_set, error_of, new_id, request_part

# -- what it asks for ----------------------------------------------------------------------------------------


@pytest.mark.row(24)
@pytest.mark.parametrize("name", ["QuerySet", "JobName", "SendEmailNotification", "ToRecipients", "CCRecipients", "RecurrencePattern"])
def test_each_required_parameter_is_missed_by_name(jobs: Client, name: str) -> None:
    given = body(query("cf_fiche"))
    del given[name]
    answer = jobs.send("POST", "BulkDelete", given)
    assert answer.status_code == 400
    assert f"'{name}'" in answer.json()["error"]["message"]
    assert jobs.rows("asyncoperations") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"QuerySet": []},
        {"QuerySet": [{"EntityName": "cf_nothing"}]},
        {"QuerySet": [{"EntityName": "cf_fiche", "Critera": {}}]},
        {"QuerySet": [{"EntityName": "cf_fiche", "Criteria": {"Conditons": []}}]},
        {"QuerySet": [query("cf_fiche", ("cf_nothing", "Null", []))]},
        {"QuerySet": [query("cf_fiche", ("cf_name", "Resembles", [("x", "System.String")]))]},
        {"QuerySet": [query("cf_fiche", ("statecode", "Equal", [("x", "System.Int32")]))]},
        {"QuerySet": [query("cf_fiche", DataSource="attic")]},
        {"QuerySet": [query("cf_fiche", TopCount=1)]},
        {"QuerySet": [{"@odata.type": "Microsoft.Dynamics.CRM.FetchExpression", "Query": "<fetch/>"}]},
        {"JobName": ""},
        {"SendEmailNotification": "no"},
        {"RecurrencePattern": "FREQ=SOMETIMES"},
        {"StartDateTime": "tomorrow"},
        {"Options": {"CanRecover": False}},
        {"RunAsap": True},
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_deleted(jobs: Client, wrong: dict[str, Any]) -> None:
    fiche = jobs.fiche()
    assert jobs.send("POST", "BulkDelete", body(query("cf_fiche")) | wrong).status_code == 400
    advance(jobs, 30)
    assert jobs.exists("cf_fiches", fiche)
    assert jobs.rows("asyncoperations") == []


@pytest.mark.parametrize("table", ["activityparty", "bulkdeletefailure", "systemuserroles", "fileattachment"])
def test_tables_without_a_delete_are_refused(jobs: Client, table: str) -> None:
    assert error_of(jobs.send("POST", "BulkDelete", body(query(table)))) == (405, "0x80040800")


# -- a job by the clock --------------------------------------------------------------------------------------


@pytest.mark.row(24)
def test_a_job_waits_runs_and_succeeds_by_the_clock(jobs: Client) -> None:
    fiche, other = jobs.fiche(), jobs.fiche(cf_name="F-2")
    job = start(jobs, query("cf_fiche", ("cf_name", "Equal", [("f-1", "System.String")])))
    assert state(jobs, job) == (0, 0)
    assert jobs.exists("cf_fiches", fiche)
    assert jobs.rows("bulkdeleteoperations") == [], "the operation appears when the job starts"
    advance(jobs, 11)
    assert state(jobs, job) == (2, 20)
    assert (run_of(jobs, job)["statecode"], run_of(jobs, job)["statuscode"]) == (2, 20)
    advance(jobs, 10)
    assert state(jobs, job) == (3, 30)
    assert not jobs.exists("cf_fiches", fiche)
    assert jobs.exists("cf_fiches", other)
    row = jobs.row(f"asyncoperations({job})")
    assert (row["operationtype"], row["name"]) == (13, "opruiming")
    assert row["startedon"] < row["completedon"]
    assert "f-1" in row["data"]
    done = run_of(jobs, job)
    assert (done["successcount"], done["failurecount"], done["statuscode"]) == (1, 0, 30)
    assert (done["isrecurring"], done["nextrun"], done["jobid"], done["name"]) == (False, None, job, "opruiming")
    assert "<Value>f-1</Value>" in done["orderedquerysetxml"], "the values that were looked for stay behind"


def test_the_statistics_count_what_a_job_has_deleted_by_now(jobs: Client) -> None:
    jobs.fiche()
    start(jobs, query("cf_fiche"))
    assert jobs.control("GET", "stats")["operations"]["delete"] == 0
    advance(jobs, 15)
    assert jobs.control("GET", "stats")["operations"]["delete"] == 1


@pytest.mark.row(24)
def test_with_the_clock_left_alone_a_poll_sees_every_state_in_order(crm: Client) -> None:
    crm.fiche()
    job = start(crm, query("cf_fiche"))
    seen: list[int] = []
    while not seen or seen[-1] != 30:
        seen.append(state(crm, job)[1])
    assert list(dict.fromkeys(seen)) == [0, 20, 30]


def test_a_job_waits_for_its_start_and_then_for_resources(jobs: Client) -> None:
    fiche = jobs.fiche()
    later = (JUNE + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    job = start(jobs, one("cf_fiche", fiche), StartDateTime=later)
    assert state(jobs, job) == (1, 10)
    assert jobs.row(f"asyncoperations({job})")["postponeuntil"] == later
    advance(jobs, 3605)
    assert state(jobs, job) == (0, 0)
    advance(jobs, 10)
    assert state(jobs, job) == (2, 20)
    assert not jobs.exists("cf_fiches", fiche)


def test_run_now_does_not_wait_for_the_start(jobs: Client) -> None:
    job = start(jobs, query("cf_fiche"), StartDateTime="2999-01-01T00:00:00Z", RunNow=True)
    assert state(jobs, job) == (0, 0)


@pytest.mark.row(24)
def test_rows_created_after_the_start_survive(jobs: Client) -> None:
    before = jobs.fiche()
    job = start(jobs, query("cf_fiche"))
    advance(jobs, 12)
    assert state(jobs, job) == (2, 20)
    after = jobs.fiche()
    advance(jobs, 20)
    assert state(jobs, job) == (3, 30)
    assert not jobs.exists("cf_fiches", before)
    assert jobs.exists("cf_fiches", after)


@pytest.mark.row(24)
def test_rows_dated_after_the_start_survive_a_leap_of_the_clock(jobs: Client) -> None:
    start(jobs, query("cf_fiche"))
    late = (JUNE + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    fiche = new_id()
    jobs.emulator.load([("cf_fiche", {"cf_ficheid": fiche, "cf_name": "F", "createdon": late})])
    advance(jobs, 3600)
    assert jobs.exists("cf_fiches", fiche)


def test_a_job_goes_on_after_a_restart(tmp_path: Path) -> None:
    state_file = tmp_path / "state.db"
    with running(state=state_file) as emulator:
        crm = Client(emulator)
        fiche = crm.fiche()
        job = start(crm, query("cf_fiche"), StartDateTime=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    with running(state=state_file) as emulator:
        crm = Client(emulator)
        assert state(crm, job) == (1, 10)
        assert crm.exists("cf_fiches", fiche)
        advance(crm, 3610)
        assert state(crm, job) == (3, 30)
        assert not crm.exists("cf_fiches", fiche)


def test_a_job_may_stay_in_progress_for_minutes(jobs: Client) -> None:
    jobs.control("PUT", "switches", {"bulk_delete_run_s": 600})
    job = start(jobs, query("cf_fiche"))
    advance(jobs, 600)
    assert state(jobs, job) == (2, 20)
    advance(jobs, 15)
    assert state(jobs, job) == (3, 30)


def test_a_change_set_that_fails_leaves_no_job(jobs: Client) -> None:
    fiche = jobs.fiche()
    asked = request_part("POST", "BulkDelete", json.dumps(body(query("cf_fiche"))), content_id="1")
    refused = request_part("DELETE", f"cf_dossiers({new_id()})", content_id="2")
    jobs.batch(change_set(asked, refused))
    advance(jobs, 30)
    assert jobs.exists("cf_fiches", fiche)
    jobs.batch(change_set(asked))
    advance(jobs, 30)
    assert not jobs.exists("cf_fiches", fiche)


# -- rows that stay ------------------------------------------------------------------------------------------


@pytest.mark.row(24)
def test_rows_that_cannot_go_are_recorded_and_the_job_still_succeeds(jobs: Client) -> None:
    free, donor = jobs.contact(), jobs.contact()
    jobs.create("cf_donations", cf_name="gift", **{"cf_ContactId@odata.bind": f"/contacts({donor})"})
    job = start(jobs, query("cf_fiche"), query("contact"))
    advance(jobs, 30)
    assert state(jobs, job) == (3, 30)
    done = run_of(jobs, job)
    assert (done["successcount"], done["failurecount"], done["processingqeindex"]) == (1, 1, 1)
    assert not jobs.exists("contacts", free)
    assert jobs.exists("contacts", donor)
    (failure,) = jobs.rows(f"bulkdeletefailures?$filter=_asyncoperationid_value eq {job}")
    assert failure["errornumber"] == -2147220953
    assert "associated with another object" in failure["errordescription"]
    assert (failure["_regardingobjectid_value"], failure["regardingobjecttypecode"]) == (donor, "contact")
    assert failure["orderedqueryindex"] == 1
    assert failure["_bulkdeleteoperationid_value"] == done["bulkdeleteoperationid"]


@pytest.mark.row(24)
def test_failures_may_make_the_job_fail(jobs: Client) -> None:
    jobs.control("PUT", "switches", {"bulk_delete_status": 31})
    job = start(jobs, query("contact"))
    donor = jobs.contact()
    jobs.create("cf_donations", cf_name="gift", **{"cf_ContactId@odata.bind": f"/contacts({donor})"})
    advance(jobs, 30)
    assert state(jobs, job) == (3, 31)
    job = start(jobs, query("cf_fiche"))
    advance(jobs, 30)
    assert state(jobs, job) == (3, 30), "without failures a job succeeds"


def test_a_failure_is_read_only_and_goes_with_its_row_or_its_operation(jobs: Client) -> None:
    donors = [jobs.contact(), jobs.contact()]
    gifts = [jobs.create("cf_donations", cf_name="g", **{"cf_ContactId@odata.bind": f"/contacts({donor})"}) for donor in donors]
    done = finished(jobs, query("contact"))
    failures = {row["_regardingobjectid_value"]: row["bulkdeletefailureid"] for row in jobs.rows("bulkdeletefailures")}
    assert set(failures) == set(donors)
    assert jobs.exists("bulkdeletefailures", failures[donors[0]])
    for method in ("DELETE", "PATCH"):
        assert jobs.send(method, f"bulkdeletefailures({failures[donors[0]]})", {}).status_code == 405
    jobs.send("DELETE", f"cf_donations({gifts[0]})")
    jobs.send("DELETE", f"contacts({donors[0]})")
    assert [row["_regardingobjectid_value"] for row in jobs.rows("bulkdeletefailures")] == donors[1:]
    assert jobs.send("PATCH", f"bulkdeleteoperations({done['bulkdeleteoperationid']})", {}).status_code == 405
    assert jobs.send("DELETE", f"bulkdeleteoperations({done['bulkdeleteoperationid']})").status_code == 204
    assert jobs.rows("bulkdeletefailures") == []


def test_what_goes_along_is_counted_by_table(jobs: Client) -> None:
    dossier = jobs.dossier()
    for subject in ("a", "b"):
        jobs.create("annotations", subject=subject, **{"objectid_cf_dossier@odata.bind": f"/cf_dossiers({dossier})"})
    before = jobs.emulator.stats()["operations"]["delete"]
    done = finished(jobs, one("cf_dossier", dossier))
    assert (done["successcount"], done["childrecordsdeletedcount"]) == (1, 2)
    assert json.loads(done["childrecordsdeletedbreakdown"]) == {"annotation": 2}
    assert jobs.emulator.stats()["operations"]["delete"] == before + 1


# -- queries -------------------------------------------------------------------------------------------------


def test_the_typed_form_of_the_python_client_is_understood(jobs: Client) -> None:
    """Section 6.2 of the reference, word for word but for the ids."""
    jobs.fiche(cf_ficheid=(first := new_id()))
    jobs.fiche(cf_ficheid=(second := new_id()))
    jobs.send("PATCH", f"cf_fiches({first})", {"statecode": 1})
    prefix = "Microsoft.Dynamics.CRM."
    conditions = [
        {
            "@odata.type": f"{prefix}ConditionExpression",
            "AttributeName": "statecode",
            "Operator": "Equal",
            "Values": [{"Value": "1", "Type": "System.Int32"}],
        },
        {
            "@odata.type": f"{prefix}ConditionExpression",
            "AttributeName": "cf_ficheid",
            "Operator": "In",
            "Values": [{"Value": first, "Type": "System.Guid"}, {"Value": second, "Type": "System.Guid"}],
        },
    ]
    given = {
        "@odata.type": f"{prefix}QueryExpression",
        "EntityName": "cf_fiche",
        "DataSource": None,
        "ColumnSet": {"@odata.type": f"{prefix}ColumnSet", "AllColumns": False, "Columns": []},
        "Criteria": {"@odata.type": f"{prefix}FilterExpression", "FilterOperator": "And", "Conditions": conditions, "Filters": []},
        "Distinct": False,
    }
    assert finished(jobs, given, StartDateTime="2020-01-01T02:00:00Z")["successcount"] == 1
    assert [row["cf_ficheid"] for row in jobs.rows("cf_fiches")] == [second]


@pytest.mark.row(24)
@pytest.mark.parametrize(
    ("column", "operator", "values", "gone"),
    [
        ("cf_year", "NotEqual", [("1", "System.Int32")], "2 3"),
        ("cf_year", "NotIn", [("1", "System.Int32"), ("2", "System.Int32")], "3"),
        ("cf_year", "GreaterThan", [("1", "System.Int32")], "2 3"),
        ("cf_sex", "Null", [], "2"),
        ("cf_sex", "NotNull", [], "1 3"),
        ("cf_name", "Like", [("%-x", "System.String")], "2"),
        ("createdon", "OlderThanXMonths", [("12", "System.Int32")], "1"),
        ("createdon", "OnOrBefore", [("2021-01-01", "System.DateTime")], "1"),
        ("createdon", "LastXDays", [("3", "System.Int32")], "2 3"),
    ],
)
def test_conditions_have_the_names_of_query_expressions(
    jobs: Client, column: str, operator: str, values: list[tuple[str, str]], gone: str
) -> None:
    for year, sex, created in ((1, "m", "2020-01-01T00:00:00Z"), (2, None, None), (3, "f", None)):
        name = f"{year}-{'x' if year == 2 else 'y'}"
        jobs.create("cf_statistics", cf_name=name, cf_year=year, cf_sex=sex, overriddencreatedon=created)
    done = finished(jobs, query("cf_statistic", (column, operator, values)))
    left = {str(row["cf_year"]) for row in jobs.rows("cf_statistics?$select=cf_year")}
    assert (set("123") - left, done["successcount"]) == (set(gone.split()), len(gone.split()))


@pytest.mark.row(24)
def test_queries_run_in_their_order(jobs: Client) -> None:
    """A donor goes once the gift has gone."""
    donor = jobs.contact()
    jobs.create("cf_donations", cf_name="gift", **{"cf_ContactId@odata.bind": f"/contacts({donor})"})
    done = finished(jobs, query("cf_donation"), one("contact", donor))
    assert (done["successcount"], done["failurecount"]) == (2, 0)
    assert not jobs.exists("contacts", donor)


def test_filters_nest_and_link_entities_join(jobs: Client) -> None:
    """A row counts once, however many rows of the linked table fit."""
    dossiers = {name: jobs.dossier(cf_name=name) for name in ("a", "b", "c", "d")}
    for name, fiche in (("a", "x"), ("a", "x"), ("b", "y"), ("d", "x")):
        jobs.fiche(dossiers[name], cf_name=fiche)
    either = {
        "FilterOperator": "Or",
        "Conditions": [{"AttributeName": "cf_name", "Operator": "Equal", "Values": [each]} for each in ("a", "b")],
    }
    link: dict[str, Any] = {
        "LinkFromEntityName": "cf_dossier",
        "LinkFromAttributeName": "cf_dossierid",
        "LinkToEntityName": "cf_fiche",
        "LinkToAttributeName": "cf_dossierid",
        "JoinOperator": "Inner",
        "EntityAlias": "f",
    }
    by_alias = [{"EntityName": "f", "AttributeName": "cf_name", "Operator": "Equal", "Values": ["x"]}]
    given = {"EntityName": "cf_dossier", "LinkEntities": [link], "Criteria": {"Conditions": by_alias, "Filters": [either]}}
    assert finished(jobs, given)["successcount"] == 1
    assert {row["cf_name"] for row in jobs.rows("cf_dossiers")} == {"b", "c", "d"}
    link["LinkCriteria"] = {"Conditions": [{"AttributeName": "cf_name", "Operator": "Equal", "Values": ["y"]}]}
    assert finished(jobs, {"EntityName": "cf_dossier", "LinkEntities": [link]})["successcount"] == 1
    assert {row["cf_name"] for row in jobs.rows("cf_dossiers")} == {"c", "d"}


def test_row_versions_and_thousands_of_ids_are_conditions_like_others(jobs: Client) -> None:
    ids = [new_id() for _ in range(40_000)]
    kept, gone = jobs.fiche(), jobs.fiche(cf_ficheid=ids[-1])
    jobs.send("PATCH", f"cf_fiches({jobs.fiche(cf_ficheid=ids[0])})", {"cf_name": "changed since"})
    version = jobs.etag("cf_fiches", gone).strip('W/"')
    given = query(
        "cf_fiche",
        ("versionnumber", "LessEqual", [(version, "System.Int64")]),
        ("cf_ficheid", "In", [(each, "System.Guid") for each in ids]),
    )
    assert finished(jobs, given)["successcount"] == 1
    assert {row["cf_ficheid"] for row in jobs.rows("cf_fiches")} == {kept, ids[0]}
    assert finished(jobs, query("cf_fiche", ("cf_ficheid", "NotIn", [(each, "System.Guid") for each in ids])))["successcount"] == 1
    assert {row["cf_ficheid"] for row in jobs.rows("cf_fiches")} == {ids[0]}


def test_activities_of_every_kind_go_by_their_pointer(jobs: Client) -> None:
    jobs.create("emails", subject="x")
    jobs.create("phonecalls", subject="x")
    kept = jobs.create("phonecalls", subject="y")
    assert finished(jobs, query("activitypointer", ("subject", "Equal", [("x", "System.String")])))["successcount"] == 2
    assert [row["activityid"] for row in jobs.rows("activitypointers")] == [kept]


def test_a_query_without_criteria_deletes_the_table_and_one_that_matches_nothing_succeeds(jobs: Client) -> None:
    jobs.fiche()
    jobs.fiche()
    assert finished(jobs, {"EntityName": "cf_fiche"})["successcount"] == 2
    done = finished(jobs, {"EntityName": "cf_fiche"})
    assert (done["successcount"], done["failurecount"], done["statuscode"]) == (0, 0, 30)
