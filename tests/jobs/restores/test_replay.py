"""After a restore of the CRM: what had been erased and is back goes again, and nothing else does (ERA-13,
R-091).

A restore brings back every row with the version it had; where a test says `made_again`, somebody has made
rows again with their old ids.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest

from jobs.model.plan import Kind, Plan
from jobs.model.request import GivenPerson
from jobs.model.run import RunState
from jobs.requests.decisions.carry_out import apply_by_hand
from jobs.requests.decisions.lost_writes import lost_writes
from jobs.restores.replay import replay_if_restored
from jobs.runs.apply import apply_plan
from rules.model.requests import Right
from tests.drivers.deciding import ask, granted
from tests.drivers.holding import place, release
from tests.drivers.night import Night
from tests.drivers.restoring import Backing
from tests.jobs.residual.retained import all_there, retain
from tests.jobs.restores.replaying import LONG_AGO, MakeNight, entries, made_again, replay_plan, replayed
from tests.jobs.runs.interruptions import Meddling
from tests.jobs.runs.kill_points import VOLATILE, CutShort, Killed, Snapshots, organisation, run_fragile, state_of


def test_what_a_restore_brings_back_goes_again(night: Night, backup: Backing) -> None:
    """ERA-13: dossiers, their fiches, roles, notes, calls, recordings and people, and the trimmed contact;
    nothing is counted twice."""
    organisation(night)
    kept = backup(night)
    first = night.apply(night.plan())
    after = state_of(night)
    kept.restore()
    again = replayed(night)
    assert again.state is RunState.DONE
    assert (first.counts["deleted"], first.counts["anonymised"], again.counts["deleted"]) == (7, 2, 9)  # what was extracted and deleted
    assert again.counts["rows"] == first.counts["rows"]
    assert again.counts["statistics"] == 0
    left = state_of(night)
    assert {table: rows for table, rows in left.items() if table != "cf_statistics"} == {
        table: rows for table, rows in after.items() if table != "cf_statistics"
    }
    assert [row["cf_count"] for row in night.rows("cf_statistics")] == [2]  # what the backup had
    assert night.store.runs.get(again.id).kind is Kind.REPLAY


def test_what_is_back_goes_from_long_term_retention_too(night: Night, backup: Backing) -> None:
    """ERA-13: what was moved there since the restore is back all the same."""
    person = night.contact()
    course = night.create("cf_enrolments", "cf_enrolmentid", cf_name="cursus", **{"cf_ContactId@odata.bind": f"/contacts({person})"})
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    (fiche,) = night.fiches_of(dossier)
    kept = backup(night)
    granted(night, ask(night, Right.ERASURE, person))
    night.apply(night.plan())
    kept.restore()
    for table, row in (("cf_enrolment", course), ("cf_fiche", fiche), ("cf_dossier", dossier)):
        retain(night, table, row)
    assert replayed(night).state is RunState.DONE
    assert all_there(night) == {}


def test_what_is_back_goes_though_a_copy_lies_in_long_term_retention(night: Night, backup: Backing) -> None:
    """A row that is live again under its id is that live row, and its copy goes after it."""
    person = night.contact()
    values = {"cf_name": "cursus", "cf_ContactId@odata.bind": f"/contacts({person})"}
    course = night.create("cf_enrolments", "cf_enrolmentid", **values)
    kept = backup(night)
    granted(night, ask(night, Right.ERASURE, person))
    kept.restore()
    retain(night, "cf_enrolment", course)
    night.http.post(f"{night.emulator.url}cf_enrolments", json=values | {"cf_enrolmentid": course}).raise_for_status()
    assert replayed(night).state is RunState.DONE
    assert night.get("cf_enrolments", course) is None
    assert all_there(night) == {}


def test_a_second_replay_finds_nothing(night: Night, backup: Backing) -> None:
    organisation(night)
    kept = backup(night)
    night.apply(night.plan())
    kept.restore()
    replayed(night)
    writes = night.writes()
    again = replayed(night)
    assert (again.state, again.counts["deleted"], night.writes()) == (RunState.DONE, 0, writes)


def test_a_replayed_unit_is_certified_by_the_reason_in_the_register(night: Night) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    made_again(night, lambda night: night.dossier("social_card", spoken=LONG_AGO))
    run = replayed(night)
    (issued,) = night.store.certificates.of_run(run.id)
    assert issued.certificate.unit_ref == night.key.reference("cf_dossier", dossier)
    assert (issued.certificate.rule_id, issued.certificate.reason, issued.certificate.unit_type) == ("ERA-13", "EXPIRED", "dossier")


def test_the_schedule_is_not_asked_again(night: Night) -> None:
    """What was erased on request goes again long before its end."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    young = lambda night: night.dossier("runaway", spoken=date(2026, 11, 1), closed=False)  # noqa: E731
    assert made_again(night, young) == dossier
    assert night.plan().dispose == {"delete": 0, "anonymise": 0}
    assert replayed(night).counts["deleted"] == 1
    assert night.get("cf_dossiers", dossier) is None


