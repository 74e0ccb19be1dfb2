"""`python -m crm_compliance`, and the console command: looks whose packages these are before any of them is
loaded."""

import gc
import os
import signal
import sys
import threading
from contextlib import suppress

from crm_compliance.host.ownership import refuse_strangers

# Loading modules makes objects that live on: looking through them after each 2,000 takes a sixth of the
# start, and looking through them once a tenth of a short command, which has ended before.
GARBAGE_AFTER, AT_FIRST = 200_000, 400_000
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
# Whatever else is installed may ask to be called by the library of our models, which looks for that in all
# that is installed.
NO_PLUGINS = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
# The allocator of the library of frames keeps what was freed for ten seconds, for each thread by itself: a
# plan made of pages that come quickly would hold its rows twice (decision 0056).
ALLOCATOR, FREED_SOON = "_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:500,muzzy_decay_ms:0"


def tell_libraries() -> None:
    """Set for libraries what they read from the environment when they are loaded; none of it is a setting of
    ours."""
    os.environ.update(NO_PLUGINS)  # noqa: TID251
    os.environ.setdefault(ALLOCATOR, FREED_SOON)  # noqa: TID251


def open_streams() -> None:
    """Let a standard stream that the caller has closed lead nowhere. Otherwise the next file that is opened
    gets its number: the database, into which a library would write its messages."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nowhere, True)  # for the processes that are begun from here as well
            setattr(sys, name, open(nowhere, mode, encoding="utf-8"))  # noqa: SIM115  as long as the program


def heed_interruptions() -> None:
    """Let a second Ctrl-C end the process at once. The first ends what has begun, and with it waits for
    answers that the CRM owes, which can take minutes; nothing is lost by either. Where nobody can interrupt,
    as behind `&` in a script, it stays so.

    A thread counts them: the library of frames has waits of the main thread begin anew after a signal, so
    that Python hears of it once the wait is over."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    heard, tell = os.pipe()
    os.set_blocking(tell, False)
    with suppress(RuntimeError):  # this machine starts no further thread: the first one has to do
        threading.Thread(target=_end_at_the_second, args=(heard,), name="interruptions", daemon=True).start()
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)


def _end_at_the_second(heard: int) -> None:
    count = 0
    while count < 2:
        count += os.read(heard, 1) == bytes([signal.SIGINT])
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def main() -> None:
    """Run the command that was typed."""
    gc.set_threshold(AT_FIRST)
    gc.callbacks.append(_later_on)
    open_streams()
    tell_libraries()
    heed_interruptions()
    try:
        refuse_strangers(sys.argv[1:])
        from crm_compliance.cli.app import main as run

        run()
    except KeyboardInterrupt:  # while modules are loaded; what has begun is ended, and said, there
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()  # everything goes with the process: looking through it once more takes a quarter of a short command


def _later_on(phase: str, _found: object) -> None:
    if phase == "stop":
        gc.set_threshold(GARBAGE_AFTER)
        gc.callbacks.remove(_later_on)


if __name__ == "__main__":
    main()
