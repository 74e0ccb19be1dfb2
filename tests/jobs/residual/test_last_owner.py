"""Dependent tables whose rows belong to several others at once: each goes with the last of them, and loses
its link to what goes before (RET-20, R-158)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.schedule import policy_text
from jobs.erasures.register import load_register
from jobs.model.run import ActionState, RunState
from jobs.plans.questions.explain import explain_unit
from jobs.restores.rows_back import returned_rows
from jobs.runs.apply import apply_plan
from jobs.writing.send import send_and_reconcile
from rules.errors import NotFound
from rules.holds.placements import PlacedHold
from rules.model.requests import Right
from rules.policy.loader import load_policy
from tests.drivers.deciding import ask, granted
from tests.drivers.holding import place, release
from tests.drivers.night import Night
from tests.drivers.side_by_side import APPLIED, PLANNED, Case, SideBySide, certificate_of, skipped
from tests.integration.dependent import add, dependent_night
from tests.jobs.requests.answer.answers import Answer
from tests.jobs.residual.retained import in_retention, retain, roll_back

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
  cf_remark:
    belongs_to: {cf_paragraphid: cf_paragraph, cf_answerto: cf_remark}
    texts: [cf_name]
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


in_one_night = SideBySide[Night]()


def test_a_night_with_all_of_these(night: Night, subtests: pytest.Subtests) -> None:
    in_one_night.play(night, subtests)


@in_one_night
def a_row_on_a_dossier_and_on_its_fiche_goes_with_both(night: Night) -> Case:
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0)
    fiche = night.fiche("social_card", spoken=LONG_AGO, dossier=dossier)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    done = yield APPLIED
    assert (skipped(night, done, dossier), links(night, meeting)) == ({}, None)
    assert certificate_of(night, done, "cf_dossier", dossier).objects["dependent_rows"] == 1


@in_one_night
def a_row_stays_with_what_stays_though_the_crm_would_delete_it(night: Night) -> Case:
    child = night.contact(birthdate="2012-02-01")
    ended = night.dossier("social_card", spoken=LONG_AGO)
    running = night.dossier("grooming", closed=False, spoken=LATELY)
    night.party(child, "child", dossier=running)
    fiche = night.fiche("social_card", spoken=LATELY)
    on_person, on_fiche = a_meeting(night, dossier=ended, contact=child), a_meeting(night, dossier=ended, fiche=fiche)
    yield PLANNED
    for meeting, last in ((on_person, ("contact", child)), (on_fiche, ("cf_fiche", fiche))):
        line, _ = explain_unit(night.context, "cf_meeting", meeting)
        assert ((line.table, line.id), line.outcome) == (last, "retain")
    done = yield APPLIED
    assert (skipped(night, done, ended), night.get("cf_dossiers", ended)) == ({}, None)
    assert [links(night, on_person), links(night, on_fiche)] == [(False, False, True), (False, True, False)]


@in_one_night
def rows_that_belong_to_each_other_alone_go_with_nothing(night: Night) -> Case:
    first = add(night, "cf_remark")
    second = add(night, "cf_remark", ("cf_AnswerTo", "cf_remarks", first))
    night.patch("cf_remarks", first, **{"cf_AnswerTo@odata.bind": f"/cf_remarks({second})"})
    yield PLANNED
    with pytest.raises(NotFound) as refusal:
        explain_unit(night.context, "cf_remark", first)
    assert refusal.value.code == "in_nothing"
    yield APPLIED
    assert night.get("cf_remarks", second) is not None


@in_one_night
def a_row_goes_with_its_person_in_the_night_of_its_dossier(night: Night) -> Case:
    person, named = night.contact(), night.contact()
    ended = night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "witness", dossier=ended)
    meeting = a_meeting(night, dossier=ended, contact=person)
    done = yield APPLIED
    assert (skipped(night, done, ended, person), links(night, meeting)) == ({}, None)
    assert [night.get("contacts", row) is None for row in (person, named)] == [True, False]


@in_one_night
def a_row_on_two_units_that_end_goes_with_the_last(night: Night) -> Case:
    """One waits for the next night, since one row cannot be written by two."""
    first = night.dossier("social_card", spoken=LONG_AGO)
    lone = night.fiche("social_card", spoken=LONG_AGO)
    meeting = a_meeting(night, dossier=first, fiche=lone)
    yield APPLIED
    yield APPLIED
    assert [night.get("cf_dossiers", first), night.get("cf_fiches", lone), links(night, meeting)] == [None, None, None]


@in_one_night
def a_row_in_long_term_retention_goes_with_the_last_though_it_names_the_first(night: Night) -> Case:
    """ERA-12, line 10: what is there keeps its links, also to what is gone."""
    first = night.dossier("social_card", spoken=LONG_AGO)
    lone = night.fiche("social_card", spoken=LONG_AGO)
    meeting = a_meeting(night, dossier=first, fiche=lone)
    retain(night, "cf_meeting", meeting)
    yield APPLIED
    assert [night.get("cf_dossiers", first), night.get("cf_fiches", lone), is_there(night, meeting)] == [None, None, False]


@in_one_night
def one_there_stays_with_the_owner_that_stays(night: Night) -> Case:
    first, running = night.dossier("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=LATELY)
    meeting = a_meeting(night, dossier=first, fiche=running)
    retain(night, "cf_meeting", meeting)
    done = yield APPLIED
    assert (skipped(night, done, first), night.get("cf_dossiers", first), is_there(night, meeting)) == ({}, None, True)


def is_there(night: Night, meeting: str) -> bool:
    """Whether a meeting is in long-term retention."""
    return meeting in in_retention(night, "cf_meeting", "cf_meetings")


def left_there(night: Night, *units: str) -> list[int]:
    """How many of these dossiers and lone fiches, of the fiches of these dossiers and of the meetings on them
    are in long-term retention: dossiers, fiches, meetings."""
    found = []
    for name, links in (("dossier", ()), ("fiche", ("cf_dossierid",)), ("meeting", ("cf_dossierid", "cf_ficheid"))):
        wanted = "".join(f'<attribute name="{column}"/>' for column in (f"cf_{name}id", *links))
        text = quote(f'<fetch datasource="retained"><entity name="cf_{name}">{wanted}</entity></fetch>')
        keys = (f"cf_{name}id", *(f"_{column}_value" for column in links))
        found.append(sum(any(row.get(key) in units for key in keys) for row in night.rows(f"cf_{name}s?fetchXml={text}")))
    return found


def there_with_its_dossier(night: Night, fiche: str) -> tuple[str, str]:
    """A dossier that has ended, in long-term retention, and a meeting that went there along, which is on a
    fiche too."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    for each in night.fiches_of(dossier):
        retain(night, "cf_fiche", each)
    retain(night, "cf_dossier", dossier)
    assert is_there(night, meeting)
    return dossier, meeting


