"""What was read a moment ago is kept for minutes, and within its room."""

import pytest

from crm_compliance.console.frame import file_cache
from crm_compliance.console.frame.file_cache import LASTS_S, FileCache


def test_it_ends_with_its_time() -> None:
    now = [0.0]
    found = FileCache(lambda: now[0])
    found.put(("package", "1"), {"letter.pdf": b"%PDF"})
    now[0] = LASTS_S
    assert found.get(("package", "1")) == {"letter.pdf": b"%PDF"}
    now[0] = LASTS_S + 1
    assert found.get(("package", "1")) is None


def test_the_oldest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_cache, "MOST_BYTES", 10)
    found = FileCache()
    for name in ("1", "2", "3"):
        found.put((name,), {"file": b"12345"})
    assert [found.get((name,)) is not None for name in ("1", "2", "3")] == [False, True, True]
    found.put(("large",), {"file": bytes(11)})
    assert found.get(("large",)) is None, "what has no room is not kept"
