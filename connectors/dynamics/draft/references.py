"""Keys that stand in no column of choice but in a table of reference to which a lookup points: its rows are
words of a list, and each is proposed a key by how it is called."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from connectors.dynamics.draft.columns import option_of
from connectors.dynamics.draft.crm_tables import CrmTable, CrmTables
from connectors.dynamics.draft.proposal import Drafted, Option, Referred
from connectors.dynamics.draft.tables import likeness
from connectors.dynamics.draft.words import FIELD_WORDS, Words
from connectors.dynamics.mapping.mapping import MUST_BE_CHOICE
from connectors.dynamics.schema.checks.masks import PLATFORM
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute

NO_REFERENCE: Final = frozenset({"contact", "account", "systemuser", "team", "businessunit", "transactioncurrency", "owner"})


def refer(drafted: Drafted, reader: CrmTables, tables: Mapping[str, CrmTable], kinds: frozenset[str], words: Words) -> None:
    """Fill fields that need a key and have no column: where one lookup is called like the field more than any
    other, and some row like a key, it is put in force; else each lookup that may be it is a proposal, of a
    field that is not needed those alone that are called like it. Further lookups to the same table may fill
    the field too."""
    for name in MUST_BE_CHOICE.get(drafted.kind, ()):
        if name in drafted.columns:
            continue
        called = FIELD_WORDS[drafted.kind].get(name, ())
        likely = {each: likeness(_called(drafted, each.column), called) for each in _lookups(drafted, name, reader, tables, kinds, words)}
        found = sorted((each for each in likely if likely[each] or name in drafted.needed), key=lambda each: -likely[each])
        if not found:
            continue
        main = [each for each in found if likely[each] and likely[each] == likely[found[0]]]
        if len(main) == 1 and any(option.key for option in main[0].options or ()):
            drafted.columns[name], drafted.references[name] = main[0].column.name, main[0]
            drafted.open.pop(name, None)
            found.remove(main[0])
            drafted.further[name] = [each for each in found if each.target is main[0].target]
        else:
            first = {each.target.name: each for each in reversed(found)}
            drafted.proposed[name] = [each for each in found if first[each.target.name] is each]
            drafted.further[name] = [each for each in found if first[each.target.name] is not each]


def _lookups(
    drafted: Drafted, name: str, reader: CrmTables, tables: Mapping[str, CrmTable], kinds: frozenset[str], words: Words
) -> Iterator[Referred]:
    for each in drafted.table.definition.attributes.values():
        target = next(iter(each.targets)) if each.kind in LOOKUP_TYPES and len(each.targets) == 1 else ""
        if target in tables and target not in kinds | NO_REFERENCE and each.name not in PLATFORM:
            called = FIELD_WORDS[drafted.kind].get(name, ())
            is_called = likeness(_called(drafted, each), called) > 0 or likeness(tables[target].names, called) > 0
            by = by_of(tables[target], reader)
            yield Referred(each, tables[target], by, rows_as_options(tables[target], by, name, reader, words, is_called))


def rows_as_options(table: CrmTable, by: str, name: str, reader: CrmTables, words: Words, is_called: bool) -> tuple[Option, ...] | None:
    """Return the rows of a table of reference with the keys that they are called like; None where they are
    too many for a list, or neither the table nor any of its rows is called like what the field holds: the
    names of its rows are then not shown."""
    rows = reader.words_of(table, by)
    if rows is None:
        return None
    options = tuple(
        replace(option_of(code or row, tuple(dict.fromkeys(filter(None, (label, code)))), name, words), row=row)
        for row, code, label in rows
    )
    return options if is_called or any(option.key for option in options) else None


def by_of(table: CrmTable, reader: CrmTables) -> str:
    """Return the column by which rows of reference are most likely told apart: a code that all of them have,
    else their name."""
    codes = [name for name, each in table.definition.attributes.items() if each.kind == "StringType" and "code" in name]
    code = min(codes, default="")
    has_all = code and all(value for _, value, _ in reader.words_of(table, code) or ())
    return code if has_all else table.primary_name


def _called(drafted: Drafted, column: Attribute) -> tuple[str, ...]:
    return tuple(each.removesuffix("id") for each in drafted.table.columns.get(column.name, ()))
