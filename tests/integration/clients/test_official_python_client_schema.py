"""Microsoft's Python client, unmodified, writes the emulator's schema: tables, columns, relationships,
alternate keys."""

from enum import IntEnum
from typing import Any

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.labels import Label, LocalizedLabel
from PowerPlatform.Dataverse.models.relationship import (
    CascadeConfiguration,
    LookupAttributeMetadata,
    ManyToManyRelationshipMetadata,
    OneToManyRelationshipMetadata,
)
from PowerPlatform.Dataverse.models.table_info import TableInfo

FORMATTED = "@OData.Community.Display.V1.FormattedValue"


class Mood(IntEnum):
    CALM = 1
    UPSET = 2

    __labels__ = {1033: {"CALM": "Calm", "UPSET": "Upset"}, 1043: {"CALM": "Rustig", "UPSET": "Overstuur"}}  # noqa: RUF012 - the client reads it so


COLUMNS: dict[str, Any] = {
    "new_Place": "string",
    "new_Notes": "memo",
    "new_Length": "int",
    "new_Distance": "decimal",
    "new_Ratio": "float",
    "new_Day": "datetime",
    "new_Done": "bool",
    "new_Report": "file",
    "new_Mood": Mood,
    "new_Score": {"type": "int", "min_value": 1, "max_value": 5, "display_name": "Score"},
}


@pytest.fixture
def visits(dataverse: DataverseClient) -> TableInfo:
    return dataverse.tables.create("new_Visit", COLUMNS, display_name="Visit")


def english(text: str) -> Label:
    return Label(localized_labels=[LocalizedLabel(label=text, language_code=1033)])


def logical_names(columns: list[dict[str, Any]]) -> set[str]:
    return {column["LogicalName"] for column in columns}


# -- tables --------------------------------------------------------------------------------------------------


def test_a_table_with_columns_of_every_type_is_made(dataverse: DataverseClient, visits: TableInfo) -> None:
    assert (visits.logical_name, visits.entity_set_name, visits.primary_name_attribute) == ("new_visit", "new_visits", "new_name")
    assert visits.columns_created == list(COLUMNS)
    written = {"new_name": "First", "new_place": "Brussel", "new_notes": "a\nb", "new_length": 3, "new_distance": 1.25, "new_ratio": 0.5}
    written |= {"new_day": "2026-11-25T00:00:00Z", "new_done": True, "new_score": 5}
    row_id = dataverse.records.create("new_Visit", {**written, "new_mood": "Upset"})
    row = dataverse.records.retrieve("new_Visit", row_id, include_annotations="*")
    assert row is not None
    assert {name: row[name] for name in written} == written
    assert (row["new_mood"], row["new_mood" + FORMATTED]) == (2, "Overstuur")
    assert row["new_done" + FORMATTED] == "True"


def test_tables_are_listed_found_and_deleted(dataverse: DataverseClient, visits: TableInfo) -> None:
    found = dataverse.tables.get("new_visit")
    assert found is not None
    assert (found.schema_name, found.metadata_id) == ("new_Visit", visits.metadata_id)
    listed = dataverse.tables.list(filter="SchemaName eq 'new_Visit'", select=["LogicalName", "SchemaName"])
    assert [table["LogicalName"] for table in listed] == ["new_visit"]
    assert len(dataverse.tables.list(select=["LogicalName"])) > 10
    dataverse.tables.delete("new_Visit")
    assert dataverse.tables.get("new_Visit") is None


def test_a_table_that_is_there_or_a_bad_name_is_refused(dataverse: DataverseClient, visits: TableInfo) -> None:
    with pytest.raises(MetadataError, match="already exists"):
        dataverse.tables.create("new_Visit", {})
    with pytest.raises(HttpError) as refused:
        dataverse.tables.create("Visit", {})
    assert refused.value.status_code == 400
    with pytest.raises(HttpError) as refused:
        dataverse.tables.delete("contact")
    assert refused.value.details["service_error_code"] == "0x8004f032"


def test_a_table_is_made_in_a_solution_with_a_primary_column_of_ones_choice(dataverse: DataverseClient) -> None:
    made = dataverse.tables.create("new_Trip", {"new_Code": "string"}, solution="Voorbeeld", primary_column="new_Title")
    assert made.primary_name_attribute == "new_title"


# -- columns -------------------------------------------------------------------------------------------------


