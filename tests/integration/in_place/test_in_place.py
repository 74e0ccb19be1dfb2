"""Nights on which dossiers are anonymised in place (section 5.3; R-081 to R-087, R-090).

All people are fictitious.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.emulator.serving.server import running
from connectors.interface.errors import Forbidden
from jobs.checks.whole_view import permitted
from jobs.model.plan import Kind
from jobs.model.privileges import needs_under
from jobs.model.run import ActionState, RunState
from jobs.residual.clean import clean_places
from rules.errors import MappingError
from rules.model.residual_data import PlaceState, ResidualPlace
from tests.connectors.dynamics.residual.residual_crm import environment_with_more
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide
from tests.integration.in_place.anonymised import (
    ADULT,
    CANARY,
    LONG_AGO,
    MakeNight,
    a_runaway,
    actions,
    fiche_full_of_canaries,
    in_place,
    masked_columns,
)
from tests.known_definitions import KNOWN

# --- what is left of a dossier ------------------------------------------------------------------------------


in_one_night = SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


def test_nothing_of_an_anonymised_dossier_names_anybody(night: Night) -> None:
    """R-081, R-082, ERA-06: columns are empty or constant, all that hung on them is gone, and the statistics
    have it as before."""
    dossier = a_runaway(night, full=True)
    fiche = fiche_full_of_canaries(night, dossier)
    night.patch("cf_dossiers", dossier, statecode=1, statuscode=2)
    night.party(night.contact(lastname=CANARY), "reporter", fiche=fiche)
    night.note("cf_dossier", dossier, notetext=CANARY)
    night.note("cf_fiche", fiche, subject=CANARY)
    night.call("cf_fiche", fiche, [])
    old, young = night.recording(LONG_AGO, fiche=fiche), night.recording(date(2026, 11, 1), fiche=fiche)
    plan = night.plan()
    assert night.lines(plan)[dossier].disposition == "anonymise"  # the plan's disposition stays that of the schedule (ERA-03)
    run = night.apply(plan)
    assert run.state is RunState.DONE
    assert (run.counts["anonymised"], run.counts["statistics"]) == (1, 1)
    verified: Any = run.counts["verified"]
    assert (verified["masked"], verified["still_there"]) == (3, 0)

    row = night.get("cf_dossiers", dossier)
    assert row is not None
    assert masked_columns(row) == {"cf_dossierid": dossier, "cf_name": "Geanonimiseerd", "cf_anonymisedon": row["cf_anonymisedon"]}
    (team,) = night.rows("teams?$select=teamid&$filter=name eq 'Geanonimiseerd'")
    assert (row["_ownerid_value"], row["statecode"]) == (team["teamid"], 1)
    fiches = night.rows("cf_fiches")
    assert {each["cf_ficheid"] for each in fiches} >= {fiche}
    for each in fiches:
        assert masked_columns(each).keys() == {"cf_ficheid", "cf_name", "cf_anonymisedon"}
    for table in ("annotations", "phonecalls", "cf_parties", "contacts", "activityparties"):
        assert night.rows(table) == [], table
    assert night.get("cf_recordings", old) is None
    kept = night.get("cf_recordings", young)  # its own term runs (RET-03)
    assert kept is not None
    assert kept["_cf_ficheid_value"] is None
    sets = ("cf_dossiers", "cf_fiches", "cf_parties", "cf_recordings", "cf_statistics", "contacts", "annotations")
    assert CANARY not in json.dumps([night.rows(table) for table in sets])
    assert actions(night, run.id)[dossier].places[ResidualPlace.AUDIT_HISTORY] in (PlaceState.DONE, PlaceState.NOT_APPLICABLE)


@in_one_night
def what_stays_is_untouched_to_the_byte(night: Night) -> Case:
    a_runaway(night)
    young = a_runaway(night, born="2015-05-05", cf_summary="Verzonnen.")
    fiche = fiche_full_of_canaries(night, young)
    keep = [("cf_dossiers", young), ("cf_fiches", fiche)]
    before = [night.get(*each) for each in keep]
    yield APPLIED
    assert [night.get(*each) for each in keep] == before


@in_one_night
def a_lone_fiche_is_masked_by_itself(night: Night) -> Case:
    """RET-02: a unit of its own; it never becomes a row of the statistics, so nothing of it may stay."""
    fiche = fiche_full_of_canaries(night, None)
    night.party(night.contact(birthdate=ADULT), "child", fiche=fiche)
    run = yield APPLIED
    row = night.get("cf_fiches", fiche)
    assert run.state is RunState.DONE
    assert row is not None
    assert masked_columns(row).keys() == {"cf_ficheid", "cf_name", "cf_anonymisedon"}


def test_a_dossier_with_a_public_alert_is_deleted_all_the_same(night: Night) -> None:
    """R-083, ERA-04: only the total of the year grows."""
    dossier = a_runaway(night, cf_publicalert=True)
    run = night.apply(night.plan())
    assert (run.counts["deleted"], run.counts["anonymised"]) == (2, 0)  # the dossier, and the child's contact
    assert night.get("cf_dossiers", dossier) is None
    assert [(row["cf_categorykey"], row["cf_year"], row["cf_count"]) for row in night.rows("cf_statistics")] == [
        ("total_disappearance", 2024, 1)
    ]


@in_one_night
def a_category_that_is_deleted_is_deleted(night: Night) -> Case:
    dossier = night.dossier("social_card", spoken=date(2025, 1, 10))
    yield APPLIED
    assert night.get("cf_dossiers", dossier) is None


def test_a_unit_on_which_something_unmapped_hangs_waits(make_night: MakeNight, tmp_path: Path) -> None:
    """R-081: a deleted row takes along what depends on it, a masked one would keep it."""
    with running(environment=environment_with_more(tmp_path), token=TOKEN, limits=False) as emulator, KNOWN.of(emulator, TOKEN):
        base = make_night(policy=in_place())
        night = Night(emulator, base.store, base.key, base.policy, base.clock)
        night.create("teams", "teamid", name="Geanonimiseerd")
        dossier, other = a_runaway(night), a_runaway(night)
        link = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
        night.create("cf_measures", "cf_measureid", cf_name=CANARY, **link)
        run = night.apply(night.plan())
        found = actions(night, run.id)
        assert (found[dossier].state, found[dossier].code) == (ActionState.SKIPPED, "SKIPPED_TECHNICAL")
        assert found[other].state is ActionState.DONE
        night.close()


# --- once ---------------------------------------------------------------------------------------------------


def test_the_next_night_writes_nothing(night: Night) -> None:
    """R-087, ERA-07: rows already anonymised have no line."""
    dossier = a_runaway(night)
    night.apply(night.plan())
    before, writes = night.get("cf_dossiers", dossier), night.writes()
    night.clock.now += timedelta(days=1)
    plan = night.plan()
    assert dossier not in night.lines(plan)
    night.apply(plan)
    assert night.writes() == writes
    assert night.get("cf_dossiers", dossier) == before


def test_an_older_plan_does_not_write_a_row_that_was_anonymised_since(night: Night) -> None:
    """R-087 where two plans were made of the same row."""
    dossier = a_runaway(night)
    first, second = night.plan(), night.plan(Kind.RETENTION)
    night.apply(first)
    writes = night.writes()
    run = night.apply(second)
    assert night.writes() == writes
    assert actions(night, run.id)[dossier].code == "CHANGED"


@in_one_night
def a_hold_that_comes_after_the_plan_wins(night: Night) -> Case:
    """HLD-07."""
    dossier = a_runaway(night)
    yield PLANNED
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    yield APPLIED
    row = night.get("cf_dossiers", dossier)
    assert row is not None
    assert row["cf_anonymisedon"] is None


@pytest.mark.parametrize("lost", ["cut_before", "cut_after"])
def test_a_lost_answer_is_read_back_and_nothing_is_written_twice(night: Night, lost: str) -> None:
    """The masks are read back column by column before anything is tried again."""
    dossier = a_runaway(night, full=True)
    plan = night.plan()
    fault = {"match": {"path": "$batch", "method": "POST"}, "do": lost, "times": 1}
    set_faults(night.emulator, fault)
    run = night.apply(plan)
    row = night.get("cf_dossiers", dossier)
    assert run.state is RunState.DONE
    assert row is not None
    assert masked_columns(row).keys() == {"cf_dossierid", "cf_name", "cf_anonymisedon"}


@pytest.mark.parametrize("written", [False, True], ids=["before_the_write", "after_the_write"])
def test_a_run_that_was_cut_off_goes_on_where_it_was(night: Night, monkeypatch: pytest.MonkeyPatch, written: bool) -> None:
    """ERA-15: applied again, the plan is finished; the unit is counted once."""
    dossier = a_runaway(night, full=True)
    plan = night.plan()
    change = night.connector.change

    def killed(change_sets: Any, **more: Any) -> Any:
        if written:
            change(change_sets, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(night.connector, "change", killed)
    with pytest.raises(KeyboardInterrupt):
        night.apply(plan)
    monkeypatch.undo()
    run = night.apply(plan)
    row = night.get("cf_dossiers", dossier)
    assert run.state is RunState.DONE
    assert row is not None
    assert masked_columns(row).keys() == {"cf_dossierid", "cf_name", "cf_anonymisedon"}
    assert run.counts["anonymised"] == 1
    assert [each["cf_count"] for each in night.rows("cf_statistics")] == [1]


def test_an_anonymised_row_that_somebody_fills_again_is_found(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """ERA-15: reading back looks at every column, at the end of the run."""
    dossier = a_runaway(night)
    plan = night.plan()

    def filled(*given: Any) -> Any:
        night.patch("cf_dossiers", dossier, cf_summary=CANARY)
        return clean_places(*given)

    monkeypatch.setattr("jobs.runs.clean_up.clean_places", filled)
    run = night.apply(plan)
    action = actions(night, run.id)[dossier]
    assert run.state is RunState.DONE_WITH_FAILURES
    assert (action.state, action.code, action.still_there) == (ActionState.PARTIAL, "STILL_THERE", (("cf_dossier", dossier),))


# --- refused ------------------------------------------------------------------------------------------------


def test_without_the_neutral_team_nothing_is_planned(make_night: MakeNight) -> None:
    night = make_night(policy=in_place())
    a_runaway(night)
    with pytest.raises(MappingError, match="no team"):
        night.plan()


def give(night: Night, *but: str) -> None:
    """The least role under this schedule, with what cleaning needs, but for some privileges."""
    lines = [*night.connector.least_role(needs_under(night.policy)), *night.connector.cleaning_role()]
    body = {"user": night.connector.whoami(), "set": {line.name: line.depth for line in lines if line.name not in but}}
    night.http.put(f"{night.emulator.root}/_emulator/privileges", json=body).raise_for_status()


def test_the_least_role_is_enough_to_anonymise_in_place(night: Night) -> None:
    dossier = a_runaway(night)
    give(night)
    permitted(night.connector, night.policy)
    run = night.apply(night.plan())
    assert actions(night, run.id)[dossier].state is ActionState.DONE


@pytest.mark.parametrize("lacking", ["prvAssigncf_dossier", "prvWritecf_fiche", "prvReadTeam"])
def test_without_a_right_that_masks_need_nothing_begins(night: Night, lacking: str) -> None:
    give(night, lacking)
    with pytest.raises(Forbidden, match=f"{lacking} is missing"):
        permitted(night.connector, night.policy)
