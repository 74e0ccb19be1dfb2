"""What pages stand on: the store, the clock, and the same services that the commands use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from crm_compliance.console.access.sessions import Sessions
from crm_compliance.settings import Settings
from crm_compliance.wiring import Desk, calendar_of, desk
from rules.errors import ComplianceError

if TYPE_CHECKING:
    from crm_compliance.keys.key_ring import KeyRing
    from crm_compliance.store.store import SqlStore
    from jobs.ports.context import Clock
    from rules.dates.calendar import Calendar

DESKS: Final = 4  # how many acts reach the CRM at once; more wait, and then are told to come again
WAIT_S: Final = 20.0


class Busy(ComplianceError):
    """Too many people have the CRM read at this moment."""

    exit_code = 5
    code = "busy"


@dataclass(frozen=True)
class Services:
    """Opened once for the process that answers people."""

    settings: Settings
    store: SqlStore
    clock: Clock
    sessions: Sessions
    _desks: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(DESKS))

    @cached_property
    def calendar(self) -> Calendar:
        """The days and hours of the organisation; a schedule that cannot be used keeps nobody from a page."""
        return calendar_of(self.settings, self.store)

    @property
    def is_secure(self) -> bool:
        """Whether people reach the console over TLS."""
        return self.settings.public_url.startswith("https:")

    def keys(self) -> KeyRing:
        """Return the keys of references and signatures. Raises KeysMissing."""
        from crm_compliance.keys.custody import open_keys

        return open_keys(self.settings, self.store, self.clock)

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Open all that an act needs that reads the CRM. Raises Busy: too many do."""
        if not self._desks.acquire(timeout=WAIT_S):
            raise Busy("too many people have the CRM read at this moment", hint="try again in a minute")
        try:
            with desk(self.settings) as opened:
                yield opened
        finally:
            self._desks.release()
