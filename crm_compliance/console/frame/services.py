"""What pages stand on: the store, the clock, and the same services that the commands use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.console.access.answered_forms import AnsweredForms
from crm_compliance.console.access.names import Names
from crm_compliance.console.access.sessions import Sessions
from crm_compliance.console.access.unsent_forms import UnsentForms
from crm_compliance.console.frame.file_cache import FileCache
from crm_compliance.console.language.own_words import OwnWords, own_words_of
from crm_compliance.console.work.act_under_way import Ended, OnCounts, Work
from crm_compliance.console.work.background import Background
from crm_compliance.console.work.process import Asked, carried_out
from crm_compliance.wiring.crm import Patience
from crm_compliance.wiring.desk import Desk, desk
from crm_compliance.wiring.mapping import app_url_of, link_of, mapped_tables, rules_in_force
from crm_compliance.wiring.schedule import calendar_of, policy_of
from crm_compliance.wiring.store import refuse_older
from jobs.inbox.inbox import waiting
from rules.errors import ComplianceError

if TYPE_CHECKING:
    from crm_compliance.keys.key_ring import KeyRing
    from crm_compliance.store.store import SqlStore
    from jobs.inbox.item import InboxItem
    from jobs.plans.lines.open_plans import OpenedPlans
    from jobs.ports.context import Clock, JobContext
    from jobs.requests.search.preserve import LookedUp
    from rules.dates.calendar import Calendar
    from rules.organisation.organisation import Organisation
    from rules.policy.policy import Policy

T = TypeVar("T")
DESKS: Final = 4  # how many acts reach the CRM at once; a few more wait, and then are told to come again
AT_DESKS: Final = 12  # with those that wait: each keeps a thread from the pages, of which there are forty
WAIT_S: Final = 20.0
FRESH_S: Final = 10.0  # so old may the schedule, the mapping and the words of the organisation be that a page shows
LOOKED_UP_S: Final = 600.0  # and whom pending requests keep: to look reads all contacts of the CRM


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
    why_not: Callable[[], Collection[str]] = tuple  # the codes of what is not well with the service
    carry_out: Callable[[Asked, OnCounts], Ended] = carried_out  # has an act carried out by a process of its own
    background: Background = field(init=False)
    kept: FileCache = field(default_factory=FileCache)
    unsent: UnsentForms = field(default_factory=UnsentForms)
    answered: AnsweredForms = field(default_factory=AnsweredForms)
    _at_desks: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_DESKS))
    _desks: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(DESKS))
    _policy: list[tuple[float, Policy]] = field(default_factory=list)
    _read: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "background", Background(self.store.works))

    def _fresh(self, what: str, read: Callable[[], T]) -> T:
        """Return what files say, as they did at most a few seconds ago: a service runs for months, and what
        decides reads them again each time."""
        at, found = self._read.get(what, (None, None))
        if at is None or monotonic() - at >= FRESH_S:
            at, found = self._read[what] = (monotonic(), read())
        return cast(T, found)

    @property
    def listed(self) -> SqlStore:
        """The store, for a list of what there is. Raises StoreAltered: the database is an older one than the
        files beside it know, and the list would tell of what it lacks as if there were none."""
        self._fresh("age", lambda: refuse_older(self.settings, self.store))
        return self.store

    @property
    def calendar(self) -> Calendar:
        """The days and hours of the organisation; a schedule that cannot be used keeps nobody from a page."""
        return self._fresh("calendar", lambda: calendar_of(self.settings, self.store))

    @cached_property
    def names(self) -> Names:
        """What colleagues are called."""
        return Names(self.store.colleagues, self.settings.make_data_dir())

    @cached_property
    def lines(self) -> OpenedPlans:
        """The lines of stored plans, those looked at last kept open."""
        from jobs.plans.lines.open_plans import OpenedPlans

        return OpenedPlans(self.store)

    @cached_property
    def _looked_up(self) -> LookedUp:
        from jobs.requests.search.preserve import LookedUp

        return LookedUp(timedelta(seconds=LOOKED_UP_S))

    @property
    def _app_url(self) -> str:
        return self._fresh("app", lambda: app_url_of(self.settings))

    def links(self, crm: str) -> Callable[[str, str], str]:
        """Return what gives the address of a row in the CRM's own user interface; none where the mapping
        cannot be used."""
        try:
            return link_of(crm, self._app_url)
        except ComplianceError:
            return lambda table, row: ""

    @property
    def _tables(self) -> dict[str, str]:
        def read() -> dict[str, str]:
            try:
                return mapped_tables(self.settings)
            except ComplianceError:
                return {}

        return self._fresh("tables", read)

    @property
    def own_words(self) -> OwnWords:
        """What the organisation calls its records."""
        return self._fresh("words", lambda: own_words_of(self.settings))

    @property
    def organisation(self) -> Organisation:
        """In whose words pages say what answers say; the shipped one where its file cannot be used."""

        def read() -> Organisation:
            try:
                return organisation_of(self.settings)
            except ComplianceError:
                return organisation_of(self.settings.model_copy(update={"organisation": None}))

        return self._fresh("organisation", read)

    def link(self, crm: str, kind: str, row: str) -> str:
        """Return the address of a row in the CRM by the kind that it is; empty where the kind has several
        tables, or none."""
        table = self._tables.get(kind, "")
        return self.links(crm)(table, row) if table and " " not in table else ""

    def policy(self) -> Policy:
        """Return the schedule in force, as it was at most a few seconds ago. Raises PolicyError."""
        kept, ticks = self._policy, monotonic()
        if not kept or ticks - kept[0][0] >= FRESH_S:
            kept[:] = [(ticks, policy_of(self.settings))]
        return kept[0][1]

    def policy_shown(self) -> Policy:
        """Return the schedule for a list that decides nothing: the one in force; while that cannot be used,
        the last that could be, else the shipped one. No act goes by it."""
        try:
            return self.policy()
        except ComplianceError:
            return self._policy[0][1] if self._policy else policy_of(self.settings.model_copy(update={"policy": None}))

    def waiting(self) -> list[InboxItem]:
        """Return what waits for people, the most urgent first."""
        crm, policy = self.settings.crm_url or "", self.policy_shown()
        return waiting(self.store, policy, self.clock(), crm=crm, rules=rules_in_force(self.settings), not_well=self.why_not())

    @property
    def is_secure(self) -> bool:
        """Whether people reach the console over TLS."""
        return self.settings.public_url.startswith("https:")

    def keys(self) -> KeyRing:
        """Return the keys of references and signatures. Raises KeysMissing."""
        from crm_compliance.keys.store_and_keys import open_keys

        return open_keys(self.settings, self.store, self.clock)

    @contextmanager
    def desk(self, *, asks_crm: bool = True, patience: Patience = Patience.OF_A_CALL) -> Iterator[Desk]:
        """Open all that an act needs that reads the CRM; without `asks_crm` it is not checked before. Raises
        Busy: too many do."""
        with self._place(), desk(self.settings, asks_crm=asks_crm, patience=patience) as opened:
            yield opened

    @contextmanager
    def question(self) -> Iterator[JobContext]:
        """Open what a question about one unit needs, by which nothing is done: whom pending requests keep is
        not looked up again for each. Raises Busy: too many ask."""
        from jobs.requests.search.preserve import StoredRequests

        with self.desk() as opened:
            yield replace(opened.context, requests=StoredRequests(opened.context, self._looked_up))

    def begin(self, asked: Asked, *, kind: str = "", alone: bool = False, patience_s: float | None = None) -> Work:
        """Have an act carried out by a process of its own, and return when it is over or has taken too long.
        Raises Refused: with code `busy`, where another one goes on for the same subject, or the same act for
        any subject if it is done `alone`."""
        work = Work(asked.subject, asked.act, asked.who, asked.now, kind)

        def whole() -> Ended:
            with self._place():
                return self.carry_out(asked, work.tell)

        return self.background.begin(work, whole, alone=alone, patience_s=patience_s)

    def _place(self) -> AbstractContextManager[None]:
        return waiting_for(self._desks, self._at_desks, WAIT_S, "too many people have the CRM read at this moment")


@contextmanager
def waiting_for(places: threading.Semaphore, queue: threading.Semaphore, seconds: float, busy: str) -> Iterator[None]:
    """Take one of a few places, and wait for it where the queue is not full. Raises Busy: with what `busy`
    says, at once where it is, else after these seconds."""
    if not queue.acquire(blocking=False):
        raise Busy(busy, hint="try again in a minute")
    try:
        if not places.acquire(timeout=seconds):
            raise Busy(busy, hint="try again in a minute")
        try:
            yield
        finally:
            places.release()
    finally:
        queue.release()
