"""A database that is written past the store, and a program of its own that opens one."""

import sqlite3
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[3]
OPEN = """
import sys
from datetime import UTC, datetime
from crm_compliance.store.store import SqlStore
print("ready", flush=True)
sys.stdin.readline()
with SqlStore.open(sys.argv[1], clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)) as store:
    for _ in range(5):
        store.ledger.append([("opened", {})])
"""


def raw(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        with psycopg.connect(url) as session:
            session.execute(statement.encode())
