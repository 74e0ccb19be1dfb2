"""A CRM that answers what a test tells it; a module whose CRM is an organisation has a fixture of its own."""

from collections.abc import Iterator

import pytest
import responses

from tests.connectors.dynamics.fake_crm import FakeCrm


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield FakeCrm(mock)
