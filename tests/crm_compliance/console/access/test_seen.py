"""What was on whose screen: of one session, and no more than there is room for."""

from __future__ import annotations

import pytest

from crm_compliance.console.access import seen
from crm_compliance.console.access.seen import Seen


def test_what_one_session_saw_no_other_has_seen() -> None:
    found = Seen()
    found.note("one", "item", "file")
    assert (found.has("one", "item"), found.has("one", "other"), found.has("two", "item")) == (True, False, False)


def test_the_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "KEYS", 2)
    monkeypatch.setattr(seen, "SESSIONS", 2)
    found = Seen()
    for key in ("a", "b", "a", "c"):
        found.note("one", key)
    assert [found.has("one", key) for key in "abc"] == [True, False, True]
    for session in ("two", "one", "three"):
        found.note(session, "a")
    assert [found.has(session, "a") for session in ("one", "two", "three")] == [True, False, True]
