"""Tasks that a worker does, and one that ends it."""

import os
import signal
from pathlib import Path

PARTS = [(number,) for number in range(9)]


def doubled(number: int) -> int:
    return 2 * number


def killed(number: int, folder: str, times: int, ballast: bytes = b"") -> int:
    """What `doubled` gives; the process that is at part 4 dies, as often as is said. With a ballast the next
    parts are on their way as it does."""
    if number == 4 and len(died := list(Path(folder).iterdir())) < times:
        Path(folder, str(len(died))).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def held(number: int) -> int:
    """Say that it has begun, and end by a signal alone."""
    os.write(1, b"begun\n")
    signal.pause()
    return number
