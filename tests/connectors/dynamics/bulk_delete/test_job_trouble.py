"""A job that is lost, refused, throttled, removed or not to be believed: rows go in batches then, and no
hold is overlooked."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from connectors.dynamics.bulk_delete.jobs import Jobs
from rules.model.records import Recording
from tests.connectors.dynamics.bulk_delete.by_jobs import DONE, HELD, UNKNOWN, Crm, batches, fault, statuses

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


def test_a_job_whose_answer_is_lost_is_found_by_its_name(crm: Crm) -> None:
    ids = crm.recordings(3)
    crm.faults(fault("POST", "BulkDelete", "cut_after"))
    assert set(crm.delete(ids).values()) == {DONE}
    assert crm.job_rows == 0


def test_a_request_that_never_came_through_leaves_everything_unknown_and_then_goes_in_batches(crm: Crm) -> None:
    ids = crm.recordings(3)
    change_sets = crm.change_sets(Recording, ids)
    crm.faults(fault("POST", "BulkDelete", "cut_before"))
    assert set(statuses(crm.connector.change(change_sets)).values()) == {UNKNOWN}
    assert crm.left() == set(ids)
    before = batches(crm)
    assert set(statuses(crm.connector.change(change_sets)).values()) == {DONE}
    assert batches(crm) == before + 1, "a row is never in two jobs"


def test_a_hold_set_after_an_unknown_job_wins_over_the_batch_that_follows(crm: Crm) -> None:
    ids = crm.recordings(3)
    change_sets = crm.change_sets(Recording, ids)
    crm.faults(fault("POST", "BulkDelete", "cut_before"))
    crm.connector.change(change_sets)
    crm.patch("cf_dossiers", crm.dossier, cf_legalhold=True)
    assert set(statuses(crm.connector.change(change_sets)).values()) == {HELD}


def test_a_throttled_job_is_sent_again(crm: Crm) -> None:
    ids = crm.recordings(3)
    crm.faults(fault("POST", "BulkDelete", "status", status=429, retry_after=7))
    assert set(crm.delete(ids).values()) == {DONE}
    assert 7.0 in crm.sleeps


def test_hld07_what_comes_under_a_hold_of_the_product_while_a_job_has_to_wait_stays(crm: Crm) -> None:
    ids = crm.recordings(3)
    change_sets, covered = crm.change_sets(Recording, ids), set[str]()
    crm.faults(fault("POST", "BulkDelete", "status", status=429, retry_after=7))
    crm.on_sleep = lambda: covered.add(change_sets[0].key)
    results = crm.connector.change(change_sets, lambda keys: covered & set(keys))
    assert [result.status for result in results] == [HELD, DONE, DONE]
    assert (crm.left(), crm.sleeps) == ({ids[0]}, [7.0]), "no job that has to be followed"


@pytest.mark.parametrize("status", [400, 403, 501])
def test_a_job_that_is_refused_means_batches_from_then_on(crm: Crm, status: int) -> None:
    first, second = crm.recordings(3), crm.recordings(3)
    crm.faults(fault("POST", "BulkDelete", "status", status=status))
    assert set(crm.delete(first).values()) == {DONE}
    before = batches(crm)
    assert set(crm.delete(second).values()) == {DONE}
    assert batches(crm) == before + 1
    assert len(crm.connector.warnings) == 1
    assert "no further bulk delete is tried" in crm.connector.warnings[0]


def test_following_outlives_throttling_and_a_broken_line(crm: Crm) -> None:
    ids = crm.recordings(3)
    cut = {"match": {"method": "GET", "path": "asyncoperations(", "nth": 2}, "times": 1, "do": "cut_before"}
    crm.faults(fault("GET", "asyncoperations(", "status", status=429, retry_after=3), cut)
    assert set(crm.delete(ids).values()) == {DONE}
    assert 3.0 in crm.sleeps
    assert crm.connector.stats.retries == 2
    assert crm.job_rows == 0


def test_a_job_that_does_not_start_is_cancelled_and_its_rows_go_in_batches(crm: Crm) -> None:
    crm.control("switches", {"bulk_delete_queue_s": 86_400.0})
    ids = crm.recordings(3)
    assert set(crm.delete(ids).values()) == {DONE}
    assert crm.left() == set()
    assert crm.job_rows == 0


def test_the_end_of_the_service_is_not_kept_waiting_by_a_job(crm: Crm) -> None:
    """It is cancelled, and what became of its rows is known, before the run ends at its next step."""
    crm.control("switches", {"bulk_delete_queue_s": 86_400.0})
    ids = crm.recordings(3)

    def watch() -> None:
        if crm.sleeps:
            raise RuntimeError("the service is being stopped")

    with crm.connector.watched(watch):
        assert set(crm.delete(ids).values()) == {DONE}
    assert (crm.left(), crm.job_rows, sum(crm.sleeps) < 60) == (set(), 0, True)


def test_a_job_that_somebody_removes_is_over(crm: Crm) -> None:
    ids = crm.recordings(3)

    def meddle() -> None:
        for job in crm.rows("asyncoperations?$filter=statecode eq 3"):
            crm.http.delete(f"{crm.emulator.url}asyncoperations({job['asyncoperationid']})")

    crm.on_sleep = meddle
    assert set(crm.delete(ids).values()) == {DONE}


def test_what_cannot_be_removed_becomes_a_warning(crm: Crm) -> None:
    ids = crm.recordings(3)
    crm.faults({"match": {"method": "DELETE", "path": "asyncoperations"}, "do": "status", "status": 403})
    assert set(crm.delete(ids).values()) == {DONE}
    assert len(crm.connector.warnings) == 1
    assert "could not be removed" in crm.connector.warnings[0]
    assert crm.job_rows == 2


def test_counts_that_contradict_what_is_there_are_told_and_not_believed(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = crm.recordings(3)
    real = Jobs.report

    def boasting(self: Jobs, job: str) -> Any:
        return dataclasses.replace(real(self, job), succeeded=9)

    monkeypatch.setattr(Jobs, "report", boasting)
    assert set(crm.delete(ids).values()) == {DONE}
    assert "tells of 9 deleted rows where 3 of 3 are gone" in crm.connector.warnings[0]
