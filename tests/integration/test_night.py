"""Nights from end to end: plan, apply, verify; scenarios of sections 11.1 to 11.3, 11.5 and 11.12 as far as
they need a CRM."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from jobs.model.plan import Kind
from jobs.model.run import TRIM, ActionState, Run, RunState
from jobs.runs.verify import verify_run
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide, skipped

MakeNight = Callable[..., Night]
ADULT = "2000-02-01"
LONG_AGO = date(2025, 1, 10)
in_one_night, with_failures = SideBySide[Night](), SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


def test_a_night_with_what_is_refused_and_out_of_reach(night: Night, subtests: pytest.Subtests) -> None:
    with_failures.play(night, subtests)


def trimmed(night: Night, run: Run, person: str) -> int:
    """How often a person was trimmed in a run; where nothing was to be emptied it does not count."""
    return sum(action.disposition == TRIM and bool(action.rows) for action in night.store.journal.of_run(run.id) if action.id == person)


def left(night: Night, *dossiers: str) -> set[str]:
    """Which of these dossiers are still there."""
    return {row["cf_dossierid"] for row in night.rows("cf_dossiers?$select=cf_dossierid")} & {*dossiers}


def test_a_disposed_dossier_leaves_no_row_behind(night: Night) -> None:
    """R-158: the relationship to fiches only removes the link; nothing of the dossier remains all the
    same."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=3)
    first, *others = night.fiches_of(dossier)
    person = night.contact()
    night.party(person, "reporter", dossier=dossier)
    night.party(person, "reporter", fiche=first)
    night.note("cf_dossier", dossier)
    night.note("cf_fiche", others[0])
    night.call("cf_fiche", first, [person])
    night.recording(LONG_AGO, fiche=first)
    run = night.apply(night.plan())
    assert (run.state, run.counts["deleted"]) == (RunState.DONE, 3)  # the dossier, the recording, the contact
    for table in ("cf_dossiers", "cf_fiches", "cf_parties", "annotations", "phonecalls", "cf_recordings", "contacts", "activityparties"):
        assert night.rows(table) == []
    assert run.counts["verified"] == {"gone": 11, "masked": 0, "still_there": 0}


def test_a_plan_of_dossiers_alone_takes_expired_recordings_with_them(night: Night) -> None:
    """R-158 in the run that looks at dossiers only."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0])
    night.apply(night.plan(Kind.RETENTION))
    assert night.rows("cf_recordings") == []


@in_one_night
def a_recording_that_the_plan_keeps_does_not_go_with_a_dossier_to_which_it_was_moved(night: Night) -> Case:
    """It is a unit of its own (RET-03), and goes by a plan that says so."""
    held, due = night.dossier("runaway", spoken=LONG_AGO, cf_legalhold=True), night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(LONG_AGO, fiche=night.fiches_of(held)[0])
    yield PLANNED
    (fiche,) = night.fiches_of(due)
    night.patch("cf_recordings", recording, **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    done = yield APPLIED
    assert skipped(night, done, held, due, recording) == {"CHANGED": 1}
    assert night.get("cf_dossiers", due) is not None
    yield APPLIED
    assert [night.get(*row) for row in (("cf_dossiers", due), ("cf_recordings", recording))] == [None, None]


@in_one_night
def a_recording_that_is_not_what_was_planned_any_more_is_not_taken_along(night: Night) -> Case:
    """RET-17: it is due by its dossier's end now, and nobody has approved that."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0])
    yield PLANNED
    night.patch("cf_recordings", recording, cf_evidence=True)
    done = yield APPLIED
    assert skipped(night, done, dossier, recording) == {"CHANGED": 2}
    assert (night.get("cf_recordings", recording) is None, night.get("cf_dossiers", dossier) is None) == (False, False)
    again = yield APPLIED
    assert skipped(night, again, dossier, recording) == {}
    assert (night.get("cf_recordings", recording), night.get("cf_dossiers", dossier)) == (None, None)


