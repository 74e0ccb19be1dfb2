"""A full disk, folders that may not be written, a database that cannot be used or was edited."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import uuid
from pathlib import Path
from random import Random

import pytest

from crm_compliance.configuration.settings import environment_of
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist, without_first_look
from tests.integration.wrong_inputs.refusing import nothing_happens

pytestmark = pytest.mark.usefixtures("naps", "real_definitions")  # each of them may be refused


def test_a_full_disk_stores_nothing(typist: Typist, org: Night, tmp_path: Path) -> None:
    """A process that may only write files up to some size: first the database grows past it, then the
    report."""
    ids = Random(3)
    org.emulator.load(
        (
            "cf_fiche",
            {
                "cf_ficheid": str(uuid.UUID(int=ids.getrandbits(128), version=4)),
                "cf_categories": "100000000",
                "statecode": 0,
                "statuscode": 1,
                "cf_communicatedon": "2026-11-01T11:00:00Z",
                "createdon": "2026-11-01T11:00:00Z",
            },
        )
        for _ in range(20_000)
    )
    file = tmp_path / "plan.jsonl"
    file.write_text("old\n", encoding="utf-8")
    before = org.emulator.stats()["operations"]
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'small.db'}", "DATA_DIR": str(tmp_path / "small")}
    settings = {"CRM_URL": org.emulator.url, "CRM_TOKEN": TOKEN, **database}

    def plan(limit: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "crm_compliance", "plan", "--output", str(file)]
        return subprocess.run(
            command,
            env=environment_of(settings),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )

    store = plan(300_000)  # the tables fit, the plan does not
    assert (store.returncode, store.stdout) == (2, ""), store.stderr
    assert "Traceback" not in store.stderr
    typist.set(**database)
    assert typist.ask("plans", "list") == []
    report = plan(2_000_000)  # the plan fits, the file of 20,000 lines does not
    assert report.returncode == 2, report.stderr
    assert "plan.jsonl" in report.stderr
    assert len(typist.ask("plans", "list")) == 1
    assert file.read_text(encoding="utf-8") == "old\n"
    assert not list(tmp_path.glob("*.part"))
    after = org.emulator.stats()["operations"]
    assert [after[kind] - before[kind] for kind in ("create", "update", "delete")] == [0, 0, 0]


def test_a_data_folder_that_cannot_be_made(typist: Typist, org: Night, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    typist.set(DATA_DIR=str(tmp_path / "file"))
    for command in ("plan", "plans list", "history list", "ledger verify"):
        assert nothing_happens(org, typist, 2, *command.split())["code"] == "disk"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_may_not_be_written(typist: Typist, org: Night, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    typist.set(DATA_DIR=str(folder / "data"))
    assert nothing_happens(org, typist, 2, "plan")["code"] == "disk"


def test_a_database_that_cannot_be_used(typist: Typist, org: Night, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    for url in (f"sqlite:///{broken}", "sqlite:///:memory:", "mysql://host/x", "postgresql://user:geheim@127.0.0.1:9/x", "nonsense"):
        typist.set(DATABASE_URL=url)
        error = nothing_happens(org, typist, 2, "plans", "list")
        assert "geheim" not in str(error)
        assert error["hint"]


def test_the_data_folder_is_the_owners_alone(typist: Typist, org: Night) -> None:
    typist.ask("plan")
    folder = typist.folder / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_ledger_that_was_edited_in_the_store_is_found(typist: Typist, org: Night) -> None:
    """The store refuses to change an entry; whoever takes its triggers away is found by the chain."""
    import sqlite3

    without_first_look(typist)
    typist.ask("run", "recordings")
    with sqlite3.connect(typist.folder / "data" / "state.db") as database:
        with pytest.raises(sqlite3.DatabaseError):
            database.execute("UPDATE ledger SET kind = 'x' WHERE seq = 2")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE ledger SET kind = 'x' WHERE seq = 2")
    database.close()
    said = typist.type("ledger", "verify", "--json")
    assert (said.code, said.document["first_broken"]) == (7, 2)
    doctor = typist.type("doctor", "--json")
    assert doctor.code == 7
    assert [check["name"] for check in doctor.document["checks"] if not check["ok"]] == ["store"]
