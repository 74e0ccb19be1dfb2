"""The disk takes nothing more: pages are still read, each act says so, and nothing is half done."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import DiskProblem
from crm_compliance.service import health
from crm_compliance.service.health import disk_not_well
from crm_compliance.store.sql.database import Database
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night

Signed = Callable[..., Browser]


def nothing_more() -> None:
    raise DiskProblem("the disk of the database is full", hint="make room and repeat; nothing was half-written")


def test_pages_are_read_and_each_act_says_that_there_is_no_room(
    org: Night, plan: str, signed_in: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    dpo = signed_in(Role.DPO)
    token = dpo.token
    with monkeypatch.context() as full:
        full.setattr(org.store.database, "writing", nothing_more)
        for page in ("/", "/plans", f"/plans/{plan}", "/history", "/holds", "/requests"):
            assert dpo.get(page).status_code == 200
        for path in (f"/plans/{plan}/approve", "/stop", "/plans/making", "/history/proof/verification"):
            answer = dpo.client.post(path, data={"csrf": token, "kind": "all"}, headers={"Sec-Fetch-Site": "same-origin"})
            assert (answer.status_code, "the disk is full" in text_of(answer.text)) == (500, True), path
    assert org.store.plans.get(plan).given == ()
    assert org.store.kill_switch.stopped_since() is None
    assert org.store.verifications.last() is None
    assert dpo.post(f"/plans/{plan}/approve").status_code == 303, "with room again it goes on"


def test_the_health_of_the_service_tells_before_a_night_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    assert disk_not_well(settings) == ()
    with monkeypatch.context() as small:
        small.setattr(health, "LEAST_BYTES", 2**62)
        assert disk_not_well(settings) == ("DISK_FULL",)
    with monkeypatch.context() as small:  # the register of erasures on a disk of its own
        small.setattr(health, "free_bytes", lambda place: 0 if place.name == "e.jsonl" else 2**40)
        assert disk_not_well(settings) == ()
        assert disk_not_well(Settings(data_dir=tmp_path, erasures_file=tmp_path / "e.jsonl")) == ("DISK_FULL",)
    assert disk_not_well(Settings(data_dir=tmp_path / "gone")) == ("DISK_READ_ONLY",)
    assert disk_not_well(settings, tmp_path / "state.db") == ("DISK_READ_ONLY",)
    found = os.statvfs(tmp_path)
    closed = os.statvfs_result((*found[:8], found.f_flag | os.ST_RDONLY, found.f_namemax))
    monkeypatch.setattr(os, "statvfs", lambda _: closed)
    assert disk_not_well(settings) == ("DISK_READ_ONLY",)


def test_a_database_that_is_moved_away_and_back_has_lost_nothing(org: Night, signed_in: Signed) -> None:
    """SQLite would make an empty one in its place, and throw away what the journal of the other holds."""
    dpo = signed_in(Role.DPO, "nl")
    assert dpo.post("/stop").status_code == 303
    token = dpo.token
    file = org.store.database.file
    assert file is not None
    away = file.rename(file.with_name("away.db"))
    with pytest.raises(DiskProblem, match="its journal"):
        Database.open(f"sqlite:///{file}")
    org.store.database.engine.dispose()  # who comes now gets no connection that is open already
    for answer in (dpo.get("/plans"), dpo.client.post("/resume", data={"csrf": token}, headers={"Sec-Fetch-Site": "same-origin"})):
        assert (answer.status_code, "de schijf is vol, of een map ontbreekt" in text_of(answer.text)) == (500, True)
    assert not file.exists()
    away.rename(file)
    assert org.store.kill_switch.stopped_since() is not None
