"""Dependent tables whose rows belong to several others at once: each goes with the last of them, and loses
its link to what goes before (RET-20, R-158)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.settings import Settings
from crm_compliance.wiring.schedule import policy_text
from jobs.erasures.register import load_register
from jobs.erasures.rows_back import returned_rows
from jobs.model.run import RunState
from jobs.runs.apply import apply_plan
from jobs.writing.send import settle_writes
from rules.holds.placements import PlacedHold
from rules.model.requests import Right
from rules.policy.loader import load_policy
from tests.integration.deciding import ask, granted
from tests.integration.dependent import dependent_night
from tests.integration.holding import place, release
from tests.integration.night import Night
from tests.integration.test_purging_retained import retain, roll_back
from tests.integration.test_requests_answer import Answer
from tests.integration.test_rows_behind import in_retention

LONG_AGO, LATELY = date(2020, 1, 10), date(2026, 11, 20)
MEETINGS = """\
dependent:
  cf_meeting:
    belongs_to: {cf_dossierid: dossier, cf_ficheid: fiche, cf_contactid: contact}
    texts: [cf_name, cf_minutes]
    dates: [cf_heldon]
  cf_paragraph:
    belongs_to: {cf_homevisitid: cf_homevisit}
    texts: [cf_name, cf_body]
    files: [cf_scan]
  cf_homevisit:
    belongs_to: {cf_dossierid: dossier}
    texts: [cf_name, cf_report]
    people: [cf_visitedid]
"""
OWNERS = {"dossier": ("cf_DossierId", "cf_dossiers"), "fiche": ("cf_FicheId", "cf_fiches"), "contact": ("cf_ContactId", "contacts")}


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with dependent_night(tmp_path, MEETINGS) as made:
        yield made


def a_meeting(night: Night, **owners: str) -> str:
    bound = {f"{OWNERS[kind][0]}@odata.bind": f"/{OWNERS[kind][1]}({row})" for kind, row in owners.items()}
    return night.create("cf_meetings", "cf_meetingid", cf_name="overleg", cf_minutes="Goed verlopen.", **bound)


def links(night: Night, meeting: str) -> tuple[bool, bool, bool] | None:
    """Whether it is on a dossier, a fiche and a person; None where it is gone."""
    row = night.get("cf_meetings", meeting)
    if row is None:
        return None
    return tuple(row[f"_cf_{kind}id_value"] is not None for kind in OWNERS)  # type: ignore[return-value]


def test_a_row_on_a_dossier_and_on_its_fiche_goes_with_both(night: Night) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0)
    fiche = night.fiche("social_card", spoken=LONG_AGO, dossier=dossier)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], links(night, meeting)) == ({}, None)
    (issued,) = night.store.certificates.of_run(done.id)
    assert issued.certificate.objects["dependent_rows"] == 1


def test_a_row_stays_with_what_stays_though_the_crm_would_delete_it(night: Night) -> None:
    child = night.contact(birthdate="2012-02-01")
    ended = night.dossier("social_card", spoken=LONG_AGO)
    running = night.dossier("grooming", closed=False, spoken=LATELY)
    night.party(child, "child", dossier=running)
    fiche = night.fiche("social_card", spoken=LATELY)
    on_person, on_fiche = a_meeting(night, dossier=ended, contact=child), a_meeting(night, dossier=ended, fiche=fiche)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], night.get("cf_dossiers", ended)) == ({}, None)
    assert [links(night, on_person), links(night, on_fiche)] == [(False, False, True), (False, True, False)]


def test_a_row_goes_with_its_person_in_the_night_of_its_dossier(night: Night) -> None:
    person, named = night.contact(), night.contact()
    ended = night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "witness", dossier=ended)
    meeting = a_meeting(night, dossier=ended, contact=person)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], links(night, meeting)) == ({}, None)
    assert [night.get("contacts", row) is None for row in (person, named)] == [True, False]


def test_a_row_on_two_units_that_end_goes_with_the_last(night: Night) -> None:
    """One waits for the next night, since one row cannot be written by two."""
    first = night.dossier("social_card", spoken=LONG_AGO)
    lone = night.fiche("social_card", spoken=LONG_AGO)
    meeting = a_meeting(night, dossier=first, fiche=lone)
    night.apply(night.plan())
    night.apply(night.approved(night.plan()))
    assert [night.get("cf_dossiers", first), night.get("cf_fiches", lone), links(night, meeting)] == [None, None, None]


def test_a_row_in_long_term_retention_goes_with_the_last_though_it_names_the_first(night: Night) -> None:
    """ERA-12, line 10: what lies there keeps its links, also to what is gone."""
    first = night.dossier("social_card", spoken=LONG_AGO)
    lone = night.fiche("social_card", spoken=LONG_AGO)
    meeting = a_meeting(night, dossier=first, fiche=lone)
    retain(night, "cf_meeting", meeting)
    night.apply(night.plan())
    assert [night.get("cf_dossiers", first), night.get("cf_fiches", lone), in_retention(night, "cf_meeting", "cf_meetings")] == [
        None,
        None,
        set(),
    ]


def test_one_there_stays_with_the_owner_that_stays(night: Night) -> None:
    first, running = night.dossier("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=LATELY)
    meeting = a_meeting(night, dossier=first, fiche=running)
    retain(night, "cf_meeting", meeting)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], night.get("cf_dossiers", first), in_retention(night, "cf_meeting", "cf_meetings")) == (
        {},
        None,
        {meeting},
    )


def there_with_its_dossier(night: Night, fiche: str) -> tuple[str, str]:
    """A dossier that has ended, in long-term retention, and a meeting that went there along, which is on a
    fiche too."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    for each in night.fiches_of(dossier):
        retain(night, "cf_fiche", each)
    retain(night, "cf_dossier", dossier)
    assert in_retention(night, "cf_meeting", "cf_meetings") == {meeting}
    return dossier, meeting


