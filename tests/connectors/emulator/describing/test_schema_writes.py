"""The schema written over the Web API: what is made works at once, what is refused changes nothing, and a
restart keeps all of it."""

from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.connectors.emulator.posted import CRM, TABLE, attribute, contact_lookup, exists, label, make, visit
from tests.web_api import ANNOTATED, change_set, error_of, request_part, statuses


@pytest.fixture
def visits(crm: Client) -> Client:
    make(crm, "EntityDefinitions", visit())
    return crm


# -- tables --------------------------------------------------------------------------------------------------


def test_a_new_table_takes_rows_at_once(crm: Client) -> None:
    address = make(crm, "EntityDefinitions", visit())
    found = crm.row(address + "?$select=LogicalName,SchemaName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,ObjectTypeCode")
    assert (found["SchemaName"], found["EntitySetName"]) == ("new_Visit", "new_visits")
    assert (found["PrimaryIdAttribute"], found["PrimaryNameAttribute"]) == ("new_visitid", "new_name")
    assert found["ObjectTypeCode"] >= 10_000
    row = crm.create("new_visits", new_name="First")
    read = crm.row(f"new_visits({row})")
    assert (read["new_name"], read["statecode"]) == ("First", 0)
    assert "new_visits" in {entry["name"] for entry in crm.row("")["value"]}
    assert 'EntityType Name="new_visit"' in crm.get("$metadata").text


def test_its_labels_are_those_that_were_posted(visits: Client) -> None:
    found = visits.row(TABLE)
    assert found["DisplayName"]["UserLocalizedLabel"]["Label"] == "Visit"
    assert found["DisplayCollectionName"]["LocalizedLabels"][0]["LanguageCode"] == 1033
    assert found["HasNotes"] is True


def test_a_table_can_be_made_by_the_action_that_takes_complex_types(crm: Client) -> None:
    complex_types = visit() | {"@odata.type": CRM + "ComplexEntityMetadata"}
    complex_types["Attributes"][0]["@odata.type"] = CRM + "ComplexStringAttributeMetadata"
    assert crm.send("POST", "CreateEntities?SolutionUniqueName=Default", {"Entities": [complex_types]}).status_code == 204
    assert exists(crm, "new_visit")


def test_two_tables_of_one_action_are_made_together_or_not_at_all(crm: Client) -> None:
    refused = crm.send("POST", "CreateEntities", {"Entities": [visit(), visit("new_Visit")]})
    assert error_of(refused) == (400, "0x80047010")
    assert not exists(crm, "new_visit")
    assert crm.get("new_visits").status_code == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SchemaName": "new_Visit"}, "0x80047010"),  # there is one
        ({"SchemaName": "CF_Dossier"}, "0x80047010"),  # in whatever case
        ({"SchemaName": "Visit"}, "0x80040203"),  # no prefix
        ({"SchemaName": "new_Vi sit"}, "0x80040203"),
        ({"SchemaName": None}, "0x80040203"),
        ({"SchemaName": "new_Other", "Attributes": []}, "0x80040203"),  # no primary name
        ({"SchemaName": "new_Other", "Attributes": [attribute("Integer", "new_Name", IsPrimaryName=True)]}, "0x80040203"),
        ({"SchemaName": "new_Other", "OwnershipType": "Nobody"}, "0x80040203"),
        ({"SchemaName": "new_Other", "DisplayName": label("Besøg", 1030)}, "0x80040203"),  # a language that is not there
    ],
)
def test_a_table_that_cannot_be_is_refused(visits: Client, changes: dict[str, Any], code: str) -> None:
    assert error_of(visits.send("POST", "EntityDefinitions", visit() | changes)) == (400, code)
    assert not exists(visits, "new_other")


def test_a_put_changes_labels_audit_and_change_tracking(visits: Client) -> None:
    document = visits.row(TABLE)
    document |= {"DisplayName": label("Bezoek", 1043), "ChangeTrackingEnabled": True, "IsAuditEnabled": {"Value": True}}
    assert visits.send("PUT", TABLE, document, {"MSCRM.MergeLabels": "true"}).status_code == 204
    found = visits.row(TABLE)
    assert {entry["Label"] for entry in found["DisplayName"]["LocalizedLabels"]} == {"Visit", "Bezoek"}
    assert (found["ChangeTrackingEnabled"], found["IsAuditEnabled"]["Value"]) == (True, True)
    assert visits.send("PUT", TABLE, document).status_code == 204  # without the header the others go
    assert [entry["Label"] for entry in visits.row(TABLE)["DisplayName"]["LocalizedLabels"]] == ["Bezoek"]


