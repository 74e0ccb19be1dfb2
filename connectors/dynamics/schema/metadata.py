"""What the CRM says about its own tables, read once and kept (Microsoft Learn, "Query table definitions using
the Web API"). Each table takes one request for its definition, and one for each kind of column whose details
the general list leaves out, if a column of that kind is mapped."""

import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from connectors.dynamics.http.query import literal, query_string
from connectors.dynamics.http.transport import Transport
from connectors.interface.errors import ConnectorError, ReadIncomplete
from rules.decoders import decoder_of
from rules.files.suggestions import nearest, suggestion

_AT_ONCE = 4  # the parallelism that the service itself hints at (x-ms-dop-hint)
_ASKED_ABOUT = 100  # tables in one question: the CRM takes 500 conditions and 32,768 characters (reference, 7.3)
_CAST = "Microsoft.Dynamics.CRM."
OPTION_CASTS = {
    "PicklistType": "PicklistAttributeMetadata",
    "MultiSelectPicklistType": "MultiSelectPicklistAttributeMetadata",
    "StateType": "StateAttributeMetadata",
    "StatusType": "StatusAttributeMetadata",
}
DATE_BEHAVIOURS = {"DateOnly": "date_only", "UserLocal": "user_local", "TimeZoneIndependent": "time_zone_independent"}
LOOKUP_TYPES = frozenset({"LookupType", "CustomerType", "OwnerType"})
CHOICE_TYPES = frozenset(OPTION_CASTS)
WHOLE_NUMBERS = frozenset({"IntegerType", "BigIntType"})
TTL = "ttlinseconds"
_VERSION = "versionnumber"
_OF_ELASTIC = frozenset({"partitionid", TTL})
CASCADE, RESTRICT, NO_CASCADE = "Cascade", "Restrict", "NoCascade"  # what a delete does to rows that point to the row


@dataclass(slots=True)
class Attribute:
    """One column. `kind` is Dataverse's type name (`DateTimeType`); `behaviour` is ours, "" where the CRM
    does not state it; a `secured` one is empty for anybody without permission to read it; `part_of` is the
    column whose companion it is; `max_length` is known once it was queried."""

    name: str
    kind: str
    required: bool = False
    secured: bool = False
    behaviour: str = ""
    options: dict[int, str] | None = None
    states: dict[int, int] = field(default_factory=dict)  # by reason of a status: the state to which it belongs
    targets: frozenset[str] = frozenset()
    updatable: bool = True
    part_of: str = ""
    max_length: int | None = None
    id: str = ""  # the CRM's own of the column

    @property
    def is_filled(self) -> bool:
        """Whether somebody puts something into it, and not the CRM alone: a file is written by itself, and
        the CRM says of its column that it cannot be updated."""
        return self.updatable or self.kind == "FileType"

    @property
    def is_worked_out(self) -> bool:
        """Whether it is a column of an organisation's own that the CRM works out of others (calculated,
        formula, rollup): it becomes another one without a change of its row."""
        return "_" in self.name and not self.is_filled and not self.part_of

    @property
    def queried(self) -> str:
        """The name by which a query asks for it."""
        return f"_{self.name}_value" if self.kind in LOOKUP_TYPES else self.name


@dataclass(frozen=True, slots=True)
class Relationship:
    """A many-to-one or one-to-many relationship; `on_delete`: what a parent's delete does to the child."""

    name: str
    parent: str
    child: str
    column: str
    navigation: str
    on_delete: str


@dataclass(frozen=True, slots=True)
class Link:
    """One many-to-many relationship: `table` holds the pairs, with a column of ids for either side."""

    table: str
    one: str
    one_column: str
    two: str
    two_column: str

    def other(self, table: str) -> str:
        return self.two if table == self.one else self.one

    def column(self, table: str) -> str:
        return self.one_column if table == self.one else self.two_column


@dataclass(slots=True)
class TableDefinition:
    """One table as the CRM defines it."""

    name: str
    set_name: str
    primary_id: str
    attributes: dict[str, Attribute]
    parents: tuple[Relationship, ...] = ()
    children: tuple[Relationship, ...] = ()
    links: tuple[Link, ...] = ()
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tracks_changes: bool = False

    @property
    def is_virtual(self) -> bool:
        """Whether its rows are kept elsewhere: every other table has a version of each row."""
        return _VERSION not in self.attributes

    @property
    def is_elastic(self) -> bool:
        """Whether its rows are in no relational database (Microsoft Learn, "Create and use elastic
        tables")."""
        return self.attributes.keys() >= _OF_ELASTIC

    def tells_changes(self, columns: Iterable[str]) -> bool:
        """Return whether the CRM tells whatever becomes another in these columns."""
        return self.tracks_changes and not any(self.attributes[name].is_worked_out for name in columns if name in self.attributes)

    def link(self, pairs: str) -> Link | None:
        """Return the many-to-many relationship of the table that has its pairs in this one."""
        return next((link for link in self.links if link.table == pairs), None)

    def navigation(self, column: str, target: str | None = None) -> str:
        """Return the navigation property that binds a lookup, in its exact case; "" if the CRM names none."""
        found = [parent for parent in self.parents if parent.column == column and target in (None, parent.parent)]
        return found[0].navigation if found else ""


