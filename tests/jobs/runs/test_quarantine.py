"""Quarantine: marked first, the owner told, disposed of when the days have passed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from jobs.runs import quarantine
from jobs.writing.send import send_operations
from rules.errors import Refused, UsageError
from rules.retention.quarantine import Mark
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import LONG_AGO


def waiting(more: str = "") -> Callable[[str], str]:
    """The shipped schedule with a quarantine of 14 days."""
    return lambda text: text + f"quarantine:\n  days: 14\n{more}"


@pytest.fixture
def quiet(make_night: Callable[..., Night]) -> Night:
    """A quarantine that tells nobody."""
    return make_night(policy=waiting())


@pytest.fixture
def telling(make_night: Callable[..., Night]) -> Night:
    """A quarantine that tells owners by a note."""
    return make_night(policy=waiting("  notice: note\n"))


def skipped(run: Run) -> object:
    return run.counts["skipped"]


def marks(night: Night) -> dict[str, Mark]:
    return {mark.id: mark for mark in night.store.quarantine.marks()}


def undo(night: Night, table: str, row: str, role: str = "dpo", *, who: str = "ben") -> Mark:
    return quarantine.undo(night.store, night.policy, table, row, who, role, now=night.clock(), reference=night.key.reference)


def test_a_unit_is_marked_by_its_first_run_and_goes_when_its_days_have_passed(quiet: Night) -> None:
    fiche = quiet.fiche("social_card", spoken=LONG_AGO)
    plan = quiet.plan()
    assert (plan.waiting, plan.dispose["delete"], plan.breaker.units.planned) == ({"QUARANTINED": 1}, 1, 0)
    before = quiet.writes()
    run = quiet.apply(plan)
    assert (skipped(run), run.state, quiet.writes()) == ({"QUARANTINED": 1}, RunState.DONE, before)
    assert (marks(quiet)[fiche].since, marks(quiet)[fiche].until) == (date(2026, 11, 25), date(2026, 12, 9))
    quiet.clock.now += timedelta(days=14)
    assert skipped(quiet.apply(quiet.plan())) == {"QUARANTINED": 1}
    quiet.clock.now += timedelta(days=1)
    plan = quiet.plan()
    assert (plan.waiting, plan.breaker.units.planned) == ({}, 1)
    assert skipped(quiet.apply(plan)) == {}
    assert quiet.get("cf_fiches", fiche) is None
    quiet.plan()
    assert marks(quiet) == {}


def test_its_people_stay_with_a_unit_in_quarantine(quiet: Night) -> None:
    dossier = quiet.dossier("social_card", spoken=LONG_AGO)
    person = quiet.contact()
    quiet.party(person, "reporter", dossier=dossier)
    plan = quiet.plan()
    assert person not in quiet.lines(plan)
    quiet.apply(plan)
    quiet.clock.now += timedelta(days=15)
    assert quiet.lines(quiet.plan())[person].is_disposal


def test_only_the_categories_that_the_policy_names_wait(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=waiting("  categories: [e_safety]\n"))
    waits, goes = night.fiche("e_safety", spoken=LONG_AGO), night.fiche("social_card", spoken=LONG_AGO)
    assert skipped(night.apply(night.plan())) == {"QUARANTINED": 1}
    assert night.get("cf_fiches", goes) is None
    assert night.get("cf_fiches", waits) is not None


def test_the_owner_is_told_by_a_note_that_says_nothing_of_the_unit(telling: Night) -> None:
    dossier = telling.dossier("social_card", spoken=LONG_AGO, cf_name="D-geheim")
    telling.apply(telling.plan())
    notes = telling.rows(f"annotations?$select=subject,notetext,isdocument&$filter=_objectid_value eq {dossier}")
    assert len(notes) == 1
    assert "2026-12-09" in notes[0]["notetext"]
    assert "geheim" not in notes[0]["notetext"] + notes[0]["subject"]
    telling.apply(telling.plan())
    assert len(telling.rows(f"annotations?$select=subject&$filter=_objectid_value eq {dossier}")) == 1


def test_what_is_kept_while_its_owner_is_told_stays_kept(telling: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notices take their time, and the console lists what is marked at once."""
    fiche = telling.fiche("social_card", spoken=LONG_AGO)

    def kept_meanwhile(*given: Any) -> Any:
        if not marks(telling)[fiche].undone:
            undo(telling, "cf_fiche", fiche)
        return send_operations(*given)

    monkeypatch.setattr("jobs.runs.quarantine.send_operations", kept_meanwhile)
    telling.apply(telling.plan())
    assert (marks(telling)[fiche].undone, marks(telling)[fiche].told) == (True, True)
    telling.plan()  # and the store is what the ledger says


