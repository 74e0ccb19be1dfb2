"""What stops a plan until two people have looked at it, and what is odd about a night (RET-24, HLD-13,
9.4)."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from random import Random

import msgspec
import pytest

from jobs.ledger.plan_lines import plan_entry
from jobs.model.plan import Kind, Plan
from jobs.model.run import Action, ActionState, RowWrite, Run, RunState
from jobs.plans.approve import approve_plan
from jobs.writing import send
from rules.dates.instants import instant
from rules.errors import Refused
from tests.drivers.night import Night, approve_where_needed, references_of
from tests.drivers.organisation import set_faults
from tests.drivers.typist import LONG_AGO


@pytest.fixture
def night(make_night: Callable[..., Night]) -> Night:
    """A night under the shipped schedule, with the look of two people at a first run."""
    return make_night(first_look=True)


def codes(plan: Plan) -> list[str]:
    return [alarm.code for alarm in plan.alarms]


def alarms(run: Run) -> list[str]:
    found = run.counts["alarms"]
    assert isinstance(found, list)
    return [alarm["code"] for alarm in found]


def earlier_run(night: Night, number: int, disposed: int, plan: Plan) -> Run:
    """A run that ended in an earlier night, of a plan like this, with what it disposed of."""
    at = night.clock() - timedelta(days=40 - number)
    plan = msgspec.structs.replace(plan, id=f"plan-old-{number}", created_at=at, alarms=(), backlog=())
    night.store.plans.save(plan, [], ("plan", plan_entry(plan)))
    counts: dict[str, object] = {"disposed": {"units": disposed, "recordings": 0}, "by_category": {"social_card": disposed}, "rows": {}}
    run = Run(f"run-old-{number}", plan.kind, plan.id, RunState.DONE, at, at, at, counts=counts)
    night.store.runs.start(msgspec.structs.replace(run, state=RunState.RUNNING, counts={}), ("run_started", {"plan": plan.id}))
    night.store.runs.save(run, [("run_ended", {"plan": plan.id})])
    return run


def load_fiches(night: Night, number: int) -> list[str]:
    """Lone fiches that are due, loaded past the Web API."""
    ids = [str(uuid.UUID(int=Random(7).getrandbits(100) + n, version=4)) for n in range(number)]
    columns = {"cf_name": "F", "cf_categories": "100000000", "createdon": "2020-01-10T11:00:00Z", "statecode": 0, "statuscode": 1}
    night.emulator.load([("cf_fiche", {"cf_ficheid": row, "cf_communicatedon": "2020-01-10T11:00:00Z", **columns}) for row in ids])
    return ids


def test_the_first_run_of_a_category_waits_for_two_people(night: Night) -> None:
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    first = night.plan()
    assert (first.why, first.needed, first.breaker.tripped) == (("FIRST_RUN",), ("crm_admin", "dpo"), False)
    before = night.writes()
    from jobs.runs.apply import apply_plan

    with pytest.raises(Refused, match="FIRST_RUN") as caught:
        apply_plan(night.context, first.id)
    assert (caught.value.code, caught.value.where, night.writes()) == ("approval", first.id, before)
    run = night.apply(first)
    assert run.counts["by_category"] == {"social_card": 1}
    assert night.get("cf_fiches", fiche) is None
    night.fiche("social_card", spoken=LONG_AGO)
    assert night.plan().why == ()
    night.fiche("e_safety", spoken=LONG_AGO)
    assert night.plan().why == ("FIRST_RUN",)


def test_a_run_that_skipped_all_of_a_category_was_not_its_first(night: Night) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    plan = night.plan()
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    night.apply(plan)
    night.patch("cf_dossiers", dossier, cf_legalhold=False)
    assert night.plan().why == ("FIRST_RUN",)


def test_a_policy_may_do_without_the_look_at_a_first_run(make_night: Callable[..., Night]) -> None:
    night = make_night()
    night.fiche("social_card", spoken=LONG_AGO)
    assert (night.plan().why, night.plan().needed) == ((), ())


def test_what_was_disposed_of_in_another_crm_is_no_first_run_here(make_night: Callable[..., Night]) -> None:
    night = make_night(first_look=True)
    run = earlier_run(night, 1, 5, night.plan())
    elsewhere = msgspec.structs.replace(night.store.plans.get(run.plan), id="plan-elsewhere", crm="https://other.example/api/data/v9.2/")
    night.store.plans.save(elsewhere, [], ("plan", {}))
    night.fiche("social_card", spoken=LONG_AGO)
    night.fiche("e_safety", spoken=LONG_AGO)
    there = msgspec.structs.replace(run, id="run-elsewhere", plan=elsewhere.id, counts=run.counts | {"by_category": {"e_safety": 4}})
    night.store.runs.start(there, ("run_started", {"plan": there.plan}))
    night.store.runs.save(there, [("run_ended", {"plan": there.plan})])
    assert night.plan().why == ("FIRST_RUN",)


def test_a_unit_that_had_changed_after_an_approval_is_looked_at_again(night: Night) -> None:
    """Two people approved what they saw: what has changed since is not what they approved."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.fiche("social_card", spoken=LONG_AGO)
    plan = night.plan()
    night.patch("cf_dossiers", dossier, cf_name="D-gewijzigd")
    run = night.apply(plan)
    assert (run.counts["skipped"], run.counts["deleted"]) == ({"CHANGED": 1}, 1)
    again = night.plan()
    assert (again.why, again.needed) == (("DRIFTED",), ("crm_admin", "dpo"))
    night.approved(again)
    assert night.apply(again).counts["deleted"] == 1
    night.dossier("social_card", spoken=LONG_AGO)
    assert night.plan().why == ()