class Metadata:
    """Definitions of tables, each read at most once."""

    def __init__(self, transport: Transport, wanted: Mapping[str, Collection[str]] | None) -> None:
        """Create the reader. `wanted` are the columns of each table of which details are needed (None:
        all)."""
        self._transport, self._wanted = transport, wanted
        self._tables: dict[str, TableDefinition | None] = {}
        self._asking = threading.Lock()  # two threads that want the same definition ask once

    def load(self, names: Iterable[str]) -> None:
        """Read several definitions at the same time, since each waits for the network most of the while. The
        first is read alone: where the CRM is out of reach, that is found out once and not a dozen times."""
        missing = [name for name in dict.fromkeys(names) if name not in self._tables]
        if not missing:
            return
        self.table(missing[0])
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="metadata")
        try:
            self._tables.update(zip(missing[1:], pool.map(self._read, missing[1:]), strict=True))
        finally:
            pool.shutdown(cancel_futures=True)

    def table(self, name: str) -> TableDefinition | None:
        """Return the definition of a table by its logical name; None if the CRM has no such table."""
        with self._asking:
            if name not in self._tables:
                self._tables[name] = self._read(name)
            return self._tables[name]

    def names(self) -> list[str]:
        """Return the logical names of all tables, for a message about one that does not exist; none where the
        CRM does not list them."""
        try:
            content = self._get("EntityDefinitions?$select=LogicalName", "EntityDefinitions")
        except ConnectorError:
            return []
        return [name for item in objects(content.get("value")) if (name := _text(item, "LogicalName"))]

    def look_again(self, names: Iterable[str]) -> None:
        """Note which columns of these tables are secured by now: one that was secured since its definition
        was read looks empty, and no read says so. Refuse where the CRM by now does something else to rows
        that point to a deleted one than when a definition was read: what goes along with a row, and what
        stays behind, was looked for by that. A CRM that does not take the question is believed as before.
        Raises ReadIncomplete: relationships have changed; ConnectorError."""
        self.load(names)
        every = [(name, table) for name, table in list(self._tables.items()) if table is not None]
        for at in range(0, len(every), _ASKED_ABOUT):
            self._look_again(dict(every[at : at + _ASKED_ABOUT]))

    def _look_again(self, known: Mapping[str, TableDefinition]) -> None:
        options = {
            "$select": "LogicalName",
            "$filter": " or ".join(f"LogicalName eq {literal(name)}" for name in known),
            "$expand": "Attributes($select=LogicalName,IsSecured;$filter=IsSecured eq true),"
            "OneToManyRelationships($select=SchemaName,ReferencingEntity,ReferencingAttribute,CascadeConfiguration)",
        }
        try:
            content = self._get(f"EntityDefinitions?{query_string(options)}", "EntityDefinitions")
        except ConnectorError as failure:
            if failure.status in (400, 405, 501):
                return
            raise
        listed = {_text(item, "LogicalName"): item for item in objects(content.get("value"))}
        for name, table in known.items():
            found = listed.get(name, {})
            columns, children = found.get("Attributes"), found.get("OneToManyRelationships")
            if not isinstance(columns, list) or not isinstance(children, list):
                raise ReadIncomplete("The CRM's list of secured columns and relationships lacks a table.", where=name)
            if {_on_delete(_relationship(item, "")) for item in objects(children)} != {_on_delete(each) for each in table.children}:
                what = "What the CRM does to rows that point to a deleted one has changed since its definitions were read."
                raise ReadIncomplete(what, hint="Try again: they are then read anew, and all is judged by them.", where=name)
            secured = {_text(column, "LogicalName") for column in objects(columns) if column.get("IsSecured") is True}
            for column in table.attributes.values():
                column.secured = column.name in secured

    def shown_names(self, table: str) -> dict[str, str]:
        """Return the logical names of all tables, or of the columns of one, by what the CRM shows to people
        in any of its languages, for a message as `names`; none where the CRM does not tell."""
        within = f"(LogicalName={literal(table)})/Attributes" if table else ""
        try:
            content = self._get(f"EntityDefinitions{within}?$select=LogicalName,DisplayName", table or "EntityDefinitions")
        except ConnectorError:
            return {}
        found: dict[str, str] = {}
        for item in objects(content.get("value")):
            shown = item.get("DisplayName")
            for label in objects(shown.get("LocalizedLabels")) if isinstance(shown, dict) else ():
                found.setdefault(_text(label, "Label"), _text(item, "LogicalName"))
        return {label: name for label, name in found.items() if label and name}

    def meant(self, name: str, known: Iterable[str], table: str = "") -> str:
        """Return the logical name that was probably meant by one that the CRM lacks, of a table or of a
        column of one: like it among those that are `known`, else one that is shown as it is written."""
        if like := suggestion(name, known):
            return like
        shown = self.shown_names(table)
        return shown.get(nearest(name.replace("_", " "), shown) or "", "")

    def by_set(self, set_name: str) -> tuple[str, str] | None:
        """Return logical name and primary id of the table with this set name, both "" if there is none; None
        where no definitions are kept."""
        options = {"$select": "LogicalName,EntitySetName,PrimaryIdAttribute", "$filter": f"EntitySetName eq {literal(set_name)}"}
        try:
            content = self._get(f"EntityDefinitions?{query_string(options)}", "EntityDefinitions")
        except ConnectorError as failure:
            if failure.status in (400, 404, 405, 406, 410, 500, 501):
                return None
            raise
        for item in objects(content.get("value")):
            if item.get("EntitySetName") == set_name and item.get("PrimaryIdAttribute"):
                return _text(item, "LogicalName"), _text(item, "PrimaryIdAttribute")
        return "", ""

    def load_lengths(self, table: TableDefinition) -> None:
        """Ask how long the texts of a table may be."""
        for cast in ("StringAttributeMetadata", "MemoAttributeMetadata"):
            for item in self._cast(table, cast, {"$select": "LogicalName,MaxLength"}):
                name, length = _text(item, "LogicalName"), item.get("MaxLength")
                told = replace(table.attributes[name], max_length=length if isinstance(length, int) else None)
                table.attributes = {**table.attributes, name: told}

    def load_options(self, table: TableDefinition) -> None:
        """Ask for the options of all choices of a table, also of those from which no field is filled."""
        lacking = {each.kind for each in table.attributes.values() if each.options is None}
        for kind in (each for each in OPTION_CASTS if each in lacking):
            self._read_options(table, kind)

    def _read(self, name: str) -> TableDefinition | None:
        relationship = "SchemaName,ReferencedEntity,ReferencedEntityNavigationPropertyName,ReferencingEntity,ReferencingAttribute,"
        relationship += "ReferencingEntityNavigationPropertyName,CascadeConfiguration"
        options = {
            "$select": "LogicalName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled",
            "$expand": "Attributes($select=LogicalName,AttributeType,AttributeTypeName,RequiredLevel,IsSecured,IsValidForUpdate,"
            "AttributeOf),"
            "Keys($select=SchemaName,KeyAttributes),"
            f"ManyToOneRelationships($select={relationship}),OneToManyRelationships($select={relationship}),"
            "ManyToManyRelationships($select=SchemaName,IntersectEntityName,Entity1LogicalName,Entity1IntersectAttribute,"
            "Entity2LogicalName,Entity2IntersectAttribute)",
        }
        try:
            content = self._get(f"EntityDefinitions(LogicalName={literal(name)})?{query_string(options)}", name)
        except ConnectorError as failure:
            if failure.status == 404 and name not in self.names():  # else something between says it, or the CRM for a moment
                return None
            raise
        for part in ("Attributes", "ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships"):
            if not isinstance(content.get(part), list):  # none of them would be an empty list
                raise ReadIncomplete("The CRM's definition of a table lacks columns or relationships.", where=name)
        attributes = {attribute.name: attribute for attribute in map(_attribute, objects(content.get("Attributes")))}
        table = TableDefinition(
            name,
            _text(content, "EntitySetName"),
            _text(content, "PrimaryIdAttribute"),
            attributes,
            tuple(
                _relationship(item, "ReferencingEntityNavigationPropertyName") for item in objects(content.get("ManyToOneRelationships"))
            ),
            tuple(_relationship(item, "ReferencedEntityNavigationPropertyName") for item in objects(content.get("OneToManyRelationships"))),
            tuple(map(_link, objects(content.get("ManyToManyRelationships")))),
            {_text(item, "SchemaName"): tuple(item.get("KeyAttributes") or ()) for item in objects(content.get("Keys"))},
            content.get("ChangeTrackingEnabled") is True,
        )
        if not table.set_name or not table.primary_id:
            raise ReadIncomplete("The CRM's definition of a table lacks its set name or primary id.", where=name)
        self._details(table)
        return table

    def _details(self, table: TableDefinition) -> None:
        wanted = self._wanted.get(table.name, ()) if self._wanted is not None else table.attributes
        kinds = {table.attributes[name].kind for name in wanted if name in table.attributes}
        if "DateTimeType" in kinds:
            for item in self._cast(table, "DateTimeAttributeMetadata", {"$select": "LogicalName,DateTimeBehavior"}):
                behaviour = item.get("DateTimeBehavior")
                named = behaviour.get("Value") if isinstance(behaviour, dict) else behaviour
                table.attributes[_text(item, "LogicalName")].behaviour = DATE_BEHAVIOURS.get(str(named), "")
        for kind in (each for each in OPTION_CASTS if each in kinds):
            self._read_options(table, kind)
        for attribute in table.attributes.values():
            attribute.targets = frozenset(parent.parent for parent in table.parents if parent.column == attribute.name)

    def _read_options(self, table: TableDefinition, kind: str) -> None:
        is_own = kind in ("StateType", "StatusType")  # those of the platform are never shared between tables
        expand = "OptionSet($select=Options)" + ("" if is_own else ",GlobalOptionSet($select=Options)")
        for item in self._cast(table, OPTION_CASTS[kind], {"$select": "LogicalName", "$expand": expand}):
            attribute = table.attributes[_text(item, "LogicalName")]
            attribute.options, attribute.states = _options(item), _states(item)

    def _cast(self, table: TableDefinition, cast: str, options: dict[str, str]) -> list[dict[str, Any]]:
        address = f"EntityDefinitions(LogicalName={literal(table.name)})/Attributes/{_CAST}{cast}?{query_string(options)}"
        content = self._get(address, table.name)
        if not isinstance(content.get("value"), list):
            raise ReadIncomplete("The CRM's definition of a table lacks details of columns.", where=table.name)
        return [item for item in objects(content["value"]) if _text(item, "LogicalName") in table.attributes]

    def _get(self, address: str, where: str) -> dict[str, Any]:
        answer = self._transport.get(address, where=where)
        with answer.readable("The CRM's definition of a table is not readable.", where=where):
            return decoder_of(dict[str, Any]).decode(answer.body)


