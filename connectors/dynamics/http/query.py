"""OData query strings and their quoting (Microsoft Learn, "Filter rows using OData")."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

# The service takes 500 conditions and 32,768 characters; well below both there is room for proxies and for
# slow query plans.
MAX_CONDITIONS = 200
MAX_FILTER_CHARACTERS = 12_000

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def literal(text: str) -> str:
    """Return a string as OData writes it: in single quotes, inner ones doubled. Percent-encoding comes later,
    in `query_string`."""
    return "'" + text.replace("'", "''") + "'"


def guid(text: str) -> str:
    """Return an id in the form that a URL takes, lower case without braces. Raises ValueError: this is not a
    GUID, so it must not come near a query."""
    if _GUID.fullmatch(text):
        return text
    plain = text.strip().strip("{}").lower()
    if not _GUID.fullmatch(plain):
        raise ValueError("an id is not a GUID")
    return plain


def query_string(options: Mapping[str, str]) -> str:
    """Return `$select=…&$filter=…`, percent-encoded; option names stay as they are because the service wants
    the `$` in clear."""
    return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in options.items() if value != "")


# Characters that may stand in a query value as they are (RFC 3986), without & + # which would end or change
# it.
_SAFE = "-._~!$'()*,;:@/?"


def any_of(column: str, ids: Iterable[str]) -> Iterator[str]:
    """Yield `$filter` values that together name each id once, each short enough for a URL."""
    conditions: list[str] = []
    length = 0
    for value in dict.fromkeys(guid(one) for one in ids):
        condition = f"{column} eq {value}"
        cost = len(condition) + 12  # " or " with its blanks encoded, and some margin
        if conditions and (len(conditions) == MAX_CONDITIONS or length + cost > MAX_FILTER_CHARACTERS):
            yield " or ".join(conditions)
            conditions, length = [], 0
        conditions.append(condition)
        length += cost
    if conditions:
        yield " or ".join(conditions)


def select(columns: Sequence[str]) -> str:
    """Return the value of `$select`, in a fixed order so that the same question is the same URL."""
    return ",".join(sorted(set(columns)))
