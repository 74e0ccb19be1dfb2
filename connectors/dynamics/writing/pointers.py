"""Lookups by which rows that are written in one change set point to rows that go in it, beside those by which
they belong to each other: a visit to the visit before, a case to its last report.

Where the CRM deletes what such a lookup points to, it empties it, and the row has another version than the
one under which it is deleted, masked or changed after: the change set would be refused, night after night. So
the lookup is emptied first, under the version that is known; from then on the transaction keeps everybody
else from the row. Of two rows that are written in change sets of their own, the one that points to the other
goes before it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Values

from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.schema.metadata import NO_CASCADE, Metadata, Relationship
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.interface.changes import ChangeSet, OperationKind

RowKey = tuple[str, str]  # table and id
Emptied = Values[RowKey, Values[str, None]]  # the body that empties the lookups of a row


class Pointers:
    """The lookups of one CRM that fill no field of the mapping and point from one mapped table to another."""

    def __init__(self, mapping: Mapping, metadata: Metadata, directory: Directory) -> None:
        self._mapping, self._metadata, self._directory = mapping, metadata, directory

    def of(self, change_sets: Sequence[ChangeSet]) -> list[Emptied]:
        """Return for each change set the rows that point to one deleted before them. The CRM is asked only
        where there are such lookups. Raises ConnectorError."""
        written = [dict(self._written(one)) for one in change_sets]
        deleted = [dict(self._written(one, OperationKind.DELETE)) for one in change_sets]
        ids: defaultdict[str, set[str]] = defaultdict(set)
        for table, row in (key for each, gone in zip(written, deleted, strict=True) if gone and len(each) > 1 for key in each):
            ids[table].add(row)
        found = {key: links for table in ids for key, links in self._links(table, ids)}
        return [self._emptied(each, gone, found) for each, gone in zip(written, deleted, strict=True)]

    def among(self, tables: Collection[str], rows: Iterable[str]) -> set[tuple[str, str]]:
        """Return which of these rows of some tables point to which others of them, by id. The ids are looked
        at only where there are such lookups. Raises ConnectorError."""
        if not any(self._lookups(name, tables) for name in tables):
            return set()
        wanted = {*rows}
        ids = dict.fromkeys(tables, wanted)
        found = ((row, to) for name in tables for (_, row), links in self._links(name, ids) for _, to in links)
        return {(row, to) for row, to in found if row != to}

    def _written(self, change_set: ChangeSet, *kinds: OperationKind) -> Iterator[tuple[RowKey, int]]:
        """Yield the rows that are written, or written in one of some ways, with their places."""
        for at, operation in enumerate(change_set.operations):
            is_meant = operation.kind in kinds if kinds else operation.kind is not OperationKind.CREATE
            table = self._mapping.table(operation.record) if is_meant else None
            if table is not None:
                yield (table.name, operation.id.lower()), at

    def _lookups(self, name: str, tables: Collection[str]) -> list[Relationship]:
        """Return the lookups of a table that fill no field and lead to these tables."""
        definition = self._metadata.table(name)
        if definition is None:
            return []
        ours = [
            each
            for each in definition.parents
            if each.parent in tables and each.on_delete != NO_CASCADE and each.column not in self._mapping.used(name) and each.navigation
        ]
        return [each for each in ours if each.column in definition.attributes and definition.attributes[each.column].updatable]

    def _links(self, name: str, ids: Values[str, Collection[str]]) -> Iterator[tuple[RowKey, list[tuple[Relationship, str]]]]:
        """Yield the rows of one table that point to others, with where to."""
        ours = self._lookups(name, ids)
        table = self._directory.table(name) if ours else None
        if table is None:
            return
        columns = [f"_{column}_value" for column in dict.fromkeys(each.column for each in ours)]
        try:
            if self._directory.is_empty(table, " or ".join(f"{column} ne null" for column in columns)):
                return
            for row in self._directory.rows(table, table.primary_id, sorted(ids[name]), ",".join(columns)):
                links = [(each, str(row.get(f"_{each.column}_value") or "").lower()) for each in ours]
                yield (name, str(row[table.primary_id]).lower()), [(each, to) for each, to in links if to in ids[each.parent]]
        except NotOffered:  # then the CRM says itself what has another version
            return

    def _emptied(
        self, written: Values[RowKey, int], deleted: Values[RowKey, int], found: Values[RowKey, list[tuple[Relationship, str]]]
    ) -> Emptied:
        emptied: dict[RowKey, dict[str, None]] = {}
        for key, at in written.items():
            for each, to in found.get(key, ()):
                if deleted.get((each.parent, to), at) < at:
                    emptied.setdefault(key, {})[f"{each.navigation}@odata.bind"] = None
        return emptied
