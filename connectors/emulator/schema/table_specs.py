"""Reads one table of an environment file: its columns, states, and what the platform adds to every table. The
words are those of the file; an unknown word is a `ValueError` that names it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from connectors.emulator.schema.environment import POINTER, Column, Labels, Table
from connectors.emulator.schema.many_to_many import ManyToMany
from connectors.emulator.schema.standard import ACTIVE, ACTIVITY_STATES, CANCELED, COMPLETED, OPEN, SCHEMA_NAMES, STANDARD

ANY_TABLE = ("*",)  # a lookup that may point to a row of any table


def labels_of(option: Any) -> Labels:
    if isinstance(option, str):
        return {"en": option}
    return {key: str(text) for key, text in option.items() if key != "key"} or {"en": str(option.get("key", ""))}


def plural(name: str) -> str:
    """Return the set name that the platform would choose for a new custom table."""
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return name + "es"
    return name + "s"


_TYPE = re.compile(
    r"^(string|memo)\((\d+)\)$|^(choice|choices)\s+(\w+)$|^(lookup)\s+(\*|[\w|]+)$"
    r"|^(int|decimal|double|money|bool|date|datetime|datetime_tzi|file|image|guid|entityname)$"
)


# The tables whose rows carry a file in base64, with the column it is in; the platform keeps its size beside
# it.
BODIES = {"annotation": "documentbody", "activitymimeattachment": "body"}


MERGEABLE = ("account", "contact", "lead")  # what `Merge` takes
MASTER, MERGED = "masterid", "merged"


def size_of_body(body: Any) -> int:
    """Return how many bytes a text in base64 stands for; 0 if it is not a text."""
    return len(body) * 3 // 4 - body[-2:].count("=") if isinstance(body, str) else 0


def column_of(name: str, spec: Mapping[str, Any], choices: Mapping[str, Any]) -> Column:
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
        writable=not computed and not spec.get("read_only"),
        text_format="Email" if spec.get("format") == "email" else "Text",
        related=not spec.get("unrelated"),
        secured=bool(spec.get("secured")),
        labels=tuple(labels_of(spec["label"]).items()) if "label" in spec else (),
    )


_OF_COPIES = 400  # signs of what a participant has of the name and the address


@cache
def system_columns() -> tuple[Column, ...]:
    def system(name: str, kind: str, *targets: str, writable: bool = False) -> Column:
        return Column(name, kind, name, targets=targets, system=True, writable=writable)

    return (
        system("createdon", "datetime"),
        system("modifiedon", "datetime"),
        system("createdby", "lookup", "systemuser"),
        system("modifiedby", "lookup", "systemuser"),
        system("createdonbehalfby", "lookup", "systemuser"),
        system("modifiedonbehalfby", "lookup", "systemuser"),
        system("ownerid", "lookup", "systemuser", "team", writable=True),
        system("owninguser", "lookup", "systemuser"),
        system("owningteam", "lookup", "team"),
        system("owningbusinessunit", "lookup", "businessunit"),
        system("statecode", "state", writable=True),
        system("statuscode", "status", writable=True),
        system("versionnumber", "bigint"),
        system("overriddencreatedon", "datetime", writable=True),
    )


def table_of(name: str, spec: Mapping[str, Any], choices: Mapping[str, Any], number: int) -> Table:
    columns: dict[str, Column] = {}
    for column_name, column_spec in spec["columns"].items():
        column = column_of(column_name, column_spec, choices)
        columns[column_name] = column
        for companion in companions(column):
            columns[companion.name] = companion
    if any(column.kind == "money" for column in columns.values()):
        columns["transactioncurrencyid"] = Column(
            "transactioncurrencyid", "lookup", "transactioncurrencyid", targets=("transactioncurrency",), system=True
        )
        columns["exchangerate"] = Column("exchangerate", "decimal", "exchangerate", system=True, writable=False)
    activity = bool(spec.get("activity"))
    _add_columns_of_platform(name, columns, is_activity=activity)
    for column in system_columns():
        if column.name in spec.get("system_columns", (column.name,)):
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
        view=bool(spec.get("view")),
        labels=labels_of(spec["label"]) if "label" in spec else {},
        collection_labels=labels_of(spec["collection_label"]) if "collection_label" in spec else {},
        states=_states(spec["states"]) if "states" in spec else ACTIVITY_STATES.get(name, ACTIVITY_STATES[""]) if activity else ACTIVE,
    )


def _add_columns_of_platform(name: str, columns: dict[str, Column], *, is_activity: bool) -> None:
    """Add what the platform gives a table because of what it is."""
    if is_activity:
        columns["activitytypecode"] = Column("activitytypecode", "entityname", "activitytypecode", system=True, writable=False)
    if BODIES.get(name) in columns:
        columns["filesize"] = Column("filesize", "int", "filesize", system=True, writable=False)
    if name == "activityparty":
        party = columns.get("partyid")
        if party is not None and len(party.targets) == 1 and "systemuser" not in party.targets:  # the platform's leads to several
            columns["partyid"] = replace(party, targets=(*party.targets, "systemuser"))
        for copied in ("addressused", "partyidname"):  # what stays when the person's own row has gone
            columns.setdefault(copied, Column(copied, "string", copied, length=_OF_COPIES, pii=True))
        columns["ispartydeleted"] = Column("ispartydeleted", "bool", "ispartydeleted", system=True, writable=False)
    if name in MERGEABLE:
        columns[MASTER] = Column(MASTER, "lookup", MASTER, targets=(name,), system=True, writable=False)
        columns[MERGED] = Column(MERGED, "bool", MERGED, system=True, writable=False)


def _states(spec: Mapping[Any, Any]) -> dict[int, tuple[Labels, dict[int, Labels]]]:
    return {
        int(state): (labels_of(each["label"]), {int(status): labels_of(label) for status, label in each["statuses"].items()})
        for state, each in spec.items()
    }


def intersect_of(relation: ManyToMany, spec: Mapping[str, Any], choices: Mapping[str, Any], number: int) -> Table:
    """Return the table of an N:N relationship's pairs: readable like any other, written by associating and
    disassociating only."""
    name = relation.intersect
    own = [column_of(each, {**given, "read_only": True}, choices) for each, given in (spec.get("columns") or {}).items()]
    set_name, schema_name = str(spec.get("set", name + "set")), str(spec.get("schema_name", name))
    table = new_intersect(relation, set_name, schema_name, STANDARD.get(name, 10000 + number), own)
    table.platform = "_" not in name
    return table


def new_intersect(relation: ManyToMany, set_name: str, schema_name: str, type_code: int, own: Iterable[Column] = ()) -> Table:
    names = (f"{relation.intersect}id", relation.one.attribute, relation.two.attribute)
    columns = {each: Column(each, "guid", each, key=each == names[0], system=True, writable=False) for each in names}
    columns |= {column.name: column for column in own}
    columns["versionnumber"] = Column("versionnumber", "bigint", "versionnumber", system=True, writable=False)
    table = Table(relation.intersect, set_name, schema_name, columns, names[0], names[0], type_code)
    table.intersect, table.ownership, table.states = True, "None", ACTIVE
    return table


def companions(column: Column) -> list[Column]:
    """Return the columns that come with another: a file's name, an image's id and address, a money column's
    amount in base currency."""

    def read_only(suffix: str, kind: str, length: int = 0) -> Column:
        return Column(column.name + suffix, kind, column.schema_name + suffix, length=length, system=True, writable=False, pii=column.pii)

    if column.kind == "file":
        return [read_only("_name", "string", 512)]
    if column.kind == "image":
        return [read_only("_timestamp", "bigint"), read_only("_url", "string", 200), read_only("id", "guid")]
    if column.kind == "money":
        return [read_only("_base", "money")]
    return []


def pointer_of(activities: list[Table], prefix: str) -> Table:
    """Return `activitypointer`: what all activities have in common, as one read-only table; an organisation's
    own columns, with its `prefix`, are in none but their own."""
    first = activities[0]
    shared = [
        c
        for c in first.columns.values()
        if not c.name.startswith(f"{prefix}_")
        and all(c.name in t.columns and (t.columns[c.name].kind, t.columns[c.name].choice) == (c.kind, c.choice) for t in activities)
    ]
    columns: dict[str, Column] = {}
    for column in shared:
        targets = tuple(dict.fromkeys(target for t in activities for target in t.columns[column.name].targets))
        length = max(t.columns[column.name].length for t in activities)
        columns[column.name] = Column(
            column.name,
            column.kind,
            column.schema_name,
            length=length,
            choice=column.choice,
            targets=targets,
            key=column.key,
            primary_name=column.primary_name,
            pii=column.pii,
            system=column.system,
            writable=False,
            secured=any(t.columns[column.name].secured for t in activities),
        )
    pointer = Table(
        POINTER, "activitypointers", "ActivityPointer", columns, first.key, first.primary_name, STANDARD[POINTER], activity=True, view=True
    )
    pointer.platform = True
    pointer.states = {0: (OPEN, {1: OPEN}), 1: (COMPLETED, {2: COMPLETED}), 2: (CANCELED, {3: CANCELED})}
    return pointer