def test_columns_come_and_go(dataverse: DataverseClient, visits: TableInfo) -> None:
    assert dataverse.tables.add_columns("new_Visit", {"new_Extra": "string", "new_Second": Mood}) == ["new_Extra", "new_Second"]
    row_id = dataverse.records.create("new_Visit", {"new_Extra": "x", "new_second": "Calm"})
    assert dataverse.tables.remove_columns("new_Visit", ["new_Extra", "new_Mood"]) == ["new_Extra", "new_Mood"]
    names = logical_names(dataverse.tables.list_columns("new_Visit", select=["LogicalName"]))
    assert "new_second" in names
    assert not names & {"new_extra", "new_mood"}
    row = dataverse.records.retrieve("new_Visit", row_id, select=["new_second"])
    assert row is not None
    assert row["new_second"] == 1
    with pytest.raises(MetadataError):
        dataverse.tables.remove_columns("new_Visit", "new_Extra")


def test_columns_are_described_with_their_limits(dataverse: DataverseClient, visits: TableInfo) -> None:
    strings = dataverse.tables.list_columns("new_Visit", select=["LogicalName"], filter="AttributeType eq 'String'")
    assert {"new_name", "new_place"} <= logical_names(strings)
    typed = {column["LogicalName"]: column for column in dataverse.tables.list_columns("new_Visit", typed=True)}
    assert (typed["new_score"]["MinValue"], typed["new_score"]["MaxValue"]) == (1, 5)
    assert (typed["new_place"]["MaxLength"], typed["new_distance"]["Precision"], typed["new_ratio"]["Precision"]) == (200, 2, 5)
    column = dataverse.tables.get_column("new_Visit", "new_Score", typed=True)
    assert column is not None
    assert column["DisplayName"]["LocalizedLabels"][0]["Label"] == "Score"
    assert dataverse.tables.get_column("new_Visit", "new_Nothing") is None


def test_a_column_is_changed_as_a_whole(dataverse: DataverseClient, visits: TableInfo) -> None:
    assert dataverse.tables.update_column("new_Visit", "new_Score", {"max_value": 9}) == "new_Score"
    dataverse.tables.update_columns("new_Visit", {"new_Place": {"max_length": 10, "display_name": "Where"}})
    score = dataverse.tables.get_column("new_Visit", "new_Score", typed=True)
    place = dataverse.tables.get_column("new_Visit", "new_Place", typed=True)
    assert score is not None
    assert place is not None
    assert (score["MinValue"], score["MaxValue"], place["MaxLength"]) == (1, 9, 10)
    dataverse.records.create("new_Visit", {"new_score": 9})
    with pytest.raises(HttpError):
        dataverse.records.create("new_Visit", {"new_place": "longer than ten"})


# -- relationships and keys ----------------------------------------------------------------------------------


def test_a_lookup_field_relates_two_tables(dataverse: DataverseClient, visits: TableInfo) -> None:
    made = dataverse.tables.create_lookup_field("new_Visit", "new_ContactId", "contact", display_name="Visitor", cascade_delete="Cascade")
    contact = dataverse.records.create("contact", {"lastname": "Peeters (fictief)"})
    visit = dataverse.records.create("new_Visit", {"new_name": "V", "new_ContactId@odata.bind": f"/contacts({contact})"})
    (row,) = dataverse.records.list("new_Visit", select=["new_name"], expand=["new_ContactId"])
    assert row["new_ContactId"]["lastname"] == "Peeters (fictief)"
    found = dataverse.tables.get_relationship(made.relationship_schema_name)
    assert found is not None
    assert (found.relationship_id, found.referenced_entity, found.referencing_entity) == (made.relationship_id, "contact", "new_visit")
    dataverse.records.delete("contact", contact)
    assert dataverse.records.retrieve("new_Visit", visit) is None


