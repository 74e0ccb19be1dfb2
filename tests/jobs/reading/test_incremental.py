"""Nights that read by changes plan and dispose of what nights with full reads do."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from connectors.emulator.serving.server import RunningEmulator, SeedSpec
from connectors.interface.errors import ConnectorError
from jobs.model.plan import PlanLine
from jobs.model.run import RunState
from jobs.plans.questions.explain import explain_unit
from jobs.runs.verify import verify_run
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults

TOLD = ("units", "dispose", "retain", "flags", "trims", "held_contacts", "crm_holds", "seen", "categories")  # of a plan, beside lines


def lines(night: Night) -> dict[str, PlanLine]:
    return night.lines(night.plan())


def test_due_units_that_did_not_change_are_found_by_the_day_alone(make_night: Callable[..., Night]) -> None:
    night = make_night(remembering=True)
    dossier = night.dossier("e_safety", spoken=date(2026, 6, 1))
    assert lines(night)[dossier].outcome == "retain"
    fetched = night.connector.stats.rows
    end = lines(night)[dossier].retention_end
    assert end is not None
    night.clock.now += date.fromisoformat(end) - date(2026, 11, 25) + timedelta(days=1)
    tables = night.connector.stats
    assert lines(night)[dossier].outcome == "dispose"
    assert tables.remembered > 0
    assert fetched > 0


def work_by_day(night: Night, dossiers: list[str]) -> None:
    """What people do between two nights: hold, link elsewhere, delete, bring back, add."""
    held, left, right, gone, back = dossiers[:5]
    night.patch("cf_dossiers", held, cf_legalhold=True)
    for fiche in night.fiches_of(left):
        night.patch("cf_fiches", fiche, **{"cf_DossierId@odata.bind": f"/cf_dossiers({right})"})
    for table, row in (("cf_dossiers", gone), ("cf_dossiers", back)):
        assert night.http.delete(f"{night.emulator.url}{table}({row})").ok
    night.http.post(f"{night.emulator.url}cf_dossiers", json={"cf_dossierid": back, "cf_name": "D-terug"}).raise_for_status()
    child = night.contact(birthdate="2020-02-29")
    night.donation(child)
    added = night.dossier("grooming", spoken=date(2019, 1, 1))
    night.party(child, "child", dossier=added)
    night.note("cf_dossier", added)
    night.call("cf_dossier", right, [child])
    night.recording(date(2025, 1, 1), fiche=night.fiches_of(added)[0])


@pytest.fixture
def every_table_tracked(emulator: RunningEmulator) -> Iterator[None]:
    environment = emulator.emulator.tables.environment
    environment.origin = ""  # from here on it is not a file's: nobody else may be told what it answers
    tables = environment.tables.values()
    before = [(table, table.change_tracking) for table in tables]
    for table, _ in before:
        object.__setattr__(table, "change_tracking", True)
    yield
    for table, was in before:
        object.__setattr__(table, "change_tracking", was)


@pytest.mark.usefixtures("every_table_tracked")
def test_night_after_night_the_plans_are_those_of_full_reads(
    make_night: Callable[..., Night], emulator: RunningEmulator, database_file: Callable[[], str]
) -> None:
    emulator.load(SeedSpec(60, 5, date(2026, 11, 25)).rows())
    without_limits = {"policy": lambda text: text.replace("max: 200", "max: 9999")}
    remembering = make_night(remembering=True, url=database_file(), **without_limits)
    full = make_night(url=database_file(), **without_limits)
    for night in range(3):
        plan, expected = remembering.plan(), full.plan()
        assert remembering.lines(plan) == full.lines(expected)
        assert [getattr(plan, name) for name in TOLD] == [getattr(expected, name) for name in TOLD]
        if night == 0:
            assert remembering.apply(plan).counts["deleted"]
        else:
            work_by_day(remembering, [line.id for line in lines(full).values() if line.table == "cf_dossier"])
        for each in (remembering, full):
            each.clock.now += timedelta(days=1)
    assert remembering.connector.stats.remembered > 0
    assert remembering.connector.stats.rows < full.connector.stats.rows


@pytest.mark.usefixtures("every_table_tracked")
def test_a_hold_that_the_crm_did_not_tell_of_is_an_alarm_of_the_next_full_read(make_night: Callable[..., Night]) -> None:
    """Meanwhile the plan names a unit that is held, and no run writes it: that reads the CRM itself
    (HLD-07)."""
    night = make_night(remembering=True)
    held = night.dossier("e_safety", spoken=date(2019, 1, 1))
    night.plan()
    night.patch("cf_dossiers", held, cf_legalhold=True)
    set_faults(night.emulator, {"match": {"path": "deltatoken"}, "do": "lose_row"})
    plan = night.plan()
    set_faults(night.emulator)
    assert (night.lines(plan)[held].outcome, [alarm.code for alarm in plan.alarms]) == ("dispose", [])
    assert night.apply(plan).counts["deleted"] == 0
    night.clock.now += timedelta(days=7)
    plan = night.plan()
    assert night.lines(plan)[held].outcome == "retain"
    (alarm,) = [alarm for alarm in plan.alarms if alarm.code == "MISSED_CHANGES"]
    assert alarm.message == "cf_dossier: rows that a full read found otherwise than nights by changes had them: 1"
    assert night.apply(plan).state is RunState.DONE_WITH_FAILURES
    assert not [alarm for alarm in night.plan().alarms if alarm.code == "MISSED_CHANGES"]


@pytest.mark.usefixtures("every_table_tracked")
def test_what_is_about_to_be_written_is_read_from_the_crm_itself(make_night: Callable[..., Night]) -> None:
    """Apply, verify and why ask for no delta link: one that fails, or hides a hold, touches none of them."""
    night = make_night(remembering=True)
    night.dossier("e_safety", spoken=date(2019, 1, 1))
    assert night.apply(night.plan()).counts["statistics"] not in (0, None)
    held = night.dossier("e_safety", spoken=date(2019, 1, 2))
    gone = night.dossier("e_safety", spoken=date(2019, 1, 3))
    night.plan()
    plan = night.plan()
    night.patch("cf_dossiers", held, cf_legalhold=True)
    assert explain_unit(night.context, "cf_dossier", gone)[0].outcome == "dispose"
    before = night.connector.stats.remembered
    assert before > 0
    fault = [{"match": {"path": "deltatoken"}, "do": "status", "status": 403}]
    set_faults(night.emulator, *fault)
    assert explain_unit(night.context, "cf_dossier", held)[0].outcome == "retain"
    run = night.apply(plan)
    assert {action.id: action.code for action in night.store.journal.of_run(run.id)} == {held: "HOLD_LEGAL", gone: ""}
    assert verify_run(night.context, run.id)["still_there"] == []
    assert run.counts["statistics"] not in (0, None)
    assert night.connector.stats.remembered == before
    with pytest.raises(ConnectorError):
        night.plan()
    assert (night.get("cf_dossiers", gone), night.get("cf_dossiers", held) is None) == (None, False)
