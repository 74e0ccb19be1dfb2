"""What points to the rows of a table that others name by a lookup (N:1): a report to its statement, people to
their family. Each such row belongs to whatever points to it, and stays as long as anything does."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from connectors.dynamics.mapping.mapping import Mapping as TableMapping
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.reading.columns import Columns
from connectors.dynamics.reading.page_values import FramedValues, Values
from connectors.dynamics.schema.conditions import Scopes
from connectors.dynamics.schema.metadata import Metadata
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.interface.errors import ReadIncomplete
from rules.model.records import Record, of_kind

_WHOLE: Final = 500  # rows of a page from which all that point anywhere are read at once


# What points to the rows of one read, for each lookup that was read whole: who names each row.
Pointing = dict[tuple[str, str], defaultdict[str, list[str]]]

# The rows of a table there whose second column is one of some ids, with their first.
Retained = Callable[[KnownTable, str, str, Collection[str]], Iterator[dict[str, Any]]]


class Referrers:
    """The lookups of one CRM by which rows of mapped tables name rows of dependent ones."""

    def __init__(self, directory: Directory, mapping: TableMapping, metadata: Metadata, scopes: Scopes, retained: Retained) -> None:
        """`retained` gives the rows in long-term retention."""
        self._directory, self._mapping, self._metadata = directory, mapping, metadata
        self._scopes, self._retained = scopes, retained

    def rows_tied_to(self, table: Table, owners: Collection[str], *, also_in: str = "") -> list[str]:
        """Return the ids of the rows to which one of these points, also from another data source, `also_in`.
        Raises as `fill`; NotOffered: this account may not look there."""
        pairs = (self._pairs(name, lookup, owners, of_rows=False, also_in=also_in) for name, lookup in self._lookups(table))
        return sorted({row for found in pairs for row, _ in found})

    def fill(
        self,
        table: Table,
        values: Values | FramedValues | Columns | dict[str, list[Any]],
        *,
        also_in: str = "",
        pointing: Pointing | None = None,
    ) -> None:
        """Write into rows what points to each, of whatever kind. `pointing` is what pages of one read have in
        common: a large one reads a lookup whole, and those behind it ask no more. Raises ReadIncomplete: what
        points to them cannot be read, which never means that nothing does."""
        found = self._owners(table, values["id"], also_in=also_in, pointing=pointing)
        ordered = [sorted(found[row], key=lambda owner: (not owner[0], owner)) for row in values["id"]]
        values["regarding"] = [each[0][1] if each else None for each in ordered]
        values["regarding_kind"] = [each[0][0] or None if each else None for each in ordered]
        values["tied"] = [tuple(of_kind(*owner) for owner in each[1:]) for each in ordered]

    def fill_rows(self, table: Table, rows: Sequence[Record], *, also_in: str) -> None:
        """Write the same into records. Raises as `rows_tied_to`."""
        values: dict[str, list[Any]] = {"id": [row.id for row in rows]}
        self.fill(table, values, also_in=also_in)
        for name in values.keys() - {"id"}:
            for row, value in zip(rows, values[name], strict=True):
                setattr(row, name, value)

    def look(self, table: Table, rows: Collection[str]) -> None:
        """Ask for what points to some rows, whatever the answer (SUS-07). Raises as `fill`."""
        self._owners(table, rows)

    def _owners(
        self, table: Table, rows: Collection[str], *, also_in: str = "", pointing: Pointing | None = None
    ) -> defaultdict[str, set[tuple[str, str]]]:
        """Return the rows that point to each of these, as (kind, id); the kind is empty for one that is out
        of scope, which keeps what it points to as any other."""
        found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        for name, lookup in self._lookups(table):
            pairs = list(self._pairs(name, lookup, rows, of_rows=True, also_in=also_in, pointing=pointing))
            kinds = self._scopes.kinds_of(name, {owner for _, owner in pairs})
            for row, owner in pairs:
                found[row].add((kinds.get(owner) or "", owner))
        return found

    def _lookups(self, table: Table) -> list[tuple[str, str]]:
        """Return the lookups that lead to a table, as (table, column), each once. A kind may come from
        several tables of which not each has all."""
        named = {(each.name, lookup) for kind, lookups in table.leads.items() for each in self._mapping.of(kind) for lookup in lookups}
        definitions = {name: self._metadata.table(name) for name, _ in named}
        return sorted(each for each in named if (found := definitions[each[0]]) is not None and each[1] in found.attributes)

    def _pairs(
        self, name: str, lookup: str, ids: Collection[str], *, of_rows: bool, also_in: str = "", pointing: Pointing | None = None
    ) -> Iterator[tuple[str, str]]:
        """Yield each row that is named with the row that names it, those in long-term retention among them;
        `ids` are those of the former, or of the latter."""
        known = self._directory.table(name)
        if known is None:
            raise ReadIncomplete("the table is not there", where=name)
        column = f"_{lookup}_value"
        try:
            if of_rows and (len(ids) > _WHOLE or (name, lookup) in (pointing or {})):
                yield from self._whole(known, lookup, ids, {} if pointing is None else pointing)
            else:
                yield from _told(self._directory.rows(known, column if of_rows else known.primary_id, ids, column), known, lookup)
            yield from _told(self._retained(known, lookup, lookup if of_rows else known.primary_id, ids), known, lookup)
        except NotOffered as refusal:
            hint = "let the application user read the whole table"
            raise ReadIncomplete(f"what points to rows cannot be read: {refusal.reason}", hint=hint, where=name) from None
        if also_in:
            yield from _told(
                self._directory.rows_in_source(known, also_in, (lookup,), lookup if of_rows else known.primary_id, ids), known, lookup
            )

    def _whole(self, known: KnownTable, lookup: str, ids: Collection[str], pointing: Pointing) -> Iterator[tuple[str, str]]:
        """Yield the pairs of some rows out of all that there are, read once."""
        if (known.name, lookup) not in pointing:
            found: defaultdict[str, list[str]] = defaultdict(list)
            for row, owner in _told(self._directory.where(known, f"_{lookup}_value ne null", f"_{lookup}_value"), known, lookup):
                found[row].append(owner)
            pointing[known.name, lookup] = found
        owners = pointing[known.name, lookup]
        yield from ((row, owner) for row in ids for owner in owners.get(row, ()))


def _told(rows: Iterator[dict[str, object]], known: KnownTable, lookup: str) -> Iterator[tuple[str, str]]:
    for row in rows:
        if (to := row.get(f"_{lookup}_value") or row.get(lookup)) is not None:
            yield str(to).lower(), str(row[known.primary_id]).lower()