def test_a_deleted_table_is_gone_with_its_rows_and_the_notes_about_them(visits: Client) -> None:
    row = visits.create("new_visits", new_name="First")
    visits.create("annotations", **{"subject": "n", "objectid_new_visit@odata.bind": f"/new_visits({row})"})
    assert visits.send("DELETE", TABLE, headers={"If-Match": "*"}).status_code == 204
    assert error_of(visits.get("new_visits"))[0] == 404
    assert error_of(visits.get(TABLE)) == (404, "0x80040217")
    assert visits.rows("annotations") == []
    assert error_of(visits.send("DELETE", TABLE))[0] == 404
    make(visits, "EntityDefinitions", visit())
    assert visits.rows("new_visits") == []


@pytest.mark.parametrize(("table", "code"), [("contact", "0x8004f032"), ("systemuser", "0x8004f032"), ("cf_dossier", "0x8004f01f")])
def test_a_table_of_the_platform_or_in_use_stays(crm: Client, table: str, code: str) -> None:
    assert error_of(crm.send("DELETE", f"EntityDefinitions(LogicalName='{table}')")) == (400, code)
    assert exists(crm, table)


# -- columns -------------------------------------------------------------------------------------------------

OPTIONS = {"IsGlobal": False, "Options": [{"Value": 7, "Label": label("Red")}, {"Label": label("Green")}]}
TRUE_FALSE = {"TrueOption": {"Value": 1, "Label": label("Done")}, "FalseOption": {"Value": 0, "Label": label("Open")}}


@pytest.mark.parametrize(
    ("kind", "more", "value", "shown"),
    [
        ("String", {"MaxLength": 5}, "abc", None),
        ("Memo", {"MaxLength": 500}, "line\nline", None),
        ("Integer", {"MinValue": 1, "MaxValue": 9}, 3, "3"),
        ("Decimal", {"Precision": 2}, 2.25, "2,25"),
        ("Double", {"Precision": 3}, 1.125, "1,12"),
        ("Boolean", {"OptionSet": TRUE_FALSE}, True, "Done"),
        ("DateTime", {"Format": "DateOnly"}, "2026-11-25T00:00:00Z", "25/11/2026 00:00"),
        ("DateTime", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}, "2026-11-25", "25/11/2026"),
        ("Picklist", {"OptionSet": OPTIONS}, 7, "Red"),
        ("MultiSelectPicklist", {"OptionSet": OPTIONS}, "7,100000000", "Red; Green"),
    ],
)
def test_a_new_column_keeps_its_values(visits: Client, kind: str, more: dict[str, Any], value: Any, shown: str | None) -> None:
    before = visits.create("new_visits", new_name="before")
    address = make(visits, f"{TABLE}/Attributes", attribute(kind, "new_Extra", **more))
    assert visits.row(f"{address}?$select=LogicalName")["LogicalName"] == "new_extra"
    row = visits.row(f"new_visits({visits.create('new_visits', new_extra=value)})?$select=new_extra", ANNOTATED)
    assert row["new_extra"] == value
    assert row.get("new_extra@OData.Community.Display.V1.FormattedValue") == shown
    assert visits.row(f"new_visits({before})?$select=new_extra")["new_extra"] is None
    cast = visits.rows(f"{TABLE}/Attributes/{CRM}{kind}AttributeMetadata?$select=LogicalName")
    assert "new_extra" in {column["LogicalName"] for column in cast}


def test_limits_of_a_column_hold_and_are_shown(visits: Client) -> None:
    make(visits, f"{TABLE}/Attributes", attribute("Integer", "new_Score", MinValue=1, MaxValue=5))
    make(visits, f"{TABLE}/Attributes", attribute("String", "new_Short", MaxLength=3))
    found = visits.row(f"{TABLE}/Attributes(LogicalName='new_score')/{CRM}IntegerAttributeMetadata")
    assert (found["MinValue"], found["MaxValue"]) == (1, 5)
    assert error_of(visits.send("POST", "new_visits", {"new_score": 6})) == (400, "0x80044330")
    assert error_of(visits.send("POST", "new_visits", {"new_short": "long"})) == (400, "0x80044331")


def test_a_required_column_asks_for_a_value(visits: Client) -> None:
    make(visits, f"{TABLE}/Attributes", attribute("String", "new_Must", RequiredLevel={"Value": "ApplicationRequired"}))
    assert error_of(visits.send("POST", "new_visits", {"new_name": "without"})) == (400, "0x80040203")


