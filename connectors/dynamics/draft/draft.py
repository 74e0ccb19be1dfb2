"""A mapping to begin with, of one CRM."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.dynamics.draft.columns import draft_columns
from connectors.dynamics.draft.crm_tables import CrmTable, CrmTables
from connectors.dynamics.draft.dependent import dependent_entries
from connectors.dynamics.draft.option_text import told_rows
from connectors.dynamics.draft.other_places import OtherPlaces
from connectors.dynamics.draft.proposal import Drafted
from connectors.dynamics.draft.references import refer
from connectors.dynamics.draft.tables import Kinds, kinds_of
from connectors.dynamics.draft.text import are_fiches_too, draft_text
from connectors.dynamics.draft.words import Words, words_of
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import OPTIONAL_KINDS
from connectors.dynamics.schema.checks.columns import BODIES
from connectors.dynamics.schema.role_places import ACTIVITY_ID
from rules.model.data_map import MapPlace
from rules.model.records import KINDS

_WITH_FILES: Final = frozenset(body.partition(".")[0] for body in BODIES)
_MOST: Final = 3  # tables that a needed kind is drafted for where it is not sure which is it


@dataclass(frozen=True, slots=True)
class Draft:
    """What was derived from a CRM: its tables by kind, their columns, the prefix of its publisher; `maybe`
    are the columns of tables that could be a needed kind, `more` those of further tables of a kind that has
    one, `categories` the schedule's keys."""

    reader: CrmTables
    kinds: Kinds
    drafted: tuple[Drafted, ...]
    prefix: str
    tables: Mapping[str, CrmTable]
    words: Words
    maybe: Mapping[str, tuple[Drafted, ...]]
    more: Mapping[str, tuple[Drafted, ...]]
    categories: tuple[str, ...]

    def text(self, unaccounted: Collection[MapPlace] = (), terms: Collection[str] = (), needed: Collection[str] = ()) -> str:
        """Return the file, with what the data map finds that nothing accounts for; `terms` are rows of the
        schedule for dependent tables, `needed` lookups on which somebody has to decide."""
        places = OtherPlaces(self.tables, self.kinds.found, self.reader, self.words, told_rows, self.categories)
        words = {seen.name: kind for kind, seen in self.kinds.found.items() if kind != "statistic"}
        tables = {**self.tables, **{each.name: each for each in self._activities(unaccounted)}}
        own = dependent_entries(unaccounted, tables, words, lambda table, each: told_rows(self.reader.count(table, each)), terms)
        maybe, more = self.maybe, self.more
        return draft_text(
            self.kinds, self.drafted, self.prefix, self.reader, places, unaccounted, own, maybe, more, self.categories, needed
        )

    def _activities(self, places: Collection[MapPlace]) -> Iterator[CrmTable]:
        """Yield the activities of the platform among the tables that nothing maps, and what is attached to
        activities: what people wrote in them belongs to what they are about."""
        for name in dict.fromkeys(place.table for place in places if place.column is None and place.table not in self.tables):
            seen = self.reader.seen(name)
            if seen is not None and (seen.definition.primary_id == ACTIVITY_ID or name in _WITH_FILES):
                yield seen

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


def draft(transport: Transport, categories: Mapping[str, Collection[str]]) -> Draft:
    """Derive a mapping from what a CRM says of its tables; `categories` are what those are called that the
    schedule has rows for, by key. Raises ConnectorError."""
    reader = CrmTables(transport)
    tables = reader.all()
    words = words_of(categories)
    kinds = kinds_of(tables, words)
    drafted = tuple(draft_columns(kind, table, kinds.found, words) for kind, table in kinds.found.items())
    likely = {kind: found[0] for kind, found in kinds.candidates.items() if found and kind not in OPTIONAL_KINDS} | kinds.found
    maybe = {
        kind: tuple(draft_columns(kind, each, likely | {kind: each}, words) for each in kinds.candidates[kind][:_MOST])
        for kind in KINDS.keys() - OPTIONAL_KINDS - kinds.found.keys() - {"statistic"}
        if kinds.candidates.get(kind)
    }
    named = frozenset(table.name for table in kinds.found.values())
    calls = kinds.found.get("call")
    others = [*kinds.also, *([calls] if calls is not None and are_fiches_too(calls, reader.count) else ())]
    more = {"fiche": tuple(draft_columns("fiche", each, kinds.found | {"fiche": each}, words) for each in others)}
    for each in (*drafted, *more["fiche"], *(one for some in maybe.values() for one in some)):
        refer(each, reader, tables, named | {each.table.name}, words)
    return Draft(
        reader, kinds, drafted, _prefix([table for table in tables if "_" in table], kinds), tables, words, maybe, more, tuple(categories)
    )


def _prefix(own: list[str], kinds: Kinds) -> str:
    """Return the publisher's prefix: that of the case, else the one of most tables."""
    dossier = kinds.found.get("dossier")
    if dossier is not None and "_" in dossier.name:  # a table of the platform has no publisher
        return dossier.name.partition("_")[0]
    counts = Counter(name.partition("_")[0] for name in own)
    return (counts.most_common(1) or [("new", 0)])[0][0]
