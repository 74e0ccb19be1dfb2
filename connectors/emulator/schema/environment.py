"""An environment file read into tables, columns, choices and relationships.

What a maker of an organisation decides stands in the file; what the platform adds to every table (owner, dates, state, version) is
added here.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

HERE = Path(__file__).parent
DEFAULT_ENVIRONMENT = HERE / "environment.yaml"
PLATFORM = HERE / "platform.yaml"
NAMESPACE = uuid.UUID("6d1f2a00-0000-4000-8000-00000000e000")

ROOT_UNIT = "1d2c0000-0000-4000-8000-0000000000b1"
ORGANISATION = "0a1b0000-0000-4000-8000-0000000000c1"
CURRENCY = "2f0a0000-0000-4000-8000-0000000000d1"
DEFAULT_USER = "9e8f0000-0000-4000-8000-0000000000a1"

LCIDS = {"nl": 1043, "fr": 1036, "en": 1033, "de": 1031}
DELETE_BEHAVIOURS = ("cascade", "remove_link", "restrict", "no_cascade")
POINTER = "activitypointer"

Labels = dict[str, str]  # language key -> text


class EnvironmentProblem(Exception):
    """The environment file describes no organisation that can be served."""


@dataclass(frozen=True)
class Column:
    """One column; `kind` is the word of the environment file, or bigint, state, status, entityname for the platform's own."""

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
    """Parent (referenced) to child (referencing); `name` is also the collection navigation property of the parent."""

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
    states: dict[int, tuple[Labels, dict[int, Labels]]] = field(
        default_factory=dict
    )  # state -> label, its statuses; the first one is its default
    by_wire: dict[str, Column] = field(default_factory=dict)
    navigations: dict[str, Navigation] = field(default_factory=dict)
    collections: dict[str, Relationship] = field(default_factory=dict)
    alternate_keys: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    parents: list[Relationship] = field(default_factory=list)

    @property
    def children(self) -> list[Relationship]:
        return list(self.collections.values())

    def navigation_name(self, column: Column, target: str) -> str:
        return navigation_name(self.name, column, target)

    def state_of(self, status: int) -> int | None:
        return next((state for state, (_, statuses) in self.states.items() if status in statuses), None)

    def default_status(self, state: int) -> int:
        return next(iter(self.states[state][1]))


@dataclass
class Environment:
    tables: dict[str, Table]
    by_set: dict[str, Table]
    choices: dict[str, dict[int, Labels]]
    relationships: list[Relationship]
    languages: dict[str, int]
    prefix: str
    rows: dict[str, list[dict[str, Any]]]  # the platform's own

    @property
    def language(self) -> str:
        return next(iter(self.languages))


STANDARD = {"account": 1, "contact": 2, "annotation": 5, "systemuser": 8, "team": 9, "businessunit": 10, "organization": 1019}
STANDARD |= {
    "transactioncurrency": 9105,
    "activitypointer": 4200,
    "email": 4202,
    "phonecall": 4210,
    "activityparty": 135,
    "task": 4212,
    "letter": 4207,
}
SCHEMA_NAMES = {
    "phonecall": "PhoneCall",
    "activityparty": "ActivityParty",
    "activitypointer": "ActivityPointer",
    "systemuser": "SystemUser",
}
SCHEMA_NAMES |= {"businessunit": "BusinessUnit", "transactioncurrency": "TransactionCurrency"}

