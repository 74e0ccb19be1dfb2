"""FetchXML sent and its answers read, for the tests of each of its parts."""

from typing import Any
from urllib.parse import quote

from tests.connectors.emulator.client import Client
from tests.web_api import error_of, new_id

COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
LABEL = "@OData.Community.Display.V1.FormattedValue"


def address(table_set: str, xml: str) -> str:
    return f"{table_set}?fetchXml={quote(xml, safe='')}"


def found(crm: Client, table_set: str, xml: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return crm.row(address(table_set, xml), headers)


def names(crm: Client, inside: str, table: str = "cf_dossier", head: str = "<fetch>") -> list[str]:
    """The names of the rows that an entity element with this inside gives, in the order given."""
    xml = f"{head}<entity name='{table}'><attribute name='cf_name' /><order attribute='cf_name' />{inside}</entity></fetch>"
    return [row["cf_name"] for row in found(crm, {"cf_dossier": "cf_dossiers", "cf_fiche": "cf_fiches"}[table], xml)["value"]]


def fill(crm: Client, number: int, **columns: Any) -> list[str]:
    ids = sorted(new_id() for _ in range(number))
    crm.emulator.load(("cf_dossier", {"cf_dossierid": row, "cf_name": f"D-{n:05}", **columns}) for n, row in enumerate(ids))
    return ids


def refusal(crm: Client, xml: str, table_set: str = "cf_dossiers") -> tuple[int, str, str]:
    answer = crm.get(address(table_set, xml))
    return (*error_of(answer), answer.json()["error"]["message"])