def test_an_approval_that_has_run_out_counts_no_more_and_may_be_given_again(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=lambda text: text.replace("valid_hours: 72", "valid_hours: 2", 1), first_look=True)
    night.fiche("social_card", spoken=LONG_AGO)
    plan = night.approved(night.plan())
    assert plan.missing(night.clock()) == ()
    night.clock.now += timedelta(hours=2)
    assert plan.missing(night.clock()) == ("crm_admin", "dpo")
    from jobs.runs.apply import apply_plan

    with pytest.raises(Refused) as caught:
        apply_plan(night.context, plan.id)
    assert caught.value.code == "approval"
    again = approve_where_needed(night.store, plan.id, night.clock(), night.key)
    assert [word.who for word in again.given] == ["fictief-crm_admin", "fictief-dpo"] * 2
    assert apply_plan(night.context, plan.id).counts["deleted"] == 1


def test_who_has_approved_does_not_stand_in_for_a_second_person(night: Night) -> None:
    night.fiche("social_card", spoken=LONG_AGO)
    plan = night.plan()
    word = {"approves": True, "now": night.clock(), **references_of(night.key)}
    approve_plan(night.store, plan.id, "lotte", "crm_admin", "", **word)
    with pytest.raises(Refused) as caught:
        approve_plan(night.store, plan.id, "Lotte", "dpo", "", **word)
    assert caught.value.code == "same_person"


def test_a_category_above_its_limit_trips_the_breaker(make_night: Callable[..., Night]) -> None:
    night = make_night(policy=lambda text: text.replace("limits:", "limits:\n  categories:\n    e_safety: {max: 1}", 1))
    night.fiche("e_safety", spoken=LONG_AGO)
    for _ in range(3):
        night.fiche("social_card", spoken=LONG_AGO)
    assert night.plan().why == ()
    night.fiche("e_safety", spoken=LONG_AGO)
    plan = night.plan()
    assert (plan.why, plan.breaker.tripped, plan.breaker.units.tripped) == (("CATEGORY_LIMIT",), True, False)
    counter = plan.breaker.categories["e_safety"]
    assert (counter.planned, counter.limit, counter.tripped) == (2, 1, True)
    before = night.writes()
    with pytest.raises(Refused) as caught:
        night.apply(plan)
    assert (caught.value.code, night.writes()) == ("breaker", before)
    night.approved(plan)
    assert night.apply(plan).counts["by_category"] == {"e_safety": 2, "social_card": 3}


