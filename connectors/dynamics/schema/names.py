"""What the CRM calls rows of unmapped tables, such as the organisation for which a contact works."""

from collections.abc import Collection

import msgspec

from connectors.dynamics.http.query import literal, query_string
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.interface.errors import ReadIncomplete
from connectors.interface.warnings import warn_once


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
        try:
            return str(msgspec.json.decode(answer.body)["PrimaryNameAttribute"] or "")
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, RecursionError):
            raise ReadIncomplete("The CRM's definition of a table is not readable.", where=name, request_id=answer.request_id) from None