def test_a_recording_that_has_become_due_since_the_plan_goes_with_its_dossier_by_the_next(night: Night) -> None:
    """RET-03, RET-17: it goes by a line of its own. Nothing has changed, so that no plan needs two people for
    it."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(date(2026, 5, 26), fiche=night.fiches_of(dossier)[0])
    plan = night.approved(night.plan())
    night.clock.now += timedelta(days=2)
    assert night.apply(plan).counts["skipped"] == {"RECORDING_DUE": 1}
    assert (night.get("cf_recordings", recording) is None, night.get("cf_dossiers", dossier) is None) == (False, False)
    after = night.plan()
    assert (after.why, night.apply(after).counts["skipped"]) == ((), {})
    assert (night.get("cf_recordings", recording), night.get("cf_dossiers", dossier)) == (None, None)


@in_one_night
def a_recording_whose_own_term_still_runs_stays_without_its_link(night: Night) -> Case:
    """RET-03."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    kept = night.recording(date(2026, 11, 1), fiche=night.fiches_of(dossier)[0])
    run = yield APPLIED
    assert run.state is RunState.DONE
    row = night.get("cf_recordings", kept)
    assert row is not None
    assert row["_cf_ficheid_value"] is None


@in_one_night
def a_shared_contact_stays_and_only_its_link_to_the_disposed_dossier_goes(night: Night) -> Case:
    """R-042."""
    gone, kept = night.dossier("social_card", spoken=LONG_AGO), night.dossier("runaway", spoken=LONG_AGO)
    person = night.contact(birthdate="2015-01-01")
    night.party(person, "child", dossier=gone)
    night.party(person, "child", dossier=kept)
    yield APPLIED
    assert night.get("contacts", person) is not None
    assert [row["_cf_dossierid_value"] for row in night.rows(f"cf_parties?$filter=_cf_contactid_value eq {person}")] == [kept]


@in_one_night
def a_reporter_who_gives_money_keeps_what_the_gift_needs(night: Night) -> Case:
    """R-043: register number, birth date, image and notes of operations go, the rest of the contact and the
    gift stay as they are."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    donor = night.contact(
        birthdate="1980-05-05",
        cf_nationalnumber="80.05.05-997.83",
        cf_birthplace="Fictiestad",
        description="Verzonnen.",
        emailaddress1="donor@example.org",
    )
    night.party(donor, "reporter", dossier=dossier)
    gift = night.donation(donor)
    before = night.get("cf_donations", gift)
    run = yield APPLIED
    row = night.get("contacts", donor)
    assert row is not None
    assert {row[name] for name in ("birthdate", "cf_nationalnumber", "cf_birthplace", "description")} == {None}
    assert (row["emailaddress1"], row["lastname"]) == ("donor@example.org", "Peeters (fictief)")
    assert night.get("cf_donations", gift) == before
    assert trimmed(night, run, donor) == 1


@in_one_night
def a_former_volunteer_is_kept_without_a_line_and_loses_what_operations_needed(night: Night) -> Case:
    """RET-20: an ended agreement is not an active relation, yet its contact lives on."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    volunteer = night.contact(birthdate="1970-01-02")
    bind = {"cf_ContactId@odata.bind": f"/contacts({volunteer})"}
    night.create("cf_engagements", "cf_engagementid", cf_name="e", cf_startedon="2019-01-01", cf_endedon="2020-01-01", **bind)
    night.party(volunteer, "reporter", dossier=dossier)
    plan = yield PLANNED
    assert volunteer not in night.lines(plan)
    yield APPLIED
    row = night.get("contacts", volunteer)
    assert row is not None
    assert row["birthdate"] is None


@in_one_night
def a_dossier_that_became_no_term_after_the_plan_is_untouched(night: Night) -> Case:
    """R-044."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    yield PLANNED
    night.patch("cf_dossiers", dossier, cf_categories="100000033")
    run = yield APPLIED
    assert skipped(night, run, dossier) == {"NO_TERM": 1}
    assert night.get("cf_dossiers", dossier) is not None


@in_one_night
def a_hold_flag_set_after_the_plan_wins(night: Night) -> Case:
    """R-077 for the CRM's own flag; HLD-07, HLD-14."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    yield PLANNED
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    run = yield APPLIED
    assert skipped(night, run, dossier) == {"HOLD_LEGAL": 1}
    assert night.get("cf_dossiers", dossier) is not None


@in_one_night
def a_touched_dossier_waits_for_the_next_plan(night: Night) -> Case:
    """RET-17: plan and recomputation must agree, the version of the row included."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    yield PLANNED
    night.patch("cf_dossiers", dossier, cf_summary="Verzonnen toevoeging.")
    run = yield APPLIED
    assert skipped(night, run, dossier) == {"CHANGED": 1}
    assert night.get("cf_dossiers", dossier) is not None
    yield APPLIED
    assert night.get("cf_dossiers", dossier) is None


def test_a_flag_cleared_in_the_crm_lets_the_dossier_go_and_is_reported(night: Night) -> None:
    """R-154."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, cf_legalhold=True)
    first = night.plan()
    assert night.lines(first)[dossier].reason == "HOLD_LEGAL"
    night.patch("cf_dossiers", dossier, cf_legalhold=False)
    second = night.plan()
    assert [(change.id, change.change) for change in second.hold_changes] == [(dossier, "cleared")]
    assert night.apply(second).counts["deleted"] == 1


