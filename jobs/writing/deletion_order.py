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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.run import AWAITS_TURN, CHANGED, CONTENT_OUT_OF_REACH, RowWrite
from jobs.reading.few_rows import RECORDING_FIELDS, rows_of
from jobs.reading.long_term import retained_rows_of, without_live
from jobs.reading.out_of_reach import LONG_TERM, may_go_along, may_go_there
from jobs.reading.units import Gathering
from jobs.writing.dependent_rows import below
from jobs.writing.outside_objects import Outside
from jobs.writing.role_rows import retained_roles_of, roles_of
from jobs.writing.row_writes import UNLINK, write_of, write_of_unit
from jobs.writing.turns import Turns, Waits
from rules.holds.holds import Holds
from rules.model.records import Donation, Fiche, Party, Recording, Unit, UnitKind
from rules.policy.policy import Policy
from rules.retention.relations import RelationTerms


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
    in_force: Policy | None = None,
) -> Rows:
    """Return the writes that dispose of each unit, by unit id. A unit waits where a recording of it has
    content that no setting reaches: if the rest were disposed of, the object could no longer be found. It
    also waits where a recording in long-term retention has to stay, where a role there is in another unit as
    well, or where no job may purge what is there. Otherwise that is deleted with it. `turns` says which of
    several units is written that have a row in common: one of them may yet be refused. `with_termed` is for
    `below`. A recording that the version of the schedule `in_force` by now keeps stays too."""
    policies = {each.digest: each for each in (policy, in_force or policy)}.values()
    order = _Order(connector, found, units, turns)
    objects = order.add_recordings(outside, lambda alone: set.intersection(*(may_go_along(alone, each, holds, as_of) for each in policies)))
    order.add_recordings_there(lambda alone: set.intersection(*(may_go_there(alone, each, holds, as_of) for each in policies)))
    order.add_dependent(with_termed=with_termed)
    order.add_roles()  # last of the leaves: a decision depends on them
    order.add_fiches()
    order.add_own_rows(objects)
    return order.rows


MayGo = Callable[[list[Unit]], set[str]]  # asked of recordings of which every link leads to one unit that goes


