"""Sealed parts of subject requests: opened by nobody without the key, and by nobody once it is destroyed
(ACC-08, EXP-17)."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Barrier, Thread

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_compliance.keys.request_seals import SealBroken, Sealing


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    return Sealing(tmp_path / "data")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
@given(content=st.binary(max_size=2000))
def test_a_part_comes_back_as_it_was_put_in(sealing: Sealing, content: bytes) -> None:
    sealed = sealing.seal("request-1", "given", content)
    assert len(content) < 8 or content not in sealed
    assert sealing.unseal("request-1", "given", sealed) == content


def test_two_seals_of_the_same_content_differ(sealing: Sealing) -> None:
    assert sealing.seal("request-1", "given", b"same") != sealing.seal("request-1", "given", b"same")


@pytest.mark.parametrize("place", [0, 11, 12, 20, -1])
def test_one_altered_byte_is_noticed(sealing: Sealing, place: int) -> None:
    sealed = bytearray(sealing.seal("request-1", "given", b"Kanarie (fictief)"))
    sealed[place] ^= 1
    with pytest.raises(SealBroken) as caught:
        sealing.unseal("request-1", "given", bytes(sealed))
    assert (caught.value.exit_code, caught.value.where) == (7, "request-1")
    assert "Kanarie" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_a_part_that_was_cut_off_is_noticed(sealing: Sealing, length: int) -> None:
    sealed = sealing.seal("request-1", "given", b"Kanarie (fictief)")
    with pytest.raises(SealBroken):
        sealing.unseal("request-1", "given", sealed[:length])


def test_a_part_is_not_passed_off_as_another_one_or_another_requests(sealing: Sealing) -> None:
    sealed = sealing.seal("request-1", "given", b"content")
    sealing.seal("request-2", "given", b"other")
    for request, name in (("request-1", "confirmed"), ("request-2", "given")):
        with pytest.raises(SealBroken):
            sealing.unseal(request, name, sealed)


def test_the_same_key_does_not_open_another_requests_part(sealing: Sealing, tmp_path: Path) -> None:
    """Even where somebody copies the key file."""
    sealed = sealing.seal("request-1", "given", b"content")
    keys = tmp_path / "data" / "keys" / "requests"
    (keys / "request-2.key").write_bytes((keys / "request-1.key").read_bytes())
    with pytest.raises(SealBroken):
        sealing.unseal("request-2", "given", sealed)


def test_without_its_key_nothing_is_left(sealing: Sealing) -> None:
    sealed = sealing.seal("request-1", "given", b"content")
    sealing.destroy("request-1")
    sealing.destroy("request-1")
    assert sealing.unseal("request-1", "given", sealed) is None
    sealing.seal("request-1", "given", b"again")  # another key
    with pytest.raises(SealBroken):
        sealing.unseal("request-1", "given", sealed)


def test_a_key_whose_maker_was_killed_has_no_other_name_once_it_is_destroyed(
    sealing: Sealing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            sealing.seal("request-1", "given", b"content")
    sealing.seal("request-1", "given", b"content")
    sealing.seal("request-2", "given", b"content")
    sealing.destroy("request-1")
    assert [file.name for file in (tmp_path / "data" / "keys" / "requests").iterdir()] == ["request-2.key"]


def test_keys_are_private_and_beside_the_others(sealing: Sealing, tmp_path: Path) -> None:
    sealing.seal("request-1", "given", b"content")
    key = tmp_path / "data" / "keys" / "requests" / "request-1.key"
    assert (len(key.read_bytes()), key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (32, 0o600, 0o700)


def test_two_processes_that_seal_first_agree_on_one_key(sealing: Sealing) -> None:
    together, sealed = Barrier(8), []

    def seal() -> None:
        together.wait()
        sealed.append(sealing.seal("request-1", "given", b"content"))

    threads = [Thread(target=seal) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sealing.unseal("request-1", "given", each) for each in sealed] == [b"content"] * 8


def test_a_key_that_was_cut_off_is_noticed(sealing: Sealing, tmp_path: Path) -> None:
    sealed = sealing.seal("request-1", "given", b"content")
    os.truncate(tmp_path / "data" / "keys" / "requests" / "request-1.key", 7)
    with pytest.raises(SealBroken):
        sealing.unseal("request-1", "given", sealed)


@pytest.mark.parametrize(("length", "size"), [(0, 65_536), (126, 65_536), (65_528, 65_536), (65_529, 262_144), (300_000, 1_048_576)])
def test_what_is_sealed_has_one_of_a_few_sizes(sealing: Sealing, length: int, size: int) -> None:
    """SUS-07: a part with a hundred candidates is as long as one with none."""
    sealed = sealing.seal("request-1", "frozen", b"x" * length)
    assert len(sealed) == size + 12 + 16  # nonce and tag
    assert sealing.unseal("request-1", "frozen", sealed) == b"x" * length


def test_a_part_that_was_sealed_before_parts_were_padded_is_still_read(sealing: Sealing, tmp_path: Path) -> None:
    sealing.seal("request-1", "given", b"makes the key")
    key = (tmp_path / "data" / "keys" / "requests" / "request-1.key").read_bytes()
    sealed = bytes(12) + AESGCM(key).encrypt(bytes(12), b"as it was", b"request-1/given")
    assert sealing.unseal("request-1", "given", sealed) == b"as it was"
