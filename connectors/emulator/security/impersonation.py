"""Acting on behalf of another user: the headers that ask for it, and who may. What is created then is the
other user's, and says on whose behalf by whom. Who impersonates themselves impersonates nobody. Source:
Microsoft Learn, "Impersonate another user using the Web API"."""

from connectors.emulator.errors import no_such_row
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.privileges import ACT_ON_BEHALF
from connectors.emulator.schema.values import guid
from connectors.emulator.security.access import Access, not_a_member

OBJECT_ID = "callerobjectid"
USER_ID = "mscrmcallerid"


def impersonate(operation: Operation, access: Access) -> None:
    """Make the operation the impersonated user's, where its headers ask for that. Raises WebApiError: 403 for
    who may not, or for an object id that belongs to no user here; 404 for a systemuserid that is none."""
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
