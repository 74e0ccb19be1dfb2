"""What the service answers over HTTP: downloads of released packages, and whether it is up.

It listens on this machine; a reverse proxy in front of it speaks TLS. Addresses hold tokens, so nothing logs them.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from crm_compliance.downloads import Downloads
from rules.errors import ComplianceError, UsageError

HOST: Final = "127.0.0.1"
FILE_NAME: Final = "package.zip"
CHUNK: Final = 64 * 1024
TRIES: Final = 60  # of one client in a minute; a token cannot be guessed, but nobody needs more
MINUTE_S: Final = 60.0
READY_S: Final = 10.0
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
log = structlog.get_logger()


def app_of(downloads: Downloads, *, now: Callable[[], float] = monotonic) -> Starlette:
    """The whole of what is served."""
    rate = Rate(now)

    async def download(request: Request) -> Response:
        if not rate.allows(request.client.host if request.client else ""):
            return PlainTextResponse("too many tries\n", status_code=429, headers=HEADERS | {"Retry-After": "60"})
        token = request.path_params["token"]
        if request.method == "HEAD":
            size = await asyncio.to_thread(downloads.look_up, token)
            return _not_found() if size is None else Response(headers=_file_headers(size), media_type="application/zip")
        return Download(downloads, token)

    async def health(request: Request) -> Response:
        return JSONResponse({"ok": True}, headers=HEADERS)

    async def nowhere(request: Request, error: Exception) -> Response:
        return _not_found()

    routes = [Route("/d/{token}", download, methods=["GET", "HEAD"]), Route("/healthz", health, methods=["GET", "HEAD"])]
    return Starlette(routes=routes, exception_handlers={404: nowhere})


def _not_found() -> Response:
    return PlainTextResponse("not found\n", status_code=404, headers=HEADERS)


def _file_headers(size: int) -> dict[str, str]:
    return HEADERS | {"Content-Disposition": f'attachment; filename="{FILE_NAME}"', "Content-Length": str(size)}


class Download(Response):
    """A package on its way. The receipt is written before the last piece leaves: whoever has the whole file has been counted, and whoever
    was cut off before that has not."""

    def __init__(self, downloads: Downloads, token: str) -> None:
        super().__init__()
        self._downloads = downloads
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held = self._downloads.taken(self._token)
        taken = await asyncio.to_thread(held.__enter__)
        gone = asyncio.create_task(_cut_off(receive))
        try:
            if taken is None:
                await _not_found()(scope, receive, send)
                return
            content = taken.content
            start = Response(headers=_file_headers(len(content)), media_type="application/zip")
            await send({"type": "http.response.start", "status": 200, "headers": start.raw_headers})
            for at in range(0, len(content), CHUNK):
                if gone.done():
                    return
                is_last = at + CHUNK >= len(content)
                if is_last:
                    await asyncio.to_thread(self._downloads.receipt, taken)
                await send({"type": "http.response.body", "body": content[at : at + CHUNK], "more_body": not is_last})
        except ComplianceError as error:  # the file stays short of its length: the client sees that it is not whole
            log.warning("download broken off", code=error.code, request=error.where)
        finally:
            gone.cancel()
            await asyncio.to_thread(held.__exit__, None, None, None)


async def _cut_off(receive: Receive) -> None:
    """End when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Rate:
    """How often each client has tried in the last minute."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._tries: dict[str, deque[float]] = {}

    def allows(self, client: str) -> bool:
        """Count one try, and say whether it is within the limit."""
        now = self._now()
        for other in [key for key, times in self._tries.items() if now - times[-1] > MINUTE_S]:
            del self._tries[other]
        times = self._tries.setdefault(client, deque(maxlen=TRIES))
        if len(times) == TRIES and now - times[0] <= MINUTE_S:
            return False
        times.append(now)
        return True


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Take the port, before anything else of the service starts.

    Raises:
        UsageError: somebody else has it.
    """
    try:
        listener = socket.create_server((HOST, port))
    except OSError:
        raise UsageError(
            f"port {port} is taken or not allowed", hint="serve --port N; 0 takes a free one", where=f"{HOST}:{port}"
        ) from None
    with listener:
        yield listener


@contextmanager
def serving(app: Starlette, listener: socket.socket) -> Iterator[str]:
    """Answer in the background until the block ends; gives the address.

    Raises:
        UsageError: it does not come up.
    """
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, date_header=True, lifespan="off", ws="none")
    logging.getLogger("uvicorn.access").disabled = True  # without it a handler that somebody else attaches would write addresses
    server = uvicorn.Server(config)
    thread = threading.Thread(target=partial(server.run, sockets=[listener]), name="web", daemon=True)
    thread.start()
    begun = monotonic()
    while not server.started:
        if not thread.is_alive() or monotonic() - begun > READY_S:
            raise UsageError("the service does not answer on its port", hint="serve --port N", where=HOST)
        thread.join(0.01)
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(READY_S)
