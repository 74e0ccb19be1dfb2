"""What somebody does in the CRM while it lets a run wait before a write, for minutes."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pytest

from connectors.dynamics.pace.gate import Timeline
from connectors.dynamics.writing.pool import Pool
from jobs.checks.kill_switch import stop
from jobs.writing import send
from rules.errors import Refused
from rules.model.requests import Right
from tests.drivers.deciding import ask, compile_, decide, release
from tests.drivers.holding import place
from tests.drivers.night import CATEGORY, Night
from tests.drivers.organisation import set_faults
from tests.jobs.residual.cleaning import actions, expired, may
from tests.jobs.residual.retained import retain, there
from tests.jobs.runs.interruptions import LONG_AGO, a_grown_up

LATELY = date(2026, 11, 20)
PARENTS = r"re:/contacts\?\$select=_parentcustomerid_value,contactid&\$filter=contactid"  # asked last before contacts are removed


@pytest.fixture
def meanwhile(night: Night, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object], int], None]:
    """Has the n-th batch, or read, refused for four minutes, in which somebody acts."""

    def script(act: Callable[[], object], nth: int = 1, path: str = "$batch") -> None:
        acts = [act]

        def wait(timeline: Timeline, seconds: float) -> None:
            if acts and seconds > 60:
                acts.pop()()
            night.clock.now += timedelta(seconds=seconds)
            timeline._ahead_s += seconds  # as if slept

        monkeypatch.setattr(Timeline, "wait", wait)
        set_faults(night.emulator, {"match": {"path": path, "nth": nth}, "do": "status", "status": 429, "retry_after": 240})

    return script


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("fiche", "NOT_EXPIRED"),
        ("birthday", "NOT_EXPIRED"),
        ("child", "NOT_EXPIRED"),
        ("category", "NO_TERM"),
        ("note", "CHANGED"),
        ("recording", "CHANGED"),
    ],
)
def test_ret17_a_unit_that_had_to_wait_is_judged_again(night: Night, meanwhile: Callable[..., None], what: str, code: str) -> None:
    dossier, child = a_grown_up(night)
    fiche = night.fiches_of(dossier)[0]
    acts: dict[str, Callable[[], object]] = {
        "fiche": lambda: night.fiche("sexting", spoken=LATELY, dossier=dossier),
        "birthday": lambda: night.patch("contacts", child, birthdate="2020-02-01"),
        "child": lambda: night.party(night.contact(birthdate="2020-02-01"), "child", dossier=dossier),
        "category": lambda: night.patch("cf_fiches", fiche, cf_categories=str(CATEGORY["unexplained_disappearance"])),
        "note": lambda: night.note("cf_fiche", fiche),
        "recording": lambda: night.recording(LATELY, fiche=fiche),
    }
    meanwhile(acts[what])
    run = night.apply(night.plan())
    assert night.get("cf_dossiers", dossier)
    assert len(night.fiches_of(dossier)) == 2 + (what == "fiche")
    assert run.counts["skipped"] == {code: 1, "STILL_REFERRED": 1}


@pytest.mark.parametrize("what", ["fiche", "child"])
def test_ret17_a_unit_of_several_change_sets_is_judged_again_before_its_first(
    night: Night, meanwhile: Callable[..., None], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(send, "MAX_OPERATIONS", 2)
    dossier, _ = a_grown_up(night)
    acts: dict[str, Callable[[], object]] = {
        "fiche": lambda: night.fiche("sexting", spoken=LATELY, dossier=dossier),
        "child": lambda: night.party(night.contact(birthdate="2020-02-01"), "child", dossier=dossier),
    }
    meanwhile(acts[what])
    run = night.apply(night.plan())
    assert night.get("cf_dossiers", dossier)
    assert len(night.fiches_of(dossier)) == 2 + (what == "fiche")
    assert run.counts["skipped"] == {"NOT_EXPIRED": 1, "STILL_REFERRED": 1}


@pytest.mark.parametrize("what", ["fiche", "reopened"])
def test_ret17_what_is_left_of_a_unit_that_had_to_wait_between_its_change_sets_goes_only_as_it_was_judged(
    night: Night, meanwhile: Callable[..., None], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(send, "MAX_OPERATIONS", 2)
    dossier, _ = a_grown_up(night)
    acts: dict[str, Callable[[], object]] = {
        "fiche": lambda: night.fiche("sexting", spoken=LATELY, dossier=dossier),
        "reopened": lambda: night.patch("cf_dossiers", dossier, statecode=0, statuscode=1),
    }
    meanwhile(acts[what], 2)
    run = night.apply(night.plan())
    assert night.get("cf_dossiers", dossier)
    assert night.fiches_of(dossier)
    assert run.counts["partial"] == 1
    assert [action.code for action in night.store.journal.of_run(run.id) if action.id == dossier] == ["CHANGED"]


def in_retention(night: Night) -> tuple[str, str]:
    """An expired dossier that lies in long-term retention as a whole, and its child."""
    dossier, child = a_grown_up(night)
    (role,) = night.rows(f"cf_parties?$select=cf_partyid&$filter=_cf_dossierid_value eq {dossier}")
    retain(night, "cf_party", role["cf_partyid"])
    for fiche in night.fiches_of(dossier):
        retain(night, "cf_fiche", fiche)
    retain(night, "cf_dossier", dossier)
    return dossier, child


@pytest.mark.parametrize("is_corrected", [True, False])
@pytest.mark.parametrize("nth", [6, 12])
def test_ret17_what_lies_in_long_term_retention_is_judged_again_before_its_job(
    night: Night, meanwhile: Callable[..., None], nth: int, is_corrected: bool
) -> None:
    dossier, child = in_retention(night)
    plan = night.plan()
    act = partial(night.patch, "contacts", child, birthdate="2020-02-01") if is_corrected else lambda: None
    meanwhile(act, nth, "re:retained")  # a read before the job
    run = night.apply(plan)
    assert there(night, "cf_dossier") == ({dossier} if is_corrected else set())
    assert run.counts["skipped"] == ({"NOT_EXPIRED": 1, "STILL_REFERRED": 1} if is_corrected else {})


@pytest.mark.parametrize(("what", "code"), [("birthday", "NOT_EXPIRED"), ("hold", "HOLD_JUDICIAL")])
def test_hld07_a_job_for_long_term_retention_that_had_to_wait_leaves_what_must_stay_by_then(
    night: Night, meanwhile: Callable[..., None], what: str, code: str
) -> None:
    (stays, child), _ = in_retention(night), in_retention(night)
    plan = night.plan()
    acts = {"birthday": partial(night.patch, "contacts", child, birthdate="2020-02-01"), "hold": partial(place, night, "cf_dossier", stays)}
    meanwhile(acts[what], 1, "BulkDelete")
    run = night.apply(plan)
    assert there(night, "cf_dossier") == {stays}
    assert run.counts["skipped"] == {code: 1, "STILL_REFERRED": 1}


def test_a_kill_switch_set_while_a_job_for_long_term_retention_had_to_wait_keeps_all(night: Night, meanwhile: Callable[..., None]) -> None:
    dossiers = {in_retention(night)[0] for _ in range(2)}
    plan = night.plan()
    meanwhile(partial(stop, night.store, night.clock()), 1, "BulkDelete")
    with pytest.raises(Refused, match="stopped since"):
        night.apply(plan)
    assert there(night, "cf_dossier") == dossiers


def test_hld07_of_what_must_stay_after_a_wait_the_history_stays_too(night: Night, meanwhile: Callable[..., None]) -> None:
    """ERA-15: it goes before the rows where no job of the CRM may purge it."""
    (stays, _), (goes, _) = expired(night), expired(night)
    may(night, but=("prvBulkDelete",))
    plan, history = night.plan(), f"audits?$filter=_objectid_value eq {stays}"
    before = night.rows(history)
    meanwhile(partial(place, night, "cf_dossier", stays), 1, "DeleteRecordChangeHistory")
    done = actions(night, night.apply(plan))
    assert (done[stays].code, night.rows(history)) == ("HOLD_JUDICIAL", before)
    assert (done[stays].audit_entries, done[goes].audit_entries) == (0, 7)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_to_wait_costs_no_unit_of_several_change_sets(
    night: Night, meanwhile: Callable[..., None], monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    monkeypatch.setattr(send, "MAX_OPERATIONS", 2)
    dossiers = [a_grown_up(night)[0] for _ in range(2)]
    plan = night.plan()
    meanwhile(lambda: None, nth)
    assert night.apply(plan).counts["skipped"] == {}
    assert [night.get("cf_dossiers", row) for row in dossiers] == [None] * 2


def test_who_got_a_role_while_a_removal_had_to_wait_stays(night: Night, meanwhile: Callable[..., None]) -> None:
    _, child = a_grown_up(night)
    other = night.dossier("grooming", closed=False, spoken=LATELY)
    meanwhile(lambda: night.party(child, "reporter", dossier=other), 2)
    run = night.apply(night.plan())
    assert night.get("contacts", child)
    assert run.counts["skipped"] == {"STILL_REFERRED": 1}


@pytest.mark.parametrize("what", ["role", "hold"])
def test_hld07_the_read_before_the_first_batch_may_have_to_wait_too(
    night: Night, meanwhile: Callable[..., None], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(Pool, "is_single", False)  # so that it is asked who points to whom
    child, _ = (a_grown_up(night)[1] for _ in range(2))
    other = night.dossier("grooming", closed=False, spoken=LATELY)
    acts = {"role": lambda: night.party(child, "reporter", dossier=other), "hold": lambda: place(night, person=child)}
    meanwhile(acts[what], 1, PARENTS)
    night.apply(night.plan())
    assert night.get("contacts", child)


def test_who_got_a_role_while_a_trim_had_to_wait_keeps_all(night: Night, meanwhile: Callable[..., None]) -> None:
    _, child = a_grown_up(night)
    night.donation(child)
    other = night.dossier("grooming", closed=False, spoken=LATELY)
    meanwhile(lambda: night.party(child, "reporter", dossier=other), 2)
    run = night.apply(night.plan())
    kept = night.get("contacts", child)
    assert kept
    assert (kept["birthdate"], run.counts["trimmed"]) == ("2000-02-01", 0)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_to_wait_costs_no_unit(night: Night, meanwhile: Callable[..., None], nth: int) -> None:
    dossiers = [a_grown_up(night)[0] for _ in range(3)]
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    plan = night.plan()
    waited = night.clock()
    meanwhile(lambda: None, nth)
    assert night.apply(plan).counts["skipped"] == {}
    assert night.clock() >= waited + timedelta(minutes=4)
    assert [night.get("cf_dossiers", row) for row in dossiers] == [None] * 3
    assert night.get("cf_fiches", fiche) is None


def test_what_comes_into_a_file_while_its_erasure_had_to_wait_does_not_go_with_it(night: Night, meanwhile: Callable[..., None]) -> None:
    child = night.contact(birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    request = ask(night, Right.ERASURE, child)
    compile_(night, request)
    decide(night, request)
    meanwhile(lambda: night.fiche("sexting", spoken=LATELY, dossier=dossier))
    run = release(night, request)
    assert run
    assert len(night.fiches_of(dossier)) == 2
    assert run.counts["skipped"] == {"CHANGED": 1, "STILL_REFERRED": 1}
