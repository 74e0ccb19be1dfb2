"""The audit log: a row for each change of an audited table, with the old values and the new, that outlives
the row it describes. Which columns are logged, how long a value may be and what is never audited: Microsoft
Learn, "Retrieve the history of audited data changes" and "Manage Dataverse auditing"."""

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.emulator.schema.environment import Column, Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Row

AUDIT = "audit"
CREATE, UPDATE, DELETE = 1, 2, 3  # operations, and actions of the same number
LOG_DELETION = 111  # an action: audit rows were removed
MAX_VALUE = 5_000  # characters; a longer text ends with "…"
_NEVER = ("annotation", AUDIT)
_UNLOGGED_KINDS = ("file", "image")
_ENABLED = "SELECT isauditenabled FROM organization LIMIT 1"

Change = dict[str, str | None]  # logicalName, oldValue, newValue


class AuditTrail:
    """Writes audit rows as changes happen, and gives or removes the history of a row."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.table = tables.environment.tables[AUDIT]
        self._columns: dict[str, list[tuple[int, Column]]] = {}

    # -- what a `WriteListener` answers ----------------------------------------------------------------------

    def wants(self, table: Table) -> bool:
        """Return whether a table is audited if the organisation audits; notes and activities never are."""
        if not table.audited or table.activity or table.name in _NEVER:
            return False
        enabled = self.tables.connection.execute(_ENABLED).fetchone()
        return enabled is not None and bool(enabled[0])

    def created(self, table: Table, row_id: str, values: Row, user: str) -> None:
        self._log(CREATE, table, row_id, {}, values, user)

    def updated(self, table: Table, row_id: str, before: Row, after: Row, user: str) -> None:
        self._log(UPDATE, table, row_id, before, after, user)

    def deleted(self, rows: Sequence[tuple[Table, Row]], user: str, *, recoverable: bool) -> None:
        for table, row in rows:
            self._log(DELETE, table, row[table.key], row, {}, user)

    def _log(self, operation: int, table: Table, row_id: str, before: Row, after: Row, user: str) -> None:
        numbers: list[str] = []
        changes: list[Change] = []
        written = after or before  # an update has only the columns that were written
        for number, column in self._logged(table):
            if column.name not in written:
                continue
            old, new = _written(column, before), _written(column, after)
            if old != new:
                numbers.append(str(number))
                changes.append({"logicalName": column.name, "oldValue": old, "newValue": new})
        if changes or operation != UPDATE:
            self._insert(operation, operation, table.name, row_id, user, ",".join(numbers), changes)

    def _logged(self, table: Table) -> list[tuple[int, Column]]:
        """Return the columns of a table that are audited, with their numbers: not the platform's own fields,
        nor binary ones."""
        if table.name not in self._columns:
            self._columns[table.name] = [
                (number, column)
                for number, column in enumerate(table.columns.values(), 1)
                if (column.writable or column.computed) and not column.key and column.kind not in _UNLOGGED_KINDS
            ]
        return self._columns[table.name]

    def _insert(
        self, operation: int, action: int, table: str, row_id: str | None, user: str, mask: str | None, changes: list[Change] | None
    ) -> None:
        values = {
            "auditid": str(uuid.uuid4()),
            "operation": operation,
            "action": action,
            "objectid": row_id,
            "objectid__type": table if row_id else None,
            "objecttypecode": table,
            "userid": user,
            "attributemask": mask,
            "changedata": msgspec.json.encode({"changedAttributes": changes}).decode() if changes is not None else None,
            "createdon": self.tables.clock.text(),
            "versionnumber": self.tables.next_version(),
        }
        self.tables.insert(self.table, values, user)

    # -- history ---------------------------------------------------------------------------------------------

    def history(self, table: Table, row_id: str) -> list[tuple[str, list[Change]]]:
        """Return id and changes of every audit row about one row, newest first, without the record that its
        history was once removed."""
        where = [f"{sql.name('objectid')} = ?", f"{sql.name('objectid__type')} = ?", f"{sql.name('action')} <> ?"]
        statement = sql.select(
            ["auditid", "changedata"], sql.name(AUDIT), where, [f"{sql.name('createdon')} DESC", f"{sql.name('versionnumber')} DESC"]
        )
        found = self.tables.connection.execute(statement, (row_id, table.name, LOG_DELETION)).fetchall()
        return [(audit_id, changes_of(data)) for audit_id, data in found]

    def delete_history(self, table: Table, row_id: str, user: str) -> int:
        """Remove the history of one row, and log that; gives the number of audit rows removed."""
        removed = [audit_id for audit_id, _ in self.history(table, row_id)]
        for audit_id in removed:
            self.tables.delete(self.table, audit_id, user, recoverable=False)
        self.log_deletion(user, table, row_id if self.tables.switches.purge_log_names_row else None)
        return len(removed)

    def delete_before(self, instant: str, user: str) -> set[str]:
        """Remove what was logged before a stored instant, and log that; gives the months it was from."""
        statement = sql.select(["auditid", "createdon"], sql.name(AUDIT), [f"{sql.name('createdon')} < ?"])
        found = self.tables.connection.execute(statement, (instant,)).fetchall()
        for audit_id, _ in found:
            self.tables.delete(self.table, audit_id, user, recoverable=False)
        if found:
            self.log_deletion(user)
        return {createdon[:7] for _, createdon in found}

    def log_deletion(self, user: str, table: Table | None = None, row_id: str | None = None) -> None:
        """Log that audit rows were removed, of one row or of any; never their content."""
        self._insert(DELETE, LOG_DELETION, (table or self.table).name, row_id, user, None, None)


def changes_of(data: str | None) -> list[Change]:
    """Return what a `changedata` column holds."""
    changes: list[Change] = msgspec.json.decode(data)["changedAttributes"] if data else []
    return changes


def _written(column: Column, row: Row) -> str | None:
    """Return a value as the log writes it: all of it text, a lookup with the name of its table."""
    value: Any = row.get(column.name)
    if value is None:
        return None
    if column.kind == "bool":
        return "True" if value else "False"
    if column.is_lookup:
        return f"{row.get(column.type_column) or column.targets[0]},{value}"
    text = str(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def wire_value(column: Column, written: str | None) -> Any:
    """Return the JSON value of what the log wrote."""
    if written is None:
        return None
    match column.kind:
        case "bool":
            return written == "True"
        case "int" | "bigint" | "choice" | "state" | "status":
            return int(written)
        case "decimal" | "double" | "money":
            return float(written)
        case "lookup":
            return written.partition(",")[2]
    return written
