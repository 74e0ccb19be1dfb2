"""A plan whose units threads or processes decide on is that of one process, in however many parts they are
decided, written and read; one may die in between."""

import concurrent.futures
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import pytest

from jobs.plans import decided_units, draft
from jobs.plans.lines import columns, pages
from jobs.reading.tables import names, table_facts
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases

PARTS = (
    (table_facts, "PART", 2),
    (names, "_AT_ONCE", 2),
    (decided_units, "_LINES", 4),
    (draft, "LINES_A_PAGE", 2),
    (pages, "LINES_A_PAGE", 3),
    (columns, "AT_ONCE", 2),
)


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
    alone = plan_by(typist, "here")
    for module, name, few in PARTS:
        monkeypatch.setattr(module, name, few)
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", Dying)
    for workers in ("here", "threads", "processes"):
        changes = typist.ask("plans", "diff", alone, plan_by(typist, workers))
        assert (changes["added"], changes["removed"], changes["changed"]) == (0, 0, 0)
        assert changes["unchanged"] == typist.ask("plans", "show", alone)["units"]
    assert Dying.killed
    assert Dying.submitted > 4
