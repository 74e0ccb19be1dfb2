"""What a CRM says of the tables that a mapping may name: definitions, names shown to people, options with
labels in every language."""

from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

from connectors.dynamics.draft.words import STANDARD_TABLES
from connectors.dynamics.http.query import literal, query_string
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.checks.reference_rows import MOST_WORDS
from connectors.dynamics.schema.checks.unmapped_options import option_filter
from connectors.dynamics.schema.counts import count_where
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute, Metadata, TableDefinition
from connectors.interface.errors import ConnectorError
from rules.decoders import converted
from rules.texts.folding import fold

# Tables that come with Microsoft's own solutions hold settings and logs of theirs.
_OF_SOLUTIONS: Final = ("msdyn", "msfp_", "mspp_", "mserp_", "adx_")
MAYBE_FILES: Final = ("incident",)  # standard tables that organisations make into dossiers or fiches
_OPTION_KINDS: Final = {"PicklistType": "Picklist", "MultiSelectPicklistType": "MultiSelectPicklist"}


T = TypeVar("T")


class _Label(msgspec.Struct, rename="pascal"):
    label: str | None = None


class _Text(msgspec.Struct, rename="pascal"):
    localized_labels: list[_Label] | None = None


class _Option(msgspec.Struct, rename="pascal"):
    value: int
    label: _Text | None = None


class _Options(msgspec.Struct, rename="pascal"):
    options: list[_Option] | None = None


class _Named(msgspec.Struct, rename="pascal"):
    logical_name: str
    display_name: _Text | None = None


class _Listed(_Named, rename="pascal"):
    is_custom_entity: bool | None = None
    is_intersect: bool | None = None
    primary_name_attribute: str | None = None


class _Choice(_Named, rename="pascal"):
    option_set: _Options | None = None
    global_option_set: _Options | None = None


@dataclass(slots=True)
class CrmTable:
    """One table: its definition, how it and its columns are called (folded, the shown names too), and the
    labels of its options by column. `shown` are the names that people see in the CRM, in its languages, by
    column; that of the table by ""."""

    definition: TableDefinition
    primary_name: str
    names: tuple[str, ...]
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, dict[int, tuple[str, ...]]] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def remark(self, column: str = "") -> str:
        """Return the end of a line that names the table or a column: what people see, where that is another
        word."""
        return f"  # {shown}" if (shown := self.shown.get(column)) else ""

    @property
    def name(self) -> str:
        return self.definition.name

    def lookups_to(self, table: str) -> list[Attribute]:
        return [each for each in self.definition.attributes.values() if each.kind in LOOKUP_TYPES and table in each.targets]


