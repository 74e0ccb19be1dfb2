"""SQL that makes the tables, indexes, views and triggers of an environment."""

from collections.abc import Iterable

from connectors.emulator.schema.environment import POINTER, Column, Environment, Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.pairs import indexes
from connectors.emulator.storage.sources import BIN, RETAINED, source_of

_TYPES = {
    "int": "INTEGER",
    "bool": "INTEGER",
    "choice": "INTEGER",
    "state": "INTEGER",
    "status": "INTEGER",
    "bigint": "INTEGER",
    "decimal": "REAL",
    "double": "REAL",
    "money": "REAL",
}
_CASELESS = {"string", "memo", "entityname"}
# Lookups of the platform that nobody cascades over: an index on them would only cost.
_UNINDEXED = {
    "userid",
    "callinguserid",
    "createdby",
    "modifiedby",
    "ownerid",
    "owninguser",
    "owningteam",
    "owningbusinessunit",
    "transactioncurrencyid",
    "createdonbehalfby",
    "modifiedonbehalfby",
}
# What decides who may do what: `security/` remembers it until one of these changes.
_SECURITY_TABLES = (
    "systemuser",
    "businessunit",
    "role",
    "systemuserroles",
    "teamroles",
    "teammembership",
    "roleprivileges",
    "fieldpermission",
    "systemuserprofiles",
    "teamprofiles",
)
# What the emulator keeps besides rows.
_OWN_TABLES = [
    "CREATE TABLE _files (id TEXT PRIMARY KEY, tab TEXT, row_id TEXT, col TEXT, name TEXT, mimetype TEXT, body BLOB, "
    "createdon TEXT, version INTEGER) WITHOUT ROWID",
    "CREATE TABLE _transfers (token TEXT PRIMARY KEY, tab TEXT, row_id TEXT, col TEXT, name TEXT, mimetype TEXT, total INTEGER, "
    "expires REAL) WITHOUT ROWID",
    "CREATE TABLE _blocks (token TEXT, block TEXT, body BLOB, PRIMARY KEY (token, block)) WITHOUT ROWID",
    "CREATE TABLE _counts (tab TEXT PRIMARY KEY, number INTEGER, taken REAL) WITHOUT ROWID",
    "CREATE TABLE _definitions (name TEXT PRIMARY KEY, id TEXT, digest TEXT, version INTEGER, gone INTEGER) WITHOUT ROWID",
    "CREATE TABLE _cookies (digest INTEGER PRIMARY KEY)",
    "CREATE TABLE _jobs (id TEXT PRIMARY KEY, scheduled REAL, started REAL) WITHOUT ROWID",
    "CREATE TABLE _tombstones (tab TEXT, row_id TEXT, version INTEGER, deletedon TEXT, PRIMARY KEY (tab, row_id)) WITHOUT ROWID",
    "CREATE INDEX ix__tombstones_version ON _tombstones (tab, version)",
    "CREATE INDEX ix__tombstones_deletedon ON _tombstones (deletedon)",
    "CREATE TABLE _binned (tab TEXT, row_id TEXT, root_tab TEXT, root_id TEXT, deletedon TEXT, PRIMARY KEY (tab, row_id)) WITHOUT ROWID",
    "CREATE INDEX ix__binned_root ON _binned (root_id)",
    "CREATE TABLE _alterations (number INTEGER PRIMARY KEY AUTOINCREMENT, alteration BLOB)",
]


def schema_of(environment: Environment) -> list[str]:
    """Return all SQL of a new state file, in order: where it is the same, so is the environment."""
    return [*_OWN_TABLES, *table_statements(environment)]


def table_statements(environment: Environment) -> list[str]:
    """Return SQL that makes the environment's tables and everything that depends on them."""
    statements = [statement for table in environment.tables.values() for statement in statements_of(environment, table)]
    return [*statements, *indexes(environment.many_to_many), *_security_triggers()]


