"""Holds through a whole night: what they cover in the plan, and what becomes of it afterwards (HLD-03 to
HLD-11)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jobs.model.plan import Plan
from jobs.model.run import ActionState
from jobs.plans.questions.explain import explain_unit
from rules.errors import Refused
from tests.drivers.holding import LONG_AGO, place, release
from tests.drivers.night import Night, brussels_noon
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide, skipped


def kept(night: Night, *, flagged: bool = False) -> dict[str, Any]:
    """The reasons, or flags, of every unit that a plan keeps."""
    lines = night.lines(night.plan()).values()
    return {line.id: line.flags if flagged else line.reasons for line in lines if not line.is_disposal}


def kept_of(night: Night, plan: Plan, *rows: str) -> dict[str, Any]:
    """The reasons of those of some units that a plan keeps."""
    lines = night.lines(plan)
    return {row: lines[row].reasons for row in rows if row in lines and not lines[row].is_disposal}


in_one_night = SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


def a_dossier_with_people(night: Night) -> dict[str, str]:
    """An expired dossier with a child, a suspect on its fiche, notes, a call, an e-mail and a recording past
    its end."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    (fiche,) = night.fiches_of(dossier)
    child, suspect = night.contact(), night.contact(lastname="Maes (fictief)")
    return {
        "dossier": dossier,
        "fiche": fiche,
        "child": child,
        "suspect": suspect,
        "child_role": night.party(child, "child", dossier=dossier),
        "suspect_role": night.party(suspect, "suspect", fiche=fiche),
        "note": night.note("cf_fiche", fiche),
        "call": night.call("cf_dossier", dossier, [child]),
        "email": night.create(
            "emails", "activityid", subject="Verzonnen.", **{"regardingobjectid_cf_dossier_email@odata.bind": f"/cf_dossiers({dossier})"}
        ),
        "recording": night.recording(LONG_AGO, fiche=fiche),
        "audio": night.note("cf_fiche", fiche, filename="a.mp3", mimetype="audio/mpeg", documentbody="AAAA", isdocument=True),
    }


TABLES = {
    "dossier": "cf_dossier",
    "fiche": "cf_fiche",
    "child": "contact",
    "suspect": "contact",
    "child_role": "cf_party",
    "suspect_role": "cf_party",
    "note": "annotation",
    "call": "phonecall",
    "email": "email",
    "audio": "annotation",
}


def test_r048_r071_a_hold_on_any_part_or_person_keeps_the_whole_unit_and_nothing_else(night: Night, subtests: pytest.Subtests) -> None:
    """R-048, R-065, R-071, HLD-04: the suspect's role too; the people's other dossiers are not held. Each
    part of a dossier of its own is held, and one dossier is not."""
    cases, elsewhere, other = {}, {}, night.dossier("social_card", spoken=LONG_AGO)
    for what, table in TABLES.items():
        cases[what], elsewhere[what] = a_dossier_with_people(night), night.dossier("social_card", spoken=LONG_AGO)
        night.party(cases[what]["child"], "child", dossier=elsewhere[what])
        place(night, table, cases[what][what])
    plan = night.plan()
    lines = night.lines(plan)
    held = {
        what: {rows["dossier"], rows["recording"], rows["audio"]} | ({elsewhere[what]} if what == "child" else set())
        for what, rows in cases.items()
    }
    assert {line.id for line in lines.values() if not line.is_disposal} == {row for rows in held.values() for row in rows}
    night.apply(plan)
    assert night.get("cf_dossiers", other) is None
    for what, rows in cases.items():
        with subtests.test(what):
            assert {lines[row].reasons for row in held[what]} == {("HOLD_JUDICIAL",)}
            assert lines[rows["dossier"]].retention_end == "2018-09-01"
            assert (night.get("cf_dossiers", elsewhere[what]) is None) is (what != "child")
            for part, table in TABLES.items():
                sets = {"cf_dossier": "cf_dossiers", "cf_fiche": "cf_fiches", "cf_party": "cf_parties", "annotation": "annotations"}
                assert night.get(sets.get(table, f"{table}s"), rows[part]) is not None, part


