"""Secured columns: null for who may not read them, refused to who may not write them. A field security
profile says who may; System Administrator may everything. Source: section 2.4 of the wire reference;
Microsoft Learn, "Column-level security"."""

from connectors.emulator.errors import WebApiError
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import Column, Table
from connectors.emulator.security.privileges_on_rows import Access
from connectors.emulator.security.roles import Fields, Rights
from connectors.emulator.storage.write_hooks import Guard, Row

DENIED = "0x8004f507"
_NOTHING = Fields()


class SecuredColumns(Guard):
    def __init__(self, access: Access) -> None:
        self.access = access

    def hidden(self, operation: Operation, table: Table, column: Column) -> bool:
        """Return whether the caller sees null instead of the value."""
        return column.secured and not all(allowed(rights, table, column).read for rights in self.access.principals(operation))

    def creating(self, operation: Operation, table: Table, values: Row, asked: Row) -> None:
        for column in _secured(table, asked):
            if not all(allowed(rights, table, column).create for rights in self.access.principals(operation)):
                raise _denied("Create", table, column)

    def updating(self, operation: Operation, table: Table, row_id: str, values: Row) -> None:
        for column in _secured(table, values):
            if not all(allowed(rights, table, column).update for rights in self.access.principals(operation)):
                raise _denied("Update", table, column)


def _secured(table: Table, values: Row) -> list[Column]:
    return [column for name in values if (column := table.columns.get(name)) is not None and column.secured]


def allowed(rights: Rights, table: Table, column: Column) -> Fields:
    """Return what a user may do with a secured column."""
    if rights.administrator:
        return Fields(read=True, create=True, update=True)
    return rights.fields.get((table.name, column.name), _NOTHING)


def _denied(message: str, table: Table, column: Column) -> WebApiError:
    return WebApiError(
        403, DENIED, f"The user does not have {message} permissions for the secured attribute '{column.name}' of entity '{table.name}'."
    )
