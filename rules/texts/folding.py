"""Texts as they are compared: without accents, case, hyphens and the other ways in which one name can be
written.

Two forms. *Tidy* keeps words, case and accents and only takes away what cannot be seen (full-width forms,
zero-width characters, fancy dashes and spaces). *Squeezed* keeps nothing but letters and digits, folded, so
that `D’Hondt`, `Dhondt` and `d-hon-\\ndt` are one; where a word begins is told beside it. Source: IDN-13,
IDN-14."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

import msgspec
from anyascii import anyascii

_PLAIN: Final = {
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
    **dict.fromkeys("’‘‛ʼ′＇`´ʹ", "'"),
    "\u00a0": " ",
    "\u202f": " ",
    "\t": " ",
}
# What NFKD leaves whole although people write it otherwise (IDN-13), and what casefold would make longer than
# one sees.
_LETTERS: Final = {
    "ß": "ss",
    "ẞ": "ss",
    "œ": "oe",
    "Œ": "oe",
    "æ": "ae",
    "Æ": "ae",
    "ø": "o",
    "Ø": "o",
    "ł": "l",
    "Ł": "l",
    "đ": "d",
    "Đ": "d",
    "ı": "i",
}
_NOT_KEPT = re.compile(r"[\W_]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_UNUSUAL = re.compile(r"[^\n\r\x20-_a-\x7e]")
_RUNS = re.compile(r"(?P<letter>[A-Za-z]+)|(?P<digit>[0-9]+)|[^A-Za-z0-9]+")
_STRAY = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]+")


class Tidy(msgspec.Struct, frozen=True):
    """A text as it is read for numbers and addresses; `at[i]` is where its character i stands in the
    original, one more than it has."""

    text: str
    at: tuple[int, ...]


class Squeezed(msgspec.Struct, frozen=True):
    """Letters and digits of a text. `starts[i]`: a word begins at i; `at[i]`: its place in the original."""

    text: str
    starts: tuple[bool, ...]
    at: tuple[int, ...]


def stands_in(letters: str, text: Squeezed) -> bool:
    """Return whether squeezed letters are whole words of a text: `kerkstraat1` is not in `Kerkstraat 12`."""
    begin = text.text.find(letters)
    while begin >= 0:
        end = begin + len(letters)
        if text.starts[begin] and (end == len(text.text) or text.starts[end]):
            return True
        begin = text.text.find(letters, begin + 1)
    return False


def begin_of(letters: str, text: Squeezed) -> int | None:
    """Return where a word of the original first begins with squeezed letters, None for nowhere."""
    begin = text.text.find(letters)
    while begin >= 0:
        if text.starts[begin]:
            return text.at[begin]
        begin = text.text.find(letters, begin + 1)
    return None


@lru_cache(maxsize=10_000)
def _is_invisible(character: str) -> bool:
    """Return whether a character takes no room: zero-width and direction marks, soft hyphens, joiners, stray
    control characters, and the signs for two letters of Arabic that Latin has not."""
    kind = unicodedata.category(character)
    return character in "ʾʿ" or kind in ("Cf", "Mn", "Me") or (kind == "Cc" and not character.isspace())


def tidy(text: str) -> Tidy:
    """Take away what cannot be seen; every other character stays, in its plain form and with its accent."""
    if text.isascii() and "\t" not in text and text.isprintable():
        return Tidy(text, tuple(range(len(text) + 1)))
    characters: list[str] = []
    at: list[int] = []
    done = 0
    for match in _UNUSUAL.finditer(text):
        position, character = match.start(), match[0]
        characters += text[done:position]
        at += range(done, position)
        done = position + 1
        is_accent = not character.isascii() and characters and unicodedata.combining(character)
        joined = unicodedata.normalize("NFC", characters[-1] + character) if is_accent else ""
        if len(joined) == 1:  # an accent that was typed apart
            characters[-1] = joined
            continue
        for one in _visible(character):
            characters.append(one)
            at.append(position)
    characters += text[done:]
    at += range(done, len(text) + 1)
    return Tidy("".join(characters), tuple(at))


@lru_cache(maxsize=10_000)
def _visible(character: str) -> str:
    """Return what can be seen of a character, in its plain form."""
    return "".join(one for one in _plainly(character) if not _is_invisible(one))


def _plainly(character: str) -> str:
    """Return the plain form of a character, if it is one character: a fraction or a unit stays as it is."""
    plain = _PLAIN.get(character)
    if plain is None:
        plain = character if character.isascii() else unicodedata.normalize("NFKC", character)
        is_one = len(plain) == 1 and _is_invisible(plain) == _is_invisible(character)
        if not is_one and not (plain.isascii() and plain.isalnum()):
            plain = character
    return _PLAIN.get(plain, plain)


def fold(word: str) -> str:
    """Return a name or word as it is compared: letters and digits only, without accents and case. Letters of
    other alphabets are written in Latin ones, so that a name is the same in both."""
    if not word.isascii():
        word = _NOT_ASCII.sub(lambda match: _folded(match[0]), word)
    return "".join(filter(str.isalnum, word.lower()))


def squeeze(text: str) -> Squeezed:
    """Return the letters and digits of a text with where each came from. A word begins after anything that is
    neither letter nor digit, an apostrophe included, and where a digit follows a letter or a letter a digit;
    invisible characters separate nothing."""
    letters: list[str] = []
    starts: list[bool] = []
    at: list[int] = []
    before = ""  # the kind of the character before: a letter, a digit, or something between words
    for run in _RUNS.finditer(text):
        begin, end = run.span()
        if kind := run.lastgroup:
            letters.append(run[0].lower())
            starts.append(kind != before)
            starts += [False] * (end - begin - 1)
            at += range(begin, end)
            before = kind
            continue
        for position, character in enumerate(run[0], begin):
            folded = _folded(character)
            if not folded and (character == " " or not _is_invisible(character)):
                before = ""
            for one in folded:
                kind = "digit" if one.isdigit() else "letter"
                letters.append(one)
                starts.append(kind != before)
                at.append(position)
                before = kind
    return Squeezed("".join(letters), tuple(starts), tuple(at))


@lru_cache(maxsize=10_000)
def _folded(character: str) -> str:
    """Fold one character other than a letter or digit of ASCII."""
    if character.isascii():
        return ""
    known = _LETTERS.get(character)
    if known is not None:
        return known
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    plain = "".join(one for one in unicodedata.normalize("NFKD", character) if unicodedata.category(one) not in ("Mn", "Me"))
    if not plain.isascii() and all(unicodedata.category(one)[0] == "L" for one in plain):
        plain = anyascii(plain)
    return "".join(one.lower() for one in plain if one.isascii() and one.isalnum())


def squeeze_quickly(text: str) -> str:
    """Return the letters and digits of a long text as `squeeze` does, with a capital where a word begins, and
    nothing about their places."""
    return _NOT_KEPT.sub("", plain_letters(text).title())


def letters_of(text: str) -> str:
    """Return the letters and digits of a long text as `squeeze` does, and nothing of where words begin."""
    return _NOT_KEPT.sub("", plain_letters(text))


def plain_letters(text: str) -> str:
    """Return a text in ASCII and lower case, with all that stands between its words: the folding of
    IDN-13."""
    if not text.isascii():
        text = _NOT_ASCII.sub(lambda match: _written(match[0]), text)
    return (text if text.isprintable() else _STRAY.sub("", text)).lower()


@lru_cache(maxsize=10_000)
def _written(character: str) -> str:
    seen = _visible(character)
    return _folded(character) or (seen if seen.isascii() else " ")