def test_everything_of_a_person_is_also_what_they_took_part_in(night: Night) -> None:
    """HLD-01: a hold on the contact is for their roles, one on the person for calls and e-mails too."""
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    night.call("cf_dossier", dossier, [person])
    place(night, "contact", person)
    assert dossier not in kept(night)
    place(night, person=person, kind="legal")
    assert kept(night)[dossier] == ("HOLD_LEGAL",)


@in_one_night
def a_held_recording_stays_when_its_dossier_goes_and_loses_its_link(night: Night) -> Case:
    """RET-03: also one that would follow its dossier on the evidence mark."""
    rows = a_dossier_with_people(night)
    marked = night.recording(LONG_AGO, fiche=rows["fiche"], cf_evidence=True)
    for recording in (rows["recording"], marked):
        place(night, "cf_recording", recording)
    run = yield APPLIED
    assert night.get("cf_dossiers", rows["dossier"]) is None
    for recording in (rows["recording"], marked):
        left = night.get("cf_recordings", recording)
        assert left is not None
        assert left["_cf_ficheid_value"] is None
    assert skipped(night, run, *rows.values(), marked) == {}
    plan = yield PLANNED
    assert kept_of(night, plan, *rows.values(), marked) == {rows["recording"]: ("HOLD_JUDICIAL",), marked: ("HOLD_JUDICIAL",)}


@in_one_night
def a_held_note_of_a_recording_keeps_the_recording_and_not_the_dossier(night: Night) -> Case:
    rows = a_dossier_with_people(night)
    place(night, "annotation", night.note("cf_recording", rows["recording"]))
    yield APPLIED
    assert night.get("cf_recordings", rows["recording"]) is not None
    assert night.get("cf_dossiers", rows["dossier"]) is None


def test_r066_the_last_day_is_held_and_the_next_is_not(night: Night) -> None:
    """R-066."""
    night.clock.now = brussels_noon(date(2026, 10, 1))
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    place(night, "cf_dossier", dossier, ends_on=date(2026, 10, 31))
    night.clock.now = datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC)
    assert kept(night) == {dossier: ("HOLD_JUDICIAL",)}
    night.clock.now = datetime(2026, 10, 31, 23, 0, 0, tzinfo=UTC)
    assert kept(night) == {}
    assert night.apply(night.plan()).counts["deleted"] == 1


def test_r067_r068_r069_a_released_hold_lets_the_unit_go_in_the_next_run(night: Night) -> None:
    """R-067: by a person who neither placed it nor asks; R-069: two holds, one is left; R-068: then it
    goes."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    first, second = place(night, "cf_dossier", dossier), place(night, "cf_dossier", dossier, kind="complaint")
    assert kept(night) == {dossier: ("HOLD_JUDICIAL", "HOLD_COMPLAINT")}
    for who in ("dora", "DORA", "carl"):
        with pytest.raises(Refused) as caught:
            release(night, first, who=who)
        assert caught.value.code == "same_person"
    release(night, first)
    assert kept(night) == {dossier: ("HOLD_COMPLAINT",)}
    release(night, second, who="frida", role="dpo")
    with pytest.raises(Refused) as caught:
        release(night, second)
    assert caught.value.code == "released"
    assert night.apply(night.plan()).counts["deleted"] == 1


def test_r070_a_review_that_is_overdue_is_flagged(night: Night) -> None:
    """R-070."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    place(night, "cf_dossier", dossier, review_on=date(2026, 12, 1))
    night.clock.now += timedelta(days=7)
    plan = night.plan()
    assert plan.flags == {"HOLD_REVIEW_OVERDUE": 1}
    assert night.lines(plan)[dossier].reason == "HOLD_JUDICIAL"


