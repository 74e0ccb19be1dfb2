"""The console in front of an organisation of the emulator and its store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette

from crm_compliance.console.access.sessions import Sessions
from crm_compliance.console.app import routes
from crm_compliance.console.services import Services
from crm_compliance.console.work.acts import ACTS
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.settings import load_settings
from crm_compliance.wiring import clock_of
from rules.model.roles import Role
from tests.browser.chromium import chromium, is_here
from tests.crm_compliance.console.browser import Browser
from tests.crm_compliance.typist import Typist
from tests.integration.night import Night


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    """A real browser, started once for the tests of a file."""
    if not is_here():
        pytest.skip("no chromium here")
    with chromium() as started:
        yield started


@pytest.fixture
def services(org: Night, typist: Typist) -> Services:
    settings = load_settings()
    sessions = Sessions(org.store.sessions, timedelta(minutes=30), timedelta(hours=10))
    return Services(settings, org.store, clock_of(settings), sessions, carry_out=lambda asked, told: ACTS[asked.act](settings, asked, told))


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
