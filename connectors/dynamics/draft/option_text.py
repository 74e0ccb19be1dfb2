"""Options with their keys as lines of a mapping: those whose label is a word for a key in force, the others
as a comment to choose, after the keys that there are."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from textwrap import wrap
from typing import Final, TypeVar

from connectors.dynamics.draft.crm_tables import CrmTables, in_one_line
from connectors.dynamics.draft.proposal import Option, Referred
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from rules.anonymisation.choice_keys import CHOICE_KEYS

T = TypeVar("T")
MOST: Final = 6  # candidates of one choice that are shown; each costs a question
Rows = Callable[[Option], str]  # how many rows have an option

_PLAIN: Final = re.compile(r"[^\W\d][\w -]*(?<! )")
_WHOLE: Final = re.compile(r"0|[1-9][0-9]*")
_NO_TEXTS: Final = frozenset({"yes", "no", "true", "false", "null", "on", "off", "y", "n"})


def candidates(found: Sequence[T], told: Callable[[T], str]) -> str:
    """Return what could be chosen, the first of it as `told`, and how much more there is."""
    more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
    return " | ".join([*map(told, found[:MOST]), *more])


def reference_lines(name: str, found: Referred, keys: Collection[str], rows: Rows | None) -> Iterator[str]:
    """Yield the entry of one field under `references`; `keys` are those there are, where the product has no
    list of its own."""
    yield "references:"
    yield from option_lines(name, found.by, found.options, keys, rows)


def option_lines(name: str, by: str, options: Collection[Option] | None, keys: Collection[str], rows: Rows | None) -> Iterator[str]:
    """Yield what the rows of a table of reference stand for, as the entry of one field."""
    yield f"  {name}:"
    yield f"    by: {by}"
    yield "    keys:"
    if options is None:
        yield "      # choose: a line for each of its rows: what `by` says of it, and our key"
    else:
        yield from (f"      {line}" for line in choice_lines(name, options, keys, rows))


def choice_lines(name: str, options: Collection[Option], keys: Collection[str], rows: Rows | None) -> Iterator[str]:
    """Yield a line for each option, and one before them with the keys there are where one is open; `rows`
    tells how many have an option."""
    known = keys or (("active", "inactive") if name == "is_active" else CHOICE_KEYS.get(name, ()))
    if known and any(not option.key for option in options):
        yield from (f"# {line}" for line in wrap(f"keys: {', '.join(known)}", 110))
    for option in options:
        said = in_one_line(" / ".join(option.labels)) or "without a label"
        if option.key:
            yield f"{quoted(str(option.value))}: {quoted(option.key)}  # {said}"
        else:
            counted = f" ({rows(option)})" if rows is not None else ""
            yield f"# choose: {quoted(str(option.value))}: {option.like or 'no key is like it'}  # {said}{counted}"


def quoted(text: str) -> str:
    """Return a text as a value or key of YAML that stays a text; a whole number as it is."""
    is_plain = _PLAIN.fullmatch(text) is not None and text.casefold() not in _NO_TEXTS
    if is_plain or _WHOLE.fullmatch(text):
        return text
    return "".join(each if each.isprintable() else f"\\U{ord(each):08X}" for each in json.dumps(text, ensure_ascii=False))


def counted(definition: TableDefinition, attribute: Attribute, reader: CrmTables) -> Rows:
    """Return how to tell the rows with an option, or that point to a row of reference."""
    return lambda option: told_rows(reader.count_of(definition, attribute, option.row or option.value))


def told_rows(number: int | None) -> str:
    """Return a count of rows for people."""
    if number is None:
        return "rows not counted"
    return "5,000 rows or more" if number >= 5_000 else f"{number} row{'' if number == 1 else 's'}"
