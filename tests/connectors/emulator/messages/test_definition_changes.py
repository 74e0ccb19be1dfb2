"""RetrieveMetadataChanges: the schema at once, and then what changed in it."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.web_api import error_of

pytestmark = pytest.mark.row(49)


def ask(crm: Client, query: Any = None, stamp: str | None = None) -> requests.Response:
    parameters, values = ["Query=@p1"], [f"@p1={quote(json.dumps(query))}"]
    if stamp is not None:
        parameters.append("ClientVersionStamp=@p2")
        values.append(f"@p2='{quote(stamp)}'")
    return crm.get(f"RetrieveMetadataChanges({','.join(parameters)})?{'&'.join(values)}")


def changes(crm: Client, query: Any = None, stamp: str | None = None) -> dict[str, Any]:
    answer = ask(crm, query, stamp)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def condition(operator: str, value: Any, name: str = "LogicalName") -> dict[str, Any]:
    kind = "System.String[]" if isinstance(value, list) else "System.String"
    return {"PropertyName": name, "ConditionOperator": operator, "Value": {"Type": kind, "Value": value}}


def query(*conditions: dict[str, Any], properties: list[str] | None = None, joined: str = "And", **more: Any) -> dict[str, Any]:
    asked = {"AllProperties": False, "PropertyNames": properties or ["LogicalName"]}
    return {"Properties": asked, "Criteria": {"FilterOperator": joined, "Conditions": list(conditions)}, **more}


def names(document: dict[str, Any]) -> set[str]:
    return {table["LogicalName"] for table in document["EntityMetadata"]}


def test_the_answer_has_the_schema_and_a_stamp(crm: Client) -> None:
    document = changes(crm, query(condition("Equals", "cf_fiche"), properties=["EntitySetName", "IsAuditEnabled"]))
    assert document["@odata.context"].endswith("#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse")
    assert "!" in document["ServerVersionStamp"]
    assert document["DeletedMetadata"] == {"Count": 0, "IsReadOnly": False, "Keys": [], "Values": []}
    (table,) = document["EntityMetadata"]
    assert (table["LogicalName"], table["EntitySetName"], table["IsAuditEnabled"]["Value"]) == ("cf_fiche", "cf_fiches", True)
    assert not table.keys() & {"ObjectTypeCode", "Attributes"}


def test_tables_are_chosen_by_conditions(crm: Client) -> None:
    assert names(changes(crm, query(condition("In", ["cf_fiche", "contact"])))) == {"cf_fiche", "contact"}
    assert names(changes(crm, query(condition("In", "['cf_fiche','contact']")))) == {"cf_fiche", "contact"}
    either = query(condition("Equals", "cf_fiche"), condition("Equals", "contact"), joined="Or")
    assert names(changes(crm, either)) == {"cf_fiche", "contact"}
    assert names(changes(crm, query(condition("Equals", "cf_fiche"), condition("Equals", "contact")))) == set()
    others = names(changes(crm, query(condition("NotIn", ["cf_fiche"]), condition("NotEquals", "contact"))))
    assert "cf_dossier" in others
    assert not others & {"cf_fiche", "contact"}
    assert {"cf_fiche", "contact"} <= names(changes(crm))


def test_columns_have_a_query_of_their_own(crm: Client) -> None:
    columns = {
        "Properties": {"AllProperties": False, "PropertyNames": ["OptionSet"]},
        "Criteria": {"Conditions": [condition("Equals", "cf_outcome")]},
    }
    asked = query(condition("Equals", "cf_dossier"), properties=["Attributes", "OneToManyRelationships"], AttributeQuery=columns)
    (table,) = changes(crm, asked)["EntityMetadata"]
    (column,) = table["Attributes"]
    assert (column["LogicalName"], len(column["OptionSet"]["Options"])) == ("cf_outcome", 5)
    assert "AttributeType" not in column
    assert {each["ReferencingEntity"] for each in table["OneToManyRelationships"]} >= {"cf_fiche", "cf_party"}


def test_nothing_changes_between_two_questions(crm: Client) -> None:
    first = changes(crm)
    crm.fiche()
    second = changes(crm, stamp=first["ServerVersionStamp"])
    assert (second["EntityMetadata"], second["DeletedMetadata"]["Count"]) == ([], 0)


def test_a_stamp_that_is_old_or_unknown_calls_for_a_full_read(crm: Client) -> None:
    stamp = changes(crm)["ServerVersionStamp"]
    assert error_of(ask(crm, stamp="1!01/01/2020 00:00:00")) == (400, "0x80044352")
    crm.control("PUT", "clock", {"advance_s": 89 * 86_400})
    assert changes(crm, stamp=stamp)["EntityMetadata"] == []
    crm.control("PUT", "clock", {"advance_s": 2 * 86_400})
    assert error_of(ask(crm, stamp=stamp)) == (400, "0x80044352")


@pytest.mark.parametrize(
    "wrong",
    [
        "x",
        {"Criteria": "x"},
        {"Properties": {"PropertyNames": ["Nothing"]}},
        {"Criteria": {"Conditions": [condition("Equals", "x", "Nothing")]}},
        {"Criteria": {"Conditions": [condition("Like", "x")]}},
        {"Criteria": {"Conditions": [condition("In", 3)]}},
        {"Criteria": {"Conditions": ["x"]}},
        {"Criteria": {"Filters": {}, "Conditions": [{}]}},
        {"Criteria": {"Filters": ["x"]}},
        {"Properties": {"PropertyNames": [3]}},
        {"Properties": {"PropertyNames": ["Attributes"]}, "AttributeQuery": "x"},
    ],
)
def test_a_query_that_cannot_be_is_refused(crm: Client, wrong: Any) -> None:
    assert ask(crm, wrong).status_code == 400


@pytest.fixture
def own() -> Iterator[Client]:
    """An emulator whose schema is altered."""
    with running() as emulator:
        client = Client(emulator)
        yield client
        client.http.close()


def label(text: str) -> dict[str, Any]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1043}]}


def text_column(schema_name: str, *, primary: bool = False) -> dict[str, Any]:
    column = {"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": schema_name, "MaxLength": 100}
    return {**column, "DisplayName": label(schema_name), "RequiredLevel": {"Value": "None"}, **({"IsPrimaryName": True} if primary else {})}


def test_altered_new_and_dropped_tables_are_told(own: Client) -> None:
    stamp = changes(own)["ServerVersionStamp"]
    added = own.send("POST", "EntityDefinitions(LogicalName='cf_statistic')/Attributes", text_column("cf_Extra"))
    assert added.status_code == 204, added.text
    second = changes(own, stamp=stamp)
    assert names(second) == {"cf_statistic"}

    table = {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": "cf_Short",
        "DisplayName": label("Short"),
        "DisplayCollectionName": label("Shorts"),
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "Attributes": [text_column("cf_Name", primary=True)],
    }
    created = own.send("POST", "EntityDefinitions", table)
    assert created.status_code == 204, created.text
    third = changes(own, stamp=second["ServerVersionStamp"])
    assert "cf_short" in names(third)
    assert "cf_statistic" not in names(third)
    short = next(each for each in third["EntityMetadata"] if each["LogicalName"] == "cf_short")

    assert own.send("DELETE", "EntityDefinitions(LogicalName='cf_short')").status_code == 204
    fourth = changes(own, stamp=third["ServerVersionStamp"])
    assert fourth["DeletedMetadata"]["Keys"] == ["Entity"]
    assert fourth["DeletedMetadata"]["Values"][0]["Items"] == [short["MetadataId"]]