def test_a_legal_hold_on_the_dossier_keeps_its_recording(night: Night) -> None:
    """R-048, HLD-04; and R-047: without the hold the recording goes although the dossier is open."""
    held = night.dossier("runaway", spoken=LONG_AGO, cf_legalhold=True, closed=False)
    free = night.dossier("runaway", spoken=LONG_AGO, closed=False)
    kept = night.recording(LONG_AGO, fiche=night.fiches_of(held)[0])
    gone = night.recording(LONG_AGO, fiche=night.fiches_of(free)[0])
    plan = night.plan(Kind.RECORDINGS)
    assert night.lines(plan)[kept].reason == "HOLD_LEGAL"
    night.apply(plan)
    assert night.get("cf_recordings", kept) is not None
    assert night.get("cf_recordings", gone) is None


@in_one_night
def an_evidence_mark_counts_inside_a_dossier_only(night: Night) -> Case:
    """R-153."""
    child = night.contact(birthdate="2010-10-10")
    dossier = night.dossier("runaway", spoken=date(2026, 4, 1))
    night.party(child, "child", dossier=dossier)
    inside = night.recording(date(2026, 4, 1), fiche=night.fiches_of(dossier)[0], cf_evidence=True)
    alone = night.recording(date(2026, 4, 1), fiche=night.fiche("runaway", spoken=date(2026, 4, 1)), cf_evidence=True)
    plan = yield PLANNED
    lines = night.lines(plan)
    assert (lines[inside].outcome, lines[inside].retention_end) == ("retain", "2035-10-10")
    assert lines[alone].outcome == "dispose"


@with_failures
def a_recording_with_content_elsewhere_is_skipped_and_keeps_its_dossier(night: Night) -> Case:
    """An orphaned object would be lost from sight; the dossier waits, since its recording may not be left
    without it (R-158)."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0], cf_storageuri="file:///recordings/1.wav")
    run = yield APPLIED
    assert (run.state, skipped(night, run, dossier, recording)) == (RunState.DONE_WITH_FAILURES, {"SKIPPED_TECHNICAL": 2})
    assert night.get("cf_recordings", recording) is not None
    assert night.get("cf_dossiers", dossier) is not None


@in_one_night
def a_public_alert_adds_to_the_total_only(night: Night) -> Case:
    """R-083, ERA-04."""
    child = night.contact(birthdate=ADULT)
    dossier = night.dossier("runaway", spoken=date(2019, 3, 1), cf_publicalert=True)
    night.party(child, "child", dossier=dossier)
    night.create("cf_statistics", "cf_statisticid", cf_name="Statistic", cf_categorykey="total_disappearance", cf_year=2019, cf_count=4)
    plan = yield PLANNED
    assert night.lines(plan)[dossier].disposition == "delete"
    yield APPLIED
    rows = night.rows("cf_statistics?$select=cf_categorykey,cf_year,cf_count&$filter=cf_year eq 2019")
    assert [(row["cf_categorykey"], row["cf_year"], row["cf_count"]) for row in rows] == [("total_disappearance", 2019, 5)]


def test_ten_equal_exploitation_dossiers_become_rows_and_nine_become_a_total(night: Night) -> None:
    """R-086, ERA-08 with k = 10."""
    for year, number in ((2018, 10), (2019, 9)):
        for _ in range(number):
            child = night.contact(birthdate=ADULT, gendercode=2, address1_postalcode="9000", address1_country="België")
            night.party(child, "child", dossier=night.dossier("sexting", spoken=date(year, 3, 1)))
    run = night.apply(night.plan())
    assert run.counts["anonymised"] == 19
    rows = night.rows("cf_statistics?$select=cf_categorykey,cf_year,cf_count,cf_province,cf_sex,cf_ageband")
    full = [row for row in rows if row["cf_year"] == 2018]
    assert len(full) == 10
    assert {(row["cf_categorykey"], row["cf_province"], row["cf_sex"], row["cf_ageband"]) for row in full} == {
        ("exploitation_ict", "East Flanders", "f", "18-24")
    }
    assert [(row["cf_categorykey"], row["cf_count"]) for row in rows if row["cf_year"] == 2019] == [("total_exploitation", 9)]


def test_what_is_still_there_makes_the_run_end_with_failures(night: Night) -> None:
    """A delete that answers 204 and keeps the row is found by reading back, and the next run finishes it
    (R-089)."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan()
    fault = {"match": {"method": "DELETE", "path": f"cf_dossiers({dossier})", "nth": 1}, "times": 1, "do": "keep_row"}
    set_faults(night.emulator, fault)
    run = night.apply(plan)
    assert run.state is RunState.DONE_WITH_FAILURES
    assert (run.counts["deleted"], run.counts["partial"]) == (0, 1)
    assert {"table": "cf_dossier", "id": dossier} in verify_run(night.context, run.id)["still_there"]  # type: ignore[operator]
    again = night.apply(night.plan())
    assert (again.state, again.counts["deleted"]) == (RunState.DONE, 1)
    assert night.get("cf_dossiers", dossier) is None


