"""SQL statements put together from names of the environment; every value is bound, none is pasted in. One
place, so that nobody has to wonder where a quotation mark may come from."""

from collections.abc import Iterable, Sequence
from functools import lru_cache


@lru_cache(maxsize=4096)  # an environment has some hundreds of names, and every statement is made of them
def name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def text(literal: str) -> str:
    """Return a string constant of our own (never a caller's)."""
    return "'" + literal.replace("'", "''") + "'"


def dotted(alias: str, column: str) -> str:
    return f"{alias}.{name(column)}"


def select(what: Sequence[str], source: str, where: Sequence[str] = (), order: Sequence[str] = (), limit: int | None = None) -> str:
    parts = ["SELECT", ", ".join(what), "FROM", source]
    if where:
        parts += ["WHERE", " AND ".join(where)]
    if order:
        parts += ["ORDER BY", ", ".join(order)]
    if limit is not None:
        parts += ["LIMIT", str(limit)]
    return " ".join(parts)


def insert(table: str, columns: Sequence[str]) -> str:
    return " ".join(["INSERT INTO", name(table), "(", ", ".join(map(name, columns)), ") VALUES (", ", ".join("?" * len(columns)), ")"])


def copy(source: str, destination: str, where: Sequence[str]) -> str:
    """Return SQL that copies between tables with the same columns in the same order."""
    return " ".join(["INSERT INTO", name(destination), select(["*"], name(source), where)])


def update(table: str, columns: Iterable[str], where: Sequence[str]) -> str:
    return " ".join(["UPDATE", name(table), "SET", ", ".join(f"{name(c)} = ?" for c in columns), "WHERE", " AND ".join(where)])


def delete(table: str, where: Sequence[str]) -> str:
    return " ".join(["DELETE FROM", name(table), *(["WHERE", " AND ".join(where)] if where else [])])


def every(conditions: Iterable[str]) -> str:
    """Return the conditions joined by AND; none means true."""
    return " AND ".join(conditions) or "1"
