"""What happens in an emulator by its clock, rights, history and switches, and with drawn input, other
organisations, seeds and state files. How requests and answers look: tests/independent/conformance.

One emulator for all tests of a module, emptied before each and asked without sockets. Over HTTP go modules
and tests whose subject a connection may change, and what conformance does not ask for: organisations of other
files and documents in SharePoint. They ask for `real_http`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.emulator.conditions.limits import Allowance
from connectors.emulator.conditions.switches import Switches
from connectors.emulator.serving.server import RunningEmulator, running
from tests.connectors.emulator.client import JUNE, Caller, Client, organisation

DEFAULTS = Switches().document()


@pytest.fixture(scope="module", autouse=True)
def short_way(without_sockets: None) -> None:
    """Emulators are asked without sockets, but by who asks for `real_http`."""


@pytest.fixture(scope="module")
def running_emulator() -> Iterator[RunningEmulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def crm(running_emulator: RunningEmulator) -> Iterator[Client]:
    client, served = Client(running_emulator), running_emulator.emulator
    served.clock.real()
    with served.tables.lock:
        served.switches.set(DEFAULTS)
    served.limits.allowance = Allowance()
    served.limits.enabled = False
    client.control("POST", "reset", {"empty": True})
    yield client
    client.http.close()


@pytest.fixture(scope="module")
def of_the_module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with organisation(request.module.ENVIRONMENT, tmp_path_factory.mktemp("environment")) as client:
        yield client


@pytest.fixture
def admin(of_the_module: Client) -> Client:
    """Whoever may do everything where the tables are those that the module describes, without a row yet."""
    of_the_module.control("POST", "reset", {"empty": True})
    return of_the_module


@pytest.fixture
def caller(crm: Client) -> Caller:
    """An application with exactly the given privileges."""

    def signed_in(privileges: dict[str, str | None]) -> Client:
        return crm.application("proef", privileges)

    return signed_in


@pytest.fixture
def jobs(crm: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Jobs wait and run for ten seconds each by a clock that stands on a day in June: only what a test adds
    to it brings them along, however slow the machine and whatever the day."""
    monkeypatch.setattr(crm.emulator.emulator.clock, "_ticks", lambda: JUNE.timestamp())
    crm.switch(bulk_delete_queue_s=10, bulk_delete_run_s=10)
    return crm
