"""A page of an OData service of any vendor and version: its rows' ids, the link to the next and the count,
under any of their names.

What is not known is refused, never left out: a link that was not recognised would make the first page look
like the whole set (OData JSON Format 4.01, section 4.5; version 3 writes `odata.nextLink`, 4.01 may write
`@nextLink`)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from connectors.dynamics.http.answers import UNREADABLE

Id = tuple[str, ...]  # the parts of a key

_PREFIXES = ("@odata.", "@", "odata.")
_ADDRESSES = ("id", "editLink", "readLink")
_LONG = 100  # marks of an option of an address that no number has, however it is written


class PageUnreadable(Exception):
    """The page cannot be read; it says what is wrong with it, in our own words."""


@dataclass(frozen=True, slots=True)
class AnyPage:
    """The ids in the order of the rows; `count` and `next_link` are None where the page has none."""

    ids: list[Id]
    next_link: str | None
    count: int | None


def page_of(body: bytes, set_name: str, keys: list[str]) -> AnyPage:
    """Read a page. Without `keys` a row's own address gives its key. Raises PageUnreadable: it is not a page,
    or a row does not give its key."""
    try:
        content = msgspec.json.decode(body)
    except UNREADABLE:
        raise PageUnreadable("it is not valid JSON, or breaks off") from None
    rows = content.get("value") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise PageUnreadable("it holds no list of rows as OData 4 writes it")
    links = [value for name, value in content.items() if name.lower().endswith("nextlink") and value is not None]
    if len(links) > 1 or not all(isinstance(link, str) and link for link in links):
        raise PageUnreadable("its link to the next page is none")
    ids = [_key(row, keys) if keys else _from_address(row, set_name) for row in rows]
    return AnyPage(ids, links[0] if links else None, _count(_annotation(content, "count")))


def is_offset(link: str, rows: int, pages: int) -> bool:
    """Return whether a link seems to count rows or pages instead of naming a row: with such links a row is
    missed when one before it is deleted."""
    numbers = {str(rows), str(pages), str(pages + 1)}
    parts = [part for part in urlsplit(link).query.split("&") if len(part) < _LONG]  # a paging cookie, most of all
    options = [(name.lower().lstrip("$"), value) for name, value in parse_qsl("&".join(parts))]
    return any(name == "skip" or (name != "top" and value in numbers) for name, value in options)


def _annotation(content: dict[str, Any], name: str) -> Any:
    return next((content[prefix + name] for prefix in _PREFIXES if content.get(prefix + name) is not None), None)


def _count(value: Any) -> int | None:
    """Return a number, given as text where the service writes large ones so. Anything else counts as none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _key(row: Any, keys: list[str]) -> Id:
    parts = [row.get(key) for key in keys] if isinstance(row, dict) else [None]
    if not all(isinstance(part, str | int) for part in parts):
        raise PageUnreadable(f"a row has no text or whole number as its key ({', '.join(keys)})")
    return tuple(map(str, parts))


def _from_address(row: Any, set_name: str) -> Id:
    """Return the key in an address: `a` in `People('a')` and `http://host/People('a')/Model.Employee`."""
    address = next((found for name in _ADDRESSES if (found := _annotation(row, name))), None) if isinstance(row, dict) else None
    if not isinstance(address, str):
        raise PageUnreadable(f"neither $metadata nor the rows (@odata.id, @odata.editLink) tell what the key of {set_name} is")
    path = unquote(address)
    _, found, rest = path.rpartition(f"{set_name}(")
    key = rest[: rest.rfind(")")] if found and ")" in rest else ""
    if len(key) > 1 and key[0] == key[-1] == "'":
        key = key[1:-1].replace("''", "'")
    return (key or path,)
