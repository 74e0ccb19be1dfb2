"""YAML that tests alter: the same text is read once, and the same document written once. Reader and writer
are slow, and a schema is long."""

import io
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_TEXTS: dict[str, str] = {}  # by the document as Python writes it


def read_yaml(source: Path | str) -> Any:
    """The content of a file, or of a text, to be altered at will."""
    return deepcopy(_read(source.read_text("utf-8") if isinstance(source, Path) else source))


@lru_cache(maxsize=64)
def _read(text: str) -> Any:
    return YAML(typ="safe").load(text)


def yaml_text(document: Any) -> str:
    """A document of plain values as YAML."""
    known = repr(document)
    if known not in _TEXTS:
        text = io.StringIO()
        YAML().dump(document, text)
        _TEXTS[known] = text.getvalue()
    return _TEXTS[known]