def test_the_options_of_a_picklist_can_be_read_back(visits: Client) -> None:
    make(visits, f"{TABLE}/Attributes", attribute("Picklist", "new_Colour", OptionSet=OPTIONS))
    column = visits.row(f"{TABLE}/Attributes(LogicalName='new_colour')/{CRM}PicklistAttributeMetadata?$expand=OptionSet,GlobalOptionSet")
    options = {option["Value"]: option["Label"]["UserLocalizedLabel"]["Label"] for option in column["OptionSet"]["Options"]}
    assert options == {7: "Red", 100_000_000: "Green"}
    assert column["GlobalOptionSet"] is None
    assert error_of(visits.send("POST", "new_visits", {"new_colour": 8}))[1] == "0x8004431a"


def test_a_picklist_can_take_a_global_choice(visits: Client) -> None:
    choice = visits.row("GlobalOptionSetDefinitions(Name='cf_channel')")["MetadataId"]
    bind = {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({choice})"}
    make(visits, f"{TABLE}/Attributes", attribute("Picklist", "new_Channel", **bind))
    visits.create("new_visits", new_channel=100_000_001)
    (row,) = visits.rows("new_visits?$select=new_channel", ANNOTATED)
    assert row["new_channel@OData.Community.Display.V1.FormattedValue"] == "Chat"


def test_a_file_column_takes_files(visits: Client) -> None:
    make(visits, f"{TABLE}/Attributes", attribute("File", "new_Document"))
    row = visits.create("new_visits", new_name="with a file")
    headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": "a.txt"}
    assert visits.http.patch(f"{visits.url}new_visits({row})/new_document", data=b"content", headers=headers).status_code == 204
    assert visits.get(f"new_visits({row})/new_document/$value").content == b"content"
    assert visits.send("DELETE", f"{TABLE}/Attributes(LogicalName='new_document')").status_code == 204
    assert "new_document_name" not in visits.row(f"new_visits({row})")


def test_amounts_bring_their_currency(visits: Client) -> None:
    make(visits, f"{TABLE}/Attributes", attribute("Money", "new_Cost"))
    row = visits.row(f"new_visits({visits.create('new_visits', new_cost=12.5)})")
    assert (row["new_cost"], row["new_cost_base"]) == (12.5, 12.5)
    assert row["_transactioncurrencyid_value"] is not None


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (attribute("String", "new_Name"), "0x80047013"),
        (attribute("String", "statecode"), "0x80040203"),
        (attribute("Lookup", "new_Other"), "0x80040203"),
        (attribute("Nonsense", "new_Other"), "0x80040203"),
        (attribute("String", "new_Other", MaxLength=4001), "0x80040203"),
        (attribute("String", "new_Other", IsPrimaryName=True), "0x8004701e"),
        (attribute("Integer", "new_Other", MinValue=5, MaxValue=1), "0x80040203"),
        (attribute("Picklist", "new_Other"), "0x80040203"),
        (attribute("Picklist", "new_Other", OptionSet={"Options": [{"Value": 1}, {"Value": 1}]}), "0x80040203"),
    ],
)
def test_a_column_that_cannot_be_is_refused(visits: Client, document: dict[str, Any], code: str) -> None:
    assert error_of(visits.send("POST", f"{TABLE}/Attributes", document)) == (400, code)
    assert "new_other" not in {column["LogicalName"] for column in visits.rows(f"{TABLE}/Attributes?$select=LogicalName")}


def test_a_put_changes_a_column_and_not_its_type(visits: Client) -> None:
    path = f"{TABLE}/Attributes(LogicalName='new_name')"
    document = visits.row(f"{path}/{CRM}StringAttributeMetadata") | {"@odata.type": CRM + "StringAttributeMetadata", "MaxLength": 3}
    assert visits.send("PUT", path, document, {"MSCRM.MergeLabels": "true"}).status_code == 204
    assert visits.row(f"{path}/{CRM}StringAttributeMetadata")["MaxLength"] == 3
    assert error_of(visits.send("POST", "new_visits", {"new_name": "long"}))[1] == "0x80044331"
    assert error_of(visits.send("PUT", path, document | {"@odata.type": CRM + "MemoAttributeMetadata"}))[0] == 400


def test_a_deleted_column_is_gone_and_the_rest_stays(visits: Client) -> None:
    make(visits, f"{TABLE}/Attributes", attribute("Integer", "new_Score"))
    row = visits.create("new_visits", new_name="kept", new_score=1)
    assert visits.send("DELETE", f"{TABLE}/Attributes(LogicalName='new_score')").status_code == 204
    assert visits.row(f"new_visits({row})?$select=new_name")["new_name"] == "kept"
    assert error_of(visits.get("new_visits?$select=new_score")) == (400, "0x0")


