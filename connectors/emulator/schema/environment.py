"""An organisation's schema: tables, columns, choices and relationships, and what each leads to."""

import uuid
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from connectors.emulator.schema.many_to_many import ManyToMany, Peers, peers_of

NAMESPACE = uuid.UUID("6d1f2a00-0000-4000-8000-00000000e000")

ROOT_UNIT = "1d2c0000-0000-4000-8000-0000000000b1"
ORGANISATION = "0a1b0000-0000-4000-8000-0000000000c1"
CURRENCY = "2f0a0000-0000-4000-8000-0000000000d1"
DEFAULT_USER = "9e8f0000-0000-4000-8000-0000000000a1"

LCIDS = {"nl": 1043, "fr": 1036, "en": 1033, "de": 1031}
POINTER = "activitypointer"

Labels = dict[str, str]  # language key -> text


@dataclass(frozen=True)
class Column:
    """One column; `kind` is the word of the environment file, or bigint, state, status, entityname for the
    platform's own."""

    name: str
    kind: str
    schema_name: str
    length: int = 0
    choice: str = ""
    targets: tuple[str, ...] = ()
    key: bool = False
    primary_name: bool = False
    required: bool = False
    computed: tuple[str, ...] = ()
    alternate_key: str = ""
    pii: bool = False
    system: bool = False
    writable: bool = True
    text_format: str = "Text"
    related: bool = True  # a lookup without a relationship has no navigation property
    secured: bool = False  # only who has a field security profile sees it
    labels: tuple[tuple[str, str], ...] = ()  # language key and display name
    any_table: bool = False  # a lookup to every table, also to those still to come
    minimum: float | None = None
    maximum: float | None = None
    precision: int | None = None

    @property
    def is_lookup(self) -> bool:
        return self.kind == "lookup"

    @property
    def polymorphic(self) -> bool:
        return len(self.targets) > 1

    @property
    def wire(self) -> str:
        """The property's name in JSON."""
        return f"_{self.name}_value" if self.kind == "lookup" else self.name

    @property
    def type_column(self) -> str:
        """Where the store keeps which table a polymorphic lookup points to."""
        return self.name + "__type"


@dataclass(frozen=True)
class Relationship:
    """Parent (referenced) to child (referencing); `name` is also the parent's collection property."""

    name: str
    parent: str
    child: str
    column: str
    on_delete: str
    implied: bool = False


@dataclass(frozen=True)
class Navigation:
    """A single-valued navigation property: a lookup column, read as one of its target tables."""

    name: str
    column: Column
    target: str


@dataclass
class Table:
    name: str
    set_name: str
    schema_name: str
    columns: dict[str, Column]
    key: str
    primary_name: str
    type_code: int
    activity: bool = False
    audited: bool = False
    change_tracking: bool = False
    platform: bool = False
    view: bool = False  # read only, made of other tables
    intersect: bool = False  # the pairs of an N:N relationship
    labels: Labels = field(default_factory=dict)  # display name by language; where there is none, the logical name
    collection_labels: Labels = field(default_factory=dict)
    ownership: str = "UserOwned"  # UserOwned, BusinessOwned, OrganizationOwned or None, as OwnershipType says it
    states: dict[int, tuple[Labels, dict[int, Labels]]] = field(
        default_factory=dict
    )  # state -> label, its statuses; the first one is its default
    by_wire: dict[str, Column] = field(default_factory=dict)
    navigations: dict[str, Navigation] = field(default_factory=dict)
    collections: dict[str, Relationship] = field(default_factory=dict)
    alternate_keys: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    parents: list[Relationship] = field(default_factory=list)
    peers: dict[str, Peers] = field(default_factory=dict)
    added_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)  # alternate keys that no column declares
    failed_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)  # keys whose index could not be made: rows were alike

    @property
    def stored_columns(self) -> list[str]:
        """The names of all that the store keeps of a row."""
        return [*self.columns, *(column.type_column for column in self.columns.values() if column.polymorphic)]

    @property
    def children(self) -> list[Relationship]:
        return list(self.collections.values())

    def copy(self) -> "Table":
        """Return a table that may be altered while this one stays as it is; what `relink` rebuilds is
        shared until then."""
        return replace(self, columns=dict(self.columns), added_keys=dict(self.added_keys), failed_keys=dict(self.failed_keys))

    def navigation_name(self, column: Column, target: str) -> str:
        return navigation_name(self.name, column, target)

    def state_of(self, status: int) -> int | None:
        return next((state for state, (_, statuses) in self.states.items() if status in statuses), None)

    def default_status(self, state: int) -> int:
        return next(iter(self.states[state][1]))


