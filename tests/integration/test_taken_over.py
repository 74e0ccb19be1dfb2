"""A run of which another process has taken over the right to go on: nothing more leaves it, and nothing is counted twice."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from crm_compliance.store import leases, locks, tables
from crm_compliance.store.database import Database
from jobs.apply import apply_plan
from rules.errors import Refused
from tests.integration.night import Night
from tests.integration.test_interrupted import Meddling
from tests.integration.test_kill_and_resume import organisation, state_of

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
    monkeypatch.setattr(locks, "FRESH_S", 0.0)
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


def test_a_batch_of_statistics_that_is_fixed_a_second_time_counts_once(make_night: MakeNight, tmp_path: Path) -> None:
    """The store is restored to the moment before the figures were fixed: the same run comes to the same rows."""
    night = make_night(url=f"sqlite:///{tmp_path / 'first.db'}", register="erasures.jsonl")
    organisation(night)
    plan = night.approved(night.plan())

    class Copying:
        """A store of which a copy is made just before the statistics are fixed."""

        def __getattr__(self, name: str) -> Any:
            if name == "fix_statistics":
                with sqlite3.connect(tmp_path / "first.db") as source, sqlite3.connect(tmp_path / "copy.db") as target:
                    source.backup(target)
                source.close()
                target.close()
            return getattr(night.store, name)

    run = apply_plan(dataclasses.replace(night.context, store=Copying()), plan.id)
    after = state_of(night)
    assert run.counts["statistics"] == len(after["cf_statistics"]) > 1
    shutil.copy(tmp_path / "copy.db", tmp_path / "restored.db")
    (tmp_path / "restored.db").chmod(0o600)
    with sqlite3.connect(tmp_path / "restored.db") as copy:
        copy.execute("UPDATE leases SET renewed_at = 0")  # a backup is older than a lease lasts
    copy.close()
    restored = make_night(url=f"sqlite:///{tmp_path / 'restored.db'}", register="erasures.jsonl")
    again = restored.apply(restored.store.plan(plan.id))
    assert again.id == run.id
    assert state_of(night) == after
