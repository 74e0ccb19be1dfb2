"""The ASGI application: `/api/data/` is Dynamics, `/v1.0/` Microsoft Graph, all else the emulator and its
token endpoint."""

import asyncio
import hashlib
import re
import time
import uuid
from urllib.parse import unquote

from connectors.emulator.conditions.clock import http_date
from connectors.emulator.errors import WebApiError, no_resource
from connectors.emulator.graph.graph import GraphError
from connectors.emulator.organisation import Organisation
from connectors.emulator.request.batch_body import is_batch
from connectors.emulator.request.exchange import Answer, Operation, refused
from connectors.emulator.request.faults import Fault, status_answer
from connectors.emulator.request.paths import MAX_URL
from connectors.emulator.request.preferences import ERROR_DETAILS, parse_preferences
from connectors.emulator.serving.batch_faults_and_limits import BatchRun
from connectors.emulator.serving.control import control_routes
from connectors.emulator.serving.wire import (
    COMPRESS_ASIDE_FROM,
    COMPRESS_FROM,
    CutConnection,
    Receive,
    Request,
    Scope,
    Send,
    compressed,
    cut,
    read_request,
    send_answer,
)

_SERVICE = re.compile(r"^(?:/[^/]+)?/api/data(?:/(v\d+\.\d+))?(?:/(.*))?$", re.DOTALL)
_GRAPH = re.compile(r"^/(?:v1\.0|_graph/content)/", re.DOTALL)
VERSIONS = ("v9.0", "v9.1", "v9.2")
PARALLEL_HINT = "4"