def test_one_there_is_not_taken_along_by_a_dossier_there(night: Night) -> None:
    """Nothing takes its link off, and the CRM removes what cascades: the dossier waits for the last."""
    dossier, meeting = there_with_its_dossier(night, night.fiche("social_card", spoken=LATELY))
    done = night.apply(night.plan())
    assert done.counts["skipped"] == {"LONG_TERM_RETENTION": 1}
    assert (in_retention(night, "cf_meeting", "cf_meetings"), in_retention(night, "cf_dossier", "cf_dossiers")) == ({meeting}, {dossier})


def test_a_dossier_there_that_waits_for_what_stays_is_no_backlog(night: Night) -> None:
    """What waits by design may do so for years, and an alarm of every night is read by nobody."""
    there_with_its_dossier(night, night.fiche("social_card", spoken=LATELY))
    night.apply(night.plan())
    night.clock.now += timedelta(days=9)
    plan = night.approved(night.plan())
    assert [alarm.code for alarm in (*plan.alarms, *night.apply(plan).alarms) if alarm.code == "BACKLOG"] == []


@pytest.mark.parametrize("is_there", [False, True])
def test_one_there_goes_with_a_dossier_there_once_the_other_has_gone(night: Night, *, is_there: bool) -> None:
    lone = night.fiche("social_card", spoken=LONG_AGO)
    there_with_its_dossier(night, lone)
    if is_there:
        retain(night, "cf_fiche", lone)
    for _ in range(2):
        night.apply(night.approved(night.plan()))
    left = [in_retention(night, f"cf_{name}", f"cf_{name}s") for name in ("meeting", "dossier", "fiche")]
    assert (left, night.get("cf_fiches", lone)) == ([set(), set(), set()], None)


def two_there(night: Night, *, first_is_live: bool = False) -> tuple[str, str, str]:
    """Two dossiers that have ended, in long-term retention, and a meeting there on the one and on a fiche of
    the other, with that fiche; of the other the dossier may still be live."""
    other, dossier = night.dossier("social_card", spoken=LONG_AGO), night.dossier("social_card", spoken=LONG_AGO)
    (fiche,) = night.fiches_of(other)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    for each in (fiche, *night.fiches_of(dossier)):
        retain(night, "cf_fiche", each)
    for each in (dossier,) if first_is_live else (other, dossier):
        retain(night, "cf_dossier", each)
    assert in_retention(night, "cf_meeting", "cf_meetings") == {meeting}
    return other, dossier, fiche


