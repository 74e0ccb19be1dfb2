"""The rows that go with others because they belong to them, at any depth: notes, activities, rows of
dependent tables, live and in long-term retention (ERA-15, RET-03)."""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from itertools import chain, product

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.run import RowWrite
from jobs.reading.few_rows import rows_anywhere
from jobs.reading.long_term import retained_rows_of
from jobs.writing.row_writes import EMPTY, UNLINK, write_of
from jobs.writing.turns import Waits, in_turn
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
        found = _Below(connector, owners, retaining, waits, with_termed=with_termed).rows()
        if waits is None or len(waits.after) == known:
            return found
        waits.clear()  # the order of all is another one by what was found


class _Below:
    """What `below` looks through, in the order of units that is known. Adds who must go after whom."""

    def __init__(
        self,
        connector: Connector,
        owners: Mapping[str, str],
        retaining: Collection[type[Record]],
        waits: Waits | None,
        *,
        with_termed: bool,
    ) -> None:
        self._connector, self._owners, self._retaining, self._waits = connector, owners, retaining, waits
        self._with_termed = with_termed
        self._units = dict(owners)  # id of a row that goes -> id of its unit
        self._seen: set[str] = set()
        self._own: dict[str, str] = {}  # rows of dependent tables -> the word of their kind
        self._staying: dict[str, tuple[Kind, Record]] = {}

    def rows(self) -> list[tuple[str, RowWrite]]:
        """Go down level by level; return the writes from the lowest up, after those that empty links."""
        levels: list[list[tuple[str, RowWrite]]] = []
        fresh = sorted(self._owners)
        while fresh:
            level: list[tuple[str, RowWrite]] = []
            for kind, row, is_retained in _dependent(self._connector, fresh, self._retaining, self._own):
                if kind.own is not None:
                    self._own[row.id] = kind.word
                unit = self._there_with(kind, row) if is_retained else self._live_with(kind, row)
                if unit is not None:
                    level.append((unit, _goes(kind, row, is_retained=is_retained)))
            levels.append(level)
            kinds = self._connector.all_kinds  # without dependent tables only activities have others below them, notes
            fresh = sorted({write.id for _, write in level if kinds.own or kinds[write.kind].is_activity} - self._seen)
            self._seen |= {write.id for _, write in level}
            self._units |= {write.id: unit for unit, write in level}
        staying = [each for row, each in self._staying.items() if row not in self._seen]
        unlinked = [_unlinked(kind, row, self._units, self._waits) for kind, row in staying]
        return [*chain.from_iterable(unlinked), *chain.from_iterable(reversed(levels))]

    def _live_with(self, kind: Kind, row: Record) -> str | None:
        """Return the unit with which a row goes; None where it was met before (rows may lead in a circle) or
        stays: it belongs to something else too, to several units, or has a term of its own."""
        if row.id in self._seen or (kind.own is not None and row.id in self._owners):
            return None
        above = _above(kind, row)
        units = self._in_turn(above)
        is_shared = len(units) > 1 and self._waits is not None
        if is_shared or not self._units.keys() >= above or (kind.term and not self._with_termed):
            self._staying[row.id] = (kind, row)
            return None
        return units[-1]

    def _there_with(self, kind: Kind, row: Record) -> str | None:
        """Return the unit with which a row goes that lies in long-term retention, where nothing takes off its
        links; None where something keeps it, or where a unit of it has to go after another one first."""
        above = _above(kind, row)
        if kind.own is not None and (rest := above - self._units.keys()):
            # It goes with what purges it where another owner that is there is due too (`bound_there`).
            anywhere = not _there(self._connector, kind, row, self._units)
            above -= _gone(self._connector, kind, row, rest, self._retaining, anywhere=anywhere)
            if not self._units.keys() >= above:
                return None  # it goes with the last of them: what is there keeps its links
        units = self._in_turn(above)
        if len(units) == 1 or self._waits is None:
            return units[-1]
        last = _there(self._connector, kind, row, self._units)
        self._waits.after.update(product(last, {*units} - {*last}))
        if units[0] in last:  # all must go after each other, and whichever goes takes it along
            return units[0]
        self._waits.update(last or units[1:])
        return None

    def _in_turn(self, above: Set[str]) -> list[str]:
        return in_turn({self._units[owner] for owner in above & self._units.keys()}, self._waits)


def _above(kind: Kind, row: Record) -> set[str]:
    return {owner for _, owner in links_of(kind, row)}


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
