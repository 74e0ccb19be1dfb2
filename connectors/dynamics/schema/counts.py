"""How many rows the CRM itself counts; each way of asking has a limit of its own (Microsoft Learn, "Count
number of rows")."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from connectors.dynamics.http.answers import UNREADABLE
from connectors.dynamics.http.query import literal, query_string
from connectors.dynamics.http.retry import REPEATABLE, Again
from connectors.dynamics.http.transport import Transport
from connectors.interface.errors import ConnectorError

COUNT_LIMIT = 5_000  # `@odata.count` never says more
AGGREGATE_LIMIT = 50_000  # `$apply` counts no further (Microsoft Learn, "Aggregate data using OData")
T = TypeVar("T")
_CANNOT = (400, 404, 405, 500, 501)


def count_up_to_limit(transport: Transport, set_name: str, primary_id: str, table: str) -> int | None:
    """Return the number of rows that this account sees, 5,000 standing for any larger one; None where the
    answer contradicts itself."""
    query = query_string({"$select": primary_id, "$top": "1", "$count": "true"})

    def agreed(content: Any) -> Any:
        count = content["@odata.count"]
        if len(content["value"]) != min(count, 1):
            raise ValueError("a page that lacks rows, or has too many")
        return count

    return _number(transport, f"{set_name}?{query}", table, agreed)


def count_where(transport: Transport, set_name: str, primary_id: str, table: str, condition: str, again: Again = REPEATABLE) -> int | None:
    """Count the rows that meet a condition and that this account sees, 5,000 standing for any larger one."""
    query = query_string({"$select": primary_id, "$top": "1", "$count": "true", "$filter": condition})
    return _number(transport, f"{set_name}?{query}", table, lambda content: content["@odata.count"], again)


def is_empty(transport: Transport, set_name: str, primary_id: str, table: str, condition: str) -> bool:
    """Return whether the CRM takes a condition and gives no row that meets it."""
    query = query_string({"$select": primary_id, "$top": "1", "$count": "true", "$filter": condition})
    return _number(transport, f"{set_name}?{query}", table, lambda content: content["@odata.count"] + len(content["value"])) == 0


def aggregate_count(transport: Transport, set_name: str, table: str) -> int | None:
    """Return the number of rows that this account sees, up to 50,000."""
    query = query_string({"$apply": "aggregate($count as number)"})
    return _number(transport, f"{set_name}?{query}", table, lambda content: content["value"][0]["number"])


def column_counts(transport: Transport, set_name: str, table: str, columns: Sequence[str]) -> dict[str, int] | None:
    """Return in how many rows each of some columns has a value, by logical name, as `count_where` counts;
    None too where there are more than 50,000 rows."""
    counted = "".join(f'<attribute name="{column}" alias="n{at}" aggregate="countcolumn"/>' for at, column in enumerate(columns))
    text = f'<fetch aggregate="true"><entity name="{table}">{counted}</entity></fetch>'

    def found(content: Any) -> dict[str, int]:
        [row] = content["value"]
        return {column: min(int(row[f"n{at}"]), COUNT_LIMIT) for at, column in enumerate(columns)}

    return _answered(transport, f"{set_name}?fetchXml={quote(text, safe='')}", table, found)


def total_count(transport: Transport, table: str) -> int | None:
    """Return the number of all rows, visible to this account or not; up to a day old."""
    return total_counts(transport, [table]).get(table)


def total_counts(transport: Transport, tables: Sequence[str]) -> dict[str, int]:
    """Return the same of several tables, asked at once; where the CRM does not count them all, each by
    itself. Those of which it keeps no number are left out."""

    def among(content: Any) -> dict[str, int]:
        counts = content["EntityRecordCountCollection"]
        return {table: int(count) for table, count in zip(counts["Keys"], counts["Values"], strict=True) if table in tables}

    if not tables:
        return {}
    names = ",".join(map(literal, tables))
    found = _answered(transport, f"RetrieveTotalRecordCount(EntityNames=[{names}])", tables[0], among)
    if len(tables) > 1:  # a table without a number would pass for one of which the CRM keeps none
        lacking = [table for table in tables if found is None or table not in found]
        return (found or {}) | {name: count for table in lacking for name, count in total_counts(transport, [table]).items()}
    return found or {}


def _number(transport: Transport, address: str, table: str, found: Callable[[Any], Any], again: Again = REPEATABLE) -> int | None:
    """Return the number in an answer; None as `_answered`."""
    return _answered(transport, address, table, lambda content: int(found(content)), again)


def _answered(transport: Transport, address: str, table: str, found: Callable[[Any], T], again: Again = REPEATABLE) -> T | None:
    """Return what is found in an answer; None where the CRM does not count, or says so in an unknown way.
    Raises ConnectorError: the CRM cannot be reached or does not let us in."""
    try:
        return found(msgspec.json.decode(transport.get(address, where=table, again=again).body))
    except ConnectorError as failure:
        if failure.status in _CANNOT:
            return None
        raise
    except UNREADABLE:
        return None
