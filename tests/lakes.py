"""Writes the rows of an emulator down as a lake, in the forms in which Synapse Link and Fabric Link lay
tables down: by what the CRM's own metadata and Web API say of them, and by nothing of the product."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import requests

LOOKUPS = ("LookupType", "CustomerType", "OwnerType")
LOGICAL = "@Microsoft.Dynamics.CRM.lookuplogicalname"
DELTA_TYPES = {pl.String: "string", pl.Int64: "long", pl.Float64: "double", pl.Boolean: "boolean", pl.Datetime: "timestamp"}
SYSTEM = ("Id", "SinkCreatedOn", "SinkModifiedOn", "IsDelete", "versionnumber")
HEADERS = {"Prefer": f'odata.maxpagesize=5000,odata.include-annotations="{LOGICAL[1:]}"'}


@dataclass(frozen=True)
class Lain:
    """A table in a lake: its columns with the platform's types, and rows with instants as the wire has them.
    `IsDelete`, `SinkCreatedOn` and `SinkModifiedOn` come on top."""

    name: str
    types: Mapping[str, str]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def without(self, column: str) -> Lain:
        """The same without a column."""
        return replace(self, types={name: kind for name, kind in self.types.items() if name != column})

    def unversioned(self) -> Lain:
        return self.saying(versionnumber=None)

    def saying(self, **values: Any) -> Lain:
        """The same with these values in every row, as far as it has the columns."""
        return self.but([row | {name: value for name, value in values.items() if name in row} for row in self.rows])

    def but(self, rows: Iterable[dict[str, Any]]) -> Lain:
        return replace(self, rows=list(rows))


def tables_of(url: str, names: Collection[str], sunk: datetime, token: str = "any") -> dict[str, Lain]:
    """Every row of these tables and of the tables of pairs between them, as a link that is in step has it."""
    with requests.Session() as http:
        http.headers.update(HEADERS | {"Authorization": f"Bearer {token}"})
        found: dict[str, Lain] = {}
        wanted = [*names]
        while wanted:
            name = wanted.pop()
            if name in found:
                continue
            asked = http.get(f"{url}EntityDefinitions(LogicalName='{name}')?$expand=Attributes,ManyToManyRelationships")
            if asked.status_code == 404:
                continue
            told = asked.json()
            links = told["ManyToManyRelationships"]
            wanted += [each["IntersectEntityName"] for each in links]
            types = {
                each["LogicalName"]: each["AttributeTypeName"]["Value"]
                for each in told["Attributes"]
                if not each.get("AttributeOf") and each["AttributeTypeName"]["Value"] not in ("FileType", "VirtualType")
            }
            found[name] = Lain(
                name, types, [_row(told["PrimaryIdAttribute"], types, row, sunk) for row in _all(http, url, told["EntitySetName"])]
            )
        return found


def _all(http: requests.Session, url: str, set_name: str) -> Iterable[dict[str, Any]]:
    link = f"{url}{set_name}"
    while link:
        page = http.get(link)
        page.raise_for_status()
        yield from page.json()["value"]
        link = page.json().get("@odata.nextLink")


def _row(key: str, types: Mapping[str, str], row: Mapping[str, Any], sunk: datetime) -> dict[str, Any]:
    stamp = sunk.isoformat()
    version = str(row.get("@odata.etag", "")).removeprefix('W/"').removesuffix('"')
    made: dict[str, Any] = {"Id": row[key], "SinkCreatedOn": stamp, "SinkModifiedOn": stamp, "IsDelete": None}
    for name, kind in types.items():
        if kind in LOOKUPS:
            wire = f"_{name}_value"
            made[name], made[f"{name}_entitytype"] = row.get(wire), row.get(wire + LOGICAL)
        elif name != "versionnumber":
            made[name] = row.get(name)
    return made | {"versionnumber": int(version) if version else None}


def younger(lain: Lain, ids: Iterable[str], **values: Any) -> Lain:
    """The table with an older version of each of these rows before it, as an append-only file has both: it
    says the same but for these values."""
    old = [row | values | {"versionnumber": (row["versionnumber"] or 2) - 1} for row in lain.rows if row["Id"] in set(ids)]
    return lain.but([*old, *lain.rows])


def gone(lain: Lain, row: dict[str, Any], later: timedelta) -> Lain:
    """The table with a row that was there and is deleted, as an append-only file has it: once whole, and once
    with its id alone."""
    at = datetime.fromisoformat(row["SinkModifiedOn"]) + later
    marker = dict.fromkeys(row) | {"Id": row["Id"], "SinkModifiedOn": at.isoformat(), "IsDelete": True}
    return lain.but([row, *lain.rows, marker | {"versionnumber": (row["versionnumber"] or 0) + 1}])


def write_parquet(root: Path, tables: Iterable[Lain]) -> None:
    """Two files a table, the newer one with a column more."""
    for lain in tables:
        folder = root / lain.name
        folder.mkdir(parents=True)
        half = len(lain.rows) // 2
        frame(lain, lain.rows[:half]).drop("IsDelete").write_parquet(folder / "part-0.parquet")
        frame(lain, lain.rows[half:]).write_parquet(folder / "part-1.parquet")


def write_delta(root: Path, tables: Iterable[Lain]) -> None:
    """One commit with a file that a later one replaces, a checkpoint, and a commit after it."""
    for lain in tables:
        folder = root / "deltalake" / f"{lain.name}_partitioned"
        log = folder / "_delta_log"
        log.mkdir(parents=True)
        half = len(lain.rows) // 2
        (folder / "PartitionId=2024").mkdir()
        frame(lain, lain.rows).write_parquet(folder / "stale.parquet")
        frame(lain, lain.rows[:half]).write_parquet(folder / "PartitionId=2024" / "a 1.parquet")
        frame(lain, lain.rows[half:]).write_parquet(folder / "b.parquet")
        columns = frame(lain, []).schema
        fields = [{"name": name, "type": DELTA_TYPES[type(kind)], "nullable": True, "metadata": {}} for name, kind in columns.items()]
        schema = json.dumps(
            {"type": "struct", "fields": [*fields, {"name": "PartitionId", "type": "string", "nullable": True, "metadata": {}}]}
        )
        protocol = {"minReaderVersion": 1, "minWriterVersion": 2}
        metadata = {"id": "1", "schemaString": schema, "partitionColumns": ["PartitionId"]}
        first = [{"protocol": protocol}, {"metaData": metadata | {"configuration": {}}}, {"add": _add("stale.parquet")}]
        (log / f"{0:020}.json").write_text("\n".join(map(json.dumps, first)))
        second = [{"remove": {"path": "stale.parquet", "dataChange": True}}, {"add": _add("PartitionId=2024/a%201.parquet")}]
        (log / f"{1:020}.json").write_text("\n".join(map(json.dumps, second)))
        checkpoint = [
            {"add": _add("PartitionId=2024/a%201.parquet"), "metaData": None, "protocol": None, "remove": None},
            {"add": None, "metaData": metadata, "protocol": None, "remove": None},
            {"add": None, "metaData": None, "protocol": protocol, "remove": None},
            {"add": None, "metaData": None, "protocol": None, "remove": {"path": "stale.parquet", "dataChange": True}},
        ]
        pl.DataFrame(checkpoint, infer_schema_length=None).write_parquet(log / f"{1:020}.checkpoint.parquet")
        (log / f"{0:020}.json").unlink()  # as the platform tidies up what a checkpoint has
        (log / f"{2:020}.json").write_text(json.dumps({"add": _add("b.parquet")}))


def _add(path: str) -> dict[str, Any]:
    return {"path": path, "size": 1, "modificationTime": 1, "dataChange": True}


def write_csv(root: Path, tables: Iterable[Lain]) -> None:
    """Texts without a header, a file for each year of creation, named by `model.json`; the youngest column is
    the last, and rows that are older end before it."""
    entities = []
    for lain in tables:
        names = [*frame(lain, []).columns]
        parts: dict[str, list[dict[str, Any]]] = {}
        for row in lain.rows:
            parts.setdefault(str(row.get("createdon") or "2026")[:4], []).append(row)
        folder = root / lain.name / "Snapshot"
        folder.mkdir(parents=True)
        partitions = []
        for year, rows in parts.items():
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
            for row in rows:
                cells = [_cell(name, lain.types.get(name, ""), row.get(name)) for name in names]
                writer.writerow(cells if cells[-1] else cells[:-1])
            (folder / f"{year}_1.csv").write_text(text.getvalue())
            address = f"https://lake.dfs.core.windows.net/dataverse-org/{lain.name}/Snapshot/{year}_1.csv"
            partitions.append({"name": year, "location": address})
        attributes = [{"name": name, "dataType": "string"} for name in names]
        entities.append({"$type": "LocalEntity", "name": lain.name, "attributes": attributes, "partitions": partitions})
    (root / "model.json").write_text(json.dumps({"name": "cdm", "version": "1.0", "entities": entities}))


def _cell(name: str, kind: str, value: Any) -> str:
    if value is None:
        return ""
    if name.startswith("Sink"):
        at = datetime.fromisoformat(value)
        return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S %p}"
    if isinstance(value, bool):
        return str(value)
    if name == "createdon":
        return str(value).replace("Z", ".0000000+00:00")
    if kind == "DateTimeType" and len(str(value)) == 10:
        return f"{value}T00:00:00Z"
    return str(value).replace(",", ";") if kind == "MultiSelectPicklistType" else str(value)


def frame(lain: Lain, rows: Collection[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows in the types that the platform gives Parquet."""
    names = dict.fromkeys([*SYSTEM, *(each for name, kind in lain.types.items() for each in _names(name, kind))])
    columns = {name: [_value(lain.types.get(name, ""), name, row.get(name)) for row in rows] for name in names}
    return pl.DataFrame([pl.Series(name, values, dtype=_type(lain.types.get(name, ""), name)) for name, values in columns.items()])


def _names(name: str, kind: str) -> tuple[str, ...]:
    return (name, f"{name}_entitytype") if kind in LOOKUPS else (name,)


def _value(kind: str, name: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "DateTimeType" or name.startswith("Sink"):
        text = str(value)
        return (
            datetime.fromisoformat(text).astimezone(UTC)
            if len(text) > 10
            else datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        )
    if kind == "MultiSelectPicklistType":
        return f"[-1,{value},-1]"
    return float(value) if _type(kind, name) == pl.Float64 else value


def _type(kind: str, name: str) -> pl.DataType:
    if kind == "DateTimeType" or name.startswith("Sink"):
        return pl.Datetime("us", "UTC")
    if kind in ("BooleanType", "ManagedPropertyType") or name == "IsDelete":
        return pl.Boolean()
    if kind in ("PicklistType", "StateType", "StatusType", "IntegerType", "BigIntType") or name == "versionnumber":
        return pl.Int64()
    return pl.Float64() if kind in ("DecimalType", "DoubleType", "MoneyType") else pl.String()


LATER = timedelta(minutes=5)
WRITERS = {"parquet": write_parquet, "csv": write_csv, "delta": write_delta}