@in_one_night
def one_there_is_not_taken_along_by_a_dossier_there(night: Night) -> Case:
    """Nothing takes its link off, and the CRM removes what cascades: the dossier waits for the last."""
    dossier, _ = there_with_its_dossier(night, night.fiche("social_card", spoken=LATELY))
    done = yield APPLIED
    assert (skipped(night, done, dossier), left_there(night, dossier)) == ({"LONG_TERM_RETENTION": 1}, [1, 1, 1])


def test_a_dossier_there_that_waits_for_what_stays_is_no_backlog(night: Night) -> None:
    """What waits by design may do so for years, and an alarm of every night is read by nobody."""
    there_with_its_dossier(night, night.fiche("social_card", spoken=LATELY))
    night.apply(night.plan())
    night.clock.now += timedelta(days=9)
    plan = night.approved(night.plan())
    assert [alarm.code for alarm in (*plan.alarms, *night.apply(plan).alarms) if alarm.code == "BACKLOG"] == []


def goes_once_the_other_has_gone(night: Night, *, other_is_there: bool) -> Case:
    lone = night.fiche("social_card", spoken=LONG_AGO)
    dossier, _ = there_with_its_dossier(night, lone)
    if other_is_there:
        retain(night, "cf_fiche", lone)
    yield APPLIED
    yield APPLIED
    assert (left_there(night, dossier, lone), night.get("cf_fiches", lone)) == ([0, 0, 0], None)


@in_one_night
def one_there_goes_with_a_dossier_there_once_the_live_other_has_gone(night: Night) -> Case:
    return goes_once_the_other_has_gone(night, other_is_there=False)


