"""The Dynamics connector keeps to the contract: against the emulator, and against a real test environment
where one is named.

`CRM_COMPLIANCE_TEST_URL` names its Web API root; the other settings (application, certificate, mapping) are
those of the product, with the same prefix: `CRM_COMPLIANCE_TEST_CRM_CLIENT_ID` and so on. Use an environment
in which nothing is lost if a test fails half-way.
"""

import os
from collections.abc import Iterator
from datetime import date

import pytest

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import SeedSpec, running
from connectors.interface.connector import Connector
from crm_compliance.configuration.settings import PREFIX, TEST_PREFIX, load_settings
from crm_compliance.wiring.crm import connector_of
from tests.connectors.contract.suite import ConnectorContract
from tests.drivers.connecting import connect

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

REAL = os.environ.get(f"{TEST_PREFIX}URL", "")


@pytest.fixture(scope="module", params=["online", "onprem"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with running(seed=SeedSpec(20, 3, date(2026, 11, 25)), profile=request.param) as emulator:
        yield emulator.url


class TestAgainstTheEmulator(ConnectorContract):
    """A small page and a small batch, so that what is many elsewhere is many here."""

    @pytest.fixture
    def connector(self, url: str) -> Iterator[Connector]:
        text = REFERENCE.read_text("utf-8")
        with connect(url=url, tokens=StaticToken("t", url), mapping_text=text, mapping_source="m.yaml", page_size=7) as connector:
            yield connector


if REAL:

    class TestAgainstARealEnvironment(ConnectorContract):
        @pytest.fixture
        def connector(self) -> Iterator[Connector]:
            others = {name: value for name, value in os.environ.items() if name.startswith(TEST_PREFIX) and name != f"{TEST_PREFIX}URL"}
            settings = {PREFIX + name.removeprefix(TEST_PREFIX): value for name, value in others.items()} | {f"{PREFIX}CRM_URL": REAL}
            with connector_of(load_settings(environ=settings)) as connector:
                yield connector

else:

    @pytest.mark.skip(reason="no real test environment is named (CRM_COMPLIANCE_TEST_URL)")
    def test_a_real_environment_keeps_to_the_contract() -> None: ...
