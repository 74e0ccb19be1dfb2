"""A granted request that is cut off anywhere goes on where it was, and no held row is in any of its writes
(HLD-07, R-079)."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeResult, ChangeSet, Held
from crm_compliance.keys.request_seals import Sealing
from jobs.model.request import Details, SubjectRequest
from jobs.requests.decisions.carry_out import fulfil
from jobs.restores.replay_plan import plan_replay
from jobs.runs.apply import apply_plan
from rules.model.requests import Right
from tests.drivers.deciding import ask, compile_, context_of, decide, decision, release
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.moments import Moments
from tests.drivers.night import Night, witness_of
from tests.drivers.organisation import TOKEN
from tests.jobs.holds.test_holds_property import a_night
from tests.jobs.runs.kill_points import CutShort, Killed
from tests.known_definitions import KNOWN


class Cut(Exception):
    """The process is killed."""


class Watched(Moments):
    """A connector on which something happens at given moments: before each read, and after each write.
    `written` are the ids of each write, in order."""

    def __init__(self, inner: Any, act: Callable[[int], None], written: list[set[str]]) -> None:
        super().__init__(inner, act)
        self.written = written

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        self.written.append({operation.id for one in change_sets for operation in one.operations})
        found: list[ChangeResult] = self._inner.change(change_sets, held)
        self._pass()
        return found


@pytest.fixture(scope="module")
def crm() -> Iterator[RunningEmulator]:
    with running(token=TOKEN, limits=False) as started, KNOWN.of(started, TOKEN):
        yield started


def family(night: Night) -> tuple[str, list[str]]:
    """A child, and the rows of a dossier that a hold on the dossier covers, the child among them."""
    child, reporter = night.contact(birthdate="2005-05-05"), night.contact(lastname="Melder (fictief)")
    dossier = night.dossier("sexting", closed=False)
    (fiche,) = night.fiches_of(dossier)
    roles = [night.party(child, "child", dossier=dossier), night.party(reporter, "reporter", fiche=fiche)]
    recording = night.recording(date(2026, 11, 20), fiche=fiche)
    return child, [dossier, fiche, child, reporter, recording, night.note("cf_dossier", dossier), *roles]


PLAIN = [Phase.explicit, Phase.reuse, Phase.generate]
HOLDS = st.tuples(st.integers(1, 60), st.sampled_from(["judicial", "legal", "complaint"]))


@settings(max_examples=8, deadline=None, phases=PLAIN, suppress_health_check=[*HealthCheck])
@given(st.integers(1, 90))
def test_an_erasure_that_is_cut_off_anywhere_is_finished_by_the_next_round(crm: RunningEmulator, moment: int) -> None:
    """Between plan, apply and what comes after: everything goes once, and has one certificate a unit."""
    with decided(crm, Right.ERASURE) as (night, request, child, rows):
        released(night, request, cut_at(moment))
        fulfil(context_of(night), request.id)
        assert decision(night, request).tasks == ()
        assert [set_ for set_ in ("cf_dossiers", "cf_fiches", "cf_parties", "cf_recordings", "annotations") if night.rows(set_)] == []
        assert [night.get("contacts", row) for row in (child, rows[3])] == [None, None]
        refs = [issued.certificate.unit_ref for run in night.store.runs.all() for issued in night.store.certificates.of_run(run.id)]
        assert len(refs) == len(set(refs)) == 4


@settings(max_examples=8, deadline=None, phases=PLAIN, suppress_health_check=[*HealthCheck])
@given(HOLDS)
def test_no_held_row_is_in_a_write_of_a_granted_request(crm: RunningEmulator, hold: tuple[int, str]) -> None:
    """R-079: a hold that comes up at any moment of the run; when it is lifted, what was granted is carried
    out."""
    moment, kind = hold
    with decided(crm, Right.ERASURE) as (night, request, _, rows):
        held: list[int] = []
        writes: list[set[str]] = []

        def act(at: int) -> None:
            if at == moment and night.get("cf_dossiers", rows[0]) is not None:
                place(night, "cf_dossier", rows[0], kind=kind)
                held.append(len(writes))

        released(night, request, act, writes)
        for written in writes[held[0] :] if held else ():
            assert not written & set(rows)
        for placed in night.store.holds.all():
            release_hold(night, placed)
        fulfil(context_of(night), request.id)
        assert night.get("cf_dossiers", rows[0]) is None


@settings(max_examples=6, deadline=None, phases=PLAIN, suppress_health_check=[*HealthCheck])
@given(st.integers(1, 14))
def test_a_note_and_a_correction_are_written_once_wherever_they_are_cut_off(crm: RunningEmulator, moment: int) -> None:
    """R-102, R-103."""
    details = Details(corrections={"birthdate": "2006-06-06"}, statement="Verzonnen aanvulling.")
    with decided(crm, Right.RECTIFICATION, details) as (night, request, child, rows):
        released(night, request, cut_at(moment))
        fulfil(context_of(night), request.id)
        assert (night.get("contacts", child) or {})["birthdate"] == "2006-06-06"
        notes = night.rows(f"annotations?$filter=_objectid_value eq {rows[0]}")
        assert sum("Verzonnen aanvulling." in (note["notetext"] or "") for note in notes) == 1
        assert decision(night, request).tasks == ()


@contextlib.contextmanager
def decided(crm: RunningEmulator, right: Right, details: Details | None = None) -> Iterator[tuple[Night, SubjectRequest, str, list[str]]]:
    """A night of its own, in which a child of `family` asked and was granted something that is not released
    yet: with the request, the child, and the rows."""
    with tempfile.TemporaryDirectory() as folder:
        night = sealed_night(crm, Path(folder))
        try:
            child, rows = family(night)
            request = ask(night, right, child, details=details)
            compile_(night, request)
            decide(night, request)
            yield night, request, child, rows
        finally:
            night.close()
            night.store.close()


def cut_at(moment: int) -> Callable[[int], None]:
    def cut(at: int) -> None:
        if at == moment:
            raise Cut

    return cut


def sealed_night(crm: RunningEmulator, folder: Path) -> Night:
    """A night whose store can seal what is said of people."""
    from crm_compliance.store.store import SqlStore

    night = a_night(crm, folder)
    night.store.close()
    night.store = SqlStore.open(
        f"sqlite:///{folder / 'state.db'}", clock=night.clock, sealer=Sealing(folder), witness=witness_of(folder, folder, night.clock)
    )
    return night


def released(night: Night, request: Any, act: Callable[[int], None], written: list[set[str]] | None = None) -> None:
    """Release the answer, with something that happens on the way."""
    context = context_of(night)
    watched = Watched(context.connector, act, written if written is not None else [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.drivers.deciding.context_of", lambda _: dataclasses.replace(context, connector=watched))
        with contextlib.suppress(Cut):
            release(night, request)


def test_a_role_that_is_disowned_late_is_in_the_register_and_goes_again_after_a_restore(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is killed with it under way, and it lands after the next run has looked (ERA-13)."""
    child, witness = night.contact(birthdate="2010-05-05"), night.contact(lastname="Getuige (fictief)")
    fiche = night.fiche("sexting", dossier=(dossier := night.dossier("sexting", closed=False)))
    night.party(child, "child", dossier=dossier)
    role = night.party(witness, "reporter", fiche=fiche)
    night.patch("cf_parties", role, cf_name="Getuige (fictief)")
    request = ask(night, Right.ERASURE, witness)
    compile_(night, request)
    decide(night, request)
    context = context_of(night)
    cut = CutShort(context.connector, 1)
    with monkeypatch.context() as patch:
        patch.setattr("tests.drivers.deciding.context_of", lambda _: dataclasses.replace(context, connector=cut))
        with pytest.raises(Killed):
            release(night, request)
    with monkeypatch.context() as patch:
        patch.setattr("jobs.runs.run.reconcile_intended", cut.reconcile_and_land)
        run, _ = fulfil(context, request.id)
    assert run is not None
    assert (run.counts["deleted"], run.counts["anonymised"], run.counts["skipped"]) == (1, 1, {})
    assert "disown" in {each.operation for each in night.store.erasures.all()}
    other = night.contact()
    night.patch("cf_parties", role, cf_name="Getuige (fictief)", **{"cf_ContactId@odata.bind": f"/contacts({other})"})
    plan = plan_replay(night.context)
    assert plan is not None
    assert plan.units == 1
    apply_plan(night.context, plan.id)
    row = night.get("cf_parties", role) or {}
    assert (row["_cf_contactid_value"], row["cf_name"]) == (None, None)
