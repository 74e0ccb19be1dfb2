"""Throughput of the governor beside fixed concurrency, in a simulation on a virtual clock.

The real `Governor` drives batches into a model of the CRM (crm_model.py), whose limits are the emulator's.
Beside it run naive clients with 1, 8, 32 and 52 workers, each of which honours `Retry-After` for itself.
Every client is measured against the ceiling that its share of the limits allows: the governor leaves a
quarter to others, the naive ones leave nothing. The last column is from a CRM that, unlike the real one, does
not make the wait longer for what is sent too soon.

    python -m benchmarks.throughput [--output FOLDER] [--minutes 30] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.crm_model import SCENARIOS, Crm, Reply, Scenario
from benchmarks.pictures import Lines, lines
from connectors.dynamics.pace.allowance import hints_of
from connectors.dynamics.pace.governor import Governor, Observation, Pace, operations_of

FIXED = (1, 8, 32, 52)
FIXED_OPERATIONS = 10  # in a batch (Microsoft Learn, "Optimize performance for bulk operations")
RESERVED_SHARE = 0.25
GOVERNED = "governor"
ENDLESS = 10**9  # rows that wait


@dataclass(frozen=True)
class Result:
    """What one client has reached. `least_free`: the part of the limits that was left free at the worst
    moment."""

    scenario: str
    client: str
    rows_a_second: float
    ceiling: float
    refused: int
    avoidable: int
    least_free: float
    peak: int
    curve: tuple[tuple[float, int], ...]  # (second, rows done so far)
    forgiven: float = 0.0  # rows a second of a CRM that does not punish what is sent too soon

    @property
    def ratio(self) -> float:
        return self.rows_a_second / self.ceiling


class Tally:
    """Counts the rows that are done, and when."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self.rows = 0
        self.curve: list[tuple[float, int]] = [(0.0, 0)]

    def add(self, rows: int) -> None:
        self.rows += rows
        if self._crm.now - self.curve[-1][0] >= 15:
            self.curve.append((round(self._crm.now, 1), self.rows))


class Governed:
    """As connectors/dynamics/writing/pool.py, with events in the place of threads."""

    def __init__(self, crm: Crm, tally: Tally, pace: Pace) -> None:
        self._crm, self._tally = crm, tally
        self.governors = [Governor(pace, crm.scenario.most_operations) for _ in range(crm.scenario.users)]
        self._due = math.inf
        crm.after(0.0, self.work)

    def work(self) -> None:
        crm = self._crm
        while True:
            waits = [(each.wait_s(crm.now), each.running / each.limit, user) for user, each in enumerate(self.governors)]
            wait_s, _, user = min(waits)
            if wait_s > 0:
                break
            governor = self.governors[user]
            operations = operations_of(governor, ENDLESS, sum(each.limit for each in self.governors))
            governor.begin(crm.now, operations)
            crm.send(user, operations, self._answered(governor, operations))
        if wait_s < math.inf and not crm.now < self._due <= crm.now + wait_s:
            self._due = crm.now + wait_s
            crm.after(wait_s, self.work)

    def _answered(self, governor: Governor, operations: int) -> Callable[[Reply], None]:
        def answered(reply: Reply) -> None:
            retry_after_s = float(reply.headers.get("Retry-After", 0))
            governor.observe(self._crm.now, Observation(reply.seconds, operations, reply.status, retry_after_s, hints_of(reply.headers)))
            governor.end(operations)
            if reply.status == 200:
                self._tally.add(operations)
            self.work()

        return answered


def fixed(crm: Crm, tally: Tally, workers: int) -> None:
    """So many workers, each with its own patience; spread over the application users."""
    operations = min(FIXED_OPERATIONS, crm.scenario.most_operations)

    def worker(user: int) -> None:
        def answered(reply: Reply) -> None:
            if reply.status == 200:
                tally.add(operations)
            crm.after(float(reply.headers.get("Retry-After", 0)), send)

        def send() -> None:
            crm.send(user, operations, answered)

        crm.after(0.0, send)

    for number in range(workers):
        worker(number % crm.scenario.users)