def column_queried(queried: str) -> str:
    """Return the name of a column from that by which a query asks for it (`Attribute.queried`)."""
    return queried[1 : -len("_value")] if queried.startswith("_") and queried.endswith("_value") else queried


def _attribute(item: dict[str, Any]) -> Attribute:
    named = item.get("AttributeTypeName")
    kind = named.get("Value") if isinstance(named, dict) else None
    level = item.get("RequiredLevel")
    required = level.get("Value") if isinstance(level, dict) else level
    return Attribute(
        _text(item, "LogicalName"),
        str(kind or f"{item.get('AttributeType')}Type"),
        required in ("ApplicationRequired", "SystemRequired"),
        item.get("IsSecured") is True,
        updatable=item.get("IsValidForUpdate") is not False,
        part_of=_text(item, "AttributeOf"),
        id=_text(item, "MetadataId").lower(),
    )


def _relationship(item: dict[str, Any], navigation: str) -> Relationship:
    cascade = item.get("CascadeConfiguration")
    return Relationship(
        _text(item, "SchemaName"),
        _text(item, "ReferencedEntity"),
        _text(item, "ReferencingEntity"),
        _text(item, "ReferencingAttribute"),
        _text(item, navigation),
        str(cascade.get("Delete", "")) if isinstance(cascade, dict) else "",
    )