def test_a_unit_goes_with_its_own_notice(telling: Night) -> None:
    """The notice changes nothing about the unit, and nothing of it remains."""
    dossier, recording = telling.dossier("social_card", spoken=LONG_AGO), telling.recording(LONG_AGO)
    fiche = telling.fiche("e_safety", spoken=LONG_AGO)
    version = telling.lines(telling.plan())[dossier].etag
    assert skipped(telling.apply(telling.plan())) == {"QUARANTINED": 3}
    assert len(telling.rows("annotations?$select=subject")) == 3
    telling.clock.now += timedelta(days=15)
    plan = telling.plan()
    assert telling.lines(plan)[dossier].etag == version
    assert skipped(telling.apply(plan)) == {}
    assert [telling.get(table, row) for table, row in (("cf_dossiers", dossier), ("cf_recordings", recording), ("cf_fiches", fiche))] == [
        None
    ] * 3
    assert telling.rows("annotations?$select=subject") == []


def test_a_unit_whose_owner_cannot_be_told_stays(telling: Night) -> None:
    """Its days begin when the notice stands there, and the CRM's refusal is not passed over in silence."""
    fiche = telling.fiche("social_card", spoken=LONG_AGO)
    set_faults(telling.emulator, {"match": {"method": "POST", "path": "annotations"}, "times": 50, "do": "status", "status": 403})
    run = telling.apply(telling.plan())
    assert (skipped(run), run.state) == ({"SKIPPED_TECHNICAL": 1}, RunState.DONE_WITH_FAILURES)
    assert not marks(telling)[fiche].told
    set_faults(telling.emulator)
    telling.clock.now += timedelta(days=20)
    assert skipped(telling.apply(telling.plan())) == {"QUARANTINED": 1}
    assert (marks(telling)[fiche].told, marks(telling)[fiche].until) == (True, date(2026, 12, 29))
    assert len(telling.rows("annotations?$select=subject")) == 1


def test_an_attachment_is_marked_without_a_note(telling: Night) -> None:
    fiche = telling.fiche("unexplained_disappearance", spoken=LONG_AGO)
    note = telling.note("cf_fiche", fiche, isdocument=True, mimetype="audio/mpeg", filename="g.mp3", documentbody="AA==")
    assert skipped(telling.apply(telling.plan(Kind.RECORDINGS))) == {"QUARANTINED": 1}
    assert marks(telling)[note].told
    assert len(telling.rows("annotations?$select=subject")) == 1


def test_a_unit_that_is_not_due_any_more_leaves_and_begins_anew(quiet: Night) -> None:
    dossier = quiet.dossier("social_card", spoken=LONG_AGO)
    quiet.apply(quiet.plan())
    quiet.patch("cf_dossiers", dossier, cf_legalhold=True)
    quiet.plan(Kind.RECORDINGS)  # does not look at dossiers
    quiet.plan(as_of=quiet.clock() + timedelta(days=1))  # looks at another day
    assert dossier in marks(quiet)
    quiet.plan()
    assert marks(quiet) == {}
    assert "quarantine_left" in [entry.kind for entry in quiet.store.ledger.entries()]
    quiet.clock.now += timedelta(days=20)
    quiet.patch("cf_dossiers", dossier, cf_legalhold=False)
    assert skipped(quiet.apply(quiet.plan())) == {"QUARANTINED": 1}
    assert marks(quiet)[dossier].until == date(2026, 12, 29)


def test_a_hold_between_plan_and_run_is_told_as_the_hold_that_it_is(quiet: Night) -> None:
    dossier = quiet.dossier("social_card", spoken=LONG_AGO)
    plan = quiet.plan()
    quiet.patch("cf_dossiers", dossier, cf_legalhold=True)
    assert skipped(quiet.apply(plan)) == {"HOLD_LEGAL": 1}
    assert marks(quiet) == {}


