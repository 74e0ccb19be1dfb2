"""Who comes in, and on whose behalf (impersonation); all that stands between a caller and the rows is put
together here, once for an organisation. What a caller may do, and to which rows, is decided in
privileges_on_rows.py."""

from connectors.emulator.errors import no_such_row
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.privileges import ACT_ON_BEHALF
from connectors.emulator.schema.values import guid
from connectors.emulator.security.custom_logic import CustomLogic
from connectors.emulator.security.duplicates import DuplicateDetection
from connectors.emulator.security.privileges_on_rows import Access, not_a_member
from connectors.emulator.security.roles import Roles
from connectors.emulator.security.secured_columns import SecuredColumns
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


OBJECT_ID = "callerobjectid"
USER_ID = "mscrmcallerid"


def impersonate(operation: Operation, access: Access) -> None:
    """Make the operation the impersonated user's, where its headers ask for that: what is created then is
    theirs, and says on whose behalf by whom. Source: Microsoft Learn, "Impersonate another user using the Web
    API". Raises WebApiError: 403 for who may not, or for an object id that belongs to no user here; 404 for a
    systemuserid that is none."""
    if OBJECT_ID not in operation.headers and USER_ID not in operation.headers:
        return
    access.require_named(operation, ACT_ON_BEHALF)
    users = access.tables.environment.tables["systemuser"]
    if OBJECT_ID in operation.headers:
        object_id = guid(operation.headers[OBJECT_ID])
        user = access.tables.find(users, {"azureactivedirectoryobjectid": object_id}) if object_id else None
        if user is None:
            raise not_a_member()
    else:
        given = operation.headers[USER_ID]
        user = guid(given)
        if user is None or not access.tables.exists(users, user):
            raise no_such_row("systemuser", user or given)
    if user != operation.user:
        operation.caller, operation.user = operation.user, user
