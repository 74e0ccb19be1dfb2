"""BulkDelete asked for and followed, for the tests of each of its parts."""

from typing import Any

from tests.connectors.emulator.client import Client


def query(table: str, *conditions: tuple[str, str, list[tuple[str, str]]], **more: Any) -> dict[str, Any]:
    """As Microsoft's documentation writes a query: without inner types."""
    given = [{"AttributeName": a, "Operator": o, "Values": [{"Value": v, "Type": t} for v, t in values]} for a, o, values in conditions]
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.QueryExpression",
        "EntityName": table,
        "Criteria": {"FilterOperator": "And", "Conditions": given, "Filters": []},
        **more,
    }


def one(table: str, row: str, **more: Any) -> dict[str, Any]:
    return query(table, (f"{table}id", "Equal", [(row, "System.Guid")]), **more)


def body(*queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    required = {"JobName": "opruiming", "SendEmailNotification": False, "ToRecipients": [], "CCRecipients": [], "RecurrencePattern": ""}
    return {"QuerySet": list(queries), **required, **more}


def start(crm: Client, *queries: dict[str, Any], **more: Any) -> str:
    answer = crm.send("POST", "BulkDelete", body(*queries, **more))
    assert answer.status_code == 200, answer.text
    assert answer.json()["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse")
    job: str = answer.json()["JobId"]
    return job


def advance(crm: Client, seconds: float) -> None:
    crm.control("PUT", "clock", {"advance_s": seconds})


def state(crm: Client, job: str) -> tuple[int, int]:
    row = crm.row(f"asyncoperations({job})?$select=statecode,statuscode")
    return row["statecode"], row["statuscode"]


def run_of(crm: Client, job: str) -> dict[str, Any]:
    (row,) = crm.rows(f"bulkdeleteoperations?$filter=_asyncoperationid_value eq {job}")
    return row


def finished(crm: Client, *queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    job = start(crm, *queries, **more)
    advance(crm, 30)
    return run_of(crm, job)
