"""Tells how far an act is while it goes on: how much it has read of the CRM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from crm_compliance.console.work.act_under_way import Counts, OnCounts
from crm_compliance.host.alongside import alongside

if TYPE_CHECKING:
    from crm_compliance.wiring.desk import Desk

TOLD_EVERY_S: Final = 0.5


@contextmanager
def telling_reads(desk: Desk, told: OnCounts) -> Iterator[None]:
    """Report how many rows were read of the CRM, and in how many requests."""
    stats = desk.context.connector.stats
    with _telling(lambda: told(Counts(rows=stats.rows, requests=stats.requests))):
        yield


def _telling(tell: Callable[[], None]) -> AbstractContextManager[None]:
    def go_on(ended: threading.Event) -> None:
        while not ended.wait(TOLD_EVERY_S):
            tell()

    return alongside("telling", go_on)
