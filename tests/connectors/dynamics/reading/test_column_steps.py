"""The versions of a page are looked at together, and mean what each of them means by itself."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.reading.column_steps import are_versions

VERSION = re.compile(r'(?:W/)?"[!#-~]*"').fullmatch
ETAGS = st.lists(st.sampled_from(["W/", '"', "1", "23", "\n", "a", "é", "٣", " "]), max_size=6).map("".join)


@given(etags=st.lists(st.one_of(st.sampled_from(['W/"1"', 'W/"23"']), ETAGS), max_size=4))
def test_versions_are_those_of_each_row(etags: list[str]) -> None:
    assert are_versions(etags) == all(map(VERSION, etags))


@pytest.mark.parametrize(
    "etags",
    [
        ['1W/""'],
        ['W1/""'],
        ['W/""1'],
        ['W/"1"', '2W/""'],
        ['W/"1"\nW/"2"'],
        ['W/"1"\nW/"2"', ""],
        ['W/"1', '"W/"2"'],
        ['W/"', '1"', 'W/"2"'],
    ],
)
def test_rows_without_a_version_are_seen_whatever_stands_beside_them(etags: list[str]) -> None:
    assert not are_versions(etags)
    assert not are_versions(['W/"5"', *etags, 'W/"5"'])