class _Order:
    """The rows of some units, as they are put together: what lies below others goes first (`leaves`), then
    recordings and fiches (`tails`), then the row of the unit. Each step may block a unit, and its `waits` are
    those that a row makes wait for another unit."""

    def __init__(self, connector: Connector, found: Gathering, units: Sequence[Unit], turns: Turns) -> None:
        self.rows = Rows()
        self._connector, self._found, self._units, self._turns = connector, found, units, turns
        self._waits = Waits(turns)
        kinds = connector.all_kinds
        self._retaining = connector.retaining((*(kind.record for kind in kinds.depending), Party, Recording)) if units else frozenset()
        files = [unit for unit in units if unit.kind in (UnitKind.DOSSIER, UnitKind.FICHE)]
        fiches = {fiche.id: unit for unit in files for fiche in unit.fiches if not fiche.also_in}  # a shared one stays
        self._by_fiche = {fiche: unit.id for fiche, unit in fiches.items()}
        self._dossiers = {unit.id: unit for unit in units if unit.kind is UnitKind.DOSSIER}
        self._tied: Mapping[str, Mapping[str, Unit]] = {"fiche": fiches, "dossier": self._dossiers}
        self._recordings: list[Recording] = []
        self._owners = {unit.id: unit.id for unit in units} | self._by_fiche  # id of a row that goes -> id of its unit
        self._leaves: defaultdict[str, list[RowWrite]] = defaultdict(list)
        self._tails: defaultdict[str, list[RowWrite]] = defaultdict(list)

    def add_recordings(self, outside: Outside, may_go: MayGo) -> dict[str, str]:
        """Add the recordings of the files: those that `may_go` go, the others lose their link. Return, by
        recording that goes, the reference of what it has outside the CRM."""
        self._recordings = _recordings(self._connector, self._tied, rows_of)
        may = may_go(_alone(self._found, self._recordings, self._tied))
        going = {row.id: row for row in self._recordings if row.id in may}
        alone = [unit.recording for unit in self._units if unit.recording is not None]
        objects = outside.named([*going.values(), *alone])
        for row in self._recordings:
            units = _units_of(row, self._tied)
            first, *later = Waits(self._turns).in_turn(unit.id for unit in units.values())
            self.rows.blocked |= dict.fromkeys(later, AWAITS_TURN)  # one row cannot be written by two
            if row.id in going:
                self._goes_with(row, first, write_of(row, object=objects.get(row.id, "")))
                if row.id not in objects:
                    self.rows.blocked[first] = CONTENT_OUT_OF_REACH
            else:
                names = [name for name, unit in units.items() if unit.id == first]
                self._tails[first].append(_unlinked(row, names))
        lost = [unit.id for unit in self._units if unit.recording is not None and unit.id not in objects]
        self.rows.blocked |= dict.fromkeys(lost, CONTENT_OUT_OF_REACH)
        return objects

    def add_recordings_there(self, may_go: MayGo) -> None:
        """Add the recordings of the files that lie in long-term retention; they go, or the unit waits."""
        if Recording not in self._retaining:
            return
        live = {row.id for row in self._recordings}
        there = without_live(_recordings(self._connector, self._tied, retained_rows_of), live)
        may = may_go(_alone(self._found, there, self._tied))
        for row in there:
            for unit in _units_of(row, self._tied).values():
                self._goes_with(row, unit.id, write_of(row, retained=True))
                if row.id not in may:
                    self.rows.blocked[unit.id] = LONG_TERM

    def _goes_with(self, row: Recording, unit: str, write: RowWrite) -> None:
        self._owners[row.id] = unit
        self._tails[unit].append(write)
        self.rows.not_taken_over[unit] += not row.taken_over

    def add_dependent(self, *, with_termed: bool) -> None:
        """Add what belongs to all that goes, roles included, at any depth."""
        roles = roles_of(self._connector, self._dossiers.keys(), self._by_fiche)
        owners = self._owners | {write.id: unit for unit, _, write in roles if write.operation == "delete"}
        for unit, write in below(self._connector, owners, self._retaining, self._waits, with_termed=with_termed):
            if write.retained and self._connector.all_kinds[write.kind].term:
                self.rows.blocked[unit] = LONG_TERM  # no write takes its link off
            self._leaves[unit].append(write)

    def add_roles(self) -> None:
        """Add the roles in the files. A unit waits where a role is another than the decision knew."""
        versions = self._found.versions or {}
        live = roles_of(self._connector, self._dossiers.keys(), self._by_fiche, self._waits, {*self.rows.blocked})
        for unit, role, write in live:
            self._add_role(unit, role, write)
            if versions.get(role.id) != role.etag:
                self.rows.blocked[unit] = CHANGED  # one that the decision did not know, a younger child perhaps
        if Party in self._retaining:
            for unit, role, write in retained_roles_of(self._connector, self._dossiers.keys(), self._by_fiche):
                self._add_role(unit, role, write)

    def _add_role(self, unit: str, role: Party, write: RowWrite) -> None:
        if not self._connector.is_derived(type(role)):  # else it goes with the row of the unit
            self._leaves[unit].append(write)

    def add_fiches(self) -> None:
        """Add the fiches of the dossiers. One in several goes with the last of them, so that this one waits
        where all go: alone, the fiche would have no child but its own, and a term of years. All its dossiers
        wait where a fiche is another than the decision knew."""
        versions = self._found.versions or {}
        for fiche in rows_of(self._connector, Fiche, ("dossier",), Among("dossier", [*self._dossiers])):
            if not fiche.also_in:
                self._tails[fiche.dossier or ""].append(write_of(fiche))
            elif self._dossiers.keys() >= set(fiche.dossiers) and not (self._waits | self.rows.blocked.keys()) & set(fiche.dossiers):
                self._waits.add(self._waits.in_turn(fiche.dossiers)[-1])
            known = self._found.fiches.get(fiche.id)
            if versions.get(fiche.id) != fiche.etag or known is None or known.dossiers != fiche.dossiers:
                self.rows.blocked |= dict.fromkeys(fiche.dossiers, CHANGED)

    def add_own_rows(self, objects: Mapping[str, str]) -> None:
        """Add the row of each unit, with what of its fiches is in long-term retention, and bring all into
        their order. `objects` is what `add_recordings` returns."""
        self.rows.blocked = dict.fromkeys(self._waits, AWAITS_TURN) | self.rows.blocked  # what is known better stays the reason
        for unit in self._units:
            retained = [fiche for fiche in unit.fiches if unit.kind is UnitKind.DOSSIER and fiche.id in self._found.retained]
            self._tails[unit.id] += [write_of(fiche, retained=True) for fiche in retained]
            own = write_of_unit(unit, object=objects.get(unit.id, ""), retained=unit.id in self._found.retained)
            writes = _each_once([*self._leaves[unit.id], *self._tails[unit.id], own])
            self.rows.of[unit.id] = writes
            is_there = any(write.retained for write in writes)
            if unit.id in self._found.bound or (is_there and not self._connector.may_purge_retained()):
                self.rows.blocked[unit.id] = LONG_TERM


def _unlinked(recording: Recording, names: Sequence[str]) -> RowWrite:
    """Return the write that empties these links of a recording which stays (RET-03)."""
    if len(names) > 1:
        return write_of(recording, UNLINK, ",".join(names))
    return write_of(recording, f"unlink_{names[0]}", getattr(recording, names[0]))


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
