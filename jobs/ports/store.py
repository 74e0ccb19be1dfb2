"""The state of the service, as the jobs ask for it; the desk answers over one database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

if TYPE_CHECKING:
    from connectors.interface.rows import ReadStats
    from jobs.ledger.certificates import Issued
    from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
    from jobs.ledger.entries import LedgerEntry
    from jobs.ledger.heads import Head
    from jobs.ledger.rounds import RoundMade
    from jobs.model.crm_cost import CrmCost
    from jobs.model.hold_query import HoldPage, HoldQuery
    from jobs.model.plan import Approval, Kind, Plan
    from jobs.model.request import SubjectRequest
    from jobs.model.run import Action, ActionState, Erasure, Run, RunLine
    from jobs.model.verification import Verification
    from jobs.model.work_queue import QueueMoves, Waiting
    from rules.holds.of_requests import RequestHold
    from rules.holds.placements import PlacedHold
    from rules.retention.quarantine import Mark

Entry = tuple[str, Mapping[str, object]]  # kind and data of a ledger entry that is yet to get its place in the chain


class PastTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What of the store has expired (ACC-07).

    `reckoned` are runs as they are once the lines of their plans are removed; `journals` the runs whose
    journals are removed, `heads` the plans whose heads are to name no row any more, each with the SHA-256 of
    its head as it is, `holds` the holds, by id, `certificates` the runs whose certificates are removed, and
    `policies` the digests of the versions of the schedule. `contacts` is the table of people: the last action
    stays for a person whose removal has not happened, and for a unit that is half done."""

    lines_before: datetime
    reckoned: tuple[Run, ...] = ()
    journals: tuple[str, ...] = ()
    heads: dict[str, str] = {}
    holds: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    contacts: str = ""


class Expired(msgspec.Struct, frozen=True):
    """How much has expired. It counts plans whose lines were removed, runs whose journals were removed and
    the units in them, holds, plans whose heads name no row any more, certificates, versions of the
    schedule."""

    plans: int = 0
    journals: int = 0
    units: int = 0
    holds: int = 0
    heads: int = 0
    certificates: int = 0
    policies: int = 0


class Lease(Protocol):
    """The right to run, as long as it is held."""

    def check(self) -> None:
        """Raise Refused with code `lease_lost` once another process has taken over. It is checked before each
        request that leaves the machine."""

    def work_on(self, run: str) -> None:
        """Show others which run is being worked on."""


class PlanStore(Protocol):
    """The plans with their lines, and each person's word on them."""

    def save(self, plan: Plan, pages: Iterable[bytes], entry: Entry, queue: QueueMoves | None = None) -> None:
        """Store a plan with its lines, encoded and compressed page by page, and what it changes in the queue
        of undecided units."""

    def get(self, plan: str) -> Plan:
        """Raises UsageError for an unknown id."""

    def saved(self, plan: str) -> tuple[str, Plan]:
        """Return the SHA-256 of a plan's stored head, in hex, and the plan with the approvals that it was
        stored with."""

    def all(self) -> list[Plan]:
        """Return all plans, newest first."""

    def newest(self, kinds: Collection[Kind] = (), *, is_applied: bool | None = None, before: str = "") -> Iterator[Plan]:
        """Yield the plans of these kinds, newest first; none named, of all. A few are read at a time, as they
        are asked for: who takes ten has ten read, out of however many. `is_applied` leaves out the others,
        and `before`, a plan's id, that plan and what is newer; none come before one that there is not."""

    def words(self, plans: Collection[str]) -> dict[str, list[Approval]]:
        """Return what people said on these plans, by plan, in the order in which they did."""

    def pages(self, plan: str) -> Iterator[bytes]:
        """Return the pages in the order of saving. Raises LinesRemoved once they have expired."""

    def approve(self, plan: str, approval: Approval, entry: Entry) -> Plan:
        """Add one person's approval or rejection, and return the plan as it is then."""


