"""The short number of a request, for letters and the telephone: it says nothing of anybody, and a slip of the tongue is noticed.

`DSR-2026-7K4M-9Q2X`: the year of the receipt, seven signs that follow from the id, and one that checks them. The signs are those of
Crockford's base 32, which has no I, L, O or U.
"""

from __future__ import annotations

import hashlib
from typing import Final

PREFIX: Final = "DSR-"
_SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 7
_MISREAD: Final = str.maketrans("ILO", "110")  # Crockford's base 32: what is read for another sign counts as it


def short_reference(request: str, year: int) -> str:
    """Derive the number from the id of a request, always the same."""
    number = int.from_bytes(hashlib.sha256(request.encode()).digest()[:8], "big")
    signs = "".join(_SIGNS[number >> (5 * at) & 31] for at in range(_LENGTH))
    code = signs + _check(signs)
    return f"{PREFIX}{year}-{code[:4]}-{code[4:]}"


def tidied(text: str) -> str:
    """A number as it is written, from one that was typed or read out: in capitals, without blanks, no letter for a digit."""
    prefix, dash, code = "".join(text.upper().split()).partition("-")
    return prefix + dash + code.translate(_MISREAD)


def is_reference(text: str) -> bool:
    """Whether a number may be one of ours: its check sign fits."""
    parts = text.strip().upper().split("-")
    code = "".join(parts[2:])
    return len(parts) == 4 and parts[0] == "DSR" and parts[1].isdigit() and len(code) == _LENGTH + 1 and _check(code[:-1]) == code[-1]


def _check(signs: str) -> str:
    """A sign that changes with any single sign, and with two neighbours that change places."""
    if any(sign not in _SIGNS for sign in signs):
        return ""
    return _SIGNS[sum((2 * at + 1) * _SIGNS.index(sign) for at, sign in enumerate(signs)) % 31]
