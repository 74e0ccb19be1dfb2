"""The way out of a command that somebody interrupts: Ctrl-C, a signal that asks it to end, a terminal that is
closed. What has begun is ended in order each time, so that no file is left half-written."""

import os
import select
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn

STILL_HERE_S: Final = 1.0  # who interrupts is told after that long why nothing has ended
STILL_HERE: Final = b"interrupted; ending what has begun, which waits for answers of the CRM: a second Ctrl-C ends it at once\n"
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)

_by: int = signal.SIGINT  # the signal that interrupted


def exit_code() -> int:
    """Return the exit code of what was interrupted, as shells have it."""
    return 128 + _by


def heed_interruptions() -> None:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end the process as Ctrl-C does, and the second of
    these at once. The first ends what has begun, and with it waits for answers that the CRM owes, which can
    take minutes; nothing is lost by either. Where one is ignored, as Ctrl-C behind `&` in a script and SIGHUP
    under nohup, it stays so.

    A thread counts them: the library of frames has waits of the main thread begin again after a signal, so
    that Python hears of it once the wait is over."""
    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    heard, tell = os.pipe()
    os.set_blocking(tell, False)
    with suppress(RuntimeError):  # this machine starts no further thread: the first one has to do
        threading.Thread(target=_end_at_the_second, args=(heard,), name="interruptions", daemon=True).start()
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)


def end_without_a_word() -> None:
    """Let Ctrl-C end this process at once and without a word: it works for another one, which has the word.
    From its start until here Ctrl-C was blocked. Where it is ignored, it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    global _by
    _by = number
    raise KeyboardInterrupt


def _end_at_the_second(heard: int) -> None:
    _next(heard)
    if not select.select([heard], [], [], STILL_HERE_S)[0]:
        with suppress(OSError):  # of a terminal that is gone
            os.write(2, STILL_HERE)
    number = _next(heard)
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(128 + number)


def _next(heard: int) -> int:
    """Return the next signal that ends this process; one that a command has taken for itself, such as the
    SIGTERM of the service, is none. Ctrl-C always is."""
    while True:
        number = os.read(heard, 1)[0]
        if number == signal.SIGINT or signal.getsignal(number) is _interrupt:
            return number