class RunStore(Protocol):
    """The runs, and the rounds, which are runs that carry out no plan."""

    def start(self, run: Run, entry: Entry) -> None:
        """Add a run. Raises Refused: its plan was rejected meanwhile."""

    def save(self, run: Run, entries: Sequence[Entry] = ()) -> None:
        """Replace the run; where it is over, its plan counts as applied."""

    def get(self, run: str) -> Run:
        """Raises UsageError for an unknown id."""

    def all(self) -> list[Run]:
        """Return all runs, newest first."""

    def line(self, run: str) -> RunLine | None:
        """Return the line of a run, or of a job without a plan; None where there is none."""

    def newest(self, kinds: Collection[Kind] = ()) -> Iterator[Run]:
        """Yield the runs of these kinds, newest first; none named, of all. A few are read at a time, as they
        are asked for."""

    def unfinished(self) -> list[Run]:
        """Return the runs that have not ended, newest first."""

    def some(self, runs: Collection[str]) -> list[Run]:
        """Return these runs, newest first; unknown ones are left out."""

    def lines(self) -> Sequence[RunLine]:
        """Return a line for every run and every job without a plan, newest first. They are kept in memory:
        who asks again has those read that were added or went on since."""

    def of_plan(self, plan: str) -> Run | None: ...

    def rounds(self) -> list[RoundMade]:
        """Return the maintenance jobs that were done, newest first: runs that carry out no plan."""

    def newest_rounds(self, kind: str = "") -> Iterator[RoundMade]:
        """Yield the same, of one kind where it is named, a few read at a time."""

    def disposals(self, kind: Kind, counter: str, limit: int) -> list[int]:
        """Return what the last completed applying runs of this kind disposed of, newest first. `counter` is
        units or recordings (RET-24)."""


