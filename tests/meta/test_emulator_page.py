"""What the page on the emulator says is emulated has a test that says so."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from connectors.emulator.conditions.switches import Switches
from connectors.emulator.serving.features import FEATURES, Feature

ROOT = Path(__file__).parents[2]


def rows_named_in(path: Path) -> Iterator[int]:
    """The numbers in `pytest.mark.row(…)`."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if "pytest.mark.row" in text else ():
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.row":
            yield from (number.value for number in node.args if isinstance(number, ast.Constant) and isinstance(number.value, int))


def rooms_imported_by(path: Path) -> set[str]:
    """The first word of each module that a file imports, the first two of a module of tests."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
    return {name.partition(".")[0] if not name.startswith("tests.") else ".".join(name.split(".")[:2]) for name in names}


@cache
def texts(folder: Path) -> dict[Path, str]:
    """What each file of Python in a folder says."""
    return {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}


@cache
def proven() -> set[int]:
    return {number for path in (ROOT / "tests").rglob("test_*.py") for number in rows_named_in(path)}


def test_rows_are_numbered_without_a_gap() -> None:
    assert [feature.row for feature in FEATURES] == list(range(1, 55))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: f"{feature.row}")
def test_every_row_has_a_test_that_names_it(feature: Feature) -> None:
    assert feature.row in proven()


def test_tests_name_no_row_that_is_not_on_the_page() -> None:
    assert {feature.row for feature in FEATURES} >= proven()


@pytest.mark.parametrize("path", [ROOT / "tests" / "web_api.py", *sorted((ROOT / "tests/independent/conformance").glob("*.py"))])
def test_the_conformance_of_the_emulator_is_asked_from_outside(path: Path) -> None:
    """It imports nothing of the product, nor of tests that do."""
    rooms = rooms_imported_by(path)
    assert not rooms & {"connectors", "crm_compliance", "jobs", "rules"}
    assert {room for room in rooms if room.startswith("tests.")} <= {"tests.web_api", "tests.independent"}


def test_every_switch_stands_on_a_row() -> None:
    assert {name for feature in FEATURES for name in feature.switches} == {each.name for each in fields(Switches)}


@pytest.mark.parametrize("name", [each.name for each in fields(Switches)])
def test_every_switch_is_read_somewhere_and_tried_in_a_test(name: str) -> None:
    """A switch that nothing reads is a promise that the emulator does not keep."""
    assert any(f"switches.{name}" in text for text in texts(ROOT / "connectors" / "emulator").values())
    assert any(name in text for path, text in texts(ROOT / "tests").items() if path != Path(__file__))
