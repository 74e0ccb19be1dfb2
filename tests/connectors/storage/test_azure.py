"""Blobs of one container, against azurite over HTTP; what azurite does not have (versions, soft delete)
against canned answers."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from azure.identity import CertificateCredential, ClientSecretCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from connectors.interface.errors import ObjectError
from connectors.storage.azure import LIMITS, BlobContainer, credential_of
from tests.azurite import ACCOUNT, KEY

URL = "https://fictief.blob.core.windows.net"
STRING = f"DefaultEndpointsProtocol=https;AccountName=fictief;AccountKey={KEY};EndpointSuffix=core.windows.net"


@pytest.fixture
def store(blob_service: str, container: str) -> Iterator[BlobContainer]:
    opened = BlobContainer.open(blob_service, container, None)
    yield opened
    opened.close()


def put(service: BlobServiceClient, container: str, name: str) -> str:
    blob = service.get_blob_client(container, name)
    blob.upload_blob(b"RIFF verzonnen")
    return str(blob.url)


@pytest.mark.parametrize("name", ["call.wav", "2026/gesprek 1.wav", "Éé%20&+.wav", "a?b#c.wav", "50%.wav"])
def test_a_blob_is_found_and_removed_under_its_address(store: BlobContainer, service: BlobServiceClient, container: str, name: str) -> None:
    address, other = put(service, container, name), put(service, container, "other.wav")
    assert store.is_there(address)
    assert store.canonical(address) in {item.address for item in store.listing()}
    store.remove(address)
    assert not store.is_there(address)
    assert [item.address for item in store.listing()] == [store.canonical(other)]


def test_a_folder_of_a_hierarchical_account_is_no_object(store: BlobContainer, service: BlobServiceClient, container: str) -> None:
    address = put(service, container, "2026/call.wav")
    service.get_blob_client(container, "2026").upload_blob(b"", metadata={"hdi_isfolder": "true"})
    service.get_blob_client(container, "2027").upload_blob(b"RIFF", metadata={"hdi_isfolder": "true"})
    assert [item.address for item in store.listing()] == [address, f"{store.url}/2027"]


def test_a_missing_blob_counts_as_removed(store: BlobContainer) -> None:
    store.remove(f"{store.url}/never.wav")
    assert not store.is_there(f"{store.url}/never.wav")


def test_snapshots_and_what_was_made_of_a_blob_go_with_it(store: BlobContainer, service: BlobServiceClient, container: str) -> None:
    """ERA-12, line 6: object, snapshots, transcripts, index, thumbnails."""
    address = put(service, container, "call.wav")
    service.get_blob_client(container, "call.wav").create_snapshot()
    for name in ("call.wav.json", "call.wav.nl.vtt", "call.wav2", "call.txt"):
        put(service, container, name)
    store.remove(address)
    assert not store.is_there(address)
    assert [blob.name for blob in service.get_container_client(container).list_blobs(include=["snapshots"])] == ["call.txt", "call.wav2"]


def test_a_leased_blob_is_an_error_without_its_address(store: BlobContainer, service: BlobServiceClient, container: str) -> None:
    address = put(service, container, "Lotte Peeters (fictief).wav")
    lease = service.get_blob_client(container, "Lotte Peeters (fictief).wav").acquire_lease()
    with pytest.raises(ObjectError, match="LeaseIdMissing") as refusal:
        store.remove(address)
    assert "Peeters" not in f"{refusal.value} {refusal.value.hint} {refusal.value.where} {refusal.value.__cause__}"
    assert store.is_there(address)
    lease.release()
    store.remove(address)
    assert not store.is_there(address)


def test_a_container_that_is_gone_is_no_removal(blob_service: str) -> None:
    store = BlobContainer.open(blob_service, "nowhere", None)
    address = f"{store.url}/call.wav"
    for ask in (lambda: store.remove(address), lambda: store.is_there(address), lambda: list(store.listing())):
        with pytest.raises(ObjectError, match="ContainerNotFound"):
            ask()
    assert [finding.is_error for finding in store.findings()] == [True]
    store.close()


def test_a_signature_alone_is_enough_and_tells_less(
    store: BlobContainer, service: BlobServiceClient, container: str, blob_service: str
) -> None:
    """An account's address with a shared access signature of the container; the account's properties stay
    closed to it."""
    signature = generate_container_sas(
        ACCOUNT,
        container,
        account_key=KEY,
        permission=ContainerSasPermissions(read=True, list=True, delete=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    account = store.url.rpartition("/")[0]
    signed = BlobContainer.open(f"{account}?{signature}", container, None)
    address = put(service, container, "call.wav")
    assert signed.canonical(f"{address}?{signature}") == store.canonical(address)
    signed.remove(f"{address}?sv=expired")
    assert not store.is_there(address)
    assert signed.url == store.url
    signed.close()


def test_a_container_that_can_be_used_has_nothing_to_be_told(store: BlobContainer) -> None:
    assert [finding for finding in store.findings() if finding.is_error] == []


@pytest.mark.parametrize(
    "address",
    [
        "https://fictief.blob.core.windows.net/recordings2/call.wav",
        "https://fictief.blob.core.windows.net/other/call.wav",
        "https://fictief.blob.core.windows.net/recordings/",
        "https://fictief.blob.core.windows.net/recordings",
        "https://fictief.blob.core.windows.net/recordings/../other/call.wav",
        "https://fictief.blob.core.windows.net/recordings/%2e%2e/other/call.wav",
        "https://fictief.blob.core.windows.net/recordings/a//b.wav",
        "https://fictief.blob.core.windows.net/recordings/call.wav#x",
        "https://u@fictief.blob.core.windows.net/recordings/call.wav",
        "https://fictief.blob.core.windows.net.example.org/recordings/call.wav",
        "https://fictief2.blob.core.windows.net/recordings/call.wav",
        "http://fictief.blob.core.windows.net/recordings/call.wav",
        "https://fictief.blob.core.windows.net:99999/recordings/call.wav",
        "file:///recordings/call.wav",
        "",
    ],
)
def test_nothing_outside_the_container_is_reached(address: str) -> None:
    store = BlobContainer.open(STRING, "recordings", None)
    assert store.canonical(address) is None
    with pytest.raises(ObjectError):
        store.remove(address)
    store.close()


def test_one_blob_has_one_spelling() -> None:
    store = BlobContainer.open(STRING, "recordings", None)
    for spelled in ("call 1.wav", "call%201.wav", "c%61ll%201.wav", "call%201.wav?sv=2025&sig=x"):
        assert store.canonical(f"https://FICTIEF.blob.core.windows.net/recordings/{spelled}") == f"{URL}/recordings/call%201.wav"
    store.close()


class Versioned:
    """An account that keeps versions: deleting the current one leaves it as an earlier one."""

    def __init__(self) -> None:
        self.versions = ["v1", "v2", "v3"]
        self.current: str | None = "v3"
        self.is_stubborn = False

    def listing(self, request: object) -> tuple[int, dict[str, str], str]:
        current = "<IsCurrentVersion>true</IsCurrentVersion>"
        blobs = "".join(
            f"<Blob><Name>call.wav</Name><VersionId>{version}</VersionId>{current if version == self.current else ''}"
            "<Properties><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
            for version in self.versions
        )
        body = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>'
        return 200, {"Content-Type": "application/xml"}, body

    def delete(self, request: object) -> tuple[int, dict[str, str], str]:
        version = parse_qs(urlsplit(str(getattr(request, "url", ""))).query).get("versionid")
        if self.is_stubborn:
            return 202, {}, ""
        if version is None:
            self.current = None
        else:
            self.versions.remove(version[0])
        return 202, {}, ""


@pytest.fixture
def versioned() -> Iterator[Versioned]:
    account = Versioned()
    with responses.RequestsMock() as mocked:
        mocked.add_callback("GET", re.compile(rf"{URL}/recordings\?.*comp=list.*"), account.listing)
        mocked.add_callback("DELETE", re.compile(rf"{URL}/recordings/call\.wav.*"), account.delete)
        yield account


def test_every_version_of_a_blob_goes(versioned: Versioned) -> None:
    """ERA-12, line 6: versions, also the one that deleting the current blob makes."""
    store = BlobContainer.open(STRING, "recordings", None)
    assert store.is_there(f"{URL}/recordings/call.wav")
    store.remove(f"{URL}/recordings/call.wav")
    assert (versioned.versions, versioned.current) == ([], None)
    assert not store.is_there(f"{URL}/recordings/call.wav")
    store.close()


def test_versions_that_stay_are_an_error(versioned: Versioned) -> None:
    versioned.is_stubborn = True
    store = BlobContainer.open(STRING, "recordings", None)
    with pytest.raises(ObjectError, match="still there"):
        store.remove(f"{URL}/recordings/call.wav")
    store.close()


@pytest.mark.parametrize(("days", "told"), [(14, ["the account keeps deleted blobs for 14 days (soft delete)"]), (None, [])])
def test_soft_delete_is_told(days: int | None, told: list[str]) -> None:
    """No client can shorten it: somebody has to know."""
    kept = f"<Enabled>true</Enabled><Days>{days}</Days>" if days else "<Enabled>false</Enabled>"
    body = f"<StorageServiceProperties><DeleteRetentionPolicy>{kept}</DeleteRetentionPolicy></StorageServiceProperties>"
    with responses.RequestsMock() as mocked:
        mocked.get(re.compile(rf"{URL}/recordings\?.*"), headers={"x-ms-has-immutability-policy": "false", "x-ms-has-legal-hold": "false"})
        mocked.get(re.compile(rf"{URL}/\?.*comp=properties.*"), body=body, content_type="application/xml")
        store = BlobContainer.open(STRING, "recordings", None)
        assert [finding.message for finding in store.findings()] == told
        store.close()


def test_a_container_that_forbids_deletion_is_an_error() -> None:
    with responses.RequestsMock() as mocked:
        mocked.get(re.compile(rf"{URL}/recordings\?.*"), headers={"x-ms-has-immutability-policy": "true", "x-ms-has-legal-hold": "false"})
        mocked.get(re.compile(rf"{URL}/\?.*comp=properties.*"), status=403)
        store = BlobContainer.open(STRING, "recordings", None)
        assert [finding.is_error for finding in store.findings()] == [True, False]
        store.close()


def test_an_account_that_cannot_be_reached_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "retry_total", 0)
    store = BlobContainer.open("http://127.0.0.1:1/fictief?sv=x&sig=y", "recordings", None)
    with pytest.raises(ObjectError, match="ServiceRequestError") as refusal:
        store.is_there(f"{store.url}/Lotte.wav")
    assert "Lotte" not in f"{refusal.value} {refusal.value.hint}"
    store.close()


def test_the_application_of_the_crm_is_used_without_a_signature(tmp_path: Path) -> None:
    key = tmp_path / "client.pem"
    key.write_bytes(_self_signed())
    assert isinstance(credential_of("t" * 8, "c", secret="s", certificate=None, password=None), ClientSecretCredential)
    assert isinstance(credential_of("t" * 8, "c", secret=None, certificate=key, password=None), CertificateCredential)
    assert isinstance(credential_of("t" * 8, "c", secret=None, certificate=None, password=None), ManagedIdentityCredential)


def _self_signed() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fictief")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    signed = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=9000)).sign(key, hashes.SHA256())
    plain = serialization.PrivateFormat.PKCS8
    return signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, plain, serialization.NoEncryption()
    )


def test_a_blob_is_fetched_whole_and_a_missing_one_is_none(store: BlobContainer, service: BlobServiceClient, container: str) -> None:
    address = put(service, container, "2026/gesprek 1.wav")
    put(service, container, "2026/gesprek 1.wav.json")
    assert store.fetch(address) == b"RIFF verzonnen"
    assert store.fetch(f"{store.url}/never.wav") is None


def test_a_blob_elsewhere_and_a_container_that_is_gone_are_errors_without_the_address(blob_service: str) -> None:
    opened = BlobContainer.open(blob_service, "weg", None)
    try:
        for address in (f"{opened.url}/geheim.wav", "https://elders.example/weg/geheim.wav"):
            with pytest.raises(ObjectError) as caught:
                opened.fetch(address)
            assert "geheim" not in f"{caught.value} {caught.value.hint}"
    finally:
        opened.close()
