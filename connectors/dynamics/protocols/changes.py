"""Writes of the CRM's rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from connectors.dynamics.bulk_delete.deletes import MOST_ROWS
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.protocols.rows import Rows
from connectors.dynamics.schema.checks.masks import remnants
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.dynamics.writing.batch import Prepared, prepare
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Held, Operation, OperationKind
from connectors.interface.errors import Forbidden, Unauthorised
from connectors.interface.rows import Among
from rules.anonymisation.anonymity import Remnant
from rules.model.records import Record


class Changes(Rows):
    """Change sets, sent by one application user or several."""

    def group_size(self, record: type[Record], waiting: int, usual: int) -> int:
        """Return how many of `waiting` deletes of this kind to pass to `change` together: up to 1,000 where a
        job of the CRM may be quicker."""
        return MOST_ROWS if waiting > usual and self.deleting.pays(record, waiting) else usual

    def reconcile_earlier(self) -> None:
        """Wait until no job of an earlier process is running, and remove what it left. Raises ConnectorError:
        a job does not end even when it is cancelled, or the CRM cannot be queried."""
        self.deleting.reconcile_earlier()

    def tries(self) -> Iterator[None]:
        return self._transport.retry.tries()

    @contextmanager
    def guarded(self, guard: Callable[[], None]) -> Iterator[None]:
        transports = (self._transport, *self._others)
        for transport in transports:
            transport.guard = guard
        try:
            yield
        finally:
            for transport in transports:
                transport.guard = None

    def watched(self, watch: Callable[[], None]) -> AbstractContextManager[None]:
        return self._transport.gate.timeline.watched(watch)

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        """Carry out each change set, all or nothing, and return one result for each, in the order given.

        Nothing is tried twice here: a change set whose answer is lost is UNKNOWN, and the caller reads back.
        Only where the CRM said that it did nothing (429, 401) the same is sent again. `held` is called right
        before each batch, and before a job.

        Raises:
            Unauthorised, Forbidden: before anything was done at all.
            ConnectorError: an earlier bulk delete has not ended; nothing was sent.
            MappingError: a table does not fit the mapping.
            ValueError: an update or delete without the version it is about; nothing was sent."""
        prepared: list[Prepared] = []
        emptied = self._pointers.of(change_sets)
        for at, change_set in enumerate(change_sets):
            definitions: dict[type[Record], tuple[Table, TableDefinition]] = {}
            for operation in change_set.operations:
                table = self.mapping.table(operation.record)
                if table is not None and not self._tables.place(table).is_derived:
                    definitions[operation.record] = (table, self._tables.definition(table))
            root = self.environment.root_path
            prepared.append(prepare(change_set, definitions, self.mapping, self._metadata, root, self._masking, emptied[at]))
        in_order = self._in_order(change_sets)
        statuses = [ChangeStatus.UNKNOWN] * len(change_sets)
        try:
            results = self.deleting.carry_out(
                change_sets, lambda indices, held: self._pool.send([prepared[at] for at in indices], in_order=in_order, held=held), held
            )
            statuses = [result.status for result in results]
        except (Unauthorised, Forbidden):
            statuses = [ChangeStatus.REFUSED] * len(change_sets)
            raise
        finally:
            self._written.note(change_sets, statuses)
        return results

    def unmasked(self, masks: Sequence[Operation]) -> set[str]:
        found: set[str] = set()
        for record in dict.fromkeys(mask.record for mask in masks):
            if (table := self.mapping.table(record)) is not None:
                found |= self._masking.unmasked(table, [mask for mask in masks if mask.record is record])
        return found

    def remnants(self, record: type[Record]) -> frozenset[Remnant]:
        tables = self.mapping.tables_of(record)
        return frozenset().union(*(remnants(each.masks, self._tables.definition(each), self.mapping) for each in tables if each.masks))

    def _in_order(self, change_sets: Sequence[ChangeSet]) -> bool:
        """Return whether one change set has to be done before another: of two rows to be deleted, one points
        to the other, such as a contact to its parent. The caller has put the pointing rows first; otherwise
        the removal of their target would give them another version. The CRM is queried only where a table
        points to itself, which is rare."""
        if self._pool.is_single or len(change_sets) < 2:
            return False
        gone: dict[type[Record], set[str]] = {}
        for operation in (operation for one in change_sets for operation in one.operations):
            if operation.kind is OperationKind.DELETE:
                gone.setdefault(operation.record, set()).add(operation.id)
        for record, ids in gone.items():
            table = self.mapping.table(record)
            if table is None:
                continue
            lookups = {parent.column for parent in self._tables.definition(table).parents if parent.parent == table.name}
            fields = [column.field for column in table.columns.values() if column.name in lookups]
            pages = self.read(record, fields, among=Among("id", sorted(ids))) if fields else ()
            if any(getattr(row, field) in ids - {row.id} for page in pages for row in page for field in fields):
                return True
        return False
