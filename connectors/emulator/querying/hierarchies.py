"""Rows above and below one row, and whom the caller counts as their own: conditions over the id in a column.
Source: Microsoft Learn, "Query hierarchical data" and "FetchXml condition operators"; section 3.2 of the wire
reference."""

from connectors.emulator.errors import bad_query
from connectors.emulator.querying.conditions import Condition, Operand
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import guid
from connectors.emulator.storage import sql

LINES = ("Above", "AboveOrEqual", "Under", "UnderOrEqual", "NotUnder")
_REPORTS = ("EqualUserOrUserHierarchy", "EqualUserOrUserHierarchyAndTeams")
CALLERS = ("EqualUserId", "NotEqualUserId", "EqualBusinessId", "NotEqualBusinessId", "EqualUserTeams", "EqualUserOrUserTeams", *_REPORTS)


def related(name: str, table: Table, operand: Operand, value: str) -> Condition:
    """Return the condition of one of `LINES`: rows above or below one in the hierarchy that a lookup of the
    table to itself makes. Raises WebApiError: 400 for a table without such a lookup, a column that is neither
    the key nor that lookup, and a value that is not an id."""
    own = (column for column in table.columns.values() if column.targets == (table.name,) and not column.system)
    parent = next(own, None)
    if parent is None or operand.links or operand.column not in (table.columns[table.key], parent):
        raise bad_query(f"The entity '{table.name}' has no hierarchy by '{operand.column.name}'.")
    row_id = guid(value)
    if row_id is None:
        raise bad_query(f"The function '{name}' takes the id of a row, not '{value[:40]}'.")
    inside = f"{operand.expression} IN ({_line(table.name, table.key, parent.name, downwards='Under' in name)})"
    if name.endswith("OrEqual"):
        return inside, (row_id,)
    if name == "NotUnder":
        return f"NOT coalesce(({inside} AND {operand.expression} IS NOT ?), 0)", (row_id, row_id)
    return f"({inside} AND {operand.expression} <> ?)", (row_id, row_id)


def of_the_caller(name: str, operand: Operand, user: str) -> Condition:
    """Return the condition of one of `CALLERS`: the caller, their business unit, their teams, or those who
    report to them by `parentsystemuserid`. Raises WebApiError: 400 for a column that holds no ids."""
    if operand.column.kind not in ("guid", "lookup"):
        raise bad_query(f"The function '{name}' is not valid for the column '{operand.column.name}'.")
    if name in ("EqualUserId", "NotEqualUserId"):
        return f"{operand.expression} {'=' if name == 'EqualUserId' else 'IS NOT'} ?", (user,)
    if name in ("EqualBusinessId", "NotEqualBusinessId"):
        unit = sql.select(["businessunitid"], sql.name("systemuser"), ["systemuserid = ?"])
        return f"{operand.expression} {'=' if name == 'EqualBusinessId' else 'IS NOT'} ({unit})", (user,)
    people = _line("systemuser", "systemuserid", "parentsystemuserid", downwards=True) if name in _REPORTS else "SELECT ?"
    parts = [] if name == "EqualUserTeams" else [people]
    if name.endswith("Teams"):
        parts.append(sql.select(["teamid"], sql.name("teammembership"), [f"systemuserid IN ({people})"]))
    return "(" + " OR ".join(f"{operand.expression} IN ({part})" for part in parts) + ")", (user,) * len(parts)


def _line(table: str, key: str, parent: str, *, downwards: bool) -> str:
    """Return SQL for the ids from one row, bound first, to its line's end; UNION stops at a loop."""
    own, up = sql.dotted("h", key), sql.dotted("h", parent)
    found, step = (own, f"{up} = line.id") if downwards else (up, f"{own} = line.id AND {up} IS NOT NULL")
    following = sql.select([found], f"{sql.name(table)} h JOIN line", [step])
    return " ".join(["WITH RECURSIVE line(id) AS (SELECT ? UNION", following, ") SELECT id FROM line"])
