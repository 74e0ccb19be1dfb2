"""When what the settings name will end: certificates, and the signature in the address of a storage.

What nobody renews in time stops every night at once. Of the secret of an application nobody but Entra ID
knows when it ends."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

from crm_compliance.configuration.settings import Settings
from rules.errors import UsageError

RENEW_CLIENT = "register the next one with the application before, then put it in the place of this one"


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends at an instant; `is_needed` is false where other connections may go on without
    it."""

    what: str
    at: datetime
    remedy: str
    where: str
    is_needed: bool = True


def endings(settings: Settings) -> Iterator[Ending]:
    """Yield what the settings name. Raises UsageError: a certificate cannot be used, or the file of trusted
    ones cannot be read."""
    if settings.crm_token is None:
        if settings.crm_client_certificate is not None:
            password = settings.crm_client_certificate_password
            yield client_ending(settings.crm_client_certificate, password.get_secret_value() if password else "", "CRM_CLIENT_CERTIFICATE")
        for client in settings.crm_extra_clients:
            if client.client_certificate is not None:
                password = client.client_certificate_password
                yield client_ending(client.client_certificate, password.get_secret_value() if password else "", "CRM_EXTRA_CLIENTS")
    if settings.crm_ca_file is not None:
        yield from _trusted(settings.crm_ca_file)
    if settings.azure_storage is not None and (at := _signature_end(settings.azure_storage.get_secret_value())) is not None:
        yield Ending("the signature of the storage", at, "make another one, and set it in AZURE_STORAGE", "AZURE_STORAGE")


def client_ending(path: Path, password: str, where: str) -> Ending:
    """Return when a certificate ends by which an application proves that it is itself. Raises UsageError: it
    cannot be used."""
    from connectors.dynamics.http.entra import certificate_end

    return Ending(f"the certificate {path}", certificate_end(path, password), RENEW_CLIENT, where)


def _trusted(path: Path) -> Iterator[Ending]:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise UsageError("this file holds no certificate", hint="CRM_CA_FILE names a PEM file", where=str(path)) from None
    for certificate in found:
        name = certificate.subject.rfc4514_string()[:60]
        yield Ending(f"the trusted {name} of {path}", certificate.not_valid_after_utc, "add its successor", "CRM_CA_FILE", is_needed=False)


def _signature_end(storage: str) -> datetime | None:
    """Return when a shared access signature ends (`se`), in an address or a connection string; None where
    there is none, or it does not say."""
    marked = storage.partition("SharedAccessSignature=")[2].partition(";")[0] or storage.partition("?")[2]
    for text in parse_qs(marked.lstrip("?")).get("se", []):
        with suppress(ValueError):
            at = datetime.fromisoformat(text)
            return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return None
