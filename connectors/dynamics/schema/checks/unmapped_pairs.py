"""Many-to-many relationships among dossiers, fiches and people that nothing of the mapping reads: a fiche
goes with the dossier that its own column names whatever other one it is tied to, and whoever a pair names has
no role."""

from collections.abc import Iterator

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.schema.checks.unmapped_options import told_rows
from connectors.dynamics.schema.counts import count_up_to_limit
from connectors.dynamics.schema.metadata import Link, Metadata
from connectors.interface.errors import Finding
from rules.model.kinds import FILES

CONTACT = "contact"
TIED_KINDS = frozenset({*FILES, CONTACT})


def is_left_out(link: Link, mapping: Mapping) -> bool:
    """Return whether a table of pairs ties two of them that differ, and the mapping neither reads it nor says
    that it says nothing new."""
    if link.table in mapping.stay or mapping.named(link.table):
        return False
    if any(column.name == link.table for table in mapping.tables for column in table.pairs.values()):
        return False
    one, two = ({table.kind for table in mapping.named(side)} & TIED_KINDS for side in (link.one, link.two))
    return any(kind != other for kind in one for other in two)


def pairs_left_out(mapping: Mapping, metadata: Metadata, transport: Transport) -> Iterator[Finding]:
    """Yield a warning for each table of pairs with rows that ties two of them and that the mapping neither
    reads nor lets stay. Raises ConnectorError."""
    kinds = {table.name: table.kind for kind in (*FILES, CONTACT) for table in mapping.of(kind)}
    told: set[str] = set()
    for kind in FILES:
        for table in mapping.of(kind):
            definition = metadata.table(table.name)
            for link in definition.links if definition is not None else ():
                other = kinds.get(link.other(table.name), kind)
                if link.table not in told and is_left_out(link, mapping):
                    told.add(link.table)
                    yield from _told(table, link, other, metadata, transport)


def _told(table: Table, link: Link, other: str, metadata: Metadata, transport: Transport) -> Iterator[Finding]:
    pairs = metadata.table(link.table)
    number = count_up_to_limit(transport, pairs.set_name, pairs.primary_id, pairs.name) if pairs is not None else None
    if pairs is None or number == 0:
        return
    ties = f"{link.table} ties rows of {table.name} to {link.other(table.name)} ({told_rows(number)}), and the mapping does not read it"
    if other == CONTACT:
        effect = "whoever it names has no role there (party, with a role under fixed)"
    else:
        effect = (
            "a fiche goes with the dossier that its own column names, whatever other one needs it (many_to_many in place of that column)"
        )
    yield Finding(False, f"{ties}: {effect}. Where it says nothing new, name it under stay.", table.where, "pairs_left_out")
