"""The address of a request taken apart: segments with their keys, and query options."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, unquote_plus

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.errors import WebApiError, bad_key, bad_query
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.values import guid, parse_date, parse_instant

MAX_URL = 32_768  # and twice that for the same GET inside a batch
MAX_URL_IN_BATCH = 65_536
NAMESPACE = "Microsoft.Dynamics.CRM."  # of types, functions and actions
_SERVICE = re.compile(r"^(?:https?://[^/]+)?(?:/[^/]+)?/api/data/v\d+\.\d+(?:/|$|(?=\?))")
_KEY_PART = re.compile(r"\s*(?:(\w+)\s*=\s*)?('(?:[^']|'')*'|[^',()=]+)\s*(?:,|$)")


def type_of(document: Mapping[str, Any], default: str = "") -> str:
    """Return the type that an object of a body says it has."""
    return str(document.get("@odata.type", default)).removeprefix("#").removeprefix(NAMESPACE)


@dataclass(frozen=True)
class Segment:
    """`cf_fiches(…)`: a name and what stands between its parentheses, None without any."""

    name: str
    key: str | None = None


@dataclass(frozen=True)
class Address:
    """Path segments below the service root and the query options, in the order sent."""

    segments: tuple[Segment, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def option(self, name: str) -> str | None:
        for key, value in self.options:
            if key == name:
                return value
        return None


def below_service(url: str) -> str:
    """Return what follows the service root, in an address that may be absolute, or relative to the host or to
    the service."""
    return _SERVICE.sub("", url).lstrip("/")


@lru_cache(maxsize=256)  # a client asks for the same again and again: who it is, how tables are defined
def parse_address(raw: str) -> Address:
    """Read an address. `raw`: what follows the service root, still percent-encoded, with its query."""
    path, _, query = raw.partition("?")
    decoded = unquote(path, errors="strict") if "%" in path else path
    options = tuple(_option(part) for part in query.split("&") if part)
    names = [name for name, _ in options]
    for name in names:
        if name.startswith("$") and names.count(name) > 1:
            raise bad_query(f"Query option '{name}' was specified more than once, but it must be specified at most once.")
    return Address(tuple(_segment(text) for text in split_outside(decoded.strip("/"), "/") if text), options)


def _option(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return unquote_plus(name), unquote_plus(value)


def _segment(text: str) -> Segment:
    if not text.endswith(")"):
        if "(" in text:
            raise bad_query("Bad Request - Error in query syntax.")
        return Segment(text)
    name, _, rest = text.partition("(")
    return Segment(name, rest[:-1])


def split_outside(text: str, separator: str) -> Iterator[str]:
    """Split where the separator stands outside quotation marks, parentheses and brackets."""
    depth, quoted, start = 0, False, 0
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == separator and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]


@dataclass(frozen=True)
class Key:
    """Which row an address means: by id, or by the stored values of an alternate key."""

    row_id: str | None
    values: dict[str, str | int] = field(default_factory=dict)


def parse_key(table: Table, text: str) -> Key:
    """Read the text between the parentheses. Raises WebApiError: 400 when the names are not a key of the
    table or a value does not fit."""
    text = text.strip()
    if plain := guid(text):
        return Key(plain)
    parts: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _KEY_PART.match(text, position)
        if not match or match.end() == position:
            raise bad_key(table.name)
        name, value = match.groups()
        if name is None:
            raise _bad_guid(text) if not parts and match.end() == len(text) else bad_key(table.name)
        parts[name] = value
        position = match.end()
    if not parts:
        raise bad_key(table.name)
    if set(parts) == {table.key}:
        row_id = guid(parts[table.key].strip("'"))
        if row_id is None:
            raise _bad_guid(parts[table.key])
        return Key(row_id)
    for columns in table.alternate_keys.values():
        if set(parts) == {column.wire for column in columns}:
            return Key(None, {column.name: _key_value(table, column.kind, parts[column.wire]) for column in columns})
    raise bad_key(table.name)


def _bad_guid(text: str) -> WebApiError:
    return bad_query(f"Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx): '{text[:60]}'.")


def _key_value(table: Table, kind: str, text: str) -> str | int:
    if kind in ("string", "memo"):
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        raise bad_key(table.name)
    if kind == "lookup" and (row_id := guid(text)):
        return row_id
    if kind in ("int", "choice") and re.fullmatch(r"-?[0-9]{1,10}", text):
        return int(text)
    if kind == "date" and parse_date(text):
        return text
    if kind == "datetime" and (instant := parse_instant(text)):
        return instant_text(instant)
    raise bad_key(table.name)
