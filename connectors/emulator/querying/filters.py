"""`$filter` as a WHERE: comparison, paths through lookups, any and all, and Dataverse's own functions.
Two-valued, as OData is: a comparison with null is false, so `ne` and `not` also find rows without a value.
Text compares without regard to case."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from odata_query import ast

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.errors import WebApiError, bad_query, no_property
from connectors.emulator.querying.conditions import TIME_KINDS, Condition, Operand
from connectors.emulator.querying.dataverse_functions import dataverse_condition
from connectors.emulator.querying.filter_parser import operands, parse_filter, plain
from connectors.emulator.schema.environment import Column, Environment, Relationship, Table
from connectors.emulator.schema.values import guid, parse_date, parse_instant
from connectors.emulator.security.sight import Sight
from connectors.emulator.storage import sql
from connectors.emulator.storage.pairs import paired

MAX_CONDITIONS = 500
_COMPARISONS = {ast.Eq: "=", ast.NotEq: "IS NOT", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
_MIRRORED = {"=": "=", "IS NOT": "IS NOT", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
_TEXT_FUNCTIONS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
_LONGEST_LIKE = 10_000  # SQLite refuses patterns of 50,000 bytes
TEXT_KINDS = ("string", "memo", "entityname", "choices")
WHOLE_KINDS = ("int", "choice", "state", "status", "bigint")


def refuse_too_many(conditions: int) -> None:
    if conditions > MAX_CONDITIONS:
        raise WebApiError(400, "0x8004430C", "Number of conditions in query exceeded maximum limit.")


class FilterCompiler:
    """One query's `$filter`s; counts conditions and hands out table aliases."""

    def __init__(
        self,
        environment: Environment,
        now: Callable[[], datetime],
        user: str,
        aliases: dict[str, str] | None = None,
        sight: Sight | None = None,
    ) -> None:
        self.environment, self.now, self.user = environment, now, user
        self.aliases = aliases or {}
        self.sight = sight  # None sees everything
        self.conditions = 0
        self._names = 0

    def compile(self, text: str, table: Table, alias: str) -> Condition:
        """Return a condition over `alias`, and the values to bind."""
        tree = parse_filter(text, self.aliases)
        try:
            return self._condition(tree, table, {"": alias})
        except RecursionError as problem:
            raise bad_query("Recursion limit reached. The query is nested too deeply.") from problem

    def fresh_alias(self) -> str:
        self._names += 1
        return f"n{self._names}"

    def visible(self, table: Table, alias: str) -> list[str]:
        """Return conditions that leave out the rows which the caller may not read."""
        return self.sight.rows(table, alias) if self.sight else []

    def hides(self, table: Table, column: Column) -> bool:
        """Return whether the caller may not read a column: it is null, to a filter as in the answer."""
        return self.sight is not None and self.sight.hides(table, column)

    def _count(self, number: int = 1) -> None:
        self.conditions += number
        refuse_too_many(self.conditions)

    # -- boolean structure -----------------------------------------------------------------------------------

    def _condition(self, node: Any, table: Table, scope: dict[str, str]) -> Condition:
        if isinstance(node, ast.BoolOp):
            operator = type(node.op)
            parts = [self._condition(part, table, scope) for part in operands(node, operator)]
            joined = (" AND " if operator is ast.And else " OR ").join(f"({text})" for text, _ in parts)
            return joined, tuple(value for _, values in parts for value in values)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            if function := _query_function_in(node.operand):
                raise bad_query(f"The operator 'not' cannot be used with the query function '{function}'.")
            text, values = self._condition(node.operand, table, scope)
            return f"NOT coalesce(({text}), 0)", values
        if isinstance(node, ast.Compare):
            return self._compare(node, table, scope)
        if isinstance(node, ast.Call):
            return self._call(node, table, scope)
        if isinstance(node, ast.CollectionLambda):
            return self._lambda(node, table, scope)
        raise bad_query("The $filter expression must evaluate to a single boolean value.")

    def _compare(self, node: ast.Compare, table: Table, scope: dict[str, str]) -> Condition:
        operator = _COMPARISONS.get(type(node.comparator))
        if operator is None:
            raise bad_query("The query node In is not supported.")
        left, right = node.left, node.right
        if isinstance(left, ast._Literal):
            left, right, operator = right, left, _MIRRORED[operator]
        if not isinstance(left, ast.Identifier | ast.Attribute):
            raise bad_query("The query node is not supported: only columns and values are compared.")
        operand = self._operand(left, table, scope)
        self._count(1 + operand.links)
        if isinstance(right, ast.Identifier | ast.Attribute):
            other = self._operand(right, table, scope)
            self._count(other.links)
            return f"{operand.expression} {operator} {other.expression}", ()
        if isinstance(right, ast.Null):
            if operator not in ("=", "IS NOT"):
                return "0", ()
            return f"{operand.expression} {'IS NULL' if operator == '=' else 'IS NOT NULL'}", ()
        return self.compared(operand, operator, _literal_text(right), right)

    def compared(self, operand: Operand, operator: str, value: str, literal: Any = None) -> Condition:
        """Return a column compared with a constant, each kind of column in its own way."""
        column, expression = operand.column, operand.expression
        if column.kind in TEXT_KINDS:
            if literal is not None and not isinstance(literal, ast.String):
                raise _incompatible("Edm.String", literal)
            if not value.isascii():
                return f"fold({expression}) {operator} fold(?)", (value,)
            return f"{expression} {operator} ?", (value,)
        if column.kind in TIME_KINDS:
            return self._compared_in_time(operand, operator, value, literal)
        return f"{expression} {operator} ?", (self.constant(column, value, literal),)

    def _compared_in_time(self, operand: Operand, operator: str, value: str, literal: Any) -> Condition:
        day = parse_date(value)
        if operand.column.kind == "date":
            if day is None:
                raise _incompatible("Edm.Date", literal)
            return f"{operand.expression} {operator} ?", (day.isoformat(),)
        instant = parse_instant(value)
        if instant is None:
            raise _incompatible("Edm.DateTimeOffset", literal)
        stored = instant_text(instant)
        if instant.microsecond:  # the store keeps whole seconds
            if operator in ("=", "IS NOT"):
                return ("0" if operator == "=" else "1"), ()
            operator = {"<": "<=", "<=": "<=", ">": ">", ">=": ">"}[operator]
        return f"{operand.expression} {operator} ?", (stored,)

    def constant(self, column: Column, value: str, literal: Any = None) -> Any:
        """Return a stored value to compare with; numbers of Dataverse's functions come as text too."""
        kind = column.kind
        if kind in ("guid", "lookup", "file"):
            row_id = guid(value)
            if row_id is None:
                raise _incompatible("Edm.Guid", literal)
            return row_id
        quoted = isinstance(literal, ast.String)
        if kind in WHOLE_KINDS and not quoted and re.fullmatch(r"[+-]?\d+", value) and abs(int(value)) < 2**63:
            return int(value)
        if kind in ("decimal", "double", "money", *WHOLE_KINDS) and not quoted and re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", value):
            return float(value)
        if kind == "bool" and not quoted and value in ("true", "false"):
            return int(value == "true")
        if kind == "bool" and literal is None and value in ("0", "1"):
            return int(value)
        if kind in ("string", "memo", "entityname", "choices"):
            return value
        expected = {"bool": "Edm.Boolean", "decimal": "Edm.Decimal", "double": "Edm.Double", "money": "Edm.Decimal"}
        raise _incompatible(expected.get(kind, "Edm.Int32"), literal)

    # -- columns ---------------------------------------------------------------------------------------------

    def _operand(self, node: Any, table: Table, scope: dict[str, str]) -> Operand:
        """Return a column of the row, of a row its lookups lead to, or of a lambda's variable."""
        names = _path(node)
        if isinstance(scope.get(names[0]), str) and names[0]:
            variable = names.pop(0)
            if not names:
                raise bad_query(f"The variable '{variable}' is not a column.")
            return self.column(table, scope[variable], names)
        if len(scope) > 1:
            raise bad_query(f"Could not find a property named '{names[0]}': inside any and all, columns are reached by the variable.")
        return self.column(table, scope[""], names)

    def column(self, table: Table, alias: str, names: list[str]) -> Operand:
        *steps, last = names
        if not steps:
            column = table.by_wire.get(last)
            if column is None:
                if last in table.navigations or last in table.collections:
                    raise bad_query(f"The query node SingleNavigationNode is not supported: '{last}' is a navigation property.")
                raise no_property(last, table.name)
            if self.hides(table, column):
                return Operand(column, "NULL")
            return Operand(column, sql.dotted(alias, column.name))
        navigation = table.navigations.get(steps[0])
        if navigation is None:
            raise no_property(steps[0], table.name)
        target = self.environment.tables[navigation.target]
        inner_alias = self.fresh_alias()
        inner = self.column(target, inner_alias, names[1:])
        where = [f"{sql.dotted(inner_alias, target.key)} = {sql.dotted(alias, navigation.column.name)}"]
        if navigation.column.polymorphic:
            where.append(f"{sql.dotted(alias, navigation.column.type_column)} = {sql.text(target.name)}")
        where += self.visible(target, inner_alias)
        query = sql.select([inner.expression], f"{sql.name(target.name)} {inner_alias}", where)
        collation = " COLLATE NOCASE" if inner.column.kind in TEXT_KINDS else ""
        return Operand(inner.column, f"({query}){collation}", inner.links + 1)

    # -- functions -------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, table: Table, scope: dict[str, str]) -> Condition:
        name = plain(node.func.name)
        if node.func.namespace:
            qualified = ".".join((*node.func.namespace, name))
            self._count()
            return dataverse_condition(self, qualified, _arguments(qualified, node), table, scope)
        pattern = _TEXT_FUNCTIONS.get(name)
        if pattern is None:
            raise bad_query(f"The query function '{name}' is not supported.")
        if len(node.args) != 2 or not isinstance(node.args[1], ast.String) or not isinstance(node.args[0], ast.Identifier | ast.Attribute):
            raise bad_query(f"No function signature for the function with name '{name}' matches the specified arguments.")
        operand = self._operand(node.args[0], table, scope)
        self._count(1 + operand.links)
        if operand.column.kind not in TEXT_KINDS:
            raise bad_query(f"No function signature for the function with name '{name}' matches the specified arguments.")
        return like(operand.expression, pattern.format(node.args[1].val))

    def _lambda(self, node: ast.CollectionLambda, table: Table, scope: dict[str, str]) -> Condition:
        names = _path(node.owner)
        alias = scope[""]
        if names[0] in scope and names[0]:
            alias = scope[names.pop(0)]
        if len(names) != 1:
            raise bad_query("A lambda expression reached through a lookup is not supported.")
        relation, peers = table.collections.get(names[0]), table.peers.get(names[0])
        inner_alias = self.fresh_alias()
        if relation is not None:
            child = self.environment.tables[relation.child]
            where = [joined(relation, child, inner_alias, table, alias)]
        elif peers is not None:
            child = self.environment.tables[peers.far.table]
            where = [paired(peers, sql.dotted(alias, table.key), sql.dotted(inner_alias, child.key))]
        else:
            raise no_property(names[0], table.name)
        self._count()
        where += self.visible(child, inner_alias)
        values: tuple[Any, ...] = ()
        everything = isinstance(node.operator, ast.All)
        if node.lambda_ is not None:
            variable = plain(node.lambda_.identifier.name)
            text, values = self._condition(node.lambda_.expression, child, {"": inner_alias, variable: inner_alias})
            where.append(f"NOT coalesce(({text}), 0)" if everything else f"({text})")
        query = sql.select(["1"], f"{sql.name(child.name)} {inner_alias}", where)
        return f"{'NOT ' if everything else ''}EXISTS ({query})", values


