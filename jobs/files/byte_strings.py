"""What reads as words among bytes that are not a text: encodings of one byte, UTF-8, UTF-16."""

import re
from collections.abc import Iterator
from typing import Final

# Letters of Latin, Greek and Cyrillic in two bytes; what is shorter than this proves nothing.
_LITTLE: Final = re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\x00|[\x00-\xff][\x01-\x05]){4,}+", re.DOTALL)
_BIG: Final = re.compile(rb"(?:\x00[\x20-\x7e\xa0-\xff]|[\x01-\x05][\x00-\xff]){4,}+", re.DOTALL)
_HALVES: Final = re.compile(rb"[\x00-\x05]")
_NOTHING: Final = re.compile(rb"\x00{8,}+")
_UTF_8: Final = re.compile(rb"(?:[\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}){5,}+")
_ONE_BYTE: Final = re.compile(rb"[\x20-\x7e\x8a\x8c\x8e\x91\x92\x96\x9a\x9c\x9e\x9f\xc0-\xff]{5,}+")


def among_bytes(content: bytes) -> Iterator[str]:
    """Yield the runs of characters, by encoding; one line per run."""
    content = _NOTHING.sub(b"\0\0\0\0", content)
    yield _joined(_UTF_8.findall(content), "utf-8")
    if not content.isascii():
        yield _joined((run for run in _ONE_BYTE.findall(content) if not run.isascii()), "cp1252")
    if _HALVES.search(content):
        yield _joined(_LITTLE.findall(content), "utf-16-le")
        yield _joined(_BIG.findall(content), "utf-16-be")


def _joined(runs: Iterator[bytes] | list[bytes], encoding: str) -> str:
    return "\n".join(run.decode(encoding, "replace") for run in runs)
