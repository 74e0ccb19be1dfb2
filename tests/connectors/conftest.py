"""An emulator over TLS, for tests of the client and of the emulator itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.emulator.serving.server import RunningEmulator, running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls") / "CA.pem"


@pytest.fixture(scope="module")
def over_tls(authority: Path) -> Iterator[RunningEmulator]:
    with running(tls=authority) as emulator:
        yield emulator