ACTIVE: dict[int, tuple[Labels, dict[int, Labels]]] = {
    0: ({"nl": "Actief", "fr": "Actif", "en": "Active"}, {1: {"nl": "Actief", "fr": "Actif", "en": "Active"}}),
    1: ({"nl": "Inactief", "fr": "Inactif", "en": "Inactive"}, {2: {"nl": "Inactief", "fr": "Inactif", "en": "Inactive"}}),
}
_OPEN: Labels = {"nl": "Openstaand", "fr": "Ouvert", "en": "Open"}
_COMPLETED: Labels = {"nl": "Voltooid", "fr": "Terminé", "en": "Completed"}
_CANCELED: Labels = {"nl": "Geannuleerd", "fr": "Annulé", "en": "Canceled"}
_MADE: Labels = {"nl": "Uitgevoerd", "fr": "Effectué", "en": "Made"}
_RECEIVED: Labels = {"nl": "Ontvangen", "fr": "Reçu", "en": "Received"}
_SENT: Labels = {"nl": "Verzonden", "fr": "Envoyé", "en": "Sent"}
ACTIVITY_STATES: dict[str, dict[int, tuple[Labels, dict[int, Labels]]]] = {
    "email": {
        0: (_OPEN, {1: {"nl": "Concept", "fr": "Brouillon", "en": "Draft"}, 8: {"nl": "Mislukt", "fr": "Échec", "en": "Failed"}}),
        1: (_COMPLETED, {2: _COMPLETED, 3: _SENT, 4: _RECEIVED, 6: {"en": "Pending Send"}, 7: {"en": "Sending"}}),
        2: (_CANCELED, {5: _CANCELED}),
    },
    "": {0: (_OPEN, {1: _OPEN}), 1: (_COMPLETED, {2: _MADE, 4: _RECEIVED}), 2: (_CANCELED, {3: _CANCELED})},
}


def load_environment(path: Path | None = None) -> Environment:
    """Read an environment file, or the shipped one, and add the platform's tables.

    Raises:
        EnvironmentProblem: with the file and what is wrong in it.
    """
    source = path or DEFAULT_ENVIRONMENT
    platform = _read(PLATFORM)
    document = _read(source)
    try:
        return _build(document, platform)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise EnvironmentProblem(f"{source}: {type(problem).__name__}: {problem}") from problem


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as problem:
        raise EnvironmentProblem(f"{path}: {problem}") from problem
    if not isinstance(document, dict):
        raise EnvironmentProblem(f"{path}: no mapping at the top")
    return document


def _build(document: Mapping[str, Any], platform: Mapping[str, Any]) -> Environment:
    prefix = str(document.get("publisher_prefix", "new"))
    choices = {
        name: {int(value): _labels(option) for value, option in options.items()}
        for name, options in (document.get("choices") or {}).items()
    }
    specs: dict[str, Any] = {name: spec for name, spec in platform["tables"].items() if name not in document["tables"]}
    platform_names = set(specs)
    specs |= document["tables"]
    tables: dict[str, Table] = {}
    for name, spec in specs.items():
        table = _table(name, spec, prefix, choices, number=len(tables))
        table.platform = name in platform_names
        tables[name] = table
    activities = [table for table in tables.values() if table.activity]
    if activities and POINTER not in tables:
        tables[POINTER] = _pointer(activities)
    for table in tables.values():
        for column in table.columns.values():
            for target in column.targets:
                if target not in tables:
                    raise ValueError(f"{table.name}.{column.name} looks up {target}, which is no table")
    relationships = [
        Relationship(r["name"], r["parent"], r["child"], r["column"], r["on_delete"]) for r in document.get("relationships") or []
    ]
    _check_relationships(relationships, tables)
    relationships += _implied(tables, relationships, prefix)
    for table in tables.values():
        _link(table, relationships)
    languages = {str(key): int(value) for key, value in (document.get("languages") or {"en": 1033}).items()}
    by_set = {table.set_name: table for table in tables.values()}
    if len(by_set) != len(tables):
        raise ValueError("two tables have the same set name")
    return Environment(tables, by_set, choices, relationships, languages, prefix, {k: list(v) for k, v in platform["rows"].items()})


def _labels(option: Any) -> Labels:
    if isinstance(option, str):
        return {"en": option}
    return {key: str(text) for key, text in option.items() if key != "key"} or {"en": str(option.get("key", ""))}


def plural(name: str) -> str:
    """The set name that the platform would choose for a new custom table."""
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return name + "es"
    return name + "s"


def navigation_name(table: str, column: Column, target: str) -> str:
    """Owner has one navigation property for both its targets; other polymorphic lookups have one for each."""
    if not column.polymorphic or column.name == "ownerid":
        return column.schema_name
    if column.name == "regardingobjectid" and table != POINTER:
        return f"{column.schema_name}_{target}_{table}"
    return f"{column.schema_name}_{target}"


