"""Many rows inserted at once, unchecked and unheard by write listeners, as seeding and the platform itself
do it."""

import uuid
from collections.abc import Iterable
from itertools import islice
from typing import Any

from connectors.emulator.schema.environment import CURRENCY, DEFAULT_USER, Table
from connectors.emulator.schema.table_specs import BODIES, size_of_body
from connectors.emulator.storage import sql
from connectors.emulator.storage.files.contents import KeptFiles
from connectors.emulator.storage.new_rows import join_parts, system_defaults
from connectors.emulator.storage.tables import Tables

CHUNK = 5_000  # rows in one executemany


def load_rows(tables: Tables, rows: Iterable[tuple[str, dict[str, Any]]]) -> int:
    """Insert many rows at once, unchecked, parents in any order, or none of them; gives their number. Keys
    are logical names. A lookup with several targets is `(table, id)`; a file column is `(file name,
    bytes)`."""
    loaded = 0
    iterator = iter(rows)
    with tables.lock, tables.transaction():
        while chunk := list(islice(iterator, CHUNK)):
            groups: dict[str, list[dict[str, Any]]] = {}
            for name, row in chunk:
                groups.setdefault(name, []).append(row)
            for name, group in groups.items():
                loader = Loader(tables, tables.environment.tables[name], tables.clock.text())
                insert(tables, loader.statement, loader.version_at, map(loader.values, group))
            loaded += len(chunk)
    return loaded


def insert(tables: Tables, statement: str, version_at: int, rows: Iterable[list[Any]]) -> None:
    """Insert rows of one table, each with a version of its own."""

    def stamped(values: list[Any]) -> list[Any]:
        values[version_at] = tables.next_version()
        return values

    tables.connection.executemany(statement, map(stamped, rows))


class Loader:
    """Turns wire-typed rows of one table into values in the order of its columns."""

    def __init__(self, tables: Tables, table: Table, now: str) -> None:
        self.kept_files = KeptFiles(tables)
        self.table = table
        self.defaults = system_defaults(table, now, DEFAULT_USER)
        self.names = table.stored_columns
        self.known = set(self.names)
        self.bools = [c.name for c in table.columns.values() if c.kind == "bool"]
        self.polymorphic = [c for c in table.columns.values() if c.polymorphic]
        self.files = [c for c in table.columns.values() if c.kind == "file"]
        self.computed = [c for c in table.columns.values() if c.computed]
        self.money = [c.name for c in table.columns.values() if c.kind == "money" and not c.name.endswith("_base")]
        self.version_at = self.names.index("versionnumber")
        self.statement = sql.insert(table.name, self.names)

    def values(self, row: dict[str, Any]) -> list[Any]:
        """Return the values of a row, still without its version."""
        table = self.table
        if unknown := row.keys() - self.known:
            raise KeyError(f"{table.name} has no column {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {**self.defaults, **row}
        if table.key not in row:
            values[table.key] = str(uuid.uuid4())
        if "createdon" in row:
            values.setdefault("overriddencreatedon", None)
            if "modifiedon" not in row:
                values["modifiedon"] = row["createdon"]
        elif row.get("overriddencreatedon"):
            values["createdon"] = values["modifiedon"] = row["overriddencreatedon"]
        for column in self.polymorphic:
            value = values.get(column.name)
            if isinstance(value, tuple):
                values[column.type_column], values[column.name] = value
        for name in self.bools:
            if isinstance(values.get(name), bool):
                values[name] = int(values[name])
        for column in self.files:
            if isinstance(values.get(column.name), tuple):
                name, body = values[column.name]
                values[column.name] = self.kept_files.put(table, values[table.key], column, name, "application/octet-stream", body)
                values[column.name + "_name"] = name
        for name in self.money:
            if values.get(name) is not None:
                values[name + "_base"] = values[name]
                values["transactioncurrencyid"], values["exchangerate"] = CURRENCY, 1.0
        if table.name == "annotation" and "objectid" in values:
            values["objecttypecode"] = values.get("objectid__type")
        if (body := BODIES.get(table.name)) in values and "filesize" in table.columns:
            values["filesize"] = size_of_body(values[body])
        if "statuscode" not in row and row.get("statecode"):
            values["statuscode"] = table.default_status(row["statecode"])
        for column in self.computed:
            values[column.name] = join_parts(values.get(part) for part in column.computed)
        return list(map(values.get, self.names))
