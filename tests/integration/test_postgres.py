"""A whole night whose state is in PostgreSQL: plan, approval, apply, a kill, the lock, the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors.emulator.serving.server import RunningEmulator
from jobs.runs.journal import Journal
from rules.errors import Refused
from tests.drivers.night import Night
from tests.drivers.typist import Typist, limited, organisation_of, people_and_cases


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.fixture
def typist(emulator: RunningEmulator, typist_at: Callable[..., Typist], postgres_url: str) -> Typist:
    return typist_at(emulator.url, DATABASE_URL=postgres_url)


def test_a_whole_night_over_postgresql(emulator: RunningEmulator, typist: Typist, postgres_url: str, tmp_path: Path) -> None:
    night = organisation_of(emulator, typist)
    try:
        people_and_cases(night)
        limited(typist, max=1)
        plan = typist.ask("plan", "--output", tmp_path / "plan.jsonl")
        assert plan["breaker"]["tripped"] is True
        assert typist.refused("apply", plan["plan"], code=5)["code"] == "breaker"
        for who, role in (("ben", "crm_admin"), ("cleo", "dpo")):
            typist.ask("plans", "approve", plan["plan"], "--as", who, "--role", role)
        with night.store.leases.exclusive():
            assert typist.refused("apply", plan["plan"], code=5)["code"] == "another_run"
        _killed_after_two_groups(typist, plan["plan"])
        (cut_off,) = typist.ask("history", "list")
        assert cut_off["state"] == "interrupted"
        done = typist.ask("apply", plan["plan"])
        assert (done["run"], done["state"], done["deleted"], done["anonymised"]) == (cut_off["run"], "done", 4, 1)
        assert typist.ask("verify", done["run"])["still_there"] == []
        assert typist.ask("ledger", "verify")["ok"] is True
        ledger = tmp_path / "ledger.jsonl"
        typist.ask("history", "export", "--output", ledger)
        from_file, stored = typist.ask("ledger", "verify", ledger), typist.ask("ledger", "verify")
        assert (from_file["head"], from_file["entries"]) == (stored["head"], stored["entries"])
        assert typist.ask("doctor")["ok"] is True
        assert not (tmp_path / "data" / "state.db").exists()
        again = typist.ask("run", "retention")
        assert (again["deleted"], again["state"]) == (0, "done")
        assert "runs.json" in typist.ask("evidence", "--output", tmp_path / "evidence.zip")["files"]
        typist.set(CLOCK="2037-01-10T11:00:00+00:00")
        assert typist.ask("run", "housekeeping")["expired"]["heads"] == 1, "who approved the plan is not known any more"
        assert typist.ask("ledger", "verify")["ok"] is True
        with psycopg.connect(postgres_url, autocommit=True) as connection, pytest.raises(psycopg.Error):
            connection.execute("UPDATE ledger SET kind = 'x'")
    finally:
        night.close()
        night.store.close()


def _killed_after_two_groups(typist: Typist, plan: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.runs.journal.Journal.group", 1)
        before, calls = Journal.carry_out, []

        def mortal(self: Journal, *given: Any) -> None:
            calls.append(1)
            if len(calls) == 3:
                raise Killed
            before(self, *given)

        patch.setattr(Journal, "carry_out", mortal)
        with pytest.raises(Killed):
            typist.type("apply", plan)


CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_a_second_apply_beside_a_working_one_is_refused_although_idle_connections_are_cut(
    make_night: Callable[..., Night], postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = make_night(url=postgres_url)
    people_and_cases(night)
    plan = night.approved(night.plan())
    monkeypatch.setattr("jobs.runs.journal.Journal.group", 1)
    before, refused = Journal.carry_out, list[str]()

    def meanwhile(self: Journal, *given: Any) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(CUT)  # as a firewall, a fail-over or a pooler does
        if not refused:
            refused.append("")
            other = make_night(url=postgres_url)
            with pytest.raises(Refused) as caught:
                other.apply(plan)
            refused[0] = caught.value.code
        before(self, *given)

    monkeypatch.setattr(Journal, "carry_out", meanwhile)
    run = night.apply(plan)
    assert refused == ["another_run"]
    assert (run.state.value, run.counts["deleted"], run.counts["anonymised"]) == ("done", 4, 1)


def test_both_databases_give_the_same_plan_and_the_same_run(
    make_night: Callable[..., Night], emulator: RunningEmulator, postgres_url: str, database_file: Callable[[], str]
) -> None:
    found = []
    for url in (database_file(), postgres_url):
        emulator_reset(emulator)
        night = make_night(url=url)
        people_and_cases(night)
        plan = night.plan()
        lines = sorted((line.table, line.id, line.outcome, line.reason, line.retention_end or "") for line in night.lines(plan).values())
        run = night.apply(plan)
        journal = [(action.table, action.id, action.state.value, action.code) for action in night.store.journal.of_run(run.id)]
        found.append((plan.digest, lines, run.counts, journal, [entry.kind for entry in night.store.ledger.entries()]))
    assert found[0][1:] == found[1][1:]
    assert sqlite3.sqlite_version


def emulator_reset(emulator: RunningEmulator) -> None:
    from tests.drivers.organisation import reset

    reset(emulator)
