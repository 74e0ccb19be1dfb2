"""Every row that is deleted with a unit, in an order that leaves no orphan (ERA-15, R-158).

Leaves first: notes, activities (their parties are deleted with them), party rows, a suspect's too (RET-19),
recordings past their end with their notes, then fiches, then the unit's own row. A recording whose own term
or hold still runs, or that is tied to something else too, stays, its link emptied (RET-03). A fiche in
several dossiers is deleted with the last of them. Rows carry the version that was read here, just before they
are written. No earlier write of a unit changes the version of a later row of it, because nothing is removed
before what belongs to it; where rows point to each other besides, the connector empties those lookups first.
A recording's row carries the reference of what it has outside the CRM, which is deleted before it."""

from collections import Counter as Counts
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, product

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.run import AWAITS_TURN, CONTENT_OUT_OF_REACH, RowWrite
from jobs.model.run import CHANGED as CHANGED
from jobs.reading.gather import PARTY_FIELDS, RECORDING_FIELDS, rows_anywhere, rows_of
from jobs.reading.long_term import retained_rows_of, without_live
from jobs.reading.out_of_reach import LONG_TERM, may_go_along, may_go_there
from jobs.reading.units import Gathering
from jobs.writing.outside_objects import Outside
from jobs.writing.row_writes import EMPTY, UNLINK, write_of, write_of_unit
from jobs.writing.turns import Turns
from rules.holds.holds import Holds
from rules.model.kinds import Kind
from rules.model.records import Donation, Fiche, Party, Record, Recording, Unit, UnitKind, tied_to
from rules.policy.policy import Policy
from rules.retention.relations import RelationTerms


class Waits(set[str]):
    """The units that wait for others with which they have a row in common, by id. One order serves all these
    rows, so that no two units wait for each other: the first of them waits for none. A unit is written after
    those before which it must not be: an owner of such a row is in long-term retention with it, and not with
    them."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.after: set[tuple[str, str]] = set()  # a unit and one before which it must not go
        self._turns = turns
        self._known, self._numbers = 0, dict[str, int]()  # how many go before each, of as many pairs

    def in_turn(self, units: Iterable[str]) -> list[str]:
        """Return these ids in the order in which they are written, each once. Turns decide where none of two
        must come after the other, or each of them must: in such a circle whoever comes first breaks it, so
        that being in one puts nobody behind what the CRM refuses."""
        if len(self.after) != self._known:  # it only grows
            before = _before(self.after)
            one_way = _before((unit, other) for unit, other in self.after if unit not in before.get(other, ()))
            self._known, self._numbers = len(self.after), {unit: len(those) for unit, those in one_way.items()}
        return sorted(self._turns.first_to_last(units), key=lambda unit: self._numbers.get(unit, 0))


def _before(after: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return for each unit that must not go before another one all that go before it."""
    next_to: defaultdict[str, set[str]] = defaultdict(set)
    for unit, other in after:
        next_to[unit].add(other)
    found: dict[str, set[str]] = {}
    for unit in next_to:
        before, fresh = set[str](), [unit]
        while fresh:
            more = next_to.get(fresh.pop(), set()) - before
            before |= more
            fresh += more
        found[unit] = before
    return found


class Rows:
    """The rows that are deleted with some units, by unit id. Beside them, the units that cannot be deleted,
    with the code that says why, and how many recordings that nobody took over are deleted with each."""

    def __init__(self) -> None:
        self.of: dict[str, list[RowWrite]] = {}
        self.blocked: dict[str, str] = {}
        self.not_taken_over: Counts[str] = Counts()

    def grown_since(self, before: "Rows") -> set[str]:
        """Return the units that would go with a row with which they would not have gone before. Of what lies
        in long-term retention, where nobody can move it, another of those may take it along."""
        known = {unit: {(row.kind, row.id) for row in rows} for unit, rows in before.of.items()}
        there = {(row.kind, row.id) for rows in before.of.values() for row in rows if row.retained}
        return {unit for unit, rows in self.of.items() if {(row.kind, row.id) for row in rows} - known.get(unit, set()) - there}


