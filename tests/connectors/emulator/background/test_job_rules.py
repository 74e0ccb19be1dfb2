"""System jobs: run again, cancelled, paused, deleted."""

import pytest

from tests.connectors.emulator.bulk_deletes import advance, finished, query, run_of, start, state
from tests.connectors.emulator.client import Client
from tests.web_api import error_of


def test_a_recurring_job_runs_again_and_waits_in_between(jobs: Client) -> None:
    job = start(jobs, query("cf_fiche"), RecurrencePattern="FREQ=DAILY;INTERVAL=2;")
    jobs.fiche()
    advance(jobs, 30)
    assert state(jobs, job) == (1, 10)
    (first,) = jobs.rows("bulkdeleteoperations")
    assert (first["successcount"], first["statuscode"], first["isrecurring"]) == (1, 30, True)
    assert first["nextrun"] == jobs.row(f"asyncoperations({job})")["postponeuntil"]
    jobs.fiche()
    advance(jobs, 86_400)
    assert len(jobs.rows("cf_fiches")) == 1, "it runs every second day"
    advance(jobs, 86_400)
    assert jobs.rows("cf_fiches") == []
    assert len(jobs.rows(f"bulkdeleteoperations?$filter=_asyncoperationid_value eq {job}")) == 2


def test_a_job_is_cancelled_while_it_waits(jobs: Client) -> None:
    fiche = jobs.fiche()
    job = start(jobs, query("cf_fiche"))
    assert jobs.send("PATCH", f"asyncoperations({job})", {"statecode": 3, "statuscode": 32}).status_code == 204
    advance(jobs, 60)
    assert state(jobs, job) == (3, 32)
    assert jobs.exists("cf_fiches", fiche)
    assert jobs.rows("bulkdeleteoperations") == []


def test_a_job_cancelled_in_progress_keeps_its_counts(jobs: Client) -> None:
    jobs.fiche()
    job = start(jobs, query("cf_fiche"))
    advance(jobs, 12)
    assert state(jobs, job) == (2, 20)
    assert jobs.send("PATCH", f"asyncoperations({job})", {"statecode": 1}).status_code == 400, "it is too late to pause"
    assert jobs.send("PATCH", f"asyncoperations({job})", {"statecode": 3, "statuscode": 32}).status_code == 204
    done = run_of(jobs, job)
    assert (done["statecode"], done["statuscode"], done["successcount"]) == (3, 32, 1)


def test_a_completed_job_changes_no_more(jobs: Client) -> None:
    job = start(jobs, query("cf_fiche"))
    assert jobs.send("PATCH", f"asyncoperations({job})", {"statecode": 3, "statuscode": 30}).status_code == 400
    advance(jobs, 30)
    assert jobs.send("PATCH", f"asyncoperations({job})", {"statecode": 3, "statuscode": 32}).status_code == 400
    assert state(jobs, job) == (3, 30)


def test_a_job_is_paused_and_resumed(jobs: Client) -> None:
    fiche = jobs.fiche()
    job = start(jobs, query("cf_fiche"))
    assert jobs.send("PATCH", f"asyncoperations({job})", {"statecode": 1}).status_code == 204
    advance(jobs, 3600)
    assert state(jobs, job) == (1, 10)
    assert jobs.exists("cf_fiches", fiche)
    assert jobs.send("PATCH", f"asyncoperations({job})", {"statecode": 0}).status_code == 204
    advance(jobs, 30)
    assert state(jobs, job) == (3, 30)
    assert not jobs.exists("cf_fiches", fiche)


def test_only_a_completed_job_is_deleted_and_takes_its_operation_along(jobs: Client) -> None:
    job = start(jobs, query("cf_fiche"))
    assert error_of(jobs.send("DELETE", f"asyncoperations({job})")) == (400, "0x80040203")
    advance(jobs, 30)
    assert len(jobs.rows("bulkdeleteoperations")) == 1
    assert jobs.send("DELETE", f"asyncoperations({job})").status_code == 204
    assert jobs.rows("bulkdeleteoperations") == []


def test_the_payload_of_a_job_is_not_for_clients_to_write(jobs: Client) -> None:
    job = start(jobs, query("cf_fiche"))
    jobs.send("PATCH", f"asyncoperations({job})", {"data": "{}", "name": "other"})
    row = jobs.row(f"asyncoperations({job})?$select=data,name")
    assert row["name"] == "opruiming"
    assert "QuerySet" in row["data"]


@pytest.mark.row(26)
def test_finished_jobs_are_deleted_in_bulk_and_open_ones_stay(jobs: Client) -> None:
    done = start(jobs, query("cf_fiche"))
    advance(jobs, 30)
    waiting = start(jobs, query("cf_fiche"), StartDateTime="2999-01-01T00:00:00Z")
    sweep = start(jobs, query("asyncoperation", ("statecode", "Equal", [("3", "System.Int32")])))
    advance(jobs, 30)
    assert run_of(jobs, sweep)["successcount"] == 1
    assert {row["asyncoperationid"] for row in jobs.rows("asyncoperations")} == {waiting, sweep}
    careless = finished(jobs, query("asyncoperation"))
    assert (careless["successcount"], careless["failurecount"]) == (1, 2), "neither a waiting job nor the job itself"
    assert not jobs.exists("asyncoperations", done)


@pytest.mark.row(26)
def test_audit_rows_go_by_a_job_alone_and_that_is_logged(jobs: Client) -> None:
    jobs.control("POST", "reset", {"empty": True})
    contact = jobs.contact()
    jobs.send("PATCH", f"contacts({contact})", {"firstname": "Anders"})
    trail = jobs.rows(f"audits?$filter=_objectid_value eq {contact}")
    assert len(trail) == 2
    assert jobs.send("DELETE", f"audits({trail[0]['auditid']})").status_code == 405
    done = finished(jobs, query("audit", ("objectid", "Equal", [(contact, "System.Guid")])))
    assert (done["successcount"], done["failurecount"]) == (2, 0)
    assert jobs.rows(f"audits?$filter=_objectid_value eq {contact}") == []
    assert len(jobs.rows("audits?$filter=action eq 111")) == 1
