"""Who calls the programmatic interface: a token of Entra ID or AD FS, checked against the keys that they
publish. On the emulator the account of one of the demo's people takes its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

import jwt
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from crm_compliance.configuration.settings import Settings
from crm_compliance.identity.authority import CLOCKS_DIFFER_S, application_of, document_at, is_adfs, issuers_in, published, session_of
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from crm_compliance.identity.signin import names_in, roles_in
from rules.errors import ComplianceError
from rules.model.roles import HUMAN_ROLES, SERVICE

if TYPE_CHECKING:
    from crm_compliance.store.store import SqlStore
    from jobs.ports.context import Clock

KEYS_LAST_S: Final = 3_600.0
ASKED_AGAIN_S: Final = 60.0  # a token with a key of which nobody has heard has them asked for again, no more often than this
AUDIENCES: Final = ("", "api://", "microsoft:identityserver:")
_CLAIMS: Final = ("exp", "iat", "iss", "aud")
_FETCHED_BY: Final = frozenset({"azp", "appid"})  # in each access token of Entra ID, of version 2 and of version 1
_OF_SIGN_IN: Final = frozenset({"nonce", "at_hash", "c_hash"})  # OpenID Connect Core 3.1.3.6, 3.3.2.11


class NoToken(ComplianceError):
    """A call brings no token, or none that is good here. What is wrong with one is said by its kind alone."""

    exit_code = 5
    code = "token"


class NoRole(NoToken):
    """Whose token it is may be known, and has no role here."""

    code = "role"


class KeysUnreachable(ComplianceError):
    """The keys by which a token is checked could not be fetched."""

    exit_code = 4
    code = "signin_unreachable"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token stands for, with the roles that are ours, in the order of section 9.4, and what else it
    calls them. An application that calls in nobody's name is not a person: `is_app`."""

    who: str
    roles: tuple[str, ...]
    names: tuple[str, ...] = ()
    is_app: bool = False


class Bearers(Protocol):
    """Finds out whom a token stands for."""

    def holder_of(self, token: str) -> Holder:
        """Return who holds a token. Raises NoToken: it stands for nobody who could call; NoRole;
        KeysUnreachable."""
        ...


class DemoBearers:
    """The token is the account of one of the demo's people; for a store that has only served a CRM on this
    machine."""

    def holder_of(self, token: str) -> Holder:
        person = next((each for each in DEMO_PEOPLE if each.who == token), None)
        if person is None:
            names = ", ".join(each.who for each in DEMO_PEOPLE)
            raise NoToken("nobody in the demonstration has this account", hint=f"the token is one of: {names}")
        return Holder(person.who, (person.role.value,))


@dataclass
class _Published:
    """What the authority publishes of itself, as it was at an instant of a clock that only goes on."""

    issuers: frozenset[str]
    keys: PyJWKSet
    at: float


@dataclass
class TokenBearers:
    """Tokens for our application, of the authority at which people sign in. Keys are kept for an hour."""

    settings: Settings
    store: SqlStore
    clock: Clock
    ticks: Callable[[], float] = monotonic
    _published: _Published | None = None
    _lock: Lock = field(default_factory=Lock)
    _is_noted: bool = False

    @property
    def _is_adfs(self) -> bool:
        return is_adfs(self.settings)

    def holder_of(self, token: str) -> Holder:
        claims = self._claims(token)
        who = str(claims.get("oid") or claims.get("sub") or "")
        given = set(roles_in(claims.get("roles")))
        roles = tuple(role.value for role in HUMAN_ROLES if role.value in given)
        if not who or who == SERVICE:
            raise NoToken("this token is nobody's who could call", hint="fetch one in a person's name (docs/api.md)")
        if not roles:
            raise NoRole("this token carries no role here", hint="ask the administrator of Entra ID for an app role (docs/sign-in.md)")
        if not self._is_noted:
            authority, client = application_of(self.settings)
            self.store.crms.see_authority(authority.casefold(), client.casefold())
            self._is_noted = True
        return Holder(who, roles, names_in(claims), is_app=claims.get("idtyp") == "app" or not claims.get("scp"))

    def _claims(self, token: str) -> Mapping[str, Any]:
        """Return what a token says, once everything about it has been checked."""
        _, client = application_of(self.settings)
        try:
            key, issuers = self._key_of(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=[f"{how}{each}" for how in AUDIENCES for each in (client, client.lower())],
                issuer=list(issuers),
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except PyJWTError as error:  # its text may quote the token
            raise NoToken(
                f"this token is not good here ({type(error).__name__})",
                hint="fetch one for this application: scope api://CLIENT/.default (docs/api.md)",
            ) from None
        self._refuse_sign_in(claims)
        self._check_times(claims)
        return claims

    def _refuse_sign_in(self, claims: Mapping[str, Any]) -> None:
        """Refuse the token that tells our own pages who has signed in: it has the same audience. Entra ID
        names in every access token the application that fetched it; of AD FS only what OpenID Connect gives
        to a sign-in alone is certain."""
        is_named = self._is_adfs or not _FETCHED_BY.isdisjoint(claims)
        if not is_named or not _OF_SIGN_IN.isdisjoint(claims):
            raise NoToken(
                "this token says who has signed in, and opens nothing",
                hint="send the access token: scope api://CLIENT/.default (docs/api.md)",
            )

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """Hold a token's times against our clock, which a demonstration may have moved."""
        now = self.clock().timestamp()
        try:
            begins, ends = float(claims.get("nbf", 0)), float(claims["exp"])
        except (TypeError, ValueError):
            raise NoToken("this token has no times", hint="fetch another") from None
        if now >= ends + CLOCKS_DIFFER_S or now < begins - CLOCKS_DIFFER_S:
            raise NoToken("this token is not valid now", hint="fetch a new one; compare the clocks if that does not help")

    def _key_of(self, wanted: str) -> tuple[PyJWK, frozenset[str]]:
        with self._lock:
            published, now = self._published, self.ticks()
            if published is None or now - published.at >= KEYS_LAST_S:
                published = self._published = self._fetched(now)
            found = _named(published.keys, wanted)
            if found is None and now - published.at >= ASKED_AGAIN_S:
                published = self._published = self._fetched(now)
                found = _named(published.keys, wanted)
        if found is None:
            raise NoToken("this token is signed by a key that the sign-in service does not publish", hint="fetch another")
        return found, published.issuers

    def _fetched(self, now: float) -> _Published:
        try:
            with session_of(self.settings) as session:
                told = published(self.settings, session)
                keys = document_at(session, str(told.get("jwks_uri", "")))
            return _Published(issuers_in(told, is_adfs=self._is_adfs), PyJWKSet.from_dict(dict(keys)), now)
        except (OSError, ValueError, PyJWTError) as error:
            raise KeysUnreachable(
                f"the keys of the sign-in service cannot be fetched ({type(error).__name__})",
                hint="check network, tenant id and authority",
            ) from None


def bearers_of(settings: Settings, store: SqlStore, clock: Clock) -> Bearers:
    """Return what checks the tokens of callers for these settings."""
    return DemoBearers() if settings.is_loopback else TokenBearers(settings, store, clock)


def _named(keys: PyJWKSet, wanted: str) -> PyJWK | None:
    return next((key for key in keys.keys if key.key_id == wanted and wanted), None)
