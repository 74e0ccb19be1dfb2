"""What others do at the same instant."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest


def between(monkeypatch: pytest.MonkeyPatch, name: str, meanwhile: Callable[[], object]) -> None:
    """Have something happen, once, after a function has read what it goes by."""
    module, _, function = name.rpartition(".")
    asked, waits = getattr(import_module(module), function), [meanwhile]

    def then(*given: Any, **named: Any) -> Any:
        found = asked(*given, **named)
        if waits:
            waits.pop()()
        return found

    monkeypatch.setattr(name, then)
