"""Which rows of a table are of a kind, where the mapping says so by conditions, and of which kind the row is
to which a lookup points."""

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from connectors.dynamics.http.query import guid, literal
from connectors.dynamics.mapping.mapping import Condition, Table
from connectors.dynamics.mapping.mapping import Mapping as TableMapping
from connectors.dynamics.schema.metadata import CHOICE_TYPES, LOOKUP_TYPES, Attribute, Metadata, TableDefinition
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.interface.errors import Forbidden
from rules.errors import MappingError

WHOLE: Final = 500  # ids of one question above which the whole table is read once
CONDITION_TYPES: Final = CHOICE_TYPES - {"MultiSelectPicklistType"} | LOOKUP_TYPES | {"BooleanType", "IntegerType", "StringType"}
TRUTH_WORDS: Final = {"true": True, "false": False}


def filter_of(table: Table, definition: TableDefinition, path: str = "") -> str:
    """Return the `$filter` that the rows of this kind meet; empty where all rows of the table are meant.
    `path` leads to such a row from another one, with a slash behind it."""
    parts = [_any(definition.attributes[each.column], each, path) for each in table.only]
    return " and ".join(parts)


def rest_of(table: Table, definition: TableDefinition, path: str = "") -> str:
    """Return the `$filter` that the other rows of the table meet; empty where there are none. A CRM leaves a
    column without a value out of what is not equal to one. `path` leads there as in `filter_of`; a row that
    it leads nowhere from meets the filter too."""
    parts = []
    for each in table.only:
        attribute = definition.attributes[each.column]
        name = path + attribute.queried
        others = " and ".join(f"{name} ne {value_of(attribute, text)}" for text in each.values)
        parts.append(f"({others}) or {name} eq null")
    return f"({' or '.join(parts)})" if parts else ""


def can_be_asked(table: Table, definition: TableDefinition) -> bool:
    """Return whether the CRM has each column of the conditions, and it can have each value."""
    try:
        return all(each.column in definition.attributes for each in table.only) and filter_of(table, definition) is not None
    except MappingError:
        return False


def columns_of(table: Table, definition: TableDefinition) -> tuple[str, ...]:
    """Return the columns of the conditions, as they are selected."""
    return tuple(definition.attributes[each.column].queried for each in table.only)


def meets(table: Table, definition: TableDefinition, row: Mapping[str, Any]) -> bool:
    """Return whether a row, read with these columns, is of this kind."""
    return all(_has(row.get(definition.attributes[each.column].queried), each) for each in table.only)


def value_of(attribute: Attribute, text: str) -> str:
    """Return one value as a filter writes it. Raises ValueError: a column of this type cannot have it."""
    if attribute.kind in LOOKUP_TYPES:
        return guid(text)
    if attribute.kind == "BooleanType":
        return str(TRUTH_WORDS[text.casefold()]).lower() if text.casefold() in TRUTH_WORDS else _none()
    return literal(text) if attribute.kind == "StringType" else str(int(text))


def _none() -> str:
    raise ValueError("neither true nor false")


def _any(attribute: Attribute, condition: Condition, path: str) -> str:
    try:
        values = [value_of(attribute, text) for text in condition.values]
    except ValueError:
        raise MappingError(f"{condition.column} cannot have one of these values.", where=condition.where) from None
    parts = [f"{path}{attribute.queried} eq {value}" for value in values]
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"


def _has(value: object, condition: Condition) -> bool:
    text = str(value).casefold()
    return value is not None and any(text == each.strip("{}").casefold() for each in condition.values)


class Scopes:
    """Of which kind each row is of the tables whose rows are of several kinds, or only some of which are
    meant. What was seen stays seen: a row that changes its kind has another version too, and no write that
    was decided on before takes it."""

    def __init__(self, mapping: TableMapping, metadata: Metadata, directory: Directory) -> None:
        self._mapping, self._metadata, self._directory = mapping, metadata, directory
        self.shared = frozenset(table.name for table in mapping.own if table.only)
        self._kinds: dict[str, dict[str, str | None]] = {}
        self._is_whole: set[str] = set()
        self._elsewhere: dict[str, tuple[str, str | None]] = {}  # rows with their table and kind, to which some that are out of scope lead
        self._asking = threading.Lock()  # pages of several tables are decoded at once

    def kinds_of(self, name: str, ids: Iterable[str]) -> Mapping[str, str | None]:
        """Return the kind of each of these rows of a table, by id: None for one that is out of scope; a row
        that does not exist, or that this account does not see, is left out. Raises ConnectorError."""
        if name not in self.shared:
            return dict.fromkeys(ids, next((table.kind for table in self._mapping.named(name)), None))
        with self._asking:
            known = self._kinds.setdefault(name, {})
            missing = {row for row in ids if row not in known}
            if missing and name not in self._is_whole:
                known |= self._read(name, missing if len(missing) <= WHOLE else None)
                if len(missing) > WHOLE:
                    self._is_whole.add(name)
            return known

    def note_elsewhere(self, row: str, table: str, kind: str | None) -> None:
        """Note that a lookup points to this row of a table, which is of no kind of the mapping, or of one
        with which nothing goes by that lookup."""
        self._elsewhere[row] = table, kind

    def out_of_scope(self, word: str, tables: Collection[str], ids: Collection[str]) -> dict[str, bool]:
        """Return those of these rows, which somebody takes for some of the kind of this word, that are of no
        kind of the mapping although they are there, or were noted and are of another kind; and whether such
        rows of their table may stay. Raises ConnectorError."""
        noted = {row: self._elsewhere[row] for row in ids if row in self._elsewhere}
        found = {row: kind is None and self._mapping.may_stay(table) for row, (table, kind) in noted.items() if kind != word}
        for name in sorted(self.shared & set(tables)):
            kinds = self.kinds_of(name, set(ids) - found.keys())
            found |= dict.fromkeys((row for row in ids if row in kinds and kinds[row] is None), self._mapping.may_stay(name))
        return found

    def _read(self, name: str, ids: Collection[str] | None) -> dict[str, str | None]:
        definition = self._metadata.table(name)
        if definition is None:
            return {}
        tables = self._mapping.named(name)
        columns = ",".join(dict.fromkeys(column for table in tables for column in columns_of(table, definition)))
        known = KnownTable.of(definition)
        try:
            rows = list(
                self._directory.all(known, columns) if ids is None else self._directory.rows(known, definition.primary_id, ids, columns)
            )
        except NotOffered as refusal:
            raise Forbidden(f"The rows of {name} may not be read: {refusal.reason}", hint="give the application user read access") from None
        return {
            str(row[definition.primary_id]).lower(): next((table.kind for table in tables if meets(table, definition, row)), None)
            for row in rows
        }
