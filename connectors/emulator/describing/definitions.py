"""Tables, columns, relationships and choices as the metadata documents that describe them."""

from typing import Any

from connectors.emulator.querying.labels import YES_NO, options_of
from connectors.emulator.schema.environment import LCIDS, Column, Environment, Labels, Relationship, Table, choice_place, metadata_id
from connectors.emulator.schema.many_to_many import ManyToMany
from connectors.emulator.schema.privileges import privileges_of
from connectors.emulator.storage.files.file_columns import MAX_KB
from connectors.emulator.storage.files.thumbnails import EDGE

Document = dict[str, Any]
# kind -> AttributeType, AttributeTypeName, metadata class
TYPES = {
    "string": ("String", "StringType", "StringAttributeMetadata"),
    "memo": ("Memo", "MemoType", "MemoAttributeMetadata"),
    "int": ("Integer", "IntegerType", "IntegerAttributeMetadata"),
    "bigint": ("BigInt", "BigIntType", "BigIntAttributeMetadata"),
    "decimal": ("Decimal", "DecimalType", "DecimalAttributeMetadata"),
    "double": ("Double", "DoubleType", "DoubleAttributeMetadata"),
    "money": ("Money", "MoneyType", "MoneyAttributeMetadata"),
    "bool": ("Boolean", "BooleanType", "BooleanAttributeMetadata"),
    "date": ("DateTime", "DateTimeType", "DateTimeAttributeMetadata"),
    "datetime": ("DateTime", "DateTimeType", "DateTimeAttributeMetadata"),
    "datetime_tzi": ("DateTime", "DateTimeType", "DateTimeAttributeMetadata"),
    "choice": ("Picklist", "PicklistType", "PicklistAttributeMetadata"),
    "choices": ("Virtual", "MultiSelectPicklistType", "MultiSelectPicklistAttributeMetadata"),
    "state": ("State", "StateType", "StateAttributeMetadata"),
    "status": ("Status", "StatusType", "StatusAttributeMetadata"),
    "lookup": ("Lookup", "LookupType", "LookupAttributeMetadata"),
    "guid": ("Uniqueidentifier", "UniqueidentifierType", "UniqueIdentifierAttributeMetadata"),
    "entityname": ("EntityName", "EntityNameType", "EntityNameAttributeMetadata"),
    "file": ("Virtual", "FileType", "FileAttributeMetadata"),
    "image": ("Virtual", "ImageType", "ImageAttributeMetadata"),
}
CLASSES = {metadata_class for _, _, metadata_class in TYPES.values()}
BEHAVIOURS = {"date": "DateOnly", "datetime": "UserLocal", "datetime_tzi": "TimeZoneIndependent"}
WITH_OPTIONS = ("choice", "choices", "state", "status", "bool")
DELETE = {"cascade": "Cascade", "remove_link": "RemoveLink", "restrict": "Restrict", "no_cascade": "NoCascade"}


