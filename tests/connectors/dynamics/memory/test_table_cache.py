"""What is remembered of a table: encrypted, whole or not at all, and forgotten where it was erased in the
CRM."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import Mock

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.memory import table_file
from connectors.dynamics.memory.table_cache import Memory, tidy
from connectors.dynamics.memory.table_file import Chunk, Damaged

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
KEY = bytes(range(32))


def row_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def rows(*numbers: int, version: int = 1) -> pl.DataFrame:
    ids, names = [row_id(number) for number in numbers], [f"Lotte Peeters (fictief) {number}" for number in numbers]
    schema = dict.fromkeys(("id", "etag", "name"), pl.String)
    return pl.DataFrame({"id": ids, "etag": [f'W/"{version}"'] * len(ids), "name": names}, schema=schema)


def save(memory: Memory, place: Path, *numbers: int, version: int = 1) -> None:
    with memory.writing(place) as draft:
        for number in numbers:  # a chunk each
            draft.add(rows(number, version=version))
        draft.finish("https://crm.example/link", NOW)


def numbers_in(memory: Memory, place: Path) -> list[int]:
    found = memory.load(place)
    assert found is not None
    return [int(one[-12:], 16) for chunk in found.chunks() for one in chunk.rows()["id"]]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_file, "CHUNK_ROWS", 1)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "memory", lambda: KEY, now=lambda: NOW)


def test_what_is_saved_is_loaded(memory: Memory) -> None:
    place = memory.place("contact", "contactid+cf_name")
    assert memory.load(place) is None
    save(memory, place, 1, 2)
    found = memory.load(place)
    assert found is not None
    assert (found.worth.link, found.worth.full_at) == ("https://crm.example/link", NOW)
    assert pl.concat(chunk.rows() for chunk in found.chunks()).equals(rows(1, 2))
    assert (found.worth.chunks, found.worth.rows) == (2, 2)


def test_neither_rows_nor_ids_nor_links_can_be_read_without_the_key(memory: Memory) -> None:
    place = memory.place("contact", "contactid")
    save(memory, place, 1)
    content = place.read_bytes()
    for secret in (b"Peeters", b"crm.example", row_id(1).encode()):
        assert secret not in content
    assert memory.load(place) is not None
    assert Memory(memory.folder, lambda: bytes(32), now=lambda: NOW).load(place) is None


def test_only_we_may_read_the_files(memory: Memory) -> None:
    place = memory.place("contact", "contactid")
    save(memory, place, 1)
    assert (memory.folder.stat().st_mode & 0o777, place.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [path.name for path in memory.folder.iterdir()] == [place.name], "nothing half-written is left"


def readable(memory: Memory, place: Path) -> list[Chunk] | None:
    found = memory.load(place)
    try:
        return None if found is None else list(found.chunks())
    except Damaged:
        return None


def test_a_file_that_is_damaged_anywhere_counts_as_none(memory: Memory) -> None:
    place = memory.place("contact", "contactid")
    save(memory, place, 1, 2)
    whole = place.read_bytes()
    assert readable(memory, place) is not None
    for at in range(0, len(whole), 5):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert readable(memory, place) is None, at
        place.write_bytes(whole[:at])
        assert readable(memory, place) is None, at


def test_a_file_that_is_not_finished_leaves_nothing(memory: Memory) -> None:
    place = memory.place("contact", "contactid")
    save(memory, place, 1)
    with memory.writing(place) as draft:
        draft.add(rows(2))
    assert memory.load(place) is None
    assert list(memory.folder.iterdir()) == []


def test_a_file_in_the_place_of_another_counts_as_none(memory: Memory) -> None:
    """Whoever may write the folder cannot make one table's rows pass for another's."""
    contacts, dossiers = memory.place("contact", "id"), memory.place("cf_dossier", "id")
    save(memory, contacts, 1)
    os.replace(contacts, dossiers)
    assert memory.load(dossiers) is None


def test_other_columns_and_another_version_are_another_memory(memory: Memory) -> None:
    newer = Memory(memory.folder, lambda: KEY, now=lambda: NOW, made_by="9.9")
    assert len({memory.place("contact", "a"), memory.place("contact", "b"), newer.place("contact", "a")}) == 3


def test_a_disk_that_cannot_be_written_costs_the_memory_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("in the way")
    memory = Memory(tmp_path / "memory", lambda: KEY, now=lambda: NOW)
    save(memory, memory.place("contact", "id"), 1)
    assert memory.load(memory.place("contact", "id")) is None


def test_what_was_written_over_is_forgotten_wherever_it_is_kept(memory: Memory) -> None:
    wide, narrow, other = memory.place("contact", "a+b"), memory.place("contact", "a"), memory.place("cf_dossier", "a")
    for place in (wide, narrow, other):
        save(memory, place, 1, 2, 3)
    memory.forget("contact", {row_id(2): 'W/"1"'})
    assert [numbers_in(memory, place) for place in (wide, narrow, other)] == [[1, 3], [1, 3], [1, 2, 3]]


def test_a_newer_version_than_the_one_written_over_stays(memory: Memory) -> None:
    """It came after the write, and no delta link would bring it again: forgetting it would lose the row."""
    place = memory.place("contact", "a")
    save(memory, place, 1, version=5)
    memory.forget("contact", {row_id(1): 'W/"4"'})
    assert numbers_in(memory, place) == [1]


@given(st.lists(st.integers(0, 50), unique=True, max_size=12), st.sets(st.integers(0, 50)), st.integers(1, 5))
def test_taking_rows_out_keeps_all_others(kept: list[int], gone: set[int], size: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        memory = Memory(Path(folder), lambda: KEY, now=lambda: NOW)
        place = memory.place("contact", "")
        patch.setattr(table_file, "CHUNK_ROWS", size)
        save(memory, place, *kept)
        memory.forget("contact", {row_id(n): 'W/"1"' for n in gone})
        assert sorted(numbers_in(memory, place)) == sorted(set(kept) - gone)
        found = memory.load(place)
        assert found is not None
        assert found.worth.rows == len(set(kept) - gone)
        heights = [chunk.rows().height for chunk in found.chunks()]
        assert all(heights)
        assert sum(height < size for height in heights) <= 1


def test_a_chunk_of_few_rows_is_put_together_only_with_others(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    place = memory.place("contact", "")
    save(memory, place, 1)
    monkeypatch.setattr(table_file, "CHUNK_ROWS", 3)
    found = memory.load(place)
    assert found is not None
    (chunk,) = found.chunks()
    made = Mock(side_effect=Chunk.of)
    monkeypatch.setattr(Chunk, "of", made)
    for others in ((), (2,), (2, 3)):
        with memory.writing(place) as draft:
            draft.add_again(chunk, chunk.rows())
            draft.add(rows(*others))
            draft.finish("https://crm.example/link", NOW)
        assert numbers_in(memory, place) == [1, *others]
        assert made.called == bool(others)  # without others the chunk stands as it was
        made.reset_mock()
    with memory.writing(place) as draft:
        draft.add(rows(2))
        draft.add_again(chunk, chunk.rows())
        draft.finish("https://crm.example/link", NOW)
    assert numbers_in(memory, place) == [2, 1]


# -- other processes -----------------------------------------------------------------------------------------


def test_what_is_cut_off_behind_a_piece_meanwhile_is_not_taken_for_the_whole(memory: Memory) -> None:
    place = memory.place("contact", "contactid")
    save(memory, place, 1, 2)
    found = memory.load(place)
    assert found is not None
    content = place.read_bytes()
    begins = table_file.NAME_BYTES
    place.write_bytes(content[: begins + 4 + int.from_bytes(content[begins : begins + 4], "big")])
    with pytest.raises(Damaged):
        list(found.chunks())


def test_what_another_process_has_written_meanwhile_is_not_taken_for_the_rest_of_what_we_loaded(memory: Memory) -> None:
    """Its first chunks with our number of chunks would be a table that lacks rows, without a word."""
    place = memory.place("contact", "id")
    save(memory, place, 1, 2)
    ours = memory.load(place)
    save(memory, place, 3, 4, 5)
    assert ours is not None
    with pytest.raises(Damaged):
        list(ours.chunks())
    assert numbers_in(memory, place) == [3, 4, 5]


def test_chunks_of_two_writings_of_a_table_cannot_be_put_together(memory: Memory) -> None:
    place = memory.place("contact", "id")
    save(memory, place, 1, 2)
    one = place.read_bytes()
    save(memory, place, 3, 4)
    other = place.read_bytes()
    place.write_bytes(other[:16] + one[16:])
    assert readable(memory, place) is None


def age(file: Path, days: float) -> None:
    moment = (NOW - timedelta(days=days)).timestamp()
    os.utime(file, (moment, moment))


def test_what_a_killed_process_and_an_earlier_mapping_have_left_is_removed(tmp_path: Path) -> None:
    """The rows of people in them are erased elsewhere by now."""
    memory = Memory(tmp_path / "this", lambda: KEY, now=lambda: NOW)
    stale = Memory(tmp_path / "another", lambda: KEY, now=lambda: NOW)
    for each, name in ((memory, "now"), (memory, "before"), (stale, "before")):
        save(each, each.place("contact", name), 1)
    half = [memory.folder / ".part.old", memory.folder / ".part.new"]
    for file in half:
        file.write_bytes(b"half")
    age(memory.place("contact", "now"), 6.9)
    age(memory.place("contact", "before"), 7)
    age(stale.place("contact", "before"), 400)
    age(half[0], 1)
    age(half[1], 0.9)
    tidy(tmp_path, NOW, older_than_days=7)
    assert sorted(file.name for file in memory.folder.iterdir()) == [".part.new", memory.place("contact", "now").name]
    assert not stale.folder.exists()
    tidy(tmp_path, NOW, older_than_days=0)
    assert list(tmp_path.iterdir()) == []
    tidy(tmp_path / "none", NOW, older_than_days=7)
