"""The console in front of an organisation of the emulator and its store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
import pytest
from starlette.applications import Starlette

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.configuration.settings import load_settings
from crm_compliance.console.access.sessions import Sessions
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.console.work.act_under_way import Ended, OnCounts, Work
from crm_compliance.console.work.acts import ACTS
from crm_compliance.console.work.process import Asked
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.wiring.clock import clock_of
from rules.decoders import decoder_of
from rules.errors import ComplianceError
from rules.model.roles import Role
from tests.crm_compliance.begun import Begun
from tests.crm_compliance.console.browser import Browser
from tests.crm_compliance.nights import Planned
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist


@pytest.fixture(autouse=True)
def unexpected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """The errors by which acts have ended, ours apart: pages say "something went wrong here" of it, so that a
    test may not notice. One that provokes it takes it out."""
    run, found = Work.run, list[Exception]()

    def watched(work: Work, act: Callable[[], Ended], ended: Callable[[Work], None]) -> None:
        def told() -> Ended:
            try:
                return act()
            except ComplianceError:
                raise
            except Exception as error:
                found.append(error)
                raise

        run(work, told, ended)

    monkeypatch.setattr(Work, "run", watched)
    yield found
    if found:
        raise ExceptionGroup("acts ended by an error that nobody expects", found)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    """Nothing yet."""
    found = Begun(tmp_path_factory.mktemp("begun"))
    yield found
    found.close()


@pytest.fixture
def typist(request: pytest.FixtureRequest, crm: RunningEmulator, typist: Typist) -> Typist:
    """Whoever types; for a test that begins with what its module has begun, in the folder of that."""
    if "begun" in request.fixturenames:
        begun: Begun = request.getfixturevalue("begun")
        begun.put_back(crm, typist)
    return typist


@pytest.fixture
def asking(request: pytest.FixtureRequest, typist: Typist, org: Night, begun: Begun) -> Asking:
    """The request that `compiled` of the module sets up, once."""
    return begun.asking(typist, org, lambda: request.module.compiled(typist, org))


@pytest.fixture
def plan(planned_night: Planned) -> str:
    """The plan of an organisation with one unit of each fate."""
    return planned_night.plan


@pytest.fixture
def units(planned_night: Planned) -> dict[str, str]:
    """The units of that plan, by fate."""
    return planned_night.units


@pytest.fixture
def services(org: Night, typist: Typist) -> Iterator[Services]:
    settings = load_settings()
    sessions = Sessions(org.store.sessions, timedelta(minutes=30), timedelta(hours=10))

    def carry_out(asked: Asked, told: OnCounts) -> Ended:
        heard = decoder_of(Asked).decode(msgspec.json.encode(asked))  # as the process of an act hears it
        return ACTS[asked.act](settings, heard, told)

    made = Services(settings, org.store, clock_of(settings), sessions, carry_out=carry_out)
    made.background.patience_s = 60  # a test waits for an act, however slow the machine is
    yield made
    for thread in threading.enumerate():  # an act that goes on still has its store to end with
        if thread.name.startswith("act-"):
            thread.join(60)
            assert not thread.is_alive(), thread.name


@pytest.fixture
def app(services: Services) -> Starlette:
    return app_of(Downloads(services.store, services.clock), console=routes(services))


@pytest.fixture
def browser(app: Starlette) -> Browser:
    """Nobody is signed in."""
    return Browser(app)


@pytest.fixture
def signed_in(app: Starlette) -> Callable[..., Browser]:
    """A browser of the demo's person of a role."""

    def of(role: Role, language: str = "en") -> Browser:
        return Browser(app, language).sign_in(role)

    return of
