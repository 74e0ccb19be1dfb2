"""The dead-man's switches around a job: they hear that it begins and how it ends. A switch that does not
answer keeps no night from running; that it does not is an alarm of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import structlog

from connectors.channels.channel import ChannelFailed
from connectors.channels.ping import Ping
from crm_compliance.alerts.channels import Switch, channels_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from rules.errors import ComplianceError

log = structlog.get_logger()


@dataclass(slots=True)
class Watched:
    """One job under its switches. `is_good` says how it ended; None, that it has not: it was stopped, and
    goes on later."""

    is_good: bool | None = False


@contextmanager
def watched(settings: Settings, job: str, *, is_again: bool = False) -> Iterator[Watched]:
    """Inform the switches of a job that it begins, and at the end of the block how it ended: badly, unless
    somebody has called it good. `is_again`: they have heard that it ended badly, and hear of this try alone
    that it ended well."""
    switches = _switches(settings, job)
    if not is_again:
        for switch in switches:
            _tell(settings, switch.ping, switch.ping.begun)
    found = Watched()
    try:
        yield found
    finally:
        is_good = found.is_good
        if is_good or (is_good is False and not is_again):
            for switch in switches:
                _tell(settings, switch.ping, partial(switch.ping.ended, is_good=is_good))


def _switches(settings: Settings, job: str) -> tuple[Switch, ...]:
    try:
        channels = channels_of(settings, clock_of(settings))
    except ComplianceError as error:  # the night runs all the same; `doctor` and `serve` refuse the file
        log.error("no dead-man's switch is told", code=error.code, message=str(error), at=error.where)
        return ()
    return tuple(switch for switch in channels.switches if job in switch.jobs)


def _tell(settings: Settings, ping: Ping, act: Callable[[], None]) -> None:
    """Inform one switch, then note in the store whether it took it: it hears of a store that cannot be
    opened."""
    failure: ChannelFailed | None = None
    try:
        act()
    except ChannelFailed as error:
        failure = error
        log.error("an alert channel failed", channel=ping.name, code=error.code, message=str(error))
    except Exception as error:  # noqa: BLE001  a bug of ours ends no night either
        failure = ChannelFailed(f"the channel {ping.name} failed by a bug", where=ping.name, code="bug")
        log.error("an alert channel failed, by a bug", channel=ping.name, code="bug", kind=type(error).__name__)
    clock = clock_of(settings)
    with suppress(ComplianceError), store_of(settings, clock) as store:
        if failure is None:
            store.told.took(ping.name, clock())
        else:
            store.told.failed(ping.name, clock(), failure.code)
