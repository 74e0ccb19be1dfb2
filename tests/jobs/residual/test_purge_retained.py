"""Units in the CRM's long-term retention are disposed of when their period has ended, as live ones are, or
named and kept as a whole (P34).

All people are fictitious.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.erasures.register import load_register
from jobs.model.plan import Kind
from jobs.model.run import RunState
from jobs.plans.make import make_plan
from jobs.restores.detect import rows_back
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from tests.drivers.holding import place
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.restoring import Backup
from tests.drivers.typist import LONG_AGO
from tests.integration.dependent import add, dependent_night
from tests.jobs.residual.retained import (
    CODE,
    LATELY,
    MakeNight,
    Stubborn,
    actions,
    all_there,
    applied,
    retain,
    retained_dossier,
    roll_back,
    skipped,
    there,
)
from tests.jobs.restores.replaying import made_again


def test_a_unit_that_lies_there_goes_and_is_certified(night: Night) -> None:
    dossier, person = retained_dossier(night)
    plan = night.plan()
    line = night.lines(plan)[dossier]
    assert (line.outcome, CODE in line.flags, plan.waiting, plan.breaker.units.planned) == ("dispose", True, {}, 1)
    run = night.apply(plan)
    assert (run.state, run.counts["deleted"], skipped(run)) == (RunState.DONE, 2, {})
    assert all_there(night) == {}
    assert night.get("contacts", person) is None, "nothing refers to them any more"
    action = actions(night, run)[dossier]
    assert action.places["copies"] == "done"
    assert {write.kind for write in action.rows if write.retained} == {"dossier", "fiche", "party", "note", "call"}
    certificate = next(each.certificate for each in night.store.certificates.of_run(run.id) if each.certificate.unit_type == "dossier")
    assert (certificate.disposition, certificate.objects["fiches"], certificate.objects["notes"]) == ("DELETED", 2, 1)
    assert verify_run(night.context, run.id)["still_there"] == []
    assert night.rows("asyncoperations") == []


def test_the_register_of_erasures_knows_of_it(night: Night) -> None:
    """ERA-13."""
    dossier, _ = retained_dossier(night)
    night.apply(night.plan())
    found = load_register(night.context).find(night.key.references("cf_dossier", dossier))
    assert found is not None
    assert found.operation == "delete"
    assert rows_back(night.context) == 0


def test_a_restore_of_what_lay_there_alone_is_noticed(night: Night) -> None:
    """ERA-13: all that had gone was archived, and so is what is back."""
    retained_dossier(night)
    kept = Backup(night)
    run = night.apply(night.plan())
    assert rows_back(night.context) == 0
    kept.restore()
    gone = {write.id for action in actions(night, run).values() for write in action.rows if write.operation == "delete"}
    assert rows_back(night.context) == len(gone) > 5
    kept.close()


def test_a_table_that_has_no_retention_any_more_is_not_asked_for_what_went_from_there(night: Night) -> None:
    """No night would begin until many others have gone: the CRM refuses the question."""
    retained_dossier(night)
    night.apply(night.plan())
    night.emulator.emulator.tables.environment.retaining.clear()  # an administrator has ended it
    night.connector.close()
    night.__post_init__()  # the next night
    set_faults(night.emulator, {"match": {"path": '*datasource="retained"*'}, "times": 99, "do": "status", "status": 400})
    assert rows_back(night.context) == 0


def test_what_went_from_there_and_is_back_as_live_is_noticed_where_its_table_has_no_retention_any_more(night: Night) -> None:
    """ERA-13: the backup is of before the rows were archived."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    kept = Backup(night)
    for fiche in night.fiches_of(dossier):
        retain(night, "cf_fiche", fiche)
    retain(night, "cf_dossier", dossier)
    night.apply(night.plan())
    kept.restore()
    night.emulator.emulator.tables.environment.retaining.clear()
    night.connector.close()
    night.__post_init__()
    assert rows_back(night.context) > 0
    kept.close()


def test_a_dependent_table_that_the_mapping_has_no_more_keeps_no_night_from_beginning(tmp_path: Path) -> None:
    with dependent_night(tmp_path) as night:
        dossier = night.dossier("social_card", spoken=LONG_AGO)
        visit = add(night, "cf_homevisit", ("cf_DossierId", "cf_dossiers", dossier))
        retain(night, "cf_homevisit", visit)
        run = night.apply(night.plan())
        assert [write.kind for write in actions(night, run)[dossier].rows if write.retained] == ["cf_homevisit"]
        night.mapping = ""  # the shipped one
        night.connector.close()
        night.__post_init__()
        assert rows_back(night.context) == 0


