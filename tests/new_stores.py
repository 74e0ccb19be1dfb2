"""What a process that opens a new store for nearly every test need not do each time.

Alembic loads and plans a tenth of a second for what SQLite does in a few milliseconds: the steps that make
the tables are taken in full once. What they came to is then given again: to SQLite the tables as they are in
the end, with what is in them, to PostgreSQL the statements word for word. Any other upgrade, and every
program that a test starts, takes the steps themselves; so do the tests of the steps (`real_steps`).
SQLAlchemy puts each statement into words for each engine again: here engines of a kind share the words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect

from crm_compliance.store.sql.database import VERSION_TABLE

Upgrade = Callable[[Connection], None]


def given_again(upgrade: Upgrade) -> Upgrade:
    """`upgrade`, but for an empty database of a kind that it has brought up to date before: that gets what
    came of it."""
    told: dict[str, list[tuple[str, Any]]] = {}
    dumped: list[str] = []

    def bring_up_to_date(connection: Connection) -> None:
        kind = connection.dialect.name
        if inspect(connection).has_table(VERSION_TABLE):
            upgrade(connection)
            return
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            if not dumped:
                upgrade(connection)
                dumped.extend(made for (made,) in driver.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"))
                dumped.extend(statement for statement in driver.iterdump() if statement.startswith("INSERT INTO"))
                return
            for statement in dumped:
                driver.execute(statement)
            return
        if kind in told:
            for statement, parameters in told[kind]:
                connection.exec_driver_sql(statement, parameters)
            return
        heard: list[tuple[str, Any]] = []

        def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
                heard.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", hear)
        try:
            upgrade(connection)
        finally:
            event.remove(connection, "before_cursor_execute", hear)
        told[kind] = heard

    return bring_up_to_date


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
