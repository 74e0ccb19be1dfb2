"""Rows in long-term retention that a job would remove along with others there, since their relationship
cascades. Nothing can be written to such a row, so that no link of it can be emptied first: one that belongs
to something that stays as well would be removed with the first and not with the last. ERA-12, line 10."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from connectors.dynamics.mapping.mapping import CONNECTION, Mapping
from connectors.dynamics.residual.bin_and_retention import RETAINED
from connectors.dynamics.residual.long_term import LongTerm
from connectors.dynamics.residual.unmapped_children import PLATFORM
from connectors.dynamics.schema.metadata import CASCADE, Metadata, Relationship
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.interface.remains import DependentRow, RowKey


class RetainedChildren:
    """The rows of mapped tables that depend on rows in the long-term retention of one CRM."""

    def __init__(self, mapping: Mapping, metadata: Metadata, directory: Directory, long_term: LongTerm) -> None:
        self._mapping, self._metadata, self._directory, self._long_term = mapping, metadata, directory, long_term

    def dependent_rows(self, rows: Collection[RowKey]) -> list[DependentRow]:
        """Return the rows of mapped tables that would be removed with these and are not among them, at any
        depth. A table that may not be read there is reported with an empty id. Raises ConnectorError: it
        cannot be determined."""
        roots = {key: key for key in rows}
        found: list[DependentRow] = []
        level = list(roots)
        while level:
            below = [(row, roots[on]) for row, on in self._on(level) if row not in roots]
            found += [DependentRow(row, root, cascades=False) for row, root in below if self._mapping.named(row[0])]
            roots |= {row: root for row, root in below if row[1]}
            level = [row for row, _ in below if row[1]]
        return list(dict.fromkeys(found))

    def _on(self, rows: Collection[RowKey]) -> Iterator[tuple[RowKey, RowKey]]:
        by_table: defaultdict[str, list[str]] = defaultdict(list)
        for name, row in rows:
            by_table[name].append(row)
        for parent, ids in by_table.items():
            definition = self._metadata.table(parent)
            ties = [each for each in definition.children if _takes_along(each)] if definition is not None else []
            known = self._directory.known(self._long_term.tables({each.child for each in ties}))
            for each in ties:
                if (table := known.get(each.child)) is None:
                    continue
                try:
                    there = self._directory.in_source(table, RETAINED, each.column, ids)
                except NotOffered:
                    there = {("", row) for row in ids}
                yield from (((each.child, row.lower()), (parent, on.lower())) for row, on in there)


def _takes_along(each: Relationship) -> bool:
    """Return whether the CRM removes rows with what they point to. Participants and the other halves of
    connections have no life of their own."""
    return each.on_delete == CASCADE and each.child not in PLATFORM | {CONNECTION}
