"""Which column fills which field: those of the standard tables are known, the others follow from their type,
their target and their name. A key is only given where an option is called by a word for it: a wrong category
would end a term too early."""

from datetime import date, datetime
from functools import lru_cache
from typing import Final

from connectors.dynamics.draft.crm_tables import CrmTable
from connectors.dynamics.draft.proposal import Drafted, Option
from connectors.dynamics.draft.tables import likeness
from connectors.dynamics.draft.words import (
    ACTIVITY_COLUMNS,
    FIELD_WORDS,
    OPTION_WORDS,
    PLATFORM_CATEGORIES,
    STANDARD_COLUMNS,
    Words,
)
from connectors.dynamics.mapping.mapping import IN_EITHER, MUST_BE_CHOICE, field_type, mappable_fields
from connectors.dynamics.schema.checks.columns import PLATFORM_NUMBERS
from connectors.dynamics.schema.checks.masks import PLATFORM
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, WHOLE_NUMBERS, Attribute
from rules.files.suggestions import nearest
from rules.model.kinds import FILES, LOOKUPS
from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS
from rules.texts.folding import fold

_CHOICES: Final = frozenset({"PicklistType", "MultiSelectPicklistType"})
_TEXTS: Final = frozenset({"StringType", "MemoType"})
_OF_SEVERAL: Final = ("categories",)  # fields that a multi-select may fill
_TRUTHS: Final = ("yes", "no")
_STATES: Final = {"incident": ("active", "inactive", "inactive")}  # active, resolved, cancelled
_CREATED: Final = "createdon"
_SINCE_CREATED: Final = ("opened_on", "communicated_on")  # days that may be those of the row, where nothing else is recorded
_SAME_COLUMN: Final = {"communicated_at": "communicated_on", "started_at": "started_on", "ended_at": "ended_on"}


def draft_columns(kind: str, table: CrmTable, tables: dict[str, CrmTable], words: Words) -> Drafted:
    """Return the columns of one kind; `tables` are those of the kinds, for its lookups."""
    drafted = Drafted(kind, table)
    names = [*mappable_fields(KINDS[kind]), *personal_fields(kind)]
    attributes = table.definition.attributes
    for name, column in STANDARD_COLUMNS.get(kind, {}).items():
        if column in attributes and _fits(kind, name, attributes[column], table, tables):
            drafted.columns[name] = column
    _take_likeliest(drafted, names, tables, words)
    taken = set(drafted.columns.values())
    free = [each for each in attributes.values() if each.name not in taken and _is_free(each, table)]
    for name, column in ACTIVITY_COLUMNS.get(kind, {}).items():
        if name not in drafted.columns and column in attributes and _fits(kind, name, attributes[column], table, tables):
            drafted.columns[name] = column
            drafted.instead[name] = [each for each in free if name not in LOOKUPS and _fits(kind, name, each, table, tables)]
    for name, twin in _SAME_COLUMN.items():
        if name in names and name not in drafted.columns and twin in drafted.columns:
            drafted.columns[name] = drafted.columns[twin]
    for name in names:
        if name in drafted.columns:
            if (options := _options(kind, name, attributes[drafted.columns[name]], table, words)) is not None:
                drafted.choices[name] = options
        elif name not in STANDARD_COLUMNS.get(kind, {}) or name in drafted.needed:
            candidates = [each for each in free if _fits(kind, name, each, table, tables)]
            if not candidates and name in _SINCE_CREATED:
                candidates = [attributes[_CREATED]] if _CREATED in attributes else []
            if candidates or (name in drafted.needed and not _has_other_file(drafted, name)):
                drafted.open[name] = candidates
    _either(drafted, tables)
    drafted.columns = {name: drafted.columns[name] for name in names if name in drafted.columns}
    return drafted


def _take_likeliest(drafted: Drafted, names: list[str], tables: dict[str, CrmTable], words: Words) -> None:
    """Give each field that has no column yet the one that is most like it, and each column to one field."""
    kind, table = drafted.kind, drafted.table
    scored = sorted(
        (
            (score, -at, name, each.name)
            for at, name in enumerate(names)
            if name not in drafted.columns and name not in _SAME_COLUMN
            for each in table.definition.attributes.values()
            if _is_free(each, table)
            and _fits(kind, name, each, table, tables)
            and (score := _score(kind, name, each, table, tables, words))
        ),
        reverse=True,
    )
    taken = set(drafted.columns.values())
    for _, _, name, column in scored:
        if name not in drafted.columns and column not in taken:
            drafted.columns[name] = column
            taken.add(column)


def _either(drafted: Drafted, tables: dict[str, CrmTable]) -> None:
    """Let a lookup of a role or a recording that points to dossiers and to fiches stand for both."""
    for one, other in (FILES, FILES[::-1]):
        column = drafted.columns.get(one)
        if drafted.kind not in IN_EITHER or column is None or other not in tables or other in drafted.columns:
            continue
        if tables[other].name in drafted.table.definition.attributes[column].targets:
            drafted.columns[other] = column
            drafted.open.pop(other, None)
            drafted.either.append(column)