def test_a_one_to_many_relationship_is_made_listed_and_deleted(dataverse: DataverseClient, visits: TableInfo) -> None:
    lookup = LookupAttributeMetadata(schema_name="new_DossierId", display_name=english("Dossier"), required_level="ApplicationRequired")
    relationship = OneToManyRelationshipMetadata(
        schema_name="new_dossier_visits",
        referenced_entity="cf_dossier",
        referencing_entity="new_visit",
        referenced_attribute="cf_dossierid",
        cascade_configuration=CascadeConfiguration(delete="Restrict"),
    )
    made = dataverse.tables.create_one_to_many_relationship(lookup, relationship)
    with pytest.raises(HttpError):
        dataverse.records.create("new_Visit", {"new_name": "without its dossier"})
    dossier = dataverse.records.create("cf_dossier", {"cf_name": "D"})
    visit = dataverse.records.create("new_Visit", {"new_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    with pytest.raises(HttpError) as refused:
        dataverse.records.delete("cf_dossier", dossier)
    assert refused.value.details["service_error_code"] == "0x80040227"
    kind = "RelationshipType eq Microsoft.Dynamics.CRM.RelationshipType'OneToManyRelationship'"
    assert "new_dossier_visits" in {each["SchemaName"] for each in dataverse.tables.list_relationships(filter=kind)}
    related = dataverse.tables.list_table_relationships("new_Visit", select=["SchemaName", "ReferencedEntity"])
    assert "new_dossier_visits" in {each["SchemaName"] for each in related}
    assert made.relationship_id is not None
    dataverse.tables.delete_relationship(made.relationship_id)
    assert dataverse.tables.get_relationship("new_dossier_visits") is None
    dataverse.records.delete("cf_dossier", dossier)
    assert dataverse.records.retrieve("new_Visit", visit) is not None


def test_a_many_to_many_relationship_is_made_listed_and_deleted(dataverse: DataverseClient, visits: TableInfo) -> None:
    made = dataverse.tables.create_many_to_many_relationship(ManyToManyRelationshipMetadata("new_visit_contact", "new_visit", "contact"))
    contact = dataverse.records.create("contact", {"lastname": "Peeters (fictief)"})
    dataverse.records.create("new_Visit", {"new_name": "V", "new_visit_contact@odata.bind": [f"/contacts({contact})"]})
    (row,) = dataverse.records.list("new_Visit", expand=["new_visit_contact"])
    assert [peer["lastname"] for peer in row["new_visit_contact"]] == ["Peeters (fictief)"]
    found = dataverse.tables.get_relationship("new_visit_contact")
    assert found is not None
    assert (found.relationship_type, found.entity1_logical_name, found.entity2_logical_name) == ("many_to_many", "new_visit", "contact")
    assert "new_visit_contact" in {each["SchemaName"] for each in dataverse.tables.list_table_relationships("contact")}
    assert made.relationship_id is not None
    dataverse.tables.delete_relationship(made.relationship_id)
    assert dataverse.tables.get_relationship("new_visit_contact") is None


def test_an_alternate_key_is_made_used_and_deleted(dataverse: DataverseClient, visits: TableInfo) -> None:
    made = dataverse.tables.create_alternate_key("new_Visit", "new_PlaceKey", ["new_place"], display_name="Place")
    (key,) = dataverse.tables.get_alternate_keys("new_Visit")
    assert (key.metadata_id, key.schema_name, key.key_attributes, key.status) == (made.metadata_id, "new_PlaceKey", ["new_place"], "Active")
    for length in (1, 2):
        dataverse.records.upsert("new_Visit", [{"alternate_key": {"new_place": "Gent"}, "record": {"new_length": length}}])
    assert [row["new_length"] for row in dataverse.records.list("new_Visit")] == [2]
    dataverse.tables.delete_alternate_key("new_Visit", key.metadata_id)
    assert dataverse.tables.get_alternate_keys("new_Visit") == []


def test_a_batch_makes_tables_columns_and_relationships(dataverse: DataverseClient) -> None:
    batch = dataverse.batch.new()
    batch.tables.create("new_Trip", {"new_Length": "int"})
    batch.tables.create_lookup_field("new_Trip", "new_ContactId", "contact")
    batch.tables.create_many_to_many_relationship(ManyToManyRelationshipMetadata("new_trip_contact", "new_trip", "contact"))
    batch.tables.get("new_Trip")
    batch.tables.list(filter="SchemaName eq 'new_Trip'", select=["LogicalName"])
    result = batch.execute()
    assert [answer.status_code for answer in result.responses] == [204, 204, 204, 200, 200]
    second = dataverse.batch.new()
    second.tables.add_columns("new_Trip", {"new_Code": "string", "new_Mood": Mood})
    second.tables.remove_columns("new_Trip", "new_Length")
    second.tables.delete_relationship(result.responses[2].entity_id or "")
    assert [answer.status_code for answer in second.execute().responses] == [204, 204, 204, 204]
    names = logical_names(dataverse.tables.list_columns("new_Trip", select=["LogicalName"]))
    assert {"new_code", "new_mood", "new_contactid"} <= names
    assert "new_length" not in names
    third = dataverse.batch.new()
    third.tables.delete("new_Trip")
    assert not third.execute().has_errors
