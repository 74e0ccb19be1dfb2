"""The rows that a collection of another row holds: its children, or its peers in an N:N relationship."""

from connectors.emulator.conditions.stats import Stats
from connectors.emulator.errors import bad_payload, bad_query, method_not_allowed
from connectors.emulator.operations.lookup import referenced_address
from connectors.emulator.operations.rows import Rows
from connectors.emulator.querying.pages import Among, Reader, Within
from connectors.emulator.querying.special import special_read
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.paths import parse_key
from connectors.emulator.schema.environment import Relationship, Table
from connectors.emulator.schema.many_to_many import Peers
from connectors.emulator.storage.payload import read_json
from connectors.emulator.storage.writes import Writer, back_reference


class Collections:
    """Answers `…(id)/collection`, its `$ref` and its `$count`."""

    def __init__(self, reader: Reader, writer: Writer, stats: Stats, rows: Rows) -> None:
        self.reader, self.writer, self.stats, self.rows = reader, writer, stats, rows
        self.tables = writer.tables

    def answer(
        self, operation: Operation, table: Table, row_id: str, collection: Relationship | Peers, key: str | None, tail: list[str]
    ) -> Answer:
        method = operation.method
        held = self.tables.environment.tables[collection.far.table if isinstance(collection, Peers) else collection.child]
        if method == "GET" and key is None:
            within = Among(collection, row_id) if isinstance(collection, Peers) else Within(collection, row_id)
            return self._read(operation, held, within, tail)
        if method == "PUT" and not tail and key is None and isinstance(collection, Relationship) and _is_parties(collection):
            return self._replace_parties(operation, table, row_id, collection)
        if method == "POST" and not tail and key is None:
            self.stats.count("create")
            return self.rows.written(operation, held, self._create(operation, held, row_id, collection), created=True)
        if tail != ["$ref"] or method not in ("POST", "DELETE"):
            raise method_not_allowed(method, collection.name)
        self.stats.count("update")
        with self.tables.transaction():
            if method == "POST":
                _, held_id = self.writer.payloads.resolve(operation, referenced_address(operation, table), (held.name,))
                self._add(operation, collection, row_id, held_id)
            else:
                self._remove(operation, collection, row_id, self._named(operation, held, key))
        return Answer(204)

    def _read(self, operation: Operation, held: Table, within: Within | Among, tail: list[str]) -> Answer:
        self.stats.count("read")
        if tail == ["$count"]:
            return self.reader.count(operation, held, within)
        if tail:
            return self.reader.references(operation, held, within)
        if special := special_read(operation):
            return special(self.reader, operation, held, within)
        return self.reader.page(operation, held, within)

    def _create(self, operation: Operation, held: Table, row_id: str, collection: Relationship | Peers) -> str:
        """Create a row that belongs to the collection from the start."""
        document = read_json(operation, held.set_name)
        if not isinstance(collection, Peers):
            return self.writer.create(operation, held, document, back_reference(held, collection, row_id))
        with self.tables.transaction():
            created = self.writer.create(operation, held, document)
            self.writer.associate(operation, collection, row_id, created)
        return created

    def _replace_parties(self, operation: Operation, table: Table, row_id: str, relation: Relationship) -> Answer:
        self.stats.count("update")
        rows = read_json(operation, table.set_name).get("value")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise bad_payload(table.set_name, "The property 'value' takes an array of objects.")
        self.writer.replace_parties(operation, table, row_id, relation, rows)
        return Answer(204)

    def _add(self, operation: Operation, collection: Relationship | Peers, row_id: str, held_id: str) -> None:
        if isinstance(collection, Peers):
            self.writer.associate(operation, collection, row_id, held_id)
        else:
            self.writer.link(operation, collection, row_id, held_id)

    def _remove(self, operation: Operation, collection: Relationship | Peers, row_id: str, held_id: str) -> None:
        if isinstance(collection, Peers):
            self.writer.disassociate(operation, collection, row_id, held_id)
        else:
            self.writer.unlink(operation, collection, row_id, held_id)

    def _named(self, operation: Operation, held: Table, key: str | None) -> str:
        """Return which reference to remove: by a key in the address, or by `$id`."""
        if key is not None:
            row_id = parse_key(held, key).row_id
            if row_id is None:
                raise bad_query("A reference is removed by the id of its row.")
            return row_id
        address = operation.address.option("$id")
        if address is None:
            raise bad_query("The query option $id is missing: which reference should be removed?")
        return self.writer.payloads.resolve(operation, address, (held.name,))[1]


def _is_parties(relation: Relationship) -> bool:
    return relation.child == "activityparty" and relation.column == "activityid"
