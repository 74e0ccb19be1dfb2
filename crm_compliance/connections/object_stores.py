"""Which storages outside the CRM may be written to: the folder and the container that the settings name, and
nothing else."""

from connectors.interface.objects import ObjectStore
from connectors.storage.local import LocalFolder
from crm_compliance.configuration.settings import Settings
from rules.errors import UsageError
from rules.hints import hint_to
from rules.model.crm_addresses import on_this_machine


def object_stores(settings: Settings) -> tuple[ObjectStore, ...]:
    """Return the storages in which recordings may have content; nothing is sent yet. Raises UsageError: a
    container is named, and it cannot be opened with what is installed and set."""
    stores: list[ObjectStore] = []
    if settings.storage_dir is not None:
        stores.append(LocalFolder(settings.storage_dir))
    if settings.azure_storage is not None and settings.azure_container is not None:
        stores.append(_container(settings, settings.azure_storage.get_secret_value(), settings.azure_container))
    return tuple(stores)


def _container(settings: Settings, storage: str, container: str) -> ObjectStore:
    try:
        from connectors.storage.azure import BlobContainer, credential_of
    except ImportError:
        raise UsageError(
            "Azure Blob Storage needs more packages", hint=hint_to("install_extra", extra="azure"), where="AZURE_STORAGE"
        ) from None
    credential = None
    if storage.startswith("https://") and "?" not in storage:
        if settings.crm_tenant_id is None or settings.crm_client_id is None:
            raise UsageError(
                "AZURE_STORAGE is an address without a signature, and no application is set whose access could be used",
                hint="set CRM_TENANT_ID and CRM_CLIENT_ID, or add the signature (?sv=…), or give a connection string",
                where="AZURE_STORAGE",
            )
        secret, password = settings.crm_client_secret, settings.crm_client_certificate_password
        credential = credential_of(
            settings.crm_tenant_id,
            settings.crm_client_id,
            secret=secret.get_secret_value() if secret is not None else None,
            certificate=settings.crm_client_certificate,
            password=password.get_secret_value() if password is not None else None,
        )
    try:
        store = BlobContainer.open(storage, container, credential)
    except ValueError:  # its message may repeat a key
        hint = "a connection string, or https://ACCOUNT.blob.core.windows.net/ with or without a signature"
        raise UsageError("AZURE_STORAGE is not usable", hint=hint, where="AZURE_STORAGE") from None
    if not store.url.startswith("https://") and not on_this_machine(store.url):
        store.close()
        raise UsageError("AZURE_STORAGE should be https: plain http is for this machine only", where="AZURE_STORAGE")
    return store
