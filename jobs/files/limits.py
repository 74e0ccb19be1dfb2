"""What reading one file may cost, with all that is packed in it: one budget for every byte."""

from enum import StrEnum
from typing import Final

import msgspec

MEBI: Final = 1024 * 1024


class Limits(msgspec.Struct, frozen=True):
    """What one file may cost. `seconds` are of the processor, `wall` of the clock; `memory` is beyond what
    the reader has at its start."""

    content: int = 64 * MEBI  # bytes, as it is in the CRM
    unpacked: int = 64 * MEBI  # bytes of everything that is taken out of it
    text: int = 8 * MEBI  # characters of what it says
    parts: int = 5_000
    depth: int = 8  # of what is packed in what is packed
    pixels: int = 50_000_000  # of a picture, over all its frames
    seconds: float = 20.0
    wall: float = 120.0
    memory: int = 768 * MEBI


class Unread(StrEnum):
    """Why nobody can say what is in a file, or not all of it."""

    UNKNOWN = "unknown_kind"  # nothing here reads such files
    DAMAGED = "damaged"
    LOCKED = "locked"  # it asks for a password
    LARGE = "too_large"
    DEEP = "too_deep"
    SLOW = "took_too_long"
    MEMORY = "too_much_memory"
    STOPPED = "reader_stopped"  # the reader broke down over it
    PICTURES = "pictures_of_text"  # pages that are mostly pictures, and pictures in documents: no program reads what they show


class CannotRead(Exception):
    """A part of a file that cannot be read; `why` says which of the reasons."""

    def __init__(self, why: Unread) -> None:
        super().__init__(why.value)
        self.why = why


class Budget:
    """Counts what one file costs; anything that would cost more than the remainder is refused."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._unpacked = limits.unpacked
        self._text = limits.text
        self._parts = limits.parts
        self._pixels = limits.pixels

    @property
    def left(self) -> int:
        """How many more bytes may be unpacked."""
        return self._unpacked

    def unpack(self, size: int) -> None:
        """Take bytes. Raises CannotRead."""
        self._unpacked -= size
        if self._unpacked < 0:
            raise CannotRead(Unread.LARGE)

    def part(self, depth: int) -> None:
        """Take one part of something packed. Raises CannotRead."""
        self._parts -= 1
        if self._parts < 0:
            raise CannotRead(Unread.LARGE)
        if depth > self.limits.depth:
            raise CannotRead(Unread.DEEP)

    def pixels(self, count: int) -> None:
        """Take the pixels of a picture. Raises CannotRead."""
        self._pixels -= count
        if self._pixels < 0:
            raise CannotRead(Unread.LARGE)

    def say(self, text: str) -> str:
        """Take the characters of a text, and give it. Raises CannotRead."""
        self._text -= len(text)
        if self._text < 0:
            raise CannotRead(Unread.LARGE)
        return text
