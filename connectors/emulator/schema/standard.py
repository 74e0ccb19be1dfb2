"""What the platform itself has numbered and named: type codes, schema names, states of its tables."""

from connectors.emulator.schema.environment import Labels

# Object type codes; a custom table gets one from 10,000.
STANDARD = {
    "account": 1,
    "contact": 2,
    "annotation": 5,
    "systemuser": 8,
    "team": 9,
    "businessunit": 10,
    "organization": 1019,
    "transactioncurrency": 9105,
    "activitypointer": 4200,
    "email": 4202,
    "phonecall": 4210,
    "activityparty": 135,
    "task": 4212,
    "letter": 4207,
    "role": 1036,
    "privilege": 1023,
    "fieldsecurityprofile": 1200,
    "fieldpermission": 1201,
    "duplicaterule": 4414,
    "duplicaterulecondition": 4416,
    "duplicaterecord": 4415,
    "sdkmessageprocessingstep": 4608,
    "systemuserroles": 15,
    "roleprivileges": 12,
    "audit": 4567,
    "savedquery": 1039,
    "userquery": 4230,
    "asyncoperation": 4700,
    "bulkdeleteoperation": 4424,
    "bulkdeletefailure": 4425,
    "opportunity": 3,
    "lead": 4,
    "incident": 112,
    "subject": 129,
    "activitymimeattachment": 1001,
    "product": 1024,
    "queue": 2020,
    "queueitem": 2029,
    "connectionrole": 3231,
    "connection": 3234,
    "appointment": 4201,
    "fax": 4204,
    "incidentresolution": 4206,
    "list": 4300,
    "campaign": 4400,
    "post": 8000,
    "sharepointsite": 9502,
    "sharepointdocumentlocation": 9508,
}
# Schema names that are more than the name with a capital.
SCHEMA_NAMES = {
    "phonecall": "PhoneCall",
    "activityparty": "ActivityParty",
    "activitypointer": "ActivityPointer",
    "systemuser": "SystemUser",
    "businessunit": "BusinessUnit",
    "transactioncurrency": "TransactionCurrency",
    "deleteditemreference": "DeletedItemReference",
    "recyclebinconfig": "RecycleBinConfig",
    "fieldsecurityprofile": "FieldSecurityProfile",
    "fieldpermission": "FieldPermission",
    "duplicaterule": "DuplicateRule",
    "duplicaterulecondition": "DuplicateRuleCondition",
    "duplicaterecord": "DuplicateRecord",
    "sdkmessageprocessingstep": "SdkMessageProcessingStep",
    "savedquery": "SavedQuery",
    "userquery": "UserQuery",
    "asyncoperation": "AsyncOperation",
    "bulkdeleteoperation": "BulkDeleteOperation",
    "bulkdeletefailure": "BulkDeleteFailure",
    "activitymimeattachment": "ActivityMimeAttachment",
    "queueitem": "QueueItem",
    "connectionrole": "ConnectionRole",
    "incidentresolution": "IncidentResolution",
    "sharepointsite": "SharePointSite",
    "sharepointdocumentlocation": "SharePointDocumentLocation",
}

ACTIVE: dict[int, tuple[Labels, dict[int, Labels]]] = {
    0: ({"nl": "Actief", "fr": "Actif", "en": "Active"}, {1: {"nl": "Actief", "fr": "Actif", "en": "Active"}}),
    1: ({"nl": "Inactief", "fr": "Inactif", "en": "Inactive"}, {2: {"nl": "Inactief", "fr": "Inactif", "en": "Inactive"}}),
}
OPEN: Labels = {"nl": "Openstaand", "fr": "Ouvert", "en": "Open"}
COMPLETED: Labels = {"nl": "Voltooid", "fr": "Terminé", "en": "Completed"}
CANCELED: Labels = {"nl": "Geannuleerd", "fr": "Annulé", "en": "Canceled"}
_MADE: Labels = {"nl": "Uitgevoerd", "fr": "Effectué", "en": "Made"}
_RECEIVED: Labels = {"nl": "Ontvangen", "fr": "Reçu", "en": "Received"}
_SENT: Labels = {"nl": "Verzonden", "fr": "Envoyé", "en": "Sent"}
ACTIVITY_STATES: dict[str, dict[int, tuple[Labels, dict[int, Labels]]]] = {
    "email": {
        0: (OPEN, {1: {"nl": "Concept", "fr": "Brouillon", "en": "Draft"}, 8: {"nl": "Mislukt", "fr": "Échec", "en": "Failed"}}),
        1: (COMPLETED, {2: COMPLETED, 3: _SENT, 4: _RECEIVED, 6: {"en": "Pending Send"}, 7: {"en": "Sending"}}),
        2: (CANCELED, {5: CANCELED}),
    },
    "": {0: (OPEN, {1: OPEN}), 1: (COMPLETED, {2: _MADE, 4: _RECEIVED}), 2: (CANCELED, {3: CANCELED})},
}
