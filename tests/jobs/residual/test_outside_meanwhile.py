"""What comes just before content outside the CRM is removed, or between two removals: a change, a hold, the
kill switch (ERA-12, ERA-15)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from jobs.checks.kill_switch import STOPPED, resume, stop
from jobs.model.run import ActionState
from jobs.ports.context import JobContext
from jobs.residual.outside_content import AT_ONCE
from jobs.writing.outside_objects import Outside
from rules.errors import Refused
from tests.jobs.residual.outside import Reaching, a_recording, outcome


def test_a_row_that_changed_after_it_was_judged_keeps_its_object(reaching: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the CRM would refuse must not cost an object: the evidence mark came between the judgement and the
    removal."""
    row = a_recording(reaching)

    def marked(context: JobContext, *rest: object, real: Any = Outside.named) -> Any:
        found = real(context, *rest)
        reaching.night.patch("cf_recordings", row, cf_evidence=True)
        return found

    plan = reaching.plan()
    monkeypatch.setattr(Outside, "named", marked)
    run = reaching.apply(plan)
    assert outcome(reaching, run, row) == (ActionState.SKIPPED, "CHANGED")
    assert reaching.storage.names == {"call.wav"}


def hold_just_before_the_removal(reaching: Reaching, monkeypatch: pytest.MonkeyPatch, dossier: str) -> None:
    """Somebody ticks the hold in the CRM once the run has looked for holds the last time."""

    def held(*given: object) -> dict[str, str]:
        reaching.night.patch("cf_dossiers", dossier, cf_legalhold=True)
        return {}

    monkeypatch.setattr("jobs.runs.recheck.held_actions", held)


def test_a_hold_that_the_crm_got_just_before_the_removal_keeps_the_object(reaching: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    """HLD-07: a hold on the dossier changes no version of the recording."""
    dossier = reaching.night.dossier("sexting", closed=False, spoken=date(2026, 1, 1))
    (fiche,) = reaching.night.fiches_of(dossier)
    row = a_recording(reaching, fiche=fiche)
    plan = reaching.plan()

    hold_just_before_the_removal(reaching, monkeypatch, dossier)
    run = reaching.apply(plan)
    assert outcome(reaching, run, row) == (ActionState.SKIPPED, "HOLD_LEGAL")
    assert (reaching.storage.names, reaching.storage.asked) == ({"call.wav"}, [])


def test_an_object_that_a_held_recording_shares_stays_whole(reaching: Reaching, monkeypatch: pytest.MonkeyPatch) -> None:
    """HLD-07: both are due, and the hold comes just before the removal; the object is the held one's too."""
    dossier = reaching.night.dossier("sexting", closed=False, spoken=date(2026, 1, 1))
    (fiche,) = reaching.night.fiches_of(dossier)
    row, other = a_recording(reaching, fiche=fiche), a_recording(reaching)
    plan = reaching.plan()

    hold_just_before_the_removal(reaching, monkeypatch, dossier)
    run = reaching.apply(plan)
    assert outcome(reaching, run, row) == (ActionState.SKIPPED, "HOLD_LEGAL")
    assert outcome(reaching, run, other) == (ActionState.SKIPPED, "CHANGED")
    assert (reaching.storage.names, reaching.storage.asked) == ({"call.wav"}, [])


def test_a_hold_that_comes_while_objects_are_removed_keeps_those_that_are_left(reaching: Reaching) -> None:
    """HLD-07: many removals take their time, and each few of them are preceded by a look."""
    dossier = reaching.night.dossier("sexting", closed=False, spoken=date(2026, 1, 1))
    (fiche,) = reaching.night.fiches_of(dossier)
    rows = [a_recording(reaching, f"{number}.wav", fiche=fiche) for number in range(AT_ONCE + 1)]
    plan = reaching.plan()
    held = iter([lambda: reaching.night.patch("cf_dossiers", dossier, cf_legalhold=True)])
    reaching.storage.on_remove = lambda: next(held, lambda: None)()
    run = reaching.apply(plan)
    outcomes = Counter(outcome(reaching, run, row) for row in rows)
    assert outcomes == {(ActionState.PARTIAL, "HOLD_LEGAL"): AT_ONCE, (ActionState.SKIPPED, "HOLD_LEGAL"): 1}
    assert len(reaching.storage.names) == 1


def test_the_kill_switch_ends_removals_outside_the_crm_too(reaching: Reaching) -> None:
    """After the few that are under way nothing goes; what was announced is finished once it is lifted."""
    rows = [a_recording(reaching, f"{number}.wav") for number in range(AT_ONCE + 1)]
    plan, store = reaching.plan(), reaching.night.store

    def stop_everything() -> None:
        reaching.storage.on_remove = lambda: None
        stop(store, reaching.night.clock())

    reaching.storage.on_remove = stop_everything
    with pytest.raises(Refused) as refused:
        reaching.apply(plan)
    assert (refused.value.code, len(reaching.storage.names)) == (STOPPED, 1)
    assert all(reaching.night.get("cf_recordings", row) is not None for row in rows)
    resume(store)
    run = reaching.apply(plan)
    assert {outcome(reaching, run, row)[0] for row in rows} == {ActionState.DONE}
    assert reaching.storage.names == set()
