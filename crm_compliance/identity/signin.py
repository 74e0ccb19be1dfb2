"""Who a person is, and in which roles: believed on the emulator, proved by signing in elsewhere (Entra ID or
AD FS, device code).

Believed means: the CRM of the settings is on this machine, and the store has never served another one, which
it refuses when it is opened. Elsewhere the roles are read from a token that is fetched again for every
command; docs/sign-in.md explains how the roles get there."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crm_compliance.configuration.settings import Settings
from crm_compliance.identity.authority import CLOCKS_DIFFER_S, application_of, is_adfs, issuers_in, published, session_of
from crm_compliance.identity.token_cache import SignedIn
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from rules.errors import ComplianceError, UsageError
from rules.model.accounts import account, goes_by
from rules.model.roles import HUMAN_ROLES, SERVICE, Act, Role, may, roles_of

if TYPE_CHECKING:
    import msal

SCOPES = ("User.Read",)
NAMES = ("name", "preferred_username", "unique_name", "upn")  # the first two of Entra ID, the others of AD FS
_ERROR_NAME = re.compile(r"[a-z_]{1,60}")


class NotSignedIn(ComplianceError):
    """A person could not be signed in, or lacks the role in which they want to act."""

    exit_code = 5
    code = "role"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts, in one role; `names` are what else they are called where they signed in."""

    who: str
    role: str
    names: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def is_called(self, account: str) -> bool:
        """Return whether this is their own account, by whatever name."""
        return goes_by(account, (self.who, *self.names))

    def may(self, act: Act) -> bool:
        """Return whether this person may do something in this role."""
        return may(self.who, self.role, act)


def proposer(settings: Settings, who: str | None) -> str:
    """Return who proposes a plan: the service itself, or the person of `--as` (section 9.4). Raises
    UsageError: a name that is none, such as an empty one, which would let whoever proposes approve as well;
    NotSignedIn: the sign-in failed, or the token carries no role that makes plans."""
    if who is None:
        return SERVICE
    if settings.is_loopback or not who:
        return account(who)
    name, roles, _ = _sign_in(settings, who)
    # As in `person`, about the sign-in: there is no role yet for `refuse_role` to record an attempt in.
    fitting = [role.value for role in roles_of(Act.PLAN) if role in HUMAN_ROLES]
    if roles.isdisjoint(fitting):
        raise NotSignedIn(
            "the token of this sign-in carries no app role that makes plans",
            hint=f"one of: {', '.join(fitting)}; the administrator of Entra ID gives it (docs/sign-in.md)",
        )
    return name


def person(settings: Settings, who: str, role: str, *, looks_only: bool = False) -> Person:
    """Return the person who acts, with the role that was asked for; whoever looks only needs to name none for
    a CRM on this machine. Raises UsageError: `--as` or `--role` is missing or unknown, or no CRM is named;
    NotSignedIn: the sign-in failed, or the token does not carry the role; Refused: people have signed in
    elsewhere for this CRM so far (`other_authority`)."""
    if looks_only and settings.is_loopback and not role:
        return Person(who or "nobody", Role.DPO)
    _ = settings.needed_crm_url  # who names none would be asked for a role that a CRM on this machine does not ask for
    if role not in HUMAN_ROLES:
        raise UsageError("--role is missing or unknown", hint=f"one of: {', '.join(HUMAN_ROLES)}")
    if settings.is_loopback:
        return Person(account(who), role)
    name, roles, names = _sign_in(settings, who)
    if role not in roles:
        raise NotSignedIn(
            f"the token of this sign-in does not carry the app role {role}",
            hint="ask the administrator of Entra ID for the role (docs/sign-in.md)",
        )
    return Person(name, role, names)


def _sign_in(settings: Settings, who: str) -> tuple[str, frozenset[str], tuple[str, ...]]:
    """Sign in, or continue a sign-in of this login session. The object id serves as the person's name, so
    that no personal data enters the store: two accounts are two people by that, whatever their names."""
    _ = settings.needed_crm_url  # an act is held against the CRM that it is about
    authority, client = application_of(settings)
    clock = clock_of(settings)
    signed_in = SignedIn(settings.make_data_dir(), authority=authority, client=client, minutes=settings.signin_minutes, now=clock())
    claims = _claims(settings, signed_in, authority, client, who)
    with store_of(settings, clock) as store:
        store.crms.see_authority(authority.casefold(), client.casefold())
    return str(claims.get("oid") or claims["sub"]), frozenset(roles_in(claims.get("roles"))), names_in(claims)


