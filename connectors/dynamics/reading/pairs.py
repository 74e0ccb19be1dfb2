"""Fields that come from a many-to-many relationship, the categories of a dossier or the dossiers of a fiche:
its table of pairs, read as any table is read, to the end and counted. A pair says nothing beside its two ids,
and has no version that anybody would write back. What rows of dependent tables are tied to is read in
link_tables.py."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, TypeVar

from connectors.dynamics.http.answers import UNREADABLE
from connectors.dynamics.http.query import any_of
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Column, Table
from connectors.dynamics.reading.decoder import PageBroken
from connectors.dynamics.reading.page_types import page_type
from connectors.dynamics.reading.page_values import FramedValues, Page, PageLike, Values
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.reading.references import References
from connectors.dynamics.schema.metadata import Link, Metadata, TableDefinition
from connectors.interface.errors import ReadIncomplete
from rules.decoders import decoder_of
from rules.model.records import Record

P = TypeVar("P", bound=PageLike)
# All pairs of a table of links, by its two columns.
PairsOf = Callable[[Link, str, str], Iterable[tuple[str, str]]]


class _Pair(Record, gc=False, kw_only=True):
    near: str = ""
    far: str = ""


class _PairDecoder:
    """Decodes pages of pairs."""

    prefer_kinds = False

    def __init__(self, primary_id: str, near: str, far: str) -> None:
        self.select = [primary_id, near, far]
        wire: dict[str, tuple[str, Any, bool]] = {"id": (primary_id, str, True), "near": (near, str, True), "far": (far, str, True)}
        self._decoder = decoder_of(page_type(_Pair, wire, {}))

    def decode(self, body: bytes) -> Page[_Pair]:
        try:
            content = self._decoder.decode(body)
        except UNREADABLE:
            raise PageBroken from None
        values = Values(content.value)
        return Page(values, content.next_link, content.count, body)


class Pairs:
    """The pairs of one CRM."""

    def __init__(self, transport: Transport, metadata: Metadata, references: References) -> None:
        self._transport, self._metadata, self._references = transport, metadata, references

    def fill(
        self,
        table: Table,
        definition: TableDefinition,
        fields: Collection[str],
        pages: Iterable[P],
        *,
        whole: bool,
        told: PairsOf | None = None,
    ) -> Iterator[P]:
        """Yield the pages with those of the fields filled that come from pairs, `whole` where they are all
        rows of the table. The CRM is asked for pairs, unless somebody else has `told` all. Raises as
        `Connector.read`."""
        columns = [column for name, column in table.pairs.items() if name in fields]
        known = {column.field: self._tied(definition, column, None, told) for column in columns} if whole else {}
        keys = {column.field: self._keys(table, definition, column) for column in columns if column.reference is not None}
        for page in pages:
            for column in columns:
                ids = page.values["id"]
                ties = known.get(column.field)
                ties = self._tied(definition, column, ids) if ties is None else ties
                _fill(page.values, column.field, [ties.get(row, ()) for row in ids], keys.get(column.field, {}))
            yield page

    def tied_to(self, table: Table, definition: TableDefinition, field: str, ids: Collection[str]) -> list[str]:
        """Return the rows of the table that are tied to one of these. Raises as `Connector.read`."""
        link = _link(definition, table.pairs[field])
        return sorted({pair.near for pair in self._read(definition.name, link, link.column(link.other(definition.name)), ids)})

    def _tied(
        self, definition: TableDefinition, column: Column, ids: Collection[str] | None, told: PairsOf | None = None
    ) -> dict[str, tuple[str, ...]]:
        link = _link(definition, column)
        found: defaultdict[str, set[str]] = defaultdict(set)
        by = link.column(definition.name)
        pairs: Iterable[tuple[str, str]]
        if told is not None:
            pairs = told(link, by, link.column(link.other(definition.name)))
        else:
            pairs = ((pair.near, pair.far) for pair in self._read(definition.name, link, by, ids))
        for near, far in pairs:
            found[near].add(far)
        return {row: tuple(sorted(others)) for row, others in found.items()}

    def _read(self, near: str, link: Link, by: str, ids: Collection[str] | None) -> Iterator[_Pair]:
        pairs = self._metadata.table(link.table)
        if pairs is None:
            raise ReadIncomplete(f"The CRM has no table {link.table} of pairs.", where=link.table)
        decoder: Any = _PairDecoder(pairs.primary_id, link.column(near), link.column(link.other(near)))
        reader: Reader[_Pair] = Reader(self._transport, decoder, pairs.set_name, pairs.name)
        for condition in ("",) if ids is None else any_of(by, ids):
            for page in reader.read(condition):
                for pair in page:
                    pair.near, pair.far = pair.near.lower(), pair.far.lower()
                    yield pair

    def _keys(self, table: Table, definition: TableDefinition, column: Column) -> dict[str, str]:
        return self._references.keys_of(column, _link(definition, column).other(table.name))


def _link(definition: TableDefinition, column: Column) -> Link:
    link = definition.link(column.name)
    assert link is not None  # the mapping was compared with the CRM
    return link


def _fill(values: Values | FramedValues, field: str, tied: list[tuple[str, ...]], keys: dict[str, str]) -> None:
    """Fill one field from the tied rows. Categories are all that are named, in whichever way; of several
    dossiers the first by id is the one, and the fiche is in the others too."""
    if field == "categories":
        named = zip(values["categories"], tied, strict=True)
        values["categories"] = [tuple(dict.fromkeys((*own, *(keys.get(each, each) for each in others)))) for own, others in named]
    else:
        values["dossier"] = [others[0] if others else None for others in tied]
        values["also_in"] = [others[1:] for others in tied]
