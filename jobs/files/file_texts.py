"""What can be read of a file without opening it by hand; all of it is read behind the border
(`jobs/files/supervisor.py`). A text file is shown as a text, redacted and read by a person like every other;
only what is not a text is handed on as a file (EXP-06, EXP-07)."""

from pathlib import PurePath
from typing import Final

import msgspec

from jobs.files.result import Drawn, Reading, Told
from jobs.files.supervisor import SHARED
from rules.model.media_types import plain_type

_ENDINGS: Final = frozenset(
    {".txt", ".csv", ".md", ".eml", ".json", ".xml", ".html", ".htm", ".log", ".vcf", ".ics", ".tsv", ".yaml", ".yml"}
)
_APPLICATIONS: Final = frozenset({"application/json", "application/xml", "application/xhtml+xml", "message/rfc822"})


class Checked(msgspec.Struct, frozen=True):
    """What a program could find out about a file. `unread` states why it cannot know all that is in it, one
    of `reading.limits.Unread`; `sha256` is that of its content."""

    tells_of_others: bool = False
    unread: str = ""
    sha256: str = ""


def is_text_file(media_type: str, file_name: str) -> bool:
    """Return whether a file claims to be a text."""
    kind = plain_type(media_type)
    return kind.startswith("text/") or kind in _APPLICATIONS or PurePath(file_name.lower()).suffix in _ENDINGS


def text_in(body: bytes, media_type: str, file_name: str) -> Told | None:
    """Return what a text file says, without markup; None where it is not a text, whatever it claims to be,
    too long, or not to be read."""
    return SHARED.told(body, media_type, file_name)


def texts_of(name: str, content: bytes) -> tuple[str, ...]:
    """Return all in a file that a person or program could read as words, as far as it can be read."""
    return reading_of(content, "", name).texts


def texts_shown(pdf: bytes) -> tuple[str, ...]:
    """Return what a PDF of our own shows, and says of itself, without the words of the format, which may be
    somebody's name. Raises RuntimeError: it cannot be read, which no letter of ours may be."""
    found = SHARED.shown(pdf)
    if found.why:
        raise RuntimeError(f"a letter cannot be read back: {found.why} {found.detail}")
    return found.texts


def page_of(pdf: bytes, page: int) -> Drawn:
    """Return a page of a PDF, counted from 0, as a picture; `why` states why there is none."""
    return SHARED.drawn(pdf, page)


def reading_of(content: bytes, media_type: str, name: str = "") -> Reading:
    """Return the same, with the reason where not everything can be read, and a redrawn picture."""
    return SHARED.read(content, media_type, name)
