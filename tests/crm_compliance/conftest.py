"""An emulator and somebody who types commands for it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog

from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.host import logs
from tests.browser.chromium import Lent, is_here, lending
from tests.crm_compliance.nights import Applied, Planned, applied, planned
from tests.crm_compliance.worlds import Kept, Worlds
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, reset
from tests.drivers.typist import Typist, organisation_of
from tests.known_definitions import KNOWN


@pytest.fixture(scope="module", autouse=True)
def short_way(without_sockets: None) -> None:
    """Emulators are asked without sockets, but by who asks for `real_http`."""


@pytest.fixture(scope="session")
def ports() -> list[int]:
    """The port at which the emulator of the module before has listened: the next one takes it again, so that
    what was stored for that address goes on."""
    return [0]


@pytest.fixture(scope="module")
def crm_server(ports: list[int]) -> Iterator[RunningEmulator]:
    with ExitStack() as open_until_the_end:
        try:
            started = open_until_the_end.enter_context(running(token=TOKEN, port=ports[0]))
        except OSError:  # somebody else has it now
            started = open_until_the_end.enter_context(running(token=TOKEN))
        ports[0] = urlsplit(started.root).port or 0
        open_until_the_end.enter_context(KNOWN.of(started, TOKEN))
        yield started


@pytest.fixture
def crm(crm_server: RunningEmulator) -> RunningEmulator:
    """An organisation without rows; no faults, no statistics."""
    reset(crm_server)
    return crm_server


@pytest.fixture(scope="module")
def worlds(crm_server: RunningEmulator, tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """What several tests of a module begin with, made once."""
    return Worlds(crm_server, tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="session")
def kept_nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[Any, ...], Kept]]:
    """Where the nights with which many modules begin are kept."""
    return tmp_path_factory.mktemp("nights"), {}


@pytest.fixture
def planned_night(
    request: pytest.FixtureRequest, crm_server: RunningEmulator, kept_nights: tuple[Path, dict[tuple[Any, ...], Kept]]
) -> Planned:
    """A plan of an organisation with one unit of each fate."""
    return Worlds(crm_server, *kept_nights).begin(request, planned)


@pytest.fixture
def applied_night(
    request: pytest.FixtureRequest, crm_server: RunningEmulator, kept_nights: tuple[Path, dict[tuple[Any, ...], Kept]]
) -> Applied:
    """The same, carried out."""
    return Worlds(crm_server, *kept_nights).begin(request, applied)


@pytest.fixture(autouse=True)
def night_first(request: pytest.FixtureRequest) -> None:
    """What a test begins with is there before anything looks at the organisation: the nights here, and the
    fixtures that a module names as its WORLDS."""
    for name in {"planned_night", "applied_night", *getattr(request.module, "WORLDS", ())}.intersection(request.fixturenames):
        request.getfixturevalue(name)


@pytest.fixture(scope="session")
def chromium_to_lend() -> Iterator[Lent]:
    """One browser for all modules of this process."""
    if not is_here():
        pytest.skip("no chromium here")
    with lending() as lent:
        yield lent


@pytest.fixture(scope="module")
def chrome(chromium_to_lend: Lent) -> Iterator[Any]:
    """A real browser."""
    with chromium_to_lend.out() as browser:
        yield browser


@pytest.fixture
def fresh_logs() -> Iterator[None]:
    """Logs as a process finds them that has configured none: on stdout, where no command may leave a line.
    The library's own renderer would draw each error in colours, frame by frame."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers = root.handlers[:]
    root.handlers[:] = [handler for handler in handlers if not isinstance(handler, logs._Libraries)]
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    yield
    root.handlers[:] = handlers
    structlog.configure(**before)


@pytest.fixture
def typist(crm: RunningEmulator, fresh_logs: None, typist_at: Callable[..., Typist]) -> Typist:
    return typist_at(crm.url)


@pytest.fixture
def org(crm: RunningEmulator, typist: Typist) -> Iterator[Night]:
    """The organisation behind the commands, spoken with plain requests, and their store."""
    night = organisation_of(crm, typist)
    yield night
    night.close()
    night.store.close()


@pytest.fixture
def told() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The log lines that were written."""
    before = structlog.get_config()
    stream = io.StringIO()
    logs.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.configure(**before)
