"""What rows of a dependent table are tied to by a table of links (N:N): each row with all that it belongs to.
Categories, and dossiers of a fiche, that are kept so are read in pairs.py."""

from collections.abc import Collection, Iterable, Iterator

from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.reading.columns import Columns
from connectors.dynamics.reading.page_values import FramedValues, Values
from connectors.dynamics.schema.metadata import Link, TableDefinition
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.interface.errors import ReadIncomplete


class Ties:
    """The pairs of one CRM's tables of links."""

    def __init__(self, directory: Directory, mapping: Mapping) -> None:
        self._directory, self._mapping = directory, mapping

    def rows_tied_to(self, table: Table, definition: TableDefinition, owners: Collection[str]) -> list[str]:
        """Return the ids of the rows that are tied to one of these. Raises as `fill`."""
        return sorted({row for row, _ in self._pairs(table, definition, owners, of_rows=False)})

    def fill(
        self,
        table: Table,
        definition: TableDefinition,
        values: Values | FramedValues | Columns,
        told: Iterable[tuple[str, str]] | None = None,
    ) -> None:
        """Write into rows what each is tied to. The CRM is asked for pairs, unless somebody else has `told`
        them. Raises ReadIncomplete: the pairs cannot be read, which never means that there are none."""
        owners: dict[str, list[str]] = {row: [] for row in values["id"]}
        for row, owner in self._pairs(table, definition, owners, of_rows=True) if told is None else told:
            if row in owners:
                owners[row].append(owner)
        kind = next((each.kind for each in self._mapping.named(link_of(table, definition).other(table.name))), None)
        found = [sorted(owners[row]) for row in values["id"]]
        values["regarding"] = [next(iter(each), None) for each in found]
        values["tied"] = [tuple(each[1:]) for each in found]
        values["regarding_kind"] = [kind if each else None for each in found]

    def _pairs(self, table: Table, definition: TableDefinition, ids: Collection[str], *, of_rows: bool) -> Iterator[tuple[str, str]]:
        link = link_of(table, definition)
        near, far = sides_of(table, link)
        pairs = self._directory.table(link.table)
        if pairs is None:
            raise ReadIncomplete("the table of links is not there", where=link.table)
        try:
            for pair in self._directory.rows(pairs, near if of_rows else far, ids, f"{near},{far}"):
                yield str(pair[near]).lower(), str(pair[far]).lower()
        except NotOffered as refusal:
            raise ReadIncomplete(
                f"what rows are tied to cannot be read: {refusal.reason}",
                hint="let the application user read both tables",
                where=link.table,
            ) from None


def link_of(table: Table, definition: TableDefinition) -> Link:
    """Return the relationship of a table of links, which the mapping was checked to name."""
    return next(link for link in definition.links if link.table == table.links)


def sides_of(table: Table, link: Link) -> tuple[str, str]:
    """Return the columns of a table of links: that of the table's own rows, then that of what they are tied
    to."""
    near = link.column(table.name)
    return near, link.two_column if near == link.one_column else link.one_column
