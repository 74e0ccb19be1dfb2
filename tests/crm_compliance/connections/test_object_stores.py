"""Which storages the settings open, and what they refuse."""

import sys
from pathlib import Path

import pytest

from connectors.storage.azure import BlobContainer
from connectors.storage.local import LocalFolder
from crm_compliance.configuration.settings import load_settings
from crm_compliance.connections.object_stores import object_stores
from crm_compliance.hints import in_words
from rules.errors import UsageError

KEY = "dmVyem9ubmVu"
STRING = f"DefaultEndpointsProtocol=https;AccountName=fictief;AccountKey={KEY};EndpointSuffix=core.windows.net"
ACCOUNT = "https://fictief.blob.core.windows.net"
APPLICATION = {"CRM_TENANT_ID": "11111111-1111-1111-1111-111111111111", "CRM_CLIENT_ID": "c", "CRM_CLIENT_SECRET": "s"}


def opened(**settings: str) -> tuple[object, ...]:
    return object_stores(load_settings(environ={f"CRM_COMPLIANCE_{name}": value for name, value in settings.items()}))


def test_without_a_setting_nothing_is_reached() -> None:
    assert opened() == ()


def test_the_folder_comes_before_the_container(tmp_path: Path) -> None:
    stores = opened(STORAGE_DIR=str(tmp_path), AZURE_STORAGE=STRING, AZURE_CONTAINER="recordings")
    assert [type(store) for store in stores] == [LocalFolder, BlobContainer]


@pytest.mark.parametrize("storage", [STRING, f"{ACCOUNT}/?sv=2026&sig={KEY}", f"{ACCOUNT}/"])
def test_a_container_is_opened_by_string_signature_or_application(storage: str) -> None:
    (store,) = opened(AZURE_STORAGE=storage, AZURE_CONTAINER="recordings", **APPLICATION)
    assert isinstance(store, BlobContainer)
    assert store.url == f"{ACCOUNT}/recordings"
    store.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"AZURE_STORAGE": STRING}, "azure_container"),
        ({"AZURE_CONTAINER": "recordings"}, "AZURE_CONTAINER: accepted only together with azure_storage"),
        ({"AZURE_STORAGE": f"http://fictief.blob.core.windows.net/?sig={KEY}", "AZURE_CONTAINER": "r"}, "https"),
        ({"AZURE_STORAGE": f"BlobEndpoint=http://10.0.0.1/x;AccountName=x;AccountKey={KEY}", "AZURE_CONTAINER": "r"}, "https"),
        ({"AZURE_STORAGE": f"nonsense {KEY}", "AZURE_CONTAINER": "r"}, "not usable"),
        ({"AZURE_STORAGE": ACCOUNT, "AZURE_CONTAINER": "r"}, "no application is set"),
    ],
)
def test_what_cannot_be_used_is_told_without_its_secret(settings: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says) as refusal:
        opened(**settings)
    assert KEY not in f"{refusal.value} {refusal.value.hint} {refusal.value.where}"


def test_a_service_of_this_machine_may_speak_plain_http() -> None:
    (store,) = opened(AZURE_STORAGE=f"http://127.0.0.1:10000/fictief?sig={KEY}", AZURE_CONTAINER="recordings")
    assert isinstance(store, BlobContainer)
    assert store.url == "http://127.0.0.1:10000/fictief/recordings"
    store.close()


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "connectors.storage.azure", None)
    with pytest.raises(UsageError, match="more packages") as refusal:
        opened(AZURE_STORAGE=STRING, AZURE_CONTAINER="recordings")
    assert "-r requirements-azure.lock" in in_words(refusal.value.hint)