def test_what_a_person_took_out_stays_as_long_again_and_is_marked_afresh(quiet: Night) -> None:
    fiche = quiet.fiche("social_card", spoken=LONG_AGO)
    quiet.apply(quiet.plan())
    quiet.clock.now += timedelta(days=14)
    kept = undo(quiet, "cf_fiche", fiche)
    assert kept.until == date(2026, 12, 23)
    quiet.clock.now += timedelta(days=14)
    plan = quiet.plan()
    assert plan.waiting == {"QUARANTINE_UNDONE": 1}
    assert skipped(quiet.apply(plan)) == {"QUARANTINE_UNDONE": 1}
    quiet.clock.now += timedelta(days=1)
    assert skipped(quiet.apply(quiet.plan())) == {"QUARANTINED": 1}
    assert (marks(quiet)[fiche].undone, marks(quiet)[fiche].until) == (False, date(2027, 1, 7))
    quiet.clock.now += timedelta(days=15)
    assert skipped(quiet.apply(quiet.plan())) == {}


def test_the_ledger_names_neither_unit_nor_person(quiet: Night) -> None:
    fiche = quiet.fiche("social_card", spoken=LONG_AGO)
    quiet.apply(quiet.plan())
    undo(quiet, "cf_fiche", fiche)
    entries = [entry for entry in quiet.store.ledger.entries() if entry.kind.startswith("quarantine")]
    assert [entry.kind for entry in entries] == ["quarantined", "quarantine_undone"]
    assert quiet.key.reference("cf_fiche", fiche) in str(entries[0].data)
    assert not any(word in str(entry.data) for entry in entries for word in (fiche, "ben"))


def test_nobody_in_another_role_and_not_the_service_takes_anything_out(quiet: Night, subtests: pytest.Subtests) -> None:
    """ACC-09, ACC-10: the attempt is recorded with role and action."""
    fiche = quiet.fiche("social_card", spoken=LONG_AGO)
    quiet.apply(quiet.plan())
    for who, role in (("ben", "approver"), ("ben", "auditor"), ("service", "dpo")):
        with subtests.test(f"{who} {role}"):
            before = len(list(quiet.store.ledger.entries()))
            with pytest.raises(Refused) as caught:
                undo(quiet, "cf_fiche", fiche, role, who=who)
            (last,) = list(quiet.store.ledger.entries())[before:]
            assert (caught.value.code, last.kind, last.data["role"], last.data["action"]) == ("role", "denied", role, "keep_in_quarantine")
            assert not marks(quiet)[fiche].undone


def test_a_unit_whose_days_have_passed_is_not_taken_out_any_more(quiet: Night) -> None:
    fiche = quiet.fiche("social_card", spoken=LONG_AGO)
    quiet.apply(quiet.plan())
    quiet.clock.now += timedelta(days=15)
    with pytest.raises(Refused) as caught:
        undo(quiet, "cf_fiche", fiche)
    assert caught.value.code == "quarantine_over"
    with pytest.raises(UsageError):
        undo(quiet, "cf_fiche", "00000000-0000-0000-0000-000000000001")


def test_a_dossier_does_not_take_a_recording_in_quarantine_along(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=waiting("  categories: [recording]\n"))
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0])
    run = night.apply(night.plan())
    assert skipped(run) == {"QUARANTINED": 2}
    assert night.get("cf_recordings", recording) is not None


def test_without_the_option_the_marks_of_before_are_void(quiet: Night, make_night: Callable[..., Night]) -> None:
    """Else a unit would go without its days once the option is switched on again."""
    fiche = quiet.fiche("social_card", spoken=LONG_AGO)
    quiet.apply(quiet.plan())
    assert fiche in marks(quiet)
    make_night().plan()
    assert marks(quiet) == {}


def test_a_recording_that_somebody_keeps_keeps_its_dossier_as_long(quiet: Night) -> None:
    """The dossier's own days have passed, and it waits all the same, as docs/disposal.md says."""
    dossier = quiet.dossier("social_card", spoken=LONG_AGO)
    recording = quiet.recording(LONG_AGO, fiche=quiet.fiches_of(dossier)[0])
    quiet.apply(quiet.plan())
    quiet.clock.now += timedelta(days=10)
    undo(quiet, "cf_recording", recording)
    quiet.clock.now += timedelta(days=5)
    assert (marks(quiet)[dossier].until, marks(quiet)[recording].until) == (date(2026, 12, 9), date(2026, 12, 19))
    assert skipped(quiet.apply(quiet.plan())) == {"QUARANTINE_UNDONE": 2}
    assert quiet.get("cf_dossiers", dossier) is not None
