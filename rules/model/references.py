"""What a request is called: its id, and its short number, for letters and the telephone.

The number says nothing of anybody, and a slip of the tongue is noticed. `DSR-2026-7K4M-9Q2X`: the year of the
receipt, seven signs that follow from the id, and one that checks them. The signs are those of Crockford's
base 32, which has no I, L, O or U."""

import hashlib
import re
from typing import Final

PREFIX: Final = "DSR-"
_ID, _NUMBER = r"request-[0-9a-f]+", rf"{PREFIX}[0-9A-Z]{{4}}(?:-[0-9A-Z]{{4}}){{2}}"  # a number with signs misread included
# In a text of somebody: the id as it is written, since a code of ours has it in capitals, and the number
# however it was typed.
NAMED: Final = re.compile(rf"\b{_ID}\b|(?i:\b{_NUMBER}\b)")
# The same, and such a code.
NAMED_OR_CODED: Final = re.compile(rf"{_ID}|{_NUMBER}", re.IGNORECASE)
# Part of a pattern: exactly what this program writes, and nothing that is longer or shorter by chance.
AS_MADE: Final = rf"request-[0-9a-f]{{12}}|{PREFIX}\d{{4}}(?:-[0-9A-Z]{{4}}){{2}}"
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
    """Return a number as it is written, from one that was typed or read out: in capitals, without blanks, no
    letter for a digit."""
    prefix, dash, code = "".join(text.upper().split()).partition("-")
    return prefix + dash + code.translate(_MISREAD)


def is_reference(text: str) -> bool:
    """Return whether a number may be one of ours: its check sign fits."""
    parts = text.strip().upper().split("-")
    code = "".join(parts[2:])
    return len(parts) == 4 and parts[0] == "DSR" and parts[1].isdigit() and len(code) == _LENGTH + 1 and _check(code[:-1]) == code[-1]


def _check(signs: str) -> str:
    """Return a sign that changes with any single sign, and with two neighbours that change places."""
    if any(sign not in _SIGNS for sign in signs):
        return ""
    return _SIGNS[sum((2 * at + 1) * _SIGNS.index(sign) for at, sign in enumerate(signs)) % 31]
