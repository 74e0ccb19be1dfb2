"""All that stands between a caller and the rows, put together once for an organisation."""

from connectors.emulator.request.exchange import Operation
from connectors.emulator.security.access import Access
from connectors.emulator.security.columns import SecuredColumns
from connectors.emulator.security.custom_logic import CustomLogic
from connectors.emulator.security.duplicates import DuplicateDetection
from connectors.emulator.security.impersonation import impersonate
from connectors.emulator.security.roles import Roles
from connectors.emulator.security.sight import Sight
from connectors.emulator.storage.tables import Tables


class Gate:
    """Checks before each operation who it is, and has its guards called before each write."""

    def __init__(self, tables: Tables) -> None:
        self.roles = Roles(tables)
        self.access = Access(tables, self.roles)
        self.columns = SecuredColumns(self.access)
        self.custom_logic = CustomLogic(tables, self.access)
        tables.guards = [self.access, self.columns, DuplicateDetection(tables), self.custom_logic]

    def enter(self, operation: Operation) -> None:
        """Find out for whom the operation is, and whether they may come in. Raises WebApiError: 403."""
        self.access.admit(operation)
        if operation.caller is None:
            impersonate(operation, self.access)
            if operation.caller is not None:
                self.access.admit(operation)
        self.custom_logic.check_headers(operation)

    def sight(self, operation: Operation) -> Sight:
        return Sight(self.access, self.columns, operation)