def test_rows_that_went_from_there_hide_no_restore_of_live_ones(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """ERA-13: only so many of the rows that went last are looked for, and a backup need not have all."""
    monkeypatch.setattr("jobs.restores.detect.SAMPLE", 4)

    def live(night: Night) -> str:
        return night.dossier("social_card", spoken=LONG_AGO)

    dossier = live(night)
    night.apply(night.plan())
    retained_dossier(night)
    night.apply(night.plan())
    assert rows_back(night.context) == 0
    assert made_again(night, live) == dossier
    assert rows_back(night.context) > 0


def test_the_next_night_finds_nothing(night: Night) -> None:
    retained_dossier(night)
    night.apply(night.plan())
    plan = night.plan()
    assert (plan.units, plan.retained_rows) == (0, {})


@pytest.mark.parametrize("which", ["dossier", "fiche"])
def test_a_unit_of_which_a_part_lies_there_goes_as_a_whole(night: Night, which: str) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=2)
    retain(night, f"cf_{which}", dossier if which == "dossier" else night.fiches_of(dossier)[0])
    run = night.apply(night.plan())
    assert (run.state, run.counts["deleted"], run.counts["rows"]) == (RunState.DONE, 1, {"cf_dossier": 1, "cf_fiche": 2})
    assert (all_there(night), night.rows("cf_dossiers"), night.rows("cf_fiches")) == ({}, [], [])


def test_a_unit_whose_period_runs_stays(night: Night) -> None:
    dossier, _ = retained_dossier(night, spoken=LATELY)
    before = all_there(night)
    run = night.apply(night.plan())
    assert (run.counts["deleted"], all_there(night)) == (0, before)
    assert dossier in there(night, "cf_dossier")


def test_a_recording_there_goes_by_its_own_period(night: Night) -> None:
    """RET-03."""
    old, young = night.recording(LONG_AGO), night.recording(LATELY)
    for row in (old, young):
        retain(night, "cf_recording", row)
    run = night.apply(night.plan(Kind.RECORDINGS))
    assert (run.state, run.counts["deleted"], there(night, "cf_recording")) == (RunState.DONE, 1, {young})


def test_a_contact_there_goes_with_the_last_unit_that_refers_to_it(night: Night) -> None:
    """RET-20."""
    dossier, person = retained_dossier(night)
    retain(night, "contact", person)
    plan = night.plan()
    assert CODE in night.lines(plan)[person].flags
    run = night.apply(plan)
    assert (run.state, run.counts["deleted"], all_there(night)) == (RunState.DONE, 2, {})
    assert {dossier, person} <= actions(night, run).keys()


