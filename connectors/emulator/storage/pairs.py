"""SQL of the pairs of N:N relationships: indexes, who is paired, and what goes with either row. Pairs are
added and removed by request in associations.py."""

import sqlite3
from collections.abc import Iterable

from connectors.emulator.schema.environment import Environment
from connectors.emulator.schema.many_to_many import ManyToMany, Peers
from connectors.emulator.storage import sql


def indexes(relations: Iterable[ManyToMany]) -> list[str]:
    """Return SQL for indexes: a pair exists once, and is found from both sides."""
    statements: list[str] = []
    for relation in relations:
        table, one, two = map(sql.name, (relation.intersect, relation.one.attribute, relation.two.attribute))
        statements.append(f"CREATE UNIQUE INDEX {sql.name('nn_' + relation.intersect)} ON {table} ({one}, {two})")
        statements.append(f"CREATE INDEX {sql.name('nn2_' + relation.intersect)} ON {table} ({two})")
    return statements


def forget_pairs(connection: sqlite3.Connection, environment: Environment, table: str, row_id: str) -> None:
    """Remove all pairs of a deleted row."""
    for peers in environment.tables[table].peers.values():
        connection.execute(sql.delete(peers.relation.intersect, [f"{sql.name(peers.near.attribute)} = ?"]), (row_id,))


def paired(peers: Peers, near_id: str, far_id: str) -> str:
    """Return SQL for: the far row and the near row are associated; the ids are SQL too."""
    intersect = sql.name(peers.relation.intersect)
    near = f"{intersect}.{sql.name(peers.near.attribute)} = {near_id}"
    return f"{far_id} IN ({sql.select([sql.name(peers.far.attribute)], intersect, [near])})"
