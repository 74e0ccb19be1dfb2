"""The schema as a client discovers it: names, types, options, relationships."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client, error_of
from tests.connectors.emulator.posted import attribute, make

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.mark.row(4)
def test_the_service_document_lists_the_sets(crm: Client) -> None:
    document = crm.row("")
    names = {entry["name"]: entry for entry in document["value"]}
    assert names["cf_parties"] == {"name": "cf_parties", "kind": "EntitySet", "url": "cf_parties"}
    assert {"transactioncurrencies", "activitypointers", "cf_fiches"} <= set(names)
    assert document["@odata.context"].endswith("$metadata")


@pytest.mark.row(4)
def test_a_set_name_is_looked_up_by_logical_name(crm: Client) -> None:
    """The query that Microsoft's own client sends."""
    rows = crm.rows("EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'cf_party'")
    assert [(row["EntitySetName"], row["PrimaryIdAttribute"]) for row in rows] == [("cf_parties", "cf_partyid")]
    assert set(rows[0]) == {"LogicalName", "EntitySetName", "PrimaryIdAttribute", "MetadataId"}


def test_a_definition_is_found_by_name_and_by_id(crm: Client) -> None:
    by_name = crm.row("EntityDefinitions(LogicalName='cf_fiche')")
    by_id = crm.row(f"EntityDefinitions({by_name['MetadataId']})")
    assert by_id["LogicalName"] == "cf_fiche"
    assert by_name["ChangeTrackingEnabled"] is True
    assert by_name["IsAuditEnabled"]["Value"] is True
    assert by_name["HasNotes"] is True
    assert "Attributes" not in by_name


def test_unknown_definitions_and_properties_are_refused(crm: Client) -> None:
    assert error_of(crm.get("EntityDefinitions(LogicalName='cf_nothing')")) == (404, "0x80040217")
    assert error_of(crm.get("EntityDefinitions?$select=Nothing")) == (400, "0x0")
    assert error_of(crm.get("EntityDefinitions?$filter=contains(LogicalName,'cf')"))[0] == 400
    assert crm.get("EntityDefinitions(LogicalName='cf_fiche')/Nothing").status_code == 404


def test_enumerations_and_managed_properties_can_be_filtered(crm: Client) -> None:
    condition = "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned' and IsAuditEnabled/Value eq true"
    rows = crm.rows(f"EntityDefinitions?$select=LogicalName&$filter={condition}")
    assert {row["LogicalName"] for row in rows} >= {"contact", "cf_fiche"}
    assert not {row["LogicalName"] for row in rows} & {"cf_statistic", "organization"}


@pytest.mark.row(31)
def test_everything_about_a_table_comes_in_one_request(crm: Client) -> None:
    """The query of section 10.2."""
    expand = "Attributes($select=LogicalName,SchemaName,AttributeType,AttributeTypeName,RequiredLevel,IsPrimaryId),"
    expand += (
        "Keys($select=SchemaName,KeyAttributes,EntityKeyIndexStatus),OneToManyRelationships,ManyToOneRelationships,ManyToManyRelationships"
    )
    row = crm.row(f"EntityDefinitions(LogicalName='contact')?$select=LogicalName,EntitySetName&$expand={expand}")
    columns = {column["LogicalName"]: column for column in row["Attributes"]}
    assert columns["contactid"]["IsPrimaryId"] is True
    assert columns["fullname"]["@odata.type"] == "#Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert columns["parentcustomerid"]["AttributeType"] == "Customer"
    assert columns["ownerid"]["AttributeType"] == "Owner"
    assert crm.row("EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='entityimage_url')")["AttributeOf"] == "entityimage"
    assert crm.row("EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='birthdate')")["AttributeOf"] is None
    assert row["Keys"][0]["KeyAttributes"] == ["cf_nationalnumber"]
    assert row["Keys"][0]["EntityKeyIndexStatus"] == "Active"
    assert row["ManyToManyRelationships"] == []
    assert "cf_ContactId" not in columns


@pytest.mark.row(31)
@pytest.mark.parametrize(
    ("parent", "name", "behaviour"),
    [
        ("cf_dossier", "cf_dossier_fiches", "RemoveLink"),
        ("cf_dossier", "cf_dossier_parties", "Cascade"),
        ("contact", "cf_contact_donations", "Restrict"),
        ("contact", "contact_activity_parties", "NoCascade"),
    ],
)
def test_cascade_behaviour_is_a_word(crm: Client, parent: str, name: str, behaviour: str) -> None:
    row = crm.row(f"EntityDefinitions(LogicalName='{parent}')?$select=LogicalName&$expand=OneToManyRelationships")
    relation = next(r for r in row["OneToManyRelationships"] if r["SchemaName"] == name)
    assert relation["CascadeConfiguration"]["Delete"] == behaviour
    assert relation["ReferencedEntityNavigationPropertyName"] == name


