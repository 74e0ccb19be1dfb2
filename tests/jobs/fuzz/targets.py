"""What the fuzzer aims at. Whatever reads what other people wrote belongs in TARGETS."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from jobs.files.encodings import decoded
from jobs.files.html_text import plain_text
from jobs.files.limits import MEBI, Limits
from jobs.files.supervisor import Reader
from rules.redaction.leak_terms import LeakTerms, leak_term, name_leak_term
from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import Redactor

# Less than the product gives, so that what is slow or greedy is seen.
LIMITS = Limits(seconds=10.0, wall=60.0, memory=384 * MEBI)
_LEAK_TERMS = LeakTerms(
    [name_leak_term("Żaneta", "D'Hondt-Müller"), leak_term("phone", "+32470112233"), leak_term("email", "a@example.org")]
)

_REDACTOR = Redactor(
    [Protected("a", "witness", names=(("Żaneta", "D'Hondt-Müller"),), phones=("+32470112233",), emails=("a@example.org",))],
    Shown(names=(("Lotte", "Peeters"),)),
    "nl",
)
_REDACTOR_LEAK_TERMS = LeakTerms(_REDACTOR.leak_terms())


@dataclass(frozen=True)
class Target:
    """`run` takes content, media type and a reader, and says in a word or two what came of it; an exception
    is a find of the fuzzer."""

    name: str
    run: Callable[[bytes, str, Reader], str]


def _read(content: bytes, media_type: str, reader: Reader) -> str:
    found = reader.read(content, media_type)
    has_something = len(content) > 200 and any(each > 0x40 for each in content)
    if has_something and not found.why and not found.texts and found.kind not in ("picture", "sound"):
        if found.kind == "gzip" and not gzip.decompress(content):
            return "gzip of nothing"
        text = decoded(content)
        if text is None or any(each.isalpha() for each in text if "<" not in text and "(" not in text):
            raise AssertionError(f"{found.kind}: nothing is said of a file that has something in it")
    return " ".join(filter(None, (found.kind, found.why, found.detail)))


def _told(content: bytes, media_type: str, reader: Reader) -> str:
    return "nothing" if reader.told(content, media_type, "a.eml" if media_type == "message/rfc822" else "a.json") is None else "told"


def _plain(content: bytes, media_type: str, reader: Reader) -> str:
    text = decoded(content)
    if text is None:
        return "no text"
    plain_text(text)
    return "text"


def _searched(content: bytes, media_type: str, reader: Reader) -> str:
    """The last look at what was read."""
    return " ".join(sorted({what for text in reader.read(content, media_type).texts for what in _LEAK_TERMS.found_in(text)})) or "clean"


def _redacted(content: bytes, media_type: str, reader: Reader) -> str:
    """What would be proposed of a text: nothing in it stops the last look."""
    text = decoded(content)
    if text is None:
        return "no text"
    proposed = _REDACTOR.redact(plain_text(text)).text
    if _REDACTOR_LEAK_TERMS.found_in(proposed):
        raise AssertionError("what is proposed holds what the last look refuses")
    return "redacted" if proposed != text else "as it was"


TARGETS = [
    Target("read", _read),
    Target("told", _told),
    Target("plain_text", _plain),
    Target("needles", _searched),
    Target("redaction", _redacted),
]
