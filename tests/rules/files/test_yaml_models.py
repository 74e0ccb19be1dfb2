"""What a model refuses of a file is told with field and line, and the rest of the file can still be looked
at."""

from typing import Annotated, Literal

import pytest
from pydantic import StringConstraints, ValidationError

from rules.files.model import Model
from rules.files.yaml_lines import read_yaml
from rules.files.yaml_models import problems_of, without_mistakes

WORD = "^[a-z]+$"


class Row(Model):
    name: Annotated[str, StringConstraints(pattern=WORD)]
    kind: Literal["small", "large"] = "small"


class Bounds(Model):
    most: int = 0
    colour: str = ""


class Sticker(Model):
    colour: str = ""


class File(Model):
    rows: dict[str, Row]
    bounds: Bounds = Bounds()
    stickers: tuple[Sticker, ...] = ()
    tags: tuple[Annotated[str, StringConstraints(pattern=WORD)], ...] = ()


def refused(text: str) -> tuple[list[str], File | None]:
    document = read_yaml(text, as_written=True)
    assert document.value is not None
    with pytest.raises(ValidationError) as caught:
        File.model_validate(document.value)
    problems = problems_of(document, File, caught.value.errors(include_url=False), texts={WORD: "this is a word"}, kinds=())
    return [f"{problem.line}: {problem}" for problem in problems], without_mistakes(File, document.value)


def test_each_mistake_has_its_line_its_field_and_what_was_meant() -> None:
    told, _ = refused("rows:\n  a: {name: A1}\n  b: {nam: b}\n  c: {name: c, kind: smal}\ntags: [x, 7]\n")
    assert told == [
        "2: rows.a.name: this is a word",
        "3: rows.b.nam: this key is not known; did you mean name?",
        "4: rows.c.kind: this has to be one of small or large; did you mean small?",
        "5: tags[1]: this is a word",
        "3: rows.b.name: this key is missing",
    ]


def test_a_key_of_another_section_is_told_where_it_stands() -> None:
    """Of a list it can be any item, and is not meant."""
    told, _ = refused("most: 3\ncolour: red\nname: x\nrows:\n  a: {name: a, most: 3}\n")
    assert told == [
        "1: most: this key is not known: most stands under bounds",
        "2: colour: this key is not known: colour stands under bounds",
        "3: name: this key is not known",
        "5: rows.a.most: this key is not known: most stands under bounds",
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("rows:\n  a: {name: a, other: 1}\n", {"a": "a"}),
        ("rows:\n  a: {name: A1}\n  b: {name: b}\n", {"b": "b"}),
        ("rows:\n  a: {kind: large}\n  b: {name: b}\n", {"b": "b"}),
        ("rows:\n  a: [x]\n", {}),
    ],
)
def test_what_is_refused_is_left_out_and_the_rest_is_there(text: str, left: dict[str, str]) -> None:
    _, found = refused(text)
    assert found is not None
    assert {key: row.name for key, row in found.rows.items()} == left


def test_a_list_with_a_mistake_is_left_out_whole() -> None:
    _, found = refused("rows: {}\ntags: [x, 7]\n")
    assert found == File(rows={})


@pytest.mark.parametrize("text", ["[]", "word", "rows: 1\n", "{}"])
def test_where_nothing_is_left_there_is_nothing_to_look_at(text: str) -> None:
    assert refused(text)[1] is None
