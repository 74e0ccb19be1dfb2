"""The application of the interface: its operations, what every answer carries, and its description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_compliance.console.access.failed_tries import FailedTries
from crm_compliance.console.api import answers, holds, new_plan, plans, requests, runs, schedule
from crm_compliance.console.api.answers import ROOT
from crm_compliance.console.frame.services import Services
from crm_compliance.identity.bearer import NoToken, bearers_of
from rules.errors import ComplianceError

BODY_BYTES: Final = 256 * 1024
TRIES: Final = 30  # of one client in a minute with a token that is not good
ROUTERS: Final = (new_plan.router, plans.router, runs.router, holds.router, requests.router, schedule.router)
log = structlog.get_logger()


def api_of(services: Services, *, now: Callable[[], float]) -> FastAPI:
    """Return the interface over the services; it keeps no session and reads no cookie."""
    api = FastAPI(
        title="crm-compliance",
        version="1",
        description="Retention, holds and subject requests over Microsoft Dynamics: what the commands do, for scripts.",
        openapi_url="/openapi.json",
        docs_url=None,  # pages of FastAPI fetch their parts from elsewhere
        redoc_url=None,
        servers=[{"url": ROOT}],
        routes=[route for router in ROUTERS for route in router.routes],  # as they are: to include them would make each once more
        redirect_slashes=False,
    )
    api.state.services, api.state.bearers = services, bearers_of(services.settings, services.store, services.clock)
    failures = FailedTries(now, TRIES, "api")

    async def no_token(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, NoToken)
        if not failures.allows(request.client.host if request.client else ""):
            return answers.too_many()
        return answers.answer_of(error)

    async def bug(request: Request, call_next: Any) -> Response:
        try:
            response: Response = await call_next(request)
        except Exception as error:  # whatever it says may name a person: neither an answer nor a log repeats it
            log.error("a call failed", exc_info=error, operation=getattr(request.scope.get("route"), "path", ""))
            response = answers.bug()
        response.headers["Cache-Control"] = "no-store"
        return response

    api.add_exception_handler(NoToken, no_token)
    api.add_exception_handler(ComplianceError, answers.compliance_error)
    api.add_exception_handler(RequestValidationError, answers.invalid)
    api.add_exception_handler(HTTPException, answers.not_served)
    api.middleware("http")(bug)
    api.add_middleware(Measured)
    _describe(api)
    return api


class Measured:
    """Refuses a body that is larger than any call needs, before it is read whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read, messages = 0, []
        while True:
            message = await receive()
            messages.append(message)
            read += len(message.get("body", b""))
            if read > BODY_BYTES:
                await answers.too_large()(scope, receive, send)
                return
            if message["type"] != "http.request" or not message.get("more_body"):
                break

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, again, send)


def _describe(api: FastAPI) -> None:
    """Describe how a caller proves who it is, and which act each operation takes."""
    made = api.openapi

    def described() -> dict[str, Any]:
        if api.openapi_schema is None:
            schema = made()
            schema.setdefault("components", {})["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "docs/api.md"}
            }
            schema["security"] = [{"bearer": []}]
            for operations in schema["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)  # such a call is answered with 400
            schema["components"]["schemas"].pop("HTTPValidationError", None)
            schema["components"]["schemas"].pop("ValidationError", None)
            api.openapi_schema = schema
        return api.openapi_schema

    api.openapi = described  # type: ignore[method-assign]