_TYPE = re.compile(
    r"^(string|memo)\((\d+)\)$|^(choice|choices)\s+(\w+)$|^(lookup)\s+([\w|]+)$|^(int|decimal|money|bool|date|datetime|datetime_tzi|file|image|guid)$"
)


def _column(name: str, spec: Mapping[str, Any], choices: Mapping[str, Any]) -> Column:
    match = _TYPE.match(str(spec["type"]).strip())
    if not match:
        raise ValueError(f"column {name} has the unknown type {spec['type']!r}")
    kind = next(group for group in match.group(1, 3, 5, 7) if group)
    choice = match.group(4) or ""
    if choice and choice not in choices:
        raise ValueError(f"column {name} uses the choice {choice}, which is not there")
    computed = tuple(re.findall(r"\b([a-z_]\w*)\b(?=[^']*(?:'[^']*'[^']*)*$)", spec["computed"])) if "computed" in spec else ()
    return Column(
        name=name,
        kind=kind,
        schema_name=str(spec.get("schema_name", name)),
        length=int(match.group(2) or 0),
        choice=choice,
        targets=tuple((match.group(6) or "").split("|")) if match.group(6) else (),
        key=bool(spec.get("key")),
        primary_name=bool(spec.get("primary_name")),
        required=bool(spec.get("required")),
        computed=computed,
        alternate_key=str(spec.get("alternate_key", "")),
        pii=bool(spec.get("pii")),
        writable=not computed,
        text_format="Email" if spec.get("format") == "email" else "Text",
    )


def _system_columns() -> list[Column]:
    def system(name: str, kind: str, *targets: str, writable: bool = False) -> Column:
        return Column(name, kind, name, targets=targets, system=True, writable=writable)

    return [
        system("createdon", "datetime"),
        system("modifiedon", "datetime"),
        system("createdby", "lookup", "systemuser"),
        system("modifiedby", "lookup", "systemuser"),
        system("ownerid", "lookup", "systemuser", "team", writable=True),
        system("owninguser", "lookup", "systemuser"),
        system("owningteam", "lookup", "team"),
        system("owningbusinessunit", "lookup", "businessunit"),
        system("statecode", "state", writable=True),
        system("statuscode", "status", writable=True),
        system("versionnumber", "bigint"),
        system("overriddencreatedon", "datetime", writable=True),
    ]


def _table(name: str, spec: Mapping[str, Any], prefix: str, choices: Mapping[str, Any], number: int) -> Table:
    columns: dict[str, Column] = {}
    for column_name, column_spec in spec["columns"].items():
        column = _column(column_name, column_spec, choices)
        columns[column_name] = column
        for companion in _companions(column):
            columns[companion.name] = companion
    if any(column.kind == "money" for column in columns.values()):
        columns["transactioncurrencyid"] = Column(
            "transactioncurrencyid", "lookup", "transactioncurrencyid", targets=("transactioncurrency",), system=True
        )
        columns["exchangerate"] = Column("exchangerate", "decimal", "exchangerate", system=True, writable=False)
    activity = bool(spec.get("activity"))
    if activity:
        columns["activitytypecode"] = Column("activitytypecode", "entityname", "activitytypecode", system=True, writable=False)
    if name == "activityparty":
        columns["ispartydeleted"] = Column("ispartydeleted", "bool", "ispartydeleted", system=True, writable=False)
    for column in _system_columns():
        columns.setdefault(column.name, column)
    keys = [column.name for column in columns.values() if column.key]
    if len(keys) != 1:
        raise ValueError(f"table {name} has {len(keys)} key columns, not one")
    primary = next((column.name for column in columns.values() if column.primary_name), keys[0])
    custom = "_" in name
    return Table(
        name=name,
        set_name=str(spec.get("set", plural(name))),
        schema_name=name if custom else SCHEMA_NAMES.get(name, name.capitalize()),
        columns=columns,
        key=keys[0],
        primary_name=primary,
        type_code=STANDARD.get(name, 10000 + number),
        activity=activity,
        audited=bool(spec.get("audited")),
        change_tracking=bool(spec.get("change_tracking")),
        states=ACTIVITY_STATES.get(name, ACTIVITY_STATES[""]) if activity else ACTIVE,
    )