@dataclass(frozen=True)
class Described:
    """Labels and properties of a table, column, key or relationship that take the place of those made up from
    its name."""

    labels: dict[str, Labels] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass
class Environment:
    tables: dict[str, Table]
    by_set: dict[str, Table]
    choices: dict[str, dict[int, Labels]]
    relationships: list[Relationship]
    languages: dict[str, int]
    prefix: str
    rows: dict[str, list[dict[str, Any]]]  # the platform's own
    many_to_many: list[ManyToMany] = field(default_factory=list)
    described: dict[str, Described] = field(default_factory=dict)  # what whoever altered the schema said about a part of it
    generation: int = 0  # rises with every alteration
    origin: str = ""  # the same for environments that were read from the same texts
    retaining: set[str] = field(default_factory=set)  # tables that are enabled for long-term retention

    @property
    def language(self) -> str:
        return next(iter(self.languages))

    def copy(self) -> "Environment":
        """Return an environment that may be altered while this one stays as it is."""
        tables = {name: table.copy() for name, table in self.tables.items()}
        return replace(
            self,
            tables=tables,
            by_set={table.set_name: table for table in tables.values()},
            choices=dict(self.choices),
            relationships=list(self.relationships),
            many_to_many=list(self.many_to_many),
            described=dict(self.described),
            retaining=set(self.retaining),
        )


def navigation_name(table: str, column: Column, target: str) -> str:
    """Return the navigation property's name. Owner has one for both its targets; other polymorphic lookups
    have one for each."""
    if not column.polymorphic or column.name == "ownerid":
        return column.schema_name
    if column.name == "regardingobjectid" and table != POINTER:
        return f"{column.schema_name}_{target}_{table}"
    return f"{column.schema_name}_{target}"


def next_type_code(environment: Environment) -> int:
    """Return the object type code of a table still to come."""
    return max(9_999, *(table.type_code for table in environment.tables.values())) + 1


def relink(environment: Environment) -> None:
    """Update what every table leads to, after columns, relationships or keys have changed."""
    for table in environment.tables.values():
        table.by_wire, table.navigations, table.alternate_keys = {}, {}, {}
        link(table, environment.relationships)
        table.alternate_keys |= {name: tuple(table.columns[each] for each in names) for name, names in table.added_keys.items()}
        table.peers = peers_of(table.name, environment.many_to_many)
    environment.by_set.clear()
    environment.by_set.update({table.set_name: table for table in environment.tables.values()})


def link(table: Table, relationships: list[Relationship]) -> None:
    for column in table.columns.values():
        table.by_wire[column.wire] = column
        for target in column.targets if column.related else ():
            name = table.navigation_name(column, target)
            table.navigations.setdefault(name, Navigation(name, column, target))
        if column.alternate_key:
            table.alternate_keys[column.alternate_key] = (*table.alternate_keys.get(column.alternate_key, ()), column)
    table.collections = {r.name: r for r in relationships if r.parent == table.name}
    table.parents = [r for r in relationships if r.child == table.name]


def choice_place(name: str) -> str:
    """Return where `Environment.described` has the description of a global choice."""
    return f"optionset.{name}"


@cache
def metadata_id(*names: str) -> str:
    """Return a MetadataId; the same name has the same one in every emulator."""
    return str(uuid.uuid5(NAMESPACE, ".".join(names)))
