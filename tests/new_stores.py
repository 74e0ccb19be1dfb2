"""What a process that opens a new store for nearly every test need not do each time.

Alembic loads and plans a tenth of a second for what a database does in a few milliseconds: the steps that
make the tables are taken in full once of each kind. A new file of SQLite gets the bytes of one that nobody
uses, and PostgreSQL copies a database (`postgres_url`). Any other upgrade, and every program that a test
starts, takes the steps themselves; so do the tests of the steps (`real_steps`). SQLAlchemy puts each
statement into words for each engine again: here engines of a kind share the words.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, event

from crm_compliance.store.sql import database
from crm_compliance.store.sql.database import Database


def copied(migrate: Callable[[Database], None]) -> Callable[[Database], None]:
    """`migrate`, but for a new file: that gets the bytes of one that was made aside, so that the first is as
    all others."""
    made: list[bytes] = []
    one_at_a_time = threading.Lock()

    def bring_up_to_date(self: Database) -> None:
        if self.file is None:
            migrate(self)
            return
        with one_at_a_time:
            if self.file.stat().st_size == 0:
                if not made:
                    made.append(_made_by(migrate))
                self.file.write_bytes(made[0])
        migrate(self)

    return bring_up_to_date


def _made_by(migrate: Callable[[Database], None]) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "state.db"
        file.touch(0o600)
        aside = Database(database._engine(database.parse(f"sqlite:///{file}"), file), str(file), file)
        try:
            migrate(aside)
        finally:
            aside.close()  # what is in the journal goes into the file
        return file.read_bytes()


def sharing_statements(create_engine: Callable[..., Engine]) -> Callable[..., Engine]:
    """`create_engine`, whose engines have the dialect and the compiled statements of the first of their kind
    that has ever connected."""
    first: dict[str, Engine] = {}

    def create(*args: Any, **more: Any) -> Engine:
        engine = create_engine(*args, **more)
        kind = engine.dialect.name
        if kind in first:
            engine.dialect, engine._compiled_cache = first[kind].dialect, first[kind]._compiled_cache
        else:
            event.listen(engine, "engine_connect", lambda _: first.setdefault(kind, engine), once=True)
        return engine

    return create
