"""E-mail addresses as people write them, in one normal form. Source: IDN-12."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_BETWEEN: Final = re.compile(r"[\s;,<>\"]+")


def normal_email(text: str | None) -> str | None:
    """Read an address: trimmed, NFC, in lower case, its domain in ASCII form; None where it is not an
    address. Dots and `+tags` stay: at some providers they tell two people apart."""
    if not text:
        return None
    text = unicodedata.normalize("NFC", text).strip().lower().removeprefix("mailto:")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or any(character.isspace() for character in text):
        return None
    try:
        ascii_domain = domain.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:  # an empty or endless label
        return None
    if not ascii_domain or any(character.isspace() for character in ascii_domain):  # some characters stand for a space in a name of a host
        return None
    return f"{local}@{ascii_domain.lower()}"


def emails_in(text: str | None) -> list[str]:
    """Read every address of a field with several, with or without the names beside them."""
    if not text or "@" not in text:
        return []
    return [address for address in (normal_email(part) for part in _BETWEEN.split(text)) if address is not None]


def addresses(texts: Iterable[str | None]) -> frozenset[str]:
    """Return the addresses of several fields."""
    return frozenset(address for text in texts for address in emails_in(text))
