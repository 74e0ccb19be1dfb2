"""Signing in at a browser: Entra ID or AD FS, authorisation code with PKCE, by MSAL.

Between the way out and the way back, what MSAL has to remember (state, nonce, the verifier of PKCE) is with
the browser, sealed: another browser, or this one a quarter of an hour later, brings back nothing of use."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.credentials import credential_of
from crm_compliance.identity.authority import application_of, is_adfs, session_of
from crm_compliance.identity.signin import SCOPES, NotSignedIn, names_in, reason_of, roles_in, unusable_answers, who_signed_in
from crm_compliance.keys.sealing import seal, unseal
from crm_compliance.keys.single_keys import signin_key
from rules.model.roles import HUMAN_ROLES, SERVICE

if TYPE_CHECKING:
    import msal

    from crm_compliance.store.store import SqlStore

PATH: Final = "/signin/callback"
LASTS: Final = timedelta(minutes=15)
OF_THE_PERSON: Final = frozenset({"access_denied", "invalid_grant"})  # declined, or a code that came late: the next time may go well
Asked = TypeVar("Asked")
_WHAT: Final = b"sign-in at a browser"
log = structlog.get_logger()


class NoAccountHere(NotSignedIn):
    """Somebody has signed in, and has no role of ours."""

    code = "no_role"


class SigninUnusable(NotSignedIn):
    """Nobody can sign in: the authority does not answer, or takes our application for another one."""

    exit_code = 4
    code = "signin_unreachable"


@dataclass(frozen=True, slots=True)
class SomebodyNew:
    """Who has signed in: the object id, the app roles that are ours, and what they are called, the name to
    greet with first."""

    who: str
    roles: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WayOut:
    """Where the browser is sent, and what it keeps meanwhile."""

    address: str
    kept: str


def way_out(settings: Settings, now: datetime, *, as_another: bool) -> WayOut:
    """Begin a sign-in; `as_another`: with another account than the one with which the browser is signed in at
    the authority, which would take that without a question. Raises UsageError: no application is set;
    SigninUnusable: the authority does not answer."""
    # In the query, not as a form: a form from another site would bring no cookie that is ours alone.
    asked = {"redirect_uri": f"{settings.public_url.rstrip('/')}{PATH}", "response_mode": "query"}
    if as_another:
        asked["prompt"] = "login" if is_adfs(settings) else "select_account"
    flow = _asked(lambda: _application(settings).initiate_auth_code_flow(list(SCOPES), **asked))
    if "auth_uri" not in flow:
        raise _unusable(reason_of(flow))
    kept = json.dumps({"flow": flow, "until": (now + LASTS).timestamp()}).encode()
    return WayOut(str(flow["auth_uri"]), seal(signin_key(settings.make_data_dir()), kept, _WHAT).hex())


def way_back(settings: Settings, store: SqlStore, kept: str, query: Mapping[str, str], now: datetime) -> SomebodyNew:
    """End a sign-in with what the browser brought. Raises NotSignedIn: it was not begun here, took too long,
    was declined; NoAccountHere; SigninUnusable; Refused: with code `other_authority`."""
    flow = _opened(settings, kept, now)
    if query.get("state") != flow["state"] or not (query.get("code") or query.get("error")):
        raise _not_begun()
    application = _asked(lambda: _application(settings))
    answer = _asked(lambda: _redeemed(application, flow, query))
    claims = _asked(lambda: who_signed_in(settings, answer))
    if not claims:
        if reason_of(answer).strip(" ()") not in OF_THE_PERSON:
            raise _unusable(reason_of(answer))
        raise NotSignedIn(f"the sign-in failed{reason_of(answer)}", hint="try again")
    authority, client = application_of(settings)
    store.crms.see_authority(authority.casefold(), client.casefold())
    given = set(roles_in(claims.get("roles")))
    roles = tuple(role.value for role in HUMAN_ROLES if role.value in given)
    who = str(claims.get("oid") or claims["sub"])
    if not roles or who == SERVICE:
        raise NoAccountHere("this account has no role here", hint="ask the administrator of Entra ID for an app role (docs/sign-in.md)")
    return SomebodyNew(who, roles, names_in(claims))


def _application(settings: Settings) -> msal.ConfidentialClientApplication:
    import msal

    authority, client = application_of(settings)
    return msal.ConfidentialClientApplication(
        client,
        client_credential=credential_of(settings),
        authority=authority,
        http_client=session_of(settings),
        instance_discovery=False,  # the authority is configured by us; asking Microsoft about it fails behind strict firewalls
    )


def _redeemed(application: msal.ConfidentialClientApplication, flow: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """Return what the authority gives for the code that the browser brought."""
    try:
        found: dict[str, Any] = application.acquire_token_by_auth_code_flow(flow, dict(query))
    except RuntimeError:  # of MSAL: the nonce is not that of this sign-in
        raise _not_begun() from None
    return found


def _asked(ask: Callable[[], Asked]) -> Asked:
    """Ask the authority; what is said of a failure may hold whole answers, and is not repeated."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MSAL's hints are for its callers' developers, not for the log of a service
            return ask()
    except unusable_answers() as error:
        raise _unusable(type(error).__name__) from None


def _unusable(reason: str) -> SigninUnusable:
    """Return the error, and have it in the log: who stands at the door can do nothing about it."""
    reason = reason.strip(" ()")
    log.error("nobody can sign in at the console", reason=reason or "no reason given")
    said = f"the sign-in service cannot be used{f' ({reason})' if reason else ''}"
    return SigninUnusable(said, hint="check network, tenant id, authority, secret and the clocks (docs/sign-in.md)")


def _not_begun() -> NotSignedIn:
    return NotSignedIn("this sign-in was not begun in this browser", hint="sign in again")


def _opened(settings: Settings, kept: str, now: datetime) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(unseal(signin_key(settings.make_data_dir()), bytes.fromhex(kept), _WHAT) or b"")
    except ValueError:
        raise _not_begun() from None
    if now.timestamp() >= found["until"]:
        raise NotSignedIn("this sign-in took too long", hint="sign in again")
    flow: dict[str, Any] = found["flow"]
    return flow
