"""The routes of the console: each page behind a check that the person is signed in and has the permission."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, compile_path

from crm_compliance.console.access import cookies, origin
from crm_compliance.console.access.answered_forms import ANSWER
from crm_compliance.console.access.failed_tries import FailedTries
from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.access.sent_forms import Forms, Sent, answered_once
from crm_compliance.console.access.sessions import form_token
from crm_compliance.console.api.answers import ROOT as API
from crm_compliance.console.api.app import api_of
from crm_compliance.console.frame.endpoint import Endpoint
from crm_compliance.console.frame.errors import CONFLICT, UNREACHABLE, nothing_here, refused, status_of
from crm_compliance.console.frame.services import Services
from crm_compliance.console.frame.visit import AFRESH, UNSENT, Visit, local_path, without
from crm_compliance.console.layout import assets
from crm_compliance.console.pages import preferences, signin
from crm_compliance.console.pages.rooms import ENDPOINTS
from rules.errors import ComplianceError, Refused, UsageError
from rules.model.roles import HUMAN_ROLES

PAGES: Final = 4  # at once: each of forty that shared the interpreter would take as long as all of them
SIGN_INS: Final = 10  # of one client in a minute
FIELDS: Final = 2_000  # of one form
# Whoever is answered while they send sees a connection that breaks, or through some proxies half a page. What
# a proxy lets through (docs/reverse-proxy.md) is taken in before it is refused, and not kept.
TAKEN_IN: Final = 8 * 1024 * 1024
INSIDE: Final = (*ENDPOINTS, *preferences.INSIDE, *signin.INSIDE)
OUTSIDE: Final = (*signin.OUTSIDE, *preferences.OUTSIDE)
PAGES_THEMSELVES: Final = frozenset(each.path for each in INSIDE if each.method == "GET")
FORMS_ALONE: Final = [compile_path(each.path)[0] for each in INSIDE if each.method == "POST" and each.path not in PAGES_THEMSELVES]
PAGES_WITH_FORMS: Final = [(compile_path(each.path)[0], each) for each in INSIDE if each.method == "GET" and not each.is_long]
KEPT_HEADER: Final = "X-Form-Kept"  # tells the script of a page that nothing typed is lost when it leaves
KEPT_AFTER: Final = frozenset({400, CONFLICT, UNREACHABLE})  # a form that was refused so is corrected, or sent later or elsewhere
KEPT: Final = frozenset(each.path for each in ENDPOINTS)  # whose forms wait for a new session: not those of the menu
log = structlog.get_logger()


def routes(services: Services, *, now: Callable[[], float] = monotonic) -> Sequence[BaseRoute]:
    """Return the routes of the console; none of them is one of the service's own."""
    tries, turns, forms = FailedTries(now, SIGN_INS, "sign-in"), CapacityLimiter(PAGES), Forms(services.store.sent_forms)
    inside = [Route(each.path, _door(services, each, turns, forms), methods=_methods(each)) for each in INSIDE]
    outside = [Route(each.path, _porch(services, each, tries), methods=_methods(each)) for each in OUTSIDE]
    calls = Mount(API, app=api_of(services, now=now))
    calls.path_regex = re.compile(calls.path_regex.pattern, re.DOTALL)  # a line end in an id is an id that there is not
    rest = Route("/{path:path}", _rest(services), methods=["GET", "HEAD"])
    return [Route("/static/{path:path}", assets.answer, methods=["GET", "HEAD"]), *outside, *inside, calls, rest]


def _methods(endpoint: Endpoint) -> list[str]:
    return ["GET", "HEAD"] if endpoint.method == "GET" else [endpoint.method]


Handler = Callable[[Request], Awaitable[Response]]


