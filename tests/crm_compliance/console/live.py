"""The console as it is served, for a real browser: over HTTP, in a thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from crm_compliance.service.web.server import listening
from tests.crm_compliance.web import serving


@contextmanager
def live(app: ASGIApp) -> Iterator[str]:
    """Serve until the block ends; yield the address."""
    with listening(0) as listener, serving(app, listener) as address:
        yield address
