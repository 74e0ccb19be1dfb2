"""What was written since the CRM was last read: the memory must not take it for what it still holds."""

from collections.abc import Callable, Sequence

from connectors.dynamics.memory.table_cache import Memory
from connectors.interface.changes import ChangeSet, ChangeStatus, OperationKind
from rules.model.records import Record


class WrittenRows:
    """Rows deleted or changed, and tables where that may have happened; forgotten at the end."""

    def __init__(self, memory: Memory | None, table: Callable[[type[Record]], str]) -> None:
        self._memory, self._table = memory, table
        self._overwritten: dict[str, dict[str, str]] = {}  # by table: rows that were deleted or changed, and the version before
        self._doubtful: set[str] = set()  # tables in which a write may have happened

    def note(self, change_sets: Sequence[ChangeSet], statuses: Sequence[ChangeStatus]) -> None:
        """Note what the memory has to forget. Of what may have been done and may not, the whole table: a row
        that is left out although it did not change, no delta link would bring again."""
        for change_set, status in zip(change_sets, statuses, strict=True):
            for operation in change_set.operations:
                if operation.kind is OperationKind.CREATE:
                    continue
                if status is ChangeStatus.DONE:
                    self._overwritten.setdefault(self._table(operation.record), {})[operation.id] = operation.etag
                elif status is ChangeStatus.UNKNOWN:
                    self._doubtful.add(self._table(operation.record))

    def forget(self) -> None:
        """Remove it from the memory, where there is one."""
        if self._memory is None:
            return
        for table in self._doubtful:
            self._memory.drop_table(table)
        for table, versions in self._overwritten.items():
            self._memory.forget(table, versions)
        self._doubtful.clear()
        self._overwritten.clear()