def _door(services: Services, endpoint: Endpoint, turns: CapacityLimiter, forms: Forms) -> Handler:
    """Let in people who are signed in and permitted; a form comes from one of our pages, with the session's
    token. Pages take turns, first come, first served; a form that is sent again waits for the first."""

    async def handle(request: Request) -> Response:
        if endpoint.method != "POST":
            return await to_thread.run_sync(_looked, services, request, endpoint, limiter=None if endpoint.is_long else turns)
        try:
            visit = await run_in_threadpool(_visit, services, request)
        except ComplianceError as error:  # nobody can tell who it is: the database does not answer
            unknown = Visit(request, services, cookies.session_token(request, is_secure=services.is_secure))
            if origin.is_own(request) and not unknown.is_part:
                await _is_kept(unknown, endpoint, error)
            return await run_in_threadpool(refused, Visit(request, services), error)
        if not origin.is_own(request):
            return _not_ours() if visit.session is not None else Response(status_code=401, headers=dict(PAGE))
        if visit.session is None and endpoint in signin.INSIDE:  # who goes had gone already
            return await run_in_threadpool(endpoint.answer, visit)
        if visit.session is None:
            return _to_sign_in(visit, is_kept=await _is_kept(visit, endpoint))
        try:
            form = await _form(request, endpoint.form_bytes)
        except UsageError as error:
            return _at_its_address(visit, await run_in_threadpool(refused, visit, error))
        async with _closed_after(form):
            roles = (visit.session.role,) if endpoint.path in KEPT else visit.session.roles  # out, or into another role, from any page
            if not origin.has_token(request, str(form.get(origin.FIELD, "")), visit.token, roles):
                if _keep(visit, endpoint, form, visit.session.who):
                    return visit.again(_led_to(visit.came_from))
                return _at_its_address(visit, await run_in_threadpool(refused, visit, _old_page()))
            sent = forms.sent(visit.token, request.url.path, form)
            if sent is None:
                response = await run_in_threadpool(_answered, replace(visit, form=form), endpoint)
            else:
                async with sent.turn:
                    response = await run_in_threadpool(_answered_once, replace(visit, form=form), endpoint, sent)
            if response.status_code < 400:
                services.unsent.sent(visit.session.who, request.url.path)
                services.answered.sent(visit.token, request.url.path)
            return _at_its_address(visit, response)

    return handle


def _at_its_address(visit: Visit, response: Response) -> Response:
    """Lead a browser that shows whole pages from the page that answers its form to an address of that page,
    and answer anything else as it is."""
    if visit.session is None or not _is_shown(visit) or not _is_page(response):
        return response
    path = visit.request.url.path
    key = visit.services.answered.keep(visit.token, visit.session.role, path, bytes(response.body), response.status_code, visit.now)
    if not key:
        return response
    page = _led_to(visit.came_from or quote(path))
    led = RedirectResponse(f"{page}{'&' if '?' in page else '?'}{ANSWER}={key}", status_code=303, headers=dict(PAGE))
    led.raw_headers += [(name, value) for name, value in response.raw_headers if name == b"set-cookie"]
    return led


def _is_shown(visit: Visit) -> bool:
    """Return whether a browser shows the answer as a page, and keeps it in its history."""
    return visit.request.headers.get("Sec-Fetch-Dest") == "document" and not visit.is_part


def _is_page(response: Response) -> bool:
    return response.headers.get("Content-Type", "").partition(";")[0] == "text/html"


def _answer_of(visit: Visit, key: str) -> Response:
    """Return the page that has answered a form; where it is kept no more, the page on which that stood."""
    found = visit.services.answered.of(visit.token, visit.person.role, key, visit.now)
    if found is not None:
        return HTMLResponse(found.page, status_code=found.status, headers=dict(PAGE))
    return RedirectResponse(_led_to(visit.here), status_code=303, headers=dict(PAGE))


async def _is_kept(visit: Visit, endpoint: Endpoint, error: ComplianceError | None = None) -> bool:
    """Return whether what somebody has sent waits for them, after the end of their session, or while an
    `error` lets nobody tell whether that lasts. Nobody else has a form read who is not signed in."""
    if not any(visit.services.sessions.owners.of(form_token(visit.token, role)) for role in HUMAN_ROLES):
        return False
    try:
        form = await _form(visit.request, endpoint.form_bytes)
    except UsageError:
        return False
    async with _closed_after(form):
        why = ("", visit.told(error).message) if error is not None else None
        return _keep(visit, endpoint, form, refused=why)


def _keep(visit: Visit, endpoint: Endpoint, form: FormData, who: str = "", *, refused: tuple[str, str] | None = None) -> bool:
    """Keep what a form says that was sent from a page of a session which has ended, or that was `refused`
    (which field, and why), for whom that was; return whether it is. With `who` for nobody else: whoever sits
    there now need not be who typed it."""
    owner = visit.services.sessions.owners.of(origin.given_token(visit.request, str(form.get(origin.FIELD, ""))))
    page = _page_of(urlsplit(visit.came_from).path)
    if owner is None or not page or endpoint.path not in KEPT or (who and owner.who != who):
        return False
    return visit.services.unsent.keep(owner, page, visit.request.url.path, form, visit.now, refused=refused)