def test_r074_a_restriction_is_lifted_once_the_person_was_told(night: Night) -> None:
    """R-074, HLD-09."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    hold = place(night, "cf_dossier", dossier, kind="restriction")
    assert kept(night) == {dossier: ("HOLD_RESTRICTION",)}
    for notified_on in (None, date(2026, 11, 26), date(2026, 11, 24)):
        with pytest.raises(Refused) as caught:
            release(night, hold, notified_on=notified_on)
        assert caught.value.code == "notice"
    assert kept(night) == {dossier: ("HOLD_RESTRICTION",)}
    release(night, hold, notified_on=date(2026, 11, 25))
    assert kept(night) == {}


@in_one_night
def r049_r075_what_is_no_hold_keeps_nothing(night: Night) -> Case:
    """R-049, R-075: NOT_A_HOLD, and disposal."""
    dossiers = {code: night.dossier("social_card", spoken=LONG_AGO) for code in ("training", "quality", "statistieken", "study")}
    for code, dossier in dossiers.items():
        with pytest.raises(Refused, match="NOT_A_HOLD"):
            place(night, "cf_dossier", dossier, reason_code=code)
    assert [hold for hold in night.store.holds.all() if hold.row in dossiers.values()] == []
    yield APPLIED
    assert {code for code, dossier in dossiers.items() if night.get("cf_dossiers", dossier) is not None} == set()


@in_one_night
def r076_a_reopened_dossier_is_kept_without_any_hold(night: Night) -> Case:
    """R-076."""
    dossier = night.dossier("runaway", spoken=LONG_AGO, closed=False, cf_reopenedon="2026-01-01T11:00:00Z")
    night.party(night.contact(birthdate="2000-02-01"), "child", dossier=dossier)
    plan = yield PLANNED
    assert kept_of(night, plan, dossier) == {dossier: ("OPEN_DOSSIER",)}


@in_one_night
def r080_a_restriction_stands_before_the_missing_term(night: Night) -> Case:
    """R-080."""
    dossier = night.dossier("unexplained_disappearance", spoken=LONG_AGO)
    place(night, "cf_dossier", dossier, kind="restriction")
    plan = yield PLANNED
    assert kept_of(night, plan, dossier) == {dossier: ("HOLD_RESTRICTION", "NO_TERM")}


def test_r154_the_flag_of_the_crm_and_a_placed_hold_stand_beside_each_other(night: Night) -> None:
    """R-154, HLD-14: the flag is a legal hold while it is set; cleared, the next run disposes and the plan
    lists the change."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, cf_legalhold=True)
    hold = place(night, "cf_dossier", dossier)
    assert kept(night) == {dossier: ("HOLD_LEGAL", "HOLD_JUDICIAL")}
    release(night, hold)
    assert kept(night) == {dossier: ("HOLD_LEGAL",)}
    night.patch("cf_dossiers", dossier, cf_legalhold=False)
    plan = night.plan()
    assert [(change.id, change.change) for change in plan.hold_changes] == [(dossier, "cleared")]
    assert night.apply(plan).counts["deleted"] == 1


# -- contacts ------------------------------------------------------------------------------------------------


def held_contact(night: Night, *, related: bool) -> Case:
    """RET-20: a later run still removes or trims it; it is never taken for one that was never linked. The
    note is held, so the dossier goes and the contact stays."""
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact(birthdate="1980-05-05")
    night.party(person, "reporter", dossier=dossier)
    hold = place(night, "annotation", night.note("contact", person))
    if related:
        night.donation(person)
    held = (person, "trim" if related else "delete", "HOLD_JUDICIAL")
    for _ in range(2):  # the second night has no dossier any more
        plan = yield PLANNED
        assert [each for each in plan.held_contacts if person in each] == [held]
        assert [each for each in plan.trims if person in each] == []
        assert person not in night.lines(plan)
        run = yield APPLIED
        assert skipped(night, run, person) == {"HOLD_JUDICIAL": 1}
        left = night.get("contacts", person)
        assert left is not None
        assert left["birthdate"] == "1980-05-05"
    assert night.get("cf_dossiers", dossier) is None
    release(night, hold)
    run = yield APPLIED
    left = night.get("contacts", person)
    assert (left is None) is not related
    assert left is None or left["birthdate"] is None
    done = [action.disposition for action in night.store.journal.of_run(run.id) if action.id == person and action.rows]
    assert done == ["trim" if related else "delete"]
    plan = yield PLANNED
    assert [each for each in plan.held_contacts if person in each] == []


@in_one_night
def a_held_contact_is_left_alone_and_goes_once_the_hold_is_released(night: Night) -> Case:
    return held_contact(night, related=False)


