"""One table of what a plan costs, with plots, for the docs: processor time beside the floor of downloading
and decoding the same pages with requests and orjson, memory, a night by changes, waiting for slow pages,
`why`, and what other clients need only to read.

All ratios are of one run, whose parts go in turns, and of processor time of the client's process alone.
Between client and emulator stands a server that gives the emulator's answers again (replay.py), but for the
night by changes, which asks the emulator itself. An organisation of ten million rows is the largest one so
many times, each time with other ids; of it floor and plan alone are measured, once.

    python -m benchmarks.table [--sizes 20000 80000] [--copies 9] [--rounds 3] [--delay 1.0] [--at-once 16]
                               [--output docs]

A run of a minute or two: `--sizes 500 2000 --copies 2 --rounds 1 --delay 0.05`, without `--output`.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks.peers import FLOOR_NAME, compared
from benchmarks.pictures import Bars, bars
from benchmarks.plan import FLOOR, PLAN, emulator, measured, requested
from benchmarks.replay import replay
from benchmarks.slow_pages import walls
from crm_compliance.configuration.settings import environment_of

PAGE, PLOT = "benchmarks.md", "benchmarks.svg"
ABOUT = (
    "What a plan costs, written by `python -m benchmarks.table --output docs` (`make bench`). The floor is downloading and decoding "
    "the same pages with requests and orjson. Processor time is that of the client's process, user and system; ratios are medians of "
    "rounds in turns within one run. The emulator's answers are given again from memory, but for nights by changes. What must not "
    "grow is counted, without a clock, by `python -m benchmarks.budgets` and the tests. The last column is of the rows of the one before "
    "it, so many times over with other ids."
)
WHYS = 10  # units of each table that are asked about
WHY = """
import collections, json, statistics, sys, time

from crm_compliance.configuration.settings import load_settings
from crm_compliance.wiring.desk import desk
from jobs.plans.questions.explain import explain_unit
from jobs.plans.lines.pages import lines_of

with desk(load_settings()) as opened:
    store = opened.context.store
    units = collections.defaultdict(list)
    for line in lines_of(store.plans.pages(next(store.plans.newest()).id)):
        if len(units[line.table]) < int(sys.argv[1]):
            units[line.table].append(line.id)
    costs = collections.defaultdict(list)
    for is_warm in (False, True):
        for table in units:
            for row in units[table]:
                before = time.process_time()
                explain_unit(opened.context, table, row)
                if is_warm:
                    costs[table].append(time.process_time() - before)
    middle = [statistics.median(each) for each in costs.values()]
    print(json.dumps({"least": min(middle), "most": max(middle)}))
