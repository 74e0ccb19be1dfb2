"""Section 10: definitions of tables, columns, keys, relationships and choices; CSDL."""

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.web_api import WebApi, error_of

pytestmark = pytest.mark.row(31, 49)
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
TABLE = "EntityDefinitions(LogicalName='{}')"
NAMES = (
    "LogicalName,SchemaName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,ObjectTypeCode,TableType,"
    "OwnershipType,IsActivity,HasNotes,"
    "HasActivities,ChangeTrackingEnabled,IsAuditEnabled,IsOptimisticConcurrencyEnabled,IsRetentionEnabled,SyncToExternalSearchIndex"
)
COLUMNS = (
    "Attributes($select=LogicalName,SchemaName,AttributeType,AttributeTypeName,IsValidForRead,IsValidForCreate,"
    "IsValidForUpdate,RequiredLevel,"
    "IsPrimaryId,IsSecured,IsAuditEnabled),Keys($select=SchemaName,KeyAttributes,EntityKeyIndexStatus),"
    "OneToManyRelationships,ManyToOneRelationships,ManyToManyRelationships"
)


@pytest.fixture(scope="module")
def contact(crm: WebApi) -> dict[str, Any]:
    return crm.row(TABLE.format("contact"), select=NAMES, expand=COLUMNS)


