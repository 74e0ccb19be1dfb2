"""Golden reports: what a person last agreed to see. `pytest --update-golden`, or UPDATE_GOLDEN=1 in the
environment, rewrites them."""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "golden" / "reports"


def compare(name: str, found: str, config: pytest.Config) -> None:
    """Compare with the golden file of this name, or rewrite it where that was asked for."""
    path = FOLDER / name
    if config.getoption("--update-golden", default=False) or os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8", newline="\n")
    expected = path.read_text(encoding="utf-8")
    assert found == expected, f"{name} differs; look at it, then run with UPDATE_GOLDEN=1"
