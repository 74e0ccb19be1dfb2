"""Jobs that a process before has left: followed, removed, or waited for before anything else is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.transport import Transport
from connectors.interface.errors import ConnectorError, ReadIncomplete
from rules.model.records import Recording
from tests.connectors.dynamics.bulk_delete.by_jobs import DONE, UNKNOWN, Crm, statuses

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


def leave_a_job(crm: Crm, ids: Sequence[str]) -> None:
    """Start a job as a process does that is killed right after."""

    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    crm.on_sleep = kill
    with pytest.raises(Killed):
        crm.delete(ids)
    crm.on_sleep = lambda: None


def test_a_running_job_of_a_killed_process_is_followed_and_a_completed_one_removed(crm: Crm, make: Callable[..., Crm]) -> None:
    ids = crm.recordings(3)
    leave_a_job(crm, ids)
    assert (crm.left(), crm.job_rows) == (set(ids), 1)
    later = make()
    later.connector.reconcile_earlier()
    assert crm.left() == set()
    assert crm.job_rows == 0


def test_what_another_program_has_started_is_left_alone(crm: Crm) -> None:
    query = {
        "@odata.type": "Microsoft.Dynamics.CRM.QueryExpression",
        "EntityName": "account",
        "Criteria": {"FilterOperator": "And", "Conditions": [], "Filters": []},
    }
    body = {"QuerySet": [query], "JobName": "opruiming", "SendEmailNotification": False, "ToRecipients": [], "CCRecipients": []}
    crm.http.post(f"{crm.emulator.url}BulkDelete", json={**body, "RecurrencePattern": ""}).raise_for_status()
    crm.sleep(60)
    crm.connector.reconcile_earlier()
    assert [row["name"] for row in crm.rows("asyncoperations")] == ["opruiming"]


@pytest.mark.parametrize("following", ["asyncoperations?$skiptoken=1", 7])
def test_a_list_of_jobs_without_an_end_is_not_followed_for_ever(crm: Crm, monkeypatch: pytest.MonkeyPatch, following: object) -> None:
    page = json.dumps({"value": [], "@odata.nextLink": following}).encode()
    monkeypatch.setattr(Transport, "get", lambda *_, **__: Answer(200, {}, page, "r"))
    with pytest.raises(ReadIncomplete, match="rows about jobs"):
        crm.connector.reconcile_earlier()


def test_a_job_that_may_no_longer_be_seen_stops_the_next_write(crm: Crm) -> None:
    """A role that is changed in mid-run; who never might has started none."""
    crm.control("switches", {"bulk_delete_queue_s": 86_400.0})
    change_sets = crm.change_sets(Recording, crm.recordings(3))
    crm.faults({"match": {"method": "GET", "path": "asyncoperations"}, "do": "status", "status": 403})
    assert set(statuses(crm.connector.change(change_sets)).values()) == {UNKNOWN}
    with pytest.raises(ConnectorError):
        crm.connector.change(change_sets)
    assert len(crm.left()) == 3


def test_a_job_that_never_ends_stops_the_next_write(crm: Crm) -> None:
    crm.control("switches", {"bulk_delete_queue_s": 86_400.0})
    ids = crm.recordings(3)
    change_sets = crm.change_sets(Recording, ids)
    crm.faults({"match": {"method": "PATCH", "path": "asyncoperations"}, "do": "status", "status": 403})
    assert set(statuses(crm.connector.change(change_sets)).values()) == {UNKNOWN}
    with pytest.raises(ConnectorError, match="has not ended"):
        crm.connector.change(change_sets)
    assert crm.left() == set(ids)
    crm.faults()
    assert set(statuses(crm.connector.change(change_sets)).values()) == {DONE}
