"""Rows that are stored elsewhere than among the live ones: in the recycle bin, or in long-term retention.

They are looked for by the data source of their table, and in the bin also by the references to them, which
keep a name and show what was deleted along with them. A job deletes them. References can be deleted one by
one too, which may or may not remove what they refer to. Source: the reference, sections 6.4, 11.4 and 11.5;
R-088."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from connectors.dynamics.residual.purge_job import Ended, Purging, queries_for
from connectors.dynamics.schema.unmapped_tables import IDS_OF_A_FETCH, Directory, NotOffered, type_of
from connectors.dynamics.writing.remove_platform_rows import Removing
from connectors.interface.changes import IsDue, always_due
from connectors.interface.errors import warn_once
from connectors.interface.remains import Left, Reach, ResidualData, RowKey

BIN, RETAINED = "bin", "retained"
REFERENCE = "deleteditemreference"
PARTY = "activityparty"
ACTIVITY = "activityid"  # the primary id of every kind of activity, and the lookup of its parties
RETENTION_POLICY = "retentionconfig"  # a CRM without this table has no long-term retention
NAMES = {BIN: "the recycle bin", RETAINED: "long-term retention"}


class BinOrRetention:
    """One source of rows beside the live one, in one CRM."""

    def __init__(self, source: str, directory: Directory, purging: Purging, removing: Removing, warnings: list[str]) -> None:
        self._source, self._removing, self._directory = source, removing, directory
        self._purging, self._warnings = purging, warnings
        self._found: dict[RowKey, set[RowKey]] = {}  # by the last look

    def find(self, rows: Collection[RowKey]) -> ResidualData:
        """Return which of these rows are there, and what was deleted along with them. Raises as
        `Connector.residual_data`."""
        if self._directory.table(REFERENCE if self._source == BIN else RETENTION_POLICY) is None:
            return ResidualData(Reach.NOT_KEPT)
        self._found = {}
        try:
            self._found = stored = self._stored(rows)
        except NotOffered as refusal:
            warn_once(self._warnings, f"{NAMES[self._source]} cannot be looked into: {refusal.reason}")
            return ResidualData(Reach.NOT_REACHABLE)
        left = {key: Left(REFERENCE if self._source == BIN else key[0], len(found), tuple(sorted(found))) for key, found in stored.items()}
        return ResidualData(Reach.READ, left, frozenset(key[0] for key in left))

    def kept(self, tables: Collection[str]) -> Iterator[RowKey]:
        """Yield the rows of these tables that are there, and in the bin those that its references name, with
        an empty table where a reference names none. Raises as `Connector.kept`."""
        if self._directory.table(REFERENCE if self._source == BIN else RETENTION_POLICY) is None:
            return
        try:
            if self._source == BIN:
                yield from self._referred_to()
            activities = False
            for name, table in self._directory.known(tables).items():
                activities = activities or table.primary_id == ACTIVITY
                for row in self._directory.rows_in_source(table, self._source, (), table.primary_id, None):
                    yield name, str(row[table.primary_id]).lower()
            party = self._directory.table(PARTY) if activities else None
            if party is not None:
                for row in self._directory.rows_in_source(party, self._source, (ACTIVITY,), ACTIVITY, None):
                    yield "", str(row.get(ACTIVITY) or row.get(f"_{ACTIVITY}_value")).lower()
        except NotOffered as refusal:
            warn_once(self._warnings, f"{NAMES[self._source]} cannot be looked into: {refusal.reason}")

    def _referred_to(self) -> Iterator[RowKey]:
        table = self._directory.table(REFERENCE)
        if table is None:
            return
        columns = ("deletedobject", "regardingobjectid")
        try:
            for row in self._directory.all(table, ",".join(f"_{column}_value" for column in columns)):
                yield from ((type_of(row, column), str(row[key]).lower()) for column in columns if row.get(key := f"_{column}_value"))
        except NotOffered:
            return  # as above: who may read a table may look into its part of the bin

    def purge(self, rows: Collection[RowKey], is_due: IsDue = always_due) -> frozenset[RowKey]:
        """Remove these rows, and what went along, from there for good; what the last look has found. Raises
        as `Connector.purge`."""
        try:
            stored = {row: self._found[row] for row in rows} if self._found.keys() >= set(rows) else self._stored(rows)
        except NotOffered:
            return frozenset(rows)
        by_table = _by_table(each for found in stored.values() for each in found)
        known = self._directory.known(by_table)
        queries = [
            query
            for name, table in known.items()
            if name != PARTY  # which no job takes: they go with their activity, or with the reference to them
            for query in queries_for(name, table.primary_id, table.primary_id, by_table[name], self._source)
        ]
        ended = self._purging.run(NAMES[self._source], queries, is_due) if queries else Ended.RAN
        if ended is Ended.NOT_ALLOWED:
            why = self._purging.lacking.bulk_delete or "the CRM refuses it"
            warn_once(self._warnings, f"no job may empty {NAMES[self._source]}: {why}")
        if self._source == BIN:
            self._remove_references({each for found in stored.values() for each in found})
        return frozenset(rows) if ended is Ended.NOT_ALLOWED else frozenset()

    def _stored(self, rows: Collection[RowKey]) -> dict[RowKey, set[RowKey]]:
        """Return by row: itself where it is there, and what was deleted along with it."""
        stored: defaultdict[RowKey, set[RowKey]] = defaultdict(set)
        by_id = {key[1]: key for key in rows}
        if self._source == BIN:
            for of, row, root in self._references(list(by_id)):
                stored[by_id.get(row) or by_id[root]].add((of or by_id.get(row, ("", ""))[0], row))
        for name, table in self._directory.known(name for name, _ in rows).items():
            own = {row for of, row in rows if of == name}
            # Where one request looks for them all, it tells as well that there are none.
            if len(own) > IDS_OF_A_FETCH and not self._directory.has_any(table, self._source):
                continue
            for row, _ in self._directory.in_source(table, self._source, table.primary_id, own):
                stored[name, row].add((name, row))
        activities = {name for name, table in self._directory.known(name for name, _ in rows).items() if table.primary_id == ACTIVITY}
        for party, activity in self._parties([row for name, row in rows if name in activities]):
            stored[by_id[activity]].add((PARTY, party))
        return dict(stored)

    def _parties(self, activities: Collection[str]) -> set[tuple[str, str]]:
        """Return the participants that are there, with their activity: they keep names and addresses, and
        perhaps no reference leads to them."""
        table = self._directory.table(PARTY)
        if table is None or not activities or not self._directory.has_any(table, self._source):
            return set()
        return self._directory.in_source(table, self._source, ACTIVITY, activities)

    def _references(self, ids: Collection[str]) -> set[tuple[str, str, str]]:
        """Return table and id of each row in the bin that is one of these or was deleted along with one, and
        the row that it was deleted with."""
        table = self._directory.table(REFERENCE)
        found: set[tuple[str, str, str]] = set()
        try:
            if table is None or self._directory.is_empty(table):
                return found
            for column in ("deletedobject", "regardingobjectid"):
                for row in self._directory.rows(table, f"_{column}_value", ids, "_deletedobject_value,_regardingobjectid_value"):
                    gone, root = (str(row.get(f"_{name}_value") or "").lower() for name in ("deletedobject", "regardingobjectid"))
                    if gone:
                        found.add((type_of(row, "deletedobject"), gone, root))
        except NotOffered:
            return set()  # who may read a table may look into its part of the bin, which is proof enough that it is not kept
        return found

    def _remove_references(self, rows: Collection[RowKey]) -> None:
        """Delete what still refers to these rows in the bin."""
        table = self._directory.table(REFERENCE)
        if table is None or not rows:
            return
        try:
            left = [str(row[table.primary_id]) for row in self._directory.rows(table, "_deletedobject_value", {row for _, row in rows}, "")]
        except NotOffered:
            return
        if self._removing.remove(table, left):
            warn_once(self._warnings, "references in the recycle bin cannot be deleted")


def _by_table(rows: Iterable[RowKey]) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for table, row in rows:
        if table:
            found[table].add(row)
    return found