@pytest.mark.parametrize(("column", "code"), [("new_name", "0x80047002"), ("new_visitid", "0x80047002"), ("createdon", "0x8004f032")])
def test_columns_that_every_table_needs_stay(visits: Client, column: str, code: str) -> None:
    assert error_of(visits.send("DELETE", f"{TABLE}/Attributes(LogicalName='{column}')")) == (400, code)


def test_a_column_of_the_reference_environment_can_go_too(crm: Client) -> None:
    call = crm.create("phonecalls", subject="Call")
    path = "EntityDefinitions(LogicalName='phonecall')/Attributes"
    make(crm, path, attribute("String", "new_Mood"))
    assert crm.send("PATCH", f"phonecalls({call})", {"new_mood": "good"}).status_code == 204
    assert crm.send("DELETE", f"{path}(LogicalName='new_mood')").status_code == 204
    assert len(crm.rows("activitypointers?$select=subject")) == 1


# -- who may -------------------------------------------------------------------------------------------------

AS_SOFIE = {"MSCRMCallerID": "9e8f0000-0000-4000-8000-0000000000a2"}  # has the role Basic User


@pytest.mark.parametrize(
    ("method", "path", "document", "privilege"),
    [
        ("POST", "EntityDefinitions", visit("new_Other"), "prvCreateEntity"),
        ("POST", "CreateEntities", {"Entities": [visit("new_Other")]}, "prvCreateEntity"),
        ("DELETE", TABLE, None, "prvDeleteEntity"),
        ("POST", f"{TABLE}/Attributes", attribute("String", "new_Other"), "prvCreateAttribute"),
        ("POST", f"{TABLE}/Keys", {"SchemaName": "new_Key", "KeyAttributes": ["new_name"]}, "prvWriteEntity"),
        ("POST", "RelationshipDefinitions", contact_lookup(), "prvCreateRelationship"),
        ("POST", "GlobalOptionSetDefinitions", {"Name": "new_weather"}, "prvCreateOptionSet"),
    ],
)
def test_the_schema_is_changed_by_who_has_the_privilege(visits: Client, method: str, path: str, document: Any, privilege: str) -> None:
    refused = visits.send(method, path, document, AS_SOFIE)
    assert error_of(refused) == (403, "0x80040220")
    assert f"missing {privilege} privilege" in refused.json()["error"]["message"]


def test_rows_of_a_new_table_are_the_administrators_until_a_role_says_more(visits: Client) -> None:
    visits.create("new_visits", new_name="First")
    assert error_of(visits.get("new_visits", AS_SOFIE)) == (403, "0x80040220")
    assert "prvReadnew_Visit" in visits.get("new_visits", AS_SOFIE).json()["error"]["message"]
    assert visits.rows("privileges?$filter=name eq 'prvReadnew_Visit'&$select=name")
    visits.send("DELETE", TABLE)
    assert visits.rows("privileges?$filter=name eq 'prvReadnew_Visit'&$select=name") == []


# -- together with everything else ---------------------------------------------------------------------------


def test_a_failed_change_set_leaves_the_schema_as_it_was(visits: Client) -> None:
    column = '{"@odata.type": "Microsoft.Dynamics.CRM.IntegerAttributeMetadata", "SchemaName": "new_Score"}'
    parts = [
        request_part("POST", f"{visits.url}{TABLE}/Attributes", column, content_id="1"),
        request_part("POST", f"{visits.url}new_visits", '{"new_score": 1}', content_id="2"),
        request_part("POST", f"{visits.url}new_visits", '{"new_score": "one"}', content_id="3"),
    ]
    assert 400 in statuses(visits.batch(change_set(*parts)))
    assert error_of(visits.get("new_visits?$select=new_score")) == (400, "0x0")
    assert 400 not in statuses(visits.batch(change_set(*parts[:2])))
    assert [row["new_score"] for row in visits.rows("new_visits?$select=new_score")] == [1]


def test_a_reset_brings_the_first_schema_back(visits: Client) -> None:
    visits.send("DELETE", "EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='cf_nationalnumber')")
    make(visits, "EntityDefinitions(LogicalName='contact')/Attributes", attribute("String", "new_Extra"))
    visits.control("POST", "reset", {"empty": True})
    assert not exists(visits, "new_visit")
    contact = visits.row(f"contacts({visits.contact()})")
    assert "new_extra" not in contact


