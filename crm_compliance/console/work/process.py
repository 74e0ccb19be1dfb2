"""Has an act carried out by a process of its own: it shares neither memory nor interpreter with pages."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
import structlog

from crm_compliance.console.work.act_under_way import Counts, Ended, OnCounts
from crm_compliance.console.work.background import failed
from crm_compliance.store.rows.console.works import Failure
from rules.decoders import decoder_of
from rules.errors import ComplianceError, Refused

COMMAND: Final = (sys.executable, "-m", "crm_compliance.console.work")
log = structlog.get_logger()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is asked to do: which act, for what, for whom, in which role, now; `details` are the
    rest, by name."""

    act: str
    subject: str
    who: str
    role: str
    now: datetime
    details: dict[str, str] = {}


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line that the process says: how far it is, or how it ended."""

    counts: Counts | None = None
    ended: Ended | None = None
    failure: Failure | None = None


def carried_out(asked: Asked, told: OnCounts, command: Sequence[str] = COMMAND) -> Ended:
    """Carry out an act, and return how it ended. Raises ComplianceError: as the act does; with code `bug`,
    where the process has ended without a word; `process_ended`, where somebody, or the system, has ended
    it."""
    # What is asked goes through a pipe: a command line is for everybody on the machine to read.
    with subprocess.Popen(list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(asked) + b"\n")  # and stays open: the process ends where this one has
            process.stdin.flush()
        except OSError:
            pass  # it has ended, and says nothing
        for text in process.stdout:
            line = decoder_of(Line).decode(text)
            if line.counts is not None:
                told(line.counts)
            elif line.failure is not None:
                raise failed(*line.failure)
            elif line.ended is not None:
                return line.ended
    log.error("an act has ended without a word", action=asked.act, exit_code=process.returncode)
    if process.returncode < 0:  # by a signal: of the system where it has no memory left, or of a person
        message = f"the process that did this was ended (signal {-process.returncode})"
        raise failed(
            message, "process_ended", "begin it again; where it ends so again, the machine has too little memory", "", Refused.exit_code
        )
    raise ComplianceError("something went wrong here", hint="tell the administrator", code="bug")
