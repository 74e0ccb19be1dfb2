"""Content of recordings in one container of Azure Blob Storage, which the CRM names by https addresses.

Needs the extra `azure`. Versions and snapshots are deleted with their blob (Microsoft Learn, "Blob
versioning", "Blob snapshots"). What the account keeps on its own after a deletion (soft delete) no client can
shorten: `findings` states for how many days."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.identity import CertificateCredential, ClientSecretCredential, ManagedIdentityCredential
from azure.storage.blob import BlobProperties, BlobServiceClient

from connectors.interface.errors import Finding, ObjectError
from connectors.interface.objects import Stored
from connectors.storage.derivatives import is_made_of, made_of

HISTORY = ["versions", "snapshots"]
PASSES = 3  # deleting the current version of a blob leaves it as an earlier one, which the next pass finds
WHERE = "AZURE_STORAGE"
# Seconds. The library's own patience, a minute and a half for each blob, would keep a run from ending when
# the account is not there.
LIMITS: dict[str, Any] = {
    "retry_total": 2,
    "retry_connect": 2,
    "retry_read": 2,
    "retry_status": 2,
    "initial_backoff": 2,
    "increment_base": 2,
    "connection_timeout": 20,
    "read_timeout": 60,
}


class BlobContainer:
    """The blobs of one container; a query in an address (a signature) is ignored: our access is used."""

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._service = service
        self._client = service.get_container_client(container)
        self._root = str(self._client.url).partition("?")[0].rstrip("/")

    @classmethod
    def open(cls, storage: str, container: str, credential: TokenCredential | None) -> "BlobContainer":
        """Open a container by a connection string or an account's URL, whose query is a shared access
        signature; nothing is sent yet. `credential` is used where the URL brings no signature. Raises
        ValueError: the connection string is none. Its message may repeat secrets."""
        if not storage.startswith(("https://", "http://")):
            return cls(BlobServiceClient.from_connection_string(storage, **LIMITS), container)
        url, _, signature = storage.partition("?")
        return cls(BlobServiceClient(url, credential=signature or credential, **LIMITS), container)

    @property
    def described(self) -> str:
        return "a container of Azure Blob Storage"

    @property
    def url(self) -> str:
        """The address of the container, without a signature."""
        return self._root

    def close(self) -> None:
        self._service.close()

    def canonical(self, address: str) -> str | None:
        name = self._name(address)
        return None if name is None else self._address(name)

    def remove(self, address: str, kept: Collection[str] = ()) -> None:
        name = self._needed(address)
        with _explained("a blob cannot be removed"):
            for _ in range(PASSES):
                found = self._belonging(name, kept)
                for blob in sorted(found, key=lambda blob: (blob.name == name, blob.is_current_version is not False)):
                    self._delete(blob)
                if not found:
                    return
        raise ObjectError("a blob is still there after it was removed", hint="look at the versions in the container", where=WHERE)

    def is_there(self, address: str, kept: Collection[str] = ()) -> bool:
        with _explained("a blob cannot be looked for"):
            return bool(self._belonging(self._needed(address), kept))

    def fetch(self, address: str) -> bytes | None:
        name = self._needed(address)
        with _explained("a blob cannot be read"):
            try:
                found: bytes = self._client.get_blob_client(name).download_blob().readall()
            except ResourceNotFoundError as error:
                if getattr(error, "error_code", None) != "BlobNotFound":
                    raise
                return None
            return found

    def listing(self) -> Iterator[Stored]:
        """Yield every blob of which anything remains, each once, by name."""
        with _explained("the container cannot be listed"):
            found = (blob for blob in self._client.list_blobs(include=[*HISTORY, "metadata"]) if not _is_folder(blob))
            for name, _ in groupby(found, key=lambda blob: str(blob.name)):
                yield Stored(self._address(name), tuple(self._address(other) for other in made_of(name)))

    def findings(self) -> list[Finding]:
        """Return whether the container can be reached, and what it keeps of a deleted blob."""
        try:
            with _explained("the container cannot be reached"):
                container = self._client.get_container_properties()
        except ObjectError as error:
            return [Finding(True, str(error), WHERE)]
        found = []
        if container.has_immutability_policy or container.has_legal_hold:
            found.append(Finding(True, "the container forbids deletion (immutability policy or legal hold)", WHERE))
        try:
            kept = self._service.get_service_properties()["delete_retention_policy"]
        except AzureError:
            found.append(Finding(False, "whether the account keeps deleted blobs cannot be told with this access", WHERE))
        else:
            if kept is not None and kept.enabled:
                found.append(Finding(False, f"the account keeps deleted blobs for {kept.days} days (soft delete)", WHERE))
        return found

    def _needed(self, address: str) -> str:
        name = self._name(address)
        if name is None:
            raise ObjectError("an object does not lie in the container", hint="AZURE_STORAGE and AZURE_CONTAINER name it", where=WHERE)
        return name

    def _name(self, address: str) -> str | None:
        """Return the name of the blob that an address names; None where it is elsewhere."""
        try:
            parts, root = urlsplit(address), urlsplit(self._root)
            here = (parts.scheme, parts.hostname, parts.port) == (root.scheme, root.hostname, root.port)
        except ValueError:
            return None
        name = unquote(parts.path.removeprefix(f"{root.path}/"))
        if not here or parts.username is not None or parts.fragment or not parts.path.startswith(f"{root.path}/"):
            return None
        return name if name and not {"", ".", ".."} & set(name.split("/")) else None

    def _address(self, name: str) -> str:
        return f"{self._root}/{quote(name, safe='/')}"

    def _belonging(self, name: str, kept: Collection[str]) -> list[BlobProperties]:
        """Return everything that exists of a blob: itself, versions, snapshots, and what was made of it and
        is not kept."""
        found = self._client.list_blobs(name_starts_with=name, include=HISTORY)
        return [
            blob for blob in found if blob.name == name or (is_made_of(str(blob.name), name) and self._address(str(blob.name)) not in kept)
        ]

    def _delete(self, blob: BlobProperties) -> None:
        try:
            if blob.snapshot is not None:
                self._client.get_blob_client(str(blob.name), snapshot=blob.snapshot).delete_blob()
            elif blob.version_id is not None and not blob.is_current_version:
                self._client.get_blob_client(str(blob.name)).delete_blob(version_id=blob.version_id)
            else:
                self._client.get_blob_client(str(blob.name)).delete_blob(delete_snapshots="include")
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", None) != "BlobNotFound":  # a container that is gone is not a removal
                raise


def _is_folder(blob: BlobProperties) -> bool:
    """Return whether this is a folder: accounts with a hierarchical namespace list them among blobs."""
    return not blob.size and (blob.metadata or {}).get("hdi_isfolder") == "true"


def credential_of(tenant: str, client: str, *, secret: str | None, certificate: Path | None, password: str | None) -> TokenCredential:
    """Return the application's own access; nothing is sent yet."""
    if certificate is not None:
        return CertificateCredential(tenant, client, certificate_path=str(certificate), password=password)
    if secret is not None:
        return ClientSecretCredential(tenant, client, secret)
    return ManagedIdentityCredential(client_id=client)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Raise the service's errors in our words: its own messages hold the address of the blob."""
    try:
        yield
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or error.status_code or "no answer"
        raise ObjectError(f"{what}: {getattr(code, 'value', code)}", hint="look at the access to the container", where=WHERE) from None
    except AzureError as error:
        raise ObjectError(f"{what}: {type(error).__name__}", hint="is the storage account reachable?", where=WHERE) from None
