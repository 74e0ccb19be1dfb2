"""A console whose people sign in elsewhere, and that elsewhere: a sign-in service of the emulator, over
https, in the forms of Entra ID and of AD FS. Everybody is fictitious."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.configuration.settings import Settings
from crm_compliance.console.access.sessions import Sessions
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.store.store import SqlStore
from crm_compliance.wiring.store import store_of
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.clock import Clock

TENANT = "5b1f0c7e-3d0a-4f11-9f8a-000d3ab1c001"
CLIENT = "9d3c1f60-0000-4000-8000-00000000c11e"
SECRET = "zeer geheim"
OID = "5c1d2f60-0000-4000-8000-00000000beef"
ELSEWHERE = "https://org.crm4.dynamics.com/api/data/v9.2/"  # on this machine the demo's people come in, and nobody else
ANNA = {"oid": OID, "roles": ["dpo", "auditor"], "name": "Anna Voorbeeld (fictief)"}
FORMS = pytest.mark.parametrize("form", [TENANT, "adfs"], ids=["entra", "adfs"])


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls") / "ca.pem"


@pytest.fixture(scope="module")
def authority(ca_file: Path) -> Iterator[RunningEmulator]:
    with running(tls=ca_file, token="another") as emulator:
        yield emulator


@dataclass
class Tenant:
    """The console of an organisation whose people sign in elsewhere, and that elsewhere."""

    authority: RunningEmulator
    ca_file: Path
    browser: Browser
    store: SqlStore
    clock: Clock
    settings: Settings
    secret: str = SECRET  # that the authority expects of the application
    tenants: tuple[str, ...] = (TENANT, "adfs")  # of which the authority tells anything

    def knows(self, **person: Any) -> None:
        known = {"tenants": self.tenants, "applications": {CLIENT: {"secret": self.secret}}, "person": person or None}
        answer = requests.put(f"{self.authority.root}/_emulator/authority", json=known, timeout=10, verify=str(self.ca_file))
        answer.raise_for_status()

    def goes_out(self) -> str:
        """The address to which the authority sends the browser back."""
        out = self.browser.get("/signin/entra")
        assert out.status_code == 303, text_of(out.text)
        answer = requests.get(out.headers["Location"], timeout=10, verify=str(self.ca_file), allow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def comes_back(self, address: str) -> Any:
        parts = urlsplit(address)
        return self.browser.get(f"{parts.path}?{parts.query}")


@pytest.fixture
def at(authority: RunningEmulator, ca_file: Path, tmp_path: Path) -> Iterator[Callable[[str], Tenant]]:
    opened: list[SqlStore] = []

    def make(form: str) -> Tenant:
        given = {"crm_url": ELSEWHERE, "data_dir": tmp_path / "data", "crm_client_id": CLIENT, "crm_tenant_id": TENANT}
        given |= {"crm_authority": f"{authority.root}/{form}", "crm_ca_file": ca_file, "crm_client_secret": SECRET}
        settings = Settings.model_validate(given)
        clock = Clock(datetime.now(UTC))
        store = store_of(settings, clock)
        opened.append(store)
        services = Services(settings, store, clock, Sessions(store.sessions, timedelta(minutes=30), timedelta(hours=10)))
        app = app_of(Downloads(store, clock), console=routes(services))
        tenant = Tenant(authority, ca_file, Browser(app), store, clock, settings)
        tenant.knows(**ANNA)
        return tenant

    yield make
    for store in opened:
        store.close()
