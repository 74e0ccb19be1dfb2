"""A mapping to begin with, of one CRM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connectors.dynamics.draft.columns import Drafted, draft_columns
from connectors.dynamics.draft.dependent import dependent_entries
from connectors.dynamics.draft.elsewhere import Elsewhere
from connectors.dynamics.draft.reading import CrmTables, Seen
from connectors.dynamics.draft.tables import Kinds, kinds_of
from connectors.dynamics.draft.text import draft_text, told_rows
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import OPTIONAL_KINDS
from rules.model.data_map import Place
from rules.model.records import KINDS


@dataclass(frozen=True, slots=True)
class Draft:
    """What was derived from a CRM: its tables by kind, their columns, the prefix of its publisher."""

    reader: CrmTables
    kinds: Kinds
    drafted: tuple[Drafted, ...]
    prefix: str
    tables: Mapping[str, Seen]

    def text(self, unaccounted: Collection[Place] = ()) -> str:
        """Return the file, with what the data map finds that nothing accounts for."""
        places = Elsewhere(self.tables, self.kinds.found, self.reader.table, self.reader.count, told_rows)
        words = {seen.name: kind for kind, seen in self.kinds.found.items() if kind != "statistic"}
        own = dependent_entries(unaccounted, self.tables, words)
        return draft_text(self.kinds, self.drafted, self.prefix, self.reader.count, places, unaccounted, own)

    @property
    def derived(self) -> int:
        """How many fields have a column."""
        return sum(len(each.columns) for each in self.drafted)

    @property
    def open_tables(self) -> tuple[str, ...]:
        """The kinds that need a table and have none."""
        return tuple(sorted(KINDS.keys() - OPTIONAL_KINDS - self.kinds.found.keys()))

    @property
    def open_fields(self) -> tuple[str, ...]:
        """The fields that are needed and have no column."""
        return tuple(f"{each.kind}.{name}" for each in self.drafted for name in each.open if name in each.needed)


def draft(transport: Transport) -> Draft:
    """Derive a mapping from what a CRM says of its tables. Raises ConnectorError."""
    reader = CrmTables(transport)
    tables = reader.all()
    kinds = kinds_of(tables)
    drafted = tuple(draft_columns(kind, table, kinds.found) for kind, table in kinds.found.items())
    return Draft(reader, kinds, drafted, _prefix([table for table in tables if "_" in table], kinds), tables)


def _prefix(own: list[str], kinds: Kinds) -> str:
    """Return the publisher's prefix: that of the case, else the one of most tables."""
    dossier = kinds.found.get("dossier")
    counts = Counter(name.partition("_")[0] for name in own)
    return dossier.name.partition("_")[0] if dossier is not None else (counts.most_common(1) or [("new", 0)])[0][0]
