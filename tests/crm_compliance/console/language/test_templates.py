"""What templates do with what they are given."""

import re
from pathlib import Path

import pytest

from crm_compliance.console.language import templates
from crm_compliance.console.language.templates import breakable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cf_fiche.cf_name", "cf_<wbr>fiche.<wbr>cf_<wbr>name"),
        ("contact", "contact"),
        ("a.. b", "a..<wbr> b"),
        ("x_<script>", "x_<wbr>&lt;script&gt;"),
    ],
)
def test_a_technical_name_breaks_between_its_parts_and_is_escaped(name: str, shown: str) -> None:
    assert breakable(name) == shown


def test_what_stands_between_two_values_is_said_in_the_language() -> None:
    """French has a space before a colon and a semicolon."""
    folder = Path(templates.__file__).parents[1] / "templates"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.j2")}
    assert [name for name, text in written.items() if re.search(r"(\}\}|%\})[:;] ", text)] == []
