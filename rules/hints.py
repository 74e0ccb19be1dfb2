"""What a person can do next, as a code with facts: for a command the line to type, for a page a button."""

from collections.abc import Mapping
from typing import NamedTuple


class Hint(NamedTuple):
    """A code, and ids and codes that go with it: never personal data."""

    code: str
    facts: Mapping[str, str]


def hint_to(code: str, /, **facts: str) -> Hint:
    """Return a hint. Its words are under the code in crm_compliance/hints.toml, a slot for each fact."""
    return Hint(code, facts)
