"""In which table the own row of a unit is, and of which kind the row of a table is: one table may hold rows
of several kinds, and one kind may come from several tables."""

from collections.abc import Collection, Iterable

from connectors.interface.connector import Connector
from connectors.interface.remains import RowKey
from connectors.interface.rows import Among
from rules.errors import MappingError
from rules.model.kinds import KINDS_IN_ORDER
from rules.model.records import KINDS, Unit, UnitKind


def unmapped(table: str) -> MappingError:
    """Return the refusal of what is about a row that only the mapping of before could read."""
    hint = "go on with the mapping of before, and change it once what was begun has come to its end"
    return MappingError(f"the mapping has no table {table} any more, of which a row is to be written or looked up", hint=hint, where=table)


class UnitTables:
    """The table of each unit that was read."""

    def __init__(self, connector: Connector) -> None:
        mapped = {kind: connector.tables(KINDS[kind.value]) for kind in UnitKind if connector.has(KINDS[kind.value])}
        self._one = {kind: tables[0] for kind, tables in mapped.items() if len(tables) == 1}

    def of(self, unit: Unit) -> str:
        """Return the table of a unit's own row."""
        if unit.kind is UnitKind.OWN_TABLE:
            return unit.word
        one = self._one.get(unit.kind)
        return type(unit.row).table if one is None else one


def table_of(connector: Connector, kind: str, row: str) -> str:
    """Return the table in which a row of a kind is; the first of the kind where it is gone. Raises
    ConnectorError."""
    tables = connector.tables(KINDS[kind])
    if len(tables) == 1:
        return tables[0]
    found = [page[0] for page in connector.read(KINDS[kind], (), among=Among("id", [row])) if page]
    return connector.table(type(found[0])) if found else tables[0]


class RowKinds:
    """The word for the kind of each row, by table and id; for the words given, those of an answer if none."""

    def __init__(self, connector: Connector, words: Collection[str] = KINDS_IN_ORDER) -> None:
        self._connector = connector
        self._words: dict[str, list[str]] = {}
        for word in words:
            for table in connector.tables(KINDS[word]) if connector.has(KINDS[word]) else ():
                self._words.setdefault(table, []).append(word)

    def __contains__(self, table: str) -> bool:
        return table in self._words

    def load(self, rows: Iterable[RowKey]) -> None:
        """Look all of these rows up at once, so far as their table does not tell their kind."""
        ids: dict[str, list[str]] = {}
        for table, row in rows:
            if len(self._words.get(table, ())) > 1:
                ids.setdefault(table, []).append(row)
        for table, some in ids.items():
            self._connector.kinds(table, some)

    def of(self, table: str, row: str) -> str:
        """Return the word for a row's kind; for one that is gone, and where none is named, the first of its
        table. Raises MappingError: the mapping has no such table, or none any more; ConnectorError."""
        words = self._words.get(table)
        if words is None:
            raise unmapped(table)
        if len(words) == 1 or not row:
            return words[0]
        found = self._connector.kinds(table, [row]).get(row)
        return found if found in words else words[0]
