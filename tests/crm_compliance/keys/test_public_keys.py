"""Public keys travel as PEM, and say whose signature is whose."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_compliance.keys.key_file import KeyKind
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.keys.public_keys import read_pem, write_pem
from rules.errors import UsageError
from tests.crm_compliance.openssl import OPENSSL

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


def two_keys(tmp_path: Path) -> KeyRing:
    ring, _ = KeyRing.open(tmp_path, NOW).rotate(NOW.replace(year=2027))
    return ring


def test_all_keys_come_back_from_the_file_whatever_stands_between_them(tmp_path: Path) -> None:
    ring = two_keys(tmp_path)
    content = b"handed over in person\r\n" + write_pem(ring.public())
    keys = read_pem(content, "keys.pem")
    assert len(keys) == 2
    current = ring.current(KeyKind.SIGNING).id
    assert keys.check(current, b"x", ring.sign(b"x")) is True
    assert all(f"key {key.id}, made".encode() in content for key in ring.public())


@pytest.mark.parametrize("signature", ["", "A", "not base64!", "AAAA", "é"])
def test_what_is_no_signature_does_not_verify(tmp_path: Path, signature: str) -> None:
    ring = two_keys(tmp_path)
    assert read_pem(write_pem(ring.public()), "").check(ring.current(KeyKind.SIGNING).id, b"x", signature) is False


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"-----BEGIN PUBLIC KEY-----"]
)
def test_a_file_without_a_key_is_a_usage_error(content: bytes) -> None:
    with pytest.raises(UsageError, match="no Ed25519 public key"):
        read_pem(content, "keys.pem")


@OPENSSL
def test_openssl_verifies_with_the_same_file(tmp_path: Path) -> None:
    import base64

    ring = KeyRing.open(tmp_path, NOW)
    (tmp_path / "keys.pem").write_bytes(write_pem(ring.public()))
    (tmp_path / "message").write_bytes(b"x")
    (tmp_path / "signature").write_bytes(base64.b64decode(ring.sign(b"x")))
    command = "openssl pkeyutl -verify -pubin -inkey keys.pem -rawin -in message -sigfile signature"
    assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode == 0


@OPENSSL
def test_keys_of_other_kinds_are_left_aside(tmp_path: Path) -> None:
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "X25519"], capture_output=True, check=True).stdout
    other = subprocess.run(["openssl", "pkey", "-pubout"], input=made, capture_output=True, check=True).stdout
    assert len(read_pem(other + write_pem(two_keys(tmp_path).public()), "")) == 2
