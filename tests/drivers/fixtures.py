"""The emulator, and a night on it. A conftest that imports these fixtures offers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.memory.table_cache import Memory
from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.store import SqlStore
from rules.policy.loader import load_policy
from tests.drivers.clock import NOW, Clock
from tests.drivers.night import Night, of_store, witness_of
from tests.drivers.organisation import TOKEN
from tests.known_definitions import KNOWN


@pytest.fixture(scope="module", autouse=True)
def short_way(without_sockets: None) -> None:
    """Emulators are asked without sockets, but by who asks for `real_http`."""


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with running(token=TOKEN, limits=False) as started, KNOWN.of(started, TOKEN):
        yield started


@pytest.fixture
def make_night(emulator: RunningEmulator, tmp_path: Path) -> Iterator[Callable[..., Night]]:
    """Makes nights over one organisation; each has the store of `url`, or its own.

    Their schedule is the shipped one, but for the look of two people at the first run of a category, unless
    `first_look` asks for it.
    """
    opened: list[Night] = []
    shipped = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
    assert "first_run: true" in shipped
    usual = shipped.replace("first_run: true", "first_run: false")

    def make(
        now: datetime | None = None,
        *,
        url: str | None = None,
        policy: Callable[[str], str] = lambda text: text,
        page_size: int = 5000,
        remembering: bool = False,
        first_look: bool = False,
        register: str = "",
        reads: int = 1,
    ) -> Night:
        text = policy(shipped if first_look else usual)
        clock = Clock(now or NOW)
        memory = Memory(tmp_path / "memory", lambda: bytes(32), now=clock) if remembering else None
        where = url or f"sqlite:///{tmp_path / 'state.db'}"
        seen, erased = of_store(tmp_path, where)
        witness = witness_of(seen, tmp_path, clock)
        store = SqlStore.open(where, clock=clock, sealer=Sealing(tmp_path), folder=tmp_path, witness=witness)
        name = register or (erased if url else "erasures.jsonl")
        keys, schedule = KeyRing.open(tmp_path, clock()), load_policy(text, source="test.yaml")
        night = Night(emulator, store, keys, schedule, clock, page_size, memory, reads, name)
        opened.append(night)
        return night

    yield make
    for night in opened:
        night.close()
        night.store.close()


@pytest.fixture
def database_file(tmp_path: Path) -> Callable[[], str]:
    """Returns the URL of a new SQLite file at each call."""
    numbers = count()
    return lambda: f"sqlite:///{tmp_path / f'state-{next(numbers)}.db'}"


@pytest.fixture
def night(make_night: Callable[..., Night]) -> Night:
    return make_night()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the client wanted to sleep; no test sleeps."""
    wanted: list[float] = []
    before = Transport.__init__

    def patched(self: Transport, *args: Any, **more: Any) -> None:
        before(self, *args, **more | {"sleep": wanted.append})

    monkeypatch.setattr(Transport, "__init__", patched)
    return wanted
