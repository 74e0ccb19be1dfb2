"""The rows that go with others because they belong to them, at any depth: notes, activities, rows of
dependent tables, live and in long-term retention (ERA-15, RET-03)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, product

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.run import RowWrite
from jobs.reading.gather import rows_anywhere
from jobs.reading.long_term import retained_rows_of
from jobs.writing.row_writes import EMPTY, UNLINK, write_of
from jobs.writing.waits import Waits, in_turn
from rules.model.kinds import Kind
from rules.model.records import Record, tied_to


def below(
    connector: Connector,
    owners: Mapping[str, str],
    retaining: Collection[type[Record]],
    waits: Waits | None = None,
    *,
    with_termed: bool = False,
) -> list[tuple[str, RowWrite]]:
    """Return the rows that are deleted with these owners (id -> id of its unit), at any depth, what belongs
    to others first, each with its unit; of the kinds `retaining` also those in long-term retention. What
    belongs to two of them comes once.

    One that also belongs to what is not deleted stays with that: it loses its link, or the pair where a table
    of links ties it. One that belongs to several units is deleted with the last of them: one of these `waits`
    for the next run, else nothing would lead to it any more, or it would be deleted too early. One that has a
    term of its own stays with all that depends on it, and loses its link (RET-03); `with_termed` it is
    deleted too."""
    while True:
        known = len(waits.after) if waits is not None else 0
        found = _below(connector, owners, retaining, waits, with_termed=with_termed)
        if waits is None or len(waits.after) == known:
            return found
        waits.clear()  # the order of all is another one by what was found


def _below(
    connector: Connector, owners: Mapping[str, str], retaining: Collection[type[Record]], waits: Waits | None, *, with_termed: bool
) -> list[tuple[str, RowWrite]]:
    """Return what `below` does, in the order that is known; adds to that who must go after whom."""
    units, seen, own = dict(owners), set[str](), dict[str, str]()
    levels: list[list[tuple[str, RowWrite]]] = []
    staying: dict[str, tuple[Kind, Record]] = {}
    fresh = sorted(owners)
    while fresh:
        level: list[tuple[str, RowWrite]] = []
        for kind, row, is_retained in _dependent(connector, fresh, retaining, own):
            if kind.own is not None:
                own[row.id] = kind.word
            is_known = row.id in seen or (kind.own is not None and row.id in owners)  # rows may lead in a circle
            above = {owner for _, owner in links_of(kind, row)}
            if is_retained and kind.own is not None and (rest := above - units.keys()):
                # It goes with what purges it where another owner that is there is due too (`bound_there`).
                anywhere = not _there(connector, kind, row, units)
                above -= _gone(connector, kind, row, rest, retaining, anywhere=anywhere)
                if not units.keys() >= above:
                    continue  # it goes with the last of them: what is there keeps its links
            if not is_retained and (is_known or not units.keys() >= above or (kind.term and not with_termed)):
                staying |= {} if is_known else {row.id: (kind, row)}
                continue
            of = in_turn({units[owner] for owner in above & units.keys()}, waits)
            last = _there(connector, kind, row, units) if len(of) > 1 and waits is not None and is_retained else []
            if waits is not None:
                waits.after.update(product(last, {*of} - {*last}))
            if of[0] in last:  # all must go after each other, and whichever goes takes it along
                level.append((of[0], _goes(kind, row, is_retained=True)))
            elif len(of) > 1 and waits is not None and is_retained:
                waits.update(last or of[1:])
            elif len(of) > 1 and waits is not None:
                staying[row.id] = (kind, row)
            else:
                level.append((of[-1], _goes(kind, row, is_retained=is_retained)))
        levels.append(level)
        # Only rows of dependent tables have others below them, or are below what depends itself.
        fresh = sorted({write.id for _, write in level} - seen) if connector.all_kinds.own else []
        seen |= {write.id for _, write in level}
        units |= {write.id: unit for unit, write in level}
    unlinked = [_unlinked(kind, row, units, waits) for row_id, (kind, row) in staying.items() if row_id not in seen]
    return [*chain.from_iterable(unlinked), *chain.from_iterable(reversed(levels))]


def _gone(
    connector: Connector, kind: Kind, row: Record, owners: Collection[str], retaining: Collection[type[Record]], *, anywhere: bool
) -> set[str]:
    """Return those of the owners of a row in long-term retention that are not live any more, or not
    `anywhere`: nothing writes to what is there, so that it names them for ever."""
    found = rows_anywhere(connector, kind.record, kind.links, Among("id", [row.id]), retaining)
    asked = {(name, owner) for each in found for name, owner in kind.owners(each) if owner in owners}
    known = ((connector.all_kinds[name].record, owner) for name, owner in asked if name in connector.all_kinds)
    where = ((record, owner, connector.retaining((record,)) if anywhere else retaining) for record, owner in known)
    return {owner for record, owner, there in where if not rows_anywhere(connector, record, (), Among("id", [owner]), there)}


def _there(connector: Connector, kind: Kind, row: Record, units: Mapping[str, str]) -> list[str]:
    """Return the units that go of which the owner of a row in long-term retention is there too: it may take
    the row along, and is the last for that."""
    found = retained_rows_of(connector, kind.record, kind.links, Among("id", [row.id]))  # a level is read without the kinds of owners
    owners = {(name, owner) for each in found for name, owner in kind.owners(each) if name in connector.all_kinds and owner in units}
    asked = [(connector.all_kinds[name].record, owner) for name, owner in owners]
    return sorted({units[owner] for record, owner in asked if retained_rows_of(connector, record, (), Among("id", [owner]))})


def links_of(kind: Kind, row: Record) -> Iterator[tuple[str, str]]:
    """Yield the links of a row, as (field, id), also to rows of tables that are not mapped."""
    for name in kind.owner_fields:
        if (owner := getattr(row, name)) is not None:
            yield name, owner
    yield from (("tied", owner) for _, owner in tied_to(getattr(row, "tied", ()), None))


def _goes(kind: Kind, row: Record, *, is_retained: bool) -> RowWrite:
    if kind.emptied and not is_retained:
        return write_of(row, EMPTY, ",".join(kind.emptied))
    return write_of(row, retained=is_retained)


def _unlinked(kind: Kind, row: Record, units: Mapping[str, str], waits: Waits | None) -> Iterator[tuple[str, RowWrite]]:
    """Yield the write that empties the links of a row which stays, with its unit: those to the first of the
    units that go. The others wait, since one row cannot be written by two. Pairs go by themselves: only the
    last unit waits, where all go."""
    found = [*links_of(kind, row)]
    links = [(name, units[owner]) for name, owner in found if owner in units]
    going = in_turn({unit for _, unit in links}, waits)
    if kind.own is None or any(name == "tied" for name, _ in found):
        if waits is not None and len(links) == len(found):
            waits.update(going[1:][-1:])
        return
    if waits is not None:
        waits.update(going[1:])
        going = going[:1]
    for one in going:
        yield one, write_of(row, UNLINK, ",".join(name for name, unit in links if unit == one))


def _dependent(
    connector: Connector, owners: Sequence[str], retaining: Collection[type[Record]], own: Mapping[str, str]
) -> Iterator[tuple[Kind, Record, bool]]:
    """Yield the rows that belong to these owners, each with its kind, and whether it is in long-term
    retention. `own` are the dependent tables, by their words, of those that are rows of one: no table is
    asked about rows of another to which its own may not belong: the check of the mapping sees to that."""
    for kind in connector.all_kinds.depending:
        found: dict[tuple[str, bool], Record] = {}
        asked = [owner for owner in owners if kind.own is None or own.get(owner, kind.word) in (kind.word, *kind.above)]
        for name in kind.owner_fields if asked else ():
            among = Among(name, asked)
            for row in chain.from_iterable(connector.read(kind.record, kind.owner_fields, among=among)):
                found.setdefault((row.id, False), row)
            for row in retained_rows_of(connector, kind.record, kind.owner_fields, among) if kind.record in retaining else ():
                found.setdefault((row.id, True), row)
        yield from ((kind, row, is_retained) for (_, is_retained), row in found.items())
