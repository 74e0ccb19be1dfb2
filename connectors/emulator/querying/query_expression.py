"""A QueryExpression in JSON, read into the SQL that finds the ids of its rows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_payload, bad_query
from connectors.emulator.querying.conditions import Condition
from connectors.emulator.querying.criteria import QUERY_EXPRESSION_OPERATORS, attribute, condition, entity
from connectors.emulator.querying.filters import refuse_too_many
from connectors.emulator.request.paths import NAMESPACE, type_of
from connectors.emulator.schema.environment import Environment, Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.sources import source_of
from connectors.emulator.storage.tables import Tables

ROW = "q0"
LONG_LIST = 500  # values beyond which a list is bound as one: SQLite takes only so many variables

# What each type has, so that a misspelt "Conditions" is refused and does not quietly match every row.
# Microsoft Learn, "QueryExpression ComplexType" and its neighbours.
_PROPERTIES = {
    "QueryExpression": {
        "EntityName",
        "DataSource",
        "ColumnSet",
        "Criteria",
        "LinkEntities",
        "Orders",
        "PageInfo",
        "TopCount",
        "Distinct",
        "NoLock",
        "QueryHints",
        "ForceSeek",
        "SubQueryExpression",
    },
    "FilterExpression": {"FilterOperator", "FilterHint", "Conditions", "Filters", "IsQuickFindFilter", "AnyAllFilterLinkEntity"},
    "ConditionExpression": {"EntityName", "AttributeName", "Operator", "Values", "CompareColumns"},
    "LinkEntity": {
        "LinkFromEntityName",
        "LinkFromAttributeName",
        "LinkToEntityName",
        "LinkToAttributeName",
        "JoinOperator",
        "LinkCriteria",
        "LinkEntities",
        "Columns",
        "EntityAlias",
        "Orders",
        "ForceSeek",
    },
    "Object": {"Value", "Type"},
}


@dataclass
class Selection:
    """The rows of one table, in one source, that a query finds."""

    table: Table
    datasource: str | None
    joins: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)  # those of the joins before those of the conditions

    def ids(self, tables: Tables, *, until: str, visible: Sequence[str] = ()) -> list[tuple[Table, str]]:
        """Return table and id of every row created no later than a stored instant; `visible` are further
        conditions over `ROW`."""
        table = self.table
        kind = sql.dotted(ROW, "activitytypecode") if table.view else sql.text(table.name)
        where = [*self.where, f"{sql.dotted(ROW, 'createdon')} <= ?", *(f"({each})" for each in visible)]
        source = " ".join([sql.name(source_of(table, self.datasource)), ROW, *self.joins])
        key = sql.dotted(ROW, table.key)
        statement = sql.select([f"DISTINCT {key}", kind], source, where, [key])
        return [(tables.environment.tables[name], row_id) for row_id, name in tables.connection.execute(statement, [*self.values, until])]


def read_query(environment: Environment, document: Any, now: datetime, user: str) -> Selection:
    """Return the rows of one QueryExpression. Raises WebApiError: 400 for what is not a query of this
    environment."""
    return _QueryReader(environment, now, user).read(document)


class _QueryReader:
    """Reads one query; counts its conditions and knows which alias stands for which table."""

    def __init__(self, environment: Environment, now: datetime, user: str) -> None:
        self.environment, self.now, self.user = environment, now, user
        self.conditions = 0
        self.scope: dict[str, tuple[Table, str]] = {}

    def read(self, document: Any) -> Selection:
        query = typed(document, "QueryExpression")
        table = entity(self.environment, str(query.get("EntityName") or ""))
        datasource = query.get("DataSource") or None
        if not isinstance(datasource, str | None) or (datasource and table.view):
            raise bad_query(f"The data source '{str(datasource)[:60]}' is not valid for '{table.name}'.")
        if query.get("TopCount"):
            raise bad_query("TopCount is not supported here: a query takes all of its rows.")
        source_of(table, datasource)
        selection = Selection(table, datasource)
        self.scope = {"": (table, ROW), table.name: (table, ROW)}
        for link in _items(query, "LinkEntities"):
            self._join(selection, table, ROW, link)
        text, values = self._filter(query.get("Criteria"), "")
        selection.where.append(text)
        selection.values += values
        return selection

    def _join(self, selection: Selection, table: Table, alias: str, document: Any) -> None:
        link = typed(document, "LinkEntity")
        target = entity(self.environment, str(link.get("LinkToEntityName") or ""))
        operator = link.get("JoinOperator") or "Inner"
        if operator not in ("Inner", "LeftOuter"):
            raise bad_query(f"The join operator '{str(operator)[:40]}' is not supported.")
        inner = f"q{len(selection.joins) + 1}"
        left = attribute(table, str(link.get("LinkFromAttributeName") or ""))
        right = attribute(target, str(link.get("LinkToAttributeName") or ""))
        name = str(link.get("EntityAlias") or f"{target.name}{len(selection.joins) + 1}")
        if name in self.scope:
            raise bad_query(f"The alias '{name[:60]}' is not unique in the query.")
        self.scope[name] = (target, inner)
        text, values = self._filter(link.get("LinkCriteria"), name)
        joined = f"{sql.dotted(alias, left.name)} = {sql.dotted(inner, right.name)}"
        kind = "JOIN" if operator == "Inner" else "LEFT JOIN"
        selection.joins.append(f"{kind} {sql.name(source_of(target, selection.datasource))} {inner} ON {joined} AND {text}")
        selection.values += values
        for nested in _items(link, "LinkEntities"):
            self._join(selection, target, inner, nested)

    def _filter(self, document: Any, entity_name: str) -> Condition:
        """Return AND or OR over conditions and filters; an empty one is true."""
        if document is None:
            return "1", ()
        given = typed(document, "FilterExpression")
        operator = given.get("FilterOperator") or "And"
        if operator not in ("And", "Or"):
            raise bad_payload("BulkDelete", f"Cannot convert the literal '{str(operator)[:40]}' to the expected type 'LogicalOperator'.")
        if given.get("AnyAllFilterLinkEntity"):
            raise bad_query("AnyAllFilterLinkEntity is not supported here.")
        parts = [self._condition(item, entity_name) for item in _items(given, "Conditions")]
        parts += [self._filter(item, entity_name) for item in _items(given, "Filters")]
        if not parts:
            return "1", ()
        return f"({f' {operator.upper()} '.join(f'({text})' for text, _ in parts)})", tuple(v for _, values in parts for v in values)

    def _condition(self, document: Any, entity_name: str) -> Condition:
        given = typed(document, "ConditionExpression")
        self.conditions += 1
        refuse_too_many(self.conditions)
        if given.get("CompareColumns"):
            raise bad_query("CompareColumns is not supported here.")
        name = str(given.get("EntityName") or entity_name)
        if name not in self.scope:
            raise bad_query(f"The entity name or alias '{name[:60]}' of a condition is not part of the query.")
        table, alias = self.scope[name]
        operator = QUERY_EXPRESSION_OPERATORS.get(str(given.get("Operator") or "Equal"))
        if operator is None:
            raise WebApiError(400, INVALID_ARGUMENT, f"Unknown Condition Operator: {str(given.get('Operator'))[:60]}")
        column = str(given.get("AttributeName") or "")
        values = [_text(value) for value in _items(given, "Values")]
        if operator in ("in", "not-in") and len(values) > LONG_LIST:
            return self._among(table, alias, column, operator, values)
        return condition(self.environment, table, column, operator, values, alias, self.now, self.user)

    def _among(self, table: Table, alias: str, column: str, operator: str, values: list[str]) -> Condition:
        """Return the condition of a long list: each value is checked as in a short one, then all are bound as
        one JSON array."""
        constants: list[Any] = []
        for start in range(0, len(values), LONG_LIST):
            chunk = values[start : start + LONG_LIST]
            constants += condition(self.environment, table, column, "in", chunk, alias, self.now, self.user)[1]
        expression = sql.dotted(alias, attribute(table, column).name)
        inside = f"{expression} IN ({sql.select(['value'], 'json_each(?)')})"
        return (f"NOT coalesce(({inside}), 0)" if operator == "not-in" else inside), (json.dumps(constants),)


def typed(document: Any, type_name: str) -> dict[str, Any]:
    """Return an object of one complex type; its `@odata.type` may be left out. Raises WebApiError: 400 for
    another type, or a property that the type lacks."""
    if not isinstance(document, dict):
        raise bad_payload("BulkDelete", f"An object of the type '{NAMESPACE}{type_name}' was expected.")
    given = type_of(document, type_name)
    if given != type_name:
        raise bad_payload("BulkDelete", f"The type '{given[:60]}' is not assignable to '{NAMESPACE}{type_name}'.")
    for name in document:
        if "@" not in name and name not in _PROPERTIES[type_name]:
            raise bad_payload(
                "BulkDelete",
                f"The property '{name[:60]}' does not exist on type 'Microsoft.Dynamics.CRM.{type_name}'. Make sure to only use property "
                "names that are defined by the type.",
            )
    return document


def _items(document: dict[str, Any], name: str) -> Iterable[Any]:
    found = document.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise bad_payload("BulkDelete", f"The property '{name}' takes an array.")
    return found


def _text(value: Any) -> str:
    """Return a value as text: the typed form `{"Value": "1", "Type": "System.Int32"}`, or the bare one."""
    kind = ""
    if isinstance(value, dict):
        given = typed(value, "Object")
        value, kind = given.get("Value"), str(given.get("Type", ""))
    if isinstance(value, bool) or (kind == "System.Boolean" and isinstance(value, str)):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise bad_payload("BulkDelete", "A value of a condition is a text, a number or a boolean.")
