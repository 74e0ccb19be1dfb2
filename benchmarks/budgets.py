"""What a plan and a `why` cost in counts that neither a clock nor what else the machine does changes, beside
the ceilings of budgets.toml. Ends with exit code 1 where one is crossed.

Two organisations of the emulator, one larger than the other, are planned in full. What a row costs is the
difference between the two, so that starting up, definitions and the store's own work drop out. Each plan is
made twice and the second one counted: in the first, caches fill and modules are imported, and another process
remembers what the emulator answers, so that nothing of it is in what is counted. `[held]` is the same plan
under one hold by conditions.

| count | what it is |
|---|---|
| `requests` | of the plan of the smaller organisation, or of one `why` |
| `decodings` | how often the bytes of a page go to the decoder |
| `calls_a_row`, `calls` | calls of Python's functions, and from Python into libraries |
| `loops_a_row`, `loops` | rounds of loops in Python; from Python 3.12 on, which can tell |
| `bytes_a_row` | of Python's memory at its peak; columns are not in it |
| `frames` | how often columns are worked out |

    python -m benchmarks.budgets [--small 40] [--large 400]
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import tomllib
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.replay import replay
from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.page_values import Page
from connectors.emulator.serving.server import SeedSpec, running
from crm_compliance.configuration.settings import environment_of, load_settings
from crm_compliance.wiring.desk import desk
from jobs.holds.place import Wanted, place_hold
from jobs.model.plan import Kind
from jobs.plans.lines.pages import lines_of
from jobs.plans.make import make_plan
from jobs.plans.questions.explain import explain_unit
from rules.holds.placements import HoldType

BUDGETS = Path(__file__).with_name("budgets.toml")
SMALL, LARGE = 40, 400  # dossiers
SEEDED_FOR = date(2026, 3, 15)
WHERE = ("category=social_card",)
Counts = Mapping[str, Mapping[str, float]]


@dataclass
class Tally:
    """What one piece of work has taken; `memory` is the peak, in bytes."""

    calls: int = 0
    loops: int = 0
    frames: int = 0
    memory: int = 0
    decoded: int = 0
    received: int = 0
    rows: int = 0
    requests: int = 0


@contextmanager
def counted(tally: Tally) -> Iterator[None]:
    """Count what this thread does meanwhile, its memory aside, which is that of all."""
    me, watching = threading.get_ident(), getattr(sys, "monitoring", None)

    def called(_: Any, event: str, what: Any) -> None:
        tally.calls += event in ("call", "c_call")
        tally.frames += event == "c_call" and what.__name__ == "collect"

    def looped(*_: Any) -> None:
        tally.loops += threading.get_ident() == me

    if watching is not None:
        watching.use_tool_id(watching.OPTIMIZER_ID, __name__)
        watching.register_callback(watching.OPTIMIZER_ID, watching.events.JUMP, looped)
        watching.set_events(watching.OPTIMIZER_ID, watching.events.JUMP)
    gc.collect()  # so that garbage is collected at the same moments, whatever ran before
    tracemalloc.start()
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)
        tally.memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        if watching is not None:
            watching.set_events(watching.OPTIMIZER_ID, watching.events.NO_EVENTS)
            watching.free_tool_id(watching.OPTIMIZER_ID)


@dataclass(frozen=True)
class Costs:
    """What a full plan of an organisation takes, then a `why` of one of its units, then the plan under a hold
    by conditions."""

    plan: Tally
    why: Tally
    held: Tally


def costs(dossiers: int) -> Costs:
    """Return what an organisation of so many dossiers takes."""
    plan, why, held = Tally(), Tally(), Tally()
    seed = SeedSpec(dossiers=dossiers, seed=1, as_of=SEEDED_FOR)
    with tempfile.TemporaryDirectory() as folder, running(seed=seed) as emulator, replay(emulator.url) as server:
        given = {"CRM_URL": server.url, "CRM_TOKEN": "budgets", "DATA_DIR": folder, "INCREMENTAL_READS": "false", "CRM_READS": "1"}
        with patch.dict(os.environ, environment_of(given), clear=True):
            settings = load_settings()
        with desk(settings) as opened:
            make_plan(opened.context, Kind.ALL)
        with desk(settings) as opened, pages_seen(plan):
            context, stats = opened.context, opened.context.connector.stats
            with counted(plan):
                made = make_plan(context, Kind.ALL)
            plan.rows, plan.requests = stats.rows, stats.requests
            line = next(lines_of(context.store.plans.pages(made.id)))
            explain_unit(context, line.table, line.id)
            before = stats.requests
            with counted(why):
                explain_unit(context, line.table, line.id)
            why.requests = stats.requests - before
        with desk(settings) as opened:
            context, stats = opened.context, opened.context.connector.stats
            half_a_year_on = context.today + timedelta(days=180)
            hold = Wanted(
                type=HoldType.JUDICIAL, table="cf_dossier", where=WHERE, reason_code="CASE-1", basis="a letter", review_on=half_a_year_on
            )
            place_hold(context, hold, "budgets", "dpo")
            before = stats.rows
            with counted(held):
                make_plan(context, Kind.ALL)
            held.rows = stats.rows - before
    return Costs(plan, why, held)


@contextmanager
def pages_seen(tally: Tally) -> Iterator[None]:
    """Note of how many bytes pages come, and how many are decoded."""
    get, decode = Transport.get, PageDecoder.decode

    def received(transport: Transport, *given: Any, as_it_came: bool = False, **options: Any) -> Answer:
        answer = get(transport, *given, as_it_came=as_it_came, **options)
        tally.received += len(answer.body) if as_it_came else 0
        return answer

    def decoded(decoder: PageDecoder[Any], body: bytes, **options: Any) -> Page[Any]:
        tally.decoded += len(body)
        return decode(decoder, body, **options)

    with patch.object(Transport, "get", received), patch.object(PageDecoder, "decode", decoded):
        yield


def counts_of(less: Costs, more: Costs) -> Counts:
    """Return the counts by heading and name, from what the smaller and the larger organisation have taken."""

    def a_row(name: str, small: Tally, large: Tally) -> float:
        return float(getattr(large, name) - getattr(small, name)) / (large.rows - small.rows)

    plan = {"requests": less.plan.requests, "decodings": more.plan.decoded / more.plan.received}
    plan |= {f"{name}_a_row": a_row(name, less.plan, more.plan) for name in ("calls", "loops")}
    plan |= {"bytes_a_row": a_row("memory", less.plan, more.plan), "frames": more.plan.frames}
    held = {f"{name}_a_row": a_row(name, less.held, more.held) for name in ("calls", "loops")} | {"frames": more.held.frames}
    why = {name: getattr(less.why, name) for name in ("requests", "calls", "loops", "frames")}
    found = {"plan": plan, "held": held, "why": why}
    return {heading: {name: counts[name] for name in counts if _is_told(name)} for heading, counts in found.items()}


def _is_told(name: str) -> bool:
    """Return whether this Python tells such a count."""
    return not name.startswith("loops") or hasattr(sys, "monitoring")


def ceilings(path: Path = BUDGETS) -> Counts:
    """Return what budgets.toml allows."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def crossed(found: Counts, allowed: Counts) -> list[str]:
    """Return a sentence for each count above its ceiling, without one, or that nobody measures any more."""
    told = []
    for heading in {**found, **allowed}:
        counts, limits = found.get(heading, {}), allowed.get(heading, {})
        told += [
            f"{heading}.{name}: {value:,.4g} is above {limits[name]:,}" for name, value in counts.items() if value > limits.get(name, value)
        ]
        told += [f"{heading}.{name} stands on one side only" for name in sorted(filter(_is_told, counts.keys() ^ limits.keys()))]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=SMALL, help="dossiers of the smaller organisation")
    parser.add_argument("--large", type=int, default=LARGE, help="dossiers of the larger one")
    given = parser.parse_args()
    found, allowed = counts_of(costs(given.small), costs(given.large)), ceilings()
    print(f"{'':>20} {'measured':>10} {'ceiling':>10}")
    for heading, counts in found.items():
        for name, value in counts.items():
            print(f"{heading + '.' + name:>20} {value:>10,.4g} {allowed.get(heading, {}).get(name, float('nan')):>10,}")
    if told := crossed(found, allowed):
        raise SystemExit("\n".join(told))


if __name__ == "__main__":
    main()
