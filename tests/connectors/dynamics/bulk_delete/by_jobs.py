"""A client whose writes go by jobs of the CRM. The emulator's clock goes on by what the client sleeps and by
nothing else."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.bulk_delete.deletes import BulkDelete
from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.rows import Among
from rules.model.records import Record, Recording
from tests.connectors.emulator.client import stand_still
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN

DONE, CHANGED, HELD, REFUSED, UNKNOWN = (ChangeStatus[name] for name in ("DONE", "CHANGED", "HELD", "REFUSED", "UNKNOWN"))
TOKEN = "t"
ENVIRONMENT = Path(str(files("connectors.emulator.schema") / "environment.yaml"))
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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


def on_first_sleep(crm: Crm, act: Callable[[], object]) -> None:
    """While the job waits for its start: after our look."""

    def once() -> None:
        crm.on_sleep = lambda: None
        act()

    crm.on_sleep = once


def fault(method: str, path: str, do: str, **more: Any) -> dict[str, Any]:
    return {"match": {"method": method, "path": path, "nth": 1}, "times": 1, "do": do, **more}
