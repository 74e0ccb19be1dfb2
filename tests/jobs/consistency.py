"""Checks consistency proofs as a stranger does, by RFC 9162 alone: `jobs/ledger/merkle.py` makes them, and no
code of its own proves it."""

import hashlib
from collections.abc import Sequence


def is_consistent(earlier: int, later: int, path: Sequence[bytes], earlier_root: bytes, later_root: bytes) -> bool:
    """Whether a path shows that the later tree only adds leaves to the earlier one (RFC 9162, section
    2.1.4.2)."""
    if earlier == later:
        return not path and earlier_root == later_root
    if not 0 < earlier < later:
        return False
    steps = [earlier_root, *path] if earlier & (earlier - 1) == 0 else list(path)
    first, last = earlier - 1, later - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    if not steps:
        return False
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = node(step, old), node(step, new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new = node(new, step)
        first, last = first >> 1, last >> 1
    return last == 0 and old == earlier_root and new == later_root


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()
