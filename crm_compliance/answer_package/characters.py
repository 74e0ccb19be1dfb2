"""Which characters of the CRM's texts may be shown, and what stands for those that a letter's fonts do not
have (EXP-19). A PDF/A file must not hold a character without a glyph, and a release must not fail because a
child wrote an emoji."""

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import Final

import typst
from anyascii import anyascii

FONTS: Final = ("Libertinus Serif", "DejaVu Sans Mono")  # both come with typst
_PROBE: Final = f'#set text(font: ("{FONTS[0]}", "{FONTS[1]}"))\n#sys.inputs.at("text")'.encode()
# Control characters, halves of characters, and those that turn the direction of what follows or are not to be
# seen.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufe00-\ufe0f\ufeff\ufff0-\uffff]"
)
# French: a narrow blank before ; ? ! and a whole one before a colon and inside guillemets; a paragraph sign
# keeps its number.
_BEFORE_NARROW: Final = re.compile("[ \u00a0]([;?!])")
_BEFORE_WIDE: Final = re.compile(" ([:»])")
_BEFORE_NUMBER: Final = re.compile(r"(?i)(?<=«|§|°) |(?<=\barticle) (?=\d)|(?<=\barticles) (?=\d)")
_NOT_WESTERN: Final = re.compile("[^\n\t -~\u00a0-\u017f\u2013\u2014\u2018-\u201e\u2026\u20ac]+")

_MOST_MARKS: Final = 4  # on one letter
_MARK: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILE: Final = re.compile(f"({_MARK}{{{_MOST_MARKS}}}){_MARK}+")


def visible(text: str) -> str:
    """Return a text without invisible characters, with uniform line ends, and no more marks on a letter than
    a language has."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    return _PILE.sub(r"\1", _INVISIBLE.sub("", lines))


def composed(text: str) -> str:
    """Return a text with one character for a letter and its accent, and a blank for a tab."""
    return unicodedata.normalize("NFC", visible(text)).replace("\t", " ")


def french(text: str) -> str:
    """Return a text with non-breaking blanks before high punctuation, inside guillemets and before the number
    of an article."""
    return _BEFORE_NUMBER.sub("\u00a0", _BEFORE_WIDE.sub("\u00a0\\1", _BEFORE_NARROW.sub("\u202f\\1", text)))


def printable(text: str, *, plain: bool = False) -> str:
    """Return a text as the letter can print it: a word of which the fonts lack a letter whole in Latin
    letters, other characters one by one; with `plain` all that is not Western."""

    def in_print(found: re.Match[str]) -> str:
        runs = [(is_word, "".join(run)) for is_word, run in groupby(found[0], _is_in_words)]
        return "".join(_in_print(run if is_word else tuple(run), plain) for is_word, run in runs)

    return _NOT_WESTERN.sub(in_print, composed(text))


def _is_in_words(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _in_print(pieces: str | tuple[str, ...], plain: bool) -> str:
    """Return one word, or several characters each by itself, as they can be printed."""
    words = (pieces,) if isinstance(pieces, str) else pieces
    return "".join(word if not plain and all(map(_has_glyph, word)) else anyascii(word) for word in words) or "?"


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    try:
        typst.compile(_PROBE, format="pdf", pdf_standards=["a-2a"], sys_inputs={"text": character}, ignore_system_fonts=True)
    except typst.TypstError:
        return False
    return True
