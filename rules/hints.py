"""What a person can do next, as a code with facts: a command turns it into the line to type, a page into a
button."""

from collections.abc import Mapping
from typing import NamedTuple


class Hint(NamedTuple):
    """A code, and ids and codes that go with it: never personal data."""

    code: str
    facts: Mapping[str, str]


def hint_to(code: str, /, **facts: str) -> Hint:
    return Hint(code, facts)
