"""Reasons and flags as numbers: a bit each."""

from collections.abc import Iterable
from functools import cache
from typing import Final

from rules.model.decisions import Flag, Reason

_REASON_BITS: Final = {reason: 1 << rank for rank, reason in enumerate(Reason)}
_FLAG_BITS: Final = {flag: 1 << rank for rank, flag in enumerate(Flag)}  # one code is both, and equal as text


def bit(code: Reason | Flag) -> int:
    """Return a code as a number of its own among those of its kind."""
    return _REASON_BITS[code] if isinstance(code, Reason) else _FLAG_BITS[code]


def bits(codes: Iterable[Reason | Flag]) -> int:
    """Return codes of one kind as one number."""
    number = 0
    for code in codes:
        number |= bit(code)
    return number


@cache
def reasons_in(number: int) -> tuple[Reason, ...]:
    """Return the reasons in a number, by rank (4.2)."""
    return tuple(reason for reason in Reason if number & bit(reason))


@cache
def flags_in(number: int) -> tuple[Flag, ...]:
    """Return the flags in a number, sorted."""
    return tuple(sorted(flag for flag in Flag if number & bit(flag)))
