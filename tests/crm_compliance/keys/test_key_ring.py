"""The keys are made once, kept from others, replaced each year, and a register key goes when its term is over
(9.2, ACC-07)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from crm_compliance.host.files import DiskProblem
from crm_compliance.keys import key_file, key_ring
from crm_compliance.keys.key_file import Key, KeyKind, KeyUnusable
from crm_compliance.keys.key_ring import KeyRing, public_keys_below
from crm_compliance.keys.public_keys import PublicKeys
from crm_compliance.keys.single_keys import memory_key
from rules.errors import Refused, UsageError

ROW = "0e7f1c52-1234-4567-8901-234567890123"
NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)
NEXT_YEAR = NOW.replace(year=2027)


def ring_of(tmp_path: Path, now: datetime = NOW) -> KeyRing:
    return KeyRing.open(tmp_path, now)


def file_of(ring: KeyRing, kind: KeyKind = KeyKind.REGISTER) -> Path:
    return ring.folder / f"{ring.current(kind).id}.key"


def test_keys_are_made_at_first_and_found_again(tmp_path: Path) -> None:
    first, again = ring_of(tmp_path / "data"), ring_of(tmp_path / "data", NEXT_YEAR)
    assert first.reference("cf_dossier", ROW) == again.reference("cf_dossier", ROW)
    assert [key.id for key in first.keys] == [key.id for key in again.keys]
    assert [key.id[:10] for key in first.keys] == ["r-2026-11-", "s-2026-11-"]
    paths = [tmp_path / "data", first.folder, file_of(first), file_of(first, KeyKind.SIGNING)]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o700, 0o700, 0o600, 0o600]


def test_two_installations_never_share_a_reference(tmp_path: Path) -> None:
    assert ring_of(tmp_path / "one").reference("cf_dossier", ROW) != ring_of(tmp_path / "other").reference("cf_dossier", ROW)


def test_programs_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    start, rings = Barrier(8), []

    def begin() -> None:
        start.wait()
        rings.append(ring_of(tmp_path))

    programs = [Thread(target=begin) for _ in range(8)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert len({(ring.reference("t", ROW), ring.sign(b"x")) for ring in rings}) == 1
    assert len(list((tmp_path / "keys").glob("*.key"))) == 2


def test_a_reference_is_the_hmac_of_table_and_id_however_the_id_is_spelled(tmp_path: Path) -> None:
    key = Key("r-2026-11-00000000", KeyKind.REGISTER, 1, NOW, base64.b64encode(b"k" * 32).decode())
    ring = KeyRing(tmp_path, [key])
    expected = hmac.new(b"k" * 32, f"cf_dossier/{ROW}".encode(), hashlib.sha256).hexdigest()
    assert ring.reference("cf_dossier", ROW) == ring.reference("cf_dossier", f"{{{ROW.upper()}}}") == expected
    assert ring.reference("cf_fiche", ROW) != expected


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int, kind: KeyKind) -> None:
    file_of(ring_of(tmp_path), kind).chmod(mode)
    with pytest.raises(KeyUnusable, match="others may read") as caught:
        ring_of(tmp_path)
    assert (caught.value.exit_code, "chmod 600" in caught.value.hint) == (2, True)


def test_a_key_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    ring_of(tmp_path).folder.chmod(0o755)
    with pytest.raises(KeyUnusable, match="others may read"):
        ring_of(tmp_path)


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("damage", [lambda text: b"", lambda text: text[:-1], lambda text: text.replace(b"==", b"="), lambda text: b"{}"])
def test_a_damaged_key_is_refused_and_never_replaced(tmp_path: Path, damage: object, kind: KeyKind) -> None:
    file = file_of(ring_of(tmp_path), kind)
    content = damage(file.read_bytes())  # type: ignore[operator]
    if content == file.read_bytes():
        content = content.replace(b'"secret":"', b'"secret":"A')
    file.write_bytes(content)
    with pytest.raises(KeyUnusable, match="not a key"):
        ring_of(tmp_path)
    assert file.read_bytes() == content


def test_a_signing_key_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    """The id comes from the key: nobody can slip one of his own under a known name."""
    file, other = file_of(ring_of(tmp_path / "one"), KeyKind.SIGNING), ring_of(tmp_path / "other").current(KeyKind.SIGNING)
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps(document | {"secret": other.secret, "public": other.public}))
    with pytest.raises(KeyUnusable, match="not a key"):
        ring_of(tmp_path / "one")


def test_a_data_folder_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DiskProblem):
        ring_of(tmp_path / "data")


def test_keys_never_show(tmp_path: Path) -> None:
    ring = ring_of(tmp_path)
    shown = f"{ring!r} {ring} {ring.keys!r}"
    assert [key.secret for key in ring.keys if key.secret in shown] == []


# -- from year to year ---------------------------------------------------------------------------------------


def test_keys_are_due_when_they_are_a_year_old(tmp_path: Path) -> None:
    ring = ring_of(tmp_path)
    assert not ring.is_due(NEXT_YEAR - timedelta(seconds=1))
    assert ring.is_due(NEXT_YEAR)
    leap = KeyRing.open(tmp_path / "leap", datetime(2028, 2, 29, tzinfo=UTC))
    assert [leap.is_due(datetime(2029, *day, tzinfo=UTC)) for day in ((2, 28), (3, 1))] == [False, True]


def test_a_new_key_gives_other_references_and_the_old_ones_can_still_be_computed(tmp_path: Path) -> None:
    old = ring_of(tmp_path)
    new, _ = old.rotate(NEXT_YEAR)
    assert new.reference("t", ROW) != old.reference("t", ROW)
    assert new.references("t", ROW) == (new.reference("t", ROW), old.reference("t", ROW))
    assert ring_of(tmp_path).references("t", ROW) == new.references("t", ROW)


def test_what_an_old_signing_key_signed_still_verifies_and_its_private_half_is_gone(tmp_path: Path) -> None:
    old = ring_of(tmp_path)
    id, secret, signature = old.current(KeyKind.SIGNING).id, old.current(KeyKind.SIGNING).secret, old.sign(b"message")
    new, _ = old.rotate(NEXT_YEAR)
    keys = PublicKeys(key.raw for key in new.public())
    assert keys.check(id, b"message", signature) is True
    assert keys.check(id, b"other", signature) is False
    assert keys.check(new.current(KeyKind.SIGNING).id, b"message", signature) is False
    assert keys.check("s-2026-11-0000000000000000", b"message", signature) is None
    assert not any(secret.encode() in file.read_bytes() for file in (tmp_path / "keys").iterdir())
    assert [key.id for key in ring_of(tmp_path).of(KeyKind.SIGNING)] == [id, new.current(KeyKind.SIGNING).id]


def test_the_old_signing_key_signs_the_new_one(tmp_path: Path) -> None:
    old = ring_of(tmp_path)
    _, entries = old.rotate(NEXT_YEAR)
    (entry,) = (entry for entry in entries if entry["kind"] == "signing")
    keys = PublicKeys([old.public()[0].raw])
    assert keys.check(str(entry["from"]), base64.b64decode(str(entry["public"])), str(entry["signature"])) is True


def test_programs_that_rotate_at_once_rotate_once(tmp_path: Path) -> None:
    one, other = ring_of(tmp_path), ring_of(tmp_path)
    one.rotate(NEXT_YEAR, if_due=True)
    ring, entries = other.rotate(NEXT_YEAR, if_due=True)
    assert (entries, len(ring.of(KeyKind.REGISTER))) == ([], 2)


def test_a_replaced_signing_key_whose_private_half_survived_a_power_cut_is_no_stranger(tmp_path: Path) -> None:
    old = ring_of(tmp_path)
    file = file_of(old, KeyKind.SIGNING)
    content = file.read_bytes()
    old.rotate(NEXT_YEAR)
    file.write_bytes(content)  # as if the overwriting had not happened
    file.chmod(0o600)
    assert len(ring_of(tmp_path).of(KeyKind.SIGNING)) == 2


class Killed(BaseException):
    """Stands for SIGKILL, or a power cut."""


def test_a_rotation_that_was_cut_off_is_finished_by_whoever_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it had reached: the ledger hears of each key once, the new signing key signed by the old one,
    of which the private half is gone then. A key that the ledger never heard of would not be missed once it
    is lost."""
    for step in ("new_key", "signed", "keep_public_half", "overwrite", "wipe"):
        folder = tmp_path / step
        old = ring_of(folder)
        told: dict[str, dict[str, object]] = {key.id: {} for key in old.keys}

        def tell(entries: Sequence[dict[str, object]], told: dict[str, dict[str, object]] = told) -> None:
            for entry in entries:
                assert str(entry["to"]) not in told
                told[str(entry["to"])] = entry

        def killed(*_: object) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            for module in (key_ring, key_file):
                patched.setattr(module, step, killed)
            with pytest.raises(Killed):
                old.rotate(NEXT_YEAR, tell=tell)
        ring = ring_of(folder).settle(told.keys, tell)
        is_made = step not in ("new_key", "signed")  # the old one signs the new one before that is kept
        if is_made:
            new = ring.current(KeyKind.SIGNING)
            entry = told[new.id]
            keys = PublicKeys([old.public()[0].raw])
            assert keys.check(str(entry["from"]), base64.b64decode(new.public), str(entry["signature"])) is True
        assert {key.id for key in ring.keys} == set(told)
        assert [bool(key.secret) for key in ring.of(KeyKind.SIGNING)] == ([False, True] if is_made else [True])
        assert not list((folder / "keys").glob("*.gone"))
        assert ring_of(folder).settle(told.keys, tell).keys == ring.keys


