"""The anchor is only ever added to, and whatever was done to it comes to light."""

import stat
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import DiskProblem
from crm_compliance.keys.checkpoint_log import CheckpointLogUnfit, catch_up, read_checkpoint_log
from crm_compliance.keys.checkpoint_signer import DeskNotary
from crm_compliance.keys.key_ring import KeyRing
from jobs.ledger.checkpoints import Checkpoint, encode
from jobs.ledger.entries import StoreAltered
from rules.errors import UsageError

POINTS = [
    Checkpoint(n, f"{n:064x}", "b" * 64, "2026-11-25T11:00:00.000Z", "c" * 64, "s-2026-11-0000000000000000", "AA==") for n in (3, 7, 9)
]


def test_a_file_catches_up_with_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "anchor.jsonl"
    for known in (1, 1, 3):
        catch_up(path, POINTS[:known].copy)
        assert read_checkpoint_log(path) == POINTS[:known]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_torn_by_a_power_cut_is_completed(tmp_path: Path) -> None:
    path, whole = tmp_path / "anchor.jsonl", b"".join(map(encode, POINTS))
    for cut in range(0, len(whole), 37):
        path.write_bytes(whole[:cut])
        catch_up(path, lambda: POINTS)
        assert path.read_bytes() == whole


def test_of_two_programs_that_add_a_checkpoint_one_waits_for_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same line twice would fit no database any more."""
    path = tmp_path / "anchor.jsonl"
    monkeypatch.setattr("crm_compliance.host.files.LOCK_TRIES", 2)

    def at_work() -> list[Checkpoint]:
        with pytest.raises(DiskProblem, match="another program is writing"):
            catch_up(path, lambda: POINTS)
        return POINTS

    catch_up(path, at_work)
    catch_up(path, lambda: POINTS)
    assert read_checkpoint_log(path) == POINTS


@pytest.mark.parametrize("content", [b"something else\n", encode(POINTS[1]), b"".join(map(encode, POINTS)) + b"\n"])
def test_a_file_that_says_something_else_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anchor.jsonl"
    path.write_bytes(content)
    with pytest.raises(CheckpointLogUnfit):
        catch_up(path, lambda: POINTS)
    assert path.read_bytes() == content


def test_an_anchor_with_more_than_the_database_has_is_told(tmp_path: Path) -> None:
    """As after a restore of the database: what was anchored since is not cut off."""
    path = tmp_path / "anchor.jsonl"
    catch_up(path, lambda: POINTS)
    with pytest.raises(CheckpointLogUnfit):
        catch_up(path, lambda: POINTS[:2])
    assert read_checkpoint_log(path) == POINTS


@pytest.mark.parametrize("place", ["missing/anchor.jsonl", "."])
def test_a_place_that_cannot_be_written_is_a_disk_problem(tmp_path: Path, place: str) -> None:
    with pytest.raises(DiskProblem):
        catch_up(tmp_path / place, lambda: POINTS)


def test_checkpoints_that_cannot_be_read_are_no_failure_of_the_copy(tmp_path: Path) -> None:
    """Where the database was altered the work must not go on with a warning."""

    def altered() -> list[Checkpoint]:
        raise StoreAltered("the checkpoint over 3 entries cannot be read")

    warnings: list[str] = []
    with pytest.raises(StoreAltered):
        DeskNotary(Settings(data_dir=tmp_path), KeyRing(tmp_path, []), warnings.append).log_checkpoints(altered)
    assert warnings == []


def test_a_damaged_line_is_none_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "anchor.jsonl"
    path.write_bytes(encode(POINTS[0]) + encode(POINTS[1]).replace(b"11:00", b"11:0") + b"null\n" + encode(POINTS[2]) + b"\n")
    assert [each is None for each in read_checkpoint_log(path)] == [False, False, True, False, True]


def test_an_empty_anchor_has_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "anchor.jsonl").touch()
    assert read_checkpoint_log(tmp_path / "anchor.jsonl") == []


def test_what_is_no_anchor_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Geachte heer\n")
    for path in (tmp_path / "letter.txt", tmp_path / "nowhere"):
        with pytest.raises(UsageError):
            read_checkpoint_log(path)
