"""The console as it is served, for a real browser: over HTTP, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from crm_compliance.service.web.server import address_of, listening, server_of


@contextmanager
def live(app: ASGIApp) -> Iterator[str]:
    """Serve until the block ends; yield the address."""
    ready = threading.Event()
    with listening(0) as listener:
        server = server_of(app, ready=ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert ready.wait(20)
        try:
            yield address_of(listener)
        finally:
            server.should_exit = True
            thread.join(20)
