"""The client and an outside program at one running emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.drivers.connecting import connect


class Connected(Client):
    """What an outside program sees of the emulator, and the client that is tested against it."""

    connector: DynamicsConnector


C = TypeVar("C", bound=Connected)


@contextmanager
def connected(kind: type[C]) -> Iterator[C]:
    """An emulator that runs as long as the block, with the reference mapping; the client does not sleep."""
    with running() as emulator:
        client = kind(emulator)
        client.connector = connect(
            url=emulator.url,
            tokens=StaticToken("any", emulator.url),
            mapping_text=REFERENCE.read_text("utf-8"),
            mapping_source="t.yaml",
            sleep=lambda _: None,
        )
        yield client
        client.connector.close()
        client.http.close()
