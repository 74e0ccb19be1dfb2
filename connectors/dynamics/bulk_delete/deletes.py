"""Deletes many single rows of one kind: as a job of the CRM (jobs.py) where that is quicker (crossover.py),
else in batches.

Whatever a job leaves is read again and deleted in batches: the job only ever saves time. What it reports is
not believed: a row is DONE when it has been looked for and was not there. A job takes many seconds, so holds
are looked up again before each batch that follows it, those of the CRM here and the product's own by asking
the caller. The latter are also looked up before a job is started and while it runs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from connectors.dynamics.bulk_delete.crossover import Crossover
from connectors.dynamics.bulk_delete.hold_guard import WAYS, Guard, Read, guard_of, held
from connectors.dynamics.bulk_delete.jobs import Jobs, Lost, NotStarted, Report, job_name, query_set, start_of
from connectors.dynamics.http.answers import UNREADABLE
from connectors.dynamics.http.query import any_of, guid, query_string
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping as TableMapping
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.schema.capabilities import Capability, is_online
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.dynamics.schema.privileges import lacking_for_jobs
from connectors.dynamics.schema.unmapped_tables import Directory
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Held, Operation, OperationKind
from connectors.interface.errors import ConnectorError, Forbidden, ReadIncomplete, Unauthorised
from connectors.interface.rows import Among
from rules.decoders import converted
from rules.model.records import Record

MOST_ROWS = 1_000  # of one job: what is judged and journalled together
BATCH_ROWS = 100  # that follow one look at their holds; the first so many also tell what batches cost
Send = Callable[[Sequence[int], Held | None], list[ChangeResult]]


class BulkDelete(StrEnum):
    """When jobs are used: where they are expected to be quicker, never, or for each set of rows (a trial)."""

    AUTO = "auto"
    OFF = "off"
    ALWAYS = "always"


class _Row(msgspec.Struct):
    etag: str = msgspec.field(name="@odata.etag")
    versionnumber: int


@dataclass
class _Work:
    """One call: what is wanted, by index, and known. `is_fresh`: the caller has just looked up the holds."""

    change_sets: Sequence[ChangeSet]
    send: Send
    is_fresh: bool
    held: Held | None
    results: dict[int, ChangeResult] = field(default_factory=dict)

    def rows(self, indices: Sequence[int]) -> list[str]:
        return [operation.id for index in indices for operation in self.change_sets[index].operations]

    def told(self, index: int, status: ChangeStatus, code: str = "") -> ChangeResult:
        return ChangeResult(self.change_sets[index].key, status, code)


class Deleting:
    """Carries out change sets, single deletes perhaps by a job; for one thread at a time."""

    def __init__(
        self,
        transport: Transport,
        directory: Directory,
        mapping: TableMapping,
        definition: Callable[[Table], TableDefinition],
        *,
        read: Read,
        user: Callable[[], str],
        mode: BulkDelete,
        warnings: list[str],
    ) -> None:
        self._transport, self._mapping, self._definition, self._read = transport, mapping, definition, read
        self._directory, self._user, self._mode, self._warnings = directory, user, mode, warnings
        self._jobs = Jobs(transport, warnings)
        self.crossover = Crossover()
        self._lacking: str | None = None  # why there are no jobs; empty: there are; None: not looked at yet
        self._options: dict[str, bool] = {}
        self._tried: set[str] = set()  # rows that were in a job: never in a second one

    def reconcile_earlier(self) -> None:
        """Wait until no job of ours is under way any more, and remove what jobs have left."""
        self._jobs.sweep()

    def pays(self, record: type[Record], waiting: int) -> bool:
        """Return whether so many single rows of this kind are worth submitting together."""
        tables = self._mapping.tables_of(record)
        if len(tables) != 1 or self._mode is BulkDelete.OFF or (table := tables[0]).kind not in WAYS:
            return False
        if self._mode is BulkDelete.AUTO:
            sample = 0 if self.crossover.is_measured else BATCH_ROWS
            if not self.crossover.prefers_job(min(waiting, MOST_ROWS) - sample):
                return False
        return self._guard(table) is not None and not self._why_not()

    def capability(self) -> Capability:
        """Return whether jobs are used in this CRM, and why (not)."""
        name = "bulk delete jobs"
        if self._mode is BulkDelete.OFF:
            return Capability(name, False, "switched off by the setting BULK_DELETE")
        if reason := self._why_not():
            return Capability(name, False, reason)
        return Capability(name, True, "large sets of recordings go by a job where that is quicker than batches")

    def carry_out(self, change_sets: Sequence[ChangeSet], send: Send, held: Held | None = None) -> list[ChangeResult]:
        """Return one result for each change set, in the order given. `send` sends batches, given by index.
        `held` names, of the keys it is given, those that a hold of the product covers now. Raises
        ConnectorError: an earlier job has not ended, or the very first batch is refused; nothing was done."""
        swept = self._jobs.unfinished
        if swept:
            self._jobs.sweep()
        table, singles = self._singles(change_sets)
        guard = self._guard(table) if table is not None else None
        if table is None or guard is None:
            return self._at_once(_Work(change_sets, send, is_fresh=not swept, held=held))
        work = _Work(change_sets, send, is_fresh=not swept, held=held)
        if self._mode is BulkDelete.AUTO and not self.crossover.is_measured and len(singles) > BATCH_ROWS:
            self._in_batches(work, singles[:BATCH_ROWS])
        wanted = {index: change_sets[index].operations[0] for index in singles if index not in work.results}
        # A job runs with all custom logic, so rows that pass by any of it go in batches.
        wanted = {index: one for index, one in wanted.items() if one.id not in self._tried and not one.bypass}
        if self._prefers_job(len(wanted)) and not self._why_not():
            work.is_fresh = False
            self._by_job(table, guard, wanted, work)
        self._in_batches(work, [index for index in range(len(change_sets)) if index not in work.results])
        return [work.results[index] for index in range(len(change_sets))]

    def _at_once(self, work: _Work) -> list[ChangeResult]:
        """Send all of it; after waiting for an earlier job, what came under a hold is left out."""
        indices: Sequence[int] = range(len(work.change_sets))
        indices = indices if work.is_fresh else self._unheld(work, indices)
        work.results.update(zip(indices, work.send(indices, work.held) if indices else [], strict=True))
        return [work.results[index] for index in range(len(work.change_sets))]

    # -- which way -------------------------------------------------------------------------------------------

    def _singles(self, change_sets: Sequence[ChangeSet]) -> tuple[Table | None, list[int]]:
        """Return the indices of the change sets that each delete one row, all of the same table, one that a
        job may delete from. Empty where they are mixed."""
        found = [
            index for index, one in enumerate(change_sets) if len(one.operations) == 1 and one.operations[0].kind is OperationKind.DELETE
        ]
        tables = {table.record: table for index in found if (table := self._mapping.table(change_sets[index].operations[0].record))}
        ids = {change_sets[index].operations[0].id for index in found}
        if (
            self._mode is BulkDelete.OFF
            or len(tables) != 1
            or not {table.kind for table in tables.values()} <= WAYS.keys()
            or len(ids) < len(found)
        ):
            return None, []
        return next(iter(tables.values())), found

    def _prefers_job(self, rows: int) -> bool:
        return rows > 0 and (self._mode is BulkDelete.ALWAYS or self.crossover.prefers_job(rows))

    def _guard(self, table: Table) -> Guard | None:
        return guard_of(table, self._mapping, self._definition)

    def _why_not(self) -> str:
        """Return why there are no jobs, checked once; empty where there are."""
        if self._lacking is None:
            try:
                lacking = lacking_for_jobs(self._transport, self._directory, self._user()).bulk_delete
                self._options = {"CanRecoverDeletedRecords": False} if is_online(self._transport) else {}
                self._lacking = f"the application user lacks {lacking}" if lacking else ""
            except ConnectorError as failure:
                self._lacking = f"whether there are jobs could not be asked: {failure}"
        return self._lacking

    # -- batches ---------------------------------------------------------------------------------------------

    def _in_batches(self, work: _Work, indices: Sequence[int]) -> None:
        """Send what is left, a hundred at a time; the caller's own reading of the CRM's holds is good for the
        very first hundred only."""
        for at in range(0, len(indices), BATCH_ROWS):
            chunk = indices[at : at + BATCH_ROWS]
            if not work.is_fresh:
                chunk = self._unheld(work, chunk)
            work.is_fresh = False
            began = self._transport.gate.timeline.now()
            try:
                answers = work.send(chunk, work.held) if chunk else []
            except (Unauthorised, Forbidden) as failure:
                if not work.results:
                    raise
                answers = [work.told(index, ChangeStatus.REFUSED, failure.service_code) for index in chunk]
            work.results.update(zip(chunk, answers, strict=True))
            done = sum(answer.status is ChangeStatus.DONE for answer in answers)
            if done and len(work.rows(chunk)) == len(chunk):
                self.crossover.saw_batches(done, self._transport.gate.timeline.now() - began)

    def _unheld(self, work: _Work, chunk: Sequence[int]) -> list[int]:
        """Return those that have not come under a hold of the CRM meanwhile; the others get their result.
        Whoever sends them asks for holds of the product, last of all."""
        try:
            covered = self._held([work.change_sets[index] for index in chunk])
        except ConnectorError as failure:
            work.results.update({index: work.told(index, ChangeStatus.UNKNOWN, failure.service_code) for index in chunk})
            return []
        for index in chunk:
            if not covered.isdisjoint(work.rows([index])):
                work.results[index] = work.told(index, ChangeStatus.HELD)
        return [index for index in chunk if index not in work.results]

    @staticmethod
    def _named(work: _Work, indices: Collection[int]) -> Collection[str]:
        """Return the keys among these that a hold of the product covers now."""
        keys = [work.change_sets[index].key for index in indices]
        return work.held(keys) if work.held is not None and keys else ()

    def _held(self, change_sets: Sequence[ChangeSet]) -> set[str]:
        """Return the ids of the rows among them that have come under a hold."""
        by_record: dict[type[Record], list[str]] = {}
        for one in change_sets:
            for operation in one.operations:
                table = self._mapping.table(operation.record)
                if table is not None and table.kind in WAYS and operation.kind is OperationKind.DELETE:
                    by_record.setdefault(operation.record, []).append(operation.id)
        return {row for record, ids in by_record.items() for row in held(self._read, record, ids)}

    # -- a job -----------------------------------------------------------------------------------------------

    def _by_job(self, table: Table, guard: Guard, wanted: Mapping[int, Operation], work: _Work) -> None:
        """Delete rows by a job; those without a result afterwards are for the batches."""
        began = self._transport.gate.timeline.now()
        definition = self._definition(table)
        try:
            exact = self._as_judged(definition, table, wanted, work)
        except ConnectorError:
            return
        if not self._prefers_job(len(exact)):
            return
        unknown = {index: work.told(index, ChangeStatus.UNKNOWN) for index in exact}
        name, ids = job_name(), [row for row, _ in exact.values()]
        queries = query_set(table.name, definition.primary_id, list(exact.values()), guard)

        def may_go() -> bool:
            return not self._named(work, exact)  # no query of the CRM knows the product's holds

        try:
            job = self._jobs.start(name, queries, start_at=start_of(self._transport.clock), options=self._options, is_due=may_go)
        except NotStarted as failure:
            if failure.is_lasting:
                self._give_up(str(failure))
            return
        except Lost:
            self._tried.update(ids)
            work.results.update(unknown)
            return
        self._tried.update(ids)
        try:
            has_ended = self._jobs.end(job, lambda: not may_go())
            report = self._report(job) if has_ended else Report({})
            there = {row.id: row.etag for page in self._read(table.record, (), among=Among("id", list(ids))) for row in page}
        except ConnectorError:
            work.results.update(unknown)
            return
        for index, (row, _) in exact.items():
            if row not in there:
                work.results[index] = work.told(index, ChangeStatus.DONE)
            elif not has_ended:
                work.results[index] = unknown[index]
            elif row in report.failures:
                work.results[index] = work.told(index, ChangeStatus.REFUSED, report.failures[row])
            elif there[row] != wanted[index].etag:
                work.results[index] = work.told(index, ChangeStatus.CHANGED)
        if has_ended:
            self._learn(job, name, len(ids), len(ids) - len(there), report, self._transport.gate.timeline.now() - began)

    def _as_judged(
        self, definition: TableDefinition, table: Table, wanted: Mapping[int, Operation], work: _Work
    ) -> dict[int, tuple[str, int]]:
        """Return the rows, by index, that still have the version that was judged and are under no hold, each
        with the number of its version; the others have their results."""
        versions = self._versions(definition, table.name, [one.id for one in wanted.values()])
        exact: dict[int, tuple[str, int]] = {}
        for index, one in wanted.items():
            etag, number = versions.get(one.id, ("", 0))
            if etag == one.etag:
                exact[index] = (one.id, number)
            else:
                work.results[index] = work.told(index, ChangeStatus.CHANGED)
        named = self._named(work, exact)
        for index in [index for index in exact if work.change_sets[index].key in named]:
            work.results[index] = work.told(index, ChangeStatus.HELD)
            del exact[index]
        return exact

    def _learn(self, job: str, name: str, rows: int, gone: int, report: Report, seconds: float) -> None:
        self._jobs.clean(job, name)
        self.crossover.saw_job(rows, seconds)
        if report.succeeded is not None and report.succeeded != gone:
            self._warnings.append(f"the bulk delete {job} tells of {report.succeeded} deleted rows where {gone} of {rows} are gone")
        if not gone and not report.failures and rows >= BATCH_ROWS:
            self._give_up("a job ended and had deleted nothing")

    def _report(self, job: str) -> Report:
        try:
            return self._jobs.report(job)
        except ConnectorError as failure:  # what is left goes in batches, whose answers say why not
            self._warnings.append(f"the failures of the bulk delete {job} could not be read: {failure}")
            return Report({})

    def _give_up(self, reason: str) -> None:
        self._lacking = reason
        self._warnings.append(f"no further bulk delete is tried: {reason}")

    def _versions(self, definition: TableDefinition, where: str, ids: Collection[str]) -> dict[str, tuple[str, int]]:
        """Return the etag and version number of each row that exists. Raises ConnectorError: the CRM cannot
        be queried, or its answer is not whole."""
        found: dict[str, tuple[str, int]] = {}
        wanted = {guid(row) for row in ids}
        for condition in any_of(definition.primary_id, ids):
            query = query_string({"$select": f"{definition.primary_id},versionnumber", "$filter": condition, "$count": "true"})
            answer = self._transport.get(f"{definition.set_name}?{query}", where=where)
            try:
                content = msgspec.json.decode(answer.body)
                rows = content["value"]
                there = {guid(row[definition.primary_id]): converted(row, _Row) for row in rows}
                found |= {row: (version.etag, version.versionnumber) for row, version in there.items()}
                is_whole = content["@odata.count"] == len(rows) == len(wanted & there.keys())
            except UNREADABLE:
                is_whole = False
            if not is_whole:
                raise ReadIncomplete("The versions of rows are not readable.", where=where, request_id=answer.request_id)
        return found
