"""Paging cookies: where a page ended, in the doubly encoded XML that Dataverse puts into `$skiptoken`. A
cookie names the last row, not a number of rows, so pages stay right while rows are deleted between them. What
is no cookie is refused here; one that was never given, or was changed, is told by storage/tables.py
and refused in pages.py."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape, unescape

from connectors.emulator.errors import WebApiError
from connectors.emulator.request.exchange import Operation
from connectors.emulator.storage import sql

_OUTER = re.compile(r'<cookie pagenumber="([1-9]\d{0,9})" pagingcookie="([^"<>]*)" istracking="False" />')
_LAST, _FIRST = '(?:last="([^"]*)"|lastnull="1")', '(?:first="[^"]*"|firstnull="1")'
_ELEMENT = re.compile(rf"<(\w+) {_LAST} {_FIRST} />")
_INNER = re.compile(rf'<cookie page="([1-9]\d{{0,9}})"(?: countOfRecords="\d+")?>((?:<\w+ {_LAST} {_FIRST} />)+)</cookie>')
_QUOTES = {'"': "&quot;"}


def digest(token: str) -> int:
    """Return a number by which to recognise a cookie again."""
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "big", signed=True)


def encode(page: int, names: Sequence[str], first: Sequence[Any], last: Sequence[Any], records: int | None = None) -> str:
    """Return the cookie for the page after `page`, not yet percent-encoded; the key comes last among the
    names. `records` is how many rows the page had, which pages of an expanded collection state."""
    elements = "".join(
        f"<{name} {_bound('last', end, key=position == len(names) - 1)} {_bound('first', start, key=position == len(names) - 1)} />"
        for position, (name, start, end) in enumerate(zip(names, first, last, strict=True))
    )
    counted = "" if records is None else f' countOfRecords="{records}"'
    inner = quote(f'<cookie page="{page}"{counted}>{elements}</cookie>', safe="_.-~()!*'")
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{lower_escapes(inner)}" istracking="False" />'


def _bound(which: str, value: Any, *, key: bool) -> str:
    if value is None:
        return f'{which}null="1"'
    text = "{" + str(value).upper() + "}" if key else escape(str(value), _QUOTES)
    return f'{which}="{text}"'


def lower_escapes(text: str) -> str:
    """Return percent-encoded text as the platform writes it."""
    return re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), text)


def in_link(token: str) -> str:
    """Return the token percent-encoded once more, as in `@odata.nextLink`."""
    return quote(token, safe="=/")


def next_link(operation: Operation, token: str) -> str:
    """Return the requested address with a token at its end."""
    path, _, query = operation.raw.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith(("$skiptoken=", "%24skiptoken="))]
    return operation.root + path + "?" + "&".join([*kept, "$skiptoken=" + in_link(token)])


def inner_of(token: str) -> str:
    """Return the cookie inside, decoded: what FetchXML takes as `paging-cookie`. Raises WebApiError: 400."""
    outer = _OUTER.fullmatch(token)
    if outer is None:
        raise malformed()
    return unquote(outer.group(2))


def in_annotation(token: str) -> str:
    """Return the cookie as in `fetchxmlpagingcookie`: the cookie inside is percent-encoded twice."""
    return token.replace("%", "%25")


def decode(token: str, names: Sequence[str]) -> tuple[int, list[str | None]]:
    """Return the page number and, for each name, the value that the last page ended with. Raises WebApiError:
    400 when this is not a cookie for this order."""
    page, values = decode_inner(inner_of(token), names)
    return page + 1, values


def decode_inner(text: str, names: Sequence[str]) -> tuple[int, list[str | None]]:
    """Return the page that was given, and for each name the value that it ended with. Raises WebApiError: 400
    when this is not a cookie for this order."""
    inner = _INNER.fullmatch(text)
    if inner is None:
        raise malformed()
    if [name for name, _ in _ELEMENT.findall(inner.group(2))] != list(names):
        raise malformed()
    values: list[str | None] = []
    for position, match in enumerate(_ELEMENT.finditer(inner.group(2))):
        value = match.group(2)
        if value is not None:
            value = value.strip("{}").lower() if position == len(names) - 1 else unescape(value, {"&quot;": '"'})
        values.append(value)
    return int(inner.group(1)), values


def malformed() -> WebApiError:
    return WebApiError(400, "0x80040203", "The paging cookie is malformed or does not belong to this query.")


def after(expressions: Sequence[str], descending: Sequence[bool], last: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the condition that a row comes after the last one, in an order where null is lowest."""
    alternatives: list[str] = []
    bound: list[Any] = []
    equal: list[str] = []
    equal_values: list[Any] = []
    for expression, down, value in zip(expressions, descending, last, strict=True):
        if value is None:
            beyond, beyond_values = ("0", []) if down else (f"{expression} IS NOT NULL", [])
        elif down:
            beyond, beyond_values = f"({expression} < ? OR {expression} IS NULL)", [value]
        else:
            beyond, beyond_values = f"{expression} > ?", [value]
        alternatives.append(sql.every([*equal, beyond]))
        bound += [*equal_values, *beyond_values]
        equal.append(f"{expression} IS ?")
        equal_values.append(value)
    return " OR ".join(f"({text})" for text in alternatives), bound
