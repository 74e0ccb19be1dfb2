"""A file as values with their lines: as JSON would have them, or as they are written."""

import pytest

from rules.files.yaml_lines import read_yaml

TEXT = """\
first: &keys
  1: yes
  2: "2"
second: *keys
empty:
nothing: ~
word: null
number: 007
"""


def test_what_is_written_stays_as_it_is_written() -> None:
    found = read_yaml(TEXT, as_written=True)
    assert found.problems == []
    assert found.value == {
        "first": {"1": "yes", "2": "2"},
        "second": {"1": "yes", "2": "2"},
        "empty": "",
        "nothing": "",
        "word": "null",
        "number": "007",
    }


def test_what_an_alias_repeats_stands_where_it_is_written() -> None:
    found = read_yaml(TEXT, as_written=True)
    assert [found.line(path) for path in (("second",), ("second", "1"), ("empty",))] == [4, 2, 5]


def test_as_json_would_have_it_there_are_no_aliases_and_no_empty_values() -> None:
    told = [str(problem) for problem in read_yaml(TEXT).problems]
    assert len(told) == 5
    assert "second: an alias (*) is not used here: write the value out" in told


@pytest.mark.parametrize("text", ["&a [*a]", "&a {b: *a}", "&a {b: {c: [*a]}}"])
def test_an_alias_does_not_stand_within_itself(text: str) -> None:
    (problem,) = read_yaml(text, as_written=True).problems
    assert "within itself" in problem.text


def test_aliases_of_aliases_do_not_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]  # a thousand million values
    found = read_yaml("\n".join(lines), as_written=True)
    assert {problem.text for problem in found.problems} == {"aliases (*) repeat too much here: write the values out"}