class CrmTables:
    """The tables of one CRM, as far as a draft looks at them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._metadata = Metadata(transport, None)
        self._words: dict[tuple[str, str], list[tuple[str, str, str]] | None] = {}

    def all(self) -> dict[str, CrmTable]:
        """Return the organisation's own tables and the standard ones that a mapping may name, by logical
        name: none whose rows no change set deletes. Raises ConnectorError."""
        query = query_string({"$select": "LogicalName,DisplayName,IsCustomEntity,IsIntersect,PrimaryNameAttribute"})
        listed = [
            item
            for item in self._rows(f"EntityDefinitions?{query}", _Listed)
            if item.logical_name in (*STANDARD_TABLES.values(), *MAYBE_FILES)
            or (item.is_custom_entity and not item.is_intersect and _is_own(item.logical_name))
        ]
        self._metadata.load(item.logical_name for item in listed)
        found = {}
        for item in listed:
            definition = self._metadata.table(item.logical_name)
            if definition is not None and not (definition.is_virtual or definition.is_elastic):
                found[definition.name] = self._seen(definition, item)
        return found

    def table(self, name: str) -> TableDefinition | None:
        """Return the definition of any table; None if there is none."""
        return self._metadata.table(name)

    def count(self, table: TableDefinition, column: Attribute | None = None) -> int | None:
        """Return how many rows there are, or have a value in a column, 5,000 standing for any larger number;
        None where the CRM does not say."""
        return self._counted(table, f"{column.queried} ne null" if column is not None else "")

    def seen(self, name: str) -> CrmTable | None:
        """Return a table that is not among those of `all`, by its definition alone; None if there is none."""
        definition = self._metadata.table(name)
        if definition is None:
            return None
        primary = next((each for each in ("name", "title", "subject") if each in definition.attributes), "")
        return CrmTable(definition, primary, (bare(name),))

    def count_of(self, table: TableDefinition, column: Attribute, value: int | str) -> int | None:
        """Return how many rows have one option, or point to one row, as `count` does."""
        return self._counted(table, f"{column.queried} eq {value}" if column.kind in LOOKUP_TYPES else option_filter(column, value))

    def _counted(self, table: TableDefinition, condition: str) -> int | None:
        try:
            return count_where(self._transport, table.set_name, table.primary_id, table.name, condition)
        except ConnectorError:
            return None

    def words_of(self, table: CrmTable, by: str, most: int = MOST_WORDS) -> list[tuple[str, str, str]] | None:
        """Return the rows of a table that may be a list of words: id, the value of the column `by`, and how
        each is called. None where they are too many, where a row leads to a person, or where the CRM does
        not let us look."""
        if (table.name, by) not in self._words:
            self._words[table.name, by] = self._list(table, by, most)
        return self._words[table.name, by]

    def _list(self, table: CrmTable, by: str, most: int) -> list[tuple[str, str, str]] | None:
        definition = table.definition
        number = self.count(definition)
        if table.lookups_to("contact") or number is None or number > most:
            return None
        names = [name for name in dict.fromkeys((by, table.primary_name)) if name]
        query = query_string({"$select": ",".join((definition.primary_id, *names)), "$top": str(most)})
        try:
            rows = self._rows(f"{definition.set_name}?{query}", dict[str, Any])
        except ConnectorError:
            return None
        if any(definition.primary_id not in row for row in rows):
            return None
        found = [(str(row[definition.primary_id]).lower(), str(row.get(by) or ""), str(row.get(table.primary_name) or "")) for row in rows]
        return sorted(found, key=lambda each: each[1:])

    def _seen(self, definition: TableDefinition, item: _Listed) -> CrmTable:
        root = f"EntityDefinitions(LogicalName={literal(definition.name)})/Attributes"
        seen = CrmTable(definition, item.primary_name_attribute or "", (bare(definition.name), *map(fold, _labels(item.display_name))))
        seen.shown[""] = _shown(definition.name, item.display_name)
        query = query_string({"$select": "LogicalName,DisplayName"})
        for column in self._rows(f"{root}?{query}", _Named):
            seen.columns[column.logical_name] = (bare(column.logical_name), *map(fold, _labels(column.display_name)))
            seen.shown[column.logical_name] = _shown(column.logical_name, column.display_name)
        kinds = {each.kind for each in definition.attributes.values()}
        for kind in sorted(_OPTION_KINDS.keys() & kinds):
            options = query_string({"$select": "LogicalName", "$expand": "OptionSet($select=Options),GlobalOptionSet($select=Options)"})
            for choice in self._rows(f"{root}/Microsoft.Dynamics.CRM.{_OPTION_KINDS[kind]}AttributeMetadata?{options}", _Choice):
                seen.labels[choice.logical_name] = {
                    option.value: _labels(option.label)
                    for source in (choice.global_option_set, choice.option_set)
                    if source is not None
                    for option in source.options or ()
                }
        return seen

    def _rows(self, address: str, kind: type[T]) -> list[T]:
        answer = self._transport.get(address, where="EntityDefinitions")
        with answer.readable("The CRM's definitions are not readable.", where="EntityDefinitions"):
            return converted(msgspec.json.decode(answer.body)["value"], list[kind])  # type: ignore[valid-type]


def _is_own(name: str) -> bool:
    """Return whether a custom table has the prefix of a publisher other than Microsoft."""
    return "_" in name and not name.startswith(_OF_SOLUTIONS)


def bare(name: str) -> str:
    """Return a logical name without the publisher's prefix, folded."""
    return fold(name.partition("_")[2] or name)


def in_one_line(text: str) -> str:
    """Return a text as it can stand in a comment: whatever is no letter or sign becomes a blank."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _shown(name: str, text: _Text | None) -> str:
    return " / ".join(label for label in _labels(text) if label.casefold() != name)


def _labels(text: _Text | None) -> tuple[str, ...]:
    found = text.localized_labels or () if text is not None else ()
    return tuple(dict.fromkeys(in_one_line(each.label) for each in found if each.label))
