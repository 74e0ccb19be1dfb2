"""What a connector to Dynamics is made of, and how that is put together."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.dynamics.bulk_delete.deletes import BulkDelete, Deleting
from connectors.dynamics.datamap.survey import Survey
from connectors.dynamics.http.auth import TokenSource
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.lake.lake import Lake
from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.memory.cache_invalidation import WrittenRows
from connectors.dynamics.memory.cuts import Cuts
from connectors.dynamics.memory.table_cache import Memory
from connectors.dynamics.reading.file_columns import Contents
from connectors.dynamics.reading.link_tables import Ties
from connectors.dynamics.reading.pairs import Pairs
from connectors.dynamics.reading.references import References
from connectors.dynamics.reading.referrers import Referrers
from connectors.dynamics.reading.tables import FittingTables
from connectors.dynamics.residual.binned_or_retained import BinnedOrRetainedRows
from connectors.dynamics.residual.document_locations import DocumentLocations
from connectors.dynamics.residual.long_term import LongTerm
from connectors.dynamics.residual.places import ResidualPlaces
from connectors.dynamics.residual.retained_children import RetainedChildren
from connectors.dynamics.residual.unmapped_children import Children
from connectors.dynamics.schema.conditions import Scopes
from connectors.dynamics.schema.metadata import Metadata
from connectors.dynamics.schema.names import Naming
from connectors.dynamics.schema.unmapped_tables import Directory
from connectors.dynamics.writing.mask import Masking
from connectors.dynamics.writing.pointers import Pointers
from connectors.dynamics.writing.pool import Pool
from connectors.dynamics.writing.remove_platform_rows import Removing
from connectors.interface.rows import ReadStats
from rules.model.records import Record

if TYPE_CHECKING:
    from connectors.dynamics.lake.reader import LakeReader


class Parts:
    """The parts that each protocol has at hand. Of what a method without a docstring does,
    `connectors/interface` tells."""

    read: Callable[..., Iterator[list[Any]]]  # of the protocols themselves
    table: Callable[[type[Record]], str]
    whoami: Callable[[], str]

    def __init__(
        self,
        environment: Environment,
        tokens: TokenSource,
        mapping: Mapping,
        *,
        sleep: Callable[[float], None] = time.sleep,
        memory: Memory | None = None,
        more_tokens: Sequence[TokenSource] = (),
        bulk_delete: BulkDelete = BulkDelete.OFF,
        pseudonym_key: bytes | None = None,
        sees_to_documents: bool = False,
        lake: Lake | None = None,
        on_long_wait: Callable[[float], None] | None = None,
    ) -> None:
        """Create the connector. With a `memory`, tables whose changes the CRM tracks may be read by what has
        changed since last time. `more_tokens` are those of further application users. `pseudonym_key` is that
        of the technique `hmac` where it outlives the run (ERA-05). `sees_to_documents`: documents in
        SharePoint are removed before the rows that say where they are. Plans read whole tables from the
        `lake`, if there is one, instead of the CRM. `on_long_wait`: as `Timeline` has it."""
        pace = replace(environment.pace, shared_by=1 + len(more_tokens))
        self.environment = environment = replace(environment, pace=pace)
        self.mapping, self._memory = mapping, memory
        self._cuts = Cuts(memory) if memory is not None and pace.reads > 1 else None
        self._written = WrittenRows(memory, self.table)
        self.stats = ReadStats()
        self._tokens = (tokens, *more_tokens)
        self._transport = transport = Transport(environment, tokens, stats=self.stats, sleep=sleep, on_long_wait=on_long_wait)
        timeline = transport.gate.timeline
        self._others = [Transport(environment, one, stats=self.stats, timeline=timeline) for one in more_tokens]
        self.warnings: list[str] = []
        self._pool = Pool([transport, *self._others], self.warnings)
        self._metadata = Metadata(transport, _columns_used(mapping))
        self._directory = directory = Directory(transport)
        self._scopes = Scopes(mapping, self._metadata, directory)
        self._references = References(directory)
        self._tables = FittingTables(mapping, self._metadata, self._references, self._scopes)
        definition = self._tables.definition
        self._pairs = Pairs(transport, self._metadata, self._references)
        self._masking = Masking(transport, mapping, self._metadata, definition, pseudonym_key)
        self.deleting = Deleting(
            transport, directory, mapping, definition, read=self.read, user=self.whoami, mode=bulk_delete, warnings=self.warnings
        )
        removing = Removing(self._pool.send, environment.root_path, transport.retry.tries)
        self._places = ResidualPlaces(transport, directory, removing, self.whoami, self.warnings)
        self._contents = Contents(transport)
        self._ties = Ties(directory, mapping)
        self._binned_or_retained = BinnedOrRetainedRows(directory, self.warnings)
        self._long_term = LongTerm(directory)
        self._behind = Referrers(directory, mapping, self._metadata, self._scopes, self._long_term.rows_of)
        self._naming = Naming(transport, directory, self.warnings)
        self._pointers = Pointers(mapping, self._metadata, directory)
        self._children = Children(transport, mapping, self._metadata, directory, self.warnings, sees_to_documents=sees_to_documents)
        self._retained_children = RetainedChildren(mapping, self._metadata, directory, self._long_term)
        self._survey = Survey(transport, mapping, self._metadata, directory, self.whoami, sees_to_documents=sees_to_documents)
        self._locations = DocumentLocations(directory)
        self._lake = self._reader_of(lake) if lake is not None else None

    def _reader_of(self, lake: Lake) -> "LakeReader":
        from connectors.dynamics.lake.reader import LakeReader  # polars takes a while to import

        return LakeReader(lake, self.mapping, self._metadata, self._tables)


def _columns_used(mapping: Mapping) -> dict[str, list[str]]:
    """Return the columns by table that are read or written."""
    used: dict[str, list[str]] = {}
    for table in mapping.tables:
        states = ("statecode", "statuscode") if table.masks else ()
        columns = (*table.used, *(each.column for each in table.only), *states, *mapping.leading(table.name))
        used.setdefault(table.name, []).extend(columns)
    return used