def _led_to(address: str) -> str:
    """Return the same address of a page, with what was typed in its form; where only forms go, the page above
    it."""
    path = urlsplit(address).path
    above = _page_of(path)
    return above if above != path else without(address, AFRESH, ANSWER)


def _page_of(path: str) -> str:
    """Return the page to which an address leads: where only forms go, the one above it."""
    return (path.rpartition("/")[0] or "/") if any(form.fullmatch(path) for form in FORMS_ALONE) else path


def _answered_once(visit: Visit, endpoint: Endpoint, sent: Sent) -> Response:
    try:
        return answered_once(sent, visit.now, lambda: _answered(visit, endpoint), lambda led_to: visit.see(led_to, note="sent_before"))
    except ComplianceError as error:
        return refused(visit, error)


def _visit(services: Services, request: Request) -> Visit:
    """Return who is at the browser, if somebody is signed in there. What a page asks again by itself (htmx
    with a header of ours, a stream) does not keep a session from its idle end."""
    token = cookies.session_token(request, is_secure=services.is_secure)
    asks_again = "X-Asks-Again" in request.headers or request.headers.get("Accept") == "text/event-stream"
    session = services.sessions.of(token, services.clock(), is_used=not asks_again) if token else None
    return Visit(request, services, token, session)


def _looked(services: Services, request: Request, endpoint: Endpoint) -> Response:
    """Answer a page that changes nothing, all in one thread."""
    try:
        visit = _visit(services, request)
    except ComplianceError as error:  # nobody can tell who it is: the database does not answer
        return refused(Visit(request, services), error)
    if visit.session is None:
        return _to_sign_in(visit)
    if (key := visit.query(ANSWER)) and not visit.is_part:
        return _answer_of(visit, key)
    return _answered(visit, endpoint)


def _porch(services: Services, endpoint: Endpoint, tries: FailedTries) -> Handler:
    """Answer somebody who is not signed in: the way in, and no more often than a person needs it."""

    async def handle(request: Request) -> Response:
        if endpoint.method == "POST" and not origin.is_own(request):
            return _not_ours()
        client = request.client.host if request.client else ""
        if endpoint.is_limited and not tries.allows(client):
            return await run_in_threadpool(refused, Visit(request, services), _too_many())
        try:
            form = await _form(request, endpoint.form_bytes) if endpoint.method == "POST" else FormData()
        except UsageError as error:
            return await run_in_threadpool(refused, Visit(request, services), error)
        response = await run_in_threadpool(_answered, Visit(request, services, form=form), endpoint)
        if cookies.gives_session(response, is_secure=services.is_secure):
            tries.forget(client)
        return response

    return handle


def _rest(services: Services) -> Handler:
    """Answer for an address that no page has. Where only forms go, as after a form that was refused, the page
    above it has what it is about."""

    async def handle(request: Request) -> Response:
        path = request.url.path
        if (above := _page_of(path)) != path:
            return RedirectResponse(local_path(above), status_code=303, headers=dict(PAGE))
        try:
            return await run_in_threadpool(lambda: nothing_here(_visit(services, request)))
        except ComplianceError as error:
            return await run_in_threadpool(refused, Visit(request, services), error)

    return handle


def _answered(visit: Visit, endpoint: Endpoint) -> Response:
    try:
        if endpoint.act is not None:
            visit.refuse(endpoint.act)
        return endpoint.answer(visit)
    except ComplianceError as error:
        if endpoint.method == "POST" and not visit.is_part and visit.session is not None and status_of(error) in KEPT_AFTER:
            told = visit.told(error)
            is_kept = _keep(visit, endpoint, visit.form, visit.session.who, refused=(told.field, told.message))
            if is_kept and _is_shown(visit) and (page := _form_again(visit)) is not None:
                page.status_code = status_of(error)
                return page
        return refused(visit, error)
    except HTTPException:
        raise
    except Exception as error:  # whatever it says may name a person: neither a page nor a log repeats it
        log.error("a page failed", exc_info=error, operation=endpoint.path)
        return refused(visit, ComplianceError("something went wrong here", hint="tell the administrator", code="bug"))


