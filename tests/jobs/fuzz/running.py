"""One run of the fuzzer: the seeds as they are, then changed ones until its time is spent. The same seed
gives the same contents."""

import hashlib
import random
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jobs.files.supervisor import Reader
from tests.jobs.fuzz.changes import changed
from tests.jobs.fuzz.corpus import Entry, entries
from tests.jobs.fuzz.targets import LIMITS, TARGETS, Target

SLOW = 3.0  # seconds of the processor that a content of half a megabyte may not take


@dataclass
class Findings:
    """What came of a run: how often what came of which kind of file, the worst contents, and what got past
    the border."""

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    contents: int = 0
    seconds: float = 0.0
    slowest: list[tuple[float, str, str, int]] = field(default_factory=list)
    largest: tuple[int, str, int] = (0, "", 0)
    uncaught: list[tuple[str, str, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)


def contents(seed: int, seeds: Sequence[Entry]) -> Iterator[tuple[str, Entry, bytes]]:
    """Yield name, seed and content, without an end."""
    for entry in seeds:
        yield entry.name, entry, entry.content
    chance = random.Random(seed)
    while seeds:
        entry = chance.choice(seeds)
        content = changed(entry, seeds, chance)
        yield f"{entry.name}~{hashlib.sha256(content).hexdigest()[:12]}", entry, content


def run(
    seed: int, *, cpu_seconds: float = 0.0, count: int = 0, targets: Sequence[Target] = TARGETS, kind: str = "", keep: Path | None = None
) -> Findings:
    """Aim contents at targets until so many seconds of the processor are spent, by this process and by the
    reader, or so many are done."""
    found = Findings()
    seeds = [entry for entry in entries() if not kind or entry.kind == kind]
    reader = Reader(LIMITS)
    try:
        for name, entry, content in contents(seed, seeds):
            found.contents += 1
            for target in targets:
                _aim(found, target, name, entry, content, reader, keep)
            if (cpu_seconds and found.seconds >= cpu_seconds) or (count and found.contents >= count):
                break
    finally:
        reader.close()
    return found


def _aim(found: Findings, target: Target, name: str, entry: Entry, content: bytes, reader: Reader, keep: Path | None) -> None:
    began, read, peak = time.process_time(), reader.seconds, reader.peak
    try:
        outcome = target.run(content, entry.media_type, reader)
    except Exception as problem:  # noqa: BLE001  whatever it is, it is a find
        outcome = f"UNCAUGHT {type(problem).__name__}"
        found.uncaught.append((target.name, name, "".join(traceback.format_exception(problem)[-3:])))
        _keep(keep, name, content)
    spent = time.process_time() - began + reader.seconds - read
    if "took_too_long" in outcome:
        spent += LIMITS.seconds
    if "reader_stopped" in outcome:
        found.stopped.append(name)
        _keep(keep, name, content)
    if spent > SLOW:
        _keep(keep, name, content)
    found.seconds += spent
    found.outcomes[entry.kind, target.name, outcome] += 1
    found.slowest = sorted([*found.slowest, (round(spent, 3), target.name, name, len(content))], reverse=True)[:5]
    if reader.peak > max(peak, found.largest[0]):
        found.largest = (reader.peak, name, len(content))


def _keep(folder: Path | None, name: str, content: bytes) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name.replace("~", "-")).write_bytes(content)
