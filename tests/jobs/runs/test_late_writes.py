"""Writes that land late, or whose answer was lost: what counts as done, and by which run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.writing.batch import Prepared, Sent, send_batch
from connectors.dynamics.writing.multipart import boundary_of
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Held
from jobs.erasures.register import load_register
from jobs.model.run import RunState
from tests.drivers.holding import place, release
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.jobs.runs.interruptions import Meddling, a_grown_up, applied
from tests.jobs.runs.kill_points import CutShort, Killed


def test_what_lands_just_before_it_is_sent_again_counts_as_done(night: Night) -> None:
    """It looks changed to the run that goes on, and is its own work of before."""
    dossier, child = a_grown_up(night)
    plan = night.plan()
    cut = CutShort(night.context.connector, 1)
    with pytest.raises(Killed):
        applied(night, plan, cut)
    run = applied(night, plan, Meddling(night.context.connector, cut.land, before="change"))
    assert (run.state, run.counts["skipped"], run.counts["anonymised"], night.get("contacts", child)) == (RunState.DONE, {}, 1, None)
    assert load_register(night.context).find([night.key.reference("cf_dossier", dossier)]) is not None


@pytest.mark.parametrize("planned", ["after", "before"])
@pytest.mark.parametrize("trouble", ["expired", "held"])
def test_what_lands_after_its_run_has_passed_it_over_is_done_by_the_next(night: Night, trouble: str, planned: str) -> None:
    """Decision 0065: what has perhaps gone is known. It stands in the register, is certified and counted,
    also where the next plan was made before it landed."""
    dossier, child = a_grown_up(night)
    plan = night.plan()
    cut = CutShort(night.context.connector, 1)
    with pytest.raises(Killed):
        applied(night, plan, cut)
    if trouble == "expired":
        night.clock.now += timedelta(hours=80)
    else:
        hold = place(night, "cf_dossier", dossier)
    passed = night.apply(plan)
    assert passed.counts["skipped"] == ({"PLAN_EXPIRED": 2} if trouble == "expired" else {"HOLD_JUDICIAL": 1, "STILL_REFERRED": 1})
    if trouble == "held":
        release(night, hold)
    if planned == "before":
        plan = night.plan()
    cut.land()
    if planned == "after":
        plan = night.plan()
    run = night.apply(plan)
    assert (run.state, run.counts["skipped"], night.get("contacts", child)) == (RunState.DONE, {}, None)
    reference = night.key.reference("cf_dossier", dossier)
    assert load_register(night.context).find([reference]) is not None
    assert reference in {issued.certificate.unit_ref for issued in night.store.certificates.of_run(run.id)}
    assert sum(row["cf_count"] for row in night.rows("cf_statistics?$select=cf_count")) == 1


@pytest.mark.parametrize("trouble", ["changed", "refused"])
def test_a_contact_that_was_not_removed_is_found_by_the_next_plan(night: Night, trouble: str) -> None:
    """RET-20: without its unit it would look like a contact that was never linked to anything."""
    _, child = a_grown_up(night)
    plan = night.plan()
    if trouble == "changed":
        night.patch("contacts", child, firstname="Lotje")
    else:
        fault = [{"match": {"method": "DELETE", "path": f"contacts({child})", "nth": 1}, "times": 1, "do": "status", "status": 403}]
        set_faults(night.emulator, *fault)
    first = night.apply(plan)
    assert (first.counts["anonymised"], first.counts["deleted"]) == (1, 0)
    again = night.plan()
    assert night.lines(again)[child].outcome == "dispose"
    assert night.apply(again).counts["deleted"] == 1
    assert night.get("contacts", child) is None


def test_a_write_that_lands_late_counts_as_done(night: Night) -> None:
    """The answer is lost, the rows are still there when read back, and the server carries the request out
    after all."""
    dossier, child = a_grown_up(night)
    plan, inner = night.plan(), night.context.connector

    class Late:
        sent: Sequence[ChangeSet] | None = None
        landed = False

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

        def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
            if self.sent is None:
                self.sent = change_sets
                return [ChangeResult(one.key, ChangeStatus.UNKNOWN) for one in change_sets]
            if not self.landed:
                self.landed = True
                inner.change(self.sent)
            return inner.change(change_sets, held)

    run = applied(night, plan, Late())
    assert (run.state, run.counts["anonymised"], run.counts["deleted"]) == (RunState.DONE, 1, 1)
    assert night.get("cf_dossiers", dossier) is None
    assert night.get("contacts", child) is None
    assert len(night.rows("cf_statistics")) == 1


def test_what_somebody_changed_while_an_answer_was_lost_is_not_taken_for_our_own_work(night: Night) -> None:
    """RET-17: the request never arrived, and before it is sent again the dossier is written to."""
    dossier, child = a_grown_up(night)
    plan, inner = night.plan(), night.context.connector

    class Lost:
        sent = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

        def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
            self.sent += 1
            if self.sent == 1:
                return [ChangeResult(one.key, ChangeStatus.UNKNOWN) for one in change_sets]
            if self.sent == 2:
                night.patch("cf_dossiers", dossier, cf_summary="Anders.")
            return inner.change(change_sets, held)

    run = applied(night, plan, Lost())
    assert (run.state, run.counts["anonymised"], run.counts["partial"]) == (RunState.DONE, 0, 0)
    assert run.counts["skipped"] == {"CHANGED": 1, "STILL_REFERRED": 1}
    assert (night.get("cf_dossiers", dossier) is None, night.get("contacts", child) is None) == (False, False)


def test_a_unit_finished_by_a_later_run_is_counted_there(night: Night) -> None:
    """HLD-11: its figures were not written when it was left half done."""
    dossier, _ = a_grown_up(night)
    fault = [{"match": {"method": "DELETE", "path": f"cf_dossiers({dossier})", "nth": 1}, "times": 1, "do": "keep_row"}]
    set_faults(night.emulator, *fault)
    first = night.apply(night.plan())
    assert (first.counts["partial"], night.rows("cf_statistics")) == (1, [])
    second = night.apply(night.plan())
    assert second.counts["anonymised"] == 1
    assert len(night.rows("cf_statistics")) == 1


@pytest.mark.parametrize("somebody", [False, True])
def test_what_was_passed_on_behind_a_429_counts_as_done(night: Night, monkeypatch: pytest.MonkeyPatch, *, somebody: bool) -> None:
    """A gateway that limits by itself may have let the request through: what is then missing has gone, and
    what somebody has changed stays."""
    dossier, child = a_grown_up(night)
    plan, asked = night.plan(), list[int]()

    def throttled(transport: Transport, change_sets: Sequence[Prepared]) -> Sent:
        asked.append(len(change_sets))
        if len(asked) > 1:
            return send_batch(transport, change_sets)
        if somebody:
            night.patch("cf_dossiers", dossier, cf_summary="Verzonnen, later.")
        else:
            send_batch(transport, change_sets)
        return Sent((None,) * len(change_sets), wait_s=1.0)

    monkeypatch.setattr("connectors.dynamics.writing.pool.send_batch", throttled)
    run = night.apply(plan)
    if somebody:
        assert (run.counts["skipped"], run.counts["deleted"]) == ({"CHANGED": 1, "STILL_REFERRED": 1}, 0)
    else:
        assert (run.state, run.counts["skipped"], run.counts["anonymised"], night.get("contacts", child)) == (RunState.DONE, {}, 1, None)
        assert load_register(night.context).find([night.key.reference("cf_dossier", dossier)]) is not None


def test_what_a_gateway_has_sent_twice_counts_as_done(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the second answer comes: the rows are not there, or have another version."""
    dossier, child = a_grown_up(night)
    plan = night.plan()
    once = night.connector.change

    def twice(change_sets: Sequence[ChangeSet], **more: Any) -> list[ChangeResult]:
        once(change_sets, **more)
        return once(change_sets, **more)

    monkeypatch.setattr(night.connector, "change", twice)
    run = night.apply(plan)
    assert (run.state, run.counts["skipped"], run.counts["anonymised"], night.get("contacts", child)) == (RunState.DONE, {}, 1, None)
    assert load_register(night.context).find([night.key.reference("cf_dossier", dossier)]) is not None


