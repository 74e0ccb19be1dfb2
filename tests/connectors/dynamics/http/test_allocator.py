"""What is told to the C library, where it can be told anything."""

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.dynamics.http.allocator import ARENAS, KEPT, LARGEST, give_back, keep_freed


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> Any:
    keep_freed.cache_clear()
    yield
    monkeypatch.undo()
    keep_freed.cache_clear()


def test_freed_memory_is_kept_as_far_as_said(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=lambda *given: told.append(given)))
    keep_freed()
    keep_freed()
    assert told == [(-3, LARGEST), (-1, KEPT), (-8, ARENAS)]


def test_what_was_kept_is_given_back_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=told.append))
    give_back()
    assert told == [0]


def _no_library(_: object) -> None:
    raise OSError


@pytest.mark.parametrize("library", [lambda _: SimpleNamespace(), _no_library], ids=["another one", "none"])
def test_another_c_library_does_as_before(monkeypatch: pytest.MonkeyPatch, library: Any) -> None:
    monkeypatch.setattr(ctypes, "CDLL", library)
    keep_freed()
    give_back()