def rows_of_units(
    connector: Connector,
    found: Gathering,
    units: Sequence[Unit],
    *,
    policy: Policy,
    holds: Holds,
    as_of: date,
    outside: Outside,
    turns: Turns,
    with_termed: bool = False,
) -> Rows:
    """Return the writes that dispose of each unit, by unit id. A unit waits where a recording of it has
    content that no setting reaches: if the rest were disposed of, the object could no longer be found. It
    also waits where a recording in long-term retention has to stay, where a role there is in another unit as
    well, or where no job may purge what is there. Otherwise that is deleted with it. `turns` says which of
    several units is written that have a row in common: one of them may yet be refused. `with_termed` is for
    `below`."""
    rows = Rows()
    retaining = connector.retaining((*(kind.record for kind in connector.all_kinds.depending), Party, Recording)) if units else frozenset()
    files = [unit for unit in units if unit.kind in (UnitKind.DOSSIER, UnitKind.FICHE)]
    fiche_units = {fiche.id: unit for unit in files for fiche in unit.fiches if not fiche.also_in}  # a shared one stays
    owners: dict[str, Unit] = {unit.id: unit for unit in units} | fiche_units
    leaves: defaultdict[str, list[RowWrite]] = defaultdict(list)
    tails: defaultdict[str, list[RowWrite]] = defaultdict(list)

    tied = {"fiche": fiche_units, "dossier": {unit.id: unit for unit in units if unit.kind is UnitKind.DOSSIER}}
    recordings = _recordings(connector, tied, rows_of)
    may_go = may_go_along(_alone(found, recordings, tied), policy, holds, as_of)
    going = {row.id: row for row in recordings if row.id in may_go}
    alone = [unit.recording for unit in units if unit.recording is not None]
    objects = outside.named([*going.values(), *alone])
    for row in recordings:
        units_of = _units_of(row, tied)
        first, *later = Waits(turns).in_turn(unit.id for unit in units_of.values())
        rows.blocked |= dict.fromkeys(later, AWAITS_TURN)  # one row cannot be written by two
        names = [name for name, unit in units_of.items() if unit.id == first]
        unit = units_of[names[0]]
        if row.id in going:
            owners[row.id] = unit
            tails[unit.id].append(write_of(row, object=objects.get(row.id, "")))
            rows.not_taken_over[unit.id] += not row.taken_over
            if row.id not in objects:
                rows.blocked[unit.id] = CONTENT_OUT_OF_REACH
        elif len(names) > 1:
            tails[unit.id].append(write_of(row, UNLINK, ",".join(names)))
        else:
            tails[unit.id].append(write_of(row, f"unlink_{names[0]}", getattr(row, names[0])))
    for unit in units:
        if unit.recording is not None and unit.id not in objects:
            rows.blocked[unit.id] = CONTENT_OUT_OF_REACH
    if Recording in retaining:
        there = without_live(_recordings(connector, tied, retained_rows_of), {row.id for row in recordings})
        may_go = may_go_there(_alone(found, there, tied), policy, holds, as_of)
        for row in there:
            for unit in _units_of(row, tied).values():
                owners[row.id] = unit
                tails[unit.id].append(write_of(row, retained=True))
                rows.not_taken_over[unit.id] += not row.taken_over
                if row.id not in may_go:
                    rows.blocked[unit.id] = LONG_TERM

    dossiers = [*tied["dossier"]]
    versions = found.versions or {}
    by_fiche = {fiche: unit.id for fiche, unit in fiche_units.items()}
    of_unit = {owner: unit.id for owner, unit in owners.items()}
    if any("party" in kind.above for kind in connector.all_kinds.own):
        roles = _parties(connector, set(dossiers), by_fiche)
        of_unit |= {write.id: unit_id for unit_id, _, write in roles if write.operation == "delete"}
    waits = Waits(turns)
    for unit_id, write in below(connector, of_unit, retaining, waits, with_termed=with_termed):
        if write.retained and connector.all_kinds[write.kind].term:
            rows.blocked[unit_id] = LONG_TERM  # no write takes its link off
        leaves[unit_id].append(write)
    for unit_id, role, write in _parties(connector, set(dossiers), by_fiche, waits, set(rows.blocked)):  # last: a decision depends on them
        if not connector.is_derived(type(role)):  # else it goes with the row of the unit
            leaves[unit_id].append(write)
        if versions.get(role.id) != role.etag:
            rows.blocked[unit_id] = CHANGED  # a role that the decision did not know, a younger child perhaps
    if Party in retaining:
        for unit_id, role, write in _retained_parties(connector, set(dossiers), by_fiche):
            if not connector.is_derived(type(role)):
                leaves[unit_id].append(write)
    for fiche in rows_of(connector, Fiche, ("dossier",), Among("dossier", dossiers)):
        if not fiche.also_in:
            tails[fiche.dossier or ""].append(write_of(fiche))
        elif set(dossiers).issuperset(fiche.dossiers) and not (waits | rows.blocked.keys()) & set(fiche.dossiers):
            waits.add(waits.in_turn(fiche.dossiers)[-1])  # alone, the fiche would have no child but its own, and a term of years
        known = found.fiches.get(fiche.id)
        if versions.get(fiche.id) != fiche.etag or known is None or known.dossiers != fiche.dossiers:
            rows.blocked |= dict.fromkeys(fiche.dossiers, CHANGED)  # a fiche that the decision did not know, or knew otherwise
    rows.blocked = dict.fromkeys(waits, AWAITS_TURN) | rows.blocked  # what is known better stays the reason
    for unit in units:
        retained = [fiche for fiche in unit.fiches if unit.kind is UnitKind.DOSSIER and fiche.id in found.retained]
        tails[unit.id] += [write_of(fiche, retained=True) for fiche in retained]
        own_row = write_of_unit(unit, object=objects.get(unit.id, ""), retained=unit.id in found.retained)
        rows.of[unit.id] = _each_once([*leaves[unit.id], *tails[unit.id], own_row])
        is_there = any(write.retained for write in rows.of[unit.id])
        if unit.id in found.bound or (is_there and not connector.may_purge_retained()):
            rows.blocked[unit.id] = LONG_TERM
    return rows


