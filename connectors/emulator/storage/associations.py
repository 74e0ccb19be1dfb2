"""The pairs of N:N relationships, added and removed. Source: Microsoft Learn, "Associate and disassociate
table rows using the Web API"; section 10.2 of the wire reference."""

import uuid
from typing import Any

from connectors.emulator.errors import DUPLICATE_RECORD, WebApiError
from connectors.emulator.schema.environment import Table
from connectors.emulator.schema.many_to_many import ManyToMany, Peers
from connectors.emulator.storage.tables import Tables


class Associations:
    """Writes intersect tables, inside the caller's transaction."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def add(self, peers: Peers, near_id: str, far_id: str) -> None:
        """Associate two rows that exist. Raises WebApiError: 412 `0x80040237` if they are already."""
        pair = {peers.near.attribute: near_id, peers.far.attribute: far_id}
        if self.tables.find(self._table(peers.relation), pair) is not None:
            raise WebApiError(412, DUPLICATE_RECORD, "Cannot insert duplicate key.")
        self._insert(peers.relation, pair)

    def remove(self, peers: Peers, near_id: str, far_id: str) -> None:
        """Dissociate two rows; if they are not associated they stay so."""
        self.tables.delete_where(self._table(peers.relation), {peers.near.attribute: near_id, peers.far.attribute: far_id})

    def put(self, relation: ManyToMany, one_id: str, two_id: str, **columns: Any) -> None:
        """Write one pair with these other columns, whether it existed or not."""
        pair = {relation.one.attribute: one_id, relation.two.attribute: two_id}
        self.tables.delete_where(self._table(relation), pair)
        self._insert(relation, pair | columns)

    def clear(self, relation: ManyToMany, one_id: str) -> None:
        """Remove every pair of a row of the first side."""
        self.tables.delete_where(self._table(relation), {relation.one.attribute: one_id})

    def _table(self, relation: ManyToMany) -> Table:
        return self.tables.environment.tables[relation.intersect]

    def _insert(self, relation: ManyToMany, values: dict[str, Any]) -> None:
        table = self._table(relation)
        self.tables.insert(table, {table.key: str(uuid.uuid4()), **values, "versionnumber": self.tables.next_version()})
