"""The emulator over https with limits off, and Microsoft's Python client signed in to it through its token
endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.config import DataverseConfig

from connectors.emulator.serving.server import RunningEmulator, running

TENANT = "3a000000-0000-4000-8000-00000000000a"
APPLICATION = "3a000000-0000-4000-8000-00000000000b"


class Credential:
    """What azure-identity's ClientSecretCredential does, without the network check of the authority's
    name."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.scopes: list[str] = []

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, enable_cae: bool = False, **options: Any
    ) -> AccessToken:
        self.scopes += scopes
        form = {"grant_type": "client_credentials", "client_id": APPLICATION, "client_secret": "fictitious", "scope": " ".join(scopes)}
        answer = requests.post(f"{self.root}/{TENANT}/oauth2/v2.0/token", data=form, timeout=10)
        answer.raise_for_status()
        document = answer.json()
        return AccessToken(document["access_token"], int(time.time()) + int(document["expires_in"]))


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clients") / "CA.pem"


@pytest.fixture(scope="session")
def https_emulator(authority_file: Path) -> Iterator[RunningEmulator]:
    with running(tls=authority_file, token="another than the client's") as emulator:
        yield emulator


@pytest.fixture
def control(https_emulator: RunningEmulator, authority_file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, Any], Any]:
    """`/_emulator/` of an emptied organisation, which requests trusts from here on."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority_file))

    def send(method: str, name: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{https_emulator.root}/_emulator/{name}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    send("PUT", "clock", {"real": True})
    send("POST", "reset", {"empty": True})
    send("PUT", "limits", {"on": False, "requests": 6000, "execution_s": 1200, "concurrent": 52, "window_s": 300})
    return send


@pytest.fixture
def credential(https_emulator: RunningEmulator, control: object) -> Credential:
    return Credential(https_emulator.root)


@pytest.fixture
def dataverse(https_emulator: RunningEmulator, credential: Credential) -> Iterator[DataverseClient]:
    with DataverseClient(https_emulator.root, credential, DataverseConfig(http_retries=1)) as client:
        yield client