def _recordings(connector: Connector, tied: Mapping[str, Mapping[str, Unit]], read: Callable[..., list[Recording]]) -> list[Recording]:
    """Return the recordings of these fiches and dossiers, each once, as `read` finds them."""
    found = (row for name, of in tied.items() if of for row in read(connector, Recording, RECORDING_FIELDS, Among(name, sorted(of))))
    return [*{row.id: row for row in found}.values()]


def _units_of(recording: Recording, tied: Mapping[str, Mapping[str, Unit]]) -> dict[str, Unit]:
    """Return the units that go and to which a recording is tied, by its links."""
    return {name: of[owner] for name, of in tied.items() if (owner := getattr(recording, name)) in of}


def _alone(found: Gathering, recordings: Iterable[Recording], tied: Mapping[str, Mapping[str, Unit]]) -> list[Unit]:
    """Return those of the recordings, as units, of which every link leads to one unit that goes."""
    known = {row.id: row for row in recordings if len({unit.id for unit in _units_of(row, tied).values()}) == 1}
    alone = [row for row in known.values() if all(getattr(row, name) is None or getattr(row, name) in tied[name] for name in tied)]
    found.add_recordings([row for row in alone if row.id not in found.recordings])
    return [found.recordings[row.id] for row in alone]


def _each_once(writes: Sequence[RowWrite]) -> list[RowWrite]:
    """Return the writes without those to copies in long-term retention of rows that are live: a copy goes
    once its row has (ERA-12, line 10)."""
    live = {(write.kind, write.id) for write in writes if not write.retained}
    return [write for write in writes if not write.retained or (write.kind, write.id) not in live]


def _retained_parties(connector: Connector, dossiers: set[str], units: Mapping[str, str]) -> Iterator[tuple[str, Party, RowWrite]]:
    """Return the roles in long-term retention that go with these dossiers, fiches of them or lone ones (fiche
    -> unit), with the unit's id."""
    found = {row.id: row for row in retained_rows_of(connector, Party, PARTY_FIELDS, Among("dossier", sorted(dossiers)))}
    found |= {row.id: row for row in retained_rows_of(connector, Party, PARTY_FIELDS, Among("fiche", sorted(units)))}
    for row in found.values():
        unit = row.dossier if row.dossier in dossiers else units.get(row.fiche or "", "")
        yield unit or "", row, write_of(row, target=row.contact or "", retained=True)


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
            of = _in_turn({units[owner] for owner in above & units.keys()}, waits)
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


