"""One plan at a time is made for people: who asked for it, how far it is, and how it ended."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any, Final

import structlog

from rules.errors import ComplianceError

COMMAND: Final = (sys.executable, "-m", "crm_compliance.console.planning")
log = structlog.get_logger()


class PlanAtWork(ComplianceError):
    """Somebody has a plan made at this moment."""

    exit_code = 5
    code = "plan_at_work"


@dataclass(frozen=True, slots=True)
class Making:
    """One plan that is being made, or the last that was; `done` counts what was read of `stage`. `plan` is
    there once it is stored, `error` where it was not."""

    kind: str
    who: str
    since: datetime
    is_over: bool = False
    stage: str = ""
    done: int = 0
    plan: str = ""
    error: ComplianceError | None = None


class PlanMaker:
    """Starts the process and listens to it."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command, self._lock = list(command), threading.Lock()
        self._last: Making | None = None
        self._process: subprocess.Popen[str] | None = None

    @property
    def last(self) -> Making | None:
        """What is being made, or was last."""
        return self._last

    def start(self, kind: str, as_of: str, who: str, now: datetime, *, ended: Callable[[], None] = lambda: None) -> None:
        """Have a plan made; return at once. `as_of` is an instant in ISO form, or empty; `ended` is called
        where it is over. Raises PlanAtWork: one is being made."""
        with self._lock:
            if self._last is not None and not self._last.is_over:
                raise PlanAtWork("a plan is being made already", hint="wait until it is there")
            # What is asked goes through a pipe: a command line is for everybody on the machine to read.
            process = self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._last = Making(kind, who, now)
        asked = json.dumps({"kind": kind, "as_of": as_of, "who": who})
        threading.Thread(target=self._listen, args=(process, asked, ended), name="planning", daemon=True).start()

    def stop(self) -> None:
        """End what is being made: nothing is half made, for a plan is stored whole."""
        if self._process is not None:
            self._process.terminate()

    def _listen(self, process: subprocess.Popen[str], asked: str, ended: Callable[[], None]) -> None:
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        try:
            process.stdin.write(f"{asked}\n")  # and stays open: the process ends where this one has
            process.stdin.flush()
            self._follow(process.stdout)
        except OSError:
            pass
        finally:
            process.wait()
            process.stdout.close()
            process.stdin.close()
            last = self._last
            if last is not None and not last.is_over:
                log.error("a plan was not made", code="bug", exit=process.returncode)
                error = ComplianceError("the plan was not made", hint="tell the administrator", code="bug")
                self._last = replace(last, is_over=True, error=error)
            ended()

    def _follow(self, said: IO[str]) -> None:
        for line in said:
            told: dict[str, Any] = json.loads(line)
            assert self._last is not None
            if "plan" in told:
                self._last = replace(self._last, is_over=True, plan=str(told["plan"]))
            elif "error" in told:
                message, code, hint = told["error"]
                self._last = replace(self._last, is_over=True, error=ComplianceError(message, code=code, hint=hint))
            else:
                self._last = replace(self._last, stage=str(told["stage"]), done=int(told["done"]))
