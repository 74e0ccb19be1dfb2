"""Tells how far an act is while it goes on: how much it has read of the CRM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from crm_compliance.console.work.work import Counts, OnCounts

if TYPE_CHECKING:
    from crm_compliance.wiring.desk import Desk

TOLD_EVERY_S: Final = 0.5


@contextmanager
def telling_reads(desk: Desk, told: OnCounts) -> Iterator[None]:
    """Report how many rows were read of the CRM, and in how many requests."""
    stats = desk.context.connector.stats
    with _telling(lambda: told(Counts(rows=stats.rows, requests=stats.requests))):
        yield


@contextmanager
def _telling(tell: Callable[[], None]) -> Iterator[None]:
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(TOLD_EVERY_S):
            tell()

    thread = threading.Thread(target=go_on, name="telling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
