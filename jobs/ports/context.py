"""What a job is given: the CRM, a store, a clock, keys, and where to report progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random
from typing import TYPE_CHECKING, Protocol

from jobs.ports.notary import Notary
from jobs.ports.store.erasures import NO_ERASURE_JOURNAL, ErasureJournal
from jobs.ports.store.requests import NO_SUBJECT_REQUESTS, SubjectRequests
from jobs.ports.store.store import Store
from jobs.ports.workers import HERE, Workers

if TYPE_CHECKING:
    from connectors.interface.connector import Connector
    from connectors.interface.documents import DocumentStore
    from connectors.interface.objects import ObjectStore
    from rules.holds.holds import Hold
    from rules.model.data_map import DataMap
    from rules.model.home import Home
    from rules.organisation.organisation import Organisation
    from rules.policy.policy import Policy
    from rules.policy.versions import PolicyVersions, Version


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Return the current time, aware, in UTC."""


class Progress(Protocol):
    """Receives the progress of long work; draws a bar, writes a log line, or does nothing."""

    def __call__(self, stage: str, done: int, total: int | None = None) -> None: ...


def _nothing() -> None:
    """Do nothing: nothing is remembered of the CRM."""


def _always() -> None:
    """Do nothing: nobody else can have taken over."""


def _stands(hold: Hold) -> bool:
    """Return False: no hold gives way, for the schedule never overrules one."""
    return False


def _unnamed(run: str) -> AbstractContextManager[None]:
    return nullcontext()


def _unkept(found: DataMap) -> None:
    """Keep nothing."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """All that a job needs, picked by wiring. `reference` gives the keyed reference of a row: HMAC of table
    and id, for the ledger; `references` the one of each key that still lives, the current one first.
    `policy_text` is what `policy` was read from. Without a notary nothing is certified and the ledger gets no
    checkpoints."""

    connector: Connector
    store: Store
    policy: Policy
    clock: Clock
    crm: str
    mapping_digest: str
    software_version: str
    reference: Callable[[str, str], str]
    references: Callable[[str, str], tuple[str, ...]]
    new_id: Callable[[str], str]
    shuffle: Random
    progress: Progress
    speaks_for: Organisation  # as its file says it; `organisation` is what holds under the schedule
    logged_as: Callable[[str], AbstractContextManager[None]] = _unnamed  # names the run in whatever is logged meanwhile
    notary: Notary | None = None
    policy_text: str = ""
    objects: Sequence[ObjectStore] = ()  # where the content of recordings is outside the CRM
    documents: Sequence[DocumentStore] = ()  # where people keep documents of the CRM's rows outside it
    requests: SubjectRequests = NO_SUBJECT_REQUESTS
    gives_way: Callable[[Hold], bool] = _stands  # holds that an erasure on request overrules (table 4.2)
    versions: PolicyVersions | None = None  # all that are there of the schedule; None: `policy` is the only one
    erased: ErasureJournal = NO_ERASURE_JOURNAL
    still_ours: Callable[[], None] = _always  # raises once another process has taken the run over
    compares_clocks: bool = False  # whether `clock` is this machine's, so that the CRM's must agree with it
    forget_memory: Callable[[], None] = _nothing  # what is remembered of the CRM is worth nothing once the CRM was restored
    workers: Workers = HERE  # on the parts of a plan
    tables_seen: Callable[[DataMap], None] = _unkept  # is told what a plan has seen of the tables of the CRM

    @property
    def organisation(self) -> Organisation:
        """The organisation in whose name answers speak."""
        return self.speaks_for.under(self.policy)

    @property
    def home(self) -> Home:
        """Where the organisation works, and what it is called."""
        return self.policy.home._replace(called=self.organisation.controller.name)

    @property
    def today(self) -> date:
        """The civil day that it is now where the organisation works (DAT-01)."""
        return self.day(self.clock())

    def day(self, instant: datetime) -> date:
        """Return which civil day it is there at an instant."""
        return self.policy.calendar.day(instant)

    def on(self, day: date) -> JobContext:
        """Return the same context under the version of the schedule that is in force on a day."""
        return self if self.versions is None else self._by(self.versions.on(day))

    def by_now(self, day: date) -> JobContext:
        """Return the same context under the version in force today, or on that day where it is later: a run
        that was interrupted goes by its own day, and may go on under another version."""
        return self.on(max(day, self.today))

    def under(self, digest: str) -> JobContext:
        """Return the same context under the version with this digest, as a plan names it. It is unchanged if
        that version no longer exists."""
        known = self.versions.versions if self.versions is not None else ()
        found = next((version for version in known if version.policy.digest == digest), None)
        return self if found is None else self._by(found)

    def _by(self, version: Version) -> JobContext:
        return replace(self, policy=version.policy, policy_text=version.text)
