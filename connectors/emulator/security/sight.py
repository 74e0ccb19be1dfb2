"""What one caller gets to see, put to a query. Nothing is decided here: which rows, by the depth of
privileges, is decided in privileges_on_rows.py, which columns of them in columns.py."""

from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import Column, Table
from connectors.emulator.security.privileges_on_rows import Access
from connectors.emulator.security.secured_columns import SecuredColumns


class Sight:
    """Consulted while a query is turned into SQL."""

    def __init__(self, access: Access, columns: SecuredColumns, operation: Operation) -> None:
        self.access, self.columns, self.operation = access, columns, operation

    def rows(self, table: Table, alias: str) -> list[str]:
        """Return conditions for a WHERE; none where the caller sees all rows. 403 without the privilege to
        read the table."""
        condition = self.access.visible(self.operation, table, alias)
        return [] if condition is None else [condition]

    def hides(self, table: Table, column: Column) -> bool:
        return self.columns.hidden(self.operation, table, column)