@in_one_night
def one_there_goes_with_a_dossier_there_once_the_other_there_has_gone(night: Night) -> Case:
    return goes_once_the_other_has_gone(night, other_is_there=True)


def two_there(night: Night, *, first_is_live: bool = False, category: str = "social_card") -> tuple[str, str, str]:
    """Two dossiers that have ended, in long-term retention, and a meeting there on the one and on a fiche of
    the other, of this category, with that fiche; of the other the dossier may still be live."""
    other, dossier = night.dossier(category, spoken=LONG_AGO), night.dossier("social_card", spoken=LONG_AGO)
    (fiche,) = night.fiches_of(other)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    for each in (fiche, *night.fiches_of(dossier)):
        retain(night, "cf_fiche", each)
    for each in (dossier,) if first_is_live else (other, dossier):
        retain(night, "cf_dossier", each)
    assert is_there(night, meeting)
    return other, dossier, fiche


@in_one_night
def two_there_with_a_row_in_common_go_in_one_night(night: Night) -> Case:
    other, dossier, _ = two_there(night)
    done = yield APPLIED
    assert (skipped(night, done, other, dossier), left_there(night, other, dossier)) == ({}, [0, 0, 0])


def waits_for_another_row(night: Night, at: int) -> Case:
    running = night.fiche("social_card", spoken=LATELY)
    other, dossier = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
    (fiche,) = night.fiches_of(other)
    a_meeting(night, dossier=dossier, fiche=fiche)
    a_meeting(night, dossier=(other, dossier)[at], fiche=running)
    for each in (fiche, *night.fiches_of(dossier)):
        retain(night, "cf_fiche", each)
    for each in (other, dossier):
        retain(night, "cf_dossier", each)
    done = yield APPLIED
    assert (skipped(night, done, other, dossier), left_there(night, other, dossier)) == ({"LONG_TERM_RETENTION": 2}, [2, 2, 2])


@in_one_night
def the_first_there_that_waits_for_another_row_keeps_the_second_too(night: Night) -> Case:
    return waits_for_another_row(night, 0)


@in_one_night
def the_second_there_that_waits_for_another_row_keeps_the_first_too(night: Night) -> Case:
    return waits_for_another_row(night, 1)


def held_after_writes(night: Night, monkeypatch: pytest.MonkeyPatch, *rows: tuple[str, str]) -> list[PlacedHold]:
    """Place holds once live rows are written, right before what is there is purged."""
    real, placed = send_and_reconcile, list[PlacedHold]()

    def settled(*given: Any, **named: Any) -> Any:
        done = real(*given, **named)
        if not placed:
            placed.extend([place(night, table, row) for table, row in rows])
        return done

    monkeypatch.setattr("jobs.runs.journal.send_and_reconcile", settled)
    return placed


def test_a_hold_on_one_there_keeps_the_other_too(night: Night, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests) -> None:
    """HLD-07: it comes when both are about to be purged, and the row is that of both."""
    pairs = {"first": two_there(night)[:2], "second": two_there(night)[:2]}
    held_after_writes(night, monkeypatch, *(("cf_dossier", pair[at]) for at, pair in enumerate(pairs.values())))
    done = night.apply(night.plan())
    for name, pair in pairs.items():
        with subtests.test(name):
            assert skipped(night, done, *pair) == {"HOLD_JUDICIAL": 1, "LONG_TERM_RETENTION": 1}
            assert left_there(night, *pair) == [2, 2, 1]


