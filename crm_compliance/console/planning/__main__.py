"""The process that makes one plan: what is asked comes on standard input, how far it is goes to standard
output, a line of JSON each. It ends when nobody listens any more."""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import datetime
from time import monotonic
from typing import Any, Final

TOLD_EVERY_S: Final = 0.5


def tell(**said: object) -> None:
    """Say one line."""
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()


def main() -> int:
    """Make the plan, and say its id, or why there is none."""
    from crm_compliance.logs import configure
    from crm_compliance.settings import load_settings
    from jobs.ports.context import Progress
    from rules.errors import ComplianceError
    from rules.hints import Hint

    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    told_at = 0.0

    def progress(stage: str, done: int, total: int | None = None) -> None:
        nonlocal told_at
        if monotonic() - told_at >= TOLD_EVERY_S:
            told_at = monotonic()
            tell(stage=stage, done=done)

    speaks: Progress = progress
    try:
        settings = load_settings()
        configure(sys.stderr, level=settings.log_level, terminal=False)
        tell(plan=_made(settings, asked, speaks))
    except ComplianceError as error:
        tell(error=[str(error), error.code, error.hint if not isinstance(error.hint, Hint) else ""])
        return error.exit_code
    return 0


def _made(settings: Any, asked: dict[str, Any], progress: Any) -> str:
    from crm_compliance.wiring import desk
    from jobs.model.plan import Kind
    from jobs.plans.lines.view import keep_columns
    from jobs.plans.make import make_plan
    from jobs.restores.detect import warning_of_rows_back

    with desk(settings, progress=progress) as opened:
        warning = warning_of_rows_back(opened.context)
        as_of = datetime.fromisoformat(asked["as_of"]) if asked["as_of"] else None
        made = make_plan(opened.context, Kind(asked["kind"]), as_of=as_of, proposer=asked["who"], warning=warning)
        keep_columns(opened.context.store, made.id, opened.context.line_cache)
        return made.id


def _end_with_the_other() -> None:
    """End at once where the process that asked has ended: nothing is half made, a plan is stored whole."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