def _claims(settings: Settings, signed_in: SignedIn, authority: str, client: str, who: str) -> Mapping[str, Any]:
    """Return the claims of somebody's id token, fetched just now."""
    if not signed_in.kept.tokens:
        _refuse_without_terminal()
    import msal

    cache = msal.SerializableTokenCache()
    if signed_in.kept.tokens:
        cache.deserialize(signed_in.kept.tokens)
    try:
        application = msal.PublicClientApplication(
            client,
            authority=authority,
            http_client=session_of(settings),
            instance_discovery=False,  # the authority is configured by us; asking Microsoft about it fails behind strict firewalls
            token_cache=cache,
        )
        chosen = signed_in.accounts(application.get_accounts(), who)
        answer: dict[str, Any] | None = None
        if chosen is not None:  # fetched again: a role that was taken away is gone at once
            answer = application.acquire_token_silent(list(SCOPES), chosen, force_refresh=True)
        is_new = not (answer or {}).get("id_token")
        if is_new:
            answer = _by_device_code(application)
        claims = who_signed_in(settings, answer)
    except unusable_answers() as error:  # their texts may hold whole answers
        raise NotSignedIn(
            f"the sign-in service cannot be used ({type(error).__name__})",
            hint="check network, tenant id, authority and the clocks (docs/sign-in.md)",
        ) from None
    if not claims:
        raise NotSignedIn(f"the sign-in failed{reason_of(answer)}", hint="try again")
    account_id = _account_id(application, claims)
    if account_id:
        signed_in.keep(cache.serialize(), account_id, is_new=is_new)
    return claims


def unusable_answers() -> tuple[type[Exception], ...]:
    """Return what is raised where the authority does not answer, or with what nobody can take: MSAL looks at
    little of it beforehand."""
    import msal
    from jwt.exceptions import PyJWTError

    return OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, msal.exceptions.MsalError, PyJWTError


def _by_device_code(application: msal.PublicClientApplication) -> dict[str, Any]:
    _refuse_without_terminal()
    flow: dict[str, Any] = application.initiate_device_flow(scopes=list(SCOPES))
    if "message" not in flow:
        raise NotSignedIn(
            f"the sign-in service does not offer a device code{reason_of(flow)}",
            hint="allow public client flows for the application (docs/sign-in.md)",
        )
    sys.stderr.write(flow["message"] + "\n")
    sys.stderr.flush()
    answer: dict[str, Any] = application.acquire_token_by_device_flow(flow)
    return answer


def _refuse_without_terminal() -> None:
    if not _at_a_terminal():
        raise NotSignedIn("a person must sign in, and this is not a terminal", hint="run the command in a terminal")


def who_signed_in(settings: Settings, answer: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return what the id token in an answer of MSAL says; nothing where there is none, or it is nobody's.
    MSAL leaves it to us to look who issued it, for whom, and until when (OpenID Connect Core 3.1.3.7). Its
    signature need not be looked at: it has come from the authority itself, over TLS. Raises PyJWTError: it is
    not good here; OSError, ValueError: the authority does not tell who it is."""
    if not answer or not answer.get("id_token"):
        return {}
    import jwt

    with session_of(settings) as session:
        issuers = issuers_in(published(settings, session), is_adfs=is_adfs(settings))
    claims: dict[str, Any] = jwt.decode(
        answer["id_token"],
        options={"verify_signature": False, "verify_iss": True, "verify_exp": True, "require": ["iss", "aud", "exp"]},
        issuer=issuers,
        leeway=CLOCKS_DIFFER_S,
    )
    meant, (_, client) = claims["aud"], application_of(settings)
    if client.casefold() not in {str(each).casefold() for each in (meant if isinstance(meant, list) else [meant])}:
        raise jwt.InvalidAudienceError
    return claims if claims.get("oid") or claims.get("sub") else {}


def _account_id(application: msal.PublicClientApplication, claims: Mapping[str, Any]) -> str:
    """Return the name that MSAL has for the account of these claims; empty where it keeps none."""
    ids = {str(claims.get("oid") or ""), str(claims.get("sub") or "")} - {""}
    return next((str(each["home_account_id"]) for each in application.get_accounts() if each.get("local_account_id") in ids), "")


def names_in(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a token calls somebody, the name to greet with first."""
    return tuple(dict.fromkeys(str(claims[each]) for each in NAMES if claims.get(each)))


def roles_in(found: object) -> list[str]:
    """Return the app roles of a token; AD FS writes a single one as text."""
    if isinstance(found, str):
        return [found]
    return [str(role) for role in found] if isinstance(found, list) else []


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def reason_of(answer: Mapping[str, Any] | None) -> str:
    """Return the error's name, where it is one; its description may name the person."""
    name = (answer or {}).get("error")
    return f" ({name})" if isinstance(name, str) and _ERROR_NAME.fullmatch(name) else ""