def left_there(night: Night) -> list[int]:
    """How many dossiers, fiches and meetings lie in long-term retention."""
    return [len(in_retention(night, f"cf_{name}", f"cf_{name}s")) for name in ("dossier", "fiche", "meeting")]


def held_after_writes(night: Night, monkeypatch: pytest.MonkeyPatch, table: str, row: str) -> list[PlacedHold]:
    """Place a hold once live rows are written, right before what lies there is purged."""
    real, placed = settle_writes, list[PlacedHold]()

    def settled(*given: Any, **named: Any) -> Any:
        done = real(*given, **named)
        if not placed:
            placed.append(place(night, table, row))
        return done

    monkeypatch.setattr("jobs.runs.journal.settle_writes", settled)
    return placed


def test_two_there_with_a_row_in_common_go_in_one_night(night: Night) -> None:
    two_there(night)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], left_there(night)) == ({}, [0, 0, 0])


@pytest.mark.parametrize("at", [0, 1])
def test_a_hold_on_one_there_keeps_the_other_too(night: Night, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """HLD-07: it comes when both are about to be purged, and the row is that of both."""
    held_after_writes(night, monkeypatch, "cf_dossier", two_there(night)[at])
    done = night.apply(night.plan())
    assert (done.counts["skipped"], left_there(night)) == ({"HOLD_JUDICIAL": 1, "LONG_TERM_RETENTION": 1}, [2, 2, 1])


@pytest.mark.parametrize("at", [0, 1])
def test_one_there_that_waits_for_another_row_keeps_the_other_too(night: Night, at: int) -> None:
    running = night.fiche("social_card", spoken=LATELY)
    other, dossier = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
    (fiche,) = night.fiches_of(other)
    a_meeting(night, dossier=dossier, fiche=fiche)
    a_meeting(night, dossier=(other, dossier)[at], fiche=running)
    for each in (fiche, *night.fiches_of(dossier)):
        retain(night, "cf_fiche", each)
    for each in (other, dossier):
        retain(night, "cf_dossier", each)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], left_there(night)) == ({"LONG_TERM_RETENTION": 2}, [2, 2, 2])


