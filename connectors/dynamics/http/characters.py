"""Half characters in JSON: an escape of one half of a surrogate pair is valid JSON (RFC 8259, section 8.2)
and not a character.

A program that cuts a text at a number of UTF-16 units leaves one behind, and a CRM returns it as it was
stored. It is read as the replacement character, as any other program shows it: one such text must not make a
table unreadable for everybody."""

import re
from typing import Final

# A high half with the low one behind it where there is one, or a low half alone.
_SURROGATES: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_ESCAPE_BYTES: Final = len(rb"\ud800")
_REPLACEMENT: Final = rb"\ufffd"


def with_whole_characters(body: bytes) -> bytes:
    """Return the JSON as it came, with each half character replaced by U+FFFD. Costs no more than the length
    of the body."""
    if rb"\ud" not in body and rb"\uD" not in body:
        return body
    return _SURROGATES.sub(_whole, body)


def _whole(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    if _is_escaped(found.string, found.start()):  # a backslash that is told, and letters behind it; what follows them has lost nothing
        return escape[:_ESCAPE_BYTES] + _REPLACEMENT * (found[1] is not None)
    return escape if found[1] is not None else _REPLACEMENT


def _is_escaped(body: bytes, at: int) -> bool:
    """Return whether the backslash at this place belongs to the one before: an odd number precedes it."""
    before = at
    while before and body[before - 1] == 0x5C:
        before -= 1
    return (at - before) % 2 == 1
