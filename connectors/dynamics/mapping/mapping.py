"""The mapping: which table and column of this organisation holds which field of our records, and what its
option values mean.

A mapping is data, never code (R-161): another organisation edits the file. It is loaded whole or refused with
every mistake named by file and line; whether it fits the CRM is compared with the CRM's metadata at start-up
(`schema/mapping_check.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import get_args, get_type_hints

from connectors.dynamics.mapping.mapping_file import Node, Problems, parse
from connectors.dynamics.mapping.masks import MASKED_KINDS, Masks, parse_masks
from rules.anonymisation.choice_keys import CHOICE_KEYS, STATISTIC_OUTCOMES
from rules.model.kinds import ACTIVITIES, ROW_KINDS
from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS, Record, Statistic
from rules.policy.suggestions import meant

SCHEMA = "crm-mapping/1"
REFERENCE = Path(__file__).with_name("reference.yaml")

OPTIONAL_KINDS = frozenset(word for word, kind in ROW_KINDS.items() if kind.is_optional)
REQUIRED_FIELDS: dict[str, frozenset[str]] = {
    **{word: frozenset(kind.required or kind.owner_fields) for word, kind in ROW_KINDS.items()},
    "statistic": frozenset({"year", "category", "count"}),
}

# Fields whose absence would hide a hold, shorten a term or hide a relation: mapped, or named under `without`
# by somebody who knows that the organisation does not record them.
SAFEGUARDS: dict[str, frozenset[str]] = {
    "dossier": frozenset({"legal_hold", "reopened_on", "closed_on", "proceedings_ended_on"}),
    "recording": frozenset({"ended_on", "evidence"}),
    "contact": frozenset({"parent", "newsletter"}),
}

# A lookup and the kinds of record that it may point to; empty: anything. `…_kind` beside it tells which of
# them it is.
LOOKUPS: dict[str, frozenset[str]] = {
    "dossier": frozenset({"dossier"}),
    "fiche": frozenset({"fiche"}),
    "contact": frozenset({"contact"}),
    "parent": frozenset({"contact"}),
    "regarding": frozenset(),
    "activity": frozenset(ACTIVITIES),
    "party": frozenset({"contact"}),
}
KIND_FIELDS = {"parent_kind": "parent", "regarding_kind": "regarding", "party_kind": "party"}
SYSTEM_FIELDS = frozenset({"id", "etag"})

# What keys a choice column may stand for where the record has a yes or no.
TRUTHS = {"active": True, "inactive": False, "yes": True, "no": False}
MUST_BE_CHOICE = {word: frozenset(kind.choices) for word, kind in ROW_KINDS.items()}

BEHAVIOURS = ("date_only", "user_local", "time_zone_independent")
_LOGICAL_NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")
_KEY = re.compile(r"[a-z0-9][a-z0-9_\-+]{0,59}")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+\-]+/(?:\*|[a-z0-9!#$&^_.+\-]+)")
COPIES = ("search_index", "lake", "offline")  # kinds of copies that the Web API does not reach (ERA-12)
_COPY = re.compile("|".join(COPIES))
BEYOND_REACH = ("audit_history",)  # places that may be accepted as out of our reach (ERA-12)
_BEYOND_REACH = re.compile("|".join(BEYOND_REACH))
_COLUMN = re.compile(rf"{_LOGICAL_NAME.pattern}\.{_LOGICAL_NAME.pattern}")
_SUSPECT = re.compile(r"suspect|verdacht|dader|perpetrator|offender|soup[cç]on|beschuldig", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """The option values of one column and the keys they stand for, with the line of each."""

    keys: dict[int, str]
    where: dict[int, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record and the column that holds it. `behaviour` is set where the mapping states it
    (DAT-09); `is_readable` where it states that the application user may read the column although the CRM
    secures it."""

    field: str
    name: str
    where: str
    behaviour: str = ""
    choice: Choice | None = None
    is_readable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of record and the table that holds it; `masks` say how its rows are anonymised in place, where
    the mapping does, and `personal` are the columns that only a subject request reads."""

    kind: str
    record: type[Record]
    name: str
    where: str
    columns: dict[str, Column]
    masks: Masks | None = None
    personal: dict[str, Column] = field(default_factory=dict)

    @property
    def full(self) -> type[Record]:
        """The record that has the personal fields too."""
        return FULL[self.kind]

    def columns_of(self, record: type[Record]) -> dict[str, Column]:
        """The columns that fill this class of record: those of `personal` only where it is the full one."""
        return self.columns | self.personal if issubclass(record, self.full) else self.columns


@dataclass(frozen=True, slots=True)
class Mapping:
    """The whole file. `recording_media_types` are the patterns by which an attachment on a fiche is a
    recording (RET-05). `copies` are kinds of copies outside the tables, None where nobody has said. `stay`
    names columns of tables that are not mapped, whose rows may lose a link. `beyond_reach` are places that
    the controller accepts as out of this account's reach although it sees them."""

    source: str
    tables: dict[str, Table]
    recording_media_types: tuple[str, ...] = ("audio/*",)
    app_url: str = ""
    copies: tuple[str, ...] | None = None
    stay: frozenset[str] = frozenset()
    beyond_reach: frozenset[str] = frozenset()
    _by_record: dict[type[Record], Table] = field(default_factory=dict, repr=False)

    def table(self, record: type[Record]) -> Table | None:
        """The table of this kind of record, also for the classes that pages are decoded into; None if it is
        not mapped."""
        found = self._by_record.get(record)
        if found is None:
            found = next((table for kind, table in self._by_record.items() if issubclass(record, kind)), None)
        return found

    def kind_of(self, table: str) -> str | None:
        """The word for a table's logical name, or None."""
        return next((mapped.kind for mapped in self.tables.values() if mapped.name == table), None)