def _in_turn(units: Iterable[str], waits: Waits | None) -> list[str]:
    """Return units in the order in which they go, each once."""
    return waits.in_turn(units) if waits is not None else sorted({*units})


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
    going = _in_turn({unit for _, unit in links}, waits)
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


def _parties(
    connector: Connector, dossiers: set[str], units: Mapping[str, str], waits: Waits | None = None, blocked: Collection[str] = ()
) -> Iterator[tuple[str, Party, RowWrite]]:
    """Return the roles in dossiers that go and in their fiches or lone ones (fiche -> unit), each with the id
    of its unit and its write. A row that also names a dossier or fiche which stays is a role there too: it
    stays, and only the link to what goes is emptied (RET-20). So it is between two units that go: one of them
    `waits` for the next run, since it may yet be refused, and its term then depends on the role; nobody waits
    for a unit that stays in this run, since it waits itself or is `blocked`."""
    found = {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("dossier", sorted(dossiers)))}
    found |= {row.id: row for row in rows_of(connector, Party, PARTY_FIELDS, Among("fiche", sorted(units)))}
    owners = {row.id: (row.dossier or "", units.get(row.fiche or "", "")) for row in found.values()}
    places = {unit: place for place, unit in enumerate(_in_turn(chain.from_iterable(owners.values()), waits))}
    for row in sorted(found.values(), key=lambda row: sorted(places[owner] for owner in owners[row.id])):
        by_dossier = row.dossier if row.dossier in dossiers else None
        by_fiche = units.get(row.fiche) if row.fiche is not None else None
        if by_dossier is not None and by_fiche is not None and by_dossier != by_fiche:
            first, last = _in_turn((by_dossier, by_fiche), waits)
            staying = {*(waits or ()), *blocked}
            if waits is not None and first not in staying and last not in staying:
                waits.add(last)
            goes = last if first in staying and last not in staying else first
            by_dossier, by_fiche = (by_dossier, None) if goes == by_dossier else (None, by_fiche)
        if by_dossier is not None and row.fiche is not None and by_fiche is None:
            yield by_dossier, row, write_of(row, "unlink_dossier", by_dossier)
        elif by_fiche is not None and row.dossier is not None and by_dossier is None:
            yield by_fiche, row, write_of(row, "unlink_fiche", row.fiche or "")
        else:
            yield by_dossier or by_fiche or "", row, write_of(row, target=row.contact or "")  # whose role: a hold asks


def rows_of_contacts(
    connector: Connector,
    contacts: Mapping[str, str],
    terms: RelationTerms,
    *,
    given_up: Collection[str] = (),
    retained: Collection[str] = (),
    waits: Waits | None = None,
) -> dict[str, list[RowWrite]]:
    """Return the writes that remove each contact (id -> version): notes and activities about it, then its
    row. Where being a donor has ended before the term of the payment, by the schedule or because the person
    has `given_up` being one, the payment stays and only its link to the donor is emptied (R-104). Those of
    the ids `retained` are in long-term retention; `waits` is for `below`."""
    retaining = connector.retaining(tuple(kind.record for kind in connector.all_kinds.depending)) if contacts else frozenset()
    rows: dict[str, list[RowWrite]] = {contact: [] for contact in contacts}
    if donors := sorted(contact for contact in contacts if terms.donor or contact in given_up):
        for gift in rows_of(connector, Donation, ("contact",), Among("contact", donors)):
            rows[gift.contact or ""].append(write_of(gift, "unlink_contact", gift.contact or ""))
    for contact, write in below(connector, dict(zip(contacts, contacts, strict=True)), retaining, waits):
        rows[contact].append(write)
    for contact, etag in contacts.items():
        rows[contact].append(RowWrite("contact", contact, etag, retained=contact in retained))
    return {contact: _each_once(writes) for contact, writes in rows.items()}
