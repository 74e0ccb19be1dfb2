"""Definitions of a table, a column and a relationship, as a client posts them."""

from typing import Any

from tests.connectors.emulator.client import Client

CRM = "Microsoft.Dynamics.CRM."
TABLE = "EntityDefinitions(LogicalName='new_visit')"


def label(text: str, language: int = 1033) -> dict[str, Any]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": language}]}


def attribute(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"@odata.type": f"{CRM}{kind}AttributeMetadata", "SchemaName": name, "DisplayName": label(name), **more}


def visit(name: str = "new_Visit", **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": CRM + "EntityMetadata",
        "SchemaName": name,
        "DisplayName": label("Visit"),
        "DisplayCollectionName": label("Visits"),
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": True,
        "Attributes": [attribute("String", "new_Name", IsPrimaryName=True, MaxLength=50)],
        **more,
    }


def contact_lookup(**more: Any) -> dict[str, Any]:
    return {
        "@odata.type": CRM + "OneToManyRelationshipMetadata",
        "SchemaName": "new_contact_visit",
        "ReferencedEntity": "contact",
        "ReferencedAttribute": "contactid",
        "ReferencingEntity": "new_visit",
        "Lookup": attribute("Lookup", "new_ContactId"),
        **more,
    }


def make(crm: Client, path: str, document: dict[str, Any]) -> str:
    answer = crm.send("POST", path, document)
    assert answer.status_code == 204, answer.text
    return answer.headers["OData-EntityId"]


def exists(crm: Client, table: str) -> bool:
    return bool(crm.rows(f"EntityDefinitions?$select=LogicalName&$filter=LogicalName eq '{table}'"))
