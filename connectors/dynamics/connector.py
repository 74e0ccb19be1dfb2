"""The CRM as jobs see it: the connector protocol, spoken over the Web API."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from connectors.dynamics.auth import TokenSource
from connectors.dynamics.batch import Batches, Prepared, prepare
from connectors.dynamics.checks import check_mapping, check_table
from connectors.dynamics.config import Environment
from connectors.dynamics.decoding import PageDecoder
from connectors.dynamics.mapping import KIND_FIELDS, LOOKUPS, Mapping, Table, parse_mapping
from connectors.dynamics.metadata import Metadata, TableDefinition
from connectors.dynamics.query import any_of, guid, literal
from connectors.dynamics.reading import Reader
from connectors.dynamics.sets import SetReading, read_set
from connectors.dynamics.transport import Transport
from connectors.interface import Among, ChangeResult, ChangeSet, ConnectorError, Finding, ReadIncomplete, ReadStats
from rules.errors import MappingError
from rules.records import KINDS, Record

R = TypeVar("R", bound=Record)


class DynamicsConnector:
    """One environment and one account. Threads may read at the same time; `change` is for one thread at a time."""

    def __init__(
        self,
        environment: Environment,
        tokens: TokenSource,
        mapping: Mapping,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.environment = environment
        self.mapping = mapping
        self.stats = ReadStats()
        self._tokens = tokens
        self._transport = Transport(environment, tokens, stats=self.stats, sleep=sleep, chance=chance)
        wanted = {table.name: [column.name for column in table.columns.values()] for table in mapping.tables.values()}
        self._metadata = Metadata(self._transport, wanted)
        self._checked: dict[str, TableDefinition] = {}
        self._decoders: dict[tuple[type[Record], tuple[str, ...]], PageDecoder[Any]] = {}

    def __enter__(self) -> DynamicsConnector:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def recording_media_types(self) -> tuple[str, ...]:
        """The media types by which an attachment on a fiche is a recording (RET-05)."""
        return self.mapping.recording_media_types

    def check(self) -> list[Finding]:
        """Compare the mapping with the CRM's metadata: tables, columns, types, date behaviour, options, relationships (DAT-09, R-161)."""
        self._metadata.load(table.name for table in self.mapping.tables.values())
        return check_mapping(self.mapping, self._metadata)

    def has(self, record: type[Record]) -> bool:
        """Whether the organisation maps this kind of record at all."""
        return self.mapping.table(record) is not None

    def table(self, record: type[Record]) -> str:
        """The table's logical name in the CRM, as plans and reports show it; our own word for a kind that is not mapped."""
        table = self.mapping.table(record)
        return table.name if table else next(word for word, kind in KINDS.items() if issubclass(record, kind))

    def record(self, table: str) -> type[Record] | None:
        """The kind of record that is mapped to this table, or None."""
        word = self.mapping.kind_of(table)
        return KINDS[word] if word else None

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once; order unspecified.

        The records' class is a subclass made for these fields, whose own names on the wire are the CRM's: compute with them, do not encode
        or pickle them.

        Raises:
            ReadIncomplete: a page is short, broken, doubled or not decodable, or the CRM's own count differs.
            MappingError: the table does not fit the mapping.
        """
        table = self.mapping.table(record)
        if table is None or (among is not None and not among.ids):
            return
        definition = self._definition(table)
        reader: Reader[R] = Reader(self._transport, self._decoder(table, definition, fields), definition.set_name, table.name)
        if among is None:
            yield from reader.read()
            return
        column = self._filter_column(table, definition, among.field)
        if column is None:
            return
        for condition in any_of(column, among.ids):
            yield from reader.read(condition)

    def read_set(self, set_name: str) -> SetReading:
        """Page through one entity set, ids only, also of an OData service that is not Dataverse (`doctor --read`)."""
        return read_set(self._transport, self._metadata, set_name)

    def total(self, record: type[Record]) -> int | None:
        """The CRM's own count of all rows of the table, visible to this account or not; None where it keeps none. May be a day old."""
        table = self.mapping.table(record)
        if table is None:
            return None
        try:
            answer = self._transport.get(f"RetrieveTotalRecordCount(EntityNames=[{literal(table.name)}])", where=table.name)
        except ConnectorError as failure:
            if failure.status in (400, 404, 405, 500, 501):
                return None
            raise
        try:
            counts = msgspec.json.decode(answer.body)["EntityRecordCountCollection"]
            return int(dict(zip(counts["Keys"], counts["Values"], strict=True))[table.name])
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            return None

    def whoami(self) -> str:
        """The id of our application user; the cheapest proof that address, token and user are right."""
        answer = self._transport.get("WhoAmI", where="WhoAmI")
        try:
            return guid(msgspec.json.decode(answer.body)["UserId"])
        except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError):
            raise ReadIncomplete("The CRM does not say who we are: this is no Dataverse Web API.", hint="Check the Web API root.") from None

    def server_time(self) -> str | None:
        """The CRM's clock as its answers give it (HTTP date), for comparison with ours; None where it tells none."""
        return self._transport.get("WhoAmI", where="WhoAmI").headers.get("Date")

    def change(self, change_sets: Sequence[ChangeSet]) -> list[ChangeResult]:
        """Carry out each change set, all or nothing, and say what became of it: one result for each, in the order given.

        Nothing is tried twice here: a change set whose answer is lost is UNKNOWN, and the caller reads back. Only where the CRM said that
        it did nothing (429, 401) the same is sent again.

        Raises:
            Unauthorised, Forbidden: before anything was done at all.
            MappingError: a table does not fit the mapping.
            ValueError: an update or delete without the version it is about; nothing was sent.
        """
        prepared: list[Prepared] = []
        for change_set in change_sets:
            definitions: dict[type[Record], tuple[Table, TableDefinition]] = {}
            for operation in change_set.operations:
                table = self.mapping.table(operation.record)
                if table is not None:
                    definitions[operation.record] = (table, self._definition(table))
            prepared.append(prepare(change_set, definitions, self.mapping, self._metadata, self.environment.root_path))
        return Batches(self._transport).send(prepared)

    def close(self) -> None:
        """Release connections and tokens."""
        self._transport.close()
        self._tokens.close()

    def _definition(self, table: Table) -> TableDefinition:
        """The table's definition, once it is known to fit: reading or writing on a wrong mapping is refused, not tried."""
        found = self._checked.get(table.kind)
        if found is None:
            errors = [finding for finding in check_table(table, self.mapping, self._metadata) if finding.is_error]
            definition = self._metadata.table(table.name)
            if errors or definition is None:
                lines = "\n".join(f"  {error.where}: {error.message}" for error in errors)
                raise MappingError(f"The mapping does not fit the CRM:\n{lines}", where=errors[0].where if errors else table.where)
            found = self._checked[table.kind] = definition
        return found

    def _decoder(self, table: Table, definition: TableDefinition, fields: Iterable[str]) -> PageDecoder[Any]:
        names = tuple(sorted(set(fields) - {"id", "etag"}))
        unknown = [name for name in names if name not in table.record.__struct_fields__]
        if unknown:
            raise ValueError(f"{table.kind} has no field {unknown[0]}")
        key = (table.record, names)
        if key not in self._decoders:
            self._decoders[key] = PageDecoder(table, definition, names, self.mapping)
        return self._decoders[key]

    def _filter_column(self, table: Table, definition: TableDefinition, name: str) -> str | None:
        if name == "id":
            return definition.primary_id
        if name not in LOOKUPS or name not in table.record.__struct_fields__ or name in KIND_FIELDS:
            raise ValueError(f"{table.kind}.{name} is neither the id nor a lookup")
        column = table.columns.get(name)
        return f"_{column.name}_value" if column else None


def connect(
    *,
    url: str,
    tokens: TokenSource,
    mapping_text: str,
    mapping_source: str,
    ca_file: str | None = None,
    user_agent: str = "crm-compliance",
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
    page_size: int = 5000,
    any_odata: bool = False,
) -> DynamicsConnector:
    """A connector from plain values. Nothing is sent yet.

    Raises:
        UsageError: the address is not usable.
        MappingError: the mapping is refused.
    """
    environment = Environment(url=url, ca_file=ca_file, user_agent=user_agent, page_size=page_size, any_odata=any_odata)
    return DynamicsConnector(environment, tokens, parse_mapping(mapping_text, mapping_source), sleep=sleep, chance=chance)
