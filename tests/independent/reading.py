"""How days and categories are written in the CRM, and what stands in a file that somebody made."""

import zipfile
from pathlib import Path
from typing import Any

BASE = 100_000_000
CATEGORIES = {
    "social_card": 0,
    "e_safety": 1,
    "civil_party": 2,
    "child_prostitution": 10,
    "grooming": 21,
    "sexting": 22,
    "runaway": 30,
    "unexplained_disappearance": 33,
    "csam_report": 50,
}


def instant(day: str) -> str:
    return day if "T" in day else f"{day}T11:00:00Z"


def numbers(categories: str) -> str:
    return ",".join(str(BASE + CATEGORIES[name]) for name in categories.split("+"))


def found_in(document: Any, key: str) -> list[dict[str, Any]]:
    """All objects with that key, anywhere in a document."""
    if isinstance(document, dict):
        own = [document] if key in document else []
        return own + [x for value in document.values() for x in found_in(value, key)]
    return [x for value in document for x in found_in(value, key)] if isinstance(document, list) else []


def opened(path: Path) -> list[bytes]:
    """The bytes of a file, and of what is packed inside it."""
    texts = [path.read_bytes()]
    if path.suffix in (".zip", ".xlsx") and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            texts += [archive.read(name) for name in archive.namelist()]
    return texts
