"""Rows of the platform that point to a deleted row: what appears in timelines, and what jobs leave.

Each is found by its lookup and deleted by itself. A table that this CRM does not have leaves nothing. Plug-in
trace logs name no row: where there are any, nobody can state that they hold nothing of it. Source: the
reference, sections 11.1 and 11.5; ERA-12, lines 3 and 9."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered, type_of
from connectors.dynamics.writing.remove_platform_rows import Removing
from connectors.interface.errors import warn_once
from connectors.interface.remains import Left, Reach, ResidualData, RowKey

# table -> the columns by which it points to rows; one that ends in "_value" is a lookup's.
TIMELINE: Mapping[str, tuple[str, ...]] = {
    "post": ("_regardingobjectid_value",),
    "postfollow": ("_regardingobjectid_value",),
    "connection": ("_record1id_value", "_record2id_value"),
    "queueitem": ("_objectid_value",),
}
JOBS: Mapping[str, tuple[str, ...]] = {
    "asyncoperation": ("_regardingobjectid_value",),
    "processsession": ("_regardingobjectid_value",),
    "syncerror": ("_regardingobjectid_value",),
    "bulkdeletefailure": ("_regardingobjectid_value",),
    "duplicaterecord": ("_baserecordid_value", "_duplicaterecordid_value"),
    "importdata": ("recordid",),
}
TRACE_LOG = "plugintracelog"


class ResidualRows:
    """Rows of some tables of the platform that point to rows of ours, in one CRM."""

    def __init__(
        self, what: str, columns: Mapping[str, tuple[str, ...]], directory: Directory, removing: Removing, warnings: list[str]
    ) -> None:
        """Create the place. `what` is a name for people."""
        self._what, self._columns, self._removing = what, columns, removing
        self._directory, self._warnings = directory, warnings

    def find(self, rows: Collection[RowKey]) -> ResidualData:
        """Return what points to these rows. Raises as `Connector.residual_data`."""
        known = self._directory.known((*self._columns, *((TRACE_LOG,) if self._columns is JOBS else ())))
        if not known:
            return ResidualData(Reach.NOT_KEPT)
        by_id = {key[1]: key for key in rows}
        found: defaultdict[RowKey, set[RowKey]] = defaultdict(set)
        reach = Reach.READ
        for name, table in known.items():
            try:
                if name == TRACE_LOG:
                    reach = reach if self._directory.is_empty(table) else self._unreachable("plug-in trace logs name no row")
                    continue
                for column in self._columns[name]:
                    if self._directory.is_empty(table, f"{column} ne null"):
                        continue
                    for row in self._directory.rows(table, column, list(by_id), column):
                        found[by_id[str(row[column]).lower()]].add((name, str(row[table.primary_id]).lower()))
            except NotOffered as refusal:
                reach = self._unreachable(refusal.reason)
        left = {key: Left(min(each)[0], len(each), tuple(sorted(each))) for key, each in found.items()}
        return ResidualData(reach, left)

    def kept(self) -> Iterator[RowKey]:
        """Yield what any of these tables points to, one row perhaps several times, with an empty table where
        it names none. Raises as `Connector.kept`."""
        for name, table in self._directory.known(self._columns).items():
            try:
                for column in self._columns[name]:
                    for row in self._directory.where(table, f"{column} ne null", column):
                        yield type_of(row, column.removeprefix("_").removesuffix("_value")), str(row[column]).lower()
            except NotOffered as refusal:
                self._unreachable(refusal.reason)

    def purge(self, rows: Collection[RowKey]) -> frozenset[RowKey]:
        """Delete what points to these rows. Raises as `Connector.purge`."""
        owners: defaultdict[str, dict[str, RowKey]] = defaultdict(dict)
        for key, left in self.find(rows).left.items():
            for name, row in left.rows:
                owners[name][row] = key
        refused: set[RowKey] = set()
        for name, table in self._directory.known(owners).items():
            if kept := self._removing.remove(table, owners[name]):  # a job that has not ended, among others
                self._unreachable(f"rows of {name} cannot be deleted")
                refused |= {owners[name][row] for row in kept}
        return frozenset(refused)

    def _unreachable(self, reason: str) -> Reach:
        warn_once(self._warnings, f"{self._what} cannot be cleaned wholly: {reason}")
        return Reach.NOT_REACHABLE
