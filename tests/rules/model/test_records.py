"""The classes of rows that are made for an organisation's own tables."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from rules.model.records import dependent_record


def test_a_table_has_one_class_whoever_asks_first() -> None:
    """With a class for each thread, a row in retention was missed whose class was the other's."""
    barrier, interval = Barrier(4), sys.getswitchinterval()

    def ask(name: str) -> type:
        barrier.wait()
        return dependent_record(name)

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = [set(threads.map(ask, [f"new_raced_{each}"] * 4)) for each in range(100)]
    finally:
        sys.setswitchinterval(interval)
    assert [len(each) for each in found] == [1] * 100
