"""What questions about the lines of a large plan cost, beside 100 ms: two plans compared, and every filter,
sort and page. Processor time and time, the least of some rounds, in each of which the lines are sorted anew.

The lines are made up, and stand as those of plans do: by table and id, stored page by page and read again.

    python -m benchmarks.lines [--lines 1000000] [--changed 0.01] [--rounds 5]
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

import msgspec

from benchmarks.large_store import CATEGORIES, a_plan
from jobs.model.plan import PlanLine
from jobs.plans.lines.columns import LineColumns
from jobs.plans.lines.compare import compare
from jobs.plans.lines.pages import paged
from jobs.plans.lines.query import SORTS, LineQuery
from jobs.plans.lines.view import LinesView

BAR_MS: Final = 100.0
TABLES: Final = ("cf_dossier", "cf_fiche", "email", "cf_recording", "annotation", "contact")  # in the order of a plan
REASONS: Final = ("NOT_EXPIRED", "OPEN_DOSSIER", "EXPIRED")
FLAGS: Final = ((), ("LATE",), ("BIRTHDATE_APPROXIMATE", "LATE"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--changed", type=float, default=0.01, help="the share of lines that the second plan has otherwise")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    before, after = columns_of(a_night(given.lines)), columns_of(another(a_night(given.lines), given.changed))
    plan = a_plan("plan-1", datetime(2026, 11, 25, tzinfo=UTC), given.lines)
    old = LinesView(plan, before)
    asked: dict[str, Callable[[LinesView], object]] = {"two plans compared": lambda view: compare(old, view)}
    asked |= {name: Asked(query) for name, query in queries(given.lines)}
    print("| | processor, ms | time, ms | of 100 ms |\n|---|---:|---:|---:|")
    for name, ask in asked.items():
        worked, took = map(min, zip(*(cost(ask, LinesView(plan, after)) for _ in range(given.rounds)), strict=True))
        print(f"| {name} | {worked:.0f} | {took:.0f} | {worked / BAR_MS:.2f} |", flush=True)


@dataclass(frozen=True)
class Asked:
    query: LineQuery

    def __call__(self, view: LinesView) -> object:
        return view.page(self.query)


def cost(ask: Callable[[LinesView], object], view: LinesView) -> tuple[float, float]:
    """Return the milliseconds that a question takes, of the processor and by the clock."""
    worked, began = time.process_time(), time.perf_counter()
    ask(view)
    return (time.process_time() - worked) * 1000, (time.perf_counter() - began) * 1000


def queries(lines: int) -> Iterator[tuple[str, LineQuery]]:
    """Yield what the console and the commands ask: each filter, all of them at once, and each sort both ways
    on a page in the middle."""
    every = {"category": CATEGORIES[0], "reason": REASONS[0], "flag": "LATE", "table": TABLES[0], "id": "ab"}
    for name, value in every.items():
        yield f"by {name}", msgspec.convert({name: value}, LineQuery)
    for sort in SORTS:
        middle = LineQuery(sort=sort, offset=lines // 2)
        yield f"in the order of {sort or 'the plan'}", middle
        yield f"in the order of {sort or 'the plan'}, from its end", msgspec.structs.replace(middle, descending=True)
        yield f"by all five, in the order of {sort or 'the plan'}", msgspec.convert({**every, "sort": sort}, LineQuery)


def a_night(number: int) -> Iterator[PlanLine]:
    """Yield so many lines of a plan, the same each time."""
    random = Random(1)
    for table in TABLES:
        of_table = number // len(TABLES) + (number % len(TABLES) if table == TABLES[-1] else 0)
        for id in sorted(str(UUID(int=random.getrandbits(128))) for _ in range(of_table)):
            reason = random.choices(REASONS, (88, 10, 2))[0]
            outcome, disposition = ("dispose", "delete") if reason == "EXPIRED" else ("retain", None)
            end = (date(2026, 11, 1) + timedelta(days=random.randrange(6000))).isoformat()
            categories = (random.choice(CATEGORIES),) if table != "contact" else ()
            flags = random.choice(FLAGS)
            yield PlanLine(
                table, id, outcome, disposition, end, reason, (reason,), flags, categories, "RET-08", "1", f'W/"{random.getrandbits(24)}"'
            )


def another(lines: Iterator[PlanLine], changed: float) -> Iterator[PlanLine]:
    """Yield the lines of the next night: some say something else, a tenth as many are gone and as many are
    new."""
    random = Random(2)
    for line in lines:
        drawn = random.random()
        if drawn < changed:
            yield msgspec.structs.replace(line, flags=(*line.flags, "REVIEW_DUE"))
        elif drawn < changed * 1.1:
            yield msgspec.structs.replace(line, id=line.id[:-1] + ("0" if line.id[-1] != "0" else "1"))
        else:
            yield line


def columns_of(lines: Iterator[PlanLine]) -> LineColumns:
    """Return lines as they come back from a store."""
    return LineColumns.joined(map(LineColumns.read, paged(lines, (), {})[0]))


if __name__ == "__main__":
    main()
