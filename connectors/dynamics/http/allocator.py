"""What the C library does with memory that was freed. A page and what it becomes are some megabytes, which
are freed before the next comes; given back to the system each time, they have to be cleared by it and mapped
again, which costs half as much as decompressing them."""

from collections.abc import Callable
from functools import cache
from typing import Final

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # as <malloc.h> of the GNU C library numbers them
KEPT: Final = 8 << 20  # bytes at the end of each of its arenas
ARENAS: Final = 2  # else it gives threads that read side by side one each: what is kept is kept as often, and they seldom allocate at once
LARGEST: Final = 32 << 20  # bytes of a block that is not mapped by itself; the library raises its own limit to as much over time


@cache
def keep_freed() -> None:
    """Have what was freed kept for what comes next, as far as `KEPT`, once for the process. A C library
    without this setting behaves as before."""
    if (told := _function("mallopt")) is not None:
        told(_MMAP_THRESHOLD, LARGEST)
        told(_TRIM_THRESHOLD, KEPT)
        told(_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return freed memory to the system: no page is expected for now."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library, if it has it."""
    import ctypes  # by few commands only

    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return None
    return found