def test_a_hold_of_the_crm_wins(night: Night) -> None:
    """HLD-07: the plan says so, and a hold that comes after the plan is found by the write itself."""

    def two(night: Night, **columns: Any) -> tuple[str, str]:
        return night.dossier("social_card", spoken=LONG_AGO, **columns), night.dossier("social_card", spoken=LONG_AGO)

    first, second = two(night)
    night.apply(night.plan())
    made_again(night, lambda night: two(night, cf_legalhold=True))
    plan = replay_plan(night)
    assert (plan.dispose, plan.retain) == ({"delete": 1, "anonymise": 0}, {"HOLD_LEGAL": 1})
    night.patch("cf_dossiers", second, cf_legalhold=True)
    run = night.apply(plan)
    assert run.counts["deleted"] == 0
    assert run.counts["skipped"] == {"CHANGED": 1}
    assert night.get("cf_dossiers", first) is not None
    assert night.get("cf_dossiers", second) is not None


def test_a_fiche_of_after_the_restore_keeps_its_dossier(night: Night, backup: Backing) -> None:
    """RET-17: it was never erased nor judged, so it goes by no replay, whether it came before the plan or
    after it; the schedule judges the dossier with it."""
    rows = [night.dossier("social_card", spoken=LONG_AGO) for _ in range(3)]
    people = [night.contact() for _ in rows]
    for person, row in zip(people, rows, strict=True):
        night.party(person, "reporter", dossier=row)
    kept = backup(night)
    night.apply(night.plan())
    kept.restore()
    fiches = [night.fiche("social_card", spoken=date(2026, 11, 24), dossier=rows[0])]
    plan = replay_plan(night)
    assert plan.retain == {"NEW_FICHE": 1}
    fiches.append(night.fiche("social_card", spoken=date(2026, 11, 24), dossier=rows[1]))
    run = night.apply(plan)
    assert (run.counts["deleted"], run.counts["skipped"]) == (2, {"NEW_FICHE": 1, "STILL_REFERRED": 2})
    assert [night.get("cf_fiches", fiche) is not None for fiche in fiches] == [True, True]
    assert [night.get("cf_dossiers", row) is not None for row in rows] == [True, True, False]
    assert [night.get("contacts", person) is not None for person in people] == [True, True, False]
    assert night.plan().retain == {"NOT_EXPIRED": 2}