def test_what_is_left_there_of_a_unit_does_not_go_before_the_other_owner(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    other, dossier, fiche = two_there(night, first_is_live=True)
    placed = held_after_writes(night, monkeypatch, "cf_fiche", fiche)
    night.apply(night.plan())
    assert (night.get("cf_dossiers", other), left_there(night)) == (None, [1, 2, 1])
    release(night, placed[0])
    later = place(night, "cf_dossier", dossier)
    for _ in range(2):  # it waits by design, so that no night is wrong for it
        done = night.apply(night.approved(night.plan()))
        assert (left_there(night), done.counts["skipped"], done.counts["alarms"], done.state) == (
            [1, 2, 1],
            {"LONG_TERM_RETENTION": 1},
            [],
            RunState.DONE,
        )
    release(night, later)
    for _ in range(2):
        night.apply(night.approved(night.plan()))
    assert left_there(night) == [0, 0, 0]


def test_a_hold_on_a_row_keeps_all_that_it_belongs_to(night: Night) -> None:
    """HLD-04."""
    dossier, lone = night.dossier("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=LONG_AGO)
    person = night.contact()
    night.party(person, "witness", dossier=dossier)
    meeting = a_meeting(night, dossier=dossier, fiche=lone, contact=person)
    place(night, "cf_meeting", meeting)
    night.apply(night.plan())
    assert links(night, meeting) == (True, True, True)
    assert None not in (night.get("cf_dossiers", dossier), night.get("cf_fiches", lone), night.get("contacts", person))


def test_the_person_of_a_row_is_told_of_it_and_of_no_other_in_the_file(night: Night) -> None:
    """EXP-03, EXP-05."""
    witness = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    dossier = night.dossier("grooming", closed=False, spoken=LATELY)
    night.party(witness, "witness", dossier=dossier)
    own, other = a_meeting(night, dossier=dossier, contact=witness), a_meeting(night, dossier=dossier)
    compilation = Answer(night, witness).compile()
    assert [item.source for item in compilation.items if item.kind == "cf_meeting"] == [("cf_meeting", own)]
    assert other


def test_a_granted_erasure_takes_the_name_off_a_row_that_stays(night: Night) -> None:
    """6.2."""
    witness = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    dossier = night.dossier("grooming", closed=False, spoken=LATELY)
    night.party(witness, "witness", dossier=dossier)
    meeting = a_meeting(night, dossier=dossier, contact=witness)
    granted(night, ask(night, Right.ERASURE, witness))
    assert links(night, meeting) == (True, False, False)


def test_what_comes_back_from_a_backup_is_known(night: Night) -> None:
    """ERA-13."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0)
    fiche = night.fiche("social_card", spoken=LONG_AGO, dossier=dossier)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    night.apply(night.plan())
    night.http.post(night.emulator.url + "cf_meetings", json={"cf_meetingid": meeting, "cf_name": "terug"})
    back = returned_rows(night.context, load_register(night.context))
    assert [(each.kind, each.id, each.operation) for each in back] == [("cf_meeting", meeting, "delete")]


def test_one_there_does_not_go_before_a_dossier_there_that_a_later_hold_keeps(night: Night) -> None:
    """The fiche comes first, and the dossier is in the same plan: what belongs to both stays with it."""
    lone = night.fiche("social_card", spoken=LONG_AGO)
    dossier, meeting = there_with_its_dossier(night, lone)
    retain(night, "cf_fiche", lone)
    plan = night.approved(night.plan())
    place(night, "cf_dossier", dossier)
    night.apply(plan)
    assert in_retention(night, "cf_meeting", "cf_meetings") == {meeting}


def there_with_its_person(night: Night) -> tuple[str, str]:
    """A dossier that has ended, in long-term retention, and a meeting that went there along, which is on a
    person of the dossier too, who is live."""
    person, dossier = night.contact(), night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "witness", dossier=dossier)
    a_meeting(night, dossier=dossier, contact=person)
    for each in night.fiches_of(dossier):
        retain(night, "cf_fiche", each)
    retain(night, "cf_dossier", dossier)
    return dossier, person


def test_a_row_there_goes_with_its_dossier_whose_last_person_goes_after_it(night: Night) -> None:
    """The person waits for the dossier, so the dossier cannot wait for the person."""
    _, person = there_with_its_person(night)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], left_there(night), night.get("contacts", person)) == ({}, [0, 0, 0], None)
    objects = [each.certificate.objects for each in night.store.certificates.of_run(done.id)]
    assert [found["dependent_rows"] for found in objects if "dependent_rows" in found] == [1]


def test_a_row_there_stays_with_a_person_whom_another_file_keeps(night: Night) -> None:
    """A hold on that file comes after the plan, which would have removed the person too."""
    dossier, person = there_with_its_person(night)
    other = night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "witness", dossier=other)
    plan = night.approved(night.plan())
    hold = place(night, "cf_dossier", other)
    done = night.apply(plan)
    assert done.counts["skipped"] == {"HOLD_JUDICIAL": 1, "LONG_TERM_RETENTION": 1, "STILL_REFERRED": 1}
    assert (left_there(night), night.get("contacts", person) is None) == ([1, 1, 1], False)
    (waits,) = [action for action in night.store.journal.of_run(done.id) if action.id == dossier]
    assert waits.flags == ("AWAITS_TURN",)
    release(night, hold)
    night.apply(night.approved(night.plan()))
    assert (left_there(night), night.get("contacts", person)) == ([0, 0, 0], None)


def test_a_row_there_waits_with_its_dossier_for_a_person_who_stays(night: Night) -> None:
    """A donor stays, and with them what is theirs."""
    dossier, person = there_with_its_person(night)
    night.donation(person)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], left_there(night)) == ({"LONG_TERM_RETENTION": 1, "STILL_REFERRED": 1}, [1, 1, 1])
    assert [action.flags for action in night.store.journal.of_run(done.id) if action.id == dossier] == [()]


def test_two_there_with_a_row_in_common_go_in_one_night_though_not_in_one_group(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is on a part of the other, which is no line of the plan."""
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    two_there(night)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], left_there(night)) == ({}, [0, 0, 0])