def _companions(column: Column) -> list[Column]:
    """Columns that come with another: a file's name, an image's id and address, a money column's amount in base currency."""

    def read_only(suffix: str, kind: str, length: int = 0) -> Column:
        return Column(column.name + suffix, kind, column.schema_name + suffix, length=length, system=True, writable=False, pii=column.pii)

    if column.kind == "file":
        return [read_only("_name", "string", 512)]
    if column.kind == "image":
        return [read_only("_timestamp", "bigint"), read_only("_url", "string", 200), read_only("id", "guid")]
    if column.kind == "money":
        return [read_only("_base", "money")]
    return []


def _pointer(activities: list[Table]) -> Table:
    """`activitypointer`: what all activities have in common, as one read-only table."""
    first = activities[0]
    shared = [c for c in first.columns.values() if all(c.name in t.columns and t.columns[c.name].kind == c.kind for t in activities)]
    columns: dict[str, Column] = {}
    for column in shared:
        targets = tuple(dict.fromkeys(target for t in activities for target in t.columns[column.name].targets))
        length = max(t.columns[column.name].length for t in activities)
        columns[column.name] = Column(
            column.name,
            column.kind,
            column.schema_name,
            length=length,
            targets=targets,
            key=column.key,
            primary_name=column.primary_name,
            pii=column.pii,
            system=column.system,
            writable=False,
        )
    pointer = Table(
        POINTER, "activitypointers", "ActivityPointer", columns, first.key, first.primary_name, STANDARD[POINTER], activity=True, view=True
    )
    pointer.platform = True
    pointer.states = {0: (_OPEN, {1: _OPEN}), 1: (_COMPLETED, {2: _COMPLETED}), 2: (_CANCELED, {3: _CANCELED})}
    return pointer


def _check_relationships(relationships: list[Relationship], tables: Mapping[str, Table]) -> None:
    for relation in relationships:
        if relation.on_delete not in DELETE_BEHAVIOURS:
            raise ValueError(f"relationship {relation.name} has on_delete {relation.on_delete!r}")
        column = tables[relation.child].columns[relation.column]
        if relation.parent not in column.targets:
            raise ValueError(f"relationship {relation.name}: {relation.child}.{relation.column} does not look up {relation.parent}")


def _implied(tables: Mapping[str, Table], declared: list[Relationship], prefix: str) -> list[Relationship]:
    """Every lookup is a relationship; one that the file does not declare gets the platform's default for new custom lookups, RemoveLink."""
    known = {(r.parent, r.child, r.column) for r in declared}
    names = {r.name for r in declared}
    found: list[Relationship] = []
    for table in tables.values():
        for column in table.columns.values():
            for target in column.targets:
                if (target, table.name, column.name) in known:
                    continue
                name = f"lk_{table.name}_{column.name}" if target == "systemuser" else f"{target}_{table.name}_{column.name}"
                if name in names:
                    name += "_implied"
                names.add(name)
                dangling = column.system or table.platform or (table.name == "activityparty" and column.name == "partyid")
                found.append(Relationship(name, target, table.name, column.name, "no_cascade" if dangling else "remove_link", implied=True))
    return found


def _link(table: Table, relationships: list[Relationship]) -> None:
    for column in table.columns.values():
        table.by_wire[column.wire] = column
        for target in column.targets:
            name = table.navigation_name(column, target)
            table.navigations.setdefault(name, Navigation(name, column, target))
        if column.alternate_key:
            table.alternate_keys[column.alternate_key] = (*table.alternate_keys.get(column.alternate_key, ()), column)
    table.collections = {r.name: r for r in relationships if r.parent == table.name}
    table.parents = [r for r in relationships if r.child == table.name]


def metadata_id(*names: str) -> str:
    """The same name has the same MetadataId in every emulator."""
    return str(uuid.uuid5(NAMESPACE, ".".join(names)))
