"""`python -m crm_compliance`, and the console command: looks whose packages these are before any of them is
loaded."""

import gc
import os
import resource
import sys

from crm_compliance.host.interruptions import exit_code, heed_interruptions
from crm_compliance.host.ownership import refuse_strangers

# Loading modules makes objects that live on: looking through them after each 2,000 takes a sixth of the
# start, and looking through them once a tenth of a short command, which has ended before.
GARBAGE_AFTER, AT_FIRST = 200_000, 400_000
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


def leave_no_memory_behind() -> None:
    """Let no crash lay down what is in memory on a disk, of this process or of one that it begins: keys are
    in it, and what was read of people."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def main() -> None:
    """Run the command that was typed."""
    leave_no_memory_behind()
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
        sys.exit(exit_code())
    finally:
        gc.freeze()  # everything goes with the process: looking through it once more takes a quarter of a short command


def _later_on(phase: str, _found: object) -> None:
    if phase == "stop":
        gc.set_threshold(GARBAGE_AFTER)
        gc.callbacks.remove(_later_on)


if __name__ == "__main__":
    main()
