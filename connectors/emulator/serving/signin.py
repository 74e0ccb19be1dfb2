"""The token endpoints, as Entra and AD FS have them. None of them needs a token."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.emulator.conditions.clock import Clock, http_date
from connectors.emulator.signin.authority import ADFS, Authority, TokenRefused


class SignIn:
    """The authority over HTTP."""

    def __init__(self, authority: Authority, clock: Clock) -> None:
        self._authority, self._clock = authority, clock

    def routes(self) -> list[Route]:
        return [
            Route("/adfs/oauth2/token", self.token, methods=["POST"]),
            Route("/adfs/oauth2/authorize", self.authorize),
            Route("/adfs/oauth2/devicecode", self.device_code, methods=["POST"]),
            Route("/adfs/.well-known/openid-configuration", self.configuration),
            Route("/adfs/discovery/keys", self.keys),
            Route("/{tenant}/oauth2/v2.0/token", self.token, methods=["POST"]),
            Route("/{tenant}/oauth2/token", self.token, methods=["POST"]),
            Route("/{tenant}/oauth2/v2.0/authorize", self.authorize),
            Route("/{tenant}/oauth2/v2.0/devicecode", self.device_code, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self.configuration),
            Route("/{tenant}/discovery/v2.0/keys", self.keys),
        ]

    def _answer(self, document: Any, status: int = 200) -> Response:
        return json_answer(self._clock, document, status)

    async def token(self, request: Request) -> Response:
        endpoint = f"{_origin(request)}{request.url.path}"
        return self._answer(self._authority.token(await request.body(), _origin(request), _tenant(request), endpoint))

    async def device_code(self, request: Request) -> Response:
        return self._answer(self._authority.device_code(await request.body(), _origin(request), _tenant(request)))

    async def configuration(self, request: Request) -> Response:
        return self._answer(self._authority.discovery(_origin(request), _tenant(request)))

    async def keys(self, request: Request) -> Response:
        return self._answer(self._authority.signer.keys())

    async def authorize(self, request: Request) -> Response:
        return RedirectResponse(self._authority.authorize(request.query_params, _tenant(request)), status_code=302)

    async def refused(self, request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, TokenRefused)
        return self._answer(refusal.document(_tenant(request)), refusal.status)


def json_answer(clock: Clock, document: Any, status: int) -> Response:
    """Return an answer that was given at the time of this clock."""
    headers = {"Date": http_date(clock.timestamp())}
    return Response(msgspec.json.encode(document), status, headers, media_type="application/json")


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _tenant(request: Request) -> str:
    tenant: str = request.path_params.get("tenant", ADFS)
    return tenant
