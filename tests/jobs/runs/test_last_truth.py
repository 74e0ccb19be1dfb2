"""What a CRM that fails, lies or answers late has done with a unit is found out, counted once, cleaned and
certified (ERA-12, ACC-03)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, cast

import pytest

from jobs.model.plan import Plan
from jobs.model.run import ActionState, RowWrite, Run, RunState
from jobs.proof.run_reckoning import reckoning_of
from jobs.writing.read_back import still_there
from tests.drivers.beginnings import Beginning
from tests.drivers.holding import place, release
from tests.drivers.night import Night
from tests.jobs.residual.cleaning import LONG_AGO, NAME, actions, audits, expired, fault, in_bin, kept, there
from tests.jobs.runs.interruptions import killed_before


def a_lone_fiche(night: Night) -> tuple[str, str]:
    """A fiche of no dossier past its end, with a role and a note; the history of the role tells a name."""
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    role = night.party(night.contact(), "reporter", fiche=fiche)
    night.patch("cf_parties", role, cf_name=NAME)
    night.note("cf_fiche", fiche)
    return fiche, role


def refused(table_set: str, row: str) -> dict[str, Any]:
    return {"match": {"method": "DELETE", "path": f"{table_set}({row})"}, "times": 1, "do": "status", "status": 403}


def certified(night: Night, run: Run) -> dict[str, dict[str, int]]:
    return {issued.certificate.unit_ref: issued.certificate.objects for issued in night.store.certificates.of_run(run.id)}


@pytest.mark.parametrize("nights", [1, 2])
def test_the_history_of_rows_that_had_gone_in_an_earlier_run_goes_with_the_rest_of_a_lone_fiche(night: Night, nights: int) -> None:
    fiche, role = a_lone_fiche(night)
    fault(night, kept("cf_fiches", fiche, nights))
    for _ in range(nights):
        first = night.apply(night.plan())
        assert (first.state, first.counts["partial"]) == (RunState.DONE_WITH_FAILURES, 1)
        assert (night.get("cf_parties", role), night.get("cf_fiches", fiche) is None) == (None, False)
        assert night.key.reference("cf_fiche", fiche) not in certified(night, first)
    last = night.apply(night.plan())
    assert (last.state, last.counts["partial"]) == (RunState.DONE, 0)
    assert NAME not in audits(night)
    assert in_bin(night, "cf_parties", "cf_party") == 0
    done = actions(night, last)[fiche]
    assert {(write.kind) for write in done.gone} == {"party", "note"}
    objects = certified(night, last)[night.key.reference("cf_fiche", fiche)]
    assert (objects["notes"], objects["audit_entries"] >= 4, done.places["audit_history"]) == (1, True, "done")


def test_a_night_in_which_the_unit_was_put_off_does_not_lose_what_had_gone_before(night: Night) -> None:
    fiche, _ = a_lone_fiche(night)
    fault(night, kept("cf_fiches", fiche))
    night.apply(night.plan())
    plan = night.plan()
    night.patch("cf_fiches", fiche, cf_name="F-other")  # changed between plan and apply
    assert night.apply(plan).counts["skipped"] == {"CHANGED": 1}
    assert NAME in audits(night)
    last = night.apply(night.plan())
    assert (actions(night, last)[fiche].state, NAME in audits(night)) == (ActionState.DONE, False)


@pytest.mark.parametrize("trouble", ["changed", "held", "expired"])
def test_who_is_in_a_unit_of_which_a_part_is_left_stays_also_when_a_later_run_only_skips_it(night: Night, trouble: str) -> None:
    """ERA-15, RET-20: of a unit that is skipped nothing was written, so what an earlier run left of it is
    left still. Its role has gone, and with it the way from the person to the fiche."""
    person = night.contact()
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    night.party(person, "reporter", fiche=fiche)
    fault(night, kept("cf_fiches", fiche), refused("contacts", person))
    assert night.apply(night.plan()).counts["partial"] == 1
    fault(night)
    plan, hold = night.plan(), None
    if trouble == "changed":
        night.patch("cf_fiches", fiche, cf_name="F-other")
    elif trouble == "held":
        hold = place(night, "cf_fiche", fiche)
    else:
        killed_before(night, plan, "change")
        night.clock.now += timedelta(hours=80)
        assert night.apply(plan).counts["skipped"] == {"PLAN_EXPIRED": 2}
        hold = place(night, "cf_fiche", fiche)
        plan = night.plan()
    second = night.apply(plan)
    assert (night.get("cf_fiches", fiche) is None, night.get("contacts", person) is None) == (False, False)
    assert actions(night, second)[person].code == "STILL_REFERRED"
    assert (second.state, "LEFT_OVER" in str(second.counts["alarms"])) == (RunState.DONE_WITH_FAILURES, True)
    if hold is not None:
        release(night, hold)
    last = night.apply(night.plan())
    assert (last.state, night.get("cf_fiches", fiche), night.get("contacts", person)) == (RunState.DONE, None, None)


def test_what_is_left_of_a_dossier_is_finished_although_an_older_plan_has_skipped_it(night: Night) -> None:
    """No plan can judge the dossier without its fiches, so that only what was left of it leads there."""
    dossier, person = expired(night)
    plans = [night.plan(), night.plan()]
    fault(night, kept("cf_dossiers", dossier), refused("contacts", person))
    assert night.apply(plans[0]).counts["partial"] == 1
    fault(night)
    assert actions(night, night.apply(plans[1]))[dossier].state is ActionState.SKIPPED
    assert (night.get("cf_dossiers", dossier) is None, night.get("contacts", person) is None) == (False, False)
    last = night.apply(night.plan())
    assert (last.state, actions(night, last)[dossier].state, night.get("cf_dossiers", dossier)) == (RunState.DONE, ActionState.DONE, None)


def test_a_dossier_that_kept_itself_and_a_fiche_brings_along_what_had_gone(night: Night) -> None:
    """Two rows are left, so that a plan judges the dossier again."""
    dossier, _ = expired(night)
    left = night.fiches_of(dossier)[1]
    fault(night, kept("cf_dossiers", dossier), kept("cf_fiches", left))
    assert night.apply(night.plan()).counts["partial"] == 1
    assert (night.get("cf_dossiers", dossier) is None, night.fiches_of(dossier)) == (False, [left])
    last = night.apply(night.plan())
    assert (last.state, actions(night, last)[dossier].state, NAME in audits(night)) == (RunState.DONE, ActionState.DONE, False)


def test_a_contact_that_was_kept_brings_along_its_notes(night: Night) -> None:
    person = night.contact(birthdate="2000-02-01")
    night.party(person, "child", dossier=night.dossier("sexting", spoken=LONG_AGO))
    note = night.note("contact", person, notetext=NAME)
    night.patch("annotations", note, notetext="-")
    fault(night, kept("contacts", person))
    night.apply(night.plan())
    last = night.apply(night.plan())
    assert (last.state, [write.kind for write in actions(night, last)[person].gone]) == (RunState.DONE, ["note"])


@pytest.mark.parametrize("trouble", ["refused", "no answer"])
def test_a_recording_that_failed_by_its_own_line_and_went_with_its_fiche_is_gone(night: Night, trouble: str) -> None:
    """The last truth wins: counted, read back, certified."""
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    recording = night.recording(LONG_AGO, fiche=fiche)
    status, times = (403, 1) if trouble == "refused" else (500, 3)
    fault(night, {"match": {"method": "DELETE", "path": f"cf_recordings({recording})"}, "times": times, "do": "status", "status": status})
    run = night.apply(night.plan())
    found = actions(night, run)
    assert (found[recording].state, found[fiche].state) == (ActionState.DONE, ActionState.DONE)
    assert (run.state, run.counts["skipped"], run.counts["failed"], run.counts["deleted"]) == (RunState.DONE, {}, 0, 2)
    assert run.counts["disposed"] == {"units": 1, "recordings": 1}
    assert run.counts["rows"] == {"cf_fiche": 1, "cf_recording": 1}
    assert set(certified(night, run)) == {night.key.reference("cf_fiche", fiche), night.key.reference("cf_recording", recording)}


def test_rows_of_units_that_are_half_done_are_counted(night: Night) -> None:
    fiche, _ = a_lone_fiche(night)
    fault(night, kept("cf_fiches", fiche))
    run = night.apply(night.plan())
    assert run.counts["rows"] == {"annotation": 1, "cf_party": 1, "contact": 1}
    assert night.apply(night.plan()).counts["rows"] == {"cf_fiche": 1}


def test_a_unit_that_goes_after_we_gave_up_is_done_by_the_next_run(night: Night) -> None:
    """A write without an answer is carried out in the end: no plan has the unit any more, or only one that
    was made before. Its figures are counted once."""
    early, _ = a_lone_fiche(night)
    late, _ = a_lone_fiche(night)
    child = night.contact(birthdate="2000-02-01")
    counted = night.dossier("sexting", spoken=LONG_AGO)
    night.party(child, "child", dossier=counted)
    units = {early: "cf_fiches", late: "cf_fiches", counted: "cf_dossiers"}
    before = there(night)
    fault(night, *({"match": {"method": "DELETE", "path": f"{of}({row})"}, "do": "status", "status": 500} for row, of in units.items()))
    first = night.apply(night.plan())
    assert (first.counts["failed"], night.rows("cf_statistics")) == (3, [])
    sent = {action.id: action.rows for action in night.store.journal.of_run(first.id) if action.id in units}
    fault(night)

    def land(unit: str) -> None:
        for write in sent[unit]:
            sets = {"party": "cf_parties", "note": "annotations", "fiche": "cf_fiches", "dossier": "cf_dossiers"}
            night.http.delete(f"{night.emulator.url}{sets[write.kind]}({write.id})").raise_for_status()

    land(early)
    plan = night.plan()
    land(late)
    land(counted)
    run = night.apply(plan)
    assert {actions(night, run)[unit].state for unit in units} == {ActionState.DONE}
    figures = [(row["cf_categorykey"], row["cf_count"]) for row in night.rows("cf_statistics")]
    assert (NAME in audits(night), run.counts["skipped"], sorted(figures)) == (False, {}, [("total_exploitation", 1), ("total_other", 2)])
    assert {night.key.reference(of.removesuffix("s"), row) for row, of in units.items()} <= certified(night, run).keys()
    lost = {table: len(ids - there(night)[table]) for table, ids in before.items()}
    rows = Counter(cast("dict[str, int]", first.counts["rows"])) + Counter(cast("dict[str, int]", run.counts["rows"]))
    assert rows == {table: number for table, number in lost.items() if number}
    again = night.apply(night.plan())
    assert (again.counts["deleted"], [(row["cf_categorykey"], row["cf_count"]) for row in night.rows("cf_statistics")]) == (0, figures)


# -- every fault ---------------------------------------------------------------------------------------------

WRITES = ["cf_dossiers(", "cf_fiches(", "cf_parties(", "cf_recordings(", "annotations(", "contacts("]
FAULTS: list[dict[str, Any]] = [
    *({"match": {"method": "DELETE", "path": path, "every": 2}, "do": "keep_row"} for path in WRITES),
    *({"match": {"method": "DELETE", "path": path, "every": 2}, "do": "status", "status": 403} for path in WRITES),
    *({"match": {"method": "DELETE", "path": path, "every": 3}, "do": "status", "status": 500} for path in WRITES),
    *({"match": {"method": "DELETE", "path": path, "every": 2}, "do": "change_row"} for path in WRITES),
    {"match": {"method": "POST", "path": "$batch", "every": 2}, "do": "cut_after"},
    {"match": {"method": "POST", "path": "$batch", "every": 2}, "do": "cut_before"},
    {"match": {"method": "POST", "path": "$batch", "every": 2}, "do": "status", "status": 503},
    {"match": {"method": "POST", "path": "$batch", "every": 2}, "do": "truncate"},
    *({"match": {"method": "POST", "path": "$batch"}, "do": kind} for kind in ("status", "cut_before", "cut_after", "truncate")),
]


def an_organisation(night: Night) -> None:
    for number, category in enumerate(("social_card", "sexting", "social_card")):
        dossier = night.dossier(category, spoken=LONG_AGO, fiches=2, cf_legalhold=number == 2)
        night.party(night.contact(birthdate="2000-02-01"), "child", dossier=dossier)
        night.note("cf_dossier", dossier)
        night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0])
    for _ in range(3):
        fiche, _ = a_lone_fiche(night)
        night.recording(LONG_AGO, fiche=fiche)
    night.recording(LONG_AGO)
    night.dossier("runaway", spoken=date(2026, 11, 1))


def named(rule: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (rule["do"], rule.get("status", ""), *rule["match"].values()))


@pytest.mark.parametrize("first", [0, 1])
def test_due_units_and_rows_that_are_gone_add_up_under_every_fault(
    make_night: Callable[..., Night], database_file: Callable[[], str], first: int, subtests: pytest.Subtests
) -> None:
    """due = done + held + changed + skipped + partial + failed; and what is counted as gone is just what the
    CRM has lost. Every fault begins at one planned organisation; they are shared out to two tests."""
    night = make_night(url=(url := database_file()))
    an_organisation(night)
    before, plan = there(night), night.plan()
    beginning = Beginning(night, url)
    for rule in FAULTS[first::2]:
        again = beginning.again(make_night, database_file())
        with subtests.test(named(rule)):
            adds_up(again, plan, before, rule)
        again.close()
        again.store.close()
    beginning.close()


def adds_up(night: Night, plan: Plan, before: dict[str, set[str]], rule: dict[str, Any]) -> None:
    due = {line.key for line in night.lines(plan).values() if line.is_disposal}
    fault(night, rule)
    run = night.apply(plan)
    fault(night)
    journal = {action.key: action for action in night.store.journal.of_run(run.id) if action.disposition != "trim"}
    counts: dict[str, Any] = run.counts
    assert due <= journal.keys()
    states = Counter(action.state for action in journal.values())
    done = counts["deleted"] + counts["anonymised"]
    assert done + sum(counts["skipped"].values()) + counts["partial"] + counts["failed"] == len(journal)
    assert (done, counts["partial"], counts["failed"]) == (
        states[ActionState.DONE],
        states[ActionState.PARTIAL],
        states[ActionState.FAILED],
    )
    after = there(night)
    lost = {table: len(before[table] - ids) for table, ids in after.items()}
    assert counts["rows"] == {table: number for table, number in lost.items() if number}
    for action in journal.values():
        own_is_there = action.id in after[action.table]
        assert own_is_there is (action.state is not ActionState.DONE) or action.state is ActionState.PARTIAL, action
    gone = [action for action in journal.values() if action.state is ActionState.DONE]
    assert sum(counts["disposed"].values()) == sum(action.table != "contact" for action in gone)
    assert reckoning_of(night.store, run, night.policy.calendar).outcomes.get("disposed", 0) == len(gone)
    assert len(certified(night, run)) == done


def test_a_link_counts_as_there_as_long_as_it_leads_to_the_row_that_went(night: Night) -> None:
    """Somebody may have made another one since."""
    person, other = night.contact(), night.contact()
    role = night.party(person, "reporter", dossier=night.dossier("sexting"))
    unlinked = RowWrite("party", role, "", "unlink_contact", target=person)
    assert still_there(night.connector, [unlinked]) == {("party", role)}
    night.patch("cf_parties", role, **{"cf_ContactId@odata.bind": f"/contacts({other})"})
    assert still_there(night.connector, [unlinked]) == set()
