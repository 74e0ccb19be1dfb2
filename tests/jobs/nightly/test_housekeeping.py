"""Housekeeping: recordings and objects that have lost each other are found in both directions, and nothing of
them is removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from connectors.interface.errors import ObjectError
from connectors.storage.local import LocalFolder
from jobs.inbox.plans import of_plans
from jobs.ledger.maintenance_runs import HOUSEKEEPING
from jobs.model.run import RunState
from jobs.nightly.housekeeping import FILE, WITHOUT_OBJECT, WITHOUT_ROW, hunt, run_housekeeping
from jobs.ports.context import JobContext
from rules.errors import Refused
from tests.drivers.night import Night

RECENT = date(2026, 11, 1)


def put(folder: Path, name: str) -> str:
    (folder / name).write_bytes(b"RIFF verzonnen")
    return (folder / name).as_uri()


def test_what_belongs_together_is_no_alarm(night: Night, context: JobContext, folder: Path) -> None:
    """However the address is spelled, and with what was made of the object."""
    night.recording(RECENT, cf_storageuri=put(folder, "a b.wav").replace("file:///", "file://localhost/"))
    put(folder, "a b.wav.json")
    night.recording(RECENT)
    done = run_housekeeping(context)
    assert (done.state, done.alarms, done.document["objects"]) == (
        RunState.DONE,
        (),
        {"listed": 2, "recordings": 1, "without_row": 0, "rows_without_object": 0, "not_reached": 0},
    )


def test_an_object_without_a_row_is_found_and_stays(night: Night, context: JobContext, folder: Path) -> None:
    """ERA-12, line 6: an object without a row is lost from sight; nobody knows whose it is, so it is not
    deletable."""
    night.recording(RECENT, cf_storageuri=put(folder, "known.wav"))
    lost, rest = put(folder, "lost.wav"), put(folder, "gone.wav.json")
    done = run_housekeeping(context)
    assert set(done.private_files[FILE]) == {lost, rest}
    assert [alarm.code for alarm in done.alarms] == [WITHOUT_ROW]
    assert done.state is RunState.DONE_WITH_FAILURES
    assert {path.name for path in folder.iterdir()} == {"known.wav", "lost.wav", "gone.wav.json"}


def test_a_row_without_its_object_is_found(night: Night, context: JobContext, folder: Path) -> None:
    row = night.recording(RECENT, cf_storageuri=(folder / "never.wav").as_uri())
    done = run_housekeeping(context)
    assert done.document["rows_without_object"] == [{"table": "cf_recording", "id": row}]
    assert [alarm.code for alarm in done.alarms] == [WITHOUT_OBJECT]
    assert night.get("cf_recordings", row) is not None


def test_an_object_that_comes_while_the_hunt_goes_on_is_not_missing(
    night: Night, context: JobContext, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed before it was there, and named by a row read after: it is asked for once more."""
    night.recording(RECENT, cf_storageuri=(folder / "new.wav").as_uri())
    real = LocalFolder.listing

    def listed_then_put(store: LocalFolder) -> object:
        found = list(real(store))
        put(folder, "new.wav")
        return iter(found)

    monkeypatch.setattr(LocalFolder, "listing", listed_then_put)
    assert hunt(context).rows == ()


def test_a_recording_in_storage_that_nothing_reaches_is_counted(night: Night, context: JobContext) -> None:
    night.recording(RECENT, cf_storageuri="https://opslag.example.org/call.wav")
    assert (hunt(context).not_reached, run_housekeeping(context).alarms) == (1, ())


def test_a_storage_that_cannot_be_listed_is_no_empty_one(night: Night, folder: Path) -> None:
    """A disk that is not there must not make every recording look as if its object were lost."""
    with pytest.raises(ObjectError):
        run_housekeeping(replace(night.context, objects=(LocalFolder(folder / "nowhere"),)))
    assert [entry for entry in night.store.ledger.entries() if entry.kind == "housekeeping"] == []


def test_what_was_found_waits_for_people_until_a_round_has_looked_again(night: Night, context: JobContext, folder: Path) -> None:
    lost = put(folder, "lost.wav")

    def waiting() -> list[str]:
        return [item.code for item in of_plans(night.store, night.policy, night.clock(), rules=None) if item.subject == HOUSEKEEPING]

    run_housekeeping(context)
    assert waiting() == [WITHOUT_ROW]
    with pytest.raises(ObjectError):
        run_housekeeping(replace(night.context, objects=(LocalFolder(folder / "nowhere"),)))
    assert waiting() == [WITHOUT_ROW], "a round that could not look has found nothing"
    night.recording(RECENT, cf_storageuri=lost)
    run_housekeeping(context)
    assert waiting() == []


def test_a_round_waits_for_a_run(night: Night, context: JobContext) -> None:
    """Its objects go before their rows: for a moment a row has lost its object."""
    with night.store.leases.exclusive(), pytest.raises(Refused):
        run_housekeeping(context)


def test_the_ledger_holds_counts_and_no_address(night: Night, context: JobContext, folder: Path, tmp_path: Path) -> None:
    put(folder, "Lotte Peeters (fictief).wav")
    done = run_housekeeping(context)
    (entry,) = [entry for entry in night.store.ledger.entries() if entry.kind == "housekeeping"]
    assert entry.run == done.id
    assert entry.data["objects"] == done.document["objects"]
    assert [file for file in tmp_path.glob("state.db*") if b"Peeters" in file.read_bytes()] == []
