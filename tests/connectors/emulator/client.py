"""The driver of the emulator's own tests: the Web API of an emulator of this process, and what it has beside
that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import requests

from connectors.emulator.serving.server import RunningEmulator, running
from tests.web_api import WebApi

JUNE = datetime(2026, 6, 15, 11, tzinfo=UTC)  # where the clock stands, for what comes along by the clock


def stand_still(emulator: RunningEmulator) -> None:
    """Let the emulator's clock go on by what a test adds to it, and by a microsecond at each look."""
    clock = emulator.emulator.clock
    looks = count(clock._ticks(), 1e-6)
    clock._ticks = lambda: next(looks)


class Client(WebApi):
    """The Web API of one running emulator."""

    def __init__(self, emulator: RunningEmulator, token: str = "any") -> None:
        super().__init__(emulator.url, token)
        self.emulator = emulator

    def contact(self, **columns: Any) -> str:
        return self.create("contacts", **{"firstname": "Voorbeeld", "lastname": "Peeters (fictief)", **columns})

    def dossier(self, **columns: Any) -> str:
        return self.create("cf_dossiers", **{"cf_name": "D-1", **columns})

    def fiche(self, dossier: str | None = None, **columns: Any) -> str:
        bound = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"} if dossier else {}
        return self.create("cf_fiches", **{"cf_name": "F-1", **bound, **columns})

    def switch(self, **switches: Any) -> None:
        """Set switches; the fixture `crm` puts them back."""
        self.control("PUT", "switches", switches)

    def application(self, client_id: str, privileges: dict[str, Any] | None = None) -> Client:
        """Another application, signed in: System Administrator as every new one, or with exactly these
        privileges and their depths."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "verzonnen", "scope": "x/.default"}
        token = requests.post(f"{self.root}/tenant/oauth2/v2.0/token", data=form, timeout=30).json()["access_token"]
        if privileges is not None:
            self.control("PUT", "privileges", {"user": client_id, "set": privileges})
        return Client(self.emulator, token)

    def faults(self, *rules: dict[str, Any]) -> None:
        self.control("PUT", "faults", list(rules))


Caller = Callable[[dict[str, str | None]], Client]  # given privileges and their depths


@contextmanager
def organisation(environment: str, directory: Path) -> Iterator[Client]:
    """An emulator of its own, with the environment of this YAML."""
    path = directory / "environment.yaml"
    path.write_text(environment, encoding="utf-8")
    with running(environment=path) as emulator:
        client = Client(emulator)
        yield client
        client.http.close()
