"""What a connector to Dynamics is made of."""

from typing import TYPE_CHECKING

from connectors.dynamics.bulk_delete.deletes import Deleting
from connectors.dynamics.datamap.survey import Survey
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
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
from connectors.interface.rows import ReadStats

if TYPE_CHECKING:
    from connectors.dynamics.lake.reader import LakeReader


class Parts:
    """The parts that each protocol has at hand; the connector puts them together. Of what a method without a
    docstring does, `connectors/interface` tells."""

    environment: Environment
    mapping: Mapping
    stats: ReadStats
    warnings: list[str]
    deleting: Deleting
    _transport: Transport
    _others: list[Transport]  # of further application users
    _memory: Memory | None
    _cuts: Cuts | None
    _written: WrittenRows
    _pool: Pool
    _metadata: Metadata
    _directory: Directory
    _scopes: Scopes
    _tables: FittingTables
    _pairs: Pairs
    _masking: Masking
    _places: ResidualPlaces
    _contents: Contents
    _ties: Ties
    _behind: Referrers
    _binned_or_retained: BinnedOrRetainedRows
    _long_term: LongTerm
    _naming: Naming
    _references: References
    _children: Children
    _retained_children: RetainedChildren
    _pointers: Pointers
    _survey: Survey
    _locations: DocumentLocations
    _lake: "LakeReader | None"  # read instead of the CRM, for whole tables of plans
