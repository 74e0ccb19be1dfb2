"""`/_emulator/`, for tests and demonstrations, and the token endpoints. None of it needs a token.

- `POST reset {"empty": true|false}`: no rows but the platform's own, or those seeded at the start; no faults, fresh limits and statistics.
- `PUT clock {"now": INSTANT} | {"advance_s": N} | {"real": true}`, `GET clock`: the clock always goes on ticking.
- `GET stats`: requests, operations (also those inside batches), batches, throttled answers since the last reset.
- `PUT faults [RULE…]`, `GET faults`: see `faults.py`; the answer tells how often each rule was met and has fired.
- `PUT switches {NAME: VALUE}`, `GET switches`: what rests on inference, see `switches.py`.
- `PUT limits {"on", "requests", "execution_s", "concurrent", "window_s"}`, `GET limits`: narrower service protection, to meet it sooner.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.emulator.clock import http_date, instant_text
from connectors.emulator.faults import FaultProblem
from connectors.emulator.organisation import Organisation
from connectors.emulator.switches import SwitchProblem
from connectors.emulator.tokens import TokenRefused, discovery

_ALLOWANCES = {"requests": int, "execution_s": float, "concurrent": int, "window_s": int, "on": bool}


class ControlProblem(Exception):
    """A request to `/_emulator/` that makes no sense."""


def control_routes(organisation: Organisation) -> Starlette:
    """The part of the application that is no part of Dynamics."""

    def answer(document: Any, status: int = 200) -> Response:
        headers = {"Date": http_date(organisation.clock.timestamp())}
        return Response(msgspec.json.encode(document), status, headers, media_type="application/json")

    async def document_of(request: Request) -> Any:
        body = await request.body()
        try:
            return msgspec.json.decode(body) if body.strip() else {}
        except msgspec.DecodeError as problem:
            raise ControlProblem("the body is no JSON") from problem

    async def reset(request: Request) -> Response:
        document = await document_of(request)
        if not isinstance(document, dict) or not isinstance(document.get("empty", False), bool) or set(document) - {"empty"}:
            raise ControlProblem('reset takes {"empty": true} or {"empty": false}')
        organisation.reset(empty=document.get("empty", False))
        return answer({"empty": organisation.tables.is_empty()})

    async def clock(request: Request) -> Response:
        document = await document_of(request) if request.method == "PUT" else {}
        if not isinstance(document, dict) or set(document) - {"now", "advance_s", "real"}:
            raise ControlProblem('clock takes {"now": INSTANT}, {"advance_s": N} or {"real": true}')
        try:
            if document.get("real"):
                organisation.clock.real()
            if "now" in document:
                organisation.clock.set(_instant(str(document["now"])))
            if "advance_s" in document:
                organisation.clock.advance(float(document["advance_s"]))
        except (ValueError, TypeError, OverflowError) as problem:
            raise ControlProblem(f"clock: {problem}") from problem
        return answer({"now": instant_text(organisation.clock.now())})

    async def stats(request: Request) -> Response:
        return answer(organisation.stats.document())

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            try:
                organisation.faults.replace(await document_of(request))
            except FaultProblem as problem:
                raise ControlProblem(str(problem)) from problem
        return answer([{"do": rule.kind, "seen": rule.seen, "fired": rule.fired} for rule in organisation.faults.rules])

    async def switches(request: Request) -> Response:
        if request.method == "PUT":
            document = await document_of(request)
            if not isinstance(document, dict):
                raise ControlProblem("switches take an object: the name of each and its value")
            try:
                with organisation.tables.lock:
                    organisation.switches.set(document)
            except SwitchProblem as problem:
                raise ControlProblem(str(problem)) from problem
        return answer(organisation.switches.document())

    async def limits(request: Request) -> Response:
        document = await document_of(request) if request.method == "PUT" else {}
        if not isinstance(document, dict) or set(document) - set(_ALLOWANCES):
            raise ControlProblem(f"limits take {', '.join(_ALLOWANCES)}")
        allowance = organisation.limits.allowance
        for name, value in document.items():
            if isinstance(value, bool) != (name == "on") or not isinstance(value, int | float) or (name != "on" and value <= 0):
                raise ControlProblem(f"limits: {name} cannot be {value!r}")
            if name == "on":
                organisation.limits.enabled = bool(value)
            else:
                setattr(allowance, name, _ALLOWANCES[name](value))
        if document:
            organisation.limits.clear()
        return answer({"on": organisation.limits.enabled, **{name: getattr(allowance, name) for name in _ALLOWANCES if name != "on"}})

    async def token(request: Request) -> Response:
        issuer = f"{request.url.scheme}://{request.url.netloc}/{request.path_params.get('tenant', 'adfs')}"
        try:
            return answer(organisation.tokens.issue(await request.body(), issuer))
        except TokenRefused as refused:
            return answer(refused.document, refused.status)

    async def configuration(request: Request) -> Response:
        return answer(discovery(f"{request.url.scheme}://{request.url.netloc}", request.path_params.get("tenant", "adfs")))

    async def keys(request: Request) -> Response:
        return answer({"keys": []})

    async def refused(request: Request, problem: Exception) -> Response:
        return answer({"error": {"code": "emulator", "message": str(problem)}}, 400)

    return Starlette(
        routes=[
            Route("/_emulator/reset", reset, methods=["POST"]),
            Route("/_emulator/clock", clock, methods=["GET", "PUT"]),
            Route("/_emulator/stats", stats),
            Route("/_emulator/faults", faults, methods=["GET", "PUT"]),
            Route("/_emulator/switches", switches, methods=["GET", "PUT"]),
            Route("/_emulator/limits", limits, methods=["GET", "PUT"]),
            Route("/adfs/oauth2/token", token, methods=["POST"]),
            Route("/adfs/.well-known/openid-configuration", configuration),
            Route("/adfs/discovery/keys", keys),
            Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
            Route("/{tenant}/oauth2/token", token, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", configuration),
            Route("/{tenant}/discovery/v2.0/keys", keys),
        ],
        exception_handlers={ControlProblem: refused},
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("the instant has no time zone")
    return instant.astimezone(UTC)
