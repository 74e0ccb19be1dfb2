"""The state store: what `jobs.ports.store.Store` asks, answered over one database. Each method is one
transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import Connection

from crm_compliance.store import own_data_expiry, run_lock
from crm_compliance.store.rows import (
    certificates,
    checkpoints,
    crms,
    holds,
    journal,
    kill_switch,
    ledger,
    plans,
    policies,
    quarantine,
    runs,
    statistics,
    work_queue,
)
from crm_compliance.store.rows import erasures as erasures_
from crm_compliance.store.rows import requests as requests_
from crm_compliance.store.rows.crms import other_crm
from crm_compliance.store.rows.heads import Heads, Witness
from crm_compliance.store.sql.database import Database
from jobs.ledger.certificates import Issued
from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
from jobs.ledger.entries import FIRST, LedgerEntry
from jobs.ledger.heads import RUNS, STRANDS, Head, Tally, believed
from jobs.ledger.rounds import OF_ROUNDS, RoundMade, rounds_of
from jobs.model.plan import Approval, Kind, Plan
from jobs.model.request import SubjectRequest
from jobs.model.run import Action, Erasure, Run
from jobs.model.work_queue import QueueMoves, Waiting
from jobs.ports.store import Expired, PastTerms
from rules.holds.placements import PlacedHold
from rules.model.crm_addresses import THIS_MACHINE, organisation_at
from rules.retention.quarantine import Mark

if TYPE_CHECKING:
    from jobs.ports.context import Clock
    from jobs.ports.store import Entry, PolicyVersion


class SqlStore:
    """Plans, runs, journal and ledger in SQLite or PostgreSQL.

    Safe to share between threads. A full disk, a folder that may not be written and a database that cannot be
    reached raise a UsageError (exit 2) and leave nothing half-written: what a method writes and the ledger
    entries about it are one transaction.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sealer: requests_.Sealer | None = None,
        folder: Path | None = None,
        witness: Witness | None = None,
    ) -> None:
        self._database = database
        self._folder = folder
        self._lease: run_lock.Lease | None = None  # of the runner
        self._clock = clock
        self._sealer = sealer
        self._crm = ""
        self._heads = Heads(witness)
        self._strands: dict[tuple[str, str], tuple[LedgerEntry, ...]] = {}

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Clock,
        sealer: requests_.Sealer | None = None,
        folder: Path | None = None,
        witness: Witness | None = None,
        crm: str = "",
    ) -> Self:
        """Open the store of a SQLAlchemy URL; tables are made or brought up to date. `clock` dates the ledger
        entries, `sealer` seals the working areas of subject requests: without one, none can be opened.
        `folder` is for locks where the database is no file; `witness` signs the head of the ledger. The store
        remembers the `crm` that it is opened for.

        Raises:
            Refused: with code `other_crm`, where `crm` is on this machine and the store has served one that
                is not.
        """
        store = cls(Database.open(url), clock, sealer, folder, witness)
        try:
            store.serve(crm)
        except BaseException:
            store.close()
            raise
        return store

    @property
    def crm(self) -> str:
        return self._crm

    def serve(self, crm: str) -> None:
        """Remember the CRM that the store is open for, if any. On this machine people are believed, clocks
        are set and tokens never lapse: none of it near a real CRM's history.

        Raises:
            Refused: with code `other_crm`, where it is on this machine and the store has served one that is
                not.
        """
        self._crm = crm
        if not crm:
            return
        organisation = organisation_at(crm)
        with self._database.reading() as connection:
            is_known = crms.is_known(connection, organisation)
            real = crms.real_ones(connection) if organisation == THIS_MACHINE else set()
        if real:
            raise other_crm()
        if not is_known:
            with self._writing() as connection:
                crms.see(connection, organisation, self._clock, self._heads)

    def served(self) -> set[str]:
        with self._database.reading() as connection:
            return crms.in_table(connection)

    def see_authority(self, authority: str, client: str) -> None:
        """Remember where people sign in for the CRM that the store is open for, and by which application; the
        first authority stays.

        Raises:
            Refused: with code `other_authority`, where that was somewhere else so far.
        """
        with self._writing() as connection:
            crms.see_authority(connection, organisation_at(self._crm), authority, client, self._clock, self._heads)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def save_plan(self, plan: Plan, pages: Iterable[bytes], entry: Entry, queue: QueueMoves | None = None) -> None:
        with self._writing() as connection:
            plans.insert_plan(connection, plan, pages)
            if queue is not None:
                work_queue.move_undecided(connection, queue)
            self._append(connection, [entry], None)

    def plan(self, plan: str) -> Plan:
        with self._database.reading() as connection:
            return plans.read_plan(connection, plan)

    def saved_plan(self, plan: str) -> tuple[str, Plan]:
        with self._database.reading() as connection:
            return plans.read_saved(connection, plan)

    def plans(self) -> list[Plan]:
        with self._database.reading() as connection:
            return plans.read_plans(connection)

    def plan_pages(self, plan: str) -> Iterator[bytes]:
        """The pages in the order in which they were saved. No connection stays open between two of them: a
        reader may take its time."""
        with self._database.reading() as connection:
            count = plans.count_pages(connection, plan)
        return self._pages(plan, count)

    def _pages(self, plan: str, count: int) -> Iterator[bytes]:
        for page in range(count):
            with self._database.reading() as connection:
                content = plans.read_page(connection, plan, page)
            yield content

    def expire(self, past: PastTerms, now: datetime) -> Expired:
        with self._writing() as connection:
            done, entries = own_data_expiry.expire(connection, past, now, self._heads)
            self._append(connection, entries, None)
        return done

    def approve(self, plan: str, approval: Approval, entry: Entry) -> Plan:
        """Raises Refused with code `same_person` where this person has approved the plan before."""
        with self._writing() as connection:
            after = plans.add_word(connection, plan, approval)
            self._append(connection, [entry], None)
        return after

    def start_run(self, run: Run, entry: Entry) -> None:
        with self._writing_run() as connection:
            runs.insert_run(connection, run)
            self._append(connection, [entry], run.id)

    def save_run(self, run: Run, entries: Sequence[Entry] = ()) -> None:
        with self._writing_run() as connection:
            runs.replace_run(connection, run)
            if run.is_over:
                plans.mark_applied(connection, run.plan)
            self._append(connection, entries, run.id)

    def run(self, run: str) -> Run:
        with self._database.reading() as connection:
            return runs.read_run(connection, run)

    def runs(self) -> list[Run]:
        with self._database.reading() as connection:
            return runs.read_runs(connection)

    def rounds(self) -> list[RoundMade]:
        """The rounds that were made, newest first."""
        with self._database.reading() as connection:
            return rounds_of(ledger.of_kinds(connection, OF_ROUNDS))[::-1]

    def run_of(self, plan: str) -> Run | None:
        with self._database.reading() as connection:
            return runs.read_run_of(connection, plan)

    def journal(self, run: str) -> list[Action]:
        with self._database.reading() as connection:
            return journal.read_journal(connection, run, self._heads.seals)

    def undone(self, table: str) -> dict[str, str]:
        with self._database.reading() as connection:
            return journal.read_undone(connection, table, self._heads.seals)

    def unfinished(self, run: str) -> list[tuple[str, Action]]:
        with self._database.reading() as connection:
            return journal.read_unfinished(connection, run, self._heads.seals)

    def failures(self) -> list[tuple[str, Action]]:
        with self._database.reading() as connection:
            return journal.read_failures(connection, self._heads.seals)

    def partials(self) -> list[tuple[str, Action]]:
        with self._database.reading() as connection:
            return journal.read_partials(connection, self._heads.seals)

    def last_skips(self) -> list[tuple[str, Action]]:
        with self._database.reading() as connection:
            return journal.read_last_skips(connection, self._heads.seals)

    def stopped_since(self) -> datetime | None:
        with self._database.reading() as connection:
            return kill_switch.read_stopped(connection)

    def stop(self, since: datetime, entry: Entry) -> datetime:
        with self._writing() as connection:
            if kill_switch.set_stopped(connection, since):
                self._append(connection, [entry], None)
            return kill_switch.read_stopped(connection) or since

    def resume(self, entry: Entry) -> bool:
        with self._writing() as connection:
            was_set = kill_switch.clear_stopped(connection)
            if was_set:
                self._append(connection, [entry], None)
        return was_set

    def holds(self, *, unreleased: bool = False) -> list[PlacedHold]:
        with self._database.reading() as connection:
            return holds.read_holds(connection, unreleased=unreleased)

    def hold(self, hold: str) -> PlacedHold:
        with self._database.reading() as connection:
            return holds.read_hold(connection, hold)

    def place_hold(self, hold: PlacedHold, entry: Entry) -> None:
        with self._writing() as connection:
            holds.insert_hold(connection, hold)
            self._append(connection, [entry], None)

    def release_hold(self, hold: PlacedHold, entry: Entry) -> None:
        with self._writing() as connection:
            holds.mark_released(connection, hold)
            self._append(connection, [entry], None)

    def restate_hold(self, before: PlacedHold, hold: PlacedHold, entry: Entry) -> None:
        with self._writing() as connection:
            if holds.replace_hold(connection, before, hold):
                self._append(connection, [entry], None)

    def waiting_for_decision(self, crm: str) -> dict[str, Waiting]:
        with self._database.reading() as connection:
            return work_queue.read_undecided(connection, crm)

    def marks(self) -> list[Mark]:
        with self._database.reading() as connection:
            return quarantine.read_marks(connection)

    def set_marks(self, marks: Sequence[Mark], entries: Sequence[Entry] = ()) -> None:
        with self._writing() as connection:
            quarantine.upsert_marks(connection, marks)
            self._append(connection, entries, None)

    def drop_marks(self, units: Collection[tuple[str, str]], entries: Sequence[Entry] = ()) -> None:
        with self._writing() as connection:
            quarantine.delete_marks(connection, units)
            self._append(connection, entries, None)

    def record(
        self, run: str, actions: Sequence[Action], entries: Sequence[Entry] = (), erasures: Sequence[Mapping[str, str]] = ()
    ) -> None:
        with self._writing_run() as connection:
            self._heads.note_journal(*journal.write(connection, run, actions, self._heads.seals))
            if erasures:
                self._heads.erase(connection, erasures_.last_position(connection))
                erasures_.add(connection, [Erasure(**entry) for entry in erasures], self._heads.seals())
            self._append(connection, entries, run)

    def erasures(self) -> Iterator[Erasure]:
        """All entries that are sealed by one of our keys, oldest first, read page by page."""
        after, last = 0, -1
        seals = None if self.is_empty else self._heads.seals()
        while after != last:
            last = after
            with self._database.reading() as connection:
                after, page = erasures_.read(connection, after, seals)
            yield from page

    def erasure_keys(self) -> set[str]:
        """The ids of the register keys that the register of erasures names."""
        with self._database.reading() as connection:
            return erasures_.keys(connection)

    def has_erasure(self, entry: Erasure) -> bool:
        with self._database.reading() as connection:
            return erasures_.has(connection, entry)

    def add_erasures(self, entries: Iterable[Erasure]) -> int:
        with self._writing() as connection:
            self._heads.erase(connection, erasures_.last_position(connection))
            number = erasures_.add_lacking(connection, entries, self._heads.seals())
            if number:
                self._append(connection, [("erasures_added", {"rows": number})], None)
        return number

    def register_head(self) -> dict[str, object]:
        known = self._heads.known()
        with self._database.reading() as connection:
            head = self._heads.current(connection, known)
            tally = head.erasures if head is not None else Tally().after(erasures_.since(connection, 0))
        return {"rows": tally.rows, "digest": tally.digest}

    def erasures_of(self, rows: Collection[int]) -> dict[int, str]:
        """The digest over the first entries of the register of erasures, for each of these numbers that it
        reaches."""
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            tally = Tally()
            for each in erasures_.since(connection, 0):
                tally = tally.after([each])
                if tally.rows in rows:
                    found[tally.rows] = tally.digest
        return found

    def check_erasures(self, *, whole: bool = False) -> None:
        known = self._heads.known()
        with self._database.reading() as connection:
            self._heads.check_erasures(connection, self._heads.current(connection, known), whole=whole)

    def check_journal(self, *, whole: bool = False) -> None:
        known = self._heads.known()
        with self._database.reading() as connection:
            self._heads.check_journal(connection, self._heads.current(connection, known), whole=whole)

    def check_waiting(self) -> None:
        known = self._heads.known()
        with self._database.reading() as connection:
            self._heads.check_waiting(connection, self._heads.current(connection, known))

    def forget_key(self, key: str, entry: Entry) -> None:
        """Note that a register key is destroyed, after what it had sealed in the journal of the runs, and of
        what waits to be counted, is sealed with the one in use.

        Raises:
            StoreAltered: something of that is not what was sealed.
        """
        known = self._heads.known()
        with self._writing_run() as connection:
            self._heads.change_waiting(connection, known)
            self._heads.note_journal(*journal.seal_anew(connection, key, self._heads.seals))
            self._append(connection, [entry], None)

    def last_done(self, limit: int) -> list[tuple[str, Action]]:
        over = {entry.run or "" for entry in self.strand(RUNS) if entry.kind == "run_ended"}
        with self._database.reading() as connection:
            return journal.last_done(connection, over, limit, self._heads.seals)

    def disposals(self, kind: Kind, counter: str, limit: int) -> list[int]:
        with self._database.reading() as connection:
            return runs.read_disposals(connection, kind, counter, limit)

    def waiting_statistics(self, crm: str) -> dict[tuple[str, str], int]:
        with self._database.reading() as connection:
            return statistics.read_waiting(connection, crm)

    def fix_statistics(
        self,
        run: Run,
        entries: Sequence[Entry],
        *,
        crm: str,
        taken: Collection[str],
        counted: Mapping[tuple[str, str], int],
        forgotten: Sequence[Action],
    ) -> None:
        known = self._heads.known()
        with self._writing_run() as connection:
            runs.replace_run(connection, run)
            if taken or counted:
                self._heads.change_waiting(connection, known)
            statistics.drop_waiting(connection, crm, taken)
            statistics.add_waiting(connection, crm, counted)
            self._heads.note_journal(*journal.write(connection, run.id, forgotten, self._heads.seals))
            self._append(connection, entries, run.id)

    def certificates(self, run: str) -> list[Issued]:
        with self._database.reading() as connection:
            return certificates.read_certificates(connection, run)

    def issued(self) -> Iterator[tuple[str, Issued | None]]:
        """All certificates with their run, in the order in which they were issued; None for one that cannot
        be read any more."""
        after: int | None = None
        while True:
            with self._database.reading() as connection:
                page = certificates.read_page(connection, after)
            if not page:
                return
            yield from ((run, each) for _, run, each in page)
            after = page[-1][0]

    def last_certificate(self) -> Issued | None:
        with self._database.reading() as connection:
            return certificates.read_last(connection)

    def issue(self, run: str, issued: Sequence[Issued], entry: Entry) -> None:
        with self._writing_run() as connection:
            certificates.insert_certificates(connection, run, issued)
            self._append(connection, [entry], run)

    def remember_policy(self, digest: str, version: str, text: str) -> None:
        with self._writing() as connection:
            if policies.add_policy(connection, digest, version, text, self._clock):
                self._append(connection, [("policy", {"digest": digest, "version": version})], None)

    def policies(self) -> list[PolicyVersion]:
        with self._database.reading() as connection:
            return policies.read_policies(connection)

    def last_checkpoint(self) -> KeptCheckpoint | None:
        with self._database.reading() as connection:
            return checkpoints.read_last(connection)

    def checkpoints(self) -> list[Checkpoint]:
        with self._database.reading() as connection:
            return checkpoints.read_checkpoints(connection)

    def add_checkpoint(self, kept: KeptCheckpoint) -> bool:
        with self._writing() as connection:
            return checkpoints.add_checkpoint(connection, kept)

    def ledger(self, after: int | None = None) -> Iterator[LedgerEntry]:
        """All entries behind `after`, oldest first, read page by page; entries added meanwhile come too."""
        while True:
            with self._database.reading() as connection:
                page = ledger.read(connection, after)
            if not page:
                return
            yield from page
            after = page[-1].seq

    def now(self) -> datetime:
        """What the clock says that dates the entries."""
        return self._clock()

    def take_as_it_is(self) -> None:
        """Believe the database as it is from here on, although it was lost or put back to an older day: a
        person has said so."""
        self._heads.recover()

    @property
    def forgotten(self) -> tuple[int, str] | None:
        """Place and hash of the last entry that was remembered when the database was taken as it is."""
        return self._heads.forgotten

    @property
    def place(self) -> str:
        """The file or the address of the database, without a password."""
        return self._database.place

    @property
    def is_empty(self) -> bool:
        """Whether the ledger has no entry: nothing was ever done with this database."""
        with self._database.reading() as connection:
            return not ledger.read(connection, None, limit=1)

    def head(self) -> Head | None:
        """The signed head of the ledger; None where the ledger has no entry.

        Raises:
            StoreAltered: it is not signed by this installation, not the end of the ledger, or older than what
                is remembered.
        """
        known = self._heads.known()
        with self._database.reading() as connection:
            return self._heads.current(connection, known)

    @property
    def signed_by(self) -> str:
        """The id of the key that signed the head of the ledger, empty where there is none or it cannot be
        read; nothing is believed."""
        with self._database.reading() as connection:
            return self._heads.signed_by(connection)

    def entries_of(self, name: str) -> list[LedgerEntry]:
        """The entries of one strand as they stand, nothing being believed: what it takes to open the keys."""
        with self._database.reading() as connection:
            return ledger.of_kinds(connection, STRANDS[name])

    def strand(self, name: str) -> tuple[LedgerEntry, ...]:
        """The entries of one strand, oldest first, held against the signed head. Read again only when there
        are new ones.

        Raises:
            StoreAltered: they are not what was signed, or the ledger does not end as it was signed.
        """
        known = self._heads.known()
        with self._database.reading() as connection:
            head = self._heads.current(connection, known)
            digest = head.strands.get(name, FIRST) if head is not None else ""
            found = self._strands.get((name, digest)) if digest else None
            if found is None:
                found = tuple(ledger.of_kinds(connection, STRANDS[name]))
                if head is not None:
                    believed(name, found, head)
                    self._strands = {key: value for key, value in self._strands.items() if key[0] != name} | {(name, digest): found}
        return found

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._publishing(), self._database.writing() as connection:
            yield connection

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        """Make what a transaction inside has added to the ledger known to the witness, once it is there for
        good."""
        self._heads.begin()
        yield
        self._heads.publish()

    def _append(self, connection: Connection, entries: Sequence[Entry], run: str | None) -> None:
        ledger.append(connection, entries, run, self._clock, self._heads)

    def append(self, entries: Sequence[Entry], run: str | None = None) -> None:
        with self._writing() as connection:
            self._append(connection, entries, run)

    def add_request(self, request: SubjectRequest, parts: Mapping[str, bytes], entry: Entry) -> None:
        with self._writing() as connection:
            requests_.insert_request(connection, request)
            requests_.write_parts(connection, request.id, parts, self._sealing)
            self._append(connection, [entry], None)

    def request(self, request: str) -> SubjectRequest:
        with self._database.reading() as connection:
            return requests_.read_request(connection, request)

    def linked_request(self, link: str) -> SubjectRequest | None:
        with self._database.reading() as connection:
            return requests_.linked_request(connection, link)

    def requests(self) -> list[SubjectRequest]:
        with self._database.reading() as connection:
            return requests_.read_requests(connection)

    def save_request(
        self,
        request: SubjectRequest,
        entries: Sequence[Entry] = (),
        *,
        since: SubjectRequest,
        parts: Mapping[str, bytes | None] | None = None,
        told: str = "",
    ) -> None:
        """The key of a request is destroyed once nothing of its working area is left."""
        with self._writing() as connection:
            requests_.replace_request(connection, request, since)  # whoever else would write a part waits from here on
            requests_.write_parts(connection, request.id, parts or {}, self._sealing)
            if told and (digest := requests_.digest_of(connection, request.id, told)) is not None:
                *before, (kind, data) = entries
                entries = (*before, (kind, {**data, "kept": digest}))
            self._append(connection, entries, None)
            is_empty = not requests_.has_parts(connection, request.id)
        if is_empty:
            self._sealing.destroy(request.id)

    def request_part(self, request: str, name: str) -> bytes | None:
        with self._database.reading() as connection:
            sealed = requests_.read_part(connection, request, name)
        return None if sealed is None else self._sealing.unseal(request, name, sealed)

    def has_request_part(self, request: str, name: str) -> bool:
        with self._database.reading() as connection:
            return requests_.read_part(connection, request, name) is not None

    def part_digest(self, request: str, name: str) -> str | None:
        with self._database.reading() as connection:
            return requests_.digest_of(connection, request, name)

    def destroy_spent_keys(self) -> None:
        """For keys that a process did not come to destroy before it died."""
        with self._database.reading() as connection:
            spent = requests_.spent(connection)
        for request in spent:
            self._sealing.destroy(request)

    def total_requests(self, requests: Sequence[SubjectRequest]) -> int:
        with self._writing() as connection:
            number = requests_.take_into_totals(connection, requests)
            if number:
                self._append(connection, [("requests_totalled", {"requests": number})], None)
        return number

    def request_totals(self) -> dict[tuple[int, str, str], int]:
        with self._database.reading() as connection:
            return requests_.read_totals(connection)

    @property
    def _sealing(self) -> requests_.Sealer:
        if self._sealer is None:
            raise RuntimeError("the store was opened without what seals the parts of requests")
        return self._sealer

    @contextmanager
    def exclusive(self, name: str = run_lock.RUNNER) -> Iterator[run_lock.Lease]:
        with run_lock.exclusive(self._database, name, self._folder) as lease:
            if name != run_lock.RUNNER:
                yield lease
                return
            self._lease = lease
            try:
                yield lease
            finally:
                self._lease = None

    def run_at_work(self) -> str | None:
        return run_lock.run_at_work(self._database, self._folder)

    @contextmanager
    def _writing_run(self) -> Iterator[Connection]:
        """The transaction of whatever a run writes: only the holder of the lease has one."""
        if self._lease is not None:
            with self._publishing(), self._lease.writing() as connection:
                yield connection
            return
        with self._writing() as connection:
            run_lock.refuse_beside_another(connection)
            yield connection