def _query_function_in(node: Any) -> str:
    """Return the name of one of Dataverse's own functions somewhere under a node; empty where there is none.
    Each has its own opposite."""
    if isinstance(node, ast.Call) and node.func.namespace:
        return ".".join((*node.func.namespace, plain(node.func.name)))
    if isinstance(node, ast.BoolOp):
        return _query_function_in(node.left) or _query_function_in(node.right)
    if isinstance(node, ast.UnaryOp):
        return _query_function_in(node.operand)
    if isinstance(node, ast.CollectionLambda) and node.lambda_ is not None:
        return _query_function_in(node.lambda_.expression)
    return ""


def joined(relation: Relationship, child: Table, child_alias: str, parent: Table, parent_alias: str) -> str:
    """Return the condition that a child row belongs to a parent row."""
    column = child.columns[relation.column]
    condition = f"{sql.dotted(child_alias, column.name)} = {sql.dotted(parent_alias, parent.key)}"
    if column.polymorphic:
        condition += f" AND {sql.dotted(child_alias, column.type_column)} = {sql.text(parent.name)}"
    return condition


def like(expression: str, pattern: str) -> Condition:
    """Return SQL Server's LIKE: `%`, `_` and, unlike SQLite's, `[…]`."""
    if "[" in pattern or not pattern.isascii() or len(pattern) > _LONGEST_LIKE:
        return f"matches({expression}, ?)", (like_to_regex(pattern),)
    return f"{expression} LIKE ?", (pattern,)


