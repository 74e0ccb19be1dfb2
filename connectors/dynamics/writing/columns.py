"""Record fields as the columns that a write sends."""

from collections.abc import Mapping as Values
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from connectors.dynamics.http.query import guid
from connectors.dynamics.mapping.mapping import KIND_FIELDS, TABLE_FIELDS, TRUTHS, Column, Mapping, Table, field_type
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from rules.dates.periods import civil_date
from rules.model.kinds import LOOKUPS

_PEOPLE = frozenset({"contact"})  # whom a lookup of a dependent table names


class NotWritable(Exception):
    """A value has no place in this organisation's table; nothing of its change set may be sent."""


def payload(table: Table, definition: TableDefinition, values: Values[str, object], mapping: Mapping, metadata: Metadata) -> dict[str, Any]:
    """Return the JSON of a create or update. A field without column is left out if it is to be emptied: there
    is nothing to empty. Raises NotWritable: a value has no column, or a key no option value."""
    body: dict[str, Any] = {}
    for name, value in values.items():
        if name in KIND_FIELDS or name in TABLE_FIELDS:
            continue  # it says what the lookup beside it points to
        column = table.columns.get(name) or table.personal.get(name)
        if column is None:
            if value is None:
                continue
            raise NotWritable(name)
        if column.reference is not None or column.flags:
            raise NotWritable(name)
        if column.is_lookup:
            navigation, target = _bound(
                definition, column, value, values.get(f"{name}_kind"), values.get(f"{name}_table"), mapping, metadata
            )
            body[f"{navigation}@odata.bind"] = target
        else:
            body[column.name] = None if value is None or value == () else _written(table, definition, column, value, mapping.calendar.zone)
    return body


def _bound(
    definition: TableDefinition, column: Column, value: object, kind: object, name: object, mapping: Mapping, metadata: Metadata
) -> tuple[str, str | None]:
    """Return the navigation property of a lookup, which differs for each table that it may point to, and the
    address of its new target. `kind` is the word for the record that it is to point to, where it may point to
    several, and `name` the table of the CRM where that kind has several."""
    kinds = LOOKUPS.get(column.field, _PEOPLE)
    word = next(iter(kinds)) if len(kinds) == 1 else str(kind)
    tables = [each for each in mapping.of(word) if each.name == name] or mapping.of(word)
    tables = [each for each in tables if definition.navigation(column.name, each.name)]
    table = tables[0] if len(tables) == 1 else None  # which of several, nothing here can tell
    navigation = definition.navigation(column.name, table.name if table and value is not None else None)
    if not navigation:
        raise NotWritable(column.field)
    if value is None:
        return navigation, None
    target = metadata.table(table.name) if table else None
    if target is None:
        raise NotWritable(column.field)
    return navigation, f"/{target.set_name}({guid(str(value))})"


def _written(table: Table, definition: TableDefinition, column: Column, value: object, zone: ZoneInfo) -> object:
    attribute = definition.attributes[column.name]
    if column.choice is not None:
        keys = value if isinstance(value, tuple) else (value,)
        options = [_option(table, column, key) for key in keys]
        if attribute.kind == "MultiSelectPicklistType":
            return ",".join(map(str, options))
        if len(options) != 1:
            raise NotWritable(column.field)
        return options[0] == 1 if attribute.kind == "BooleanType" else options[0]
    if isinstance(value, date):
        return _date(value, column.behaviour or attribute.behaviour, zone)
    if field_type(table.full, column.field) is not type(value):
        raise NotWritable(column.field)
    return value


def _option(table: Table, column: Column, key: object) -> int:
    assert column.choice is not None
    is_truth = field_type(table.full, column.field) is bool
    for option, known in column.choice.keys.items():
        if key == (TRUTHS[known] if is_truth else known):
            return option
    raise NotWritable(column.field)


def _date(value: date, behaviour: str, zone: ZoneInfo) -> str:
    """Return a day as noon in a zone: it reads back as the same day in any zone near it."""
    if behaviour == "date_only":
        return (civil_date(value, zone) if isinstance(value, datetime) else value).isoformat()
    if isinstance(value, datetime):
        moment = value
    elif behaviour == "user_local":
        moment = datetime.combine(value, time(12), zone)
    else:
        moment = datetime.combine(value, time(12), UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