def test_a_category_is_held_against_what_runs_of_its_kind_disposed_of(make_night: Callable[..., Night]) -> None:
    limit = "limits:\n  categories:\n    social_card: {factor: 2, median_from: 1}"
    night = make_night(policy=lambda text: text.replace("limits:", limit, 1), first_look=True)
    all_units, retention = night.plan(), night.plan(Kind.RETENTION)
    for number in range(3):
        earlier_run(night, number, 1, all_units)
        earlier_run(night, number + 10, 50, retention)
    for _ in range(3):
        night.fiche("social_card", spoken=LONG_AGO)
    plan = night.plan()
    assert plan.breaker.categories["social_card"].median == 1
    assert plan.why == ("CATEGORY_LIMIT",)


def test_rows_that_are_out_of_sight_make_the_plan_wait(make_night: Callable[..., Night]) -> None:
    night = make_night()
    fiches = load_fiches(night, 100)
    assert codes(night.plan()) == []
    for fiche in fiches[:30]:
        night.http.delete(f"{night.emulator.url}cf_fiches({fiche})").raise_for_status()
    plan = night.plan()
    assert (codes(plan), plan.why, plan.needed) == (["VIEW_SHRANK"], ("VIEW_SHRANK",), ("crm_admin", "dpo"))
    assert "cf_fiche: 70 rows in sight, 100 at the plan before, 0 removed" in plan.alarms[0].message
    assert codes(night.plan()) == ["VIEW_SHRANK"]  # looking again does not make it well
    night.approved(plan)
    run = night.apply(plan)
    assert alarms(run) == ["VIEW_SHRANK"]
    assert run.state is RunState.DONE_WITH_FAILURES  # let through is not the same as well
    assert codes(night.plan()) == []


def test_a_few_rows_less_are_no_alarm(make_night: Callable[..., Night]) -> None:
    """Both limits have to be exceeded: the share and the number."""
    night = make_night()
    fiches = load_fiches(night, 100)
    night.plan()
    for fiche in fiches[:10]:
        night.http.delete(f"{night.emulator.url}cf_fiches({fiche})").raise_for_status()
    assert codes(night.plan()) == []