def test_a_hold_on_a_dossier_keeps_the_single_rows_of_it(night: Night) -> None:
    """HLD-04: an erased role, note, call and recording that are put under a dossier with a hold stay."""

    def rows_under(night: Night, dossier: str) -> None:
        fiche = night.fiches_of(dossier)[0]
        night.party(None, "reporter", dossier=dossier)
        night.party(None, "reporter", fiche=fiche)
        night.note("cf_dossier", dossier)
        night.call("cf_fiche", fiche, [])
        recording = night.recording(LONG_AGO, fiche=fiche)
        night.note("cf_recording", recording)

    rows_under(night, night.dossier("social_card", spoken=LONG_AGO))
    night.apply(night.plan())
    night.http.post(f"{night.emulator.root}/_emulator/reset", json={"empty": True}).raise_for_status()
    night.ids = Random(2)
    kept = night.dossier("runaway", spoken=date(2026, 11, 1), cf_legalhold=True)
    night.ids = Random(1)
    night.ids.getrandbits(128), night.ids.getrandbits(128)  # the dossier and the fiche of then
    rows_under(night, kept)
    plan = replay_plan(night)
    assert (plan.units, plan.retain) == (5, {"HOLD_LEGAL": 5})  # the note on the recording goes or stays with that
    assert night.apply(plan).counts["deleted"] == 0
    night.patch("cf_dossiers", kept, cf_legalhold=False)
    run = replayed(night)
    assert (run.state, run.counts["deleted"]) == (RunState.DONE, 5)
    assert run.counts["rows"] == {"annotation": 2, "cf_party": 2, "cf_recording": 1, "phonecall": 1}
    assert night.get("cf_dossiers", kept) is not None
    assert len(night.store.certificates.of_run(run.id)) == 1  # the recording alone is a unit of the schedule


def test_a_person_who_is_needed_again_stays(night: Night) -> None:
    """RET-20: the contact is back, and a new dossier refers to it."""

    def someone(night: Night) -> str:
        child = night.contact(birthdate="2000-02-01")
        night.party(child, "child", dossier=night.dossier("sexting", spoken=LONG_AGO))
        return child

    child = someone(night)
    night.apply(night.plan())
    assert night.get("contacts", child) is None
    made_again(night, someone)
    night.party(child, "parent", dossier=night.dossier("runaway", spoken=date(2026, 11, 1)))
    run = replayed(night)
    assert (run.counts["deleted"], run.counts["skipped"]) == (1, {"STILL_REFERRED": 1})
    assert night.get("contacts", child) is not None


