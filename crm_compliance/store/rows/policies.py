"""The versions of the retention schedule that have decided, word for word, so that it can be told which one
was in force (ACC-01)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import policies
from jobs.ports.store import PolicyVersion
from rules.dates.instants import instant


def add_policy(connection: Connection, digest: str, version: str, text: str, clock: Callable[[], datetime]) -> bool:
    """Keep a version unless it is there already; say whether it is new."""
    at = instant(clock(), "seconds")
    statement = insert_into(connection, policies)
    row = {"digest": digest, "version": version, "first_used_at": at, "text": text}
    added = statement.values(row).on_conflict_do_nothing(index_elements=["digest"]).returning(policies.c.position)
    return connection.execute(added).first() is not None


def drop(connection: Connection, digests: Collection[str]) -> list[str]:
    """Remove versions that have had their day; gives the digests of those that were there."""
    there = [version.digest for version in read_policies(connection) if version.digest in digests]
    connection.execute(delete(policies).where(policies.c.digest.in_(there)))
    return there


def read_policies(connection: Connection) -> list[PolicyVersion]:
    """Every version, oldest first."""
    rows = connection.execute(
        select(policies.c.digest, policies.c.version, policies.c.first_used_at, policies.c.text).order_by(policies.c.position)
    )
    return [PolicyVersion(*row) for row in rows]
