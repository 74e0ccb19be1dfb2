"""A full plan of a CRM that takes its time for each answer: one page after the other, and several at once.

Between client and emulator stands a server that gives the emulator's answers again, each after a delay
(replay.py). Every variant plans three times: without a delay to find where tables are cut, without one to
have the answers remembered, and from the same point with the delay. The first night is a plan with nothing
found yet.

    python -m benchmarks.slow_pages [--dossiers 20000] [--delay 1.0] [--at-once 8 16]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from benchmarks.plan import PLAN, emulator, measured
from benchmarks.replay import Replay, replay
from crm_compliance.configuration.settings import environment_of

ONE = "one page after the other"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dossiers", type=int, default=20_000, help="20,000 dossiers are 62 pages, 80,000 are 236")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds that each answer takes")
    parser.add_argument("--at-once", type=int, nargs="+", default=[8, 16])
    given = parser.parse_args()
    with emulator(given.dossiers) as url, replay(url) as server:
        found = walls(server, given.delay, given.at_once)
    for name, plan in found.items():
        told(name, plan, found[ONE])


def walls(server: Replay, delay: float, at_once: list[int]) -> dict[str, dict[str, float]]:
    """Return what plans of a CRM take whose answers take `delay` seconds, by how it is read; without
    ranges first."""
    with tempfile.TemporaryDirectory() as folder:

        def plan(name: str, reads: int, wait: float) -> dict[str, float]:
            server.delay(wait)
            settings = {"CRM_URL": server.url, "CRM_TOKEN": "bench", "INCREMENTAL_READS": "false", "DATA_DIR": f"{folder}/{name}"}
            try:
                return measured([PLAN], environment_of(settings | {"CRM_READS": str(reads)}), "")
            finally:
                server.delay(0.0)

        def timed(name: str, reads: int) -> dict[str, float]:
            before = Path(folder, f"{name}-before")
            if Path(folder, name).exists():
                shutil.copytree(Path(folder, name), before)
            plan(name, reads, 0.0)
            shutil.rmtree(Path(folder, name))
            if before.exists():
                shutil.copytree(before, Path(folder, name))
            return plan(name, reads, delay)

        found = {ONE: timed("one", 1), f"first night, {max(at_once)} at once": timed("first", max(at_once))}
        for reads in at_once:
            plan(f"cut-{reads}", reads, 0.0)
            found[f"in ranges, {reads} at once"] = timed(f"cut-{reads}", reads)
        return found


def told(what: str, plan: dict[str, float], one: dict[str, float]) -> None:
    assert (plan["units"], plan["due"]) == (one["units"], one["due"]), "the plans differ"
    ratios = f"{one['wall'] / plan['wall']:.1f} times as fast, {plan['cpu'] / one['cpu']:.2f} of the CPU"
    print(f"{what}: {plan['wall']:.1f} s, {plan['cpu']:.2f} s CPU, peak {plan['peak_mb']:.0f} MB; {ratios}", flush=True)


if __name__ == "__main__":
    main()
