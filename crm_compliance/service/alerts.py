"""Tells people what waits for them, every minute, beside the jobs: also while a long night is at work, and
where none can be started because the schedule is not usable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from crm_compliance.alerts.channels import channels_of
from crm_compliance.alerts.teller import Telling, tell
from crm_compliance.console.language.item_words import why_of
from crm_compliance.service.health import health_of
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.mapping import rules_in_force
from crm_compliance.wiring.schedule import calendar_of, policy_of
from crm_compliance.wiring.store import store_of
from jobs.inbox.inbox import waiting
from jobs.inbox.plans import of_health
from rules.errors import ComplianceError, PolicyError

if TYPE_CHECKING:
    from datetime import datetime

    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.store import SqlStore
    from jobs.inbox.item import InboxItem

TELLER: Final = "teller"  # the lease: two services on one store tell everything once
EVERY_S: Final = 60.0
END_S: Final = 45.0  # so long one message may take
log = structlog.get_logger()


@contextmanager
def telling(settings: Settings, stop: threading.Event, since: datetime) -> Iterator[None]:
    """Notify people in the background until the block ends, or `stop` is set."""
    thread = threading.Thread(target=keep_telling, args=(settings, stop, since), name="telling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(END_S)


def keep_telling(settings: Settings, stop: threading.Event, since: datetime) -> None:
    """Look and tell until `stop` is set. Whatever fails is logged when it begins, and tried again."""
    if settings.alerts is None:
        return
    clock, told = clock_of(settings), ""
    while not stop.is_set():
        try:
            with store_of(settings, clock) as store, store.leases.exclusive(TELLER) as lease:
                while not stop.is_set():
                    lease.check()
                    look(settings, store, clock(), since)
                    told = ""
                    stop.wait(EVERY_S)
        except ComplianceError as error:
            if error.code != told:
                told = error.code
                log.warning("nobody is told of anything now", code=error.code, message=str(error), at=error.where)
        except Exception as error:  # noqa: BLE001  a minute later it may go well; the nights go on in any case
            log.error("nobody is told of anything now, by a bug", code="bug", kind=type(error).__name__)
        stop.wait(EVERY_S)


def look(settings: Settings, store: SqlStore, now: datetime, since: datetime) -> Telling:
    """Look once at what waits, and tell whom it concerns; nights count as late from `since`. The alerts
    file is read each time. Raises ComplianceError: the file, or the store, cannot be used."""
    channels = channels_of(settings, lambda: now)
    if not channels.targets:
        return Telling()
    items, is_all = waiting_now(settings, store, now, since)
    found = tell(channels, items, store.told, why=why_of, address=settings.public_url.rstrip("/"), now=now, is_all=is_all)
    if found.messages:
        log.info("told", count=found.things)
    return found


def waiting_now(settings: Settings, store: SqlStore, now: datetime, since: datetime) -> tuple[list[InboxItem], bool]:
    """Return everything that waits, and whether that is all: without a usable schedule nobody knows more
    than what is not well."""
    why = health_of(settings, store, lambda: now, since, calendar_of(settings, store).zone).why_not()
    try:
        rules = rules_in_force(settings)
        return waiting(store, policy_of(settings), now, crm=settings.crm_url or "", rules=rules, not_well=why), True
    except PolicyError:
        return list(of_health(why)), False