def test_a_relationship_names_both_navigation_properties(crm: Client) -> None:
    relation = crm.row("RelationshipDefinitions(SchemaName='cf_fiche_PhoneCalls')")
    assert relation["ReferencingEntityNavigationPropertyName"] == "regardingobjectid_cf_fiche_phonecall"
    assert relation["ReferencingAttribute"] == "regardingobjectid"
    query = "?$select=SchemaName&$filter=ReferencedEntity eq 'cf_fiche'"
    listed = crm.rows("RelationshipDefinitions/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata" + query)
    assert {row["SchemaName"] for row in listed} >= {"cf_fiche_parties", "cf_fiche_recordings"}


def column_of(crm: Client, table: str, column: str, cast: str, query: str = "") -> dict[str, Any]:
    return crm.row(f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')/Microsoft.Dynamics.CRM.{cast}{query}")


@pytest.mark.row(31)
def test_options_have_a_label_for_each_language(crm: Client) -> None:
    query = "?$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"
    column = column_of(crm, "cf_fiche", "cf_channel", "PicklistAttributeMetadata", query)
    for name in ("OptionSet", "GlobalOptionSet"):
        options = column[name]["Options"]
        labels = {entry["LanguageCode"]: entry["Label"] for entry in options[0]["Label"]["LocalizedLabels"]}
        assert (options[0]["Value"], labels) == (100000000, {1043: "Telefoon", 1036: "Téléphone", 1033: "Telephone"})
        assert options[0]["Label"]["UserLocalizedLabel"]["LanguageCode"] == 1043


def test_a_local_choice_has_no_global_option_set(crm: Client) -> None:
    column = column_of(crm, "contact", "gendercode", "PicklistAttributeMetadata", "?$expand=OptionSet,GlobalOptionSet")
    assert column["GlobalOptionSet"] is None
    assert [option["Value"] for option in column["OptionSet"]["Options"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("table", "column", "cast", "expected"),
    [
        ("contact", "birthdate", "DateTimeAttributeMetadata", {"DateTimeBehavior": {"Value": "DateOnly"}, "Format": "DateOnly"}),
        (
            "cf_fiche",
            "cf_communicatedon",
            "DateTimeAttributeMetadata",
            {"DateTimeBehavior": {"Value": "UserLocal"}, "Format": "DateAndTime"},
        ),
        (
            "cf_fiche",
            "overriddencreatedon",
            "DateTimeAttributeMetadata",
            {"DateTimeBehavior": {"Value": "UserLocal"}, "Format": "DateOnly"},
        ),
        ("cf_fiche", "cf_name", "StringAttributeMetadata", {"MaxLength": 100}),
        ("cf_fiche", "cf_summary", "MemoAttributeMetadata", {"MaxLength": 100000}),
        ("contact", "emailaddress1", "StringAttributeMetadata", {"FormatName": {"Value": "Email"}}),
        ("annotation", "objectid", "LookupAttributeMetadata", {"Targets": ["contact", "cf_dossier", "cf_fiche", "cf_recording"]}),
        ("cf_donation", "cf_amount", "MoneyAttributeMetadata", {"AttributeType": "Money"}),
        ("cf_recording", "cf_media", "FileAttributeMetadata", {"AttributeTypeName": {"Value": "FileType"}}),
        ("contact", "entityimage", "ImageAttributeMetadata", {"AttributeTypeName": {"Value": "ImageType"}}),
    ],
)
def test_a_cast_shows_what_only_that_type_has(crm: Client, table: str, column: str, cast: str, expected: dict[str, object]) -> None:
    row = column_of(crm, table, column, cast)
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("table", "column", "cast"),
    [
        ("cf_dossier", "cf_categories", "MultiSelectPicklistAttributeMetadata"),
        ("cf_dossier", "statecode", "StateAttributeMetadata"),
        ("phonecall", "statuscode", "StatusAttributeMetadata"),
    ],
)
def test_options_come_with_every_kind_of_choice(crm: Client, table: str, column: str, cast: str) -> None:
    listed = crm.rows(
        f"EntityDefinitions(LogicalName='{table}')/Attributes/Microsoft.Dynamics.CRM.{cast}?$select=LogicalName&$expand=OptionSet"
    )
    found = next(row for row in listed if row["LogicalName"] == column)
    assert found["OptionSet"]["Options"]


def test_state_and_status_options_name_each_other(crm: Client) -> None:
    state = column_of(crm, "cf_dossier", "statecode", "StateAttributeMetadata", "?$expand=OptionSet")
    status = column_of(crm, "cf_dossier", "statuscode", "StatusAttributeMetadata", "?$expand=OptionSet")
    assert [(o["Value"], o["DefaultStatus"], o["InvariantName"]) for o in state["OptionSet"]["Options"]] == [
        (0, 1, "Active"),
        (1, 2, "Inactive"),
    ]
    assert [(o["Value"], o["State"]) for o in status["OptionSet"]["Options"]] == [(1, 0), (2, 1)]


def test_a_yes_no_column_has_two_options(crm: Client) -> None:
    column = column_of(crm, "cf_dossier", "cf_legalhold", "BooleanAttributeMetadata", "?$expand=OptionSet")
    assert column["OptionSet"]["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Ja"
    assert column["OptionSet"]["FalseOption"]["Value"] == 0


def test_an_abstract_cast_does_not_work(crm: Client) -> None:
    assert crm.get("EntityDefinitions(LogicalName='cf_fiche')/Attributes/Microsoft.Dynamics.CRM.EnumAttributeMetadata").status_code == 404


def test_global_choices_are_listed_and_found(crm: Client) -> None:
    assert {row["Name"] for row in crm.rows("GlobalOptionSetDefinitions")} >= {"cf_category", "cf_role"}
    assert len(crm.row("GlobalOptionSetDefinitions(Name='cf_role')")["Options"]) == 8


def test_metadata_is_well_formed_csdl(crm: Client) -> None:
    answer = crm.get("$metadata", {"Accept": "application/xml"})
    assert answer.headers["Content-Type"] == "application/xml"
    tree = ElementTree.fromstring(answer.content)
    fiche = next(node for node in tree.iter(EDM + "EntityType") if node.get("Name") == "cf_fiche")
    properties = {node.get("Name"): node.get("Type") for node in fiche.iter(EDM + "Property")}
    assert properties["_cf_dossierid_value"] == "Edm.Guid"
    assert properties["cf_communicatedon"] == "Edm.DateTimeOffset"
    navigation = next(node for node in fiche.iter(EDM + "NavigationProperty") if node.get("Name") == "cf_DossierId")
    assert navigation.get("Partner") == "cf_dossier_fiches"


def test_total_record_counts_take_a_list_or_an_alias(crm: Client) -> None:
    crm.dossier()
    for path in (
        "RetrieveTotalRecordCount(EntityNames=['cf_dossier','cf_fiche'])",
        "RetrieveTotalRecordCount(EntityNames=@p)?@p=['cf_dossier','cf_fiche']",
    ):
        assert crm.row(path)["EntityRecordCountCollection"] == {
            "Count": 2,
            "IsReadOnly": False,
            "Keys": ["cf_dossier", "cf_fiche"],
            "Values": [1, 0],
        }


ASKED = "EntityDefinitions(LogicalName='contact')?$select=LogicalName&$expand=Attributes($select=LogicalName)"


def test_organisations_of_one_file_are_described_alike_each_with_its_own_address(crm: Client) -> None:
    crm.row(ASKED)
    with running() as other:
        client = Client(other)
        told, again = client.row(ASKED), client.row(ASKED)
        client.http.close()
    assert told == again
    assert told.pop("@odata.context").startswith(other.url)
    first = crm.row(ASKED)
    assert first.pop("@odata.context").startswith(crm.url)
    assert told == first


def test_what_one_organisation_alters_no_other_one_of_its_file_tells(crm: Client) -> None:
    def columns(client: Client) -> set[str]:
        return {column["LogicalName"] for column in client.row(ASKED)["Attributes"]}

    before = columns(crm)
    make(crm, "EntityDefinitions(LogicalName='contact')/Attributes", attribute("String", "new_Extra"))
    assert columns(crm) == before | {"new_extra"}
    with running() as other:
        client = Client(other)
        assert columns(client) == before
        client.http.close()
    crm.control("POST", "reset", {"empty": True})
    assert columns(crm) == before
