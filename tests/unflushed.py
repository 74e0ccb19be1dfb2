"""What tests write need not outlive a power cut: nothing waits until a disk has it.

A night waits for the disk some dozens of times, and hardly works meanwhile. In the process of the tests
neither files nor SQLite are flushed, as PostgreSQL is not (tests/conftest.py); in every program that a test
starts they are, and in tests that ask for `real_flushes` because they look at the flushing itself.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

FLUSH = os.fsync  # the flushing itself


class Unflushed(sqlite3.Connection):
    """A connection that is asked to flush and does not."""

    instead = {"PRAGMA synchronous=FULL": "PRAGMA synchronous=OFF"}  # noqa: RUF012  tests put it away

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return super().execute(self.instead.get(sql, sql), *parameters)


def unflushed(create_engine: Callable[..., Engine]) -> Callable[..., Engine]:
    """`create_engine`, whose connections to SQLite do not flush."""

    def create(url: Any, **more: Any) -> Engine:
        if url.get_backend_name() == "sqlite":
            more["connect_args"] = {"factory": Unflushed, **more.get("connect_args", {})}
        return create_engine(url, **more)

    return create
