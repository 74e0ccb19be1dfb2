"""Recordings in storage outside the CRM, from the command line: applying, housekeeping, doctor."""

from __future__ import annotations

import stat
import threading
from datetime import date
from pathlib import Path

import pytest

from crm_compliance.service.scheduler import run_job
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist

RECENT = date(2026, 11, 1)
NAME = "Lotte Peeters (fictief).wav"


@pytest.fixture
def objects(typist: Typist, tmp_path: Path) -> Path:
    folder = tmp_path / "objects"
    folder.mkdir()
    typist.set(STORAGE_DIR=str(folder))
    return folder


def put(folder: Path, name: str) -> str:
    (folder / name).write_bytes(b"RIFF verzonnen")
    return (folder / name).as_uri()


def test_a_recording_goes_with_its_object(typist: Typist, org: Night, objects: Path) -> None:
    row = org.recording(LONG_AGO, cf_storageuri=put(objects, NAME))
    run = typist.ask("apply", typist.ask("plan")["plan"])
    assert (run["state"], run["deleted"], list(objects.iterdir())) == ("done", 1, [])
    assert org.get("cf_recordings", row) is None
    assert typist.ask("verify", run["run"])["still_there"] == []
    put(objects, NAME)
    assert typist.ask("verify", run["run"], code=6)["still_there"] == [{"table": "cf_recording", "id": row}]


def test_without_a_storage_folder_the_recording_waits(typist: Typist, org: Night, objects: Path) -> None:
    typist.unset("STORAGE_DIR")
    org.recording(LONG_AGO, cf_storageuri=put(objects, NAME))
    plan = typist.approve_first(typist.ask("plan")["plan"])
    said = typist.type("apply", plan, "--json")
    assert (said.code, said.document["skipped"]) == (6, {"SKIPPED_TECHNICAL": 1})
    assert "no setting reaches (file addresses)" in said.err
    assert "Peeters" not in said.err + said.out
    assert (objects / NAME).exists()


def test_housekeeping_with_nothing_lost_says_so(typist: Typist, org: Night, objects: Path) -> None:
    org.recording(RECENT, cf_storageuri=put(objects, NAME))
    found = typist.ask("run", "housekeeping")
    assert found.keys() >= {"run", "state", "objects", "rows_without_object", "expired_plans", "alarms", "files"}
    assert (found["state"], found["alarms"], found["files"]) == ("done", [], [])
    said = typist.type("run", "housekeeping")
    assert said.code == 0
    assert said.last.startswith("run ")


def test_housekeeping_names_lost_objects_in_a_private_file_and_nowhere_else(typist: Typist, org: Night, objects: Path) -> None:
    """ACC-05: an address can hold a name."""
    address = put(objects, NAME)
    row = org.recording(RECENT, cf_storageuri=(objects / "never.wav").as_uri())
    said = typist.type("run", "housekeeping", "--json")
    assert said.code == 6
    (file,) = (Path(name) for name in said.document["files"])
    assert file.read_text() == f"{address}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert said.document["objects"] == {"listed": 1, "recordings": 1, "without_row": 1, "rows_without_object": 1, "not_reached": 0}
    assert said.document["rows_without_object"] == [{"table": "cf_recording", "id": row}]
    assert {alarm["code"] for alarm in said.document["alarms"]} == {"OBJECTS_WITHOUT_ROW", "ROWS_WITHOUT_OBJECT"}
    shown = typist.type("run", "housekeeping")
    assert row in shown.out
    assert "Peeters" not in said.out + said.err + shown.out + shown.err
    assert typist.ask("ledger", "verify")["ok"]
    (objects / NAME).unlink()
    typist.ask("run", "housekeeping", code=6)
    assert not file.exists()


def test_the_scheduler_runs_a_round(typist: Typist, org: Night, objects: Path) -> None:
    put(objects, NAME)
    run_job(typist.settings, "housekeeping", threading.Event())
    assert (typist.settings.data_dir / "lost-objects.txt").exists()
    assert [entry.kind for entry in org.store.ledger.entries()][-1] == "housekeeping"


def test_doctor_looks_at_the_storage(typist: Typist, org: Night, objects: Path) -> None:
    def storage(code: int) -> dict[str, object]:
        checks: list[dict[str, object]] = typist.ask("doctor", code=code)["checks"]
        return next(check for check in checks if check["name"] == "storage")

    put(objects, NAME)
    assert (storage(0)["ok"], storage(0)["message"]) == (True, "files below the storage folder")
    typist.set(STORAGE_DIR=str(objects / "nowhere"))
    assert storage(2)["ok"] is False
    typist.unset("STORAGE_DIR")
    assert "no external storage configured" in str(storage(0)["message"])