def test_a_rotation_of_which_the_ledger_could_not_be_told_destroys_nothing(tmp_path: Path) -> None:
    """A database that another program holds, a full disk: what the old key signed cannot be signed again
    without it."""
    old = ring_of(tmp_path)

    def refused(entries: Sequence[dict[str, object]]) -> None:
        raise UsageError("the database is locked")

    with pytest.raises(UsageError):
        old.rotate(NEXT_YEAR, tell=refused)
    assert all(key.secret for key in ring_of(tmp_path).of(KeyKind.SIGNING))


# -- destroying ----------------------------------------------------------------------------------------------


def test_a_register_key_is_destroyed_only_when_the_certificates_that_it_protects_are_past_their_term(tmp_path: Path) -> None:
    old = ring_of(tmp_path)
    id = old.current(KeyKind.REGISTER).id
    with pytest.raises(Refused, match="in use"):
        old.destroy(id, 10, NOW.replace(year=2099))
    ring, _ = old.rotate(NEXT_YEAR)
    term = NEXT_YEAR.replace(year=2037)
    with pytest.raises(Refused, match="2037-11-25") as caught:
        ring.destroy(id, 10, term - timedelta(seconds=1))
    assert caught.value.exit_code == 5
    content = (tmp_path / "keys" / f"{id}.key").read_bytes()
    left = ring.destroy(id, 10, term)
    assert [key.id for key in left.of(KeyKind.REGISTER)] == [ring.current(KeyKind.REGISTER).id]
    assert len(ring_of(tmp_path).references("t", ROW)) == 1
    assert not any(content == file.read_bytes() for file in (tmp_path / "keys").iterdir())


