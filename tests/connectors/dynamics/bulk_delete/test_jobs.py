"""Bulk-delete jobs by the real client, against the emulator. The emulator's clock goes on by what the
client sleeps and by nothing else."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.bulk_delete.deletes import BulkDelete
from connectors.dynamics.bulk_delete.jobs import PAGE, PAIRS, PREFIX, Jobs
from connectors.dynamics.connector import DynamicsConnector, connect
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.errors import ConnectorError
from connectors.interface.rows import Among
from rules.model.bypass import Bypass
from rules.model.records import Note, Record, Recording
from tests.connectors.emulator.client import stand_still
from tests.known_definitions import KNOWN

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

TOKEN = "t"
ENVIRONMENT = Path(str(files("connectors.emulator.schema") / "environment.yaml"))
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DONE, CHANGED, HELD, REFUSED, UNKNOWN = (ChangeStatus[name] for name in ("DONE", "CHANGED", "HELD", "REFUSED", "UNKNOWN"))
Statuses = dict[str, ChangeStatus]


class Crm:
    """The emulator with one dossier, one fiche and recordings on it, and the client under test."""

    def __init__(self, emulator: RunningEmulator, mode: BulkDelete = BulkDelete.ALWAYS, mapping: str | None = None) -> None:
        self.emulator = emulator
        stand_still(emulator)
        self.http = requests.Session()
        self.http.headers.update({"Authorization": f"Bearer {TOKEN}", "OData-Version": "4.0", "Accept": "application/json"})
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None
        self.connector: DynamicsConnector = connect(
            url=emulator.url,
            tokens=StaticToken(TOKEN, emulator.url),
            mapping_text=mapping or REFERENCE.read_text("utf-8"),
            mapping_source="test.yaml",
            sleep=self.sleep,
            bulk_delete=mode,
        )
        self.dossier, self.fiche = str(uuid.uuid4()), str(uuid.uuid4())
        emulator.load([("cf_dossier", {"cf_dossierid": self.dossier, "cf_name": "D", **COMMON})])
        emulator.load([("cf_fiche", {"cf_ficheid": self.fiche, "cf_name": "F", "cf_dossierid": self.dossier, **COMMON})])

    def close(self) -> None:
        self.connector.close()
        self.http.close()

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.control("clock", {"advance_s": seconds})
        self.on_sleep()

    def control(self, what: str, document: Any) -> None:
        answer = self.http.put(f"{self.emulator.root}/_emulator/{what}", json=document)
        assert answer.status_code in (200, 204), answer.text

    def faults(self, *rules: dict[str, Any]) -> None:
        self.control("faults", list(rules))

    def recordings(self, number: int, *, fiche: bool = True) -> list[str]:
        ids = [str(uuid.uuid4()) for _ in range(number)]
        link = {"cf_ficheid": self.fiche} if fiche else {}
        self.emulator.load([("cf_recording", {"cf_recordingid": each, "cf_name": "R", **link, **COMMON}) for each in ids])
        return ids

    def notes(self, number: int, table: str, row: str) -> list[str]:
        ids = [str(uuid.uuid4()) for _ in range(number)]
        for each in ids:
            self.http.post(
                f"{self.emulator.url}annotations",
                json={"annotationid": each, "subject": "n", f"objectid_{table}@odata.bind": f"/{table}s({row})"},
            ).raise_for_status()
        return ids

    def change_sets(self, record: type[Record], ids: Sequence[str]) -> list[ChangeSet]:
        versions = {row.id: row.etag for page in self.connector.read(record, (), among=Among("id", ids)) for row in page}
        return [ChangeSet(each, (Operation(OperationKind.DELETE, record, each, versions[each]),)) for each in ids]

    def delete(self, ids: Sequence[str], record: type[Record] = Recording) -> Statuses:
        return statuses(self.connector.change(self.change_sets(record, ids)))

    def patch(self, set_name: str, row: str, **columns: Any) -> None:
        self.http.patch(f"{self.emulator.url}{set_name}({row})", json=columns, headers={"If-Match": "*"}).raise_for_status()

    def rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.http.get(self.emulator.url + path)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["value"]
        return found

    def left(self) -> set[str]:
        return {row["cf_recordingid"] for row in self.rows("cf_recordings?$select=cf_recordingid")}

    @property
    def job_rows(self) -> int:
        return sum(len(self.rows(name)) for name in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures"))


COMMON = {"createdon": "2018-03-01T11:00:00Z", "statecode": 0, "statuscode": 1}


def statuses(results: Sequence[ChangeResult]) -> Statuses:
    return {result.key: result.status for result in results}


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with running(token=TOKEN, limits=False) as started, KNOWN.of(started, TOKEN):
        yield started


@pytest.fixture
def make(emulator: RunningEmulator) -> Iterator[Callable[..., Crm]]:
    made: list[Crm] = []

    def one(mode: BulkDelete = BulkDelete.ALWAYS, mapping: str | None = None) -> Crm:
        made.append(Crm(emulator, mode, mapping))
        return made[-1]

    yield one
    for crm in made:
        crm.close()


@pytest.fixture
def crm(make: Callable[..., Crm]) -> Crm:
    found = make()
    found.control("switches", {"bulk_delete_queue_s": 5.0, "bulk_delete_run_s": 5.0})
    return found


def batches(crm: Crm) -> int:
    return int(crm.emulator.stats()["batches"])


# -- a job ---------------------------------------------------------------------------------------------------


def test_rows_go_by_one_job_of_exact_versions_and_nothing_of_it_stays(crm: Crm) -> None:
    ids, others = crm.recordings(PAIRS + 60), crm.recordings(3)
    orphan = crm.recordings(1, fiche=False)
    before = batches(crm)
    assert set(crm.delete([*ids, *orphan]).values()) == {DONE}
    assert batches(crm) == before
    assert crm.left() == set(others)
    assert crm.job_rows == 0
    assert crm.connector.warnings == []


def test_rows_that_pass_by_custom_logic_go_in_batches_for_no_job_can(crm: Crm) -> None:
    ids = crm.recordings(PAIRS + 60)
    wanted = crm.change_sets(Recording, ids)
    passing = frozenset({Bypass.PLUGINS})
    wanted[:60] = [ChangeSet(one.key, (replace(one.operations[0], bypass=passing),)) for one in wanted[:60]]
    refused = {"table": "cf_recording", "message": "Delete", "do": "refuse", "text": "Niet verwijderen (fictief)."}
    crm.control("plugins", [refused])
    before = batches(crm)
    found = statuses(crm.connector.change(wanted))
    assert [found[each] for each in ids] == [DONE] * 60 + [ChangeStatus.REFUSED] * PAIRS
    assert batches(crm) > before
    assert crm.left() == {*ids[60:]}


def test_what_a_job_keeps_are_ids_and_versions_only(crm: Crm) -> None:
    """GDPR: the rows of a job survive the rows that it deletes (reference, 6.2)."""
    kept: list[dict[str, Any]] = []

    def look() -> None:
        kept.extend([*crm.rows("asyncoperations"), *crm.rows("bulkdeleteoperations")])

    crm.on_sleep = look
    crm.emulator.load([("cf_recording", {"cf_recordingid": str(uuid.uuid4()), "cf_callernumber": "0470123456", **COMMON, "cf_name": "x"})])
    ids = [*crm.left()]
    assert crm.delete(ids) == {ids[0]: DONE}
    assert {bool(re.fullmatch(re.escape(PREFIX) + GUID.pattern, row["name"])) for row in kept} == {True}
    given = json.loads(kept[0]["data"])
    values: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            values.extend([node["Value"]] if "Value" in node else [])
            for each in node.values():
                collect(each)
        elif isinstance(node, list):
            for each in node:
                collect(each)

    collect(given["QuerySet"])
    assert values
    assert all(value == "false" or value.isdigit() or GUID.fullmatch(value) for value in values)
    assert "0470" not in GUID.sub("", json.dumps(kept))  # four digits may stand in an id
    assert given["SendEmailNotification"] is False
    assert given["RecurrencePattern"] == ""
    assert given["Options"] == {"CanRecoverDeletedRecords": False}


def test_attachments_of_a_fiche_go_by_a_job_and_other_notes_in_a_batch(crm: Crm) -> None:
    """The way from a note to a dossier's hold leads over its fiche; where it does not, the job leaves it
    alone."""
    on_fiche, on_dossier = crm.notes(3, "cf_fiche", crm.fiche), crm.notes(1, "cf_dossier", crm.dossier)
    before = batches(crm)
    assert set(crm.delete([*on_fiche, *on_dossier], Note).values()) == {DONE}
    assert batches(crm) == before + 1
    assert crm.rows("annotations") == []


def test_on_premises_jobs_say_nothing_about_a_recycle_bin() -> None:
    with running(token=TOKEN, limits=False, profile="onprem") as emulator:
        crm = Crm(emulator)
        kept: list[dict[str, Any]] = []
        crm.on_sleep = lambda: kept.extend(crm.rows("asyncoperations"))
        assert set(crm.delete(crm.recordings(3)).values()) == {DONE}
        assert "Options" not in json.loads(kept[0]["data"])
        crm.close()


# -- what a job must not take --------------------------------------------------------------------------------


def on_first_sleep(crm: Crm, act: Callable[[], object]) -> None:
    """While the job waits for its start: after our look."""

    def once() -> None:
        crm.on_sleep = lambda: None
        act()

    crm.on_sleep = once


def test_a_row_that_changes_before_the_job_runs_stays(crm: Crm) -> None:
    ids = crm.recordings(4)
    on_first_sleep(crm, lambda: crm.patch("cf_recordings", ids[0], cf_evidence=True))
    assert crm.delete(ids) == {ids[0]: CHANGED, **dict.fromkeys(ids[1:], DONE)}
    assert crm.left() == {ids[0]}
    assert crm.job_rows == 0


def test_a_row_that_had_changed_or_gone_before_our_look_is_not_in_the_job(crm: Crm) -> None:
    ids = crm.recordings(4)
    change_sets = crm.change_sets(Recording, ids)
    crm.patch("cf_recordings", ids[0], cf_evidence=True)
    crm.http.delete(f"{crm.emulator.url}cf_recordings({ids[1]})").raise_for_status()
    found = statuses(crm.connector.change(change_sets))
    assert found == {ids[0]: CHANGED, ids[1]: CHANGED, ids[2]: DONE, ids[3]: DONE}


@pytest.mark.parametrize("moved", [False, True], ids=["hold", "fiche moved under a hold"])
def test_a_hold_that_appears_before_the_job_runs_wins(crm: Crm, moved: bool) -> None:
    """HLD-07: it changes no version of the recording, so the job itself asks for it, and so does the batch
    that would follow."""
    ids, orphans = crm.recordings(3), crm.recordings(2, fiche=False)
    if moved:
        other = str(uuid.uuid4())
        crm.emulator.load([("cf_dossier", {"cf_dossierid": other, "cf_name": "D", "cf_legalhold": True, **COMMON})])
        on_first_sleep(crm, lambda: crm.patch("cf_fiches", crm.fiche, **{"cf_DossierId@odata.bind": f"/cf_dossiers({other})"}))
    else:
        on_first_sleep(crm, lambda: crm.patch("cf_dossiers", crm.dossier, cf_legalhold=True))
    assert crm.delete([*ids, *orphans]) == {**dict.fromkeys(ids, HELD), **dict.fromkeys(orphans, DONE)}
    assert crm.left() == set(ids)


def test_a_hold_that_is_lifted_again_does_not_stand_in_the_way(crm: Crm) -> None:
    crm.patch("cf_dossiers", crm.dossier, cf_legalhold=False)
    ids = crm.recordings(3)
    assert set(crm.delete(ids).values()) == {DONE}


def test_a_hold_on_the_dossier_of_attachments_wins(crm: Crm) -> None:
    notes = crm.notes(2, "cf_fiche", crm.fiche)
    on_first_sleep(crm, lambda: crm.patch("cf_dossiers", crm.dossier, cf_legalhold=True))
    assert crm.delete(notes, Note) == dict.fromkeys(notes, HELD)
    assert len(crm.rows("annotations")) == 2


@pytest.mark.parametrize("failing", [2, PAGE + 2], ids=["few", "more than a page"])
def test_rows_that_the_crm_cannot_delete_are_refused_with_its_code(tmp_path: Path, failing: int) -> None:
    """ "Succeeded" does not mean that nothing failed: here a child row restricts the delete of its
    recording."""
    text = ENVIRONMENT.read_text("utf-8")
    column = "      cf_donationid: {type: guid, key: true}\n"
    text = text.replace(column, column + "      cf_recordingid: {type: lookup cf_recording, schema_name: cf_RecordingId}\n")
    relationship = "{name: cf_recording_donations, parent: cf_recording, child: cf_donation, column: cf_recordingid, on_delete: restrict}"
    path = tmp_path / "environment.yaml"
    path.write_text(text.replace("\nrelationships:", f"\nrelationships:\n  - {relationship}\n#", 1), encoding="utf-8")
    with running(token=TOKEN, limits=False, environment=path) as emulator:
        crm = Crm(emulator)
        ids = crm.recordings(failing + 3)
        emulator.load([("cf_donation", {"cf_donationid": str(uuid.uuid4()), "cf_recordingid": each, **COMMON}) for each in ids[:failing]])
        results = crm.connector.change(crm.change_sets(Recording, ids))
        assert statuses(results) == {**dict.fromkeys(ids[:failing], REFUSED), **dict.fromkeys(ids[failing:], DONE)}
        assert {result.service_code for result in results[:failing]} == {"0x80040227"}
        assert crm.left() == set(ids[:failing])
        assert crm.job_rows == 0
        crm.close()


# -- when answers are lost or refused ------------------------------------------------------------------------


def fault(method: str, path: str, do: str, **more: Any) -> dict[str, Any]:
    return {"match": {"method": method, "path": path, "nth": 1}, "times": 1, "do": do, **more}


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


# -- jobs of before ------------------------------------------------------------------------------------------


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


# -- when there are jobs at all ------------------------------------------------------------------------------


def give(crm: Crm, **privileges: str) -> None:
    user = crm.connector.whoami()
    needed = {f"prv{access}{name}": "Global" for name in ("cf_recording", "cf_fiche", "cf_dossier") for access in ("Read", "Delete")}
    common = {"prvReadEntity": "Global", "prvReadAttribute": "Global", "prvReadRelationship": "Global", "prvReadOptionSet": "Global"}
    answer = crm.http.put(
        f"{crm.emulator.root}/_emulator/privileges", json={"user": user, "set": {**common, **needed, "prvReadUser": "Basic", **privileges}}
    )
    assert answer.status_code == 200, answer.text


def test_without_the_privileges_there_are_no_jobs_and_the_reason_is_told(crm: Crm) -> None:
    ids = crm.recordings(3)
    give(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    capability = crm.connector.deleting.capability()
    assert not capability.available
    assert "prvBulkDelete" in capability.reason
    assert "AsyncOperation" in capability.reason
    assert crm.connector.warnings == []
    crm.connector.reconcile_earlier()


def test_the_optional_privileges_are_enough_for_a_job(crm: Crm) -> None:
    ids = crm.recordings(3)
    tables = crm.http.get(
        f"{crm.emulator.url}EntityDefinitions?$select=LogicalName,Privileges"
        "&$filter=LogicalName eq 'asyncoperation' or LogicalName eq 'bulkdeleteoperation' or LogicalName eq 'bulkdeletefailure'"
    ).json()["value"]
    named = {(table["LogicalName"], each["PrivilegeType"]): each["Name"] for table in tables for each in table["Privileges"]}
    wanted = [
        *[named["asyncoperation", access] for access in ("Read", "Write", "Delete")],
        *[named["bulkdeleteoperation", access] for access in ("Read", "Delete")],
        named["bulkdeletefailure", "Read"],
    ]
    give(crm, prvBulkDelete="Global", **dict.fromkeys(wanted, "Global"))
    before = batches(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    assert batches(crm) == before


def test_switched_off_there_are_no_jobs(make: Callable[..., Crm]) -> None:
    crm = make(BulkDelete.OFF)
    before = batches(crm)
    assert set(crm.delete(crm.recordings(3)).values()) == {DONE}
    assert batches(crm) == before + 1
    assert crm.connector.group_size(Recording, 5_000, 100) == 100


def test_where_batches_are_quick_no_job_is_tried(make: Callable[..., Crm]) -> None:
    """A first hundred goes in a batch and is measured; then both ways are compared."""
    crm = make(BulkDelete.AUTO)
    assert crm.connector.group_size(Recording, 100, 100) == 100
    assert crm.connector.group_size(Recording, 700, 100) == 1_000
    ids = crm.recordings(700)
    before = batches(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    assert batches(crm) > before
    assert crm.connector.deleting.crossover.is_measured
    assert crm.connector.group_size(Recording, 700, 100) == 100, "small groups again: their holds are looked up more often"


def test_where_batches_are_slow_the_rest_goes_by_a_job(make: Callable[..., Crm]) -> None:
    crm = make(BulkDelete.AUTO)
    ids = crm.recordings(650)
    crm.connector.deleting.crossover.saw_batches(100, 100.0)
    before = batches(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    assert batches(crm) == before
    assert crm.left() == set()


def test_sets_of_several_rows_never_go_by_a_job(crm: Crm) -> None:
    first, second, third = crm.recordings(3)
    one, two, three = crm.change_sets(Recording, [first, second, third])
    both = ChangeSet("both", one.operations + two.operations)
    before = batches(crm)
    results = crm.connector.change([both, three])
    assert [(result.key, result.status) for result in results] == [("both", DONE), (third, DONE)]
    assert batches(crm) == before + 1


def test_a_mapping_without_holds_needs_no_guard(make: Callable[..., Crm]) -> None:
    text = REFERENCE.read_text("utf-8")
    text = text.replace("      legal_hold: cf_legalhold\n", "").replace(
        "  dossier:\n    table: cf_dossier\n", "  dossier:\n    table: cf_dossier\n    without: [legal_hold]\n"
    )
    crm = make(mapping=text)
    before = batches(crm)
    assert set(crm.delete(crm.recordings(3)).values()) == {DONE}
    assert batches(crm) == before
