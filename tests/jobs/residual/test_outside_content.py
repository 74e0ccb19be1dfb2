"""Recordings with content outside the CRM: the object goes before the row, never alone, never another's
(ERA-12, ERA-15, R-053)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from connectors.interface.rows import Among
from connectors.storage.azure import BlobContainer
from jobs.model.plan import Kind
from jobs.model.run import ActionState, Run, RunState
from jobs.plans.make import make_plan
from jobs.reading.few_rows import rows_of
from jobs.residual.outside_content import AT_ONCE
from jobs.residual.recording_content import OBJECT_LEFT, objects_left
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from jobs.writing.outside_objects import Outside
from tests.drivers.night import Night
from tests.drivers.side_by_side import APPLIED, Case, SideBySide
from tests.jobs.residual.outside import OLD, RECENT, Killed, Reaching, a_recording, outcome

in_one_night = SideBySide[Reaching]()


def test_a_night_with_all_of_these(reaching: Reaching, subtests: pytest.Subtests) -> None:
    in_one_night.play(reaching, subtests)


def still_there(reaching: Reaching, run: Run) -> set[str]:
    """The ids of what a run removed and is there again."""
    found: Any = verify_run(reaching.context, run.id)["still_there"]
    return {row["id"] for row in found}


def test_the_object_goes_before_the_row(reaching: Reaching) -> None:
    """ERA-15: external objects first."""
    row = a_recording(reaching)
    seen: list[bool] = []
    reaching.storage.on_remove = lambda: seen.append(reaching.night.get("cf_recordings", row) is not None)
    run = reaching.apply()
    assert run.counts["deleted"] == 1
    assert seen == [True]
    assert reaching.storage.names == set()
    assert reaching.night.get("cf_recordings", row) is None


@in_one_night
def an_object_that_cannot_be_removed_keeps_its_row(reaching: Reaching) -> Case:
    """R-053: the row is still present and the unit is PARTIAL; the next run retries, and then it is done
    once."""
    row = a_recording(reaching, "refused.wav")
    reaching.storage.broken.add("refused.wav")
    run = yield APPLIED
    assert outcome(reaching, run, row) == (ActionState.PARTIAL, OBJECT_LEFT)
    assert run.state.value == "done_with_failures"
    assert reaching.night.get("cf_recordings", row) is not None
    again = yield APPLIED
    assert outcome(reaching, again, row) == (ActionState.PARTIAL, OBJECT_LEFT)
    reaching.storage.broken.discard("refused.wav")
    last = yield APPLIED
    assert outcome(reaching, last, row)[0] is ActionState.DONE
    assert (reaching.night.get("cf_recordings", row), "refused.wav" in reaching.storage.names) == (None, False)
    done = [action for run in reaching.night.store.runs.all() for action in reaching.journal(run) if action.state is ActionState.DONE]
    assert [action.id for action in done if action.id == row] == [row]
    references = reaching.night.key.references("cf_recording", row)
    issued = [reaching.night.store.certificates.of_run(each.id) for each in (run, again, last)]
    assert [sum(one.certificate.unit_ref in references for one in of) for of in issued] == [0, 0, 1]


@in_one_night
def one_object_that_cannot_be_removed_keeps_all_rows_of_its_unit(reaching: Reaching) -> Case:
    """R-053 for a lone fiche with two recordings."""
    fiche = reaching.night.fiche("social_card", spoken=date(2018, 1, 1))
    rows = [a_recording(reaching, name, fiche=fiche, cf_startedon="2018-01-01T11:00:00Z") for name in ("a.wav", "b.wav")]
    reaching.storage.broken.add("b.wav")
    run = yield APPLIED
    left = [row for row in rows if reaching.night.get("cf_recordings", row) is not None]
    assert len(left) == 1
    assert reaching.storage.names & {"a.wav", "b.wav"} == {"b.wav"}
    assert reaching.night.get("cf_fiches", fiche) is not None
    assert run.state.value == "done_with_failures"
    reaching.storage.broken.discard("b.wav")
    yield APPLIED
    assert reaching.night.get("cf_fiches", fiche) is None
    assert reaching.storage.names & {"a.wav", "b.wav"} == set()


@in_one_night
def a_missing_object_counts_as_removed(reaching: Reaching) -> Case:
    """A run that was killed between object and row finds it so."""
    row = reaching.night.recording(OLD, cf_storageuri=(reaching.storage.folder / "nooit geweest.wav").as_uri())
    run = yield APPLIED
    assert outcome(reaching, run, row) == (ActionState.DONE, "")
    assert reaching.night.get("cf_recordings", row) is None


def test_a_run_that_was_killed_between_object_and_row_goes_on(reaching: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    row = a_recording(reaching)
    plan = reaching.plan()

    def killed(*args: object, **more: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.journal.send_and_reconcile", killed)
        with pytest.raises(Killed):
            reaching.apply(plan)
    assert reaching.storage.names == set()
    assert reaching.night.get("cf_recordings", row) is not None
    run = reaching.apply(plan)
    assert outcome(reaching, run, row) == (ActionState.DONE, "")
    assert run.counts["deleted"] == 1


@in_one_night
def a_recording_whose_own_term_runs_keeps_its_object(reaching: Reaching) -> Case:
    """RET-03: it stays when its fiche goes, and so does what it points to."""
    fiche = reaching.night.fiche("social_card", spoken=date(2018, 1, 1))
    row = a_recording(reaching, "runs.wav", RECENT, fiche=fiche)
    yield APPLIED
    assert reaching.night.get("cf_fiches", fiche) is None
    assert reaching.night.get("cf_recordings", row) is not None
    assert "runs.wav" in reaching.storage.names


@in_one_night
def evidence_keeps_its_object_while_its_dossier_stays(reaching: Reaching) -> Case:
    """RET-05."""
    dossier = reaching.night.dossier("sexting", closed=False, spoken=date(2026, 1, 1))
    (fiche,) = reaching.night.fiches_of(dossier)
    a_recording(reaching, "evidence.wav", fiche=fiche, cf_evidence=True)
    yield APPLIED
    assert "evidence.wav" in reaching.storage.names


@in_one_night
def an_object_goes_with_the_last_recording_that_names_it(reaching: Reaching) -> Case:
    """One object of two recordings, of which one still runs: never too early. However the address is
    spelled."""
    due, address = a_recording(reaching, "of two.wav"), (reaching.storage.folder / "of two.wav").as_uri()
    kept = reaching.night.recording(RECENT, cf_storageuri=address.replace("file:///", "file://localhost/"))
    run = yield APPLIED
    assert outcome(reaching, run, due)[0] is ActionState.DONE
    assert "of two.wav" in reaching.storage.names
    assert due not in still_there(reaching, run)
    reaching.night.patch("cf_recordings", kept, cf_endedon="2025-09-01T11:00:00Z", cf_startedon="2025-09-01T11:00:00Z")
    yield APPLIED
    assert "of two.wav" not in reaching.storage.names


@in_one_night
def two_due_recordings_of_one_object_take_it_along(reaching: Reaching) -> Case:
    address = reaching.storage.put("both.wav")
    rows = [reaching.night.recording(OLD, cf_storageuri=address) for _ in range(2)]
    run = yield APPLIED
    assert [outcome(reaching, run, row) for row in rows] == [(ActionState.DONE, "")] * 2
    assert "both.wav" not in reaching.storage.names


@in_one_night
def an_object_whose_name_says_that_it_was_made_of_another_stays_with_a_recording_that_names_it(reaching: Reaching) -> Case:
    """A name proves nothing against a row: the log of a chat may be called after the call before it."""
    due, kept = a_recording(reaching, "chat.wav"), a_recording(reaching, "chat.wav.txt", RECENT)
    reaching.storage.put("chat.wav.json")
    run = yield APPLIED
    assert outcome(reaching, run, due)[0] is ActionState.DONE
    assert {name for name in reaching.storage.names if name.startswith("chat.wav")} == {"chat.wav.txt"}
    assert due not in still_there(reaching, run)
    reaching.night.patch("cf_recordings", kept, cf_endedon="2025-09-01T11:00:00Z", cf_startedon="2025-09-01T11:00:00Z")
    yield APPLIED
    assert [name for name in reaching.storage.names if name.startswith("chat.wav")] == []


@in_one_night
def a_recording_in_storage_that_nothing_reaches_waits(reaching: Reaching) -> Case:
    """Skipped and said, without the address: it may hold a name (ACC-05)."""
    addresses = {"https": "https://opslag.example.org/call.wav", "file": "file:///etc/hostname", "other": "Lotte Peeters (fictief)"}
    rows = {kind: reaching.night.recording(OLD, cf_storageuri=address) for kind, address in addresses.items()}
    run = yield APPLIED
    assert {kind: outcome(reaching, run, row) for kind, row in rows.items()} == dict.fromkeys(
        rows, (ActionState.SKIPPED, "SKIPPED_TECHNICAL")
    )
    warnings = [warning for warning in reaching.night.connector.warnings if "addresses)" in warning]
    assert sorted(warning.rpartition("(")[2] for warning in warnings) == ["file addresses)", "https addresses)", "other addresses)"]
    told = str(reaching.night.connector.warnings)
    assert [word for word in ("opslag", "hostname", "Lotte") if word in told] == []


@in_one_night
def a_dossier_waits_for_its_recording_in_storage_that_nothing_reaches(reaching: Reaching) -> Case:
    fiche = reaching.night.fiche("social_card", spoken=date(2018, 1, 1))
    reaching.night.recording(OLD, fiche=fiche, cf_storageuri="https://opslag.example.org/call.wav")
    yield APPLIED
    assert reaching.night.get("cf_fiches", fiche) is not None


def test_what_a_unit_that_stays_for_a_failed_removal_names_is_not_tried_for_another(reaching: Reaching) -> None:
    """More recordings than go at once name one object: those that stay with it still name it."""
    address = reaching.storage.put("call.wav")
    rows = [reaching.night.recording(OLD, cf_storageuri=address) for _ in range(AT_ONCE + 1)]
    reaching.storage.broken = {"call.wav"}
    run = reaching.apply()
    outcomes = Counter(outcome(reaching, run, row) for row in rows)
    assert outcomes == {(ActionState.PARTIAL, OBJECT_LEFT): AT_ONCE, (ActionState.SKIPPED, "CHANGED"): 1}
    assert len(reaching.storage.asked) == AT_ONCE
    assert run.state is RunState.DONE_WITH_FAILURES


@pytest.mark.parametrize("number", [AT_ONCE + 1, 4 * AT_ONCE])
def test_who_names_an_object_is_looked_up_for_all_together(reaching: Reaching, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A removal that fails makes the run look again at all that are left; that is one request, however many
    they are."""
    address, asked = reaching.storage.put("call.wav"), list[int]()
    for _ in range(number):
        reaching.night.recording(OLD, cf_storageuri=address)
    reaching.storage.broken = {"call.wav"}
    plan = reaching.plan()

    def counted(connector: Any, record: Any, fields: Any, among: Among) -> Any:
        asked.append(len(among.ids))
        return rows_of(connector, record, fields, among)

    monkeypatch.setattr("jobs.writing.outside_objects.rows_of", counted)
    run = reaching.apply(plan)
    assert run.counts["partial"] == AT_ONCE
    assert len([ids for ids in asked if ids]) == 1


