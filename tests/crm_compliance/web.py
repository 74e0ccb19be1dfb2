"""What the service answers, over real HTTP, in a thread of the test."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from starlette.types import ASGIApp

from crm_compliance.service.web.server import GuardedConnection, address_of, server_of


@contextmanager
def serving(
    app: ASGIApp,
    listener: socket.socket,
    *,
    trusted_proxies: Sequence[str] = (),
    connection: type[GuardedConnection] = GuardedConnection,
) -> Iterator[str]:
    """Answer until the block ends; gives the address."""
    ready = threading.Event()
    server = server_of(app, ready=ready.set, trusted_proxies=trusted_proxies, connection=connection)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join(60)
