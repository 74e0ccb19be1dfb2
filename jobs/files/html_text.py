"""The text of a message that was written as HTML: what a reader would see, and nothing that a program would
interpret. Source: EXP-01, EXP-19."""

import re

from rules.texts.markup import Tag, Words, goes_on, has_markup, tokens, tokens_read

CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"template"})
# What shows more than its words, on a page or in a document that is one text.
_SHOWS = frozenset({
    "svg", "object", "embed", "applet", "iframe", "frame", "canvas", "audio", "video", "binary", "office:binary-data",
    "w:bindata", "pkg:binarydata",
})  # fmt: skip
_HELD = re.compile(r"\bdata:\s*[\w.+-]+/[\w.+-]+\s*[;,]", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\f\v]+")


def plain_text(text: str) -> str:
    """Return the text without any markup, in time that grows with its length."""
    if not has_markup(text):
        return text
    seen: list[str] = []
    hidden = 0
    for token in tokens_read(text):
        if isinstance(token, Words):
            if token.is_seen and not hidden:
                seen.append(token.text)
            continue
        if token.name in _UNSEEN:
            hidden = max(hidden - 1, 0) if token.is_end else hidden + 1
        if token.name in CELLS:
            seen.append(" ")
        elif not goes_on(token.name):
            seen.append("\n")
    return lines_of("".join(seen))


def holds_more(text: str) -> bool:
    """Return whether markup holds what is no text: a picture or a file written into it. A script is none: who
    is told the words is not handed the page."""
    if not has_markup(text):
        return False
    return any(map(_is_more, tokens(text)))


def _is_more(token: Words | Tag) -> bool:
    if isinstance(token, Words):
        return not token.is_seen and _HELD.search(token.text) is not None
    return token.name in _SHOWS or any(_HELD.search(value) for _, value in token.attributes if value)


def lines_of(text: str) -> str:
    """Return a text with single blanks and single line ends."""
    return "\n".join(line for each in text.split("\n") if (line := _SPACES.sub(" ", each).strip()))