@pytest.mark.parametrize("status", [400, 403])
def test_what_is_called_refused_and_was_carried_out_counts_as_done(night: Night, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Something between answers in place of the CRM, for the part of one unit only; the part of another it
    lets pass."""
    dossier, child = a_grown_up(night)
    other, _ = a_grown_up(night)
    plan, post = night.plan(), Transport.post_batch

    def answered(transport: Transport, body: bytes, boundary: str, **more: Any) -> Answer:
        answer = post(transport, body, boundary, **more)
        ours = boundary_of(answer.headers["Content-Type"]).encode()
        parts = parts_of(body, boundary.encode())
        found = parts_of(answer.body, ours)
        refusal = b"\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 %d No\r\nContent-Type: application/json\r\n\r\n{}\r\n" % status
        told = [refusal if f"cf_dossiers({dossier})".encode() in part else answered for part, answered in zip(parts, found, strict=True)]
        return replace(answer, body=b"".join(b"--" + ours + each for each in told) + b"--" + ours + b"--\r\n")

    monkeypatch.setattr(Transport, "post_batch", answered)
    run = night.apply(plan)
    assert (run.state, run.counts["skipped"], run.counts["anonymised"]) == (RunState.DONE, {}, 2)
    assert [night.get("cf_dossiers", dossier), night.get("cf_dossiers", other), night.get("contacts", child)] == [None] * 3
    assert load_register(night.context).find([night.key.reference("cf_dossier", dossier)]) is not None


def parts_of(body: bytes, boundary: bytes) -> list[bytes]:
    """The parts of a body between its delimiters, as they stand there."""
    return body.split(b"--" + boundary)[1:-1]