@in_one_night
def a_held_contact_with_a_relation_is_left_alone_and_trimmed_once_the_hold_is_released(night: Night) -> Case:
    return held_contact(night, related=True)


@in_one_night
def whom_a_held_contact_points_to_stays_and_goes_with_it(night: Night) -> Case:
    dossier, parent = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    child = night.contact(**{"parentcustomerid_contact@odata.bind": f"/contacts({parent})"})
    night.party(child, "reporter", dossier=dossier)
    hold = place(night, "annotation", night.note("contact", child))
    before = night.get("contacts", child)
    yield APPLIED
    assert night.get("contacts", child) == before
    assert night.get("contacts", parent) is not None
    release(night, hold)
    yield APPLIED
    assert (night.get("contacts", child), night.get("contacts", parent)) == (None, None)


def test_why_names_the_hold_of_a_contact_and_of_a_unit(night: Night) -> None:
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    night.party(person, "reporter", dossier=dossier)
    hold = place(night, person=person)
    for table, row in (("contact", person), ("cf_dossier", dossier)):
        line, steps = explain_unit(night.context, table, row)
        assert (line.outcome, line.reason) == ("retain", "HOLD_JUDICIAL")
        assert any(step.rule == "HLD-04" for step in steps)
    assert hold.id in str(explain_unit(night.context, "cf_dossier", dossier)[1])


# -- holds by conditions -------------------------------------------------------------------------------------


def test_a_hold_by_conditions_takes_in_what_comes_later(night: Night) -> None:
    first, free = night.dossier("social_card", spoken=LONG_AGO), night.dossier("e_safety", spoken=LONG_AGO)
    hold = place(night, "cf_dossier", where=("category=social_card", "opened_to=2018-12-31"))
    assert set(kept(night)) == {first}
    second = night.dossier("social_card", spoken=LONG_AGO)
    newer = night.dossier("social_card", spoken=date(2020, 1, 1))
    night.apply(night.plan())
    assert [night.get("cf_dossiers", row) is not None for row in (first, second, newer, free)] == [True, True, False, False]
    release(night, hold)
    assert night.apply(night.plan()).counts["deleted"] == 2


def test_a_day_that_only_stands_for_an_unknown_one_fits_a_hold_by_conditions(night: Night) -> None:
    """RET-14, HLD-07: a sentinel is no day, for a hold either; what expired by another day is kept."""
    recording = night.recording(LONG_AGO, cf_endedon="9999-12-31T12:00:00Z")
    dossier = night.dossier("social_card", spoken=LONG_AGO, cf_openedon="1900-01-01T12:00:00Z")
    assert not kept(night)
    place(night, "cf_recording", where=("ended_to=2020-12-31",))
    place(night, "cf_dossier", where=("opened_from=2010-01-01",))
    assert set(kept(night)) == {recording, dossier}
    night.apply(night.plan())
    assert night.get("cf_recordings", recording) is not None
    assert night.get("cf_dossiers", dossier) is not None


def test_a_closing_date_on_an_open_dossier_is_no_closing_for_a_hold_by_conditions(night: Night) -> None:
    """RET-10: it counts nowhere while the dossier is active, so that nobody knows when it closes."""
    reopened = night.dossier("social_card", spoken=LONG_AGO, closed=False, cf_closedon="2021-05-05T12:00:00Z")
    closed = night.dossier("social_card", spoken=LONG_AGO, cf_closedon="2021-05-05T12:00:00Z")
    place(night, "cf_dossier", where=("closed_to=2020-12-31",))
    assert set(kept(night)) == {reopened}
    night.apply(night.plan())
    assert (night.get("cf_dossiers", reopened) is not None, night.get("cf_dossiers", closed)) == (True, None)


# -- placing -------------------------------------------------------------------------------------------------


@in_one_night
def skipped_by_a_hold_is_a_state_of_its_own(night: Night) -> Case:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    yield PLANNED
    place(night, "cf_dossier", dossier)
    run = yield APPLIED
    (action,) = [action for action in night.store.journal.of_run(run.id) if action.id == dossier]
    assert (action.state, action.code) == (ActionState.SKIPPED, "HOLD_JUDICIAL")
