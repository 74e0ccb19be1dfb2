"""The seeds of the fuzzer, and some changed ones: whatever is in a file, every reader gives an answer
(EXP-07).

The long run is `python -m tests.jobs.fuzz --cpu-seconds 3600 --seed N`.
"""

import pytest

from tests.jobs.fuzz.corpus import entries, made
from tests.jobs.fuzz.running import SLOW, run
from tests.jobs.fuzz.targets import TARGETS, Target

CHANGED = 60


def test_the_seeds_are_there() -> None:
    assert made().keys() <= {entry.name for entry in entries()}
    assert max(len(entry.content) for entry in entries()) < 64 * 1024


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_gets_past_the_border(target: Target) -> None:
    found = run(20261127, count=len(entries()) + CHANGED, targets=[target])
    assert found.uncaught == []
    assert found.slowest[0][0] < SLOW, found.slowest
    assert found.contents == len(entries()) + CHANGED


def test_the_same_seed_gives_the_same_contents() -> None:
    one, other = (run(7, count=len(entries()) + 20, targets=TARGETS[2:3]) for _ in range(2))
    assert one.outcomes == other.outcomes