def test_after_a_reset_nothing_counts_as_altered(visits: Client) -> None:
    execute = visits.emulator.emulator.tables.connection.execute
    visits.control("POST", "reset", {"empty": True})
    made = execute("PRAGMA schema_version").fetchone()
    visits.control("POST", "reset", {"empty": True})
    assert execute("PRAGMA schema_version").fetchone() == made  # the second one has no table to make
    make(visits, "EntityDefinitions", visit())
    assert exists(visits, "new_visit")
    visits.control("POST", "reset", {"empty": True})
    assert not exists(visits, "new_visit")
    with running() as untouched:
        parts = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
        assert execute(parts).fetchall() == untouched.emulator.tables.connection.execute(parts).fetchall()


def test_a_restart_keeps_the_schema_and_the_rows(tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer any"}
    state = tmp_path / "state.db"
    with running(state=state) as emulator:
        crm = Client(emulator)
        make(crm, "EntityDefinitions", visit())
        make(crm, f"{TABLE}/Attributes", attribute("Picklist", "new_Colour", OptionSet=OPTIONS))
        make(crm, "RelationshipDefinitions", contact_lookup())
        make(crm, f"{TABLE}/Keys", {"SchemaName": "new_NameKey", "KeyAttributes": ["new_name"]})
        crm.create("new_visits", new_name="kept", new_colour=7, new_ContactId={"lastname": "Peeters (fictief)"})
        crm.http.close()
    with running(state=state) as emulator:
        url = f"{emulator.url}new_visits(new_name='kept')?$select=new_colour&$expand=new_ContactId($select=lastname)"
        row = requests.get(url, headers=headers | ANNOTATED, timeout=10).json()
        assert row["new_colour@OData.Community.Display.V1.FormattedValue"] == "Red"
        assert row["new_ContactId"]["lastname"] == "Peeters (fictief)"
        crm = Client(emulator)
        assert crm.row(TABLE)["DisplayName"]["UserLocalizedLabel"]["Label"] == "Visit"
        crm.control("POST", "reset", {"empty": True})
        assert not exists(crm, "new_visit")
        crm.http.close()
    with running(state=state) as emulator:
        assert requests.get(emulator.url + "new_visits", headers=headers, timeout=10).status_code == 404


def test_deleted_rows_of_a_deleted_table_trouble_nobody(visits: Client) -> None:
    visits.control("PUT", "switches", {"recycle_bin_days": 30})
    try:
        row = visits.create("new_visits", new_name="First")
        assert visits.send("DELETE", f"new_visits({row})").status_code == 204
        assert visits.send("DELETE", TABLE).status_code == 204
        visits.control("PUT", "clock", {"advance_s": 40 * 86_400})
        assert visits.rows("contacts") == []
        assert visits.get("deleteditemreferences").status_code == 200
    finally:
        visits.control("PUT", "switches", {"recycle_bin_days": 0})


def test_a_column_that_all_activities_have_goes_from_the_view_over_them_too(tmp_path: Path) -> None:
    environment = tmp_path / "environment.yaml"
    moods = "cf_mood: {type: string(20)}, other_mood: {type: string(20)}"
    columns = f"{{activityid: {{type: guid, key: true}}, subject: {{type: string(200), primary_name: true}}, {moods}}}"
    environment.write_text(f"publisher_prefix: cf\ntables:\n  phonecall: {{activity: true, columns: {columns}}}\n", encoding="utf-8")
    with running(environment=environment) as emulator:
        crm = Client(emulator)
        crm.create("phonecalls", subject="Call", other_mood="good")
        assert crm.rows("activitypointers?$select=other_mood")[0]["other_mood"] == "good"
        assert error_of(crm.get("activitypointers?$select=cf_mood")) == (400, "0x0"), "an organisation's own is in none but its own"
        assert crm.send("DELETE", "EntityDefinitions(LogicalName='phonecall')/Attributes(LogicalName='other_mood')").status_code == 204
        assert error_of(crm.get("activitypointers?$select=other_mood")) == (400, "0x0")
        assert crm.rows("activitypointers?$select=subject")[0]["subject"] == "Call"
        crm.http.close()


def test_other_methods_are_refused(visits: Client) -> None:
    assert visits.send("PATCH", TABLE, {}).status_code == 405
    assert visits.send("DELETE", "EntityDefinitions").status_code == 405
    assert visits.send("DELETE", "GlobalOptionSetDefinitions").status_code == 405
    assert visits.send("PUT", f"{TABLE}/Attributes", {}).status_code == 405
    assert visits.send("GET", "CreateEntities").status_code == 404