def test_one_there_does_not_go_before_a_dossier_there_that_a_recording_keeps(night: Night) -> None:
    """The fiche comes first. The dossier would be due in the same run, if its recording were as planned."""
    lone, dossier = night.fiche("social_card", spoken=LONG_AGO), night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(LATELY, fiche=night.fiches_of(dossier)[0])
    meeting = a_meeting(night, dossier=dossier, fiche=lone)
    for table, row in (("cf_fiche", lone), ("cf_fiche", night.fiches_of(dossier)[0]), ("cf_dossier", dossier)):
        retain(night, table, row)
    plan = night.approved(night.plan())
    night.patch("cf_recordings", recording, cf_endedon="2025-09-01T11:00:00Z", cf_startedon="2025-09-01T11:00:00Z")
    assert night.apply(plan).counts["skipped"] == {"LONG_TERM_RETENTION": 1, "CHANGED": 1}
    assert in_retention(night, "cf_meeting", "cf_meetings") == {meeting}
    night.apply(night.approved(night.plan()))
    assert left_there(night) == [0, 0, 0]


def both_there(night: Night) -> tuple[str, str, str]:
    """A lone fiche that was spoken of e-safety and a dossier, both ended and in long-term retention, and the
    meeting there that is on both; the fiche comes first."""
    lone = night.fiche("e_safety", spoken=LONG_AGO)
    dossier, meeting = there_with_its_dossier(night, lone)
    retain(night, "cf_fiche", lone)
    return lone, dossier, meeting


def with_policy(night: Night, more: str) -> None:
    """The shipped schedule with some more of it."""
    text, source = policy_text(Settings())
    night.policy = load_policy(text + more, source=source)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("canaries: [{{table: cf_dossier, id: {dossier}, due: true}}]\n", "CANARY"),
        ("quarantine:\n  days: 14\n  categories: [social_card]\n", "QUARANTINED"),
    ],
)
def test_one_there_does_not_go_before_a_dossier_there_that_is_not_disposed_of_by_design(night: Night, more: str, code: str) -> None:
    _, dossier, meeting = both_there(night)
    with_policy(night, more.format(dossier=dossier))
    done = night.apply(night.approved(night.plan()))
    assert done.counts["skipped"] == {"LONG_TERM_RETENTION": 1, code: 1}
    assert (left_there(night), in_retention(night, "cf_meeting", "cf_meetings")) == ([1, 2, 1], {meeting})
    if code == "QUARANTINED":
        night.clock.now += timedelta(days=15)
        night.apply(night.approved(night.plan()))
        assert left_there(night) == [0, 0, 0]


@pytest.mark.parametrize("is_lapsed", [False, True])
def test_one_there_goes_when_its_run_goes_on_unless_the_plan_has_lapsed(
    night: Night, monkeypatch: pytest.MonkeyPatch, *, is_lapsed: bool
) -> None:
    """The run is killed between the role of the fiche, which is live, and what lies there; the dossier goes
    later only by a plan that is still in force."""
    lone = night.fiche("e_safety", spoken=LONG_AGO)
    role = night.party(night.contact(), "reporter", fiche=lone)
    there_with_its_dossier(night, lone)
    retain(night, "cf_fiche", lone)
    roll_back(night, "cf_party", role)
    plan = night.approved(night.plan())

    def killed(*_: Any, **more: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.journal.purge_retained", killed)
        with pytest.raises(KeyboardInterrupt):
            night.apply(plan)
    assert (night.rows("cf_parties"), left_there(night)) == ([], [1, 2, 1])
    if is_lapsed:
        night.clock.now = plan.valid_until
    done = apply_plan(night.context, plan.id)
    assert left_there(night) == ([1, 2, 1] if is_lapsed else [0, 0, 0])
    assert (done.counts["partial"], done.counts["skipped"]) == ((1, {"PLAN_EXPIRED": 2}) if is_lapsed else (0, {}))
    night.apply(night.approved(night.plan()))
    assert left_there(night) == [0, 0, 0]
