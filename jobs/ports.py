"""What a job asks of the desk above it: a store, a clock, keys, and somebody to tell how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Protocol

from connectors.interface import Connector
from jobs.ledger import LedgerEntry
from jobs.plan import Approval, Kind, Plan
from jobs.runs import Action, Run
from rules.holds import Holds
from rules.policy import Policy

Entry = tuple[str, Mapping[str, object]]  # kind and data of a ledger entry that is yet to get its place in the chain


class Store(Protocol):
    """The state of the service. Each method is one transaction: what it writes is there whole, with its ledger entries, or not at all."""

    def save_plan(self, plan: Plan, pages: Iterable[bytes], entry: Entry) -> None:
        """Store a plan with its lines, encoded and compressed page by page."""
        ...

    def plan(self, plan: str) -> Plan:
        """Raises UsageError for an unknown id."""
        ...

    def plans(self) -> list[Plan]:
        """All plans, newest first."""
        ...

    def plan_pages(self, plan: str) -> Iterator[bytes]: ...

    def approve(self, plan: str, approval: Approval, entry: Entry) -> Plan:
        """Add one person's word, given or refused, and return the plan as it then stands."""
        ...

    def start_run(self, run: Run, entry: Entry) -> None: ...

    def save_run(self, run: Run, entries: Sequence[Entry] = ()) -> None:
        """Replace the run; where it is over, its plan counts as applied."""
        ...

    def run(self, run: str) -> Run:
        """Raises UsageError for an unknown id."""
        ...

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        ...

    def run_of(self, plan: str) -> Run | None: ...

    def journal(self, run: str) -> list[Action]:
        """The actions of a run in the order in which they were first recorded."""
        ...

    def undone(self, table: str) -> set[str]:
        """The ids of this table that some run should have written and that the last run to try has not: skipped, failed or cut off."""
        ...

    def record(self, run: str, actions: Sequence[Action], entries: Sequence[Entry] = ()) -> None:
        """Add or replace actions of the journal, by (table, id), together with ledger entries."""
        ...

    def disposals(self, kind: Kind, counter: str, limit: int) -> list[int]:
        """What the last completed applying runs of this kind disposed of, newest first; `counter` is units or recordings (RET-24)."""
        ...

    def ledger(self) -> Iterator[LedgerEntry]:
        """All entries, oldest first."""
        ...

    def append(self, entries: Sequence[Entry], run: str | None = None) -> None:
        """Add entries to the ledger alone."""
        ...

    def exclusive(self, name: str = "runner") -> AbstractContextManager[None]:
        """Hold the lock of the one runner; it dies with its process. Raises Refused with code `another_run` when somebody else holds it."""
        ...


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now, aware, UTC."""
        ...


class Progress(Protocol):
    """Told about long work; draws a bar, writes a log line, or does nothing."""

    def __call__(self, stage: str, done: int, total: int | None = None) -> None: ...


def _unnamed(run: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class JobContext:
    """All that a job needs, picked by wiring. `reference` gives the keyed reference of a row: HMAC of table and id, for the ledger."""

    connector: Connector
    store: Store
    policy: Policy
    holds: Holds
    clock: Clock
    crm: str
    mapping_digest: str
    software_version: str
    reference: Callable[[str, str], str]
    new_id: Callable[[str], str]
    shuffle: Random
    progress: Progress
    logged_as: Callable[[str], AbstractContextManager[None]] = _unnamed  # names the run in whatever is logged meanwhile
