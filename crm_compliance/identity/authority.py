"""The authority at which people sign in, Entra ID or AD FS: which application of it is ours, and what it
publishes of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from crm_compliance.configuration.settings import Settings
from rules.errors import UsageError
from rules.model.crm_addresses import entra_of

if TYPE_CHECKING:
    import requests

    from connectors.dynamics.http.entra import PatientSession

ENTRA_V1: Final = "https://sts.windows.net/"  # who issues tokens of an interface for which version 2 was not chosen
CLOCKS_DIFFER_S: Final = 300  # as the CRM's clock may (jobs/checks/same_clock.py); AD FS dates a token from the moment it is made


def application_of(settings: Settings) -> tuple[str, str]:
    """Return the authority and the application that people sign in by."""
    tenant, client = settings.crm_tenant_id, settings.crm_client_id
    if client is None or (tenant is None and settings.crm_authority is None):
        raise UsageError(
            "signing in needs an Entra ID application",
            hint="set CRM_COMPLIANCE_CRM_TENANT_ID and CRM_COMPLIANCE_CRM_CLIENT_ID, or CRM_COMPLIANCE_CRM_AUTHORITY for AD FS",
        )
    return (settings.crm_authority or f"{entra_of(settings.crm_url or '')}/{tenant}").rstrip("/"), client


def is_adfs(settings: Settings) -> bool:
    """Return whether people sign in at AD FS, and not at Entra ID."""
    return settings.crm_authority is not None and application_of(settings)[0].casefold().endswith("/adfs")


def session_of(settings: Settings) -> PatientSession:
    """Return what the authority is asked by."""
    from connectors.dynamics.http.entra import PatientSession

    return PatientSession(str(settings.crm_ca_file) if settings.crm_ca_file is not None else None)


def published(settings: Settings, session: requests.Session) -> Mapping[str, Any]:
    """Return what the authority publishes of itself (OpenID Connect Discovery). Raises OSError, ValueError:
    it does not answer, or with something else."""
    authority, _ = application_of(settings)
    return document_at(session, f"{authority}{'' if is_adfs(settings) else '/v2.0'}/.well-known/openid-configuration")


def document_at(session: requests.Session, address: str) -> Mapping[str, Any]:
    """Return a document of the authority. Raises OSError, ValueError: it does not answer, or with something
    else."""
    answer = session.get(address)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def issuers_in(told: Mapping[str, Any], *, is_adfs: bool) -> frozenset[str]:
    """Return by what names the authority issues tokens, from what it publishes of itself; a tenant of Entra
    ID is a part of each, so that none is of another tenant."""
    issuers = {str(told[name]) for name in ("issuer", "access_token_issuer") if told.get(name)}
    if not is_adfs:
        issuers |= {f"{ENTRA_V1}{urlsplit(each).path.split('/')[1]}/" for each in issuers if urlsplit(each).path.strip("/")}
    return frozenset(issuers)
