"""What the rows of tables of reference stand for: of each such table one column, read once."""

from connectors.dynamics.mapping.mapping import Column
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.interface.errors import Forbidden


class References:
    """The tables of reference of one CRM."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._values: dict[tuple[str, str], dict[str, str]] = {}

    def keys_of(self, column: Column, target: str) -> dict[str, str]:
        """Return the key for the id of each row of the table of reference that the mapping names. Raises
        ConnectorError: the table of reference cannot be read, which is never an empty answer."""
        assert column.reference is not None
        if not column.reference.by:
            return column.reference.keys
        values = self._read(target, column.reference.by)
        return {row: column.reference.keys[value] for row, value in values.items() if value in column.reference.keys}

    def _read(self, name: str, by: str) -> dict[str, str]:
        if (name, by) not in self._values:
            table = self._directory.table(name)
            try:
                rows = list(self._directory.all(table, by)) if table is not None else []
            except NotOffered as refusal:
                raise Forbidden(
                    f"The table of reference {name} may not be read: {refusal.reason}", hint="give the application user read access to it"
                ) from None
            primary = table.primary_id if table is not None else ""
            self._values[name, by] = {str(row[primary]).lower(): str(row[by]) for row in rows if row.get(by) is not None}
        return self._values[name, by]
