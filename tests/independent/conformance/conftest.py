"""How requests and answers look, by the sections of the wire reference: asked from outside, of an emulator in
another process, by tests that import nothing of it. What happens by the emulator's clock, rights, history and
switches is proved by tests/connectors/emulator.

One emulator for all modules, empty at the start of each; clock, faults and switches as they were after a test
that moves them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.independent.conformance.served import Served
from tests.web_api import WebApi

Control = Callable[[Any], Any]


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    process = Served("--empty")
    yield process
    process.stop()


@pytest.fixture(scope="module")
def crm(served: Served) -> Iterator[WebApi]:
    caller = WebApi(served.url)
    caller.control("POST", "reset", {"empty": True})
    yield caller
    caller.http.close()


@pytest.fixture
def clock(crm: WebApi) -> Iterator[Control]:
    yield lambda body: crm.control("PUT", "clock", body)
    crm.control("PUT", "clock", {"real": True})


@pytest.fixture
def faults(crm: WebApi) -> Iterator[Control]:
    yield lambda rules: crm.control("PUT", "faults", rules)
    crm.control("PUT", "faults", [])


@pytest.fixture
def switches(crm: WebApi) -> Iterator[Control]:
    before = crm.control("GET", "switches")
    yield lambda body: crm.control("PUT", "switches", body)
    crm.control("PUT", "switches", before)
