"""Who a person is, and in which roles: believed on the emulator, proved by signing in elsewhere (Entra ID, device code)."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

from crm_compliance.settings import Settings
from rules.errors import ComplianceError, UsageError

ROLES = ("dpo", "crm_admin", "approver", "auditor")
_NAME = re.compile(r"[\w.@+-]{1,100}")
_ERROR_NAME = re.compile(r"[a-z_]{1,60}")


class NotSignedIn(ComplianceError):
    """A person could not be signed in, or lacks the role in which they want to act."""

    exit_code = 5
    code = "role"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts, in one role."""

    who: str
    role: str


def proposer(settings: Settings, who: str) -> str:
    """Who proposes a plan: the service itself, or the person of `--as`."""
    if not who:
        return "service"
    return _named(who) if settings.is_loopback else _sign_in(settings)[0]


def person(settings: Settings, who: str, role: str) -> Person:
    """The person who acts, with the role that was asked for.

    Raises:
        UsageError: `--as` or `--role` is missing or unknown.
        NotSignedIn: the sign-in failed, or the token does not carry the role.
    """
    if role not in ROLES:
        raise UsageError("--role is missing or unknown", hint=f"one of: {', '.join(ROLES)}")
    if settings.is_loopback:
        return Person(_named(who), role)
    name, roles = _sign_in(settings)
    if role not in roles:
        raise NotSignedIn(
            f"the token of this sign-in does not carry the app role {role}", hint="ask the administrator of Entra ID for the role"
        )
    return Person(name, role)


def _named(who: str) -> str:
    if not _NAME.fullmatch(who):
        raise UsageError("--as is missing or is no account name", hint="--as anna --role crm_admin")
    return who


def _sign_in(settings: Settings) -> tuple[str, frozenset[str]]:
    """Sign in by device code; the object id is the person's name here, so that no personal data enters the store."""
    import msal

    if settings.crm_tenant_id is None or settings.crm_client_id is None:
        raise UsageError(
            "signing in needs an Entra ID application", hint="set CRM_COMPLIANCE_CRM_TENANT_ID and CRM_COMPLIANCE_CRM_CLIENT_ID"
        )
    if not _at_a_terminal():
        raise NotSignedIn("a person must sign in, and this is no terminal", hint="run the command in a terminal")
    try:
        application = msal.PublicClientApplication(
            settings.crm_client_id,
            authority=settings.crm_authority or f"https://login.microsoftonline.com/{settings.crm_tenant_id}",
            verify=str(settings.crm_ca_file) if settings.crm_ca_file is not None else True,
            instance_discovery=False,  # the authority is configured by us; asking Microsoft about it fails behind strict firewalls
        )
        flow: dict[str, Any] = application.initiate_device_flow(scopes=["User.Read"])
        if "message" not in flow:
            raise NotSignedIn(f"Entra ID does not offer a device code{_reason(flow)}", hint="allow public client flows for the application")
        sys.stderr.write(flow["message"] + "\n")
        sys.stderr.flush()
        answer: dict[str, Any] = application.acquire_token_by_device_flow(flow)
    except (OSError, ValueError, msal.exceptions.MsalError) as error:  # their texts may hold whole answers
        raise NotSignedIn(
            f"the sign-in service cannot be used ({type(error).__name__})", hint="check network, tenant id and authority"
        ) from None
    claims = answer.get("id_token_claims")
    if not isinstance(claims, dict) or "oid" not in claims:
        raise NotSignedIn(f"the sign-in failed{_reason(answer)}", hint="try again")
    return str(claims["oid"]), frozenset(str(role) for role in claims.get("roles") or ())


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _reason(answer: dict[str, Any]) -> str:
    """The error's name, where it is one; its description may name the person."""
    name = answer.get("error")
    return f" ({name})" if isinstance(name, str) and _ERROR_NAME.fullmatch(name) else ""
