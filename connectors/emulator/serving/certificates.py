"""A private certification authority for https on this machine: made at each start, forgotten at the end. The
authority vouches for this machine's names alone, and its private key never leaves memory: a client that
trusts the file trusts nothing else."""

import ipaddress
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOSTS = ("localhost", "127.0.0.1", "::1")
VALID = timedelta(days=30)
EARLIER = timedelta(hours=1)  # a client's clock may be behind


class CertificateProblem(Exception):
    """The authority's certificate cannot be written where it should be."""


@dataclass(frozen=True)
class ServerCertificate:
    """PEM of the authority's certificate, of the server's, and of the server's private key."""

    authority: bytes
    certificate: bytes
    key: bytes

    @contextmanager
    def files(self) -> Iterator[tuple[Path, Path]]:
        """Yield certificate and key as files, in a folder that only their owner may enter and that is removed
        when the block ends."""
        with tempfile.TemporaryDirectory(prefix="emulator-tls-") as folder:  # made with mode 0700
            certificate, key = Path(folder, "server.pem"), Path(folder, "server.key")
            certificate.write_bytes(self.certificate)
            key.touch(mode=0o600)
            key.write_bytes(self.key)
            yield certificate, key


def server_certificate(host: str) -> ServerCertificate:
    """Return a new authority and a certificate of it for the loopback names and for `host`."""
    names = [_general_name(name) for name in dict.fromkeys([*HOSTS, host])]
    now = datetime.now(UTC)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = _common_name("Dataverse emulator, authority of one start")
    authority = (
        _started(authority_name, authority_name, authority_key.public_key(), authority_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([_subtree(name) for name in names], None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _started(_common_name("Dataverse emulator"), authority_name, server_key.public_key(), authority_key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key = server_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ServerCertificate(_pem(authority), _pem(server), key)


def write_authority(path: Path, authority: bytes) -> None:
    """Write the file that clients are configured to trust, whole or not at all; an old one is replaced.
    Raises CertificateProblem: the folder is missing or may not be written."""
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.resolve().parent)
        try:
            with open(handle, "wb") as file:
                os.fchmod(file.fileno(), 0o644)  # a certificate is no secret, and clients may be other users
                file.write(authority)
            os.replace(part, path.resolve())
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part)
            raise
    except OSError as error:
        raise CertificateProblem(f"{path}: {error.strerror or type(error).__name__}") from error


def _started(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, issuing: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    """Return the same name as a constraint: an address is a network of one."""
    return x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress) else name


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
