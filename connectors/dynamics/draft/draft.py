"""A mapping to begin with, of one CRM."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from connectors.dynamics.draft.columns import draft_columns
from connectors.dynamics.draft.crm_tables import CrmTables
from connectors.dynamics.draft.references import refer
from connectors.dynamics.draft.tables import Kinds, kinds_of
from connectors.dynamics.draft.text import Draft, are_fiches_too
from connectors.dynamics.draft.words import words_of
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import OPTIONAL_KINDS
from rules.model.records import KINDS

_MOST: Final = 3  # tables that a needed kind is drafted for where it is not sure which is it


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
