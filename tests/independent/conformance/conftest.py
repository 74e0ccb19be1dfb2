"""One emulator for all modules, empty at the start of each; clock, faults and switches as they were after a
test that moves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.independent.conformance.served import Crm, Served

Control = Callable[[Any], Any]


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    process = Served("--empty")
    yield process
    process.stop()


@pytest.fixture(scope="module")
def crm(served: Served) -> Iterator[Crm]:
    caller = Crm(served.root)
    caller.control("POST", "reset", {"empty": True})
    yield caller
    caller.http.close()


@pytest.fixture
def clock(crm: Crm) -> Iterator[Control]:
    yield lambda body: crm.control("PUT", "clock", body)
    crm.control("PUT", "clock", {"real": True})


@pytest.fixture
def faults(crm: Crm) -> Iterator[Control]:
    yield lambda rules: crm.control("PUT", "faults", rules)
    crm.control("PUT", "faults", [])


@pytest.fixture
def switches(crm: Crm) -> Iterator[Control]:
    before = crm.control("GET", "switches")
    yield lambda body: crm.control("PUT", "switches", body)
    crm.control("PUT", "switches", before)
