"""Which characters of the CRM's texts may be shown, and what stands for those that a letter's fonts do not have (EXP-19).

A PDF/A file must not hold a character without a glyph, and a release must not fail because a child wrote an emoji.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

import typst
from anyascii import anyascii

FONTS: Final = ("Libertinus Serif", "DejaVu Sans Mono")  # both come with typst
_PROBE: Final = f'#set text(font: ("{FONTS[0]}", "{FONTS[1]}"))\n#sys.inputs.at("text")'.encode()
# Control characters, and those that turn the direction of what follows or are not to be seen.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\uffff]"
)
_BEFORE_HIGH: Final = re.compile(" ([:;?!»])")
_LATIN: Final = re.compile("[^\n\t -~\u00a0-\u017f\u2013\u2014\u2018-\u201e\u2026\u20ac]")


def visible(text: str) -> str:
    """Give a text without what is not to be seen, lines ended in one way."""
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n"))


def composed(text: str) -> str:
    """Give a text with one character for a letter and its accent, and a blank for a tab."""
    return unicodedata.normalize("NFC", visible(text)).replace("\t", " ")


def french(text: str) -> str:
    """Give a text with a blank before high punctuation, and inside guillemets, that no line is broken at."""
    return _BEFORE_HIGH.sub("\u00a0\\1", text).replace("« ", "«\u00a0")


def printable(text: str, *, plain: bool = False) -> str:
    """Give a text as the letter can print it: what the fonts lack in Latin letters, with `plain` all that is not Western."""
    return _LATIN.sub(lambda found: found[0] if not plain and _has_glyph(found[0]) else anyascii(found[0]) or "?", composed(text))


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    try:
        typst.compile(_PROBE, format="pdf", pdf_standards=["a-2a"], sys_inputs={"text": character}, ignore_system_fonts=True)
    except typst.TypstError:
        return False
    return True
