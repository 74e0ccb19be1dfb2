"""A plan whose units threads or processes decide on is that of one process; one may die in between."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import pytest

from jobs.reading import facts
from tests.crm_compliance.typist import Typist, people_and_cases
from tests.integration.night import Night


class Dying(ProcessPoolExecutor):
    """Processes of which the first ones are killed as soon as they have a second part to work on."""

    submitted = 0
    killed = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        Dying.submitted += 1
        if Dying.submitted == 2:
            for process in multiprocessing.active_children():
                process.kill()
                process.join()
                Dying.killed += 1
        return future


def plan_by(typist: Typist, workers: str) -> str:
    typist.set(WORKERS=workers, WORKER_COUNT="2")
    plan: str = typist.ask("plan")["plan"]
    return plan


def test_who_decides_makes_no_difference(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    people_and_cases(org)
    monkeypatch.setattr(facts, "PART", 2)
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", Dying)
    alone = plan_by(typist, "here")
    for workers in ("threads", "processes"):
        changes = typist.ask("plans", "diff", alone, plan_by(typist, workers))
        assert (changes["added"], changes["removed"], changes["changed"]) == (0, 0, 0)
        assert changes["unchanged"] == typist.ask("plans", "show", alone)["units"]
    assert Dying.killed
    assert Dying.submitted > 4