def test_r091_what_tied_somebody_who_was_erased_on_request_does_not_keep_them_after_a_restore(night: Night, backup: Backing) -> None:
    """ERA-13: newsletter and organisation stand in the row that comes back. What has come since keeps, as
    does a newsletter of somebody whom the schedule had removed."""
    account = night.create("accounts", "accountid", name="Verzonnen vzw")
    organisation = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    people = {
        name: night.contact(firstname=name, lastname="Maes (fictief)", **(organisation if name == "Eva" else {"cf_newsletter": True}))
        for name in ("Ada", "Bea", "Cas", "Dries", "Eva")
    }
    reader, withdrawn, giver, role, partner = people.values()
    night.party(role, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    kept = backup(night)
    for name, right in (("Ada", Right.ERASURE), ("Bea", Right.CONSENT_WITHDRAWAL), ("Cas", Right.ERASURE), ("Eva", Right.ERASURE)):
        granted(night, ask(night, right, people[name], given=GivenPerson(firstname=name, lastname="Maes (fictief)")))
    night.patch("contacts", role, cf_newsletter=False)
    night.apply(night.approved(night.plan()))
    everybody = (reader, withdrawn, partner, giver, role)
    assert [night.get("contacts", person) for person in everybody] == [None] * 5
    kept.restore()
    night.donation(giver)
    run = replayed(night)
    assert [night.get("contacts", person) is not None for person in everybody] == [False, False, False, True, True]
    assert run.counts["skipped"] == {"CHANGED": 2}


def test_a_trimmed_contact_that_was_filled_in_again_is_left_alone(night: Night, backup: Backing) -> None:
    """A register number that a donor gave after the trim is not a ghost of the old one: its row has another
    version."""

    def donor(night: Night) -> str:
        person = night.contact(birthdate="1980-05-05", description="Verzonnen.")
        night.donation(person)
        night.party(person, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
        return person

    person = donor(night)
    kept = backup(night)
    assert night.apply(night.plan()).counts["trimmed"] == 1
    night.patch("contacts", person, birthdate="1980-05-05")
    assert replay_plan(night).trims == ()
    kept.restore()
    plan = replay_plan(night)
    assert plan.trims == (person,)
    night.patch("contacts", person, description="Nieuw, verzonnen.")
    run = night.apply(plan)
    assert (run.counts["trimmed"], run.counts["skipped"]) == (0, {"CHANGED": 1})


def test_a_trimmed_contact_that_is_back_from_before_its_last_change_is_told(night: Night, backup: Backing) -> None:
    """RET-20, ERA-13: whether what stands in it is a ghost or somebody's work since nobody can tell, so it
    stays and a person looks."""
    changed, same, other = (night.contact(birthdate="1980-05-05", description="Verzonnen.", cf_newsletter=True) for _ in range(3))
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    for person in (changed, same):
        night.party(person, "reporter", dossier=dossier)
    night.call("cf_dossier", dossier, [changed, other])
    kept = backup(night)
    night.patch("contacts", changed, telephone1="021234567")
    assert night.apply(night.plan()).counts["trimmed"] == 3
    kept.restore()
    plan = replay_plan(night)
    assert (sorted(plan.trims), plan.retain) == (sorted((same, other)), {"EMPTIED_BEFORE": 1})
    line = night.lines(plan)[changed]
    assert (line.table, line.outcome, line.disposition) == ("contact", "retain", None)
    run = night.apply(plan)
    assert (run.state, run.counts["trimmed"], run.counts["skipped"]) == (RunState.DONE, 2, {})
    births = [row and row["birthdate"] for row in (night.get("contacts", person) for person in (changed, same, other))]
    assert births == ["1980-05-05", None, None]


def test_a_use_that_a_request_had_ended_ends_again_and_what_else_is_undone_is_told(night: Night, backup: Backing) -> None:
    """GDPR art. 16, 21(3): the ledger alone knows of them, by keyed references and without values."""
    donor, changed, agreed = (night.contact(cf_newsletter=True, cf_newsletterconsenton="2025-01-01") for _ in range(3))
    for person in (donor, changed, agreed):
        night.donation(person)
    child = night.contact(firstname="Joris", lastname="Claes (fictief)", birthdate="2008-05-10")
    night.party(child, "child", dossier=night.dossier("grooming", closed=False))
    night.dossier("social_card", spoken=LONG_AGO)
    kept = backup(night)
    night.patch("contacts", changed, telephone1="021234567")  # so that the backup is of before its last change
    night.apply(night.plan())
    for person in (donor, changed, agreed):
        granted(night, ask(night, Right.OBJECTION, person))
    granted(night, ask(night, Right.RECTIFICATION, child, given=GivenPerson("Joris", "Claes (fictief)", "2009-05-10")))

    def told(plan: Plan) -> set[str]:
        return {line.id for line in night.lines(plan).values() if line.reason == "REQUEST_UNDONE"}

    for by_hand in (True, False):
        kept.restore()
        night.patch("contacts", agreed, cf_newsletterconsenton="2026-12-01")
        plan = replay_plan(night)
        assert told(plan) == {donor, changed, child}
        run = apply_by_hand(night.context, plan.id) if by_hand else replay_if_restored(night.context)
        assert run is not None
        assert (run.state, run.counts["deleted"]) == (RunState.DONE, 1)
        assert by_hand or told(night.store.plans.get(run.plan)) == {changed, child}
        people = [night.get("contacts", one) or {} for one in (donor, changed, agreed)]
        assert [(row["cf_newsletter"], row["donotbulkemail"]) for row in people] == [(False, True), (True, False), (True, False)]
    night.patch("contacts", child, birthdate="2009-05-10")
    night.patch("contacts", changed, cf_newsletter=False, cf_newsletterconsenton=None, donotbulkemail=True)
    assert lost_writes(night.context) == []


def test_an_emptying_that_lands_late_counts_as_emptied_again(night: Night, backup: Backing, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replay is killed with it under way, and it lands after the next run has looked."""
    person = night.contact(birthdate="1980-05-05", description="Verzonnen.")
    night.donation(person)
    night.party(person, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    kept = backup(night)
    night.apply(night.plan())
    kept.restore()
    plan = replay_plan(night)
    assert plan.trims == (person,)
    cut = CutShort(night.context.connector, 2)  # its dossier goes first
    with pytest.raises(Killed):
        apply_plan(dataclasses.replace(night.context, connector=cut), plan.id)
    with monkeypatch.context() as patch:
        patch.setattr("jobs.runs.run.reconcile_intended", cut.reconcile_and_land)
        run = night.apply(plan)
    assert (night.get("contacts", person) or {})["description"] is None
    assert (run.counts["trimmed"], run.counts["skipped"]) == (1, {})
    assert run.counts["verified"] == {"gone": 3, "masked": 1, "still_there": 0}


def test_a_replay_killed_at_any_point_ends_like_an_undisturbed_one(
    make_night: MakeNight, backup: Backing, database_file: Callable[[], str]
) -> None:
    url = database_file()
    night = make_night(url=url)
    organisation(night)
    kept = backup(night)
    night.apply(night.plan())
    kept.restore()
    plan, points = replay_plan(night), Snapshots(night, url)
    undisturbed = run_fragile(night, plan, points)
    expected = state_of(night)
    assert len(points) > 10
    for at, again in points.nights(make_night, database_file):
        resumed = again.apply(plan)
        assert (at, resumed.state, resumed.counts) == (at, undisturbed.state, undisturbed.counts)
        assert (at, state_of(again)) == (at, expected)


# -- a register in two places --------------------------------------------------------------------------------


def test_what_was_anonymised_in_place_is_masked_again(make_night: MakeNight, backup: Backing) -> None:
    """ERA-06, ERA-13: the rows stay under their ids, and nothing of their old content."""
    night = make_night(policy=lambda text: text.replace("backups:\n", "anonymise:\n  how: in_place\nbackups:\n", 1))
    night.create("teams", "teamid", name="Geanonimiseerd")
    dossier = night.dossier("sexting", spoken=LONG_AGO, fiches=2)
    night.party(night.contact(birthdate="2000-02-01"), "child", dossier=dossier)
    night.note("cf_dossier", dossier)
    kept = backup(night)
    first = night.apply(night.plan())
    assert first.counts["verified"]["masked"] == 3  # type: ignore[index]
    after = [night.rows(table) for table in ("cf_dossiers", "cf_fiches", "contacts", "annotations", "cf_parties")]
    assert replay_plan(night).units == 0
    kept.restore()
    again = replayed(night)
    assert (again.state, again.counts["anonymised"], again.counts["statistics"]) == (RunState.DONE, 1, 0)
    assert again.counts["verified"] == first.counts["verified"]
    left = [night.rows(table) for table in ("cf_dossiers", "cf_fiches", "contacts", "annotations", "cf_parties")]
    assert [list(map(stable, rows)) for rows in left] == [list(map(stable, rows)) for rows in after]


def stable(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in VOLATILE}


def test_holds_of_the_dpo_win_over_a_replay(night: Night, backup: Backing) -> None:
    """HLD-04, HLD-07: on a dossier, on a person with the dossiers of that person, on a note of a person;
    placed before the plan, after it, and right before the write."""
    names = ("held", "of a person", "held late", "held last", "free")

    def cases(night: Night) -> dict[str, str]:
        child, noted = night.contact(birthdate="2000-02-01"), night.contact(birthdate="2000-02-01")
        found = {name: night.dossier("social_card", spoken=LONG_AGO) for name in names}
        night.party(child, "child", dossier=found["of a person"])
        night.party(noted, "child", dossier=found["free"])
        recording = night.recording(LONG_AGO, fiche=night.fiches_of(found["held"])[0])
        return found | {"person": child, "noted": noted, "note": night.note("contact", noted), "recording": recording}

    rows = cases(night)
    kept = backup(night)
    night.apply(night.plan())
    kept.restore()
    place(night, "cf_dossier", rows["held"])
    place(night, person=rows["person"])
    place(night, "annotation", rows["note"])
    plan = replay_plan(night)
    assert plan.dispose == {"delete": 3, "anonymise": 0}
    assert plan.retain == {"HOLD_JUDICIAL": 5}  # two dossiers, the two people, the recording
    place(night, "cf_dossier", rows["held late"])
    meddling = Meddling(night.context.connector, lambda: place(night, "cf_dossier", rows["held last"]), before="Email")
    run = apply_plan(dataclasses.replace(night.context, connector=meddling), plan.id)
    assert (run.counts["deleted"], run.counts["skipped"]) == (1, {"HOLD_JUDICIAL": 2})
    assert [name for name in names if night.get("cf_dossiers", rows[name]) is not None] == ["held", "of a person", "held late", "held last"]
    assert [night.get("contacts", rows[name]) is not None for name in ("person", "noted")] == [True, True]
    assert night.get("cf_recordings", rows["recording"]) is not None
    announced: Any = entries(night, "intent")[-1]["units"]  # what is known to be held is not even announced
    assert {unit["ref"] for unit in announced} == {night.key.reference("cf_dossier", rows[name]) for name in ("held last", "free")}


def test_a_single_row_of_a_person_under_a_hold_stays(night: Night) -> None:
    """An erased role that was made again in another dossier, and a hold on the person whose role it is."""

    def role(night: Night, dossier: str) -> str:
        child = night.contact(birthdate="2000-02-01")
        night.party(child, "child", dossier=dossier)
        return child

    role(night, night.dossier("social_card", spoken=LONG_AGO))
    night.apply(night.plan())
    night.http.post(f"{night.emulator.root}/_emulator/reset", json={"empty": True}).raise_for_status()
    night.ids = Random(2)
    other = night.dossier("runaway", spoken=date(2026, 11, 1))
    night.ids = Random(1)
    night.ids.getrandbits(128), night.ids.getrandbits(128)  # the dossier and the fiche of then
    child = role(night, other)
    hold = place(night, person=child)
    assert replay_plan(night).retain == {"HOLD_JUDICIAL": 2}
    release(night, hold)
    run = replayed(night)
    assert (run.counts["deleted"], run.counts["rows"]) == (2, {"cf_party": 1, "contact": 1})
    assert night.get("cf_dossiers", other) is not None


def test_who_has_lost_a_later_dossier_goes_by_the_plan_after_the_replay(night: Night, backup: Backing) -> None:
    """RET-20: of people to whom only what is erased again had led the next plan decides as ever; they are no
    contacts that were never linked."""
    child, donor, shared, caller = (night.contact(birthdate="2000-02-01") for _ in range(4))
    first = night.dossier("social_card", spoken=LONG_AGO)
    night.call("cf_dossier", first, [caller])
    night.party(shared, "parent", dossier=night.dossier("runaway", spoken=date(2026, 11, 1)))
    night.donation(donor)
    for person in (child, donor, shared):
        night.party(person, "witness", dossier=first)
    kept = backup(night)
    later = night.dossier("runaway", spoken=date(2026, 11, 1))
    for person in (child, donor, caller):
        night.party(person, "witness", dossier=later)
    night.apply(night.plan())
    kept.restore()
    assert replayed(night).counts["skipped"] == {"AWAITS_TURN": 3}
    night.apply(night.approved(night.plan()))
    left = [night.get("contacts", person) for person in (child, donor, shared)]
    assert [row and row["birthdate"] for row in left] == [None, None, "2000-02-01"]
    assert (left[0] is None, night.get("cf_dossiers", first)) == (True, None)
    assert night.get("contacts", caller) is None
