"""Merkle trees as in RFC 6962, section 2.1: one short root for many entries, and short proofs about it.

A root proves all of its leaves; an inclusion proof shows that one leaf is below a root without showing the
others; a consistency proof shows that a later tree only adds leaves to an earlier one. Leaves and inner nodes
are hashed with different prefixes, so that none can pass for the other."""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf and keeps only the roots of its whole halves, largest first: as many as
    its size has bits set."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count() or any(len(peak) != 32 for peak in self.peaks):
            raise ValueError("these are not the peaks of a tree of that size")

    def add(self, data: bytes) -> None:
        node, size = leaf_hash(data), self.size
        while size & 1:
            node = _node(self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    @property
    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY
        *left, node = self.peaks
        for peak in reversed(left):
            node = _node(peak, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over the data of leaves."""
    tree = Tree()
    for data in leaves:
        tree.add(data)
    return tree.root


class Levels:
    """All nodes of a tree, for proofs. `at[k][j]` is the root over leaves j * 2**k to (j + 1) * 2**k, or to
    the end."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self.at = [[leaf_hash(data) for data in leaves]]
        while len(self.at[-1]) > 1:
            self.at.append(_above(self.at[-1]))

    @property
    def size(self) -> int:
        return len(self.at[0])

    @property
    def root(self) -> bytes:
        return self.at[-1][0] if self.size else EMPTY

    def inclusion(self, index: int) -> list[bytes]:
        """Return the audit path of one leaf, counted from 0 (2.1.1). Raises ValueError: there is no such
        leaf."""
        if not 0 <= index < self.size:
            raise ValueError("there is no such leaf")
        return [level[beside] for k, level in enumerate(self.at) if (beside := (index >> k) ^ 1) < len(level)]

    def consistency(self, earlier: int) -> list[bytes]:
        """Return the proof that the tree over the first `earlier` leaves begins this one (2.1.2). Raises
        ValueError: `earlier` is 0, or more than there are."""
        if not 0 < earlier <= self.size:
            raise ValueError("there is no such earlier tree")
        path: list[bytes] = []
        start, end, is_whole = 0, self.size, True
        while earlier != end:
            half = start + (1 << (end - start - 1).bit_length() - 1)
            if earlier <= half:
                path.append(self._over(half, end))
                end = half
            else:
                path.append(self._over(start, half))
                start, is_whole = half, False
        return list(reversed(path if is_whole else [*path, self._over(start, end)]))

    def _over(self, start: int, end: int) -> bytes:
        """Return the root over leaves `start` to `end`: a whole node of the tree or its right edge."""
        k = (end - start - 1).bit_length()
        return self.at[k][start >> k]


def _above(level: Sequence[bytes]) -> list[bytes]:
    pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return pairs + [level[-1]] * (len(level) & 1)


def is_included(data: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether a path shows that this leaf is at `index` in the tree of this size and root. This is RFC
    9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    first, last, node = index, size - 1, leaf_hash(data)
    for step in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            node = _node(step, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = _node(node, step)
        first, last = first >> 1, last >> 1
    return last == 0 and node == root
