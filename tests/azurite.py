"""A real blob service for tests: azurite, where npm could install it. A conftest that imports these fixtures
offers them."""

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

HERE = Path(__file__).parent / "connectors" / "storage" / "azurite"
MAIN = HERE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # azurite's own, in its manual
READY = "successfully listens on "


@pytest.fixture(scope="session")
def blob_service() -> Iterator[str]:
    """The connection string of a running azurite."""
    node = shutil.which("node")
    if node is None or not MAIN.exists():
        pytest.skip("azurite is not installed: `make node` needs npm and its registry")
    started = subprocess.Popen(
        [node, str(MAIN), "--inMemoryPersistence", "--blobPort", "0", "--skipApiVersionCheck", "--disableTelemetry", "--silent"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert started.stdout is not None
        url = next((line.partition(READY)[2].strip() for line in started.stdout if READY in line), "")
        assert url, "azurite did not start"
        yield f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={url}/{ACCOUNT};"
    finally:
        started.terminate()
        started.communicate(timeout=20)


@pytest.fixture
def service(blob_service: str) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(blob_service) as client:
        yield client


@pytest.fixture
def container(service: BlobServiceClient) -> str:
    """The name of an empty container of this test's own."""
    name = f"recordings-{uuid.uuid4().hex}"
    service.create_container(name)
    return name
