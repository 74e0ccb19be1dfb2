"""`/_emulator/`, for tests and demonstrations. None of it needs a token.

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
from starlette.responses import Response
from starlette.routing import Route

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.conditions.switches import SwitchProblem
from connectors.emulator.graph.graph import GraphProblem
from connectors.emulator.organisation import Organisation
from connectors.emulator.request.faults import FaultProblem
from connectors.emulator.schema.privileges import DEPTHS, SYSTEM_ADMINISTRATOR
from connectors.emulator.schema.values import guid
from connectors.emulator.security.custom_logic import StepProblem, read_step
from connectors.emulator.serving.signin import SignIn, json_answer
from connectors.emulator.signin.authority import Authority, AuthorityProblem, TokenRefused

_ALLOWANCES = {"requests": int, "execution_s": float, "concurrent": int, "window_s": int, "on": bool}


class ControlProblem(Exception):
    """A request to `/_emulator/` that makes no sense."""


_PROBLEMS = (ControlProblem, AuthorityProblem, FaultProblem, GraphProblem, SwitchProblem)


def control_routes(organisation: Organisation) -> Starlette:
    """Return the part of the application that does not belong to Dynamics."""
    authority = Authority(organisation.tokens, organisation.clock, organisation.graph.grants.permissions)
    control, signin = _Control(organisation, authority), SignIn(authority, organisation.clock)
    return Starlette(
        routes=[*control.routes(), *signin.routes()],
        exception_handlers={**dict.fromkeys(_PROBLEMS, control.refused), TokenRefused: signin.refused},
    )


class _Control:
    """`/_emulator/`: an endpoint each."""

    def __init__(self, organisation: Organisation, authority: Authority) -> None:
        self._organisation, self._authority = organisation, authority

    def routes(self) -> list[Route]:
        return [
            Route("/_emulator/reset", self.reset, methods=["POST"]),
            Route("/_emulator/clock", self.clock, methods=["GET", "PUT"]),
            Route("/_emulator/stats", self.stats),
            Route("/_emulator/faults", self.faults, methods=["GET", "PUT"]),
            Route("/_emulator/switches", self.switches, methods=["GET", "PUT"]),
            Route("/_emulator/limits", self.limits, methods=["GET", "PUT"]),
            Route("/_emulator/graph", self.graph, methods=["GET", "PUT"]),
            Route("/_emulator/privileges", self.privileges, methods=["PUT"]),
            Route("/_emulator/plugins", self.plugins, methods=["PUT"]),
            Route("/_emulator/authority", self.known, methods=["GET", "PUT"]),
        ]

    def _answer(self, document: Any, status: int = 200) -> Response:
        return json_answer(self._organisation.clock, document, status)

    async def reset(self, request: Request) -> Response:
        document = await _document_of(request)
        if not isinstance(document, dict) or not isinstance(document.get("empty", False), bool) or set(document) - {"empty"}:
            raise ControlProblem('reset takes {"empty": true} or {"empty": false}')
        self._organisation.reset(empty=document.get("empty", False))
        self._authority.clear()
        return self._answer({"empty": self._organisation.tables.is_empty()})

    async def clock(self, request: Request) -> Response:
        document = await _document_of(request) if request.method == "PUT" else {}
        if not isinstance(document, dict) or set(document) - {"now", "advance_s", "real"}:
            raise ControlProblem('clock takes {"now": INSTANT}, {"advance_s": N} or {"real": true}')
        try:
            if document.get("real"):
                self._organisation.clock.real()
            if "now" in document:
                self._organisation.clock.set(_instant(str(document["now"])))
            if "advance_s" in document:
                self._organisation.clock.advance(float(document["advance_s"]))
        except (ValueError, TypeError, OverflowError) as problem:
            raise ControlProblem(f"clock: {problem}") from problem
        return self._answer({"now": instant_text(self._organisation.clock.now())})

    async def stats(self, request: Request) -> Response:
        with self._organisation.tables.lock:
            self._organisation.api.run_due()
        return self._answer(self._organisation.stats.document())

    async def faults(self, request: Request) -> Response:
        if request.method == "PUT":
            self._organisation.faults.replace(await _document_of(request))
        return self._answer([{"do": rule.kind, "seen": rule.seen, "fired": rule.fired} for rule in self._organisation.faults.rules])

    async def switches(self, request: Request) -> Response:
        if request.method == "PUT":
            document = await _document_of(request)
            if not isinstance(document, dict):
                raise ControlProblem("switches take an object: the name of each and its value")
            with self._organisation.tables.lock:
                self._organisation.switches.set(document)
        return self._answer(self._organisation.switches.document())

    async def privileges(self, request: Request) -> Response:
        document = await _document_of(request)
        if not isinstance(document, dict) or set(document) not in ({"user", "set"}, {"user", "administrator"}):
            raise ControlProblem('privileges take {"user", "set": {NAME: DEPTH}} or {"user", "administrator": true}')
        roles, given = self._organisation.api.gate.roles, document.get("set", {})
        if not isinstance(given, dict):
            raise ControlProblem("privileges: set takes the name of each privilege and its depth")
        depths = {name: depth for name, depth in given.items() if depth is not None}
        for name, depth in depths.items():
            if name not in roles.catalogue or depth not in DEPTHS:
                raise ControlProblem(f"privileges: {name!r} cannot be {depth!r}")
        with self._organisation.tables.lock, self._organisation.tables.transaction():
            user = _user_of(self._organisation, str(document["user"]))
            if document.get("administrator"):
                roles.assign_only(user, SYSTEM_ADMINISTRATOR)
            else:
                roles.have_exactly(user, {name: DEPTHS[depth] for name, depth in depths.items()})
        return self._answer({"user": user, "privileges": depths})

    async def plugins(self, request: Request) -> Response:
        steps = await _document_of(request)
        if not isinstance(steps, list):
            raise ControlProblem("plugins take a list of steps")
        try:
            checked = [read_step(self._organisation.tables.environment, step) for step in steps]
        except StepProblem as problem:
            raise ControlProblem(f"plugins: {problem}") from problem
        with self._organisation.tables.lock, self._organisation.tables.transaction():
            ids = self._organisation.api.gate.custom_logic.replace(checked)
        return self._answer(ids)

    async def graph(self, request: Request) -> Response:
        if request.method == "PUT":
            self._organisation.graph.learn(await _document_of(request))
        with self._organisation.tables.lock:
            return self._answer(self._organisation.graph.document())

    async def limits(self, request: Request) -> Response:
        document = await _document_of(request) if request.method == "PUT" else {}
        if not isinstance(document, dict) or set(document) - set(_ALLOWANCES):
            raise ControlProblem(f"limits take {', '.join(_ALLOWANCES)}")
        limits = self._organisation.limits
        allowance = limits.allowance
        for name, value in document.items():
            if isinstance(value, bool) != (name == "on") or not isinstance(value, int | float) or (name != "on" and value <= 0):
                raise ControlProblem(f"limits: {name} cannot be {value!r}")
            if name == "on":
                limits.enabled = bool(value)
            else:
                setattr(allowance, name, _ALLOWANCES[name](value))
        if document:
            limits.clear()
        return self._answer({"on": limits.enabled, **{name: getattr(allowance, name) for name in _ALLOWANCES if name != "on"}})

    async def known(self, request: Request) -> Response:
        if request.method == "PUT":
            self._authority.learn(await _document_of(request))
        return self._answer(self._authority.document())

    async def refused(self, request: Request, problem: Exception) -> Response:
        return self._answer({"error": {"code": "emulator", "message": str(problem)}}, 400)


async def _document_of(request: Request) -> Any:
    body = await request.body()
    try:
        return msgspec.json.decode(body) if body.strip() else {}
    except msgspec.DecodeError as problem:
        raise ControlProblem("the body is not valid JSON") from problem


def _user_of(organisation: Organisation, name: str) -> str:
    """Return a systemuserid as it is, or the application's user for a client id."""
    user = guid(name)
    if user is not None and organisation.tables.exists(organisation.tables.environment.tables["systemuser"], user):
        return user
    return organisation.tokens.user_of_application(name)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("the instant has no time zone")
    return instant.astimezone(UTC)
