"""Options of a bulk delete, and the privileges that it takes."""

import pytest

from tests.connectors.emulator.bulk_deletes import advance, body, finished, one, query, run_of, start, state
from tests.connectors.emulator.client import Client
from tests.web_api import error_of


def binned(crm: Client, fiche: str) -> int:
    return len(crm.rows(f"deleteditemreferences?$filter=_deletedobject_value eq {fiche}"))


@pytest.mark.row(25)
def test_a_job_may_decline_the_recycle_bin(jobs: Client) -> None:
    jobs.control("PUT", "switches", {"recycle_bin_days": 30})
    first, second, third = jobs.fiche(), jobs.fiche(), jobs.fiche()
    finished(jobs, one("cf_fiche", first))
    finished(jobs, one("cf_fiche", second), Options={"CanRecoverDeletedRecords": False})
    finished(jobs, one("cf_fiche", third), Options={"CanRecoverDeletedRecords": True})
    assert [binned(jobs, fiche) for fiche in (first, second, third)] == [1, 0, 1]


@pytest.mark.row(25)
def test_the_fast_delete_of_sandboxes_is_ignored_elsewhere(jobs: Client) -> None:
    jobs.control("PUT", "switches", {"recycle_bin_days": 30})
    first, second = jobs.fiche(), jobs.fiche()
    finished(jobs, one("cf_fiche", first), Options={"RunJobForSandbox": True})
    jobs.control("PUT", "switches", {"sandbox": True})
    finished(jobs, one("cf_fiche", second), Options={"RunJobForSandbox": True})
    assert (binned(jobs, first), binned(jobs, second)) == (1, 0)


@pytest.mark.row(25)
def test_custom_logic_refuses_a_row_but_not_the_fast_delete_of_a_sandbox(jobs: Client) -> None:
    fiche = jobs.fiche()
    jobs.control("PUT", "plugins", [{"table": "cf_fiche", "message": "Delete", "do": "refuse", "text": "Bewaren."}])
    done = finished(jobs, one("cf_fiche", fiche), Options={"RunJobForSandbox": True})
    assert (done["successcount"], done["failurecount"]) == (0, 1)
    assert jobs.rows("bulkdeletefailures")[0]["errordescription"] == "Bewaren."
    jobs.control("PUT", "switches", {"sandbox": True})
    assert finished(jobs, one("cf_fiche", fiche), Options={"RunJobForSandbox": True})["successcount"] == 1


@pytest.mark.row(25)
def test_rows_in_the_recycle_bin_are_purged_by_their_source(jobs: Client) -> None:
    jobs.control("PUT", "switches", {"recycle_bin_days": 30})
    fiche = jobs.fiche()
    jobs.send("DELETE", f"cf_fiches({fiche})")
    assert binned(jobs, fiche) == 1
    assert finished(jobs, one("cf_fiche", fiche, DataSource="bin"))["successcount"] == 1
    assert binned(jobs, fiche) == 0


# -- privileges ----------------------------------------------------------------------------------------------

FICHES = {"prvReadcf_fiche": "Global", "prvDeletecf_fiche": "Global"}
FOLLOWS = {f"prvRead{name}": "Global" for name in ("AsyncOperation", "BulkDeleteOperation", "BulkDeleteFailure")}
ERASER = {"prvBulkDelete": "Global", **FICHES, **FOLLOWS}


@pytest.mark.row(24, 30)
@pytest.mark.parametrize("missing", ["prvBulkDelete", "prvReadcf_fiche", "prvDeletecf_fiche"])
def test_a_job_takes_three_privileges(jobs: Client, missing: str) -> None:
    lesser = jobs.application("lesser", {name: depth for name, depth in ERASER.items() if name != missing})
    answer = lesser.send("POST", "BulkDelete", body(query("cf_fiche")))
    assert error_of(answer) == (403, "0x80040220")
    assert missing in answer.json()["error"]["message"]
    assert jobs.application("eraser", ERASER).send("POST", "BulkDelete", body(query("cf_fiche"))).status_code == 200


@pytest.mark.row(24, 30)
def test_a_row_that_the_caller_may_not_delete_is_a_failure_and_one_it_may_not_see_is_none(jobs: Client) -> None:
    fiche = jobs.fiche()
    job = start(jobs.application("eraser", {**ERASER, "prvDeletecf_fiche": "Basic"}), query("cf_fiche"))
    advance(jobs, 30)
    assert (run_of(jobs, job)["successcount"], run_of(jobs, job)["failurecount"]) == (0, 1)
    (failure,) = jobs.rows(f"bulkdeletefailures?$filter=_asyncoperationid_value eq {job}")
    assert failure["errornumber"] == -2147187962
    job = start(jobs.application("eraser", {**ERASER, "prvReadcf_fiche": "Basic"}), query("cf_fiche"))
    advance(jobs, 30)
    assert (run_of(jobs, job)["successcount"], run_of(jobs, job)["failurecount"]) == (0, 0)
    assert jobs.exists("cf_fiches", fiche)


@pytest.mark.row(24, 30)
def test_a_job_whose_owner_has_lost_the_privilege_fails(jobs: Client) -> None:
    fiche = jobs.fiche()
    job = start(jobs.application("eraser", ERASER), query("cf_fiche"))
    jobs.application("eraser", {**FICHES, **FOLLOWS})
    advance(jobs, 30)
    assert state(jobs, job) == (3, 31)
    row = jobs.row(f"asyncoperations({job})")
    assert row["errorcode"] == -2147220960
    assert "prvBulkDelete" in row["message"]
    assert jobs.exists("cf_fiches", fiche)