def _on_delete(each: Relationship) -> tuple[str, str, str]:
    return each.child, each.column, each.on_delete


def _link(item: dict[str, Any]) -> Link:
    sides = (_text(item, f"Entity{side}{what}") for side in (1, 2) for what in ("LogicalName", "IntersectAttribute"))
    return Link(_text(item, "IntersectEntityName"), *sides)


def _options(item: dict[str, Any]) -> dict[int, str]:
    """Return the option values, each with a label for administrators, never used as data."""
    found: dict[int, str] = {}
    for source in ("GlobalOptionSet", "OptionSet"):
        options = item.get(source)
        for option in objects(options.get("Options")) if isinstance(options, dict) else []:
            value = option.get("Value")
            label = option.get("Label")
            named = label.get("UserLocalizedLabel") if isinstance(label, dict) else None
            if is_option(value):
                found[value] = str(named.get("Label", "")) if isinstance(named, dict) else ""
    return found


def _states(item: dict[str, Any]) -> dict[int, int]:
    """Return the state to which each reason of a status belongs."""
    chosen = item.get("OptionSet")
    options = objects(chosen.get("Options")) if isinstance(chosen, dict) else []
    pairs = [(option.get("Value"), option.get("State")) for option in options]
    return {value: state for value, state in pairs if is_option(value) and is_option(state)}


def is_option(value: object) -> TypeGuard[int]:
    """Return whether a value is one that an option can have (`Edm.Int32`); any other is not told."""
    return isinstance(value, int) and abs(value) < 1 << 31


def objects(value: object) -> list[dict[str, Any]]:
    """Return what is a list of objects: an item that is none is left out, as one that is not told."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
