"""The rows of the tables of reference against the keys that the mapping gives them: a row that no key stands
for leaves whatever points to it undecided, and a key that no row has is likely a slip."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from connectors.dynamics.http.query import guid
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import CONNECTION, Column, Table
from connectors.dynamics.mapping.mapping import Mapping as CrmMapping
from connectors.dynamics.schema.checks.unmapped_options import count_of_kind, effect_on, told_rows
from connectors.dynamics.schema.counts import count_up_to_limit, count_where
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.schema.names import Naming
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.interface.errors import Finding, Forbidden
from rules.files.suggestions import asked, suggestion

MOST_WORDS: Final = 60  # rows of a list: of a table with more nobody takes each for a word
_MOST: Final = 40  # rows told one by one, with how many others point to each


class ReferenceRows:
    """The tables of reference of one CRM, each read once."""

    def __init__(self, transport: Transport, metadata: Metadata, directory: Directory, naming: Naming) -> None:
        self._transport, self._metadata, self._directory, self._naming = transport, metadata, directory, naming
        self._listed: dict[str, Collection[str]] = {}

    def check(self, mapping: CrmMapping) -> Iterator[Finding]:
        """Yield a warning for each row of a table of reference that no key stands for, with how many rows
        have it, and for each key that no row has. Of roles of connections, those that some connection has:
        the platform brings more. Raises ConnectorError."""
        for table in mapping.tables:
            for column in (*table.columns.values(), *table.personal.values()):
                if column.reference is not None:
                    for name in column.keyed:
                        yield from self._check(table, column, name)
            for column in table.pairs.values():
                if column.reference is not None:
                    yield from self._check(table, column, column.name)

    def shown(self, table: Table, column: Column, name: str) -> Mapping[str, str]:
        """Return what people see of the rows of a table of reference, by what the mapping tells them apart;
        none of two that it cannot, nor where this account may not look. Raises ConnectorError."""
        definition, reference = self._metadata.table(table.name), column.reference
        place = self._place(definition, name) if definition is not None else None
        known = self._directory.table(place[0]) if place is not None else None
        if place is None or known is None or reference is None:
            return {}
        try:
            values = _values(self._directory, known, reference.by)
        except NotOffered:
            return {}
        names, times = self._naming.names(place[0], None), Counter(values.values())
        return {value: names[row] for row, value in values.items() if row in names and times[value] == 1}

    def listed(self, target: str) -> Collection[str]:
        """Return what the CRM calls the rows of a table that may be a list of words: none of one with many,
        or that leads to people, nor where this account may not look. Raises ConnectorError."""
        if target not in self._listed:
            described = self._metadata.table(target)
            self._listed[target] = sorted(self._names_of_few(described)) if described is not None else ()
        return self._listed[target]

    def _names_of_few(self, table: TableDefinition) -> Collection[str]:
        if any("contact" in each.targets for each in table.attributes.values()):
            return ()
        try:
            number = count_up_to_limit(self._transport, table.set_name, table.primary_id, table.name)
        except Forbidden:
            return ()
        return self._naming.names(table.name, None).values() if number is not None and number <= MOST_WORDS else ()

    def _check(self, table: Table, column: Column, name: str) -> Iterator[Finding]:
        definition, reference = self._metadata.table(table.name), column.reference
        place = self._place(definition, name) if definition is not None else None
        if definition is None or place is None or reference is None:
            return  # told by itself
        target, pointing, condition = place
        known, described = self._directory.table(target), self._metadata.table(target)
        if known is None or described is None or (reference.by and reference.by not in described.attributes):
            return  # so is this
        try:
            values = _values(self._directory, known, reference.by)
        except NotOffered as refusal:
            told = f"The table of reference {target} may not be read ({refusal.reason}): give the application user read access to it."
            yield Finding(True, told, column.where, "no_table")
            return
        there = set(values.values())
        for key, where in reference.where.items():
            wanted = key if reference.by else key.strip("{}").lower()
            if wanted not in there:
                like = suggestion(key, {value for value in there if value not in reference.keys})
                by = f" with {reference.by} {key}" if reference.by else f" {key}"
                yield Finding(False, f"{target} has no row{by} ({reference.keys[wanted]}){asked(like) or '.'}", where, "no_option", like)
        lacking = {row: value for row, value in values.items() if value not in reference.keys}
        effect = effect_on(column.field)
        doubled = Counter(values.values())
        names = self._naming.names(target, list(lacking)[:_MOST])
        for row, value in list(lacking.items())[:_MOST]:
            number = self._count(table, definition, pointing, condition.format(guid(row)))
            if number == 0 and table.name == CONNECTION:
                continue
            by = f"{reference.by} {value or 'empty'}" if reference.by else f"id {row}"
            by += f" ({names[row]})" if names.get(row, value) != value else ""
            rows = f"{told_rows(number)} of {pointing.name}"
            rows += f" ({name})" if name in column.more else ""
            again = f", {doubled[value]} times" if doubled[value] > 1 else ""
            told = f"{target} has a row with {by}{again}, for which {table.kind}.{column.field} has no key: it {effect}, in {rows}."
            yield Finding(False, told, column.place(name), "option_left_out")
        if len(lacking) > _MOST:
            told = f"{target} has {len(lacking) - _MOST} more rows for which {table.kind}.{column.field} has no key."
            yield Finding(False, told, column.place(name), "option_left_out")

    def _count(self, table: Table, definition: TableDefinition, pointing: TableDefinition, condition: str) -> int | None:
        if pointing is definition:
            return count_of_kind(self._transport, table, definition, condition)
        return count_where(self._transport, pointing.set_name, pointing.primary_id, pointing.name, condition)

    def _place(self, definition: TableDefinition, name: str) -> tuple[str, TableDefinition, str] | None:
        """Return the table of reference, the table whose rows point to it, and the condition by which these
        are found; None where the mapping does not fit the CRM."""
        attribute = definition.attributes.get(name)
        if attribute is not None:
            return (next(iter(attribute.targets)), definition, f"_{name}_value eq {{}}") if len(attribute.targets) == 1 else None
        link = definition.link(name)
        pairs = self._metadata.table(link.table) if link is not None else None
        if link is None or pairs is None:
            return None
        other = link.other(definition.name)
        return other, pairs, f"{link.column(other)} eq {{}}"


def _values(directory: Directory, table: KnownTable, by: str) -> Mapping[str, str]:
    """Return by which each row is told apart, by id: the value of a column, else the id itself. Raises
    NotOffered."""
    rows = directory.all(table, by or table.primary_id)
    return {str(row[table.primary_id]).lower(): str(row.get(by) or "") if by else str(row[table.primary_id]).lower() for row in rows}