def test_a_table_tells_its_names_and_flags(contact: dict[str, Any]) -> None:
    """10.2: the query you need; 'Managed properties are objects'; 'MetadataId always included'."""
    expected = {
        "LogicalName": "contact",
        "EntitySetName": "contacts",
        "PrimaryIdAttribute": "contactid",
        "PrimaryNameAttribute": "fullname",
    }
    flags = {"TableType": "Standard", "OwnershipType": "UserOwned", "IsActivity": False, "ChangeTrackingEnabled": True, "HasNotes": True}
    assert contact.items() >= (expected | flags).items()
    assert contact["IsAuditEnabled"] == {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": "canmodifyauditsettings"}
    assert contact["MetadataId"]
    assert contact["ManyToManyRelationships"] == []
    assert isinstance(contact["ObjectTypeCode"], int)


def test_a_table_can_be_had_by_its_metadata_id(crm: WebApi, contact: dict[str, Any]) -> None:
    """10.1: 'Keys: EntityDefinitions(LogicalName='cf_fiche') or (guid)'."""
    found = crm.row(f"EntityDefinitions({contact['MetadataId']})")
    assert found["LogicalName"] == "contact"
    assert "Attributes" not in found


def test_all_tables_come_at_once(crm: WebApi) -> None:
    """10.1: 'No paging: everything is returned at once'; the client filters IsPrivate eq false."""
    body = crm.row("EntityDefinitions", {"Prefer": "odata.maxpagesize=2"}, select="LogicalName", filter="IsPrivate eq false")
    names = {row["LogicalName"] for row in body["value"]}
    assert "@odata.nextLink" not in body
    assert {
        "contact", "cf_party", "annotation", "activitypointer", "audit", "systemuser", "team", "role", "asyncoperation",
        "bulkdeleteoperation", "bulkdeletefailure", "deleteditemreference", "recyclebinconfig", "organization",
        "fileattachment", "savedquery", "userquery",
        "sdkmessagefilter", "transactioncurrency", "duplicaterecord", "businessunit",
    } <= names  # fmt: skip


@pytest.mark.parametrize(
    ("table", "tracked", "audited"),
    [("cf_dossier", True, True), ("cf_recording", True, True), ("cf_donation", False, False), ("phonecall", False, True)],
)
def test_flags_are_those_of_the_environment(crm: WebApi, table: str, tracked: bool, audited: bool) -> None:
    """environment: 'Change tracking is on for contact, cf_dossier, cf_fiche, cf_party and cf_recording';
    `audited: true`."""
    row = crm.row(TABLE.format(table), select="ChangeTrackingEnabled,IsAuditEnabled,IsActivity")
    assert (row["ChangeTrackingEnabled"], row["IsAuditEnabled"]["Value"], row["IsActivity"]) == (tracked, audited, table == "phonecall")


def test_columns_carry_types_and_levels(contact: dict[str, Any]) -> None:
    """10.1: 'Items of a mixed Attributes list carry
    "@odata.type":"#Microsoft.Dynamics.CRM.StringAttributeMetadata"'."""
    columns = {column["LogicalName"]: column for column in contact["Attributes"]}
    assert columns["lastname"]["@odata.type"] == "#Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert columns["lastname"]["AttributeType"] == "String"
    assert columns["lastname"]["AttributeTypeName"] == {"Value": "StringType"}
    assert columns["contactid"]["IsPrimaryId"] is True
    assert columns["lastname"]["RequiredLevel"]["Value"] in {"None", "Recommended", "ApplicationRequired", "SystemRequired"}
    assert columns["statecode"]["IsValidForCreate"] is False
    assert columns["parentcustomerid"]["AttributeType"] == "Customer"
    assert columns["ownerid"]["AttributeType"] == "Owner"
    assert "cf_ContactId" not in columns


def test_a_column_may_belong_to_another(crm: WebApi) -> None:
    """10.1: AttributeOf."""
    for column, of in (("entityimage_url", "entityimage"), ("birthdate", None)):
        assert crm.row(TABLE.format("contact") + f"/Attributes(LogicalName='{column}')")["AttributeOf"] == of


def test_keys_are_active(contact: dict[str, Any]) -> None:
    """10.2: Keys with KeyAttributes and EntityKeyIndexStatus; 2.2: only Active keys can be used."""
    [key] = contact["Keys"]
    assert (key["SchemaName"], key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (
        "cf_contact_nationalnumber",
        ["cf_nationalnumber"],
        "Active",
    )


@pytest.mark.parametrize(
    ("name", "child", "column", "navigation", "delete"),
    [
        ("cf_contact_parties", "cf_party", "cf_contactid", "cf_ContactId", "RemoveLink"),
        ("cf_contact_donations", "cf_donation", "cf_contactid", "cf_ContactId", "Restrict"),
        ("Contact_Annotation", "annotation", "objectid", "objectid_contact", "Cascade"),
        ("contact_activity_parties", "activityparty", "partyid", "partyid_contact", "NoCascade"),
    ],
)
def test_relationships_tell_their_cascade(
    contact: dict[str, Any], name: str, child: str, column: str, navigation: str, delete: str
) -> None:
    """10.2: 1:N relationship object; 'Enum values in JSON are strings: NoCascade Cascade Active UserOwned
    RemoveLink Restrict'."""
    [row] = [r for r in contact["OneToManyRelationships"] if r["SchemaName"] == name]
    expected = {
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": "contact",
        "ReferencedAttribute": "contactid",
        "ReferencedEntityNavigationPropertyName": name,
        "ReferencingEntity": child,
        "ReferencingAttribute": column,
        "ReferencingEntityNavigationPropertyName": navigation,
    }
    assert row.items() >= expected.items()
    assert row["CascadeConfiguration"]["Delete"] == delete
    assert set(row["CascadeConfiguration"]) >= {"Assign", "Delete", "Archive", "Merge", "Reparent", "Share", "Unshare", "RollupView"}


def test_the_other_side_has_the_same_relationship(crm: WebApi) -> None:
    """10.2: ManyToOneRelationships."""
    rows = crm.rows(TABLE.format("cf_fiche") + "/ManyToOneRelationships")
    [row] = [r for r in rows if r["SchemaName"] == "cf_dossier_fiches"]
    assert (row["ReferencedEntity"], row["ReferencingEntityNavigationPropertyName"]) == ("cf_dossier", "cf_DossierId")


def test_n_to_n_relationships_name_their_intersect(crm: WebApi) -> None:
    """10.2: 'N:N object: Entity1LogicalName, Entity2LogicalName, IntersectEntityName, …'."""
    rows = crm.rows(TABLE.format("systemuser") + "/ManyToManyRelationships")
    [row] = [r for r in rows if r["SchemaName"] == "systemuserroles_association"]
    assert {row["Entity1LogicalName"], row["Entity2LogicalName"]} == {"systemuser", "role"}
    assert {"IntersectEntityName", "Entity1IntersectAttribute", "Entity2IntersectAttribute", "Entity1NavigationPropertyName"} <= set(row)


def test_labels_come_in_each_provisioned_language(crm: WebApi) -> None:
    """10.2: option labels; 'LCIDs: nl 1043, fr 1036, en 1033, de 1031'; UserLocalizedLabel follows the
    caller."""
    path = TABLE.format("cf_fiche") + "/Attributes(LogicalName='cf_channel')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    body = crm.row(path, select="LogicalName", expand="OptionSet($select=Options),GlobalOptionSet($select=Options)")
    for kind in ("OptionSet", "GlobalOptionSet"):
        [letter] = [option for option in body[kind]["Options"] if option["Value"] == 100000003]
        labels = {label["LanguageCode"]: label["Label"] for label in letter["Label"]["LocalizedLabels"]}
        assert labels == {1043: "Brief", 1036: "Lettre", 1033: "Letter"}
        own = letter["Label"]["UserLocalizedLabel"]
        assert (own["LanguageCode"], own["Label"]) == (1043, "Brief")
        assert letter["IsManaged"] is False
        assert letter["ParentValues"] == []


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("cf_categories", "MultiSelectPicklist"), ("statecode", "State"), ("statuscode", "Status"), ("cf_publicalert", "Boolean"),
        ("cf_openedon", "DateTime"), ("cf_name", "String"), ("cf_summary", "Memo"),
    ],
)  # fmt: skip
def test_columns_can_be_cast(crm: WebApi, column: str, kind: str) -> None:
    """10.1: 'Derived types: cast segment'."""
    rows = crm.rows(TABLE.format("cf_dossier") + f"/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata", select="LogicalName")
    assert column in {row["LogicalName"] for row in rows}


