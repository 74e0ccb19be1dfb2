"""A run that is killed at any point goes on and ends as an undisturbed one does, with the same counts."""

from __future__ import annotations

import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Held
from crm_compliance.configuration.settings import environment_of
from crm_compliance.store.sql import tables
from crm_compliance.store.store import SqlStore
from jobs.model.plan import Plan
from jobs.model.run import ActionState, Run
from jobs.runs.apply import apply_plan
from jobs.runs.journal import Journal
from jobs.runs.resume import PLAN_EXPIRED, reconcile_intended
from jobs.writing import send
from tests.drivers.beginnings import Beginning
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.typed import typed

MakeNight = Callable[..., Night]
TABLES = (
    "cf_dossiers",
    "cf_fiches",
    "cf_parties",
    "cf_recordings",
    "contacts",
    "annotations",
    "phonecalls",
    "activityparties",
    "cf_donations",
)
VOLATILE = ("@odata.etag", "versionnumber", "modifiedon", "createdon", "activitypartyid")
ON = date(2018, 3, 1)


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


class Points:
    """Counts the moments at which a run may be killed, and kills it at one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Killed


class Snapshots(Points):
    """Keeps what a process that is killed leaves at the first moment and each so many later, once where it is
    the same. The run itself goes on."""

    def __init__(self, night: Night, url: str, every: int = 1) -> None:
        super().__init__()
        self._night, self._url, self._every = night, url, every
        self._moments: dict[str, tuple[int, Beginning]] = {}  # by what is left

    def __call__(self) -> None:
        super().__call__()
        if self.passed % self._every == 1 % self._every:
            left = Beginning(self._night, self._url, f"left-{self.passed}")
            if self._moments.setdefault(left.digest, (self.passed, left))[0] != self.passed:
                left.close()

    def __len__(self) -> int:
        return len(self._moments)

    def nights(self, make_night: MakeNight, database_file: Callable[[], str]) -> Iterator[tuple[int, Night]]:
        """Each moment, and a night over what it left, a minute later: nobody lives to renew the lease."""
        for at, left in self._moments.values():
            night = left.again(make_night, database_file())
            with night.store.database.writing() as connection:
                connection.execute(update(tables.leases).values(renewed_at=0.0))
            yield at, night
            night.close()
            night.store.close()
            left.close()


class Fragile:
    """A noun of the store, or a connector, that may be killed before and after each of some methods."""

    def __init__(self, inner: Any, points: Points, methods: Sequence[str]) -> None:
        self._inner, self._points, self._methods = inner, points, methods

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._methods:
            return found

        def fragile(*args: Any, **more: Any) -> Any:
            self._points()
            answer = found(*args, **more)
            self._points()
            return answer

        return fragile


class CutShort:
    """A connector whose n-th request leaves a process that is killed; it arrives when what was announced has
    been read back."""

    def __init__(self, inner: Any, nth: int) -> None:
        self._inner, self._left = inner, nth
        self._under_way: Sequence[ChangeSet] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        self._left -= 1
        if self._left:
            found: list[ChangeResult] = self._inner.change(change_sets, held)
            return found
        self._under_way = change_sets
        raise Killed

    def reconcile_and_land(self, journal: Journal) -> None:
        reconcile_intended(journal)
        self.land()

    def land(self) -> None:
        landed = self._inner.change(self._under_way)
        assert [each.status for each in landed] == [ChangeStatus.DONE] * len(self._under_way)


def fragile_store(store: SqlStore, points: Points, **methods: Sequence[str]) -> SqlStore:
    """A store that may be killed before and after each of some methods of some nouns."""
    nouns: dict[str, Any] = {noun: Fragile(getattr(store, noun), points, verbs) for noun, verbs in methods.items()}
    return dataclasses.replace(store, **nouns)


def organisation(night: Night) -> None:
    """Two dossiers to anonymise, one to delete, one that stays; a shared contact, a donor, recordings, a
    total to count on."""
    donor, shared = night.contact(birthdate="1980-05-05"), night.contact(birthdate="1981-01-01")
    night.donation(donor)
    night.create("cf_statistics", "cf_statisticid", cf_name="Statistic", cf_categorykey="total_exploitation", cf_year=2018, cf_count=2)
    for category in ("sexting", "grooming", "social_card"):
        dossier = night.dossier(category, spoken=ON, fiches=3)
        first = night.fiches_of(dossier)[0]
        child = night.contact(birthdate="2000-02-01")
        night.party(child, "child", dossier=dossier)
        night.party(donor, "reporter", fiche=first)
        night.party(shared, "parent", dossier=dossier)
        night.note("cf_fiche", first)
        night.call("cf_dossier", dossier, [child, shared])
        night.recording(ON, fiche=first)
        night.recording(date(2026, 11, 1), fiche=first)
    night.party(shared, "parent", dossier=night.dossier("runaway", spoken=date(2026, 11, 1)))


def state_of(night: Night) -> dict[str, Any]:
    """Every row of the organisation, without what changes by itself; of statistics the values alone."""
    found: dict[str, Any] = {
        table: sorted(
            json.dumps({key: value for key, value in row.items() if key not in VOLATILE}, sort_keys=True) for row in night.rows(table)
        )
        for table in TABLES
    }
    statistics = night.rows("cf_statistics?$select=cf_categorykey,cf_year,cf_count,cf_province,cf_ageband,cf_sex")
    found["cf_statistics"] = sorted(
        json.dumps({key: value for key, value in row.items() if not key.startswith("@") and key != "cf_statisticid"}, sort_keys=True)
        for row in statistics
    )
    return found


def run_fragile(night: Night, plan: Plan, points: Points) -> Run:
    context = night.context
    context = dataclasses.replace(
        context,
        store=fragile_store(night.store, points, journal=("record",), runs=("save", "start")),
        connector=Fragile(context.connector, points, ("change",)),
    )
    return apply_plan(context, plan.id)


Planned = tuple[Night, Plan, Beginning]


@pytest.fixture
def planned(make_night: MakeNight, database_file: Callable[[], str]) -> Iterator[Planned]:
    """The organisation with its plan, and what stands then, to begin from again."""
    night = make_night(url=(url := database_file()))
    organisation(night)
    plan = night.plan()
    beginning = Beginning(night, url)
    yield night, plan, beginning
    beginning.close()


@pytest.mark.parametrize(("operations", "every"), [(1000, 1), (3, 3)], ids=["one change set a unit", "several change sets a unit"])
def test_a_run_killed_at_any_point_ends_like_an_undisturbed_one(
    make_night: MakeNight,
    database_file: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    operations: int,
    every: int,
) -> None:
    monkeypatch.setattr(send, "MAX_OPERATIONS", operations)
    url = database_file()
    night = make_night(url=url)
    organisation(night)
    plan = night.plan()
    points = Snapshots(night, url, every)
    undisturbed = run_fragile(night, plan, points)
    expected, counts = state_of(night), undisturbed.counts
    assert undisturbed.counts["anonymised"] == 2
    assert undisturbed.counts["trimmed"] == 1
    assert len(points) > 10
    for at, again in points.nights(make_night, database_file):
        resumed = again.apply(plan)
        assert (at, resumed.state, resumed.counts) == (at, undisturbed.state, counts)
        assert (at, state_of(again)) == (at, expected)


@pytest.mark.parametrize("fault", ["cut_after", "cut_before"])
def test_a_cut_connection_has_no_double_and_no_lost_effect(
    planned: Planned, make_night: MakeNight, database_file: Callable[[], str], fault: str
) -> None:
    night, plan, beginning = planned
    undisturbed = night.apply(plan)
    expected = state_of(night)
    for nth in range(1, 7):
        again = beginning.again(make_night, database_file())
        set_faults(again.emulator, {"match": {"method": "POST", "path": "$batch", "nth": nth}, "times": 1, "do": fault})
        run = again.apply(plan)
        set_faults(again.emulator)
        assert (nth, run.counts, state_of(again)) == (nth, undisturbed.counts, expected)


def test_what_was_under_way_when_a_run_was_killed_is_counted_once_it_lands(
    planned: Planned, make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a request is there when the resumed run reads back what it had announced, and all of it when
    it looks at the units again: each request of a run in turn."""
    night, plan, beginning = planned
    undisturbed = night.apply(plan)
    expected = state_of(night)
    for nth in range(1, night.emulator.stats()["batches"] + 1):
        again = beginning.again(make_night, database_file())
        cut = CutShort(again.connector, nth)
        with pytest.raises(Killed):
            apply_plan(dataclasses.replace(again.context, connector=cut), plan.id)
        with monkeypatch.context() as patch:
            patch.setattr("jobs.runs.run.reconcile_intended", cut.reconcile_and_land)
            run = again.apply(plan)
        assert (nth, run.state, run.counts) == (nth, undisturbed.state, undisturbed.counts)
        assert (nth, state_of(again)) == (nth, expected)


