"""What is said over the two pipes of the process that reads files. A request is a head of twelve bytes (two
lengths), the request in MessagePack and the bytes of the file; an answer is a head of eight bytes and the
answer in MessagePack."""

import struct
from typing import Final

import msgspec

from jobs.files.limits import Limits
from jobs.files.result import Drawn, Reading, Told

HEAD: Final = struct.Struct(">IQ")
ANSWER: Final = struct.Struct(">Q")
READY: Final = b"ready\n"
OUT_OF_MEMORY: Final = 86  # how the process ends where the system keeps no limit for it


class Request(msgspec.Struct, frozen=True):
    """What to do with a file: `told`, `read`, `shown`, `bytes`, or `drawn` with the number of a page.
    `watched`: check the memory from inside, where no limit is enforced."""

    what: str
    media_type: str
    name: str
    limits: Limits
    watched: bool = False
    page: int = 0


class Answer(msgspec.Struct, frozen=True):
    """The result, the processor seconds that it took, and the peak memory of the process in bytes. After one
    that `is_last` the process has ended."""

    reading: Reading
    told: Told | None = None
    drawn: Drawn | None = None
    is_last: bool = False
    seconds: float = 0.0
    peak: int = 0
