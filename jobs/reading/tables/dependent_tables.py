"""Rows of dependent tables added to whole tables: whom they name, and which have a term of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.few_rows import own_fields, rows_anywhere, rows_of
from jobs.reading.gather import R
from jobs.reading.late_rows import add_own_rows
from jobs.reading.long_term import retained_rows_of, without_live
from jobs.reading.tables.frames import Frames
from jobs.reading.tops import tops_of
from rules.model.kinds import FILES, Kinds
from rules.model.records import KINDS, Note, Party, Record, UnitKind

if TYPE_CHECKING:
    from jobs.reading.tables.whole_tables import WholeTables


def named_reads(connector: Connector) -> Iterator[tuple[type[Record], tuple[str, ...]]]:
    """Yield the reads of dependent tables without a term, if any of their rows may name somebody, or people
    may take part in any."""
    own = connector.all_kinds.own
    if any(kind.people or connector.is_activity(kind.full) for kind in own):
        yield from ((kind.full, (*kind.links, *kind.people)) for kind in own if not kind.term)


def add_own_terms(connector: Connector, found: WholeTables, read: Frames) -> bool:
    """Add the rows of dependent tables that have a term of their own, wherever they are stored. Return
    whether any that are activities are in long-term retention."""
    from jobs.reading.tables.few_units import add_own

    has_retained = False
    for kind in connector.all_kinds.termed:
        full, fields = kind.dependent, own_fields(kind)
        retained = _retained_of_own(connector, found, full, fields)
        found.retained.update(row.id for row in retained)
        has_retained |= bool(retained) and connector.is_activity(kind.full)
        for page in chain(read.records(full, fields), [retained]):
            add_own_rows(connector, found, kind, page, tops_of(connector, [(kind.word, row) for row in page]), partial(add_own, found))
    return has_retained


def add_named_people(connector: Connector, found: WholeTables, read: Frames) -> bool:
    """Add who is named by a lookup in a row of a dependent table, wherever it is stored: like who takes part
    in an activity, nobody of them is removed before that row. Of a row that is an activity itself it is noted
    what it belongs to, before its participants are read; return whether any of these is in long-term
    retention."""
    kinds = connector.all_kinds
    activities = {kind.word for kind in kinds.own if connector.is_activity(kind.full)}
    hooks: dict[str, list[int | None]] = {}  # what each row belongs to at the top: it goes with the last of these
    has_retained = False
    for full, fields in named_reads(connector):
        kind = next(each for each in kinds.own if each.full is full)
        retained = _retained_of_own(connector, found, full, fields)
        has_retained |= bool(retained) and kind.word in activities
        for page in chain(read.records(full, fields), [retained]):
            owners = {row.id: list(kind.owners(row)) for row in page}
            known = _hooks_of(connector, found, kinds, owners.values())
            told: dict[str, int | None] = {}
            parts: list[tuple[str, int | None]] = []
            named = {getattr(row, name) for row in page for name in kind.people} - {None}
            named -= found.missing("contact", named)
            for row in page:
                above: list[int | None] = []
                for owner, regarding in owners[row.id]:
                    of = known.get((owner, regarding)) or [None]
                    above += hooks.get(regarding, of) if kinds[owner].depends else of
                hooks[row.id] = above or [None]
                if kind.word in activities and len(hooks[row.id]) == 1:  # of several nobody can tell which is the last
                    told[row.id] = hooks[row.id][0]
                parts += [(name, hook) for name in {getattr(row, each) for each in kind.people} & named for hook in hooks[row.id]]
            found.add_hooks(told)
            found.take_parts(parts)
    return has_retained


def _retained_of_own(connector: Connector, found: WholeTables, record: type[R], fields: tuple[str, ...]) -> list[R]:
    """Return the rows of a dependent table that are in long-term retention and that no live row is."""
    if not any(map(found.retained_rows.get, connector.tables(record))):
        return []
    rows = retained_rows_of(connector, record, fields, None)
    live = {row.id for row in rows_of(connector, record, (), Among("id", sorted(row.id for row in rows)))}
    return without_live(rows, live)


def _hooks_of(
    connector: Connector, found: WholeTables, kinds: Kinds, owners: Iterable[Iterable[tuple[str, str]]]
) -> dict[tuple[str, str], list[int | None]]:
    """Return what rows with these owners belong to, by kind and id of each owner. What belongs to a role or a
    note goes with what that is in: those are read here, by their ids."""
    from jobs.reading.tables.row_numbers import BASE

    wanted: dict[str, set[str]] = {}
    for of in owners:
        for owner, regarding in of:
            wanted.setdefault(owner, set()).add(regarding)
    known: dict[tuple[str, str], list[int | None]] = {}
    for owner, ids in wanted.items():
        record = KINDS[owner]
        if record in (Party, Note):
            rows = rows_anywhere(connector, record, kinds.links[owner], Among("id", sorted(ids)), connector.retaining((record,)))
            above = {row.id: [up for up in kinds[owner].owners(row) if owner != "party" or up[0] in FILES] for row in rows}
            further = _hooks_of(connector, found, kinds, above.values())
            known.update(((owner, row), [hook for each in of for hook in further.get(each, [None])]) for row, of in above.items())
            continue
        if owner == "recording":
            hooks: Mapping[str, int | None] = {row: BASE[UnitKind.RECORDING] + number for row, number in found.recordings.of(ids).items()}
        else:
            hooks = found.hooks_of_activities(ids) if kinds[owner].depends else found.hooks(owner, ids)
        known.update(((owner, row), [hook]) for row, hook in hooks.items())
    return known
