"""Duplicate detection: published rules, applied only for a client that sends
`MSCRM.SuppressDuplicateDetection: false`.

A rule compares a new or changed row with the rows of a table; all its conditions must hold. Source: section
4.2 of the wire reference; Microsoft Learn, "Detect duplicate data"."""

from typing import Any

from connectors.emulator.errors import WebApiError
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Guard, Row

HEADER = "mscrm.suppressduplicatedetection"
FOUND = "0x80040333"
EXACT, SAME_FIRST, SAME_LAST = 0, 1, 2
_RULES = (
    "SELECT duplicateruleid, matchingentityname, iscasesensitive, excludeinactiverecords FROM duplicaterule "
    "WHERE baseentityname = ? AND statecode = 1"
)
_CONDITIONS = (
    "SELECT baseattributename, matchingattributename, operatorcode, operatorparam, ignoreblankvalues FROM duplicaterulecondition "
    "WHERE regardingobjectid = ?"
)


class DuplicateDetection(Guard):
    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def creating(self, operation: Operation, table: Table, values: Row, asked: Row) -> None:
        if _wanted(operation):
            self._check(table, values[table.key], values, set(table.columns))

    def updating(self, operation: Operation, table: Table, row_id: str, values: Row) -> None:
        if _wanted(operation):
            self._check(table, row_id, {**self.tables.whole(table, row_id), **values}, set(values))

    def _check(self, table: Table, row_id: str, row: Row, written: set[str]) -> None:
        run = self.tables.connection.execute
        for rule, matching, exact_case, only_active in run(_RULES, (table.name,)).fetchall():
            conditions = run(_CONDITIONS, (rule,)).fetchall()
            other = self.tables.environment.tables.get(matching)
            if other is None or not conditions or not any(column in written for column, *_ in conditions):
                continue
            where, values = [], []
            for column, matched, operator, length, ignore_blank in conditions:
                value = row.get(column)
                if matched not in other.columns or (value is None and ignore_blank):
                    break
                text, bound = _compared(sql.name(matched), value, operator or EXACT, length or 0)
                where.append(text + (" COLLATE BINARY" if exact_case and bound else ""))
                values += bound
            else:
                where.append(f"{sql.name(other.key)} <> ?")
                where += ["statecode = 0"] if only_active else []
                if run(sql.select(["1"], sql.name(other.name), where, limit=1), (*values, row_id)).fetchone():
                    raise WebApiError(
                        412, FOUND, "A record was not created or updated because a duplicate of the current record already exists."
                    )


def _compared(column: str, value: Any, operator: int, length: int) -> tuple[str, list[Any]]:
    if value is None:
        return f"{column} IS NULL", []
    if operator == SAME_FIRST:
        return f"substr({column}, 1, {int(length)}) = ?", [str(value)[:length]]
    if operator == SAME_LAST:
        return f"substr({column}, -{int(length)}) = ?", [str(value)[-length:]]
    return f"{column} = ?", [value]


def _wanted(operation: Operation) -> bool:
    return operation.headers.get(HEADER, "").strip().lower() == "false"
