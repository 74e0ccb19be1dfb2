"""`/_emulator/`, for tests and demonstrations, and the token endpoints. None of it needs a token.

- `POST reset {"empty": true|false}`: no rows but the platform's own, or those seeded at the start; no faults,
  fresh limits and statistics.
- `PUT clock {"now": INSTANT} | {"advance_s": N} | {"real": true}`, `GET clock`: the clock always keeps
  ticking.
- `GET stats`: requests, operations (also those inside batches), batches, throttled answers since the last
  reset.
- `PUT faults [RULE…]`, `GET faults`: see `request/faults.py`; the answer states how often each rule was met
  and has fired.
- `PUT switches {NAME: VALUE}`, `GET switches`: what rests on inference, see `conditions/switches.py`.
- `PUT authority {"tenants", "applications", "person"}`, `GET authority`: who the token endpoints know, until
  a reset; see `signin/authority.py`.
- `PUT privileges {"user": ID or client_id, "set": {"prvReadcf_fiche":
  "Basic"|"Local"|"Deep"|"Global"|null}}`: assigns that user one role, private to them, with exactly these
  privileges; `{"user", "administrator": true}` makes them System Administrator again. Teams stay.
- `PUT plugins [{"table", "message": "Create"|"Update"|"Delete", "when": {COLUMN: VALUE}, "do": "refuse",
  "text"}]`: all the custom logic there is, until a reset; the answer has the ids of the steps. See
  `security/custom_logic.py`.
- `PUT graph {"files": [{"site", "library", "path", "text", "media_type", "kind", "lock"}], "applications":
  {ID: {"permissions": [NAME], "sites": {ADDRESS: ROLE}}}, "empty_bin": {ADDRESS: 1|2}}`, `GET graph`:
  documents in SharePoint, who may reach them, and what is in its recycle bins, until a reset; see
  `graph/graph.py`.
- `PUT limits {"on", "requests", "execution_s", "concurrent", "window_s"}`, `GET limits`: narrower service
  protection, to meet it sooner."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.emulator.conditions.clock import http_date, instant_text
from connectors.emulator.conditions.switches import SwitchProblem
from connectors.emulator.graph.graph import GraphProblem
from connectors.emulator.organisation import Organisation
from connectors.emulator.request.faults import FaultProblem
from connectors.emulator.schema.privileges import DEPTHS, SYSTEM_ADMINISTRATOR
from connectors.emulator.schema.values import guid
from connectors.emulator.security.custom_logic import StepProblem, read_step
from connectors.emulator.signin.authority import ADFS, Authority, AuthorityProblem, TokenRefused

_ALLOWANCES = {"requests": int, "execution_s": float, "concurrent": int, "window_s": int, "on": bool}


class ControlProblem(Exception):
    """A request to `/_emulator/` that makes no sense."""


_PROBLEMS = (ControlProblem, AuthorityProblem, FaultProblem, GraphProblem, SwitchProblem)


def control_routes(organisation: Organisation) -> Starlette:
    """Return the part of the application that does not belong to Dynamics."""
    authority = Authority(organisation.tokens, organisation.clock, organisation.graph.grants.permissions)

    def answer(document: Any, status: int = 200) -> Response:
        headers = {"Date": http_date(organisation.clock.timestamp())}
        return Response(msgspec.json.encode(document), status, headers, media_type="application/json")

    async def document_of(request: Request) -> Any:
        body = await request.body()
        try:
            return msgspec.json.decode(body) if body.strip() else {}
        except msgspec.DecodeError as problem:
            raise ControlProblem("the body is not valid JSON") from problem

    async def reset(request: Request) -> Response:
        document = await document_of(request)
        if not isinstance(document, dict) or not isinstance(document.get("empty", False), bool) or set(document) - {"empty"}:
            raise ControlProblem('reset takes {"empty": true} or {"empty": false}')
        organisation.reset(empty=document.get("empty", False))
        authority.clear()
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
        with organisation.tables.lock:
            organisation.api.run_due()
        return answer(organisation.stats.document())

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            organisation.faults.replace(await document_of(request))
        return answer([{"do": rule.kind, "seen": rule.seen, "fired": rule.fired} for rule in organisation.faults.rules])

    async def switches(request: Request) -> Response:
        if request.method == "PUT":
            document = await document_of(request)
            if not isinstance(document, dict):
                raise ControlProblem("switches take an object: the name of each and its value")
            with organisation.tables.lock:
                organisation.switches.set(document)
        return answer(organisation.switches.document())

    async def privileges(request: Request) -> Response:
        document = await document_of(request)
        if not isinstance(document, dict) or set(document) not in ({"user", "set"}, {"user", "administrator"}):
            raise ControlProblem('privileges take {"user", "set": {NAME: DEPTH}} or {"user", "administrator": true}')
        roles, given = organisation.api.gate.roles, document.get("set", {})
        if not isinstance(given, dict):
            raise ControlProblem("privileges: set takes the name of each privilege and its depth")
        depths = {name: depth for name, depth in given.items() if depth is not None}
        for name, depth in depths.items():
            if name not in roles.catalogue or depth not in DEPTHS:
                raise ControlProblem(f"privileges: {name!r} cannot be {depth!r}")
        with organisation.tables.lock, organisation.tables.transaction():
            user = _user_of(organisation, str(document["user"]))
            if document.get("administrator"):
                roles.assign_only(user, SYSTEM_ADMINISTRATOR)
            else:
                roles.have_exactly(user, {name: DEPTHS[depth] for name, depth in depths.items()})
        return answer({"user": user, "privileges": depths})

    async def plugins(request: Request) -> Response:
        steps = await document_of(request)
        if not isinstance(steps, list):
            raise ControlProblem("plugins take a list of steps")
        try:
            checked = [read_step(organisation.tables.environment, step) for step in steps]
        except StepProblem as problem:
            raise ControlProblem(f"plugins: {problem}") from problem
        with organisation.tables.lock, organisation.tables.transaction():
            ids = organisation.api.gate.custom_logic.replace(checked)
        return answer(ids)

    async def graph(request: Request) -> Response:
        if request.method == "PUT":
            organisation.graph.learn(await document_of(request))
        with organisation.tables.lock:
            return answer(organisation.graph.document())

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

    async def known(request: Request) -> Response:
        if request.method == "PUT":
            authority.learn(await document_of(request))
        return answer(authority.document())

    async def token(request: Request) -> Response:
        endpoint = f"{_origin(request)}{request.url.path}"
        return answer(authority.token(await request.body(), _origin(request), _tenant(request), endpoint))

    async def device_code(request: Request) -> Response:
        return answer(authority.device_code(await request.body(), _origin(request), _tenant(request)))

    async def configuration(request: Request) -> Response:
        return answer(authority.discovery(_origin(request), _tenant(request)))

    async def keys(request: Request) -> Response:
        return answer(authority.signer.keys())

    async def authorize(request: Request) -> Response:
        return RedirectResponse(authority.authorize(request.query_params, _tenant(request)), status_code=302)

    async def refused(request: Request, problem: Exception) -> Response:
        return answer({"error": {"code": "emulator", "message": str(problem)}}, 400)

    async def no_token(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, TokenRefused)
        return answer(refusal.document(_tenant(request)), refusal.status)

    return Starlette(
        routes=[
            Route("/_emulator/reset", reset, methods=["POST"]),
            Route("/_emulator/clock", clock, methods=["GET", "PUT"]),
            Route("/_emulator/stats", stats),
            Route("/_emulator/faults", faults, methods=["GET", "PUT"]),
            Route("/_emulator/switches", switches, methods=["GET", "PUT"]),
            Route("/_emulator/limits", limits, methods=["GET", "PUT"]),
            Route("/_emulator/graph", graph, methods=["GET", "PUT"]),
            Route("/_emulator/privileges", privileges, methods=["PUT"]),
            Route("/_emulator/plugins", plugins, methods=["PUT"]),
            Route("/_emulator/authority", known, methods=["GET", "PUT"]),
            Route("/adfs/oauth2/token", token, methods=["POST"]),
            Route("/adfs/oauth2/authorize", authorize),
            Route("/adfs/oauth2/devicecode", device_code, methods=["POST"]),
            Route("/adfs/.well-known/openid-configuration", configuration),
            Route("/adfs/discovery/keys", keys),
            Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
            Route("/{tenant}/oauth2/token", token, methods=["POST"]),
            Route("/{tenant}/oauth2/v2.0/authorize", authorize),
            Route("/{tenant}/oauth2/v2.0/devicecode", device_code, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", configuration),
            Route("/{tenant}/discovery/v2.0/keys", keys),
        ],
        exception_handlers={**dict.fromkeys(_PROBLEMS, refused), TokenRefused: no_token},
    )


def _user_of(organisation: Organisation, name: str) -> str:
    """Return a systemuserid as it is, or the application's user for a client id."""
    user = guid(name)
    if user is not None and organisation.tables.exists(organisation.tables.environment.tables["systemuser"], user):
        return user
    return organisation.tokens.user_of_application(name)


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _tenant(request: Request) -> str:
    tenant: str = request.path_params.get("tenant", ADFS)
    return tenant


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("the instant has no time zone")
    return instant.astimezone(UTC)
