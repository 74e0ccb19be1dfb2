"""The same commands typed in this process, and an emulator in this process to type them against: what a
scenario proves of rows, commands and exit codes, without a process and a socket for each.

The environment, the folder, the three streams and the exit code of a command are its own, as they are where
each is a process (`prompt.py`); the emulator is asked on the short way of `tests/in_process.py`.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from connectors.emulator.serving.server import running
from tests.drivers.typed import typed
from tests.in_process import emulators_in_process
from tests.independent.emulated import reset
from tests.independent.emulator import TOKEN
from tests.independent.stage import Spoken
from tests.independent.wire import WebApi
from tests.known_definitions import KNOWN


class CommandLine:
    """The command line in this process."""

    def type(self, args: Sequence[str], env: dict[str, str], cwd: Path, given: str = "", *, is_calm: bool = False) -> Spoken:
        """Run one command. Whether its CRM `is_calm` is known here."""
        began = time.monotonic()
        with told(env), contextlib.chdir(cwd):
            said = typed(*args, given=given)
        return Spoken(tuple(args), said.code, said.out, said.err, time.monotonic() - began)


class Inside(CommandLine):
    """An emulator without limits and a command line, both in this process."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._open.enter_context(emulators_in_process())
        started = self._open.enter_context(running(token=TOKEN, limits=False))
        self._open.enter_context(KNOWN.of(started, TOKEN))
        self._tables = started.emulator.tables
        self._kept = b""
        self.api = WebApi(started.url, TOKEN)

    def close(self) -> None:
        self.api.close()
        self._open.close()

    def reset(self, at: str) -> None:
        reset(self.api, at)

    def back_up(self) -> None:
        with self._tables.lock:
            self._kept = self._tables.connection.serialize()

    def restore(self) -> None:
        with self._tables.lock, closing(sqlite3.connect(":memory:")) as kept:
            kept.deserialize(self._kept)
            self._tables.replace_by(kept)


@contextmanager
def told(env: dict[str, str]) -> Iterator[None]:
    """The whole environment, the time zone among it, while it lasts."""
    before = dict(os.environ)
    try:
        _be(env)
        yield
    finally:
        _be(before)


def _be(env: dict[str, str]) -> None:
    is_elsewhere = env.get("TZ") != os.environ.get("TZ")
    for name in os.environ.keys() - env.keys():
        del os.environ[name]
    os.environ.update(env)
    if is_elsewhere and hasattr(time, "tzset"):
        time.tzset()
