"""Files below the storage folder, and nothing outside it, whatever an address says."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface.errors import ObjectError
from connectors.storage.local import LocalFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "objects" / "2026").mkdir(parents=True)
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> LocalFolder:
    return LocalFolder(folder)


def put(path: Path) -> str:
    path.write_bytes(b"RIFF verzonnen")
    return path.as_uri()


@pytest.mark.parametrize("name", ["call.wav", "gesprek 1.wav", "Éé%20&+.wav", "50%.wav", "a?b#c.wav", "-rf", "2026/call.wav"])
def test_an_object_is_found_and_removed_under_its_address(store: LocalFolder, folder: Path, name: str) -> None:
    address, other = put(folder / name), put(folder / "other.wav")
    assert store.is_there(address)
    assert store.canonical(address) == address
    store.remove(address)
    assert not store.is_there(address)
    assert [item.address for item in store.listing()] == [other]


def test_a_missing_object_counts_as_removed(store: LocalFolder, folder: Path) -> None:
    for address in ((folder / "never.wav").as_uri(), (folder / "never" / "been.wav").as_uri()):
        store.remove(address)
        assert not store.is_there(address)


def test_what_was_made_of_an_object_goes_with_it(store: LocalFolder, folder: Path) -> None:
    """ERA-12, line 6: transcripts, index, thumbnails."""
    address = put(folder / "call.wav")
    for name in ("call.wav.json", "call.wav.nl.vtt", "call.transcript.txt", "call.wav.mp3", "call.mp3"):
        put(folder / name)
    store.remove(address)
    assert sorted(path.name for path in folder.iterdir()) == ["2026", "call.mp3", "call.transcript.txt", "call.wav.mp3"]


def test_what_was_made_of_a_missing_object_is_still_there_and_goes(store: LocalFolder, folder: Path) -> None:
    address = (folder / "call.wav").as_uri()
    put(folder / "call.wav.json")
    assert store.is_there(address)
    assert [item.made_of for item in store.listing()] == [(address,)]
    store.remove(address)
    assert not store.is_there(address)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "file://{folder}/../secret.wav",
        "file://{folder}/%2e%2e/secret.wav",
        "file://{folder}/2026/../../secret.wav",
        "file://{folder}/..%2Fsecret.wav",
        "file://{folder}%2F..%2Fsecret.wav",
        "file://{folder}-beside/secret.wav",
        "file://{folder}/link.wav",
        "file://{folder}/inner.wav",
        "file://{folder}/linked/secret.wav",
        "file://{folder}",
        "file://{folder}/",
        "file://{folder}/.",
        "file://{folder}/..",
        "file://{folder}/2026/..",
        "file://{folder}/a%00.wav",
        "file://elsewhere{folder}/call.wav",
        "file://{folder}/call.wav?x=1",
        "file://{folder}/call.wav#x",
        "file:call.wav",
        "file://[{folder}/call.wav",
        "{folder}/call.wav",
        "https://{folder}/call.wav",
        "call.wav",
        "",
    ],
)
def test_nothing_outside_the_folder_is_reached(store: LocalFolder, folder: Path, address: str) -> None:
    """`..` in every spelling, links out of the folder and within it, other hosts, and what is not an address
    at all."""
    secret, call = folder.parent / "secret.wav", folder / "call.wav"
    put(secret)
    put(call)
    (folder.parent / "objects-beside").mkdir()
    put(folder.parent / "objects-beside" / "secret.wav")
    (folder / "link.wav").symlink_to(secret)
    (folder / "inner.wav").symlink_to(call)
    (folder / "linked").symlink_to(folder.parent)
    given_address = address.format(folder=folder)
    assert store.canonical(given_address) is None
    with pytest.raises(ObjectError) as refusal:
        store.remove(given_address)
    assert "secret" not in f"{refusal.value} {refusal.value.hint} {refusal.value.where}"
    assert secret.exists()
    assert call.exists()
    assert (folder / "inner.wav").is_symlink()


def test_one_object_has_one_spelling(store: LocalFolder, folder: Path) -> None:
    address = put(folder / "call.wav")
    (folder / "linked").symlink_to(folder / "2026")
    inside = put(folder / "2026" / "call.wav")
    for spelled in (f"file://localhost{folder}/call.wav", f"file://{folder}/2026/../call.wav", f"file://{folder}//c%61ll.wav"):
        assert store.canonical(spelled) == address
    assert store.canonical(f"file://{folder}/linked/call.wav") == inside


def test_the_folder_itself_may_be_a_link(folder: Path) -> None:
    """A mount point often is one; then both spellings name the object."""
    link = folder.parent / "link"
    link.symlink_to(folder)
    address = put(folder / "call.wav")
    store = LocalFolder(link)
    assert store.canonical((link / "call.wav").as_uri()) == address
    assert [item.address for item in store.listing()] == [address]
    store.remove((link / "call.wav").as_uri())
    assert not (folder / "call.wav").exists()


def test_a_folder_that_is_swapped_for_a_link_meanwhile_is_not_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and removing somebody puts a link to another place where the folder was."""
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    put(elsewhere / "call.wav")
    address = put(folder / "2026" / "call.wav")
    store = LocalFolder(folder)
    canonical = store.canonical(address)
    assert canonical is not None
    (folder / "2026").rename(folder / "gone")
    (folder / "2026").symlink_to(elsewhere)
    monkeypatch.setattr(store, "canonical", lambda address: address)
    with pytest.raises(ObjectError):
        store.remove(canonical)
    assert (elsewhere / "call.wav").exists()


