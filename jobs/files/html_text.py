"""The text of a message that was written as HTML: what a reader would see, and nothing that a program would
interpret. Source: EXP-01, EXP-19."""

import re

from rules.texts.markup import Words, goes_on, has_markup, tokens_read

CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"template"})
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


def lines_of(text: str) -> str:
    """Return a text with single blanks and single line ends."""
    return "\n".join(line for each in text.split("\n") if (line := _SPACES.sub(" ", each).strip()))