@cache
def field_type(record: type[Record], name: str) -> type:
    """What a field holds: `date`, `datetime`, `bool`, `int`, `float`, `str`, `bytes` (content that is fetched
    by itself) or `tuple` (of category keys)."""
    hint = get_type_hints(record)[name]
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    return hint if isinstance(hint, type) else tuple


def mappable_fields(record: type[Record]) -> tuple[str, ...]:
    """The fields that a mapping may give a column; the others come with the row (`id`, `etag`) or with a
    lookup (`…_kind`)."""
    return tuple(name for name in record.__struct_fields__ if name not in SYSTEM_FIELDS and name not in KIND_FIELDS)


@lru_cache(maxsize=4)  # a mapping is read anew for every job, and is the same nearly always
def parse_mapping(text: str, source: str) -> Mapping:
    """The mapping in a text; `source` is what its places are named after.

    Raises:
        MappingError: with every mistake, each with its line.
    """
    problems = Problems(source)
    root = parse(text, problems)
    mapping = _mapping(root, problems) if root is not None else None
    problems.raise_any()
    assert mapping is not None
    return mapping


def _mapping(root: Node, problems: Problems) -> Mapping:
    top = root.mapping({"schema", "tables", "recording_media_types", "app_url", "copies", "stay", "beyond_reach"}, {"schema", "tables"})
    if (schema := top.get("schema")) and schema.text() != SCHEMA:
        problems.add(schema, f"the schema is {SCHEMA}, nothing else")
    media_types: tuple[str, ...] = ("audio/*",)
    if listed := top.get("recording_media_types"):
        media_types = tuple(item.text(_MEDIA_TYPE, "a media type such as audio/*") for item in listed.items())
    app_url = top["app_url"].text() if "app_url" in top else ""
    if app_url and not app_url.startswith("https://"):
        problems.add(top["app_url"], "app_url must start with https://")
    copies = tuple(item.text(_COPY, f"one of {', '.join(COPIES)}") for item in top["copies"].items()) if "copies" in top else None
    stay = frozenset(item.text(_COLUMN, "table.column") for item in top["stay"].items()) if "stay" in top else frozenset()
    beyond = (
        frozenset(item.text(_BEYOND_REACH, " or ".join(BEYOND_REACH)) for item in top["beyond_reach"].items())
        if "beyond_reach" in top
        else frozenset()
    )
    tables: dict[str, Table] = {}
    if "tables" in top:
        required = set(KINDS) - OPTIONAL_KINDS
        tables = {kind: _table(kind, node, problems) for kind, node in top["tables"].mapping(set(KINDS), required).items()}
    _refuse_shared_tables(tables, problems)
    _refuse_uncountable(tables, problems)
    by_record = {table.record: table for table in tables.values()}
    return Mapping(problems.source, tables, media_types, app_url, copies, stay, beyond, by_record)


