"""The schema as a client discovers it: casts, choices, one description of many organisations."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.connectors.emulator.posted import attribute, make


def test_a_relationship_names_both_navigation_properties(crm: Client) -> None:
    relation = crm.row("RelationshipDefinitions(SchemaName='cf_fiche_PhoneCalls')")
    assert relation["ReferencingEntityNavigationPropertyName"] == "regardingobjectid_cf_fiche_phonecall"
    assert relation["ReferencingAttribute"] == "regardingobjectid"
    query = "?$select=SchemaName&$filter=ReferencedEntity eq 'cf_fiche'"
    listed = crm.rows("RelationshipDefinitions/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata" + query)
    assert {row["SchemaName"] for row in listed} >= {"cf_fiche_parties", "cf_fiche_recordings"}


def column_of(crm: Client, table: str, column: str, cast: str, query: str = "") -> dict[str, Any]:
    return crm.row(f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')/Microsoft.Dynamics.CRM.{cast}{query}")


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


def test_an_abstract_cast_does_not_work(crm: Client) -> None:
    assert crm.get("EntityDefinitions(LogicalName='cf_fiche')/Attributes/Microsoft.Dynamics.CRM.EnumAttributeMetadata").status_code == 404


def test_global_choices_are_listed_and_found(crm: Client) -> None:
    assert {row["Name"] for row in crm.rows("GlobalOptionSetDefinitions")} >= {"cf_category", "cf_role"}
    assert len(crm.row("GlobalOptionSetDefinitions(Name='cf_role')")["Options"]) == 8


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