def test_a_donor_there_cannot_be_trimmed_and_is_not_forgotten(night: Night) -> None:
    """RET-20: once restored, the next night empties the fields of operations."""
    donor = night.contact(cf_birthplace="Verzonnen")
    night.donation(donor)
    night.party(donor, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    retain(night, "contact", donor)
    plan = night.plan()
    assert (plan.trims, plan.waiting) == ((donor,), {CODE: 1})
    assert skipped(night.apply(plan)) == {CODE: 1}
    assert night.plan().waiting == {CODE: 1}
    roll_back(night, "contact", donor)
    assert night.apply(night.plan()).counts["trimmed"] == 1
    found = night.get("contacts", donor)
    assert found is not None
    assert found["cf_birthplace"] is None


def test_a_contact_there_whom_no_job_may_purge_is_not_forgotten(night: Night) -> None:
    """RET-20: without a word in the journal a later plan would take it for one that was never linked."""
    person = night.contact()
    night.party(person, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    retain(night, "contact", person)
    context = night.context
    lacking = dataclasses.replace(context, connector=Stubborn(context.connector, may_purge_retained=lambda: False))
    plan = make_plan(lacking, Kind.ALL)
    assert plan.waiting == {CODE: 1}
    assert skipped(apply_plan(lacking, plan.id)) == {CODE: 1}
    assert night.apply(night.plan()).counts["deleted"] == 1
    assert all_there(night) == {}


def test_figures_are_taken_of_what_lies_there(night: Night) -> None:
    """ERA-03: sex and province of a child whose contact is there too."""
    child = night.contact(birthdate="2000-02-01", address1_postalcode="9000", gendercode=2)
    dossier = night.dossier("sexting", spoken=LONG_AGO)
    retain(night, "cf_party", night.party(child, "child", dossier=dossier))
    for table, row in (("cf_fiche", night.fiches_of(dossier)[0]), ("cf_dossier", dossier), ("contact", child)):
        retain(night, table, row)
    found = night.apply(night.plan())
    assert (found.state, found.counts["anonymised"], all_there(night)) == (RunState.DONE, 1, {})
    assert len(night.rows("cf_statistics")) == 1


# -- holds ---------------------------------------------------------------------------------------------------


def test_a_hold_on_a_person_reaches_a_unit_there(night: Night) -> None:
    """HLD-04: by a role that is there too."""
    dossier, person = retained_dossier(night)
    place(night, person=person)
    found = night.lines(night.plan())[dossier]
    assert (found.outcome, found.reason) == ("retain", "HOLD_JUDICIAL")


def test_a_hold_can_be_placed_on_a_row_there(night: Night) -> None:
    dossier, _ = retained_dossier(night)
    place(night, "cf_dossier", dossier)
    assert night.lines(night.plan())[dossier].reason == "HOLD_JUDICIAL"


@pytest.mark.parametrize("by", ["row", "person"])
def test_a_hold_that_came_since_the_plan_wins(night: Night, by: str) -> None:
    """HLD-07."""
    dossier, person = retained_dossier(night)
    plan, before = night.plan(), all_there(night)
    place(night, "cf_dossier", dossier) if by == "row" else place(night, person=person)
    run = night.apply(plan)
    assert (run.counts["deleted"], all_there(night)) == (0, before)
    assert "HOLD_JUDICIAL" in run.counts["skipped"]  # type: ignore[operator]


def test_a_hold_that_comes_right_before_the_job_wins(night: Night) -> None:
    """HLD-07: after everything was judged, and before the job is started."""
    dossier, _ = retained_dossier(night)
    plan, before = night.plan(), all_there(night)
    context = night.context

    def change(*sent: Any, **more: Any) -> Any:
        return context.connector.change(*sent, **more)

    def dependent_rows(rows: Any, **more: Any) -> Any:  # asked once a unit has been judged
        if not night.store.holds.all():
            place(night, "cf_dossier", dossier)
        return context.connector.dependent_rows(rows, **more)

    run = applied(night, plan, change=change, dependent_rows=dependent_rows)
    assert (run.counts["deleted"], all_there(night)) == (0, before)


# -- what the platform does not let us do --------------------------------------------------------------------


def stays(night: Night, unit: str, kind: Kind = Kind.ALL) -> None:
    """The unit is due, is named and counted in the plan, and stays without a failure."""
    plan, before = night.plan(kind), all_there(night)
    assert (night.lines(plan)[unit].outcome, CODE in night.lines(plan)[unit].flags, plan.waiting) == ("dispose", True, {CODE: 1})
    assert sum(plan.dispose.values()) + sum(plan.retain.values()) == plan.units  # ACC-03: what waits is a part of what is due
    assert plan.breaker.units.planned == 0
    run = night.apply(plan)
    assert (run.state, skipped(run)) == (RunState.DONE, {CODE: 1})
    assert all_there(night) == before


def test_a_row_there_cannot_be_anonymised_in_place(make_night: MakeNight) -> None:
    """R-081: no write reaches it."""
    night = make_night(policy=lambda text: text.replace("backups:\n", "anonymise:\n  how: in_place\n\nbackups:\n", 1))
    night.create("teams", "teamid", name="Geanonimiseerd")
    child, dossier = night.contact(birthdate="2000-02-01"), night.dossier("sexting", spoken=LONG_AGO)
    night.party(child, "child", dossier=dossier)
    retain(night, "cf_dossier", dossier)
    stays(night, dossier)


def test_a_recording_there_that_has_to_stay_keeps_its_fiche(night: Night) -> None:
    """RET-03: its link to the fiche cannot be emptied."""
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    retain(night, "cf_recording", night.recording(LATELY, fiche=fiche))
    stays(night, fiche)
    stays(night, fiche, Kind.RETENTION)
    assert night.get("cf_fiches", fiche) is not None


def test_a_recording_there_with_content_outside_the_crm_stays(night: Night) -> None:
    """R-053: the row alone tells where its content is."""
    recording = night.recording(LONG_AGO, cf_storageuri="https://voorbeeld.invalid/a.wav")
    retain(night, "cf_recording", recording)
    plan = night.plan(Kind.RECORDINGS)
    assert plan.waiting == {CODE: 1}
    assert skipped(night.apply(plan)) == {CODE: 1}
    assert there(night, "cf_recording") == {recording}


def test_a_role_there_that_is_in_two_units_keeps_both(night: Night) -> None:
    """RET-20: its link to the one cannot be emptied."""
    dossier, fiche = night.dossier("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=LATELY)
    retain(night, "cf_party", night.party(night.contact(), "reporter", dossier=dossier, fiche=fiche))
    stays(night, dossier)
    assert night.get("cf_dossiers", dossier) is not None


def test_an_account_that_may_start_no_job_keeps_what_lies_there(night: Night) -> None:
    dossier, _ = retained_dossier(night)
    context = night.context
    lacking = dataclasses.replace(context, connector=Stubborn(context.connector, may_purge_retained=lambda: False))
    before = all_there(night)
    plan = make_plan(lacking, Kind.ALL)
    assert plan.waiting == {CODE: 1}
    assert CODE in night.lines(plan)[dossier].flags
    run = apply_plan(lacking, plan.id)
    assert (run.state, skipped(run), all_there(night)) == (RunState.DONE, {CODE: 1}, before)


def test_a_unit_in_quarantine_gets_no_note_where_none_can_hang(make_night: MakeNight) -> None:
    night = make_night(policy=lambda text: text + "quarantine:\n  days: 14\n  notice: note\n")
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    retain(night, "cf_fiche", fiche)
    assert skipped(night.apply(night.plan())) == {"QUARANTINED": 1}
    night.clock.now += timedelta(days=15)
    assert night.apply(night.plan()).counts["deleted"] == 1
    assert all_there(night) == {}