def like_to_regex(pattern: str) -> str:
    parts, position = [], 0
    while position < len(pattern):
        character = pattern[position]
        end = pattern.find("]", position + 2)
        if character == "[" and end > 0:
            inside = pattern[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{inside}]")
            position = end
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
        position += 1
    return "(?is)^" + "".join(parts) + "$"


def _path(node: Any) -> list[str]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(plain(node.attr))
        node = node.owner
    if not isinstance(node, ast.Identifier):
        raise bad_query("The query node is not supported: a column was expected.")
    names.append(".".join((*node.namespace, plain(node.name))))
    names.reverse()
    return names


def _literal_text(node: Any) -> str:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Integer | ast.Float):
        return "-" + str(node.operand.val)
    if not isinstance(node, ast._Literal) or isinstance(node, ast.List):
        raise bad_query("The query node is not supported: only columns and values are compared.")
    return str(getattr(node, "val", ""))


def _arguments(name: str, node: ast.Call) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for argument in node.args:
        if not isinstance(argument, ast.NamedParam):
            raise bad_query(f"The function '{name}' takes named parameters only.")
        value = argument.param
        found[argument.name.name] = [_literal_text(item) for item in value.val] if isinstance(value, ast.List) else _literal_text(value)
    return found


def _incompatible(expected: str, literal: Any) -> WebApiError:
    found = {
        "String": "Edm.String",
        "Integer": "Edm.Int32",
        "Float": "Edm.Double",
        "GUID": "Edm.Guid",
        "Boolean": "Edm.Boolean",
        "Date": "Edm.Date",
    }
    given = found.get(type(literal).__name__, "Edm.DateTimeOffset" if isinstance(literal, ast.DateTime) else "Edm.String")
    return bad_query(
        f"A binary operator with incompatible types was detected. Found operand types '{expected}' and '{given}' for operator kind 'Equal'."
    )
