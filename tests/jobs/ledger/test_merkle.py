"""Merkle trees, held against the vectors of the RFC's reference implementation and the example of RFC 6962,
section 2.1.3."""

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs.ledger.merkle import EMPTY, Levels, Tree, is_included, leaf_hash, root_of
from tests.jobs.consistency import is_consistent, node

LEAVES = [
    bytes.fromhex(data) for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
leaves = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


def by_definition(data: list[bytes]) -> bytes:
    """MTH of section 2.1, word for word."""
    if not data:
        return hashlib.sha256().digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return node(by_definition(data[:k]), by_definition(data[k:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY == hashlib.sha256().digest()


def test_the_proofs_of_the_example_with_seven_leaves() -> None:
    a, b, c, d, e, f, j = (leaf_hash(data) for data in LEAVES[:7])
    g, h, i = node(a, b), node(c, d), node(e, f)
    k, l = node(g, h), node(i, j)  # noqa: E741  the names of the RFC
    assert Levels(LEAVES[:7]).inclusion(0) == [b, h, l]
    assert Levels(LEAVES[:7]).inclusion(3) == [c, g, l]
    assert Levels(LEAVES[:7]).inclusion(4) == [f, j, k]
    assert Levels(LEAVES[:7]).inclusion(6) == [i, k]
    assert Levels(LEAVES[:7]).consistency(3) == [c, d, g, l]
    assert Levels(LEAVES[:7]).consistency(4) == [l]
    assert Levels(LEAVES[:7]).consistency(6) == [i, j, k]


@given(leaves)
def test_a_tree_that_grows_has_the_root_of_the_definition_and_goes_on_from_its_peaks(data: list[bytes]) -> None:
    half = Tree()
    for leaf in data[: len(data) // 2]:
        half.add(leaf)
    rest = Tree(half.size, half.peaks)
    for leaf in data[len(data) // 2 :]:
        rest.add(leaf)
    assert rest.root == Levels(data).root == by_definition(data)


@pytest.mark.parametrize(("size", "peaks"), [(1, []), (3, [b"x" * 32]), (1, [b"short"]), (-1, [])])
def test_peaks_of_another_tree_are_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="peaks"):
        Tree(size, peaks)


@given(leaves, st.data())
def test_an_inclusion_proof_holds_for_its_leaf_and_place_alone(data: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(data) - 1))
    path, root = Levels(data).inclusion(index), root_of(data)
    assert is_included(data[index], index, len(data), path, root)
    assert not is_included(data[index] + b"x", index, len(data), path, root)
    assert not is_included(data[index], index, len(data), [*path, EMPTY], root)
    assert not is_included(data[index], len(data), len(data), path, root)
    assert not is_included(data[index], -1, len(data), path, root)
    other = draw.draw(st.integers(0, len(data) - 1))
    assume(data[other] != data[index])
    assert not is_included(data[other], index, len(data), path, root)


@given(leaves, st.data())
def test_a_consistency_proof_holds_for_a_tree_that_only_grew(data: list[bytes], draw: st.DataObject) -> None:
    earlier = draw.draw(st.integers(1, len(data)))
    path, old, new = Levels(data).consistency(earlier), root_of(data[:earlier]), root_of(data)
    assert is_consistent(earlier, len(data), path, old, new)
    rewritten = [b"other!", *data[1:earlier]]
    assert not is_consistent(earlier, len(data), path, root_of(rewritten), new)
    assert not is_consistent(earlier, len(data), path, old, root_of([*rewritten, *data[earlier:]]))
    assert not is_consistent(earlier, len(data), [*path, EMPTY], old, new)


@pytest.mark.parametrize("earlier", [0, 9])
def test_there_is_no_proof_for_a_tree_that_never_was(earlier: int) -> None:
    with pytest.raises(ValueError, match="earlier"):
        Levels(LEAVES).consistency(earlier)
    assert not is_consistent(earlier, 8, [EMPTY], EMPTY, EMPTY)


@pytest.mark.parametrize("index", [-1, 8])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        Levels(LEAVES).inclusion(index)
