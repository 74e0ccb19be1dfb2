"""The night verifies the whole ledger, and says so where it does not verify."""

from __future__ import annotations

import threading
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import insert

from connectors.interface.errors import Unreachable
from crm_compliance.proof import verify_ledger, verify_of_night
from crm_compliance.service.health import record_not_whole
from crm_compliance.service.scheduler import run_job
from crm_compliance.store.sql import tables
from crm_compliance.wiring.clock import clock_of
from jobs.checks.drift.holds import hold_entry
from jobs.model.last_verification import Verifier
from jobs.proof.checkpoint import make_checkpoint
from jobs.registry import JOBS
from rules.holds.placements import HoldType, PlacedHold
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist
from tests.meanwhile import between

HOLD = PlacedHold(
    id="hold-1",
    type=HoldType.LEGAL,
    kind="dossier",
    table="cf_dossier",
    row="00000000-0000-4000-8000-000000000001",
    reason_code="COURT",
    basis="a claim",
    placed_by="anna",
    placed_at=NOW,
    review_on=NOW.date() + timedelta(days=90),
)


def written_by_hand(org: Night) -> None:
    """Somebody writes a hold into the table of the database, and the ledger knows nothing of it."""
    with org.store.database.writing() as connection:
        connection.execute(insert(tables.holds), {"id": HOLD.id, "released": False, "doc": msgspec.json.encode(HOLD).decode()})


def test_after_the_housekeeping_of_a_night_the_whole_ledger_is_verified(typist: Typist, org: Night) -> None:
    run_job(typist.settings, "requests", threading.Event())
    assert org.store.verifications.last() is None
    run_job(typist.settings, "housekeeping", threading.Event())
    found = org.store.verifications.last()
    assert found is not None
    assert (found.by, found.ok, found.entries) == (Verifier.NIGHT, True, len(list(org.store.ledger.entries())))


@pytest.mark.parametrize("lost", ["jobs.runs.run.make_checkpoint", "crm_compliance.keys.checkpoint_signer.catch_up"])
@pytest.mark.parametrize("next_", ["housekeeping", "apply"])
def test_a_run_that_was_killed_as_it_signed_its_end_is_no_record_that_was_altered(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch, lost: str, next_: str
) -> None:
    """Its checkpoint is missing, or the copy outside the database. People would be told that somebody has
    taken it away."""
    plan = typist.ask("plan")["plan"]
    with monkeypatch.context() as killed:
        killed.setattr(lost, lambda *_: None)
        typist.ask("apply", plan)
    assert typist.type("ledger", "verify").code == 7
    if next_ == "apply":
        typist.ask("apply", plan)
    else:
        run_job(typist.settings, next_, threading.Event())
        assert record_not_whole(org.store) == ()
    assert typist.type("ledger", "verify").code == 0


def test_a_night_that_finds_the_record_altered_is_told_by_the_health_of_the_service(typist: Typist, org: Night) -> None:
    written_by_hand(org)
    run_job(typist.settings, "housekeeping", threading.Event())
    assert record_not_whole(org.store) == ("LEDGER_BROKEN",)


def test_the_command_of_that_job_ends_with_its_own_exit_code(typist: Typist, org: Night) -> None:
    assert typist.type("run", "housekeeping").code == 0
    written_by_hand(org)
    said = typist.type("run", "housekeeping", "--json")
    assert (said.code, said.error["code"]) == (7, "ledger_broken")
    assert said.document["state"] == "done", "what the job itself did is answered all the same"


def test_it_is_verified_also_where_the_job_could_not_be_done(typist: Typist, org: Night) -> None:
    def unreachable(*_: object) -> tuple[str, ...]:
        raise Unreachable("the CRM does not answer")

    typist.monkeypatch.setattr("crm_compliance.wiring.desk.checked", unreachable)
    assert typist.type("run", "housekeeping").code == 4
    found = org.store.verifications.last()
    assert found is not None
    assert (found.by, found.ok) == (Verifier.NIGHT, True)


def test_a_service_that_is_being_stopped_does_not_finish_verifying(typist: Typist, org: Night) -> None:
    run_job(typist.settings, "requests", threading.Event())

    def stopped() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_of_night(typist.settings, JOBS["housekeeping"], stopped)
    assert org.store.verifications.last() is None, "a half of it is no verification"


def test_what_is_placed_while_it_is_verified_is_no_difference(typist: Typist, org: Night) -> None:
    """The ledger is read before the table, and a hold came in between: looked at again, all agrees."""
    read, placed = org.store.holds.all, list[PlacedHold]()

    def a_moment_later(**given: bool) -> list[PlacedHold]:
        if not placed:
            placed.append(HOLD)
            org.store.holds.place(HOLD, ("hold_placed", hold_entry(HOLD, org.key.reference)))
        return read(**given)

    typist.monkeypatch.setattr(org.store.holds, "all", a_moment_later)
    audit, _ = verify_ledger(typist.settings, org.store, clock_of(typist.settings), by=Verifier.NIGHT)
    assert placed
    assert audit.ok, audit.problems


def test_a_run_that_ends_while_it_is_verified_is_no_difference(typist: Typist, org: Night) -> None:
    """Its checkpoint came after the external log was read, and before those of the database were."""
    run_job(typist.settings, "requests", threading.Event())
    log_read = "crm_compliance.keys.checkpoint_signer.read_checkpoint_log"
    between(typist.monkeypatch, log_read, lambda: run_job(typist.settings, "requests", threading.Event()))
    org.store.database.sleep = lambda _: None
    audit, _ = verify_ledger(typist.settings, org.store, clock_of(typist.settings), by=Verifier.NIGHT)
    assert len(org.store.checkpoints.all()) == 2
    assert audit.ok, audit.problems


@pytest.mark.parametrize("lost", ["jobs.proof.job_record.make_checkpoint", "crm_compliance.keys.checkpoint_signer.catch_up"])
def test_a_run_that_is_at_its_checkpoint_while_it_is_verified_is_waited_for(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """An authority for time stamps takes its time, and so does a disk; whoever removed a checkpoint is not at
    work."""
    with monkeypatch.context() as patch:
        patch.setattr(lost, lambda *_: None)
        run_job(typist.settings, "requests", threading.Event())
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            make_checkpoint(org.store, org.context.notary, org.clock)

    org.store.database.sleep = nap
    assert not verify_ledger(typist.settings, org.store, clock_of(typist.settings), by=Verifier.NIGHT)[0].ok
    assert naps == []
    with org.store.leases.exclusive("requests") as lease:
        lease.work_on("run-1")
        assert verify_ledger(typist.settings, org.store, clock_of(typist.settings), by=Verifier.NIGHT)[0].ok
    assert len(naps) == 2
    found = org.store.verifications.last()
    assert found is not None
    assert found.ok