def test_what_our_own_run_removed_of_a_unit_that_it_left_half_done_is_not_missed(
    make_night: Callable[..., Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ERA-15: the next night goes on with it, so people have nothing to decide."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", 10)
    night = make_night()
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    for _ in range(10):
        night.fiche("social_card", spoken=LONG_AGO, dossier=dossier)
    plan = night.plan()
    set_faults(night.emulator, {"match": {"method": "DELETE", "path": "cf_dossiers("}, "do": "status", "status": 403})
    assert night.apply(plan).counts["partial"] == 1
    set_faults(night.emulator)
    plan = night.plan()
    assert (codes(plan), plan.seen["cf_fiche"]) == ([], 1)
    assert night.apply(plan).state is RunState.DONE
    assert night.get("cf_dossiers", dossier) is None


@pytest.mark.parametrize("hours", [0, -1])
def test_what_our_own_runs_removed_is_not_missed(make_night: Callable[..., Night], hours: int) -> None:
    """Nor where the clock was an hour fast until the run."""
    night = make_night()
    load_fiches(night, 100)
    first = night.approved(night.plan())
    night.clock.advance(hours=hours)
    night.apply(first)
    second = night.plan()
    assert (second.seen["cf_fiche"], first.seen["cf_fiche"]) == (0, 100)
    assert codes(second) == []


def test_nothing_due_is_an_alarm_where_there_usually_is_something(night: Night) -> None:
    night.fiche("social_card", spoken=night.clock().date())
    before = night.plan()
    for number in range(6):
        earlier_run(night, number, 20, before)
    assert codes(night.plan()) == ["NO_RUN", "NO_RUN"]
    earlier_run(night, 6, 20, before)
    plan = night.plan()
    assert codes(plan)[0] == "NOTHING_DUE"
    assert plan.needed == ()  # there is nothing to write
    run = night.apply(plan)
    assert (alarms(run), run.state) == (["NOTHING_DUE"], RunState.DONE_WITH_FAILURES)
    again = night.plan()
    assert codes(again) == []  # the second look of a day finds nothing, as it should


def test_a_crm_without_a_single_unit_is_an_alarm(night: Night) -> None:
    fiche = night.fiche("social_card", spoken=night.clock().date())
    assert night.plan().units == 1
    night.http.delete(f"{night.emulator.url}cf_fiches({fiche})").raise_for_status()
    plan = night.plan()
    assert (plan.units, codes(plan)) == (0, ["NOTHING_DUE"])


def test_a_crm_that_we_have_emptied_ourselves_is_none(night: Night) -> None:
    night.fiche("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    plan = night.plan()
    assert (plan.units, codes(plan)) == (0, [])


def test_a_first_night_has_no_backlog(night: Night) -> None:
    night.fiche("social_card", spoken=LONG_AGO)
    assert night.plan().backlog == ()


def test_what_was_planned_a_week_ago_and_is_still_there_is_a_backlog(night: Night) -> None:
    """Counted from plans of long ago only; the run that disposes of it after all is a good one."""
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    later = night.dossier("social_card", spoken=LONG_AGO)
    night.patch("cf_dossiers", later, cf_legalhold=True)
    night.plan()
    night.clock.now += timedelta(days=6, hours=23)
    assert night.plan().backlog == ()
    night.clock.now += timedelta(hours=1)
    night.patch("cf_dossiers", later, cf_legalhold=False)
    plan = night.plan()
    assert (plan.backlog, codes(plan)) == ((("cf_fiche", fiche),), ["BACKLOG"])  # the dossier was held when it was planned
    assert alarms(night.apply(plan)) == []


def test_a_backlog_that_stays_makes_the_run_end_with_failures(night: Night) -> None:
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    night.plan()
    night.clock.now += timedelta(days=8)
    plan = night.plan()
    night.patch("cf_fiches", fiche, cf_name="F-gewijzigd")
    run = night.apply(plan)
    assert (alarms(run), run.state) == (["BACKLOG"], RunState.DONE_WITH_FAILURES)


def test_a_unit_refused_three_nights_in_a_row_needs_an_administrator(night: Night) -> None:
    """HLD-13: retried by the next run, alarm after the third and each one after it."""
    night.fiche("social_card", spoken=LONG_AGO)
    seen = []
    for _ in range(4):
        set_faults(night.emulator, {"match": {"method": "DELETE"}, "times": 50, "do": "status", "status": 403})
        run = night.apply(night.plan())
        assert run.counts["skipped"] == {"SKIPPED_TECHNICAL": 1}
        seen.append(alarms(run))
    assert seen == [[], [], ["TECHNICAL"], ["TECHNICAL"]]
    ((_, left),) = night.store.journal.last_skips()
    assert left.tried == instant(run.started_at, "seconds")  # others with which it shares a row are before it


def test_missing_nights_are_told_and_cured_by_the_next_run(night: Night) -> None:
    """RET-18, R-059: a missed run needs no repair."""
    night.fiche("social_card", spoken=LONG_AGO)
    assert codes(night.plan()) == []
    night.apply(night.plan())
    night.clock.now += timedelta(hours=26)
    assert codes(night.plan(Kind.RETENTION)) == []
    night.clock.now += timedelta(minutes=1)
    plan = night.plan(Kind.RETENTION)
    assert codes(plan) == ["NO_RUN"]
    assert "NO_RUN" not in alarms(night.apply(plan))
    assert codes(night.plan(Kind.RETENTION)) == []
    assert codes(night.plan(Kind.RECORDINGS)) == ["NO_RUN"]


def test_what_an_earlier_run_left_half_done_is_an_alarm(night: Night) -> None:
    run = earlier_run(night, 1, 0, night.plan())
    dossier = night.dossier("grooming", closed=False)  # somebody goes on working on what is left of it
    half = Action("cf_dossier", dossier, "delete", ActionState.PARTIAL, "STILL_THERE", rows=(RowWrite("dossier", dossier, 'W/"1"'),))
    night.store.journal.record(run.id, [half])
    done = night.apply(night.plan())
    assert (alarms(done), done.state) == (["LEFT_OVER"], RunState.DONE_WITH_FAILURES)


def test_the_ledger_has_the_codes_of_alarms_and_no_more(night: Night) -> None:
    fiche = night.fiche("social_card", spoken=night.clock().date())
    night.plan()
    night.http.delete(f"{night.emulator.url}cf_fiches({fiche})").raise_for_status()
    night.apply(night.plan())
    kept = {entry.kind: entry.data.get("alarms") for entry in night.store.ledger.entries()}
    assert (kept["plan"], kept["run_ended"]) == (["NOTHING_DUE"], ["NOTHING_DUE"])


def canaried(night: Night, make_night: Callable[..., Night], *lines: str) -> Night:
    """The same organisation under a policy with these canaries."""
    listed = "canaries:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    return make_night(policy=lambda text: text + listed)


def test_a_canary_that_must_be_due_stays_and_nothing_is_odd(night: Night, make_night: Callable[..., Night]) -> None:
    canary = night.dossier("social_card", spoken=LONG_AGO)
    night.party(night.contact(), "reporter", dossier=canary)
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    kept = night.fiche("social_card", spoken=night.clock().date())
    watched = canaried(night, make_night, f"table: cf_dossier, id: {canary}, due: true", f"table: cf_fiche, id: {kept}, due: false")
    for _ in range(2):
        plan = watched.plan()
        assert (codes(plan), plan.needed, plan.waiting) == ([], (), {"CANARY": 1})
        run = watched.apply(plan)
        assert run.counts["skipped"] == {"CANARY": 1}
        assert alarms(run) == []
    assert night.get("cf_dossiers", canary) is not None
    assert night.get("cf_fiches", fiche) is None


def test_a_canary_does_not_count_as_a_disposal(night: Night, make_night: Callable[..., Night]) -> None:
    canary = night.dossier("social_card", spoken=LONG_AGO)
    plan = make_night(policy=lambda text: text + f"canaries:\n  - {{table: cf_dossier, id: {canary}, due: true}}\n", first_look=True).plan()
    assert (plan.breaker.units.planned, plan.why, plan.dispose["delete"]) == (0, (), 1)


@pytest.mark.parametrize("due", ["true", "false"])
def test_a_canary_that_came_out_otherwise_makes_the_plan_wait(night: Night, make_night: Callable[..., Night], due: str) -> None:
    spoken = night.clock().date() if due == "true" else LONG_AGO
    canary = night.fiche("social_card", spoken=spoken)
    night.fiche("social_card", spoken=LONG_AGO)
    watched = canaried(night, make_night, f"table: cf_fiche, id: {canary}, due: {due}")
    plan = watched.plan()
    assert (codes(plan), plan.why) == (["CANARY"], ("CANARY",))
    before = night.writes()
    with pytest.raises(Refused) as caught:
        watched.apply(plan)
    assert (caught.value.code, night.writes()) == ("approval", before)
    assert canary not in plan.alarms[0].message


@pytest.mark.parametrize("table", ["cf_dossier", "contact", "nowhere"])
def test_a_canary_that_is_not_found_makes_the_plan_wait(night: Night, make_night: Callable[..., Night], table: str) -> None:
    watched = canaried(night, make_night, f"table: {table}, id: {uuid.UUID(int=1)}, due: false")
    assert watched.plan().why == ("CANARY",)
    assert (watched.plan(Kind.RECORDINGS).why == ()) is (table == "cf_dossier")  # that plan does not look at dossiers


def test_a_unit_that_would_take_a_canary_along_stays(night: Night, make_night: Callable[..., Night]) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    recording = night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0])
    watched = canaried(night, make_night, f"table: cf_recording, id: {recording}, due: true")
    run = watched.apply(watched.plan())
    assert run.counts["skipped"] == {"CANARY": 2}
    assert night.get("cf_recordings", recording) is not None


def test_the_day_of_a_look_elsewhere_raises_no_alarm(night: Night, make_night: Callable[..., Night]) -> None:
    """A plan for another day can never be applied (DAT-12), and its canaries are that day's own."""
    canary = night.fiche("social_card", spoken=night.clock().date())
    watched = canaried(night, make_night, f"table: cf_fiche, id: {canary}, due: false")
    assert codes(watched.plan(as_of=night.clock() + timedelta(days=800))) == []