def test_state_and_status_options_hang_together(crm: WebApi) -> None:
    """10.2: 'Status options add State, state options add DefaultStatus, InvariantName'; 'Boolean:
    OptionSet.TrueOption/FalseOption'."""
    start = TABLE.format("contact") + "/Attributes(LogicalName='{}')/Microsoft.Dynamics.CRM.{}AttributeMetadata"
    states = crm.row(start.format("statecode", "State"), expand="OptionSet")["OptionSet"]["Options"]
    assert {(o["Value"], o["DefaultStatus"], o["InvariantName"]) for o in states} == {(0, 1, "Active"), (1, 2, "Inactive")}
    statuses = crm.row(start.format("statuscode", "Status"), expand="OptionSet")["OptionSet"]["Options"]
    assert {(o["Value"], o["State"]) for o in statuses} == {(1, 0), (2, 1)}
    flag = crm.row(start.format("donotbulkemail", "Boolean"), expand="OptionSet")["OptionSet"]
    assert (flag["TrueOption"]["Value"], flag["FalseOption"]["Value"]) == (1, 0)
    assert flag["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Ja"


def test_enums_are_filtered_by_qualified_type(crm: WebApi) -> None:
    """10.1: 'OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned''; managed properties by
    path."""
    owned = crm.rows("EntityDefinitions", select="LogicalName", filter="OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'")
    assert "cf_dossier" in {row["LogicalName"] for row in owned}
    assert "organization" not in {row["LogicalName"] for row in owned}
    audited = crm.rows("EntityDefinitions", select="LogicalName", filter="IsAuditEnabled/Value eq true and LogicalName ne 'contact'")
    assert "cf_dossier" in {row["LogicalName"] for row in audited}
    assert not {"contact", "cf_donation"} & {row["LogicalName"] for row in audited}


def test_unknown_definitions_and_properties_are_refused(crm: WebApi) -> None:
    """8.2: 404 row or segment not found; 3.1: 'code is literally "0x0"'."""
    assert error_of(crm.get(TABLE.format("cf_nothing"))) == (404, "0x80040217")
    assert crm.get(TABLE.format("cf_fiche") + "/Nothing").status_code == 404
    assert error_of(crm.get("EntityDefinitions", select="Nothing")) == (400, "0x0")
    assert error_of(crm.get("EntityDefinitions", filter="contains(LogicalName,'cf')"))[0] == 400


def test_the_csdl_names_keys_lookups_and_sets(crm: WebApi) -> None:
    """10.3: 'namespace Microsoft.Dynamics.CRM (alias mscrm); tables derive from crmbaseentity; …
    ReferentialConstraint'."""
    answer = crm.get("$metadata", {"Accept": "application/xml"})
    assert answer.headers["Content-Type"].startswith("application/xml")
    tree = ElementTree.fromstring(answer.content)
    [schema] = [s for s in tree.iter(EDM + "Schema") if s.get("Namespace") == "Microsoft.Dynamics.CRM"]
    assert schema.get("Alias") == "mscrm"
    types = {t.get("Name"): t for t in schema.iter(EDM + "EntityType")}
    party = types["cf_party"]
    assert party.get("BaseType") == "mscrm.crmbaseentity"
    assert [ref.get("Name") for ref in party.iter(EDM + "PropertyRef")] == ["cf_partyid"]
    [lookup] = [n for n in party.iter(EDM + "NavigationProperty") if n.get("Name") == "cf_ContactId"]
    [constraint] = lookup.iter(EDM + "ReferentialConstraint")
    assert lookup.get("Partner") == "cf_contact_parties"
    assert (constraint.get("Property"), constraint.get("ReferencedProperty")) == ("_cf_contactid_value", "contactid")
    properties = {p.get("Name"): p.get("Type") for t in ("contact", "cf_donation") for p in types[t].iter(EDM + "Property")}
    assert properties["_cf_contactid_value"] == "Edm.Guid"
    assert (properties["birthdate"], properties["createdon"], properties["cf_amount"]) == ("Edm.Date", "Edm.DateTimeOffset", "Edm.Decimal")
    assert {"cf_parties", "contacts"} <= {s.get("Name") for s in tree.iter(EDM + "EntitySet")}
