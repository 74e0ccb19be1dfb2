"""The acceptance scenarios of holds, erasure, approvals, proof and restores, from outside: rows in, commands,
and what became of them.

    python -m tests.independent.scenarios [--only R-067,R-077] [--list]

Rows go in through the Web API, the product is used by its commands alone; every scenario names the rules it
holds the product to.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.independent.case import Case
from tests.independent.emulated import Organisation
from tests.independent.inside import Inside
from tests.independent.prompt import Prompt

PARTS = (
    "holding",
    "erasing",
    "counted",
    "meanwhile",
    "lingering",
    "agreeing",
    "guarding",
    "proving",
    "restoring",
    "scheduling",
    "typing_errors",
    "asking",
    "permitting",
    "delivering",
    "stumbling",
    "finding",
    "telling",
    "hiding",
    "packing",
    "suspecting",
    "due",
    "other_rights",
)
LONG_AGO = "2025-12-15T10:00:00Z"  # before the clock of every scenario, and not so long ago that keys are renewed
Act = Callable[[Case], None]


@dataclass(frozen=True)
class Scenario:
    """A story with the rules that it is about."""

    name: str
    act: Act
    restorable: bool = False  # from outside, on an emulator whose rows are in a file

    @property
    def rules(self) -> set[str]:
        return set(re.findall(r"[A-Z]+-\d+", self.name))


SCENARIOS: list[Scenario] = []


def scenario(name: str, *, restorable: bool = False) -> Callable[[Act], Act]:
    def keep(act: Act) -> Act:
        SCENARIOS.append(Scenario(name, act, restorable))
        return act

    return keep


def load() -> list[Scenario]:
    for part in PARTS:
        importlib.import_module(f"tests.independent.scenarios_{part}")
    return SCENARIOS


class House:
    """One warm command line and one emulator for all scenarios; a second one, whose rows can be put back,
    where a scenario asks for it. Those that are `inside` are of this process."""

    def __init__(self, folder: Path, inside: Inside | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.prompt = inside or Prompt(folder)
        self.shared = inside or Organisation(folder)
        self.restorable: Organisation | None = None
        self.count = 0
        self.template = folder / "template"
        first = Case("template", folder / "000", self.shared, self.prompt)
        first.ask("keys", "show", env={"CRM_COMPLIANCE_DATA_DIR": str(self.template), "CRM_COMPLIANCE_CLOCK": LONG_AGO})

    def close(self) -> None:
        for one in {self.prompt, self.shared}:
            one.close()
        if self.restorable:
            self.restorable.close()

    def play(self, chosen: Scenario) -> list[str]:
        """The problems of one scenario."""
        self.count += 1
        if chosen.restorable and self.restorable is None and isinstance(self.shared, Organisation):
            (place := self.folder / "restorable").mkdir()
            self.restorable = Organisation(place, place / "crm.db")
        organisation = self.restorable if chosen.restorable and self.restorable else self.shared
        case = Case(chosen.name, self.folder / f"{self.count:03}", organisation, self.prompt, self.template)
        try:
            chosen.act(case)
            case.names_nobody()
        except (LookupError, TypeError, ValueError, OSError, AttributeError, RuntimeError, StopIteration) as error:
            where = error.__traceback__
            while where and where.tb_next and "scenarios_" not in where.tb_frame.f_code.co_filename:
                where = where.tb_next
            case.expect(False, f"broke off at line {where.tb_lineno if where else '?'}: {type(error).__name__}: {error}")
        return case.problems


def play(scenarios: Sequence[Scenario], folder: Path, jobs: int) -> Iterator[tuple[Scenario, list[str], float]]:
    """Play them in so many houses at once, each scenario where there is room first."""
    waiting: SimpleQueue[Scenario | None] = SimpleQueue()
    done: SimpleQueue[tuple[Scenario, list[str], float]] = SimpleQueue()
    for chosen in (*scenarios, *[None] * jobs):
        waiting.put(chosen)

    def work(place: Path) -> None:
        house = House(place)
        try:
            while chosen := waiting.get():
                began = time.monotonic()
                done.put((chosen, house.play(chosen), time.monotonic() - began))
        finally:
            house.close()

    with ThreadPoolExecutor(jobs) as pool:
        houses = [pool.submit(work, folder / f"house{number}") for number in range(jobs)]
        for _ in scenarios:
            while done.empty():
                for house in houses:
                    if house.done():
                        house.result()
                time.sleep(0.02)
            yield done.get()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rules, or words of a scenario's name, with commas between")
    parser.add_argument("--list", action="store_true", help="names alone")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in; it is kept")
    given = parser.parse_args()
    words = [word for word in given.only.split(",") if word]
    chosen = [s for s in load() if not words or any(word in s.rules or word.lower() in s.name.lower() for word in words)]
    if given.list:
        sys.stdout.write("".join(f"{s.name}\n" for s in chosen))
        return 0
    count, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        for one, problems, seconds in play(chosen, given.folder or Path(scratch), given.jobs):
            count += len(problems)
            sys.stdout.write(
                f"{'FAIL' if problems else 'ok  '} {seconds:5.1f} s  {one.name}\n" + "".join(f"       {p}\n" for p in problems)
            )
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} scenarios, {count} problems, {time.monotonic() - began:.0f} s\n")
    return 1 if count else 0


if __name__ == "__main__":
    # the scenarios register themselves in the module by its own name, not in `__main__`
    sys.exit(importlib.import_module("tests.independent.scenarios").main())
