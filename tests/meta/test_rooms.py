"""The storeys are laid out in rooms: each says what it is for, can be taken in at a glance, and stands in the
page of the architecture."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STOREYS = ("rules", "connectors", "jobs", "crm_compliance")
ROOMS = sorted(
    path.parent.relative_to(ROOT).as_posix()
    for storey in STOREYS
    for path in (ROOT / storey).rglob("__init__.py")
    if path.parent != ROOT / storey
)
MOST_FILES = 24
# Rooms of what others answer, and where those who do are held against it.
PROVED_IN = {
    "jobs/ports/store": "tests/crm_compliance/store",
}


def purpose(room: str) -> str:
    """The docstring of a room, in one line."""
    return " ".join((ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))) or "").split())


@pytest.mark.parametrize("room", [*STOREYS, *ROOMS])
def test_the_purpose_of_a_room_fits_in_one_sentence(room: str) -> None:
    assert re.fullmatch(r"(?:[^.!?]|\.(?=\w))+\.", purpose(room)), purpose(room)


@pytest.mark.parametrize("room", ROOMS)
def test_the_page_says_the_same_of_a_room(room: str) -> None:
    assert f"| `{room}/` | {purpose(room)} |" in PAGE


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_can_be_taken_in_at_a_glance(room: str) -> None:
    assert len([path for path in (ROOT / room).glob("*.py") if path.name != "__init__.py"]) <= MOST_FILES


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_tests_of_its_name(room: str) -> None:
    """In a folder or a module of its name."""
    if not any(path.name != "__init__.py" for path in (ROOT / room).glob("*.py")):
        return
    place = ROOT / "tests" / room
    known = PROVED_IN.get(room)
    assert [*place.glob("**/test_*.py"), *place.parent.glob(f"test_{place.name}*.py")] or (known and (ROOT / known).exists())


def test_no_room_with_tests_of_its_name_is_said_to_be_proved_elsewhere() -> None:
    assert [room for room in PROVED_IN if list((ROOT / "tests" / room).glob("**/test_*.py"))] == []


def test_the_page_names_no_room_that_is_not_there() -> None:
    named = {line.split("`")[1].rstrip("/") for line in PAGE.splitlines() if line.startswith(tuple(f"| `{storey}/" for storey in STOREYS))}
    assert {name for name in named if not (ROOT / name).exists()} == set()