def test_what_landed_of_a_run_that_may_not_go_on_is_counted_too(
    planned: Planned, make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan has expired by the time its run is taken up again: what went is done, what stays skipped."""
    _, plan, beginning = planned
    for nth, done in enumerate(((3, 0, 0), (4, 2, 0), (7, 2, 0), (7, 2, 1)), start=1):
        again = beginning.again(make_night, database_file())
        cut = CutShort(again.connector, nth)
        with pytest.raises(Killed):
            apply_plan(dataclasses.replace(again.context, connector=cut), plan.id)
        with monkeypatch.context() as patch:
            patch.setattr("jobs.runs.run.reconcile_intended", cut.reconcile_and_land)
            patch.setattr("jobs.runs.run.lapsed", lambda *_: PLAN_EXPIRED)
            run = again.apply(plan)
        assert (nth, *(run.counts[each] for each in ("deleted", "anonymised", "trimmed"))) == (nth, *done)
        states: dict[bool, set[ActionState]] = {True: set(), False: set()}
        for action in again.store.journal.of_run(run.id):
            states[again.get(f"{action.table}s", action.id) is None].add(action.state)
        of_those_there = ActionState.DONE if done[2] else ActionState.SKIPPED  # who was trimmed stays, and is done
        assert (nth, states) == (nth, {True: {ActionState.DONE}, False: {of_those_there}})
        assert len(again.rows("cf_statistics")) == (1 if nth == 1 else 2)
        again.store.close()


def test_a_process_that_is_really_killed_is_taken_over_at_once(
    make_night: MakeNight, database_file: Callable[[], str], tmp_path: Path
) -> None:
    """SIGKILL in the middle of a run; the lock dies with its process, and applying again ends the run."""
    url = database_file()
    night = make_night(url=url)
    organisation(night)
    script = [{"match": {"method": "POST", "path": "$batch", "nth": 2}, "times": 1, "do": "latency", "ms": 3_000}]
    set_faults(night.emulator, *script)
    settings = {"CRM_URL": night.emulator.url, "CRM_TOKEN": TOKEN, "DATA_DIR": str(tmp_path), "DATABASE_URL": url}
    plan = said(settings, "plan")
    for who, role in zip(("anna", "dora"), plan["approvals"]["needed"], strict=False):
        said(settings, "plans", "approve", plan["plan"], "--as", who, "--role", role)
    command = [sys.executable, "-m", "crm_compliance", "apply", plan["plan"], "--json"]
    with subprocess.Popen(command, env=environment_of(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while night.emulator.stats()["batches"] < 2 and process.poll() is None:
            select.select([], [], [], 0.02)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        os.kill(process.pid, signal.SIGKILL)
    set_faults(night.emulator)
    answer = said(settings, "apply", plan["plan"])
    assert (answer["state"], answer["anonymised"], answer["verified"]["still_there"]) == ("done", 2, 0)
    assert plan["dispose"]["anonymise"] == 2


def said(settings: dict[str, str], *words: str) -> dict[str, Any]:
    """What a command answers, typed in this process."""
    answered = typed(*words, "--json", settings=settings)
    assert answered.code == 0, answered
    answer: dict[str, Any] = answered.document
    return answer
