"""Mappings that somebody has edited, and the mistakes in them."""

import pytest

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from rules.errors import MappingError

TEXT = REFERENCE.read_text("utf-8")


def edited(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1, old
    return TEXT.replace(old, new, 1)


def line_of(text: str, wanted: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if wanted in line)


def mistakes(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, "mine.yaml")
    assert caught.value.exit_code == 3
    head, *lines = str(caught.value).splitlines()
    assert "mistake" in head
    assert caught.value.where == lines[0].split(": ", 1)[0].strip()
    return [line.strip() for line in lines]
