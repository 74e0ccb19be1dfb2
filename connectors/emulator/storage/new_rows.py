"""What the platform fills in on a new row."""

from collections.abc import Iterable
from typing import Any

from connectors.emulator.schema.environment import ROOT_UNIT, Table

Values = dict[str, Any]  # stored column -> stored value


def join_parts(parts: Iterable[Any]) -> str | None:
    """Return a computed name: the existing parts, with a space between."""
    return " ".join(str(part) for part in parts if part) or None


def system_defaults(table: Table, now: str, user: str) -> Values:
    """Return what the platform fills in on a new row."""
    values: Values = {
        "createdon": now,
        "modifiedon": now,
        "createdby": user,
        "modifiedby": user,
        "ownerid": user,
        "ownerid__type": "systemuser",
        "owninguser": user,
        "owningbusinessunit": ROOT_UNIT,
        "statecode": 0,
        "statuscode": table.default_status(0),
    }
    for column in table.columns.values():
        if column.kind == "bool":
            values[column.name] = int(column.name == "directioncode")  # an outgoing call, where nobody says otherwise
    if table.activity:
        values["activitytypecode"] = table.name
    return values
