"""The product's command line, typed in forks of one warm process.

Every command is a process of its own, with its own settings, folder and exit code. What is spent once is the
time that it takes to import what is imported, to build the commands, to read each schedule and the shipped
mapping, and to ask a CRM with its usual schema how it defines its tables: but for the first question of each
command, and where trouble is scripted, the answers that commands have had are known to the next ones.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pickle
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.schema.metadata import Metadata
from crm_compliance.cli import app
from crm_compliance.configuration.organisation import product_texts
from rules.files.yaml_lines import Problem
from rules.model.languages import USUAL
from rules.organisation.loader import load_organisation
from rules.policy import loader
from rules.policy.policy import Policy
from tests.independent.emulator import ROOT
from tests.independent.stage import Spoken
from tests.known_definitions import ASK, Answers, is_first

STDIN, STDOUT, STDERR = 0, 1, 2
READ = loader._read.__wrapped__  # the reading itself
Asked = tuple[str, frozenset[str] | None]  # a text, and the categories that the mapping tells


class Prompt:
    """Types one command after another; what they printed is read from files, so that no full pipe holds one
    up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.independent.prompt"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    def type(self, args: Sequence[str], env: dict[str, str], cwd: Path, given: str = "", *, is_calm: bool = False) -> Spoken:
        """Run one command; `is_calm` says that its CRM has the usual schema and no scripted trouble."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        out, err, said = (self.folder / name for name in ("prompt.out", "prompt.err", "prompt.in"))
        said.write_text(given)
        job = {"args": list(args), "env": env, "cwd": str(cwd), "in": str(said), "out": str(out), "err": str(err), "calm": is_calm}
        began = time.monotonic()
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the warm process has ended")
        return Spoken(tuple(args), json.loads(answer)["code"], out.read_text(), err.read_text(), time.monotonic() - began)


class Schedules:
    """Stands in for the reading of a schedule: what its text says, or what is wrong with it, is found out
    once."""

    def __init__(self) -> None:
        self.found: dict[Asked, Policy | list[Problem]] = {}
        self.new: dict[Asked, Policy | list[Problem]] = {}  # by this process

    def __call__(self, *asked: *Asked) -> Policy | list[Problem]:
        if asked not in self.found:
            self.found[asked] = self.new[asked] = READ(*asked)
        return self.found[asked]


def serve() -> None:
    """Read jobs from stdin until it ends; what a command has imported is imported here too, for the next
    one."""
    known: Answers = {}
    loader._read = schedules = Schedules()  # type: ignore[assignment]
    read_shipped()
    app._commands([])
    for line in sys.stdin:
        job = json.loads(line)
        read, write = os.pipe()
        gc.freeze()  # what is here already is not looked at again by any child
        child = os.fork()
        if child == 0:
            gc.disable()  # a command is short
            os.close(read)
            schedules.new.clear()
            act(job, write, known, schedules)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            names, learnt, read_anew = pickle.loads(pipe.read() or pickle.dumps(([], [], {})))  # noqa: S301  our own fork's
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()
        known |= {(crm, address): answer for crm, address, answer in learnt}
        schedules.found |= read_anew
        for name in names:
            if name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)


def read_shipped() -> None:
    """Read the schedule and the mapping that every command without others reads, and the schedule without a
    first look."""
    schedule, organisation, mapping = (
        ROOT / "rules" / "policy" / "schedules" / "childfocus.yaml",
        ROOT / "rules" / "organisation" / "shipped" / "childfocus.yaml",
        ROOT / "connectors" / "dynamics" / "mapping" / "reference.yaml",
    )
    text = schedule.read_text(encoding="utf-8")
    loader.load_policy(text, source="shipped")
    loader.load_policy(text.replace("first_run: true", "first_run: false", 1), source="shipped")
    load_organisation(organisation.read_text(encoding="utf-8"), source="shipped", texts=product_texts(USUAL), is_shipped=True)
    parse_mapping(mapping.read_text(encoding="utf-8"), "reference.yaml (shipped)")


def asking_once(known: Answers, learnt: list[tuple[str, str, dict[str, Any]]]) -> Callable[..., dict[str, Any]]:
    """`Metadata._get` for a command: what is `known` is not asked for, but for its first question; the rest
    is `learnt`."""

    def get(metadata: Metadata, address: str, where: str) -> dict[str, Any]:
        crm = metadata._transport.environment.url
        if (crm, address) in known and not is_first(metadata._transport):
            return known[crm, address]
        answer = ASK(metadata, address, where)
        if (crm, address) not in known:
            learnt.append((crm, address, answer))
        return answer

    return get


def act(job: dict[str, Any], write: int, known: Answers, schedules: Schedules) -> None:
    """Be the command; never returns."""
    code = 1
    loaded = len(sys.modules)
    learnt: list[tuple[str, str, dict[str, Any]]] = []
    if job["calm"]:
        Metadata._get = asking_once(known, learnt)  # type: ignore[method-assign]
    try:
        for target, name, flags in (
            (STDIN, "in", os.O_RDONLY),
            (STDOUT, "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (STDERR, "err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ):
            opened = os.open(job[name], flags, 0o600)
            os.dup2(opened, target)
            os.close(opened)
        sys.stdin, sys.stdout, sys.stderr = (
            io.TextIOWrapper(io.FileIO(STDIN), encoding="utf-8"),
            io.TextIOWrapper(io.FileIO(STDOUT, "w"), encoding="utf-8", line_buffering=True),
            io.TextIOWrapper(io.FileIO(STDERR, "w"), encoding="utf-8", line_buffering=True),
        )
        os.environ.clear()
        os.environ.update(job["env"])
        if hasattr(time, "tzset"):
            time.tzset()
        os.chdir(job["cwd"])
        sys.argv = ["crm-compliance", *job["args"]]
        code = command()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        new = list(islice(reversed(sys.modules), len(sys.modules) - loaded))  # whoever looks at all of them copies their pages
        names = [name for name in reversed(new) if getattr(sys.modules[name], "__file__", None)]
        with os.fdopen(write, "wb") as pipe:
            pickle.dump((names, learnt, schedules.new), pipe)
        os._exit(code)


def command() -> int:
    """The console command as `python -m crm_compliance` is; its exit code."""
    try:
        runpy.run_module("crm_compliance", run_name="__main__")
    except SystemExit as end:
        if end.code is None:
            return 0
        if isinstance(end.code, int):
            return end.code
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001  as the interpreter itself does at its end
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


if __name__ == "__main__":
    serve()
