"""What is in long-term retention is removed from there with the last of what it belongs to. Nothing takes a
link off it, and a job that purges one owner removes what cascades. So it matters what else is really deleted:
a unit that a hold keeps, or that the CRM refused, keeps its rows there too (RET-20, decision 0059)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.plan import Key
from jobs.model.run import Action, RowWrite
from jobs.reading.few_rows import rows_anywhere
from jobs.reading.long_term import retained_rows_of
from jobs.writing.dependent_rows import links_of
from jobs.writing.row_writes import write_of
from rules.model.kinds import Kind
from rules.model.records import KINDS, Record

Owner = tuple[str, str]  # the word for the kind of a row to which others belong, and its id
# Which of some owners go later in the same run, by id, given the units that go now.
ToCome = Callable[[Collection[Owner], Sequence[Action]], Collection[str]]
Belonging = tuple[Key, Kind, Record]  # a unit, and a row of a dependent table that goes with it


@dataclass(frozen=True, slots=True)
class There:
    """What long-term retention makes of units that are to be deleted, by (table, id): which must wait, each
    with the owners for which it waits, none where something else keeps it; and which rows a job removes along
    with the others that belong to nothing but what is deleted."""

    bound: Mapping[Key, frozenset[Owner]]
    along: Mapping[Key, tuple[RowWrite, ...]]


def bound_there(connector: Connector, going: Sequence[Action], to_come: ToCome) -> There:
    """Return which of the units to be deleted must wait: a job would remove a row of ours along that belongs
    to something which stays as well, or a row of theirs that does. What waits binds others in turn. Raises
    ConnectorError: it cannot be determined."""
    bound: dict[Key, frozenset[Owner]] = {}
    while True:
        left = [action for action in going if action.key not in bound]
        along, kept = _along(connector, left)
        staying = _staying(connector, left, [*_of_theirs(connector, left), *along], to_come)
        more: dict[Key, frozenset[Owner]] = dict.fromkeys(kept, frozenset())
        more |= {key: owners for key, owners in staying.items() if key not in kept}  # no owner is all that keeps such a one
        if not more:
            joining: defaultdict[Key, list[RowWrite]] = defaultdict(list)
            for key, _, row in along:
                joining[key].append(write_of(row, retained=True))
            return There(bound, {key: tuple(writes) for key, writes in joining.items()})
        bound |= more


def _along(connector: Connector, going: Sequence[Action]) -> tuple[list[Belonging], set[Key]]:
    """Return the rows of dependent tables that a job would remove along, each once, and the units with which
    it would remove something else of ours."""
    owners = {write.key(connector): action.key for action in going for write in action.rows if write.retained}
    if not owners:
        return [], set()
    words = {table: kind for kind in connector.all_kinds.own if not kind.term for table in connector.tables(kind.record)}
    rows: defaultdict[str, dict[str, Key]] = defaultdict(dict)
    kept: set[Key] = set()
    for each in connector.retained_dependent_rows(sorted(owners)):
        table, row_id = each.row
        if table in words and row_id:
            rows[table].setdefault(row_id, owners[each.on])
        else:
            kept.add(owners[each.on])
    found: list[Belonging] = []
    for table, ids in rows.items():
        kind = words[table]
        for row in _rows_there(connector, kind, ids):
            if {owner for _, owner in links_of(kind, row)} == {owner for _, owner in kind.owners(row)}:
                found.append((ids[row.id], kind, row))
            else:  # it is on a row of a table that is not mapped
                kept.add(ids[row.id])
    return found, kept


def _of_theirs(connector: Connector, going: Sequence[Action]) -> Iterator[Belonging]:
    """Yield the rows of dependent tables there that go with these units. One that goes by a term of its own
    waits for nothing that it belongs to."""
    units: defaultdict[str, dict[str, Key]] = defaultdict(dict)
    for action in going:
        for write in action.rows:
            kind = connector.all_kinds[write.kind]
            if write.retained and kind.own is not None and not (kind.term and write.id == action.id):
                units[write.kind][write.id] = action.key
    for word, keys in units.items():
        kind = connector.all_kinds[word]
        yield from ((keys[row.id], kind, row) for row in _rows_there(connector, kind, keys))


def _rows_there(connector: Connector, kind: Kind, ids: Collection[str]) -> list[Record]:
    return retained_rows_of(connector, kind.record, kind.links, Among("id", sorted(ids)))


def _staying(connector: Connector, going: Sequence[Action], rows: Sequence[Belonging], to_come: ToCome) -> dict[Key, frozenset[Owner]]:
    """Return the units that have such a row which belongs to something else too that is somewhere and goes
    with none of them, with what that is."""
    gone = {(write.kind, write.id) for action in going for write in action.rows} | {(kind.word, row.id) for _, kind, row in rows}
    others: defaultdict[Owner, set[Key]] = defaultdict(set)
    for key, kind, row in rows:
        for owner in {*kind.owners(row)} - gone:
            others[owner].add(key)
    later = to_come(others.keys(), going) if others else ()
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for word, owner_id in others:
        if owner_id not in later:
            asked[word].add(owner_id)
    found: defaultdict[Key, set[Owner]] = defaultdict(set)
    for word, ids in asked.items():
        for there in _existing(connector, word, ids):
            for key in others[word, there]:
                found[key].add((word, there))
    return {key: frozenset(those) for key, those in found.items()}


def _existing(connector: Connector, word: str, ids: Collection[str]) -> set[str]:
    if word not in connector.all_kinds:
        return set()
    record = KINDS[word]
    return {row.id for row in rows_anywhere(connector, record, (), Among("id", sorted(ids)), connector.retaining((record,)))}
