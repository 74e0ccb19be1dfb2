"""What the service answers over HTTP: downloads of released packages, whether it is well, and its figures.
Whoever tries too many links that lead nowhere is answered no more. It listens on this machine; a reverse
proxy in front of it speaks TLS, and whether one is believed about its clients is set in server.py. Addresses
hold tokens, so nothing logs them."""

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from string import ascii_letters, digits
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_compliance.console.access.failed_tries import FailedTries
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.service.web.server import HEADERS
from rules.errors import ComplianceError

FILE_NAME: Final = "package.zip"
CHUNK: Final = 64 * 1024
TRIES: Final = 60  # of one client in a minute that lead to nothing
TEXT_OF_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"  # the text format of Prometheus
NO_MORE_THAN_HOST: Final = frozenset(f"{ascii_letters}{digits}-.:[]")  # with a port; what else an address may have is not a host
# Whoever holds a link that has ended is a person, who is told in the languages of letters; whatever is wrong
# with it, in the same words.
NOTHING_HERE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>404</title>
<p lang="nl">Deze link werkt niet, of niet meer. Laat het weten aan wie hem bezorgde, en vermeld het nummer uit het bericht.</p>
<p lang="fr">Ce lien ne fonctionne pas, ou plus. Dites-le à qui vous l’a transmis, en indiquant le numéro qui figure dans le message.</p>
<p lang="de">Dieser Link funktioniert nicht oder nicht mehr. Wenden Sie sich mit der Nummer aus der Nachricht an den Absender.</p>
<p lang="en">This link does not work, or no longer. Tell whoever gave it to you, with the number in the message.</p>
</html>
"""
NOT_NOW: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>503</title>
<p lang="nl">Dit lukt nu even niet. Probeer het over een paar minuten opnieuw.</p>
<p lang="fr">Cela ne fonctionne pas pour le moment. Réessayez dans quelques minutes.</p>
<p lang="de">Das geht gerade nicht. Versuchen Sie es in einigen Minuten noch einmal.</p>
<p lang="en">This does not work at this moment. Try again in a few minutes.</p>
</html>
"""
THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
log = structlog.get_logger()


def app_of(
    downloads: Downloads,
    *,
    hosts: Collection[str] = THIS_MACHINE,
    why_not: Callable[[], Collection[str]] = tuple,
    metrics: Callable[[], bytes] | None = None,
    metrics_token: str = "",
    console: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the whole application that is served to anybody who asks for it by one of these hosts. `why_not`
    gives the codes of what is not well; `metrics` the figures, for this machine alone or for whoever has
    `metrics_token`; `console` are the pages, which guard themselves."""
    failures = FailedTries(monotonic, TRIES, "link")

    async def download(request: Request) -> Response:
        token = request.path_params["token"]
        size = await asyncio.to_thread(downloads.look_up, token)
        if size is None:  # whoever holds a link is never refused for what others try
            allowed = failures.allows(request.client.host if request.client else "")
            return _not_found() if allowed else PlainTextResponse("too many tries\n", status_code=429, headers={"Retry-After": "60"})
        if request.method == "HEAD":
            return Response(headers=_file_headers(size), media_type="application/zip")
        return Download(downloads, token)

    async def torn(request: Request) -> Response:
        return _not_found()  # of a link that a mail program has broken in two, or put something behind

    async def health(request: Request) -> Response:
        why = list(await asyncio.to_thread(why_not))
        return JSONResponse({"ok": False, "why": why}, status_code=503) if why else JSONResponse({"ok": True})

    async def figures(request: Request) -> Response:
        if metrics is None or not (_has(request, metrics_token) if metrics_token else _is_of_this_machine(request)):
            return _not_found()
        return Response(await asyncio.to_thread(metrics), media_type=TEXT_OF_METRICS)

    async def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            return PlainTextResponse("only reading is possible\n", status_code=405, headers=error.headers)
        return _not_found()

    async def not_now(request: Request, error: Exception) -> Response:
        log.error("an answer failed", exc_info=error)
        return HTMLResponse(NOT_NOW, status_code=503, headers={"Retry-After": "60"})

    own = (("/d/{token}", download), ("/d/{rest:path}", torn), ("/healthz", health), ("/metrics", figures))
    routes = [*(Route(path, answer, methods=["GET", "HEAD"]) for path, answer in own), *console]
    made = Starlette(
        routes=routes, exception_handlers={HTTPException: refused, ComplianceError: not_now}, middleware=[Middleware(Guarded, hosts=hosts)]
    )
    made.router.redirect_slashes = False  # a redirect would go to whatever host the request named
    return made


def hosts_of(public_url: str) -> frozenset[str]:
    """Return the names under which the service may be addressed: this machine's, and the public one."""
    return THIS_MACHINE | {(urlsplit(public_url).hostname or "").lower()}


class Guarded:
    """Puts the guarding headers on every answer, that to a failure of ours too, and answers nobody who asks
    for another host."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_begun = False

        async def guarded(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                lacking = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items() if name.lower().encode() not in given]
                message = {**message, "headers": [*message["headers"], *lacking]}
            await send(message)

        if _host(scope) not in self._hosts:
            await PlainTextResponse("this host is not served here\n", status_code=421)(scope, receive, guarded)
            return
        # Nothing of ours has such an address, and PostgreSQL takes no such text.
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await _not_found()(scope, receive, guarded)
            return
        try:
            await self._app(scope, receive, guarded)
        except Exception as error:  # whatever it says may name a person: neither an answer nor a log repeats it
            if is_begun:
                raise
            log.error("an answer failed", exc_info=error)
            await PlainTextResponse("something went wrong here\n", status_code=500)(scope, receive, guarded)


def _host(scope: Scope) -> str:
    """Return the host that a request names, without port; empty if it names none, or an invalid one."""
    named = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    if not NO_MORE_THAN_HOST.issuperset(named):
        return ""
    try:
        return urlsplit(f"//{named}").hostname or ""
    except ValueError:
        return ""


def _has(request: Request, token: str) -> bool:
    """Return whether a request carries the token; how long that takes to tell says nothing of it."""
    sent = request.headers.get("Authorization", "").encode("latin-1")  # the bytes that came
    return secrets.compare_digest(sent, f"Bearer {token}".encode())


def _is_of_this_machine(request: Request) -> bool:
    """Return whether a program on this machine asks for itself: not a proxy for somebody else."""
    client = request.client.host if request.client else ""
    is_passed_on = any(name in ("forwarded", "via", "x-real-ip") or name.startswith("x-forwarded-") for name in request.headers)
    return client in ("127.0.0.1", "::1") and _host(request.scope) in THIS_MACHINE and not is_passed_on


def _not_found() -> Response:
    return HTMLResponse(NOTHING_HERE, status_code=404)


def _file_headers(size: int) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{FILE_NAME}"', "Content-Length": str(size)}


class Download(Response):
    """A package being sent. The receipt is written before the last piece is sent: a client that has the whole
    file has been counted, and a client that was cut off before that has not."""

    def __init__(self, downloads: Downloads, token: str) -> None:
        super().__init__()
        self._downloads, self._token = downloads, token

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
    """Wait until the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