def statements_of(environment: Environment, table: Table) -> list[str]:
    """Return SQL that makes one table, its other sources and its indexes."""
    if table.view:
        return [view_statement(environment, table) if table.name == POINTER else _file_view(table)]
    lines = [declaration(column) for column in table.columns.values()]
    lines += [f"{sql.name(c.type_column)} TEXT" for c in table.columns.values() if c.polymorphic]
    statements = [f"CREATE TABLE {sql.name(source_of(table, source))} ({', '.join(lines)})" for source in (None, BIN, RETAINED)]
    statements += lookup_indexes(table, table.columns.values())
    if "createdon" in table.columns:  # clients read large tables in ranges of it
        statements.append(f"CREATE INDEX {sql.name('ix_' + table.name + '_createdon')} ON {sql.name(table.name)} (createdon)")
    for key, columns in table.alternate_keys.items():
        parts = ", ".join(sql.name(c.name) for c in columns)
        statements.append(f"CREATE INDEX {sql.name('ak_' + key)} ON {sql.name(table.name)} ({parts})")
    return statements


def lookup_indexes(table: Table, columns: Iterable[Column]) -> list[str]:
    found: list[str] = []
    for column in columns:
        if column.is_lookup and column.name not in _UNINDEXED:
            index, indexed = sql.name(f"ix_{table.name}_{column.name}"), sql.name(column.name)
            found.append(f"CREATE INDEX {index} ON {sql.name(table.name)} ({indexed}) WHERE {indexed} IS NOT NULL")
    return found


def _security_triggers() -> list[str]:
    """Return triggers that change the `security_stamp` with any right, and restore it on rollback. While the
    stamp is empty they rest: who inserts all rights of a new organisation changes it once, afterwards."""
    change = "UPDATE _state SET value = hex(randomblob(8)) WHERE name = 'security'"
    awake = "WHEN (SELECT value FROM _state WHERE name = 'security') <> ''"
    return [
        f"CREATE TRIGGER {sql.name(f'stamp_{table}_{event.lower()}')} AFTER {event} ON {sql.name(table)} {awake} BEGIN {change}; END"
        for table in _SECURITY_TABLES
        for event in ("INSERT", "UPDATE", "DELETE")
    ]


def declaration(column: Column) -> str:
    collation = " COLLATE NOCASE" if column.kind in _CASELESS else ""
    unique = " PRIMARY KEY NOT NULL" if column.key else ""
    return f"{sql.name(column.name)} {_TYPES.get(column.kind, 'TEXT')}{collation}{unique}"


def view_statement(environment: Environment, pointer: Table) -> str:
    columns = pointer.stored_columns
    branches = [
        sql.select([_in_view(t, c) for c in columns], sql.name(t.name)) for t in environment.tables.values() if t.activity and not t.view
    ]
    return f"CREATE VIEW {sql.name(POINTER)} AS " + " UNION ALL ".join(branches)


def _in_view(table: Table, column: str) -> str:
    """Return the column as in the view. A lookup with several targets may have one in a narrower activity
    table; then its type is not a column there."""
    source = table.columns.get(column.removesuffix("__type"))
    if column.endswith("__type") and source is not None and not source.polymorphic:
        return f"{sql.text(source.targets[0])} AS {sql.name(column)}"
    return sql.name(column)


def _file_view(table: Table) -> str:
    """Return SQL for the files of file columns as rows; a full image has no name and is not among them, nor
    is what is in the recycle bin."""
    sources = {
        "fileattachmentid": "id",
        "filename": "name",
        "filesizeinbytes": "length(body)",
        "mimetype": "mimetype",
        "regardingfieldname": "col",
        "objectid": "row_id",
        "objectid__type": "tab",
        "createdon": "createdon",
        "versionnumber": "version",
    }
    columns = [f"{source} AS {sql.name(column)}" for column, source in sources.items()]
    return f"CREATE VIEW {sql.name(table.name)} AS " + sql.select(columns, "_files", ["name <> ''", "substr(tab, 1, 1) <> '_'"])