def _form_again(visit: Visit) -> Response | None:
    """Return the page on which a form stood that was refused, with the form filled in and why at its head;
    None where it cannot be shown."""
    path, _, query = _led_to(visit.came_from).partition("?")
    for form, page in PAGES_WITH_FORMS:
        if found := form.fullmatch(unquote(path)):
            asked = {"method": "GET", "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode()}
            again = Request({**visit.request.scope, **asked, "path_params": found.groupdict()})
            response = _answered(replace(visit, request=again, form=FormData()), page)
            says_why = response.status_code == 200 and _is_page(response) and f'id="{UNSENT}"'.encode() in response.body
            return response if says_why else None
    return None


@asynccontextmanager
async def _closed_after(form: FormData) -> AsyncIterator[None]:
    """Close the files of a form when it is answered."""
    try:
        yield
    finally:
        await form.close()


async def _form(request: Request, most: int) -> FormData:
    """Read a form whole. Raises UsageError: with code `too_large`, it is larger than it may be; `no_form`, it
    is none."""
    given = request.headers.get("Content-Length", "")
    if given.isdecimal() and int(given) > TAKEN_IN:
        raise _too_large()
    read, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= most:
                read += chunk
            elif size > TAKEN_IN:
                raise _too_large()
    except ClientDisconnect:
        raise _no_form() from None
    if size > most:
        raise _too_large()

    async def again() -> dict[str, object]:
        return {"type": "http.request", "body": bytes(read), "more_body": False}

    whole = Request(request.scope, again)
    try:
        form = await whole.form(max_files=20, max_fields=FIELDS, max_part_size=most)
        for name, value in form.multi_items():  # some encodings make halves of characters, which nothing can write, and zeros
            if b"\0" in f"{name}{value if isinstance(value, str) else value.filename}".encode():
                raise ValueError("a sign that no text has")
    except (HTTPException, LookupError, ValueError):  # no boundary, too many fields, an encoding that is none
        raise _no_form() from None
    return form


def _too_large() -> UsageError:
    return UsageError("this is more than a form may hold", hint="send less", code="too_large")


def _too_many() -> Refused:
    return Refused("too many tries", hint="wait a minute", code="too_many")


def _no_form() -> UsageError:
    return UsageError("this is not a form that can be read", hint="send it again", code="no_form")


def _old_page() -> Refused:
    return Refused("this was not sent from a page of this session", hint="open the page again", code="old_page")


def _to_sign_in(visit: Visit, *, is_kept: bool = False) -> Response:
    """Send somebody to the way in. A page that was asked for waits there, a picture or a stream does not; who
    sent a form is told that it was not carried out, and whether it waits (`is_kept`). It, and a piece of a
    page, lead back to where they were."""
    is_form = visit.request.method not in ("GET", "HEAD")
    if visit.is_part:
        response = Response(status_code=401, headers={"HX-Redirect": "/signin", **({KEPT_HEADER: "1"} if is_kept else {}), **PAGE})
    else:
        response = RedirectResponse("/signin", status_code=303, headers=dict(PAGE))
    if is_form:
        visit.note_on(response, "session_kept" if is_kept else "session_over")
    elif visit.token:
        visit.note_on(response, "session_ended")
    if is_form or (visit.is_part and not _asks_for_page(visit)):
        wanted = _led_to(visit.came_from)
    elif visit.is_part:
        wanted = visit.here
    else:
        wanted = visit.here if visit.request.headers.get("Sec-Fetch-Dest", "document") == "document" else ""
    if wanted:
        cookies.give(response, signin.WANTED, wanted, is_secure=visit.services.is_secure, lasts=signin.WANTED_LASTS)
    return response


def _asks_for_page(visit: Visit) -> bool:
    """Return whether a piece is that of a page which is there already, by another address: another choice, or
    another filter."""
    return "X-Asks-Again" not in visit.request.headers and urlsplit(visit.came_from).path == quote(visit.request.url.path)


def _not_ours() -> Response:
    return PlainTextResponse("this was not sent from a page of this service: open the page again\n", status_code=403, headers=dict(PAGE))