class Definitions:
    """Builds the documents of one environment, in full; what is not requested is left out later."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    # -- labels ----------------------------------------------------------------------------------------------

    def label(self, labels: Labels, *path: str) -> Document:
        localized = [
            {"Label": text, "LanguageCode": code, "IsManaged": False, "MetadataId": metadata_id("label", *path, key), "HasChanged": None}
            for key, text in labels.items()
            if (code := self.environment.languages.get(key, LCIDS.get(key)))
        ]
        preferred = self.environment.languages[self.environment.language]
        user = next((entry for entry in localized if entry["LanguageCode"] == preferred), localized[0] if localized else None)
        return {"LocalizedLabels": localized, "UserLocalizedLabel": user}

    def _named(self, name: str, *path: str) -> Document:
        return self.label({self.environment.language: name}, *path)

    def _labelled(self, labels: Labels, name: str, *path: str) -> Document:
        return self.label(labels, *path) if labels else self._named(name, *path)

    def _as_described(self, document: Document, place: str) -> Document:
        """Return the document with what the author of a schema change said about this part of it."""
        described = self.environment.described.get(place)
        if described is None:
            return document
        labels = {name: self.label(texts, place, name) for name, texts in described.labels.items()}
        return {**document, **described.properties, **labels}

    @staticmethod
    def _no_label() -> Document:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}

    # -- tables ----------------------------------------------------------------------------------------------

    def table(self, table: Table) -> Document:
        children = {relation.child for relation in table.children}
        activities = {name for name, other in self.environment.tables.items() if other.activity}
        custom = "_" in table.name
        document = {
            "MetadataId": metadata_id(table.name),
            "LogicalName": table.name,
            "SchemaName": table.schema_name,
            "EntitySetName": table.set_name,
            "LogicalCollectionName": table.set_name,
            "CollectionSchemaName": table.set_name,
            "PrimaryIdAttribute": table.key,
            "PrimaryNameAttribute": table.primary_name,
            "PrimaryImageAttribute": next((c.name for c in table.columns.values() if c.kind == "image"), None),
            "ObjectTypeCode": table.type_code,
            "TableType": _type_of(table),
            "OwnershipType": table.ownership,
            "IsActivity": table.activity,
            "IsActivityParty": "partyid" not in table.columns and any(r.column == "partyid" for r in table.children),
            "IsCustomEntity": custom,
            "IsIntersect": table.intersect,
            "IsPrivate": False,
            "IsLogicalEntity": False,
            "IsManaged": not custom,
            "IsBPFEntity": False,
            "HasNotes": "annotation" in children,
            "HasActivities": bool(children & activities),
            "HasFeedback": False,
            "ChangeTrackingEnabled": table.change_tracking,
            "IsOptimisticConcurrencyEnabled": True,
            "IsRetentionEnabled": table.name in self.environment.retaining,
            "IsArchivalEnabled": False,
            "SyncToExternalSearchIndex": False,
            "IsAuditEnabled": managed(table.audited, "canmodifyauditsettings"),
            "CanCreateAttributes": managed(True, "cancreateattributes"),
            "CanChangeTrackingBeEnabled": managed(True, "canchangetrackingbeenabled"),
            "IsValidForAdvancedFind": True,
            "DataProviderId": None,
            "DisplayName": self._labelled(table.labels, table.name, table.name, "display"),
            "DisplayCollectionName": self._labelled(table.collection_labels, table.set_name, table.name, "collection"),
            "Description": self._no_label(),
            "Privileges": self._privileges(table),
        }
        return self._as_described(document, table.name)

    @staticmethod
    def _privileges(table: Table) -> list[Document]:
        return [
            {
                "CanBeBasic": privilege.owned,
                "CanBeDeep": privilege.owned,
                "CanBeGlobal": True,
                "CanBeLocal": privilege.owned,
                "CanBeEntityReference": False,
                "CanBeParentEntityReference": False,
                "CanBeRecordFilter": False,
                "Name": privilege.name,
                "PrivilegeId": privilege.id,
                "PrivilegeType": kind,
            }
            for kind, privilege in privileges_of(table)
        ]

    def keys(self, table: Table) -> list[Document]:
        active = {name: [column.name for column in columns] for name, columns in table.alternate_keys.items()}
        failed = {name: list(columns) for name, columns in table.failed_keys.items()}
        return [self._key(table, name, columns, failed=name in failed) for name, columns in (active | failed).items()]

    def _key(self, table: Table, name: str, columns: list[str], *, failed: bool) -> Document:
        document = {
            "MetadataId": metadata_id(table.name, "key", name),
            "LogicalName": name.lower(),
            "SchemaName": name,
            "EntityLogicalName": table.name,
            "KeyAttributes": columns,
            "EntityKeyIndexStatus": "Failed" if failed else "Active",
            "IsManaged": False,
            "DisplayName": self._named(name, table.name, "key", name),
        }
        return self._as_described(document, f"{table.name}.{name.lower()}")

    # -- columns ---------------------------------------------------------------------------------------------

    def column(self, table: Table, column: Column, number: int) -> Document:
        kind, type_name, metadata_class = TYPES[column.kind]
        if column.kind == "lookup" and column.name == "ownerid":
            kind, type_name = "Owner", "OwnerType"
        elif column.kind == "lookup" and set(column.targets) == {"account", "contact"}:
            kind, type_name = "Customer", "CustomerType"
        required = "SystemRequired" if column.key else "ApplicationRequired" if column.required else "None"
        document: Document = {
            "@odata.type": f"#Microsoft.Dynamics.CRM.{metadata_class}",
            "MetadataId": metadata_id(table.name, "column", column.name),
            "LogicalName": column.name,
            "SchemaName": column.schema_name,
            "EntityLogicalName": table.name,
            "AttributeType": kind,
            "AttributeTypeName": {"Value": type_name},
            "AttributeOf": _companion_of(table, column),
            "ColumnNumber": number,
            "IsValidForRead": True,
            "IsValidForCreate": column.key or (column.writable and column.kind not in ("state", "file")),
            "IsValidForUpdate": column.writable and not column.key and column.kind != "file" and column.name != "overriddencreatedon",
            "IsValidODataAttribute": True,
            "IsPrimaryId": column.key,
            "IsPrimaryName": column.primary_name,
            "IsCustomAttribute": "_" in column.name and not column.system,
            "IsLogical": False,
            "IsManaged": column.system,
            "IsSecured": column.secured,
            "IsSearchable": False,
            "IsFilterable": column.kind not in ("image", "file"),
            "RequiredLevel": managed(required, "canmodifyrequirementlevelsettings"),
            "IsAuditEnabled": managed(table.audited and not column.system, "canmodifyauditsettings"),
            "IsValidForAdvancedFind": managed(True, "canmodifysearchsettings"),
            "SourceType": 1 if column.computed else 0,
            "DisplayName": self._labelled(dict(column.labels), column.name, table.name, column.name, "display"),
            "Description": self._no_label(),
        }
        return self._as_described(document | self._particulars(column), f"{table.name}.{column.name}")

    @staticmethod
    def _particulars(column: Column) -> Document:
        """Return the properties of the derived type."""
        match column.kind:
            case "string":
                return {"MaxLength": column.length, "Format": column.text_format, "FormatName": {"Value": column.text_format}}
            case "memo":
                return {"MaxLength": column.length, "Format": "TextArea", "FormatName": {"Value": "TextArea"}}
            case "int":
                return {"MinValue": _or(column.minimum, -(2**31)), "MaxValue": _or(column.maximum, 2**31 - 1), "Format": "None"}
            case "bigint":
                return {"MinValue": -(2**63), "MaxValue": 2**63 - 1}
            case "decimal" | "double" | "money":
                low, high = _or(column.minimum, -922337203685477.0), _or(column.maximum, 922337203685477.0)
                return {"MinValue": low, "MaxValue": high, "Precision": _or(column.precision, 4)}
            case "bool":
                return {"DefaultValue": column.name == "directioncode"}
            case "date" | "datetime" | "datetime_tzi":
                # overriddencreatedon shows days but keeps instants: format is not behaviour
                only_day = column.kind == "date" or column.name == "overriddencreatedon"
                return {
                    "DateTimeBehavior": {"Value": BEHAVIOURS[column.kind]},
                    "Format": "DateOnly" if only_day else "DateAndTime",
                    "ImeMode": "Auto",
                }
            case "choice" | "choices":
                return {"DefaultFormValue": -1}
            case "lookup":
                return {"Targets": list(column.targets), "Format": None}
            case "file":
                return {"MaxSizeInKB": MAX_KB["file"]}
            case "image":
                size = {"MaxSizeInKB": MAX_KB["image"], "MaxHeight": EDGE, "MaxWidth": EDGE}
                return {**size, "IsPrimaryImage": True, "CanStoreFullImage": True}
        return {}

    # -- options ---------------------------------------------------------------------------------------------

    def option_set(self, table: Table, column: Column) -> Document:
        if column.kind == "bool":
            languages = {key: YES_NO[key] for key in self.environment.languages if key in YES_NO} or {"en": YES_NO["en"]}
            plain = {value: {key: texts[1 - value] for key, texts in languages.items()} for value in (1, 0)}
            said = self.environment.choices[column.choice] if column.choice else plain
            yes, no = (self._option(value, said[value], table.name, column.name) for value in (1, 0))
            return {**self._set_head(f"{table.name}_{column.name}", "Boolean", shared=False), "TrueOption": yes, "FalseOption": no}
        if column.kind in ("choice", "choices"):
            shared = self.is_global(column.choice)
            return self.choice(column.choice if shared else f"{table.name}_{column.name}", column.choice, shared=shared)
        options = []
        for value, labels in options_of(self.environment, table, column).items():
            option = self._option(value, labels, table.name, column.name)
            if column.kind == "state":
                option |= {"DefaultStatus": table.default_status(value), "InvariantName": labels.get("en", str(value))}
            else:
                option |= {"State": table.state_of(value), "TransitionData": None}
            options.append(option)
        kind = "State" if column.kind == "state" else "Status"
        return {**self._set_head(f"{table.name}_{column.name}", kind, shared=False), "Options": options}

    def is_global(self, choice: str) -> bool:
        posted = choice_place(choice) in self.environment.described
        return posted or ("." not in choice and choice.startswith(self.environment.prefix + "_"))

    def choice(self, name: str, choice: str, *, shared: bool) -> Document:
        options = [self._option(value, labels, choice) for value, labels in self.environment.choices[choice].items()]
        document = {**self._set_head(name, "Picklist", shared=shared), "Options": options}
        return self._as_described(document, choice_place(name)) if shared else document

    def _set_head(self, name: str, kind: str, *, shared: bool) -> Document:
        return {
            "MetadataId": metadata_id("optionset", name),
            "Name": name,
            "IsGlobal": shared,
            "IsCustomOptionSet": shared,
            "IsManaged": False,
            "OptionSetType": kind,
            "ParentOptionSetName": None,
            "DisplayName": self._named(name, "optionset", name),
            "Description": self._no_label(),
        }

    def _option(self, value: int, labels: Labels, *path: str) -> Document:
        return {
            "Value": value,
            "Color": None,
            "IsManaged": False,
            "ExternalValue": "",
            "ParentValues": [],
            "Tag": None,
            "IsHidden": False,
            "MetadataId": None,
            "HasChanged": None,
            "Label": self.label(labels, *path, str(value)),
            "Description": self._no_label(),
        }

    # -- relationships ---------------------------------------------------------------------------------------

    def relationship(self, relation: Relationship) -> Document:
        parent, child = self.environment.tables[relation.parent], self.environment.tables[relation.child]
        column = child.columns[relation.column]
        kinds = ("Assign", "Delete", "Archive", "Merge", "Reparent", "Share", "Unshare", "RollupView")
        document = {
            "@odata.type": "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
            "MetadataId": metadata_id("relationship", relation.name),
            "SchemaName": relation.name,
            "RelationshipType": "OneToManyRelationship",
            "IsCustomRelationship": "_" in relation.child and not column.system,
            "IsManaged": column.system,
            "IsHierarchical": False,
            "IsValidForAdvancedFind": True,
            "SecurityTypes": "Append",
            "ReferencedEntity": parent.name,
            "ReferencedAttribute": parent.key,
            "ReferencedEntityNavigationPropertyName": relation.name,
            "ReferencingEntity": child.name,
            "ReferencingAttribute": column.name,
            "ReferencingEntityNavigationPropertyName": child.navigation_name(column, parent.name),
            "RelationshipBehavior": 1,
            "CascadeConfiguration": {kind: DELETE[relation.on_delete] if kind == "Delete" else "NoCascade" for kind in kinds},
            "HasChanged": None,
            "IntroducedVersion": "1.0.0.0",
        }
        return self._as_described(document, relation.name)

    def many_to_many(self, relation: ManyToMany) -> Document:
        custom = "_" in relation.intersect
        menu = {"Behavior": "UseCollectionName", "Group": "Details", "Order": None, "IsCustomizable": True}
        return {
            "@odata.type": "#Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
            "MetadataId": metadata_id("relationship", relation.name),
            "SchemaName": relation.name,
            "RelationshipType": "ManyToManyRelationship",
            "IsCustomRelationship": custom,
            "IsManaged": not custom,
            "IsValidForAdvancedFind": True,
            "SecurityTypes": "None",
            "IntersectEntityName": relation.intersect,
            "Entity1LogicalName": relation.one.table,
            "Entity1IntersectAttribute": relation.one.attribute,
            "Entity1NavigationPropertyName": relation.one.navigation,
            "Entity1AssociatedMenuConfiguration": menu,
            "Entity2LogicalName": relation.two.table,
            "Entity2IntersectAttribute": relation.two.attribute,
            "Entity2NavigationPropertyName": relation.two.navigation,
            "Entity2AssociatedMenuConfiguration": menu,
            "HasChanged": None,
            "IntroducedVersion": "1.0.0.0",
        }


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _type_of(table: Table) -> str:
    """Return the kind of store that has the rows: what no other table has, or lacks, tells it."""
    if "versionnumber" not in table.columns:
        return "Virtual"
    return "Elastic" if {"partitionid", "ttlinseconds"} <= table.columns.keys() else "Standard"


def _companion_of(table: Table, column: Column) -> str | None:
    """Return the file or image column whose name, id or address this one holds."""
    if not column.system or column.writable:
        return None
    owners = (column.name.removesuffix(end) for end in ("_name", "_timestamp", "_url", "id") if column.name.endswith(end))
    return next((name for name in owners if name in table.columns and table.columns[name].kind in ("file", "image")), None)


def managed(value: Any, name: str) -> Document:
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": name}
