"""What the CRM calls rows of unmapped tables, such as the organisation for which a contact works; and
values of a field that no key stands for: options by their number, rows of tables of reference by their id."""

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from connectors.dynamics.http.query import literal, query_string
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Column, Mapping
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.interface.errors import warn_once


class Naming:
    """The primary names of rows in one CRM."""

    def __init__(self, transport: Transport, directory: Directory, warnings: list[str]) -> None:
        self._transport, self._directory, self._warnings = transport, directory, warnings

    def names(self, name: str, ids: Collection[str] | None) -> dict[str, str]:
        """Return names by id; of all rows where no ids are given. Raises as `Connector.names`."""
        if (ids is not None and not ids) or (table := self._directory.table(name)) is None or not (column := self._name_column(name)):
            return {}
        try:
            rows = list(
                self._directory.rows(table, table.primary_id, ids, column) if ids is not None else self._directory.all(table, column)
            )
        except NotOffered as refusal:
            warn_once(self._warnings, f"names are left out: {refusal.reason}")
            return {}
        return {str(row[table.primary_id]).lower(): str(row[column]) for row in rows if row.get(column)}

    def _name_column(self, name: str) -> str:
        address = f"EntityDefinitions(LogicalName={literal(name)})?{query_string({'$select': 'PrimaryNameAttribute'})}"
        answer = self._transport.get(address, where=name)
        with answer.readable("The CRM's definition of a table is not readable.", where=name):
            return str(msgspec.json.decode(answer.body)["PrimaryNameAttribute"] or "")


_ID: Final = 36  # signs of an id


def value_names(mapping: Mapping, metadata: Metadata, naming: Naming, field: str, values: Collection[str]) -> dict[str, str]:
    """Return a name for each of these values that has one, of whatever kind the field is. Raises
    ConnectorError."""
    found: dict[str, str] = {}
    for table in mapping.tables:
        columns = [column for columns in (table.columns, table.personal, table.pairs) if (column := columns.get(field)) is not None]
        definition = metadata.table(table.name) if columns else None
        if definition is None:
            continue
        for column in columns:
            if column.reference is not None:
                for target in dict.fromkeys(_targets(definition, column)):
                    found |= naming.names(target, sorted({value for value in values if len(value) == _ID} - found.keys()))
            else:
                options = [definition.attributes[name].options or {} for name in column.keyed if name in definition.attributes]
                found |= {str(value): label for each in options for value, label in each.items() if str(value) in values and label}
    return found


def _targets(definition: TableDefinition, column: Column) -> Iterator[str]:
    """Yield the tables of reference of a column, or of pairs."""
    for name in column.keyed:
        if (attribute := definition.attributes.get(name)) is not None:
            yield from attribute.targets
        elif (link := definition.link(name)) is not None:
            yield link.other(definition.name)