def _table(kind: str, node: Node, problems: Problems) -> Table:
    record = KINDS[kind]
    allowed_parts = {"table", "columns", "personal", "without", "choices", "behaviour", "readable"} | (
        {"anonymise"} if kind in MASKED_KINDS else set()
    )
    parts = node.mapping(allowed_parts, {"table", "columns"})
    without = _without(kind, parts["without"], problems) if "without" in parts else set()
    name = parts["table"].text(_LOGICAL_NAME, "a table's logical name, in lower case") if "table" in parts else ""
    lean, full = set(mappable_fields(record)), FULL[kind]
    personal_allowed = set(personal_fields(kind))
    allowed = lean | personal_allowed
    behaviours = {
        field_name: entry.text(re.compile("|".join(BEHAVIOURS)), f"one of {', '.join(BEHAVIOURS)}")
        for field_name, entry in (parts["behaviour"].mapping(allowed, set()) if "behaviour" in parts else {}).items()
        if _is_date(full, field_name, entry, problems)
    }
    choices = {
        field_name: _choice(full, field_name, entry, problems)
        for field_name, entry in (parts["choices"].mapping(allowed, set()) if "choices" in parts else {}).items()
    }
    readable = {entry.text(): entry for entry in (parts["readable"].items() if "readable" in parts else ())}
    must_be_choice = MUST_BE_CHOICE.get(kind, frozenset())

    def mapped(part: str, names: set[str], required: set[str]) -> dict[str, Column]:
        found: dict[str, Column] = {}
        if part not in parts:
            return found
        if kind == "contact":
            _refuse_suspects(parts[part], problems)
        for field_name, entry in parts[part].mapping(names, required).items():
            column = entry.text(_LOGICAL_NAME, "a column's logical name, in lower case")
            behaviour, choice = behaviours.get(field_name, ""), choices.get(field_name)
            found[field_name] = Column(field_name, column, entry.where, behaviour, choice, field_name in readable)
            if field_name in must_be_choice and field_name not in choices:
                problems.add(entry, f"{kind}.{field_name} needs its option values under choices")
        return found

    columns = mapped("columns", lean - without, {*REQUIRED_FIELDS[kind], *(SAFEGUARDS.get(kind, frozenset()) - without)})
    personal = mapped("personal", personal_allowed, set())
    if "columns" in parts:
        for section in ("choices", "behaviour"):
            for field_name, entry in (parts[section].mapping(None, set()) if section in parts else {}).items():
                if field_name in allowed and field_name not in columns and field_name not in personal:
                    problems.add(entry, f"{kind}.{field_name} stands under {section} but has no column")
        for field_name, entry in readable.items():
            if field_name not in columns and field_name not in personal:
                problems.add(entry, f"{kind}.{field_name[:40]} stands under readable but has no column")
    own = columns["anonymised_on"].name if "anonymised_on" in columns else ""
    masks = parse_masks(parts["anonymise"], own, problems) if "anonymise" in parts else None
    return Table(kind, record, name, node.where, columns, masks, personal)


def _without(kind: str, node: Node, problems: Problems) -> set[str]:
    """The safeguards that an organisation says it does not record."""
    names = {entry.raw: entry for entry in node.items()}
    for name in names.keys() - SAFEGUARDS.get(kind, frozenset()):
        problems.add(names[name], f"{kind}.{name[:40]} needs no word when it is not recorded")
    return set(names)


def _choice(record: type[Record], field_name: str, node: Node, problems: Problems) -> Choice:
    keys: dict[int, str] = {}
    where: dict[int, str] = {}
    kind = field_type(record, field_name)
    if field_name in LOOKUPS or kind in (date, datetime, int, float, bytes):
        problems.add(node, f"{field_name} is not a choice")
    for option, entry in node.mapping(None, set()).items():
        if not re.fullmatch(r"-?\d{1,10}", option):
            problems.add(entry, f"an option value is a whole number, not {option[:40]!r}")
            continue
        key = entry.text(_KEY, "a key: lower-case letters, digits, underscores")
        if kind is bool and key not in TRUTHS:
            problems.add(entry, f"{field_name} is a yes or no: use one of {', '.join(TRUTHS)}")
        known = choice_keys(record, field_name)
        if key and known is not None and key not in known:
            problems.add(entry, f"{field_name} has no key {key}: use one of {', '.join(known)}, or leave the option out{meant(key, known)}")
        keys[int(option)] = key
        where[int(option)] = entry.where
    return Choice(keys, where)


def choice_keys(record: type[Record], field_name: str) -> tuple[str, ...] | None:
    """The keys that a choice of this field may have; None where they are the organisation's own."""
    if field_name == "outcome" and issubclass(record, Statistic):
        return STATISTIC_OUTCOMES
    return CHOICE_KEYS.get(field_name)


def _is_date(record: type[Record], field_name: str, node: Node, problems: Problems) -> bool:
    if field_type(record, field_name) in (date, datetime):
        return True
    problems.add(node, f"{field_name} is not a date, so it has no behaviour")
    return False


def _refuse_suspects(columns: Node, problems: Problems) -> None:
    """A suspicion belongs to a role in one dossier; on the contact it would follow the person for ever
    (SUS-02, R-112)."""
    for field_name, entry in columns.mapping(None, set()).items():
        if field_name == "role" or _SUSPECT.search(field_name) or _SUSPECT.search(entry.raw):
            problems.add(entry, "a suspect attribute on the contact is refused (R-112): map the role of the party instead")


def _refuse_shared_tables(tables: dict[str, Table], problems: Problems) -> None:
    seen: dict[str, str] = {}
    for table in tables.values():
        if table.name and table.name in seen:
            problems.add_at(table.where, f"{table.kind} and {seen[table.name]} are mapped to the same table {table.name}")
        seen[table.name] = table.kind


def _refuse_uncountable(tables: dict[str, Table], problems: Problems) -> None:
    """What a fiche can say, its row of statistics must be able to hold: else its dossier could never be
    disposed of (5.2)."""
    fiche, statistic = tables.get("fiche"), tables.get("statistic")
    for name in ("channel", "reporter_kind"):
        source = fiche.columns.get(name) if fiche else None
        target = statistic.columns.get(name) if statistic else None
        if source and target and source.choice and target.choice:
            for key in sorted(set(source.choice.keys.values()) - set(target.choice.keys.values())):
                problems.add_at(target.where, f"statistic.{name} has no option for {key}, which fiche.{name} has")
