"""Which messages there are, and how each is addressed."""

from __future__ import annotations

from collections.abc import Callable

from connectors.emulator.exchange import Answer
from connectors.emulator.messages import (
    audit,
    blocks,
    bulk_delete,
    definition_changes,
    multiple,
    organisation,
    privileges,
    restore,
)
from connectors.emulator.messages.call import Call

Message = Callable[[Call], Answer]

# GET Name(…)
FUNCTIONS: dict[str, Message] = {
    "WhoAmI": organisation.who_am_i,
    "RetrieveVersion": organisation.retrieve_version,
    "RetrieveCurrentOrganization": organisation.retrieve_current_organization,
    "RetrieveTotalRecordCount": organisation.retrieve_total_record_count,
    "RetrieveRecordChangeHistory": audit.retrieve_record_change_history,
    "RetrieveAttributeChangeHistory": audit.retrieve_attribute_change_history,
    "RetrieveMetadataChanges": definition_changes.retrieve_metadata_changes,
}
# POST Name {…}
ACTIONS: dict[str, Message] = {
    "BulkDelete": bulk_delete.bulk_delete,
    "DeleteRecordChangeHistory": audit.delete_record_change_history,
    "DeleteAuditData": audit.delete_audit_data,
    "Restore": restore.restore,
    "InitializeFileBlocksUpload": blocks.initialize_upload,
    "InitializeAnnotationBlocksUpload": blocks.initialize_upload,
    "UploadBlock": blocks.upload_block,
    "CommitFileBlocksUpload": blocks.commit_upload,
    "CommitAnnotationBlocksUpload": blocks.commit_upload,
    "InitializeFileBlocksDownload": blocks.initialize_download,
    "InitializeAnnotationBlocksDownload": blocks.initialize_download,
    "DownloadBlock": blocks.download_block,
    "DeleteFile": blocks.delete_file,
}
# POST set/Microsoft.Dynamics.CRM.Name {…}
ACTIONS_ON_SET: dict[str, Message] = {
    "CreateMultiple": multiple.create_multiple,
    "UpdateMultiple": multiple.update_multiple,
    "UpsertMultiple": multiple.upsert_multiple,
    "DeleteMultiple": multiple.delete_multiple,
}
# GET set(id)/Microsoft.Dynamics.CRM.Name(…)
FUNCTIONS_ON_ROW: dict[str, Message] = {
    "RetrieveAuditDetails": audit.retrieve_audit_details,
    "RetrieveUserPrivileges": privileges.retrieve_user_privileges,
    "RetrieveRolePrivilegesRole": privileges.retrieve_role_privileges,
    "RetrievePrincipalAccess": privileges.retrieve_principal_access,
}
# POST set(id)/Microsoft.Dynamics.CRM.Name {…}
ACTIONS_ON_ROW: dict[str, Message] = {
    "AddPrivilegesRole": privileges.add_privileges,
    "ReplacePrivilegesRole": privileges.replace_privileges,
    "RemovePrivilegeRole": privileges.remove_privilege,
}