def test_no_unit_is_read_again_for_the_flag_of_a_dossier_once_it_is_gone(reaching: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    a_recording(reaching)
    plan = reaching.plan()

    def gathered(*_: object) -> object:
        raise AssertionError("nothing is left to read")

    monkeypatch.setattr("jobs.holds.active.gather_units", gathered)
    assert reaching.apply(plan).counts["deleted"] == 1


def test_a_unit_of_which_all_rows_are_there_goes_by_a_plan_alone(reaching: Reaching) -> None:
    """Half done by its object only, it can still be judged: a run of another kind leaves it to the plan that
    finds it due."""
    row = a_recording(reaching)
    reaching.storage.broken = {"call.wav"}
    reaching.apply()
    reaching.storage.broken = set()
    reaching.apply(make_plan(reaching.context, Kind.RETENTION))
    assert reaching.night.get("cf_recordings", row) is not None
    assert reaching.storage.names == {"call.wav"}


def test_what_was_removed_and_is_there_again_is_told(reaching: Reaching) -> None:
    """Read back by keyed references: `verify` finds it although no address was kept."""
    row = a_recording(reaching)
    run = reaching.apply()
    assert verify_run(reaching.context, run.id)["still_there"] == []
    reaching.storage.put("call.wav")
    assert verify_run(reaching.context, run.id)["still_there"] == [{"table": "cf_recording", "id": row}]
    reaching.night.recording(RECENT, cf_storageuri=(reaching.storage.folder / "call.wav").as_uri())
    assert verify_run(reaching.context, run.id)["still_there"] == [], "the name is another recording's now"


def test_a_storage_that_cannot_be_listed_leaves_it_open(reaching: Reaching) -> None:
    """What could not be read back is not known to be gone (ERA-15); the next run finds it out."""
    row = a_recording(reaching)
    reaching.storage.is_listable = False
    run = reaching.apply()
    assert outcome(reaching, run, row) == (ActionState.PARTIAL, "STILL_THERE")
    reaching.storage.is_listable = True
    again = reaching.apply()
    assert outcome(reaching, again, row)[0] is ActionState.DONE
    assert objects_left(reaching.context, Outside(reaching.context), reaching.journal(again)) == {}


def test_no_address_stands_in_store_or_ledger(reaching: Reaching, tmp_path: Path) -> None:
    """ACC-05: an address can hold a name; neither during the run nor after it."""
    a_recording(reaching, "Lotte Peeters (fictief).wav")
    a_recording(reaching, "Sander Janssens (fictief).wav")
    reaching.storage.broken = {"Sander%20Janssens%20%28fictief%29.wav"}
    seen: list[bytes] = []

    def look() -> None:
        seen.extend(file.read_bytes() for file in tmp_path.glob("state.db*"))

    reaching.storage.on_remove = look
    reaching.apply()
    look()
    assert any(b"cf_recording" in content for content in seen)
    assert [word for word in (b"Peeters", b"Janssens", b"file:") for content in seen if word in content] == []
    assert [warning for warning in reaching.night.connector.warnings if "Janssens" in warning] == []


def test_a_blob_goes_before_its_row_and_a_lease_keeps_both(
    night: Night, blob_service: str, service: BlobServiceClient, container: str
) -> None:
    """R-053 against a real blob service, snapshots and transcript included."""
    store = BlobContainer.open(blob_service, container, None)
    blob = service.get_blob_client(container, "2025/gesprek 1.wav")
    for name in ("2025/gesprek 1.wav", "2025/gesprek 1.wav.json"):
        service.get_blob_client(container, name).upload_blob(b"RIFF verzonnen")
    blob.create_snapshot()
    row = night.recording(OLD, cf_storageuri=f"{blob.url}?sv=2025&sig=oud")
    lease = blob.acquire_lease()
    context = replace(night.context, objects=(store,))

    def applied() -> tuple[ActionState, str]:
        plan = make_plan(context, Kind.ALL)
        night.approved(plan)
        return next(
            (action.state, action.code) for action in night.store.journal.of_run(apply_plan(context, plan.id).id) if action.id == row
        )

    assert applied() == (ActionState.PARTIAL, OBJECT_LEFT)
    assert night.get("cf_recordings", row) is not None
    lease.release()
    assert applied() == (ActionState.DONE, "")
    assert night.get("cf_recordings", row) is None
    assert list(service.get_container_client(container).list_blobs(include=["snapshots"])) == []
    store.close()


def test_ret17_what_comes_into_a_file_while_a_storage_takes_its_time_keeps_what_is_there_yet(reaching: Reaching) -> None:
    """A plan of retention: the recordings go with their dossiers, which are judged again."""
    dossiers = [reaching.night.dossier("social_card", spoken=OLD, fiches=1) for _ in range(2)]
    names = [[f"{at}-{number}.wav" for number in range(AT_ONCE)] for at in range(2)]
    for dossier, of in zip(dossiers, names, strict=True):
        (fiche,) = reaching.night.fiches_of(dossier)
        for name in of:
            a_recording(reaching, name, fiche=fiche)
    acts = [lambda: [reaching.night.fiche("social_card", spoken=RECENT, dossier=dossier) for dossier in dossiers]]

    def slowly() -> None:
        if acts:
            acts.pop()()
            reaching.night.clock.advance(minutes=5)

    reaching.storage.on_remove = slowly
    run = reaching.apply(make_plan(reaching.context, Kind.RETENTION))
    assert all(reaching.night.get("cf_dossiers", dossier) for dossier in dossiers)
    assert len(reaching.storage.names) == AT_ONCE
    assert sorted(outcome(reaching, run, dossier) for dossier in dossiers) == [
        (ActionState.PARTIAL, "NOT_EXPIRED"),
        (ActionState.SKIPPED, "NOT_EXPIRED"),
    ]
