"""Rows of any organisation, read from its Web API and loaded into another one: what its environment file
names is all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.independent.wire import WebApi

Link = tuple[str, str]  # table and id
Operation = tuple[str, str, dict[str, Any]]
PARTICIPANT = "activityparty"  # is created and deleted with its activity only
PAIRED = "@"  # before the name of a many-to-many relationship, in `links` of the row that is the second of a pair
RESOLVED = 5  # the status of an incident
ACTIVITIES = ("phonecall", "email")
MADE = {
    *("fullname", "partyidname", "objecttypecode", "filesize", "isdocument"),
    *("relatedconnectionid", "ismaster", "connection.name"),
}  # by the platform


@dataclass(frozen=True)
class Row:
    """One row: its values but for nulls, where its lookups lead, and the content of its files and images."""

    table: str
    id: str
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    created: str = ""
    state: int = 0

    @property
    def key(self) -> Link:
        return self.table, self.id

    def where(self, **changes: Any) -> Row:
        return replace(self, **changes)


class Schema:
    """The tables of an environment file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        document = YAML(typ="safe").load(file)
        self.tables: dict[str, Any] = document["tables"]
        self.pairs: list[dict[str, str]] = document.get("many_to_many", [])

    def set_of(self, table: str) -> str:
        return str(self.tables[table].get("set") or table + "s")

    def columns(self, table: str) -> dict[str, str]:
        """Each column of a table and its type."""
        return {name: each["type"] for name, each in self.tables[table]["columns"].items()}

    def id_of(self, table: str) -> str:
        return next(str(name) for name, each in self.tables[table]["columns"].items() if each.get("key"))

    def navigation(self, table: str, column: str, target: str) -> str:
        """The name by which a lookup is bound to a row of `target`."""
        name = self.tables[table]["columns"][column].get("schema_name") or column
        if column == "regardingobjectid":
            return f"{name}_{target}_{table}"
        return f"{name}_{target}" if "|" in self.columns(table)[column] else name


def read(api: WebApi, schema: Schema) -> list[Row]:
    """Every row of the organisation's own tables."""
    answers = {table: api.rows(schema.set_of(table)) for table in schema.tables}
    tables = {row[schema.id_of(table)]: table for table, rows in answers.items() for row in rows}
    found = [_row(api, schema, table, row, tables) for table, rows in answers.items() for row in rows]
    by_id = {row.id: row for row in found}
    for pair in schema.pairs:
        one, two = pair["one"], pair["two"]
        for tie in api.rows(pair["name"] + "set"):
            by_id[tie[schema.id_of(two)]].links[PAIRED + pair["name"]] = (one, tie[schema.id_of(one)])
    return found


def _row(api: WebApi, schema: Schema, table: str, row: dict[str, Any], tables: dict[str, str]) -> Row:
    values, links, files = {}, {}, {}
    own = row[schema.id_of(table)]
    for column, kind in schema.columns(table).items():
        if not MADE.isdisjoint((column, f"{table}.{column}")):
            continue
        if kind.startswith("lookup"):
            target = row.get(f"_{column}_value")
            if target and target in tables:
                links[column] = (tables[target], target)
        elif kind in ("file", "image"):
            content = api.http.get(f"{api.root}{schema.set_of(table)}({own})/{column}/$value")
            if content.status_code == 200:
                files[column] = content.content
        elif row.get(column) is not None and kind != "guid":
            values[column] = row[column]
    return Row(table, own, values, links, files, row.get("createdon", ""), row.get("statecode") or 0)


def load(api: WebApi, schema: Schema, rows: Iterable[Row]) -> None:
    """Create the rows, then what links them to rows that came later, their states and their files."""
    order = list(schema.tables)
    rows = sorted(rows, key=lambda row: order.index(row.table))
    parties: dict[str, list[Row]] = {}
    for row in rows:
        if row.table == PARTICIPANT:
            parties.setdefault(row.links["activityid"][1], []).append(row)
    there: set[str] = set()
    creates: list[Operation] = []
    changes: list[Operation] = []
    for row in rows:
        if row.table == PARTICIPANT:
            continue
        later = {column: link for column, link in row.links.items() if link[1] not in there and not column.startswith(PAIRED)}
        body: dict[str, Any] = {schema.id_of(row.table): row.id, **row.values, **_bound(schema, row, but=later)}
        if row.created:
            body["overriddencreatedon"] = row.created
        if schema.tables[row.table].get("activity"):
            taking_part = [
                {**each.values, **_bound(schema, each, but=("activityid",))} for each in parties.get(row.id, []) if _is_own(each)
            ]
            body[f"{row.table}_activity_parties"] = taking_part
        creates.append(("POST", schema.set_of(row.table), body))
        there.add(row.id)
        address = f"{schema.set_of(row.table)}({row.id})"
        for column, (table, target) in row.links.items():
            if column.startswith(PAIRED):
                end = {"@odata.id": f"{api.root}{schema.set_of(table)}({target})"}
                changes.append(("POST", f"{address}/{column.removeprefix(PAIRED)}/$ref", end))
        if later:
            changes.append(("PATCH", address, _bound(schema, row, but=row.links.keys() - later)))
        if row.state and row.table == "incident":
            resolution = {"subject": "Klaar (fictief)", "incidentid@odata.bind": f"/{address}"}
            changes.append(("POST", "CloseIncident", {"IncidentResolution": resolution, "Status": RESOLVED}))
        elif row.state:
            changes.append(("PATCH", address, {"statecode": row.state}))
    api.send(creates)
    api.send(changes)
    for row in rows:
        for column, content in row.files.items():
            api.upload(f"{schema.set_of(row.table)}({row.id})/{column}", "bestand.bin", content)


def _is_own(party: Row) -> bool:
    """Whether a participant was written by somebody; the platform adds who owns an activity and what it is
    about."""
    return party.values.get("participationtypemask") not in (8, 9)


def _bound(schema: Schema, row: Row, but: Iterable[str]) -> dict[str, str]:
    return {
        f"{schema.navigation(row.table, column, table)}@odata.bind": f"{schema.set_of(table)}({target})"
        for column, (table, target) in row.links.items()
        if column not in set(but) and not column.startswith(PAIRED)
    }


def texts(row: Row) -> Iterator[str]:
    """Everything in a row that can be read."""
    yield from (str(value) for value in row.values.values())
    yield from (content.decode("latin-1") for content in row.files.values())
