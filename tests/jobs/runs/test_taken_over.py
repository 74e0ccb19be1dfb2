"""A run of which another process has taken over the right to go on: nothing more leaves it, and nothing is
counted twice."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from crm_compliance.store import right_to_run
from crm_compliance.store.rows import leases
from crm_compliance.store.sql import tables
from crm_compliance.store.sql.database import Database
from crm_compliance.store.store import SqlStore
from jobs.runs.apply import apply_plan
from rules.errors import Refused
from tests.drivers.night import Night, of_store
from tests.drivers.typist import LONG_AGO
from tests.jobs.runs.interruptions import Meddling
from tests.jobs.runs.kill_points import organisation, state_of

pytestmark = pytest.mark.usefixtures("real_definitions")  # requests are counted
MakeNight = Callable[..., Night]


def taken_over(url: str) -> None:
    """The lease has lapsed, and a runner on another machine has it."""
    database = Database.open(url)
    with database.writing() as connection:
        connection.execute(update(tables.leases).values(renewed_at=0.0))
        assert leases.take(connection, "runner", "somebody else", "a file of another machine") is not None
    database.close()


@pytest.mark.parametrize(("before", "nth"), [("change", 1), ("change", 2), ("Contact", 3), ("Statistic", 1)])
def test_a_run_that_was_taken_over_stops_before_its_next_request(
    make_night: MakeNight, database_url: str, monkeypatch: pytest.MonkeyPatch, before: str, nth: int
) -> None:
    monkeypatch.setattr(right_to_run, "FRESH_S", 0.0)
    night = make_night(url=database_url)
    organisation(night)
    plan = night.approved(night.plan())
    seen: list[int] = []

    def lose() -> None:
        taken_over(database_url)
        seen.append(night.emulator.stats()["requests"])

    context = dataclasses.replace(night.context, connector=Meddling(night.connector, lose, before=before, nth=nth))
    with pytest.raises(Refused) as caught:
        apply_plan(context, plan.id)
    assert (caught.value.code, caught.value.exit_code) == ("lease_lost", 5)
    assert night.emulator.stats()["requests"] == seen[0]


def copied_before(night: Night, database: Path, target: Path, method: str) -> SqlStore:
    """The store of a night, of which a copy is made just before each use of a method of its statistics."""

    class Copying:
        def __getattr__(self, name: str) -> Any:
            if name == method:
                with sqlite3.connect(database) as source, sqlite3.connect(target) as copy:
                    source.backup(copy)
                    copy.execute("UPDATE leases SET renewed_at = 0")  # a backup is older than a lease lasts
                source.close()
                copy.close()
                target.chmod(0o600)
                seen, seen_then = (of_store(database.parent, f"sqlite:///{file}")[0] for file in (database, target))
                shutil.copytree(seen, seen_then, dirs_exist_ok=True)  # the keys are restored with the database
            return getattr(night.store.statistics, name)

    copying: Any = Copying()
    return dataclasses.replace(night.store, statistics=copying)


def test_a_batch_of_statistics_that_is_fixed_a_second_time_counts_once(make_night: MakeNight, tmp_path: Path) -> None:
    """The store is restored to the moment before the figures were fixed: the same run comes to the same
    rows."""
    night = make_night(url=f"sqlite:///{tmp_path / 'first.db'}", register="erasures.jsonl")
    organisation(night)
    plan = night.approved(night.plan())
    store = copied_before(night, tmp_path / "first.db", tmp_path / "restored.db", "fix")
    run = apply_plan(dataclasses.replace(night.context, store=store), plan.id)
    after = state_of(night)
    assert run.counts["statistics"] == len(after["cf_statistics"]) > 1
    restored = make_night(url=f"sqlite:///{tmp_path / 'restored.db'}", register="erasures.jsonl")
    again = restored.apply(restored.store.plans.get(plan.id))
    assert again.id == run.id
    assert state_of(night) == after


def totals(night: Night) -> list[int]:
    return [row["cf_count"] for row in night.rows("cf_statistics")]


def growing(make_night: MakeNight, tmp_path: Path) -> tuple[Night, Any]:
    """A night after which another one only lets the totals of the first grow, and its plan."""
    night = make_night(url=f"sqlite:///{tmp_path / 'first.db'}", register="erasures.jsonl")
    for _ in range(2):
        night.fiche("social_card", spoken=LONG_AGO)
        plan = night.approved(night.plan())
        if not totals(night):
            night.apply(plan)
            assert totals(night) == [1]
    return night, plan


def test_totals_that_grow_are_counted_once_where_the_store_is_restored_to_the_moment_before(make_night: MakeNight, tmp_path: Path) -> None:
    """ERA-16: the register of erasures beside the database knows from which versions on the run has
    counted."""
    night, plan = growing(make_night, tmp_path)
    store = copied_before(night, tmp_path / "first.db", tmp_path / "restored.db", "fix")
    run = apply_plan(dataclasses.replace(night.context, store=store), plan.id)
    assert totals(night) == [2]
    restored = make_night(url=f"sqlite:///{tmp_path / 'restored.db'}", register="erasures.jsonl")
    again = restored.apply(restored.store.plans.get(plan.id))
    assert (again.id, again.counts["statistics"]) == (run.id, 0)
    assert totals(night) == [2]


def test_totals_of_which_a_run_only_noted_that_they_grow_are_counted(make_night: MakeNight, tmp_path: Path) -> None:
    """It was killed right before its request, and the store is restored to before that: nothing is lost
    either."""
    night, plan = growing(make_night, tmp_path)

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    store = copied_before(night, tmp_path / "first.db", tmp_path / "restored.db", "fix")
    connector = Meddling(night.connector, die, before="change", nth=2)
    with pytest.raises(Killed):
        apply_plan(dataclasses.replace(night.context, store=store, connector=connector), plan.id)
    assert totals(night) == [1]
    restored = make_night(url=f"sqlite:///{tmp_path / 'restored.db'}", register="erasures.jsonl")
    assert restored.apply(restored.store.plans.get(plan.id)).counts["statistics"] == 1
    assert totals(night) == [2]