"""
Figures = dict[str, float]


@dataclass
class Size:
    """What was measured with so many dossiers: by name, a figure a round."""

    dossiers: int
    copies: int = 1
    rows: int = 0
    units: int = 0
    pages: int = 0
    changed: int = 0
    floor: list[Figures] = field(default_factory=list)
    plan: list[Figures] = field(default_factory=list)
    command: list[float] = field(default_factory=list)
    changes: list[Figures] = field(default_factory=list)
    all_tracked: list[Figures] = field(default_factory=list)
    why: list[Figures] = field(default_factory=list)

    def ratio(self, costs: Iterable[float]) -> float:
        """Return the median ratio to the floor of the same round."""
        return statistics.median(cost / floor["cpu"] for cost, floor in zip(costs, self.floor, strict=True))

    @property
    def name(self) -> str:
        return f"{self.rows:,} rows"


@dataclass
class Run:
    """All that one run has measured."""

    sizes: list[Size]
    copies: list[Size]  # what was measured of the last one many times over, if anything
    walls: dict[str, Figures]
    peers: dict[str, Figures | None]
    delay: float
    began: datetime
    load: tuple[float, float]  # of the last minute, before and after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000, 80_000], help="dossiers; 80,000 are a million rows and 236 pages")
    parser.add_argument("--copies", type=int, default=9, help="how often the largest is measured over again; 1 measures no copies")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=float, default=1.0, help="seconds that each page takes, for the time of waiting")
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--output", type=Path, help=f"a folder for {PAGE} and {PLOT}")
    given = parser.parse_args()
    began, load = datetime.now(UTC), os.getloadavg()[0]
    sizes: list[Size] = []
    copies: list[Size] = []
    waited: dict[str, Figures] = {}
    others: dict[str, Figures | None] = {}
    for dossiers in sorted(given.sizes):
        with emulator(dossiers) as url:
            sizes.append(measured_size(url, dossiers, given.rounds))
            if dossiers == max(given.sizes):
                copies = [measured_copies(url, dossiers, given.copies)] if given.copies > 1 else []
                others = compared(url, given.rounds)
                with replay(url) as server:
                    waited = walls(server, given.delay, [given.at_once])
    run = Run(sizes, copies, waited, others, given.delay, began, (load, os.getloadavg()[0]))
    text = page(run)
    print(text)
    if given.output is not None:
        (given.output / PAGE).write_text(text, encoding="utf-8")
        (given.output / PLOT).write_text(plot(run), encoding="utf-8")


def measured_size(url: str, dossiers: int, rounds: int) -> Size:
    """Measure one organisation: floor, plans and `why` in turns, and a night in which one dossier in a
    hundred has changed; that too where the CRM tracks changes of all tables that are read."""
    size = Size(dossiers)
    with tempfile.TemporaryDirectory() as folder, replay(url) as server:
        given = {"CRM_TOKEN": "bench", "INCREMENTAL_READS": "false", "CRM_READS": "1"}
        full = environment_of(given | {"CRM_URL": server.url, "DATA_DIR": f"{folder}/full"})
        nightly = environment_of({"CRM_TOKEN": "bench", "CRM_URL": url, "DATA_DIR": f"{folder}/nightly"})
        pages = json.dumps(requested(server.url))
        measured([FLOOR, server.url], full, pages)  # has the answers remembered, as the plan does
        measured([PLAN], full, "")
        command_cost(["plan"], full)  # makes byte code
        measured([PLAN], nightly, "")
        for _ in range(rounds):
            size.floor.append(measured([FLOOR, server.url], full, pages))
            size.plan.append(measured([PLAN], full, ""))
            size.command.append(command_cost(["plan"], full))
            size.changed = change(url, dossiers // 100 or 1)
            size.changes.append(measured([PLAN], nightly, ""))
            size.why.append(measured([WHY, str(WHYS)], full, ""))
        track(url, [path.partition("?")[0] for path, _ in json.loads(pages)])
        measured([PLAN], nightly, "")  # reads in full, once more, what it had not remembered
        for _ in range(rounds):
            change(url, size.changed)
            size.all_tracked.append(measured([PLAN], nightly, ""))
        size.rows, size.units = int(size.floor[-1]["rows"]), int(size.plan[-1]["units"])
        size.pages = int(size.plan[-1]["pages"])
    return size


def measured_copies(url: str, dossiers: int, copies: int) -> Size:
    """Measure floor and plan of so many copies of an organisation, once."""
    size = Size(dossiers, copies)
    with tempfile.TemporaryDirectory() as folder, replay(url, copies=copies) as server:
        given = {"CRM_TOKEN": "bench", "INCREMENTAL_READS": "false", "CRM_READS": "1", "CRM_URL": server.url, "DATA_DIR": folder}
        pages = json.dumps(requested(server.url))
        size.floor.append(measured([FLOOR, server.url], environment_of(given), pages))
        size.plan.append(measured([PLAN], environment_of(given), ""))
    size.rows, size.units, size.pages = int(size.floor[0]["rows"]), int(size.plan[0]["units"]), int(size.plan[0]["pages"])
    return size


def command_cost(words: list[str], environment: dict[str, str]) -> float:
    """Return the CPU seconds of a whole command, user and system, starting up included. As an installed
    product it has its byte code beside it, whatever the shell of the developer says."""
    command = [sys.executable, "-m", "crm_compliance", *words]
    given = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
    process = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with exit {process.returncode}")
    return used.ru_utime + used.ru_stime


def change(url: str, number: int) -> int:
    """Change so many dossiers, and return how many that are."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer bench"
        found = session.get(f"{url}cf_dossiers?$select=cf_dossierid&$top={number}", timeout=60).json()["value"]
        for row in found:
            answer = session.patch(f"{url}cf_dossiers({row['cf_dossierid']})", json={"cf_name": f"D-{time.time_ns()}"}, timeout=60)
            answer.raise_for_status()
    return len(found)


