"""The product's clock, and that by which a person's approval of a plan counts, compared with the CRM's."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from rules.errors import ComplianceError

if TYPE_CHECKING:
    from crm_compliance.configuration.settings import Settings
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


PATIENCE_S: Final = 5.0  # somebody sits before the page


def refuse_approval_by_another_clock(settings: Settings, clock: Clock) -> None:
    """Ask the CRM what time it is before an approval, whose term is counted from now (RET-24), is recorded. A
    CRM that cannot be asked, or not soon, is no reason to refuse it: an approval deletes nothing, and what it
    allows compares the clocks again. Raises ClocksDiffer: they are more than five minutes apart."""
    from connectors.dynamics.http.environment import Environment
    from connectors.dynamics.http.transport import Transport
    from crm_compliance.connections.credentials import token_source
    from crm_compliance.wiring.software import software_version
    from jobs.checks.same_clock import refuse_apart

    if settings.clock is not None:  # set by hand, it is compared with nothing
        return
    try:
        soon = Environment(
            url=settings.needed_crm_url,
            connect_timeout_s=PATIENCE_S,
            read_timeout_s=PATIENCE_S,
            answer_s=PATIENCE_S,
            retries=0,
            max_wait_s=PATIENCE_S,
            ca_file=str(settings.crm_ca_file) if settings.crm_ca_file is not None else None,
            user_agent=f"crm-compliance/{software_version()}",
        )
        with Transport(soon, token_source(settings)) as transport:
            theirs = transport.server_time()
    except ComplianceError:
        return
    if theirs is not None:
        refuse_apart(theirs, clock())
