"""What the CRM keeps of a row beside the row itself, and after it (ERA-12)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from connectors.dynamics.http.query import guid
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.protocols.kinds import MappedKinds
from connectors.dynamics.residual.bin_and_retention import BIN, REFERENCE
from connectors.dynamics.schema.role_places import RolePlace, swapped
from connectors.dynamics.schema.unmapped_tables import KnownTable, NotOffered
from connectors.interface.changes import IsDue, always_due
from connectors.interface.errors import ReadIncomplete
from connectors.interface.remains import BinnedOrRetained, DependentRow, DocumentLocation, Reach, ResidualData, ResidualKind, RowKey
from connectors.interface.rows import NOBODY, Among
from rules.model.kinds import NOT_BY_THEMSELVES
from rules.model.records import Party, Record


class Remains(MappedKinds):
    """What the CRM keeps of rows beside them."""

    def binned_or_retained(
        self, residual: ResidualKind, record: type[Record], fields: Iterable[str], among: Among | None
    ) -> BinnedOrRetained:
        if among is not None and not among.ids:
            return BinnedOrRetained(Reach.READ)
        fields = tuple(fields)
        try:
            found = [self._binned_or_retained_in(table, residual, record, fields, among) for table in self._keeping(residual, record)]
        except NotOffered:  # what points there
            return BinnedOrRetained(Reach.NOT_REACHABLE)
        if any(each.reach is Reach.NOT_REACHABLE for each in found):
            return BinnedOrRetained(Reach.NOT_REACHABLE)
        kept = any(each.reach is Reach.READ for each in found) or not found
        rows = tuple(row for each in found for row in each.rows)
        return BinnedOrRetained(Reach.READ if kept else Reach.NOT_KEPT, rows)

    def look_into(self, residual: ResidualKind, record: type[Record]) -> Reach | None:
        try:
            known = {each.name: KnownTable.of(self._tables.definition(each)) for each in self._keeping(residual, record)}
            have_any = [self._binned_or_retained.has_any(residual, each) for each in known.values()]
        except NotOffered:  # rows of some ids may be told all the same
            return self.binned_or_retained(residual, record, (), Among("id", [NOBODY])).reach
        return Reach.READ if any(have_any) else None

    def _keeping(self, residual: ResidualKind, record: type[Record]) -> tuple[Table, ...]:
        tables = self.mapping.tables_of(record)
        if residual is not ResidualKind.RETAINED or len(tables) == 1:
            return tables
        keeping = self._long_term.tables({table.name for table in tables})
        return tuple(table for table in tables if table.name in keeping)  # one that keeps nothing there may not be asked

    def _binned_or_retained_in(
        self, table: Table, residual: ResidualKind, record: type[Record], fields: Iterable[str], among: Among | None
    ) -> BinnedOrRetained:
        definition, place = self._tables.definition(table), self._tables.place(table)
        is_untied = residual is ResidualKind.RETAINED and "dossier" in table.pairs  # pairs are those of live rows
        if is_untied:
            among = None
        fields = tuple(fields)
        also_in = BIN if residual is ResidualKind.BIN and self._directory.table(REFERENCE) is not None else ""
        if among is not None and among.field == "regarding" and table.leads:
            among = Among("id", self._behind.rows_tied_to(table, among.ids, also_in=also_in) or among.ids[:1])
        if among is not None and self._tables.filter_column(table, definition, among.field) is None:
            return BinnedOrRetained(Reach.READ)
        column = definition.primary_id if among is None or among.field == "id" else table.columns_of(table.full)[among.field].name
        ids = among.ids if among is not None else None
        if ids is not None and place is RolePlace.UNIT and among is not None and among.field == "id":
            ids = [swapped(row, table) for row in ids]
        decoder = self._tables.decoder(table, definition, fields, record)
        found = self._binned_or_retained.read(residual, KnownTable.of(definition), decoder, column, ids, (table, definition))
        if is_untied and found.rows:
            hint = "restore them, or let them be deleted there, before they count in any decision"
            raise ReadIncomplete(f"Nobody can tell to which dossiers {table.name} in retention belongs.", hint=hint, where=table.name)
        if table.leads and "regarding" in fields:
            self._behind.fill_rows(table, found.rows, also_in=also_in)
        return found if place is RolePlace.OWN else replace(found, rows=tuple(row for row in found.rows if _is_role(row)))

    def changed_lately(self, record: type[Record], row: str, fields: Collection[str], since: datetime) -> frozenset[str] | None:
        """Return which of these fields of a row were changed at or after an instant, by its audit history;
        creating the row is not a change (IDV-05).

        None: it cannot be determined, because there is no history of the row or of these columns, or it may
            not be read, or was purged since.

        Raises:
            ConnectorError: the CRM cannot be queried now."""
        table = self.mapping.table(record)
        known = table.columns_of(table.full) if table is not None else {}
        columns = {known[field].name: field for field in fields if field in known}
        if table is None or not columns:
            return frozenset()
        changed = self._places.history.changed((table.name, guid(row)), columns, since)
        return None if changed is None else frozenset(columns[name] for name in changed)

    def retaining(self, records: Collection[type[Record]]) -> frozenset[type[Record]]:
        tables = {record: {table.name for table in self.mapping.tables_of(record)} for record in records}
        found = self._long_term.tables({name for names in tables.values() for name in names})
        return frozenset(record for record, names in tables.items() if not names.isdisjoint(found))

    def retained_rows(self) -> dict[str, int]:
        """Return how many rows of each mapped table are in long-term retention. A participant belongs to its
        activity and is not counted."""
        return self._long_term.rows({table.name for table in self.mapping.tables if table.kind not in NOT_BY_THEMSELVES})

    def may_purge_retained(self) -> bool:
        return self._places.may_run_jobs()

    @property
    def beyond_reach(self) -> frozenset[str]:
        return self.mapping.beyond_reach

    @property
    def copies(self) -> tuple[str, ...] | None:
        return self.mapping.copies

    def residual_data(self, residual: ResidualKind, rows: Collection[RowKey]) -> ResidualData:
        return self._places.find(residual, rows)

    def kept(self, residual: ResidualKind, tables: Collection[str]) -> Iterator[RowKey]:
        """Yield every row of these tables, existing or deleted, of which one place keeps something; more rows
        than those where the CRM does not say. Raises ConnectorError: it cannot be determined."""
        return self._places.kept(residual, tables)

    def purge(
        self, residual: ResidualKind, rows: Collection[RowKey], *, alive: Collection[RowKey] = (), is_due: IsDue = always_due
    ) -> frozenset[RowKey]:
        """Remove what `residual_data` finds of these rows, of which `alive` still exist, where it is due
        after a wait too. Return the rows for which the CRM does not permit it. Raises ConnectorError: the
        outcome cannot be determined; the next run looks again."""
        return self._places.purge(residual, rows, alive, is_due)

    def needs_row_for_history(self) -> bool:
        return bool(self._places.history.why_no_jobs())

    def dependent_rows(self, rows: Collection[RowKey], *, restricting: bool = False) -> list[DependentRow]:
        """Return the rows of unmapped tables that depend on these, according to the CRM's relationships.
        Raises ConnectorError: it cannot be determined."""
        return self._children.dependent_rows(rows, restricting=restricting)

    def tied_to_people(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return those of these rows, which remain, that a contact leads to by the CRM's relationships.
        Raises ConnectorError: it cannot be determined."""
        return self._children.tied_to_people(rows)

    def depended_on(self, tables: Collection[str]) -> set[str]:
        """Return those of these tables on whose rows any row of an unmapped table depends. Raises
        ConnectorError: it cannot be determined."""
        return self._children.depended_on(tables)

    def pointing(self, record: type[Record], rows: Iterable[str]) -> set[tuple[str, str]]:
        return self._pointers.among(self.tables(record), rows)

    def taken_along(self) -> frozenset[str]:
        return self._children.taken_along()

    def retained_dependent_rows(self, rows: Collection[RowKey]) -> list[DependentRow]:
        """Return the rows of mapped tables in long-term retention that a job would remove along with these,
        which are there too. Raises ConnectorError: it cannot be determined."""
        return self._retained_children.dependent_rows(rows)

    def document_locations(self, rows: Collection[RowKey] | None = None) -> list[DocumentLocation]:
        return self._locations.read(rows)

    def existing(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return which of these rows, of mapped tables or others, exist. Raises ConnectorError."""
        return self._places.existing(rows)


def _is_role(row: Record) -> bool:
    """Return whether a row says of a person that they are in a dossier or a fiche."""
    return isinstance(row, Party) and row.contact is not None and (row.dossier or row.fiche) is not None
