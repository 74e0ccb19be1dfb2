"""What templates do with what they are given."""

from __future__ import annotations

import pytest

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
