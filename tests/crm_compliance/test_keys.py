"""The register key is made once, kept from others, and gives each row one reference."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path
from threading import Barrier, Thread

import pytest

from crm_compliance.files import DiskProblem
from crm_compliance.keys import RegisterKey
from rules.errors import UsageError

ROW = "0e7f1c52-1234-4567-8901-234567890123"


def key_file(data_dir: Path) -> Path:
    return data_dir / "keys" / "register.key"


def test_a_key_is_made_at_first_and_found_again(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    first, again = RegisterKey.open(data_dir), RegisterKey.open(data_dir)
    assert first.reference("cf_dossier", ROW) == again.reference("cf_dossier", ROW)
    assert len(key_file(data_dir).read_bytes()) == 32
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (data_dir, data_dir / "keys", key_file(data_dir))]
    assert modes == [0o700, 0o700, 0o600]
    assert [path.name for path in (data_dir / "keys").iterdir()] == ["register.key"]


def test_two_installations_never_share_a_reference(tmp_path: Path) -> None:
    one, other = RegisterKey.open(tmp_path / "one"), RegisterKey.open(tmp_path / "other")
    assert one.reference("cf_dossier", ROW) != other.reference("cf_dossier", ROW)


def test_programs_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    start, references = Barrier(8), set()

    def begin() -> None:
        start.wait()
        references.add(RegisterKey.open(tmp_path).reference("t", ROW))

    programs = [Thread(target=begin) for _ in range(8)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert len(references) == 1


def test_a_reference_is_the_hmac_of_table_and_id_however_the_id_is_spelled() -> None:
    key = RegisterKey(b"k" * 32)
    expected = hmac.new(b"k" * 32, f"cf_dossier/{ROW}".encode(), hashlib.sha256).hexdigest()
    assert key.reference("cf_dossier", ROW) == key.reference("cf_dossier", f"{{{ROW.upper()}}}") == expected
    assert key.reference("cf_fiche", ROW) != expected


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    RegisterKey.open(tmp_path)
    key_file(tmp_path).chmod(mode)
    with pytest.raises(UsageError, match="others may read") as caught:
        RegisterKey.open(tmp_path)
    assert (caught.value.exit_code, "chmod 600" in caught.value.hint) == (2, True)


def test_a_key_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    RegisterKey.open(tmp_path)
    (tmp_path / "keys").chmod(0o755)
    with pytest.raises(UsageError, match="others may read"):
        RegisterKey.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"k" * 31, b"k" * 33])
def test_a_damaged_key_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    RegisterKey.open(tmp_path)
    key_file(tmp_path).write_bytes(content)
    with pytest.raises(UsageError, match="not a key"):
        RegisterKey.open(tmp_path)
    assert key_file(tmp_path).read_bytes() == content


def test_a_data_folder_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DiskProblem):
        RegisterKey.open(tmp_path / "data")


def test_the_key_never_shows(tmp_path: Path) -> None:
    RegisterKey.open(tmp_path)
    key_file(tmp_path).write_bytes(b"canary-canary-canary-canary-cana")
    key = RegisterKey.open(tmp_path)
    assert "canary" not in f"{key!r} {key}"
