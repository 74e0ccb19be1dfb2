"""Which tokens the connector presents: a static one for the emulator, Entra ID or AD FS elsewhere."""

from urllib.parse import urlsplit

from connectors.dynamics.http.auth import StaticToken, TokenSource
from connectors.storage.graph import scope_of
from crm_compliance.configuration.setting_types import Client
from crm_compliance.configuration.settings import Settings
from rules.errors import UsageError


def token_source(settings: Settings) -> TokenSource:
    """Return the token source that the settings describe; nothing is sent yet. Raises UsageError: no
    credentials, or a static token for a CRM that is not on this machine."""
    url = settings.crm_url or ""
    if settings.crm_token is not None:
        return StaticToken(settings.crm_token.get_secret_value(), url)
    return _entra(settings, _first_client(settings))


def _first_client(settings: Settings) -> Client:
    if settings.crm_client_id is None:
        raise UsageError(
            "no credentials for the CRM are set",
            hint="set CRM_COMPLIANCE_CRM_TENANT_ID, _CRM_CLIENT_ID and _CRM_CLIENT_SECRET or _CRM_CLIENT_CERTIFICATE",
        )
    return Client(
        client_id=settings.crm_client_id,
        client_secret=settings.crm_client_secret,
        client_certificate=settings.crm_client_certificate,
        client_certificate_password=settings.crm_client_certificate_password,
    )


def credential_of(settings: Settings) -> str | dict[str, str]:
    """Return by what the application proves that it is itself, as MSAL takes it. Raises UsageError: there is
    neither a secret nor a certificate, or the certificate cannot be used."""
    client = _first_client(settings)
    if client.client_secret is not None:
        return client.client_secret.get_secret_value()
    if client.client_certificate is None:
        raise UsageError(
            "people cannot sign in at the console: the application has neither a secret nor a certificate",
            hint="set CRM_COMPLIANCE_CRM_CLIENT_SECRET or _CRM_CLIENT_CERTIFICATE",
        )
    from connectors.dynamics.http.entra import certificate_credential

    password = client.client_certificate_password
    return certificate_credential(client.client_certificate, password.get_secret_value() if password is not None else "")


def more_token_sources(settings: Settings) -> list[TokenSource]:
    """Return those of the further application users; nothing is sent yet. None beside a static token, which
    comes first."""
    if settings.crm_token is not None:
        return []
    return [_entra(settings, client) for client in settings.crm_extra_clients]


def graph_token_source(settings: Settings) -> TokenSource:
    """Return the tokens of the same application for Microsoft Graph; nothing is sent yet. Raises UsageError:
    no credentials, a static token for a Graph that is not on this machine, or an application of AD FS, which
    is none of Entra ID."""
    if settings.crm_token is not None:
        return StaticToken(settings.crm_token.get_secret_value(), settings.graph_url)
    first = _first_client(settings)
    if urlsplit(settings.crm_authority or "").path.rstrip("/").lower() == "/adfs":
        raise UsageError(
            "SharePoint is reached with an application of Entra ID, and CRM_AUTHORITY names AD FS",
            hint="leave SHAREPOINT_SITES out; units with documents there wait",
            where="sharepoint_sites",
        )
    return _entra(settings, first, scope_of(settings.graph_url))


def _entra(settings: Settings, client: Client, scope: str = "") -> TokenSource:
    from connectors.dynamics.http.entra import EntraTokens  # MSAL, where there is no static token

    parts = urlsplit(settings.crm_url or "")
    secret, password = client.client_secret, client.client_certificate_password
    return EntraTokens(
        client_id=client.client_id,
        organisation_url=f"{parts.scheme}://{parts.netloc}",
        tenant_id=settings.crm_tenant_id or "",
        authority=settings.crm_authority or "",
        scope=scope,
        secret=secret.get_secret_value() if secret is not None else "",
        certificate=client.client_certificate or "",
        password=password.get_secret_value() if password is not None else "",
        ca_file=str(settings.crm_ca_file) if settings.crm_ca_file is not None else None,
    )
