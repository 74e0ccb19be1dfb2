"""How a check of the mapping against the CRM says what it has found."""

from connectors.dynamics.schema.metadata import Attribute
from connectors.interface.errors import Finding


def error(message: str, where: str, code: str, suggestion: str = "") -> Finding:
    """Return a finding that stops every command."""
    return Finding(True, message, where, code, suggestion)


def type_of(attribute: Attribute) -> str:
    """Return the type of a column as a finding names it."""
    return attribute.kind.removesuffix("Type")


def types_of(kinds: frozenset[str]) -> str:
    """Return several types as a finding names them."""
    return " or ".join(sorted(kind.removesuffix("Type") for kind in kinds))
