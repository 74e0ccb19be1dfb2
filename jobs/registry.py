"""The jobs that the command line and the scheduler know, written out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jobs.housekeeping import Upkeep, keep_house
from jobs.model.run import Run
from jobs.nightly import run_recordings, run_retention
from jobs.ports.context import JobContext
from jobs.requests_round import RequestsRound, go_round


@dataclass(frozen=True, slots=True)
class Job:
    """A job by its function; `cron` is when it runs unless the settings say otherwise, Brussels time."""

    function: Callable[[JobContext], Run]
    cron: str


@dataclass(frozen=True, slots=True)
class Round:
    """A job that carries out no plan."""

    function: Callable[[JobContext], Upkeep | RequestsRound]
    cron: str


ROUNDS: dict[str, Round] = {
    "requests": Round(go_round, "30 1 * * *"),
    "housekeeping": Round(keep_house, "30 5 * * *"),
}
JOBS: dict[str, Job] = {
    "recordings": Job(run_recordings, "0 2 * * *"),
    "retention": Job(run_retention, "30 2 * * *"),
}