class App:
    """An organisation behind HTTP; an ASGI application."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.tables = organisation.tables
        self.clock = organisation.clock
        self.stats = organisation.stats
        self.faults = organisation.faults
        self.limits = organisation.limits
        self.tokens = organisation.tokens
        self.api = organisation.api
        self._control = control_routes(organisation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        is_graph = _GRAPH.match(scope["path"]) is not None
        if not is_graph and _SERVICE.match(scope["path"]) is None:
            await self._control(scope, receive, send)
            return
        request = await read_request(scope, receive)
        try:
            await (self._answer_at_graph if is_graph else self._answer)(request, send)
        except CutConnection:
            await cut(send, receive)

    # -- one request -----------------------------------------------------------------------------------------

    async def _answer(self, request: Request, send: Send) -> None:
        self.stats.requests += 1
        fired = self.faults.fired(request.method, request.address)
        if any(fault.kind == "cut_before" for fault in fired):
            raise CutConnection
        server = request.cookie("ARRAffinity") or hashlib.sha256(request.origin.encode()).hexdigest()
        answer, user, batch_faults = await self._respond(request, fired, server)
        fired = [*fired, *batch_faults]
        if answer.status == 429:
            self.stats.throttled += 1
        if any(fault.kind == "cut_after" for fault in fired):
            raise CutConnection
        headers = self._headers(request, answer, user, server, fired)
        body = answer.body
        if len(body) >= COMPRESS_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            # A small body is compressed sooner than another thread has begun.
            body = compressed(body) if len(body) < COMPRESS_ASIDE_FROM else await asyncio.to_thread(compressed, body)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        await send_answer(send, answer.status, headers, body, truncated=any(fault.kind == "truncate" for fault in fired))

    async def _respond(self, request: Request, fired: list[Fault], server: str) -> tuple[Answer, str, list[Fault]]:
        """Return the answer, who sent the request, and the faults that operations of a batch met."""
        match = _SERVICE.match(unquote(request.path))
        version = match.group(1) if match else None
        prefix = request.path[: max(0, request.path.find("/api/data"))]
        root = f"{request.origin}{prefix}/api/data/{version or VERSIONS[-1]}/"
        user = ""
        try:
            authorization = request.headers.get("authorization")
            if any(fault.kind == "expire_token" for fault in fired):
                self.tokens.revoke(authorization)
                raise self.tokens.expired(root)
            user = self.tokens.user_of(authorization, root)
            if len(request.address) > MAX_URL:
                raise WebApiError(414, "", "The request URI is too long.")
            if version not in VERSIONS or version > self.tables.switches.highest_version:
                raise no_resource(request.origin + request.address)
            raw = request.path[len(prefix) + len(f"/api/data/{version}") :].lstrip("/") + (f"?{request.query}" if request.query else "")
            operation = Operation(request.method, raw, request.headers, request.body, root, user)
            counts = self._counts(operation)
            if counts:
                self.limits.enter(user, server, self.clock.timestamp())
        except WebApiError as error:
            return self._refused(error, annotated=parse_preferences(request.headers.get("prefer")).wants(ERROR_DETAILS)), user, []
        started = time.perf_counter()
        batch_faults: list[Fault] = []
        try:
            await self._wait(fired)
            with self.tables.lock:
                answer = self._execute(operation, server, fired, batch_faults)
            await self._wait(batch_faults)
        finally:
            if counts:
                self.limits.leave(user, server, self.clock.timestamp(), time.perf_counter() - started)
        return answer, user, batch_faults

    def _counts(self, operation: Operation) -> bool:
        """Return whether it counts as one request; a batch may count by its operations instead."""
        switches = self.tables.switches
        return switches.service_protection and not (switches.throttle_inside_batch and is_batch(operation))

    @staticmethod
    async def _wait(faults: list[Fault]) -> None:
        milliseconds = sum(float(fault.extra.get("ms", 1000)) for fault in faults if fault.kind == "latency")
        if milliseconds:
            await asyncio.sleep(milliseconds / 1000)

    def _execute(self, operation: Operation, server: str, fired: list[Fault], batch_faults: list[Fault]) -> Answer:
        """Run an operation or a batch as one transaction on disk; a refused operation has undone itself."""
        self.api.run_due()
        if not is_batch(operation):
            if operation.method == "GET" and not fired:
                return self.api.run(operation)
            with self.tables.transaction():
                return self.api.run(operation, fired)
        for fault in fired:
            if fault.kind == "status":
                return self.api.run(operation, [fault])
        if operation.method != "POST":
            return self._refused(no_resource(operation.root + operation.raw))
        batch = BatchRun(self.organisation, operation, server)
        try:
            return batch.answer()
        finally:
            batch_faults += batch.met

    def _refused(self, error: WebApiError, *, annotated: bool = False) -> Answer:
        return refused(error, annotated=annotated, inner=self.tables.switches.inner_errors)

    # -- Microsoft Graph -------------------------------------------------------------------------------------

    async def _answer_at_graph(self, request: Request, send: Send) -> None:
        fired = self.faults.fired(request.method, request.address)
        if any(fault.kind == "cut_before" for fault in fired):
            raise CutConnection
        await self._wait(fired)
        with self.tables.lock:
            answer = self._at_graph(request, fired)
        if any(fault.kind == "cut_after" for fault in fired):
            raise CutConnection
        headers = [("Date", http_date(self.clock.timestamp())), ("request-id", str(uuid.uuid4())), *answer.headers.items()]
        if answer.body:
            headers.append(("Content-Type", answer.content_type))
        await send_answer(send, answer.status, headers, answer.body, truncated=any(fault.kind == "truncate" for fault in fired))

    def _at_graph(self, request: Request, fired: list[Fault]) -> Answer:
        graph = self.organisation.graph
        if request.path.startswith("/_graph/"):
            if fault := next((fault for fault in fired if fault.kind == "status"), None):
                return status_answer(fault)
            return graph.content(request.path.rpartition("/")[2], request.headers)
        if not request.headers.get("if-none-match", '"').startswith(('"', "W/", "*")):
            return GraphError(400, "invalidRequest", "The If-None-Match header is not an entity tag.").answer()
        client = self.tokens.application_at_graph(request.headers.get("authorization"))
        if any(fault.kind == "expire_token" for fault in fired):
            self.tokens.revoke(request.headers.get("authorization"))
            client = None
        if client is None:
            return GraphError(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.").answer()
        return graph.answer(request.method, request.path.removeprefix("/v1.0/"), request.query, request.origin, client, fired)

    # -- headers ---------------------------------------------------------------------------------------------

    def _headers(self, request: Request, answer: Answer, user: str, server: str, fired: list[Fault]) -> list[tuple[str, str]]:
        skew = sum(float(fault.extra.get("s", 0)) for fault in fired if fault.kind == "skew")
        first, second = str(uuid.uuid4()), str(uuid.uuid4())
        headers = [
            ("Date", http_date(self.clock.timestamp() + skew)),
            ("OData-Version", "4.0"),
            ("REQ_ID", f"{first},{first}"),
            ("x-ms-service-request-id", f"{second},{first}"),
            ("AuthActivityId", second),
            ("CRM.ServiceId", "CRMAppPool"),
            ("Cache-Control", "no-cache"),
            ("Expires", "-1"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ]
        if self.tables.switches.service_protection:
            headers += [("x-ms-dop-hint", PARALLEL_HINT), *self.limits.headers(user, server)]
        if answer.body:
            headers.append(("Content-Type", answer.content_type))
        secure = "; secure" if request.origin.startswith("https:") else ""  # over plain HTTP no client would send it back
        if request.cookie("ARRAffinity") is None:
            headers.append(("Set-Cookie", f"ARRAffinity={server}; path=/{secure}; HttpOnly"))
        if request.cookie("ReqClientId") is None:
            headers.append(("Set-Cookie", f"ReqClientId={first}; expires=Fri, 31-Dec-2076 23:00:00 GMT; path=/{secure}; HttpOnly"))
        headers += answer.headers.items()
        if answer.status == 401 and self.tables.switches.adfs:
            headers += [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")]
        return headers