@in_one_night
def contacts_that_nothing_ever_referred_to_are_kept_and_reported(night: Night) -> Case:
    """RET-20."""
    person = night.contact()
    plan = yield PLANNED
    line = night.lines(plan)[person]
    assert (line.outcome, line.reason, line.flags, line.retention_end) == ("retain", "ORPHAN_CONTACT", ("ORPHAN_CONTACT",), None)


@in_one_night
def a_contact_that_is_referred_to_again_before_the_write_stays(night: Night) -> Case:
    """RET-20 at the moment of writing."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    person = night.contact()
    night.party(person, "reporter", dossier=dossier)
    plan = yield PLANNED
    assert night.lines(plan)[person].outcome == "dispose"
    night.party(person, "reporter", dossier=night.dossier("runaway", spoken=date(2026, 11, 1)))
    run = yield APPLIED
    assert skipped(night, run, dossier, person) == {"STILL_REFERRED": 1}
    assert night.get("contacts", person) is not None


def test_a_value_outside_the_mapping_is_named(night: Night) -> None:
    """R-161: the unit is kept as UNCONFIGURED and the report names the value."""
    fiche = {
        "cf_ficheid": "00000000-0000-0000-0000-111111111111",
        "cf_name": "F",
        "cf_categories": "100000099",
        "cf_communicatedon": "2025-01-10T11:00:00Z",
        "createdon": "2025-01-10T11:00:00Z",
        "statecode": 0,
        "statuscode": 1,
    }
    assert night.emulator.load([("cf_fiche", fiche)]) == 1
    plan = night.plan()
    assert plan.retain == {"UNCONFIGURED": 1}
    assert any("100000099" in str(warning) for warning in plan.warnings)


@in_one_night
def a_role_in_a_fiche_that_stays_outlives_the_dossier_that_its_row_names_too(night: Night) -> Case:
    """RET-20, R-042: only the link to the disposed dossier goes, although the platform would take the whole
    row with it."""
    gone, kept = night.dossier("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=date(2026, 11, 1))
    person = night.contact()
    role = night.party(person, "reporter", dossier=gone, fiche=kept)
    run = yield APPLIED
    row = night.get("cf_parties", role)
    assert row is not None
    assert (row["_cf_dossierid_value"], row["_cf_ficheid_value"], row["_cf_contactid_value"]) == (None, kept, person)
    assert run.state is RunState.DONE
    assert night.get("contacts", person) is not None


@in_one_night
def a_role_in_a_dossier_that_stays_outlives_the_lone_fiche_that_its_row_names_too(night: Night) -> Case:
    """RET-20, the other way round."""
    kept, gone = night.dossier("runaway", spoken=date(2026, 11, 1)), night.fiche("social_card", spoken=LONG_AGO)
    role = night.party(night.contact(), "reporter", dossier=kept, fiche=gone)
    run = yield APPLIED
    assert run.state is RunState.DONE
    row = night.get("cf_parties", role)
    assert row is not None
    assert (row["_cf_dossierid_value"], row["_cf_ficheid_value"]) == (kept, None)


@in_one_night
def a_role_of_which_everything_goes_goes_too(night: Night) -> Case:
    """R-158."""
    dossier, fiche = night.dossier("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=LONG_AGO)
    person = night.contact()
    role = night.party(person, "reporter", dossier=dossier, fiche=fiche)
    run = yield APPLIED
    assert run.state is RunState.DONE
    rows = (("cf_dossiers", dossier), ("cf_fiches", fiche), ("contacts", person), ("cf_parties", role))
    assert [night.get(*row) for row in rows] == [None] * 4


@in_one_night
def a_role_in_two_units_that_go_is_lost_to_neither_of_them(night: Night) -> Case:
    """RET-08, RET-20: which of the two is carried out first does not decide whether the other still knows its
    child, without whom its term would begin again with the first fiche."""
    child = night.contact(birthdate="2000-05-05")
    pairs = [(night.dossier("social_card", spoken=date(2018, 1, 1)), night.dossier("sexting", spoken=date(2018, 1, 1))) for _ in range(4)]
    for n, (short, until_age) in enumerate(pairs):
        first, second = (short, until_age) if n % 2 else (until_age, short)
        night.party(child, "child", dossier=first, fiche=night.fiches_of(second)[0])
    yield APPLIED
    yield APPLIED
    assert left(night, *(dossier for pair in pairs for dossier in pair)) == set()
    assert night.get("contacts", child) is None


@in_one_night
def units_that_share_roles_in_a_row_do_not_wait_a_night_each(night: Night) -> Case:
    dossiers = sorted(night.dossier("social_card", spoken=date(2018, 1, 1)) for _ in range(6))
    for n, first in enumerate(dossiers[:-1]):
        night.party(night.contact(), "reporter", dossier=first, fiche=night.fiches_of(dossiers[n + 1])[0])
    for _ in range(3):
        yield APPLIED
    assert left(night, *dossiers) == set()


@with_failures
def nobody_waits_for_a_unit_whose_recording_is_out_of_reach(night: Night) -> Case:
    """It stays night after night; what shares a role with it goes meanwhile, and leaves the role to it."""
    child = night.contact(birthdate="2000-05-05")
    pairs = [(night.dossier("social_card", spoken=date(2018, 1, 1)), night.dossier("sexting", spoken=date(2018, 1, 1))) for _ in range(4)]
    for stuck, free in pairs:
        night.recording(date(2018, 1, 1), fiche=night.fiches_of(stuck)[0], cf_storageuri="file:///recordings/1.wav")
        night.party(child, "child", dossier=stuck, fiche=night.fiches_of(free)[0])
    yield APPLIED
    assert left(night, *(dossier for pair in pairs for dossier in pair)) == {stuck for stuck, _ in pairs}
    roles = night.rows(f"cf_parties?$filter=_cf_contactid_value eq {child}")
    assert sorted(row["_cf_dossierid_value"] for row in roles) == sorted(stuck for stuck, _ in pairs)


@with_failures
def a_unit_that_the_crm_refuses_keeps_the_role_that_it_shares(night: Night) -> Case:
    child = night.contact(birthdate="2000-05-05")
    short, until_age = night.dossier("social_card", spoken=date(2018, 1, 1)), night.dossier("sexting", spoken=date(2018, 1, 1))
    role = night.party(child, "child", dossier=short, fiche=night.fiches_of(until_age)[0])
    yield PLANNED
    refusal = {"match": {"method": "DELETE", "path": f"cf_dossiers({until_age})"}, "times": 99, "do": "status", "status": 403}
    set_faults(night.emulator, refusal)
    yield APPLIED
    assert night.get("cf_parties", role) is not None
    assert night.get("contacts", child) is not None


@in_one_night
def a_contact_with_nothing_to_empty_is_not_written(night: Night) -> Case:
    donor = night.contact(emailaddress1="donor@example.org")
    night.donation(donor)
    night.party(donor, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    before = night.get("contacts", donor)
    run = yield APPLIED
    assert (run.state, trimmed(night, run, donor)) == (RunState.DONE, 0)
    trims = [action for action in night.store.journal.of_run(run.id) if action.disposition == TRIM and action.state is ActionState.DONE]
    assert run.counts["trimmed"] == sum(bool(action.rows) for action in trims) < len(trims)
    assert night.get("contacts", donor) == before


@in_one_night
def a_contact_that_points_to_itself_is_trimmed_like_another(night: Night) -> Case:
    donor = night.contact(birthdate="1980-05-05")
    night.http.patch(
        f"{night.emulator.url}contacts({donor})",
        json={"parentcustomerid_contact@odata.bind": f"/contacts({donor})"},
        headers={"If-Match": "*"},
    ).raise_for_status()
    night.donation(donor)
    night.party(donor, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    run = yield APPLIED
    assert trimmed(night, run, donor) == 1
