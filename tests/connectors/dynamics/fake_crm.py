"""A CRM at the HTTP edge: definitions from an environment file, rows from lists, and whatever fault a test
asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import responses
from requests import PreparedRequest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from tests.drivers.connecting import connect
from tests.yaml_files import read_yaml

ROOT = "http://127.0.0.1:8765/api/data/v9.2/"
ENVIRONMENT = Path(__file__).parents[3] / "connectors/emulator/schema/environment.yaml"
TOKEN = "geheim-token"
Reply = tuple[int, dict[str, str], str | bytes]

_KINDS = {
    "guid": ("Uniqueidentifier", "UniqueidentifierType"),
    "string": ("String", "StringType"),
    "memo": ("Memo", "MemoType"),
    "bigint": ("BigInt", "BigIntType"),
    "int": ("Integer", "IntegerType"),
    "decimal": ("Decimal", "DecimalType"),
    "money": ("Money", "MoneyType"),
    "bool": ("Boolean", "BooleanType"),
    "date": ("DateTime", "DateTimeType"),
    "datetime": ("DateTime", "DateTimeType"),
    "datetime_tzi": ("DateTime", "DateTimeType"),
    "choice": ("Picklist", "PicklistType"),
    "choices": ("Virtual", "MultiSelectPicklistType"),
    "lookup": ("Lookup", "LookupType"),
    "file": ("Virtual", "FileType"),
    "image": ("Virtual", "ImageType"),
    "state": ("State", "StateType"),
    "status": ("Status", "StatusType"),
}
_BEHAVIOURS = {"date": "DateOnly", "datetime": "UserLocal", "datetime_tzi": "TimeZoneIndependent"}
_CASTS = {
    "DateTimeAttributeMetadata": "DateTimeType",
    "PicklistAttributeMetadata": "PicklistType",
    "MultiSelectPicklistAttributeMetadata": "MultiSelectPicklistType",
    "StateAttributeMetadata": "StateType",
    "StatusAttributeMetadata": "StatusType",
    "StringAttributeMetadata": "StringType",
}
_SYSTEM = {
    "createdon": "datetime",
    "modifiedon": "datetime",
    "statecode": "state",
    "ownerid": "lookup systemuser|team",
    "versionnumber": "bigint",
}


class FakeCrm:
    """Answers like Dataverse, as far as a reading client can tell."""

    def __init__(self, mock: responses.RequestsMock, environment: Path = ENVIRONMENT) -> None:
        self.definition: dict[str, Any] = read_yaml(environment)
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[PreparedRequest] = []
        self.faults: list[Callable[[PreparedRequest, Reply], Reply]] = []
        self.count: int | None = None
        self.most = 5_000  # rows of a page, whatever size is asked for
        mock.add_callback(responses.GET, re.compile(re.escape(ROOT) + ".*"), callback=self._get)

    def connector(self, **options: Any) -> DynamicsConnector:
        settings: dict[str, Any] = {
            "sleep": _no_sleep,
            "mapping_text": REFERENCE.read_text("utf-8"),
            "mapping_source": "m.yaml",
        }
        return connect(url=ROOT, tokens=StaticToken(TOKEN, ROOT), **(settings | options))

    def fault_once(self, path: str, change: Callable[[Reply], Reply]) -> None:
        """Change one answer, the next whose path ends like this."""
        self.fault_times(path, change, 1)

    def fault_times(self, path: str, change: Callable[[Reply], Reply], times: int) -> None:
        left = [times]

        def fault(request: PreparedRequest, reply: Reply) -> Reply:
            if left[0] and urlsplit(request.url or "").path.endswith(path):
                left[0] -= 1
                return change(reply)
            return reply

        self.faults.append(fault)

    def paths(self) -> list[str]:
        return [urlsplit(str(request.url)).path.removeprefix("/api/data/v9.2/") for request in self.requests]

    def _get(self, request: PreparedRequest) -> Reply:
        self.requests.append(request)
        reply = self._answer(request)
        for fault in self.faults:
            reply = fault(request, reply)
        return reply

    def _answer(self, request: PreparedRequest) -> Reply:
        parts = urlsplit(request.url or "")
        path = unquote(parts.path).removeprefix("/api/data/v9.2/")
        query = dict(parse_qsl(parts.query))
        if found := re.fullmatch(r"EntityDefinitions\(LogicalName='(\w+)'\)(?:/Attributes/Microsoft\.Dynamics\.CRM\.(\w+))?", path):
            return self._definition(found.group(1), found.group(2))
        if path == "EntityDefinitions" and "$filter" not in query:
            return _json({"value": [{"LogicalName": name} for name in self.definition["tables"]]})
        if path == "EntityDefinitions":
            named = [self._head(name) for name, table in self.definition["tables"].items() if f"'{table['set']}'" in query["$filter"]]
            return _json({"value": named})
        if path == "WhoAmI":
            return _json({"UserId": "9E8F0000-0000-4000-8000-000000000001", "BusinessUnitId": "x", "OrganizationId": "x"})
        name = next((name for name, table in self.definition["tables"].items() if table["set"] == path), None)
        if name is None:
            return 404, {}, json.dumps({"error": {"code": "0x8006088a", "message": "Resource not found for the segment."}})
        return self._page(name, query, str(request.headers.get("Prefer", "")))

    def _page(self, name: str, query: dict[str, str], prefer: str) -> Reply:
        table = self.definition["tables"][name]
        key = next(column for column, about in table["columns"].items() if about.get("key"))
        size = min(int(re.findall(r"maxpagesize=(\d+)", prefer)[0]), self.most)
        rows = self.rows.get(table["set"], [])
        wanted = query.get("$select", "").split(",")
        if condition := query.get("$filter"):
            column, ids = condition.split(" ")[0], set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", condition))
            rows = [row for row in rows if row.get(column) in ids]
        start = int(query.get("$skiptoken", "0"))
        content: dict[str, Any] = {"@odata.context": f"{ROOT}$metadata#{table['set']}"}
        if "$count" in query:
            content["@odata.count"] = min(len(rows), 5000) if self.count is None else self.count
        page = []
        for row in rows[start : start + size]:
            shown: dict[str, Any] = {"@odata.etag": 'W/"1"'}
            for column in dict.fromkeys([*wanted, key]):
                target = f"{column}@Microsoft.Dynamics.CRM.lookuplogicalname"
                if target in row and "lookuplogicalname" in prefer:
                    shown[target] = row[target]
                shown[column] = row.get(column)
            page.append(shown)
        content["value"] = page
        if start + size < len(rows):
            content["@odata.nextLink"] = f"{ROOT}{table['set']}?$select={query['$select']}&$skiptoken={start + size}"
        return _json(content)

    def _columns(self, name: str) -> dict[str, dict[str, Any]]:
        columns: dict[str, dict[str, Any]] = self.definition["tables"][name]["columns"]
        return columns | {column: {"type": kind} for column, kind in _SYSTEM.items()}

    def _head(self, name: str) -> dict[str, Any]:
        table = self.definition["tables"][name]
        key = next(column for column, about in table["columns"].items() if about.get("key"))
        return {"LogicalName": name, "EntitySetName": table["set"], "PrimaryIdAttribute": key, "MetadataId": "x"}

    def _definition(self, name: str, cast: str | None) -> Reply:
        if name not in self.definition["tables"]:
            return 404, {}, json.dumps({"error": {"code": "0x80040217", "message": "Could not find an entity"}})
        columns = self._columns(name)
        if cast:
            return _json({"value": [self._cast(column, about) for column, about in columns.items() if _kind(about)[1] == _CASTS[cast]]})
        attributes = [
            {
                "LogicalName": column,
                "SchemaName": about.get("schema_name", column),
                "AttributeType": _kind(about)[0],
                "AttributeTypeName": {"Value": _kind(about)[1]},
                "RequiredLevel": {"Value": "ApplicationRequired" if about.get("required") else "None"},
                "IsValidForUpdate": not about.get("read_only"),
            }
            for column, about in columns.items()
        ]
        return _json(
            self._head(name)
            | {
                "Attributes": attributes,
                "Keys": [],
                "ManyToManyRelationships": [],
                "ManyToOneRelationships": [self._relationship(one) for one in self.definition["relationships"] if one["child"] == name],
                "OneToManyRelationships": [self._relationship(one) for one in self.definition["relationships"] if one["parent"] == name],
            }
        )

    def _cast(self, column: str, about: dict[str, Any]) -> dict[str, Any]:
        kind, _, choice = about["type"].partition(" ")
        item: dict[str, Any] = {"LogicalName": column}
        if kind in _BEHAVIOURS:
            item["DateTimeBehavior"] = {"Value": _BEHAVIOURS[kind]}
        if kind in ("choice", "choices"):
            item["GlobalOptionSet"] = {"Options": [{"Value": value, "Label": None} for value in self.definition["choices"][choice]]}
        if kind == "status":
            item["OptionSet"] = {"Options": [{"Value": value} for value in self.definition["choices"][choice]]}
        if kind == "state":
            item["OptionSet"] = {"Options": [{"Value": 0}, {"Value": 1}]}
        if kind.startswith("string"):
            item["MaxLength"] = int(kind[7:-1])
        return item

    def _relationship(self, one: dict[str, Any]) -> dict[str, Any]:
        column = self._columns(one["child"])[one["column"]]
        is_single = "|" not in column["type"]
        navigation = column.get("schema_name", one["column"])
        return {
            "SchemaName": one["name"],
            "ReferencedEntity": one["parent"],
            "ReferencingEntity": one["child"],
            "ReferencingAttribute": one["column"],
            "ReferencingEntityNavigationPropertyName": navigation if is_single else f"{navigation}_{one['parent']}",
            "ReferencedEntityNavigationPropertyName": one["name"],
            "CascadeConfiguration": {"Delete": "".join(part.title() for part in one["on_delete"].split("_"))},
        }


def row_id(number: int, kind: int = 0) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Reply], Reply]:
    """A fault that changes the JSON of an answer."""

    def fault(reply: Reply) -> Reply:
        content = json.loads(reply[2])
        change(content)
        return reply[0], reply[1], json.dumps(content)

    return fault


def _kind(about: dict[str, Any]) -> tuple[str, str]:
    return _KINDS[re.split(r"[ (]", about["type"])[0]]


def _json(content: object) -> Reply:
    return 200, {"Content-Type": "application/json; odata.metadata=minimal"}, json.dumps(content)


def _no_sleep(seconds: float) -> None:
    """Nobody waits in a test."""
