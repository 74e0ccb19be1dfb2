"""Queries as the actions of the Web API take them, in JSON: which rows a job deletes."""

from collections.abc import Sequence
from typing import Any

CAST = "Microsoft.Dynamics.CRM."


def expression(
    table: str,
    primary_id: str,
    criteria: dict[str, Any],
    *,
    links: Sequence[dict[str, Any]] | None = None,
    datasource: str | None = None,
) -> dict[str, Any]:
    """Return the query for the rows of a table that meet criteria. These are never empty: that would be the
    whole table (section 6.2)."""
    return {
        "@odata.type": f"{CAST}QueryExpression",
        "EntityName": table,
        "DataSource": datasource,
        "ColumnSet": {"@odata.type": f"{CAST}ColumnSet", "AllColumns": False, "Columns": [primary_id]},
        "Criteria": criteria,
        **({"LinkEntities": list(links)} if links is not None else {}),
        "Distinct": False,
    }


def condition(column: str, operator: str, values: list[tuple[str, str]], alias: str = "") -> dict[str, Any]:
    """Return a condition; `values` are texts with their CLR types."""
    entity = {"EntityName": alias} if alias else {}
    typed = [{"@odata.type": f"{CAST}Object", "Value": value, "Type": kind} for value, kind in values]
    return {"@odata.type": f"{CAST}ConditionExpression", **entity, "AttributeName": column, "Operator": operator, "Values": typed}


def filter_of(operator: str, conditions: list[dict[str, Any]], filters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return a group of conditions and further groups."""
    return {"@odata.type": f"{CAST}FilterExpression", "FilterOperator": operator, "Conditions": conditions, "Filters": filters or []}
