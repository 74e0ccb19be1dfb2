"""The product's clock."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from crm_compliance.configuration.settings import Settings

if TYPE_CHECKING:
    from jobs.ports.context import Clock


def clock_of(settings: Settings) -> Clock:
    """Return the product's clock: real time, or for a loopback CRM one that starts at `CLOCK`. That one runs
    on from the instant of `CLOCK`; for any other CRM the settings have refused it."""
    if settings.clock is None:
        return lambda: datetime.now(UTC)
    start, began = settings.clock.astimezone(UTC), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def machine_time() -> datetime:
    """Return this machine's own time, by which hours of jobs come whatever `CLOCK` says."""
    return datetime.now(UTC)


def today() -> date:
    """Return the day in Brussels, where invented organisations are, by this machine's clock."""
    from rules.dates.calendar import BELGIAN

    return BELGIAN.day(machine_time())