def simulate(scenario: Scenario, client: str, *, seed: int = 1, reserved_share: float = RESERVED_SHARE, forgiving: bool = False) -> Result:
    """One client ("governor", or a number of workers) in one scenario, to the end of its time."""
    crm = Crm(scenario, seed, forgiving)
    tally = Tally(crm)
    if client == GOVERNED:
        Governed(crm, tally, Pace(reserved_share=reserved_share, shared_by=scenario.users))
    else:
        fixed(crm, tally, int(client))
    crm.run()
    return Result(
        scenario.name,
        client,
        tally.rows / scenario.duration_s,
        scenario.ceiling(reserved_share if client == GOVERNED else 0.0),
        crm.refused,
        crm.avoidable,
        crm.least_free,
        crm.peak,
        (*tally.curve, (scenario.duration_s, tally.rows)),
    )


def table(results: list[Result], scenarios: tuple[Scenario, ...]) -> str:
    """The results as Markdown."""
    head = [
        "| scenario | client | rows/s | of its ceiling | 429s | of these avoidable | least left free | rows/s, forgiving |",
        f"|---|---|{'--:|' * 6}",
    ]
    rows = [
        f"| {each.scenario} | {_named(each.client)} | {each.rows_a_second:.1f} | {each.ratio:.0%} | {each.refused:,} | {each.avoidable:,} "
        f"| {max(0.0, each.least_free):.0%} | {each.forgiven:.1f} |"
        for scenario in scenarios
        for each in results
        if each.scenario == scenario.name
    ]
    return "\n".join(head + rows) + "\n"


def _named(client: str) -> str:
    return client if client == GOVERNED else f"fixed {client}"


def plot(results: list[Result], scenarios: tuple[Scenario, ...]) -> str:
    """Return rows done over time as SVG, a panel a scenario. Dashed is the ceiling of the three quarters that
    the governor may use."""
    panels = []
    for scenario in scenarios:
        ceiling = scenario.ceiling(RESERVED_SHARE)
        panels.append(
            Lines(
                scenario.title,
                "minutes",
                "rows done",
                {
                    _named(result.client): [(second / 60, rows) for second, rows in result.curve]
                    for result in results
                    if result.scenario == scenario.name
                },
                limit=[(minute, ceiling * minute * 60) for minute in (0, scenario.duration_s / 60)],
            )
        )
    return lines("Simulation on a virtual clock: rows done by the governor and by fixed concurrency", panels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="a folder for throughput.svg, throughput.md and throughput.json")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    scenarios = tuple(replace(scenario, duration_s=given.minutes * 60) for scenario in SCENARIOS)
    results = []
    for scenario in scenarios:
        for client in (GOVERNED, *map(str, FIXED)):
            forgiven = simulate(scenario, client, seed=given.seed, forgiving=True).rows_a_second
            results.append(replace(simulate(scenario, client, seed=given.seed), forgiven=forgiven))
    print("A simulation on a virtual clock; each client against the ceiling of the share that it may use.")
    print(table(results, scenarios), end="")
    governed = [result for result in results if result.client == GOVERNED]
    lowest, avoidable = min(result.ratio for result in governed), sum(result.avoidable for result in governed)
    print(f"governor: at least {lowest:.0%} of the ceiling, {avoidable} avoidable 429s (target: 90 %, none)")
    if given.output is not None:
        given.output.mkdir(parents=True, exist_ok=True)
        (given.output / "throughput.svg").write_text(plot(results, scenarios), encoding="utf-8")
        (given.output / "throughput.md").write_text(table(results, scenarios), encoding="utf-8")
        rows = [{name: getattr(result, name) for name in Result.__dataclass_fields__} | {"ratio": result.ratio} for result in results]
        (given.output / "throughput.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