class JournalStore(Protocol):
    """What became of each unit in each run."""

    def record(
        self, run: str, actions: Sequence[Action], entries: Sequence[Entry] = (), erasures: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """Add or replace actions of the journal, by (table, id), together with ledger entries and entries of
        the register of erasures."""

    def of_run(self, run: str, states: Collection[ActionState] = ()) -> list[Action]:
        """Return the actions of a run in the order in which they were first recorded; with `states`, those in
        one of them."""

    def of_unit(self, run: str, table: str, row: str) -> Action | None:
        """Return what became of a unit in a run; None where the run has not come to it."""

    def states(self, run: str) -> dict[ActionState, int]:
        """Return how many units of a run are in which state."""

    def undone(self, table: str, among: Collection[str] | None = None) -> dict[str, str]:
        """Return the ids of this table, or those `among` a few of them, that some run should have written and
        that the last run to try has not. It skipped them, failed or was cut off. Each id comes with the
        disposition that was planned."""

    def unfinished(self, run: str) -> list[tuple[str, Action]]:
        """Return what runs other than this one last left PARTIAL or FAILED, and none has done since. Each
        comes with that run."""

    def failures(self) -> list[tuple[str, Action]]:
        """Return the units whose last action, over all runs, has FAILED, each with that run."""

    def partials(self) -> list[tuple[str, Action]]:
        """Return the units half done, each with the run that tried last and left it PARTIAL (ERA-15)."""

    def last_skips(self) -> list[tuple[str, Action]]:
        """Return the units whose last action, over all runs, was skipped, each with its run, oldest first."""

    def last_done(self, limit: int) -> list[tuple[str, Action]]:
        """Return the units that were last done and verified, newest first, each with its run. Runs that are
        not over are left out."""

    def check(self, *, whole: bool = False) -> None:
        """Raise StoreAltered where the journal of the runs has not the rows, in the states and the order,
        that it had when the head of the ledger was signed; with `whole` each document is looked at, which
        else is done for those that are read."""


class KillSwitch(Protocol):
    """Whether anything is applied at all."""

    def stopped_since(self) -> datetime | None:
        """Return since when the kill switch is set, None while it is not."""

    def stop(self, since: datetime, entry: Entry) -> datetime:
        """Set the kill switch, and give the instant since when it is set: setting it twice changes nothing
        and adds no entry."""

    def resume(self, entry: Entry) -> bool:
        """Lift the kill switch; return whether it was set. If it was not, no entry is added."""


class WorkQueue(Protocol):
    """The units on which nothing in force decides."""

    def undecided(self, crm: str) -> dict[str, Waiting]:
        """Return the units of a CRM on which nothing in force decides, by reference. They are as the last
        plans that looked at them left the queue."""


class Quarantine(Protocol):
    """The units that are left alone until a person has looked at them."""

    def marks(self) -> list[Mark]:
        """Return the units in quarantine, in the order in which they were first marked."""

    def put(self, marks: Sequence[Mark], entries: Sequence[Entry] = ()) -> None:
        """Put units into quarantine, or replace what stands there, by (table, id)."""

    def tell(self, units: Collection[tuple[str, str]]) -> None:
        """Note that the owners of units, as (table, id), were told. What a person has said of one meanwhile
        stays."""

    def drop(self, units: Collection[tuple[str, str]], entries: Sequence[Entry] = ()) -> None:
        """Take units, as (table, id), out of quarantine."""


class HoldStore(Protocol):
    """The holds: placed once, restated where they name a request, released once."""

    def all(self, *, unreleased: bool = False) -> list[PlacedHold]:
        """Return all holds, or the unreleased ones, in the order in which they were placed."""

    def page(self, query: HoldQuery, *, offset: int = 0, limit: int | None = None) -> HoldPage:
        """Return some of the holds that are asked for, the newest first; of those past their review, what has
        waited longest. `limit` None: all from `offset` on."""

    def number(self, query: HoldQuery) -> int:
        """Return how many holds are asked for."""

    def get(self, hold: str) -> PlacedHold:
        """Raises UsageError for an unknown id."""

    def place(self, hold: PlacedHold, entry: Entry) -> None:
        """Add a hold. Raises Refused with code `exists`: there is one of this id."""

    def release(self, hold: PlacedHold, entry: Entry) -> None:
        """Replace a hold by its released self. Raises Refused with code `released`: it was before."""

    def restate(self, before: PlacedHold, hold: PlacedHold, entry: Entry) -> None:
        """Replace a hold by the same one in other words, unless it has changed meanwhile."""


class ErasureStore(Protocol):
    """The register of erasures (ERA-13)."""

    def all(self) -> Iterator[Erasure]:
        """Return the register of erasures, oldest first."""

    def has(self, entry: Erasure) -> bool:
        """Return whether this entry is in the register of erasures."""

    def add(self, entries: Iterable[Erasure]) -> int:
        """Add what is lacking in the register of erasures, and say how many entries that were."""

    def head(self) -> dict[str, object]:
        """Return how many entries the register of erasures has, and the digest over all (`rows`, `digest`).
        This is what the signed head says."""

    def check(self, *, whole: bool = False) -> None:
        """Raise StoreAltered where the register of erasures, table or file, has not all that it had when the
        ledger's head was signed; with `whole` each row is looked at, and not only how many there are."""


class StatisticsStore(Protocol):
    """What was counted and waits for its month to be over, without identifiers (ERA-16)."""

    def waiting(self, crm: str) -> dict[tuple[str, str], int]:
        """Return what was counted and waits for its month to be over. That is how many units, by month
        (2026-11) and facts (JSON), without identifiers."""

    def fix(
        self,
        run: Run,
        entries: Sequence[Entry],
        *,
        crm: str,
        taken: Collection[str],
        counted: Mapping[tuple[str, str], int],
        forgotten: Sequence[Action],
    ) -> None:
        """Save the run with the statistics that it is to write, at once with what else becomes of counts:
        `taken` months wait no longer, `counted` units begin to, and `forgotten` are actions whose facts have
        left the journal."""

    def check(self) -> None:
        """Raise StoreAltered where the statistics that wait for their month are not those that waited when
        the head of the ledger was signed (ERA-16)."""


class CertificateStore(Protocol):
    """The certificates of disposal, each behind the last one."""

    def of_run(self, run: str, *, offset: int = 0, limit: int | None = None) -> list[Issued]:
        """Return the certificates of a run in the order in which they were issued; those from a place on, and
        at most so many, where that is asked for."""

    def number(self, run: str) -> int:
        """Return how many certificates a run has."""

    def last(self) -> Issued | None:
        """Return the certificate that was issued last, of any run."""

    def issue(self, run: str, issued: Sequence[Issued], entry: Entry) -> None:
        """Add certificates behind the last one. Raises LedgerBroken where they do not follow from it."""


class CheckpointStore(Protocol):
    """The checkpoints of the ledger."""

    def last(self) -> KeptCheckpoint | None: ...

    def all(self) -> list[Checkpoint]:
        """Return all checkpoints of the ledger, oldest first."""

    def add(self, kept: KeptCheckpoint) -> bool:
        """Keep a checkpoint behind the last one; False, and not kept, if another has come between."""


class PolicyStore(Protocol):
    """The versions of the retention schedule that have decided (ACC-01)."""

    def remember(self, digest: str, version: str, text: str) -> None:
        """Keep the text of a schedule that decides; the first time with a ledger entry (ACC-01)."""

    def all(self) -> list[PolicyVersion]:
        """Return every schedule that has decided, oldest first."""


class LedgerStore(Protocol):
    """The tamper-evident history (ACC-06)."""

    def entries(self, after: int | None = None) -> Iterator[LedgerEntry]:
        """Return all entries after `after`, oldest first."""

    def between(self, kinds: Collection[str], begin: datetime, end: datetime) -> list[LedgerEntry]:
        """Return the entries of these kinds from one instant on and before another, oldest first."""

    def append(self, entries: Sequence[Entry], run: str | None = None) -> None:
        """Add entries to the ledger alone."""

    def strand(self, name: str) -> Sequence[LedgerEntry]:
        """Return the entries of one strand (`jobs.ledger.heads`), oldest first. Raises StoreAltered: they are
        not what was signed."""

    def head(self) -> Head | None:
        """Return the signed head of the ledger, None before its first entry. Raises StoreAltered if it may
        not be believed."""


class VerificationStore(Protocol):
    """How the ledger was verified last, whoever had it done."""

    def last(self) -> Verification | None:
        """Return it; None where it never was, or what stands there was not written with a key of ours."""

    def note(self, found: Verification) -> None:
        """Put it in the place of the one before."""


class RequestStore(Protocol):
    """The register of subject requests, and the sealed parts of their working areas."""

    def add(self, request: SubjectRequest, parts: Mapping[str, bytes], entry: Entry) -> None:
        """Add a row to the register of requests, with sealed parts of its working area by name. Raises
        Refused with code `exists`: there is one of this id."""

    def get(self, request: str) -> SubjectRequest:
        """Raises UsageError for an unknown id."""

    def some(self, requests: Collection[str]) -> dict[str, SubjectRequest]:
        """Return these requests by id; unknown ones are left out."""

    def linked(self, link: str) -> SubjectRequest | None:
        """Return the request whose download has this SHA-256 of a token, in hex; None if there is none."""

    def all(self, *, unclosed: bool = False) -> list[SubjectRequest]:
        """Return the register of requests, or those that are not closed, newest first."""

    def closed(self, right: str = "", *, offset: int = 0, limit: int | None = None) -> list[SubjectRequest]:
        """Return those that are closed, newest first; those with one right where it is named, those from a
        place on, and at most so many, where that is asked for."""

    def number_closed(self, right: str = "") -> int:
        """Return how many those are."""

    def named(self, reference: str) -> SubjectRequest | None:
        """Return the request of this short number (`SubjectRequest.reference`); None if there is none."""

    def save(
        self,
        request: SubjectRequest,
        entries: Sequence[Entry] = (),
        *,
        since: SubjectRequest,
        parts: Mapping[str, bytes | None] | None = None,
        told: str = "",
    ) -> None:
        """Replace a row of the register, and some of its parts; None removes a part for good. `since` is the
        row as it was read. If the part named `told` exists, the last of the entries records as `kept` which
        one it is: see `part_digest`. Raises Refused: with code `changed`, if somebody has changed the row
        meanwhile."""

    def part(self, request: str, name: str) -> bytes | None:
        """Return a part of a request's working area as put in, None if it does not exist (any more)."""

    def some_parts(self, requests: Collection[str], name: str) -> dict[str, bytes]:
        """Return the parts of one name of several requests, by request; those that do not exist (any more)
        are left out."""

    def has_part(self, request: str, name: str) -> bool:
        """Return whether a part exists, even one that cannot be opened as the request's key is destroyed."""

    def with_part(self, name: str) -> frozenset[str]:
        """Return the requests that have a part of this name."""

    def part_digest(self, request: str, name: str) -> str | None:
        """Return the SHA-256 of a part as it is sealed; None if it does not exist. It reveals nothing of what
        is in the part, and differs each time the part is put in."""

    def destroy_spent_keys(self) -> None:
        """Destroy the keys of requests whose working areas are empty."""

    def total(self, requests: Sequence[SubjectRequest]) -> int:
        """Turn rows of the register without working areas into yearly totals, with a ledger entry; give how
        many those were."""

    def totals(self) -> dict[tuple[int, str, str], int]:
        """Return how many requests there were of which nothing else remains, by year of receipt, right and
        outcome."""


class CrmStore(Protocol):
    """The CRMs that the store has served."""

    @property
    def current(self) -> str:
        """The CRM that the store was opened for; empty where it was opened without one."""

    def served(self) -> set[str]:
        """Return the CRMs in the table of those that the store has served. They are named as
        `rules.model.crm_addresses.organisation_at` does."""


class CrmUse(Protocol):
    """What each job has cost the CRM, in all its nights."""

    def add(self, job: str, stats: ReadStats) -> None:
        """Add what one night has cost."""

    def all(self) -> dict[str, CrmCost]:
        """Return the sums by job."""


class LeaseStore(Protocol):
    """The right to run, which one process has at a time."""

    def exclusive(self, name: str = "runner") -> AbstractContextManager[Lease]:
        """Hold the right to run, which one process has at a time. What a run writes is written with it or not
        at all. Raises Refused with code `another_run` when somebody else holds it."""

    def run_at_work(self) -> str | None:
        """Return the run that some process is working on now; None if there is none."""


class OwnData(Protocol):
    """What the store itself keeps."""

    def expire(self, past: PastTerms, now: datetime) -> Expired:
        """Remove what has expired (ACC-04, ACC-07), with a ledger entry that records it in counts, and names
        the holds."""


@dataclass(frozen=True, slots=True)
class Store:
    """The state of the service, by noun. Each method is one transaction: what it writes is there whole, with
    its ledger entries, or not at all."""

    certificates: CertificateStore
    checkpoints: CheckpointStore
    crm_use: CrmUse
    crms: CrmStore
    erasures: ErasureStore
    holds: HoldStore
    journal: JournalStore
    kill_switch: KillSwitch
    leases: LeaseStore
    ledger: LedgerStore
    own_data: OwnData
    plans: PlanStore
    policies: PolicyStore
    quarantine: Quarantine
    requests: RequestStore
    runs: RunStore
    statistics: StatisticsStore
    verifications: VerificationStore
    work_queue: WorkQueue


class PolicyVersion(msgspec.Struct, frozen=True):
    """A version of the retention schedule as it first decided; `first_used_at` is RFC 3339 in UTC."""

    digest: str
    version: str
    first_used_at: str
    text: str


class SubjectRequests(Protocol):
    """The register of subject requests, as far as holds ask it."""

    def freezing(self, closed_since: date) -> Sequence[RequestHold]:
        """Return the requests pending, and those closed on this day or later (HLD-08)."""


class NoSubjectRequests:
    """A register in which nobody has asked anything."""

    def freezing(self, closed_since: date) -> Sequence[RequestHold]:
        return ()


NO_SUBJECT_REQUESTS: Final = NoSubjectRequests()