def _has_other_file(drafted: Drafted, name: str) -> bool:
    """Return whether a role or a recording is in the other kind of file: one of both is enough."""
    return drafted.kind in IN_EITHER and name in FILES and bool({*FILES} & drafted.columns.keys())


def _is_free(attribute: Attribute, table: CrmTable) -> bool:
    """Return whether a column may be the organisation's answer to a field: it is not part of the housekeeping
    of the platform."""
    is_own = "_" in attribute.name or attribute.name in PLATFORM_CATEGORIES
    return is_own and attribute.name not in PLATFORM and attribute.name != table.definition.primary_id and not attribute.part_of


def _fits(kind: str, name: str, attribute: Attribute, table: CrmTable, tables: dict[str, CrmTable]) -> bool:
    """Return whether a column is of a type that the field can be filled from."""
    if name in LOOKUPS:
        named = {tables[each].name for each in LOOKUPS[name] if each in tables}
        is_free = not LOOKUPS[name] or name == "activity"
        return attribute.kind in LOOKUP_TYPES and (is_free or bool(named & attribute.targets))
    holds = field_type(FULL[kind], name)
    if name in MUST_BE_CHOICE.get(kind, ()):
        return attribute.kind == "PicklistType" or (name in _OF_SEVERAL and attribute.kind == "MultiSelectPicklistType")
    if holds in (date, datetime):
        return attribute.kind == "DateTimeType"
    if holds is bool:
        return attribute.kind in ("BooleanType", "StateType") or (
            attribute.kind == "PicklistType" and _truths(attribute, table) is not None
        )
    if holds is int:
        return attribute.kind in WHOLE_NUMBERS or (name in PLATFORM_NUMBERS and attribute.kind == "PicklistType")
    if holds is float:
        return attribute.kind in WHOLE_NUMBERS | {"MoneyType", "DecimalType", "DoubleType"}
    if holds is bytes:
        return attribute.kind in ("FileType", "ImageType") or attribute.name == "documentbody"
    if name == "image":
        return attribute.kind in ("FileType", "ImageType")
    return attribute.kind in _TEXTS or (attribute.kind == "PicklistType" and name in OPTION_WORDS)


def _score(kind: str, name: str, attribute: Attribute, table: CrmTable, tables: dict[str, CrmTable], words: Words) -> int:
    names, called = table.columns.get(attribute.name, ()), FIELD_WORDS[kind].get(name, ())
    if name in LOOKUPS:
        wanted = next((tables[each] for each in LOOKUPS[name] if each in tables), None)
        own = wanted.names if wanted is not None else ()  # it may be called like what it points to
        score = likeness(tuple(each.removesuffix("id") for each in names), (*called, *own))
        is_only_one = wanted is not None and len(table.lookups_to(wanted.name)) == 1
        return score or (2 if is_only_one else 0)
    score = likeness(names, called)
    if not score and name in MUST_BE_CHOICE.get(kind, ()):
        keys = {option.key for option in _options(kind, name, attribute, table, words) or ()} - {"", "other"}
        return 1 if len(keys) > 1 else 0  # not called like it, but its options are
    if not score and name in ("number", "name") and attribute.name == table.primary_name:
        return 1
    return score


def _truths(attribute: Attribute, table: CrmTable) -> list[Option] | None:
    options = [option_of(value, labels, "truth", OPTION_WORDS) for value, labels in table.labels.get(attribute.name, {}).items()]
    return options if {each.key for each in options} == set(_TRUTHS) else None


def _options(kind: str, name: str, attribute: Attribute, table: CrmTable, words: Words) -> list[Option] | None:
    if attribute.kind == "StateType":
        states = attribute.options or {0: "Active", 1: "Inactive"}
        known = _STATES.get(table.name, ("active", "inactive"))
        return [Option(value, (label,), known[value] if value < len(known) else "") for value, label in sorted(states.items())]
    if attribute.kind not in _CHOICES or name in PLATFORM_NUMBERS:
        return None
    if field_type(FULL[kind], name) is bool:
        return _truths(attribute, table)
    return [option_of(value, labels, name, words) for value, labels in table.labels.get(attribute.name, {}).items()]


_folded = lru_cache(maxsize=4096)(fold)  # the same few words, for each option of each column


def option_of(value: int | str, labels: tuple[str, ...], name: str, words: Words) -> Option:
    """Return an option with the key that one of its labels is a word for, or that is like one."""
    of_field = words.get(name, {})
    called = [_folded(label) for label in labels]
    keys = {key for key, each in of_field.items() if any(label in (*each, _folded(key)) for label in called)}
    if len(keys) == 1:
        return Option(value, labels, keys.pop())
    by_word = {word: key for key, each in of_field.items() for word in (*each, _folded(key))}
    like = next((by_word[found] for label in called if (found := nearest(label, by_word)) is not None), "")
    return Option(value, labels, "", like)
