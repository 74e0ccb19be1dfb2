"""What a person reads in the files that we made ourselves: the words of letter, page, data and table, and
never their markup. Names of keys, tags, attributes, classes and styles are ours and reveal nobody: a family
that has the name of one of them is not affected."""

import csv
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from jobs.files.file_texts import texts_of, texts_shown

APART: Final = "\n ||||| \n"  # between what does not belong together: no name reaches over it
_READ_ALOUD: Final = frozenset({"alt", "title", "aria-label", "placeholder", "value", "summary", "label"})
_TECHNICAL: Final = frozenset({"viewport", "referrer", "robots", "color-scheme", "theme-color", "format-detection"})
_UNSEEN: Final = frozenset({"style", "script"})
_INLINE: Final = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "i", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "u"}
)


def words_of(name: str, content: bytes) -> Iterator[str]:
    """Yield what can be read in one of our own files, metadata included; `APART` separates parts that do not
    belong together."""
    if name.endswith(".json"):
        yield APART.join(_values(json.loads(content)))
    elif name.endswith(".csv"):
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
        yield APART.join(cell for row in rows[1:] for cell in row)
    elif name.endswith(".html"):
        page = _Page()
        page.feed(content.decode("utf-8"))
        page.close()
        yield "".join(page.read)
    elif name.endswith(".pdf"):
        yield from texts_shown(content)
    else:
        yield from texts_of(name, content)


def _values(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for value in document.values():
            yield from _values(value)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value)
    elif isinstance(document, str) or (isinstance(document, int | float) and not isinstance(document, bool)):
        yield str(document)


class _Page(HTMLParser):
    """Text, what is read aloud of attributes, where links lead, and what the head says of the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        if tag not in _INLINE:
            self.read.append(APART)
        told = {name: value or "" for name, value in attrs}
        spoken = [value for name, value in told.items() if name in _READ_ALOUD]
        if not told.get("href", "#").startswith("#"):
            spoken.append(told["href"])
        if tag == "meta" and told.get("name", "") not in _TECHNICAL and "name" in told:
            spoken.append(told.get("content", ""))
        self.read += [APART + value + APART for value in spoken]

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        if tag not in _INLINE:
            self.read.append(APART)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.read.append(data)
