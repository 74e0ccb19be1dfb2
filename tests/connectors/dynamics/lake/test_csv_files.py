"""A CSV file of a lake that breaks off is seen."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.lake.csv_files import ends_whole

CELLS = st.text(st.sampled_from('a",;\n\r é'), max_size=6)


def written(folder: Path, text: str) -> Path:
    path = folder / "2026-11.csv"
    path.write_text(text, "utf-8", newline="")
    return path


def test_a_row_that_is_older_than_a_column_ends_with_its_line(tmp_path: Path) -> None:
    assert ends_whole(written(tmp_path, '"1","a",\r\n"2","b"\r\n'), 3)
    assert not ends_whole(written(tmp_path, '"1","a"\r\n"2","b\r\n'), 2)  # the line break is one of its text
    assert not ends_whole(written(tmp_path, '"1","a"\r\n"2","b"'), 3)


def test_a_row_that_lacks_fields_is_no_end(tmp_path: Path) -> None:
    whole = '"1","a\r\nb","x"\r\n"2","c","y"\r\n'
    assert ends_whole(written(tmp_path, whole), 3)
    for cut in range(len(whole) - 3, whole.index('"2"'), -1):
        last_is_empty = whole[:cut].endswith('"c",')  # which a whole row may be too
        assert ends_whole(written(tmp_path, whole[:cut]), 3) is last_is_empty, whole[:cut]


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3\n", "1,2,3\r\n", '1,2,"3\n3"\n'])
def test_a_file_of_one_row_may_end_with_or_without_a_line_break(tmp_path: Path, text: str) -> None:
    assert ends_whole(written(tmp_path, text), 3)


def test_a_last_text_of_many_lines_is_whole_where_its_end_is_there(tmp_path: Path) -> None:
    text = '"1","a","x"\r\n"2","' + "a line\r\n" * 50_000 + '","y"\r\n'
    assert ends_whole(written(tmp_path, text), 3)
    assert not ends_whole(written(tmp_path, text[:-8]), 3)


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_whatever_is_written_whole_ends_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], quoting: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    assert ends_whole(written(tmp_path_factory.mktemp("lake"), out.getvalue()), 3)
