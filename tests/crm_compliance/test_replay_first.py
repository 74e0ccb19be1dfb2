"""The service looks whether the CRM was restored before it says that it is ready (R-091)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crm_compliance.service import scheduler
from crm_compliance.store.sql.problems import StoreUnusable
from jobs.model.plan import Kind
from jobs.restores.replay import replay_if_restored
from rules.errors import Refused
from tests.drivers.night import Night
from tests.drivers.restoring import Backup
from tests.drivers.typist import LONG_AGO, Typist, limited


@pytest.fixture
def erased(org: Night) -> Iterator[tuple[str, Backup]]:
    """A dossier that was erased, and a backup from before."""
    row = org.dossier("social_card", spoken=LONG_AGO)
    backup = Backup(org)
    org.apply(org.plan())
    assert org.get("cf_dossiers", row) is None
    yield row, backup
    backup.close()


def served(typist: Typist, at_once: Callable[[], object] = lambda: None) -> list[str]:
    """What the service announces, stopped by its first announcement; `at_once` is called right then."""
    stop, lines = threading.Event(), list[str]()

    def announce(line: str) -> None:
        if not lines:
            at_once()
            stop.set()
        lines.append(line)

    scheduler.serve(typist.settings, stop, announce=announce)
    return lines


def test_a_restored_crm_is_replayed_before_the_service_is_ready(
    typist: Typist, org: Night, erased: tuple[str, Backup], told: Callable[[], list[dict[str, Any]]]
) -> None:
    """R-091: at the first announcement the erasure has been replayed."""
    row, backup = erased
    backup.restore()
    found: list[object] = []
    assert served(typist, at_once=lambda: found.append(org.get("cf_dossiers", row)))
    assert found == [None]
    (line,) = [line for line in told() if "restored" in line["event"]]
    assert (line["run"], line["state"]) == (org.store.runs.all()[0].id, "done")
    assert [run.kind for run in org.store.runs.all()] == [Kind.REPLAY, Kind.ALL]


def test_a_crm_that_was_not_restored_is_left_alone(typist: Typist, org: Night, erased: tuple[str, Backup]) -> None:
    writes = org.writes()
    served(typist)
    assert (org.writes(), len(org.store.runs.all())) == (writes, 1)


def test_a_service_that_never_erased_anything_asks_nothing(typist: Typist, org: Night) -> None:
    before = org.emulator.stats()["requests"]
    served(typist)
    assert org.emulator.stats()["requests"] == before


def test_the_service_waits_for_a_crm_that_does_not_answer(
    typist: Typist, org: Night, erased: tuple[str, Backup], told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not knowing whether it was restored is not being ready."""
    row, backup = erased
    backup.restore()
    typist.set(CRM_TOKEN="wrong")
    settings = typist.settings
    stop = Waits(4, lambda: None)
    scheduler.replay_first(settings, org.store, stop)
    assert [line["code"] for line in told() if line["event"] == "not ready"] == ["crm_unauthorised"] * 4
    assert org.get("cf_dossiers", row) is not None


def test_the_service_waits_for_a_database_that_is_away_while_it_is_not_ready(
    typist: Typist, org: Night, erased: tuple[str, Backup], told: Callable[[], list[dict[str, Any]]]
) -> None:
    """As it does once it is ready: pages and downloads stay."""
    row, backup = erased
    backup.restore()
    away: list[Exception] = [StoreUnusable("the database cannot be reached") for _ in range(2)]

    def still_ours() -> None:
        if away:
            raise away.pop()

    scheduler.replay_first(typist.settings, org.store, Waits(4, lambda: None), still_ours=still_ours)
    assert [line["code"] for line in told() if line["event"] == "not ready"] == ["store"] * 2
    assert org.get("cf_dossiers", row) is None


def test_a_service_that_another_one_has_replaced_does_not_wait_and_deletes_nothing(
    typist: Typist, org: Night, erased: tuple[str, Backup]
) -> None:
    row, backup = erased
    backup.restore()

    def still_ours() -> None:
        raise Refused("another service has taken over")

    with pytest.raises(Refused, match="another service"):
        scheduler.replay_first(typist.settings, org.store, Waits(2, lambda: None), still_ours=still_ours)
    assert org.get("cf_dossiers", row) is not None


class Waits(threading.Event):
    """An event that nobody has to wait for: each wait passes at once, the n-th does something and sets it."""

    def __init__(self, at: int, act: Callable[[], object], *, ends: bool = True) -> None:
        super().__init__()
        self.left, self.act, self.ends = at, act, ends

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left == 0:
            self.act()
            if self.ends:
                self.set()
        return self.is_set()


def test_the_service_waits_for_the_approvals_of_a_large_replay(
    typist: Typist, org: Night, told: Callable[[], list[dict[str, Any]]]
) -> None:
    """RET-24: it asks again and again with the same plan, and is ready once two people have approved."""
    limited(typist, max=1)
    rows = [org.dossier("social_card", spoken=LONG_AGO) for _ in range(2)]
    backup = Backup(org)
    made = typist.ask("plan")["plan"]
    org.approved(org.store.plans.get(made))
    typist.ask("apply", made)
    backup.restore()
    backup.close()

    def approve() -> None:
        (plan,) = [plan for plan in org.store.plans.all() if plan.kind is Kind.REPLAY]
        org.approved(plan)

    scheduler.replay_first(typist.settings, org.store, Waits(3, approve, ends=False))
    refusals = [line for line in told() if line["event"] == "not ready"]
    assert [line["code"] for line in refusals] == ["breaker"] * 3
    assert len({line["at"] for line in refusals}) == 1
    assert [org.get("cf_dossiers", row) for row in rows] == [None, None]


def test_a_bug_keeps_the_service_from_being_ready_and_tells_nothing_of_what_was_in_hand(
    typist: Typist, org: Night, erased: tuple[str, Backup], told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(context: object) -> None:
        raise ValueError("Lotte Peeters")

    monkeypatch.setattr(scheduler, "replay_if_restored", broken)
    scheduler.replay_first(typist.settings, org.store, Waits(1, lambda: None))
    assert [line["kind"] for line in told() if line["event"].startswith("not ready")] == ["ValueError"]
    assert "Lotte" not in str(told())


def test_a_service_that_is_stopped_while_it_replays_ends_well(typist: Typist, org: Night, erased: tuple[str, Backup]) -> None:
    row, backup = erased
    backup.restore()
    stop = threading.Event()
    calls: list[str] = []

    def stopped(context: Any) -> Any:
        calls.append("replay")
        stop.set()
        return replay_if_restored(context)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scheduler, "replay_if_restored", stopped)
        scheduler.replay_first(typist.settings, org.store, stop)
    assert calls == ["replay"]
    assert org.get("cf_dossiers", row) is not None
