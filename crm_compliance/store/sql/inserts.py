"""Inserts that know what to do if a row exists already, in the SQL of either database. A dialect is loaded
when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table

from rules.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert


def insert_into(connection: Connection, table: Table) -> PostgresqlInsert | SqliteInsert:
    """Return an insert that takes `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _insert(connection.dialect.name, table)


def upsert_into(connection: Connection, table: Table) -> PostgresqlInsert | SqliteInsert:
    """Return an insert that replaces the row of the same primary key, if there is one."""
    return _upsert(connection.dialect.name, table)


@cache
def _insert(backend: str, table: Table) -> PostgresqlInsert | SqliteInsert:
    if backend == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


@cache
def _upsert(backend: str, table: Table) -> PostgresqlInsert | SqliteInsert:
    statement = _insert(backend, table)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys, set_={column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    )


def insert_new(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    """Insert a row under an id of its own. Raises Refused: with code `exists`, if there is one of this id
    (`where`): whoever asked for it has asked before."""
    statement = insert_into(connection, table).on_conflict_do_nothing().returning(table.c.id)
    if connection.execute(statement, row).scalar() is None:
        raise Refused("this was made already", hint="look for it in the list", where=str(row["id"]), code="exists")
