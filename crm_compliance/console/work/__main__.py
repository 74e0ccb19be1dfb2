"""The process that carries out one act: what is asked comes on standard input, how far it is goes to standard
output, a line of JSON each. It ends when nobody listens any more."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

import msgspec
import structlog

from crm_compliance.console.work.process import Asked, Line
from rules.decoders import decoder_of

log = structlog.get_logger()
NICER: Final = 5  # pages come first


def main() -> int:
    """Carry it out, and say how it ended."""
    from crm_compliance.configuration.settings import load_settings
    from crm_compliance.console.work.act_under_way import Counts
    from crm_compliance.console.work.acts import ACTS
    from crm_compliance.console.work.background import failure_of
    from crm_compliance.host.logs import configure
    from rules.errors import ComplianceError

    configure(sys.stderr, terminal=False)
    asked = decoder_of(Asked).decode(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    os.nice(NICER)

    def told(counts: Counts) -> None:
        _say(Line(counts=counts))

    try:
        settings = load_settings()
        configure(sys.stderr, level=settings.log_level, terminal=False)
        if settings.clock is not None:
            settings = settings.model_copy(update={"clock": asked.now})
        _say(Line(ended=ACTS[asked.act](settings, asked, told)))
    except ComplianceError as error:
        _say(Line(failure=failure_of(error)))
    except Exception as error:  # whatever it says may name a person: Python itself would write that
        log.error("an act failed", exc_info=error)
        return 1
    return 0


_saying = threading.Lock()


def _say(line: Line) -> None:
    with _saying:
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.flush()


def _end_with_the_other() -> None:
    """End at once where the process that asked has ended: nothing is half made, each act stores what it has
    made whole."""
    while os.read(sys.stdin.fileno(), 1024):  # not by the buffer, whose lock the end of this process would wait for
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