def test_a_key_is_written_over_before_its_name_goes(tmp_path: Path) -> None:
    old = ring_of(tmp_path)
    file = file_of(old)
    secret = file.read_bytes()
    (tmp_path / "held").hardlink_to(file)  # what a disk would still hold once the name is gone
    ring, _ = old.rotate(NEXT_YEAR)
    ring.destroy(file.stem, 10, NOW.replace(year=2040))
    held = (tmp_path / "held").read_bytes()
    assert (len(held), held != secret) == (len(secret), True)


def test_a_key_whose_maker_was_killed_has_no_other_name_once_it_is_destroyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", killed)
        with pytest.raises(Killed):
            ring_of(tmp_path)
    id = ring_of(tmp_path).current(KeyKind.REGISTER).id
    ring, _ = ring_of(tmp_path).rotate(NEXT_YEAR)
    ring.destroy(id, 10, NOW.replace(year=2040))
    assert not [file.name for file in (tmp_path / "keys").iterdir() if id in file.name]


def test_a_key_that_the_ledger_says_was_destroyed_is(tmp_path: Path) -> None:
    """Also where the command was killed before it came to the file; a key in use stays whatever is said."""
    old = ring_of(tmp_path).current(KeyKind.REGISTER).id
    ring, _ = ring_of(tmp_path).rotate(NEXT_YEAR)
    ids = [key.id for key in ring.keys]
    left = ring.settle(lambda: ids, lambda _: None, {old, ring.register_key, ring.signing_key})
    assert [key.id for key in left.keys] == [id for id in ids if id != old]
    assert not [file.name for file in (tmp_path / "keys").iterdir() if old in file.name]


def test_a_signing_key_is_never_destroyed_by_hand(tmp_path: Path) -> None:
    ring = ring_of(tmp_path)
    with pytest.raises(UsageError, match="private half"):
        ring.destroy(ring.current(KeyKind.SIGNING).id, 10, NOW)
    with pytest.raises(UsageError, match="no such key"):
        ring.destroy("r-2026-11-ffffffff", 10, NOW)


# -- beside --------------------------------------------------------------------------------------------------


def test_the_ledger_is_told_of_a_first_key_once(tmp_path: Path) -> None:
    ring = ring_of(tmp_path)
    assert len(ring.untold()) == 2
    ring.mark_told(ring.untold())
    assert ring_of(tmp_path).untold() == []


def test_public_keys_are_looked_for_without_making_any(tmp_path: Path) -> None:
    assert public_keys_below(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()
    ring = ring_of(tmp_path)
    found = public_keys_below(tmp_path)
    assert found is not None
    assert found.check(ring.current(KeyKind.SIGNING).id, b"x", ring.sign(b"x")) is True


def test_the_memory_key_is_made_once(tmp_path: Path) -> None:
    assert memory_key(tmp_path) == memory_key(tmp_path) != memory_key(tmp_path / "other")
    (tmp_path / "keys" / "memory.key").write_bytes(b"short")
    with pytest.raises(KeyUnusable, match="32 bytes"):
        memory_key(tmp_path)