@pytest.mark.parametrize("believed_for", [timedelta(seconds=30), -timedelta.resolution], ids=["judged once", "judged again"])
def test_what_is_left_there_of_a_unit_does_not_go_before_the_other_owner(
    night: Night, monkeypatch: pytest.MonkeyPatch, believed_for: timedelta
) -> None:
    """The fiche of one is due by itself, so that plans tell of it. That of the other, without the child, is
    not: it is told of as work. Both wait by design, so that no night is wrong for it."""
    monkeypatch.setattr("jobs.runs.journal.BELIEVED_FOR", believed_for)
    pairs = [two_there(night, first_is_live=True), two_there(night, first_is_live=True, category="sexting")]
    child = night.contact(birthdate="2000-02-01")
    night.party(child, "child", dossier=pairs[1][0])
    placed = held_after_writes(night, monkeypatch, *(("cf_fiche", fiche) for *_, fiche in pairs))
    night.apply(night.plan())
    for other, dossier, _ in pairs:
        assert (night.get("cf_dossiers", other), left_there(night, other, dossier)) == (None, [1, 2, 1])
    for hold in placed:
        release(night, hold)
    later = [place(night, "cf_dossier", dossier) for _, dossier, _ in pairs]
    for _ in range(2):
        done = night.apply(night.approved(night.plan()))
        assert [left_there(night, other, dossier) for other, dossier, _ in pairs] == [[1, 2, 1]] * 2
        assert done.counts["skipped"] == {"LONG_TERM_RETENTION": 1, "STILL_REFERRED": 1}  # the child's dossier is half done
        assert (done.counts["partial"], done.state) == (1, RunState.DONE)
        assert [(alarm.code, alarm.message.split()[0]) for alarm in done.alarms] == [("RETAINED_REST", "1")]
    for hold in later:
        release(night, hold)
    for _ in range(2):
        done = night.apply(night.approved(night.plan()))
    assert ([left_there(night, other, dossier) for other, dossier, _ in pairs], done.alarms) == ([[0, 0, 0]] * 2, ())