def test_a_folder_under_the_address_of_an_object_is_no_object(store: LocalFolder, folder: Path) -> None:
    with pytest.raises(ObjectError, match="not a file"):
        store.remove((folder / "2026").as_uri())
    assert (folder / "2026").is_dir()


@pytest.fixture
def closed(folder: Path) -> Iterator[str]:
    """An object in a folder that may not be written, not even by root."""
    address = put(folder / "2026" / "call.wav")
    (folder / "2026").chmod(0o500)
    yield address
    (folder / "2026").chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(store: LocalFolder, closed: str) -> None:
    with pytest.raises(ObjectError, match="Permission denied"):
        store.remove(closed)
    assert store.is_there(closed)


def test_an_error_of_the_file_system_is_told_without_the_path(store: LocalFolder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = put(folder / "Lotte Peeters (fictief).wav")

    def refuse(path: str, **more: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(ObjectError, match="Permission denied") as refusal:
        store.remove(address)
    assert "Peeters" not in f"{refusal.value} {refusal.value.hint} {refusal.value.where} {refusal.value.__cause__}"
    assert store.is_there(address)


def test_a_storage_folder_that_is_missing_is_no_empty_one(tmp_path: Path) -> None:
    """Everything in it would look as if it had been removed."""
    store = LocalFolder(tmp_path / "nowhere")
    address = (tmp_path / "nowhere" / "call.wav").as_uri()
    assert store.canonical(address) is None
    for ask in (lambda: store.remove(address), lambda: store.is_there(address), lambda: list(store.listing())):
        with pytest.raises(ObjectError):
            ask()
    assert [finding.is_error for finding in store.findings()] == [True]


def test_an_empty_storage_folder_is_told(folder: Path) -> None:
    """It may be the place of a disk that is not there."""
    (folder / "2026").rmdir()
    store = LocalFolder(folder)
    (finding,) = store.findings()
    assert (finding.is_error, "mounted" in finding.message) == (False, True)
    put(folder / "call.wav")
    assert store.findings() == []


def test_listing_follows_no_link(store: LocalFolder, folder: Path) -> None:
    put(folder.parent / "secret.wav")
    (folder / "linked").symlink_to(folder.parent)
    (folder / "link.wav").symlink_to(folder.parent / "secret.wav")
    assert {item.address for item in store.listing()} == {f"file://{folder}/link.wav"}


def test_removing_leaves_folders_alone(store: LocalFolder, folder: Path) -> None:
    store.remove(put(folder / "2026" / "call.wav"))
    assert stat.S_ISDIR((folder / "2026").stat().st_mode)


@given(st.text(st.sampled_from("ab./%2eF\\~ \u0000é"), max_size=30))
def test_whatever_an_address_says_its_object_lies_below_the_folder(tail: str) -> None:
    folder = Path(__file__).parent / "azurite"
    found = LocalFolder(folder).canonical(f"file://{folder}/{tail}")
    assert found is None or (found.startswith(f"{folder.as_uri()}/") and ".." not in found.split("/"))


def test_an_object_is_fetched_whole_and_a_missing_one_is_none(store: LocalFolder, folder: Path) -> None:
    address = put(folder / "gesprek 1.wav")
    put(folder / "gesprek 1.wav.json")
    assert store.fetch(address) == b"RIFF verzonnen", "what was made of it is not it"
    for missing in ((folder / "never.wav").as_uri(), (folder / "never" / "been.wav").as_uri()):
        assert store.fetch(missing) is None


def test_nothing_outside_the_folder_is_fetched(store: LocalFolder, folder: Path) -> None:
    secret = put(folder.parent / "secret.wav")
    (folder / "linked").symlink_to(folder.parent)
    (folder / "link.wav").symlink_to(folder.parent / "secret.wav")
    encoded = f"{folder.as_uri()}/..%2Fsecret.wav"
    for address in (secret, encoded, (folder / "linked" / "secret.wav").as_uri(), (folder / "link.wav").as_uri()):
        with pytest.raises(ObjectError) as caught:
            store.fetch(address)
        assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_what_is_no_file_is_not_fetched(store: LocalFolder, folder: Path) -> None:
    os.mkfifo(folder / "pipe.wav")
    for name in ("2026", "pipe.wav"):
        with pytest.raises(ObjectError):
            store.fetch((folder / name).as_uri())


def test_a_storage_folder_that_is_missing_is_an_error_and_no_missing_object(folder: Path) -> None:
    gone = LocalFolder(folder / "nergens")
    with pytest.raises(ObjectError):
        gone.fetch((folder / "nergens" / "call.wav").as_uri())
