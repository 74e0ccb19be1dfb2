"""Which messages there are, and how each is addressed."""

from collections.abc import Callable

from connectors.emulator.messages import (
    audit,
    bulk_delete,
    definition_changes,
    duplicate_rules,
    file_blocks,
    incidents,
    merge,
    multiple,
    organisation,
    privileges,
    restore,
    retain,
)
from connectors.emulator.messages.call import Call
from connectors.emulator.request.exchange import Answer

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
    "RetrieveRolePrivilegesRole": privileges.retrieve_role_privileges,
}
# POST Name {…}
ACTIONS: dict[str, Message] = {
    "BulkDelete": bulk_delete.bulk_delete,
    "DeleteRecordChangeHistory": audit.delete_record_change_history,
    "DeleteAuditData": audit.delete_audit_data,
    "Restore": restore.restore,
    "CloseIncident": incidents.close_incident,
    "Merge": merge.merge,
    "Retain": retain.retain,
    "BulkRetain": retain.bulk_retain,
    "RollbackRetain": retain.rollback_retain,
    "PurgeRetainedContent": retain.purge_retained_content,
    "ValidateRetentionConfig": retain.validate_retention_config,
    "UnpublishDuplicateRule": duplicate_rules.unpublish,
    "InitializeFileBlocksUpload": file_blocks.initialize_file_upload,
    "InitializeAnnotationBlocksUpload": file_blocks.initialize_body_upload("annotation"),
    "InitializeAttachmentBlocksUpload": file_blocks.initialize_body_upload("activitymimeattachment"),
    "UploadBlock": file_blocks.upload_block,
    "CommitFileBlocksUpload": file_blocks.commit_file_upload,
    "CommitAnnotationBlocksUpload": file_blocks.commit_body_upload("annotation"),
    "CommitAttachmentBlocksUpload": file_blocks.commit_body_upload("activitymimeattachment"),
    "InitializeFileBlocksDownload": file_blocks.initialize_file_download,
    "InitializeAnnotationBlocksDownload": file_blocks.initialize_body_download("annotation"),
    "InitializeAttachmentBlocksDownload": file_blocks.initialize_body_download("activitymimeattachment"),
    "DownloadBlock": file_blocks.download_block,
    "DeleteFile": file_blocks.delete_file,
}
# POST set/Microsoft.Dynamics.CRM.Name {…}; not there on-premises
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
    "RetrievePrincipalAccess": privileges.retrieve_principal_access,
    "RetrievePrincipalAttributePrivileges": privileges.retrieve_principal_attribute_privileges,
}
# POST set(id)/Microsoft.Dynamics.CRM.Name {…}
ACTIONS_ON_ROW: dict[str, Message] = {
    "AddPrivilegesRole": privileges.add_privileges,
    "ReplacePrivilegesRole": privileges.replace_privileges,
    "RemovePrivilegeRole": privileges.remove_privilege,
    "PublishDuplicateRule": duplicate_rules.publish,
}