def test_what_is_left_there_under_a_hold_keeps_what_it_shares_with_a_later_group(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """HLD-07: what only waits in the same run binds nobody; what a hold keeps does."""
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    while (pair := two_there(night, first_is_live=True))[0] > pair[1]:  # the one that is live has to come first
        pass
    other, dossier, fiche = pair

    def sent(connector: Any, writes: Any, *given: Any, **named: Any) -> Any:
        done = send_and_reconcile(connector, writes, *given, **named)
        if f"cf_dossier/{other}" in writes:
            place(night, "cf_fiche", fiche)
        return done

    monkeypatch.setattr("jobs.runs.journal.send_and_reconcile", sent)
    run = night.apply(night.plan())
    states = {action.id: (action.state, action.code) for action in night.store.journal.of_run(run.id)}
    assert (states[other], states[dossier]) == ((ActionState.PARTIAL, "HOLD_JUDICIAL"), (ActionState.SKIPPED, "LONG_TERM_RETENTION"))
    assert left_there(night, other, dossier) == [1, 2, 1]


def test_one_there_that_waits_right_before_the_purge_keeps_what_it_shares_with_a_later_group(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third dossier, with which the first has a row in common, comes under a hold when the first is about
    to be purged: the first stays as a whole, and the second with it."""
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    first, second, third = units = sorted(night.dossier("social_card", spoken=LONG_AGO) for _ in range(3))
    for one, other in ((second, first), (first, third)):
        a_meeting(night, dossier=one, fiche=night.fiches_of(other)[0])
    for row in units:
        retain(night, "cf_fiche", night.fiches_of(row)[0])
    for row in units:
        retain(night, "cf_dossier", row)

    def sent(connector: Any, writes: Any, *given: Any, **named: Any) -> Any:
        if f"cf_dossier/{first}" in writes:
            place(night, "cf_dossier", third)
        return send_and_reconcile(connector, writes, *given, **named)

    monkeypatch.setattr("jobs.runs.journal.send_and_reconcile", sent)
    run = night.apply(night.plan())
    assert run.counts["skipped"] == {"HOLD_JUDICIAL": 1, "LONG_TERM_RETENTION": 2}
    assert left_there(night, *units) == [3, 3, 2]


@in_one_night
def a_hold_on_a_row_keeps_all_that_it_belongs_to(night: Night) -> Case:
    """HLD-04."""
    dossier, lone = night.dossier("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=LONG_AGO)
    person = night.contact()
    night.party(person, "witness", dossier=dossier)
    meeting = a_meeting(night, dossier=dossier, fiche=lone, contact=person)
    place(night, "cf_meeting", meeting)
    yield APPLIED
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


@in_one_night
def what_comes_back_from_a_backup_is_known(night: Night) -> Case:
    """ERA-13."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0)
    fiche = night.fiche("social_card", spoken=LONG_AGO, dossier=dossier)
    meeting = a_meeting(night, dossier=dossier, fiche=fiche)
    yield APPLIED
    night.http.post(night.emulator.url + "cf_meetings", json={"cf_meetingid": meeting, "cf_name": "terug"})
    back = returned_rows(night.context, load_register(night.context))
    night.http.delete(f"{night.emulator.url}cf_meetings({meeting})")
    assert [(each.kind, each.id, each.operation) for each in back] == [("cf_meeting", meeting, "delete")]


@in_one_night
def one_there_does_not_go_before_a_dossier_there_that_a_later_hold_keeps(night: Night) -> Case:
    """The fiche comes first, and the dossier is in the same plan: what belongs to both stays with it."""
    lone = night.fiche("social_card", spoken=LONG_AGO)
    dossier, meeting = there_with_its_dossier(night, lone)
    retain(night, "cf_fiche", lone)
    yield PLANNED
    place(night, "cf_dossier", dossier)
    yield APPLIED
    assert is_there(night, meeting)


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


@in_one_night
def a_row_there_goes_with_its_dossier_whose_last_person_goes_after_it(night: Night) -> Case:
    """The person waits for the dossier, so the dossier cannot wait for the person."""
    dossier, person = there_with_its_person(night)
    done = yield APPLIED
    assert (skipped(night, done, dossier, person), left_there(night, dossier)) == ({}, [0, 0, 0])
    assert night.get("contacts", person) is None
    objects = [certificate_of(night, done, *unit).objects for unit in (("cf_dossier", dossier), ("contact", person))]
    assert [found["dependent_rows"] for found in objects if "dependent_rows" in found] == [1]


@in_one_night
def a_row_there_stays_with_a_person_whom_another_file_keeps(night: Night) -> Case:
    """A hold on that file comes after the plan, which would have removed the person too."""
    dossier, person = there_with_its_person(night)
    other = night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "witness", dossier=other)
    yield PLANNED
    hold = place(night, "cf_dossier", other)
    done = yield APPLIED
    assert skipped(night, done, dossier, other, person) == {"HOLD_JUDICIAL": 1, "LONG_TERM_RETENTION": 1, "STILL_REFERRED": 1}
    assert (left_there(night, dossier), night.get("contacts", person) is None) == ([1, 1, 1], False)
    (waits,) = [action for action in night.store.journal.of_run(done.id) if action.id == dossier]
    assert waits.flags == ("AWAITS_TURN",)
    release(night, hold)
    yield APPLIED
    assert (left_there(night, dossier), night.get("contacts", person)) == ([0, 0, 0], None)


@in_one_night
def a_row_there_waits_with_its_dossier_for_a_person_who_stays(night: Night) -> Case:
    """A donor stays, and with them what is theirs."""
    dossier, person = there_with_its_person(night)
    night.donation(person)
    done = yield APPLIED
    assert skipped(night, done, dossier, person) == {"LONG_TERM_RETENTION": 1, "STILL_REFERRED": 1}
    assert left_there(night, dossier) == [1, 1, 1]
    assert [action.flags for action in night.store.journal.of_run(done.id) if action.id == dossier] == [()]


def test_two_there_with_a_row_in_common_go_in_one_night_though_not_in_one_group(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is on a part of the other, which is not a line of the plan."""
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    pair = two_there(night)[:2]
    done = night.apply(night.plan())
    assert (done.counts["skipped"], left_there(night, *pair)) == ({}, [0, 0, 0])


@in_one_night
def one_there_does_not_go_before_a_dossier_there_that_a_recording_keeps(night: Night) -> Case:
    """The fiche comes first. The dossier would be due in the same run, if its recording were as planned."""
    lone, dossier = night.fiche("social_card", spoken=LONG_AGO), night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(LATELY, fiche=night.fiches_of(dossier)[0])
    meeting = a_meeting(night, dossier=dossier, fiche=lone)
    for table, row in (("cf_fiche", lone), ("cf_fiche", night.fiches_of(dossier)[0]), ("cf_dossier", dossier)):
        retain(night, table, row)
    yield PLANNED
    night.patch("cf_recordings", recording, cf_endedon="2025-09-01T11:00:00Z", cf_startedon="2025-09-01T11:00:00Z")
    done = yield APPLIED
    assert skipped(night, done, lone, dossier, recording) == {"LONG_TERM_RETENTION": 1, "CHANGED": 1}
    assert is_there(night, meeting)
    yield APPLIED
    assert left_there(night, lone, dossier) == [0, 0, 0]


@in_one_night
def a_row_there_does_not_go_before_a_dossier_that_a_row_of_a_table_unmapped_keeps(night: Night) -> Case:
    """R-158: the fiche comes first, and is there; the dossier would leave a bill behind."""
    lone, dossier = night.fiche("social_card", spoken=LONG_AGO), night.dossier("social_card", spoken=LONG_AGO)
    meeting = a_meeting(night, dossier=dossier, fiche=lone)
    bill = add(night, "cf_bill", ("cf_DossierId", "cf_dossiers", dossier), cf_name="rekening (fictief)")
    retain(night, "cf_fiche", lone)
    done = yield APPLIED
    assert skipped(night, done, lone, dossier) == {"LONG_TERM_RETENTION": 1, "SKIPPED_TECHNICAL": 1}
    assert is_there(night, meeting)
    night.http.delete(f"{night.emulator.url}cf_bills({bill})").raise_for_status()
    yield APPLIED
    assert (left_there(night, lone), night.get("cf_dossiers", dossier)) == ([0, 0, 0], None)


@in_one_night
def a_row_there_does_not_go_before_a_person_whom_a_row_of_a_table_unmapped_keeps(night: Night) -> Case:
    """R-158."""
    dossier, person = there_with_its_person(night)
    measure = add(night, "cf_measure", ("cf_ForId", "contacts", person), cf_name="maatregel (fictief)")
    done = yield APPLIED
    assert (skipped(night, done, dossier, person), left_there(night, dossier)) == (
        {"LONG_TERM_RETENTION": 1, "STILL_REFERRED": 1},
        [1, 1, 1],
    )
    night.http.delete(f"{night.emulator.url}cf_measures({measure})").raise_for_status()
    yield APPLIED
    assert (left_there(night, dossier), night.get("contacts", person)) == ([0, 0, 0], None)


def both_there(night: Night) -> tuple[str, str, str]:
    """A lone fiche of e-safety and a dossier, both ended and in long-term retention, and the
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
    lone, dossier, _ = both_there(night)
    with_policy(night, more.format(dossier=dossier))
    done = night.apply(night.approved(night.plan()))
    assert done.counts["skipped"] == {"LONG_TERM_RETENTION": 1, code: 1}
    assert left_there(night, lone, dossier) == [1, 2, 1]
    if code == "QUARANTINED":
        night.clock.now += timedelta(days=15)
        night.apply(night.approved(night.plan()))
        assert left_there(night, lone, dossier) == [0, 0, 0]


@pytest.mark.parametrize("is_lapsed", [False, True])
def test_one_there_goes_when_its_run_goes_on_unless_the_plan_has_lapsed(
    night: Night, monkeypatch: pytest.MonkeyPatch, *, is_lapsed: bool
) -> None:
    """The run is killed between the role of the fiche, which is live, and what is there; the dossier goes
    later only by a plan that is still in force."""
    lone = night.fiche("e_safety", spoken=LONG_AGO)
    role = night.party(night.contact(), "reporter", fiche=lone)
    dossier, _ = there_with_its_dossier(night, lone)
    units = (lone, dossier)
    retain(night, "cf_fiche", lone)
    roll_back(night, "cf_party", role)
    plan = night.approved(night.plan())

    def killed(*_: Any, **more: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.journal.purge_retained", killed)
        with pytest.raises(KeyboardInterrupt):
            night.apply(plan)
    assert (night.rows("cf_parties"), left_there(night, *units)) == ([], [1, 2, 1])
    if is_lapsed:
        night.clock.now = plan.valid_until
    done = apply_plan(night.context, plan.id)
    assert left_there(night, *units) == ([1, 2, 1] if is_lapsed else [0, 0, 0])
    assert (done.counts["partial"], done.counts["skipped"]) == ((1, {"PLAN_EXPIRED": 2}) if is_lapsed else (0, {}))
    night.apply(night.approved(night.plan()))
    assert left_there(night, *units) == [0, 0, 0]
