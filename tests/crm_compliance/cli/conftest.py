"""What makes the commands of subject requests quicker to test."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.dynamics.metadata import Metadata

COMPARING = ("test_requests_side_by_side", "test_requests_seen_by_others")


@pytest.fixture(autouse=True)
def definitions_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command reads the definitions of the CRM's tables anew, in a third of its time. An answer takes a dozen commands: in a test
    of one the definitions are read by the first command, and are the same for the others. Where requests to the CRM are compared they
    are all sent. That each command reads them is shown by the tests of all other commands."""
    if not request.path.name.startswith("test_requests_") or request.path.stem in COMPARING:
        return
    known: dict[tuple[str, str], dict[str, Any]] = {}
    before = Metadata._get

    def once(self: Metadata, address: str, where: str) -> dict[str, Any]:
        key = (self._transport.environment.url, address)
        if key not in known:
            known[key] = before(self, address, where)
        return known[key]

    monkeypatch.setattr(Metadata, "_get", once)