def track(url: str, sets: Collection[str]) -> None:
    """Have the CRM track changes of these tables."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer bench"
        asked = f"{url}EntityDefinitions?$select=LogicalName,EntitySetName,ChangeTrackingEnabled"
        for table in session.get(asked, timeout=60).json()["value"]:
            if table["EntitySetName"] in sets and not table["ChangeTrackingEnabled"]:
                where = f"{url}EntityDefinitions(LogicalName='{table['LogicalName']}')"
                whole = session.get(where, timeout=60).json() | {"ChangeTrackingEnabled": True}
                session.put(where, json=whole, headers={"MSCRM.MergeLabels": "true"}, timeout=60).raise_for_status()


def page(run: Run) -> str:
    """Return the page of the docs."""
    large = run.sizes[-1]
    lines = [
        "# Benchmarks",
        "",
        ABOUT,
        "",
        f"{run.began:%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} processors, {platform.system()}, "
        f"Python {platform.python_version()}; "
        f"load {run.load[0]:.1f} before and {run.load[1]:.1f} after; rounds: {len(large.floor)}.",
        "",
        "| | " + " | ".join(each.name for each in (*run.sizes, *run.copies)) + " | bar |",
        "|---|" + "--:|" * (len(run.sizes) + len(run.copies) + 1),
        *(f"| {' | '.join(row)} |" for row in _rows(run)),
        "",
        "## Waiting",
        "",
        f"A full plan of {large.rows:,} rows, {large.pages} pages, where each answer takes {run.delay:g} s:",
        "",
        "| | seconds | peak |",
        "|---|--:|--:|",
        *(f"| {name} | {found['wall']:.0f} | {found['peak_mb']:.0f} MB |" for name, found in run.walls.items()),
        "",
        "## Others, reading only",
        "",
        f"The same {large.rows:,} rows, over TLS. None of the others decides anything.",
        "",
        "| | CPU | times the floor | peak |",
        "|---|--:|--:|--:|",
        *_peers(run.peers),
        "",
        f"![Processor time beside the floor, growth, and time of waiting]({PLOT})",
        "",
    ]
    return "\n".join(lines)


def _rows(run: Run) -> Iterator[list[str]]:
    sizes, nothing = [*run.sizes, *run.copies], [""] * len(run.copies)
    yield ["units", *(f"{each.units:,}" for each in sizes), ""]
    yield ["floor, CPU", *(f"{_median(each.floor, 'cpu'):.2f} s" for each in sizes), ""]
    yield ["full plan, CPU", *(f"{_median(each.plan, 'cpu'):.2f} s" for each in sizes), ""]
    yield ["full plan / floor", *(f"{each.ratio(found['cpu'] for found in each.plan):.2f}" for each in sizes), "1.25; in flat memory 1.4"]
    yield ["`plan`, starting up included, / floor", *(f"{each.ratio(each.command):.2f}" for each in run.sizes), *nothing, "1.5"]
    yield ["floor, CPU a row", *(f"{_a_row(each.floor, each):.2f} µs" for each in sizes), ""]
    yield ["full plan, CPU a row", *(f"{_a_row(each.plan, each):.2f} µs" for each in sizes), "within 10 %"]
    yield ["full plan, peak memory", *(f"{_median(each.plan, 'peak_mb'):.0f} MB" for each in sizes), "350 MB; of ten million rows 500 MB"]
    yield ["rows changed before a night by changes", *(f"{each.changed:,}" for each in run.sizes), *nothing, "2,000"]
    for what, found in (("", "changes"), (", all tables tracked", "all_tracked")):
        nights = (f"{_median(getattr(each, found), 'cpu'):.2f} s" for each in run.sizes)
        yield [f"night by changes{what}, CPU", *nights, *nothing, "2.5 s a million units"]
    yield ["night by changes, peak memory", *(f"{_median(each.changes, 'peak_mb'):.0f} MB" for each in run.sizes), *nothing, ""]
    yield ["`why` of one unit, CPU, by its table", *(_span(each.why) for each in run.sizes), *nothing, "6–10 ms"]


def _a_row(found: list[Figures], size: Size) -> float:
    return _median(found, "cpu") * 1e6 / size.rows


def _median(found: list[Figures], name: str) -> float:
    return statistics.median(each[name] for each in found)


def _span(found: list[Figures]) -> str:
    return f"{_median(found, 'least') * 1000:.1f}–{_median(found, 'most') * 1000:.1f} ms"


def _peers(peers: dict[str, Figures | None]) -> Iterator[str]:
    floor = peers[FLOOR_NAME]
    for name, found in peers.items():
        if found is None or floor is None:
            yield f"| {name} | not measured | | |"
        else:
            yield f"| {name} | {found['cpu']:.2f} s | {found['cpu'] / floor['cpu']:.2f} | {found['peak_mb']:.0f} MB |"


def plot(run: Run) -> str:
    """Return the plots, as SVG."""
    large, floor = run.sizes[-1], run.peers[FLOOR_NAME]
    plan, command = "full plan", "full plan, by the command"
    ratios = {plan: large.ratio(found["cpu"] for found in large.plan), command: large.ratio(large.command)}
    ratios |= {f"reading: {name.partition(' (')[0]}": each["cpu"] / floor["cpu"] for name, each in run.peers.items() if each and floor}
    return bars(
        f"{run.began:%Y-%m-%d}, {large.rows:,} rows",
        [
            Bars("Processor time", "times the floor", ratios),
            Bars("Processor time of a full plan", "µs a row", {each.name: _a_row(each.plan, each) for each in (*run.sizes, *run.copies)}),
            Bars(f"A plan whose answers take {run.delay:g} s each", "seconds", {name: each["wall"] for name, each in run.walls.items()}),
        ],
    )


if __name__ == "__main__":
    main()
