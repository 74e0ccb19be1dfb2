"""The register of what was erased, in keyed references. After a restore of the CRM it shows what must be
deleted again (ERA-13)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeVar

import msgspec

from connectors.interface.remains import RowKey
from jobs.ledger.entries import StoreAltered
from jobs.model.run import TRIM, WRITTEN_OFF, Action, Erasure
from jobs.ports.context import JobContext
from rules.dates.instants import instant
from rules.hints import hint_to
from rules.model.records import Contact, Statistic

REGISTERED = ("delete", "mask", "trim", "disown", "empty")  # an emptied link erases nobody
BEGUN = "begun-"  # prefix of what a run is about to do to a contact, to which nothing else leads once its dossier is gone
GOING = "going-"  # prefix of what a run is about to do to any row: delete or mask. What a lost run wrote last is recorded nowhere else
LEFT = "left-"  # prefix of the same, for a row deleted with a unit which its run left half done
WHOLE = "whole-"  # prefix of the same, for the version of a unit's own row as it was judged; without a run where that has ended
TIED = "tied-"  # prefix of what becomes of a row that stays where a unit goes that may be left half done: its link is emptied
ENDED = "ended"  # a run has done, or noted in the database, all that it had begun
COUNTED = "counted"  # a run is about to let a total of the statistics grow from this version on; nobody is erased by that
CHUNK = 1_000

T = TypeVar("T")


class Erased(msgspec.Struct, frozen=True, gc=False):
    """What became of one row: delete, mask or trim, and why."""

    operation: str
    reason: str


class OfUnit(msgspec.Struct, frozen=True, gc=False):
    """What an announced row is erased with: its unit's keyed reference, and the reason for which the unit is
    erased. In the register both are in the one column `reason`, in the form of `text`: the digests of
    existing registers depend on it."""

    unit: str
    reason: str

    @property
    def text(self) -> str:
        return f"{self.unit}:{self.reason}"  # a reference is hexadecimal: the first colon ends it

    @classmethod
    def read(cls, text: str) -> "OfUnit":
        unit, _, reason = text.partition(":")
        return cls(unit, reason)


class Written(msgspec.Struct, frozen=True, gc=False):
    """What a run wrote, or was about to write, where it is not known that it cleaned all other places. That
    is: delete or mask, in which run, of the unit with which keyed reference, for which reason, when. All but
    the operation is empty if the register does not show it."""

    operation: str
    run: str = ""
    table: str = ""
    unit: str = ""
    reason: str = ""
    at: str = ""


class Register:
    """All that database and journal know of erasures, by keyed reference. Where a row was masked and later
    deleted, the deletion counts."""

    def __init__(self, entries: Iterable[Erasure] = ()) -> None:
        self.tables: set[str] = set()
        self.tables_written: set[str] = set()  # those of rows that went along included, which need no mapping
        self._going: dict[str, dict[str, Written]] = {}  # by run that has not ended, then by reference
        self._left: dict[str, Written] = {}
        self._rest: dict[str, Written] = {}  # what was announced with a unit that its run, which has ended, left half done
        self._units_left: dict[str, set[str]] = {}  # by run, such units
        self._tied: dict[str, dict[str, str]] = {}  # by run, then by reference, the unit to which the row was tied
        self._whole: dict[str, dict[str, Written]] = {}  # by run, then by reference of the version
        self.has_trims = False
        self._known: dict[str, Erased] = {}
        self._begun: dict[str, dict[str, Erased]] = {}  # by reference, then by run
        self._ended: set[str] = set()
        shared: dict[Erased, Erased] = {}
        for entry in entries:
            if entry.operation == ENDED:
                self._end(entry.run)
                continue
            if entry.operation.startswith(TIED):
                self._tied.setdefault(entry.run, {})[entry.ref] = OfUnit.read(entry.reason).unit
                continue
            if entry.operation.startswith((GOING, LEFT, WHOLE)):
                self._write(entry)
                continue
            if entry.operation == COUNTED:
                continue
            if entry.operation.startswith(BEGUN):
                self._begun.setdefault(entry.ref, {})[entry.run] = Erased(entry.operation.removeprefix(BEGUN), entry.reason)
                continue
            self.tables.add(entry.row_table)
            self.has_trims = self.has_trims or entry.operation == "trim"
            before = self._known.get(entry.ref)
            if before is None or before.operation != "delete" or entry.operation == "delete":
                erased = Erased(entry.operation, entry.reason)
                self._known[entry.ref] = shared.setdefault(erased, erased)

    def _write(self, entry: Erasure) -> None:
        word, _, operation = entry.operation.partition("-")
        of = OfUnit.read(entry.reason)
        written = Written(operation, entry.run, entry.row_table, of.unit, of.reason, entry.at)
        self.tables_written.add(entry.row_table)
        if word + "-" == LEFT:
            self._left[entry.ref] = written
            self._units_left.setdefault(entry.run, set()).add(of.unit)
        elif word + "-" == WHOLE:
            if entry.run not in self._ended:
                self._whole.setdefault(entry.run, {})[entry.ref] = written
        elif entry.run in self._ended:
            self._take_over(entry.ref, written)
        else:
            self._going.setdefault(entry.run, {})[entry.ref] = written

    def _end(self, run: str) -> None:
        self._ended.add(run)
        self._whole.pop(run, None)
        for ref, written in self._going.pop(run, {}).items():
            self._take_over(ref, written)

    def _take_over(self, ref: str, written: Written) -> None:
        """Leave to a later run what an earlier left half done: it is done, or left by the later one."""
        if (left := self._left.get(ref)) is not None and left.run != written.run:
            del self._left[ref]
        self._rest.pop(ref, None)
        if written.unit and written.unit in self._units_left.get(written.run, ()):
            self._rest[ref] = written

    def __len__(self) -> int:
        return len(self._known)

    def written(self, references: Collection[str]) -> Written | None:
        """Return what was done, or perhaps done, to the row with any of these references. Other places may
        hold residual data of it: the run that did so never finished, or left its unit half done. What is
        known to be deleted, by any run, is included."""
        for reference in references:
            found = [going[reference] for going in self._going.values() if reference in going]
            found += [left] if (left := self._left.get(reference)) is not None else []
            if found:
                return found[-1]
        erased = self.find(references)
        return Written("delete") if erased is not None and erased.operation == "delete" else None

    @property
    def has_wholes(self) -> bool:
        """Whether units of several rows were announced by runs that never ended, or left half done."""
        return any(self._whole.values())

    def announced(self, references: Collection[str]) -> tuple[str, Written | None]:
        """Return the reference by which the row with any of these references was announced, and what was to
        happen to it. That is what a run that never finished was about to do to it, or has left half done, or
        has left in place of such a unit; empty and None if there is nothing of it."""
        for reference in references:
            for known in (*self._going.values(), self._left, self._rest):
                if (found := known.get(reference)) is not None and found.unit:
                    return reference, found
        return "", None

    def whole(self, references: Collection[str]) -> Written | None:
        """Return the unit whose own row had the version with any of these references when it was judged."""
        return next((known[ref] for ref in references for known in self._whole.values() if ref in known), None)

    def is_stranger(self, references: Collection[str]) -> bool:
        """Return whether the row with any of these references has come to what is left of a unit since: it
        neither was announced with one that is half done, nor was to lose its link to one."""
        return self.is_new(references) and not any(self._is_tied(run, ref) for ref in references for run in self._tied)

    def _is_tied(self, run: str, ref: str) -> bool:
        unit = self._tied[run].get(ref)
        return unit is not None and (run not in self._ended or unit in self._units_left.get(run, ()))

    def units(self, tables: Collection[str]) -> dict[str, set[str]]:
        """Return the references of all rows of these tables that were announced, or are deleted, by their
        unit's reference."""
        found: dict[str, set[str]] = {}
        for known in (*self._going.values(), self._left):
            for ref, written in known.items():
                if written.table in tables and written.unit:
                    found.setdefault(written.unit, set()).add(ref)
        return found

    def find(self, references: Collection[str]) -> Erased | None:
        """Return what became of the row with any of these references, None if it was never erased."""
        for reference in references:
            found = self._known.get(reference)
            if found is not None:
                return found
        return None

    def is_new(self, references: Collection[str]) -> bool:
        """Return whether the row with any of these references was never erased nor about to be, if only with
        a unit that is half done."""
        return self.find(references) is None and self.written(references) is None and self.announced(references)[1] is None

    def begun(self, references: Collection[str], *, but_by: str = "") -> Erased | None:
        """Return what an unfinished run, other than `but_by`, was about to do to the contact with any of
        these references."""
        for reference in references:
            for run, begun in self._begun.get(reference, {}).items():
                if run != but_by and run not in self._ended:
                    return begun
        return None

    def was_emptied(self, references: Collection[str]) -> bool:
        """Return whether a run has emptied the contact with any of these references, or was about to."""
        return any(begun.operation == TRIM for reference in references for begun in self._begun.get(reference, {}).values())


def begin(context: JobContext, run: str, contacts: Iterable[tuple[str, str, str]]) -> bool:
    """Note which contacts, as (id, disposition, reason), a run removes or trims at its end, before it does
    anything else, and return whether nothing of its plan has gone. Once their dossiers are deleted, only this
    distinguishes them from contacts that were never linked to anything, should the database be lost, or be
    put back to the moment before the first went."""
    table, at = context.connector.table(Contact), instant(context.clock(), "seconds")
    entries = [
        Erasure(context.reference(table, contact), BEGUN + disposition, table, run, at, reason) for contact, disposition, reason in contacts
    ]
    if not entries or _note(context, entries):
        return True
    return not any(entry.run == run and not entry.operation.startswith(BEGUN) for entry in context.store.erasures.all())


def end(context: JobContext, run: str) -> None:
    """Note that a run has come to its end: the database knows what became of all that it had begun."""
    _note(context, [Erasure(context.reference("run", run), ENDED, "", run, instant(context.clock(), "seconds"), "")])


def note_counting(context: JobContext, run: str, versions: Iterable[tuple[str, str]]) -> None:
    """Note from which versions, as (id, version), a run lets totals of the statistics grow, before it does
    (ERA-16)."""
    table, at = context.connector.table(Statistic), instant(context.clock(), "seconds")
    _note(context, [Erasure(_counted(context, *version), COUNTED, table, run, at, "") for version in versions])


def has_counted(context: JobContext, run: str, versions: Iterable[tuple[str, str]]) -> bool:
    """Return whether a run has increased totals, of which these are the versions now. It has noted that it
    would, and they have changed since. The file beside the database is asked too: it still knows if the
    database was put back to the moment before."""
    entries = chain(context.store.erasures.all(), context.erased.read())
    noted = {entry.ref for entry in entries if entry.run == run and entry.operation == COUNTED}
    return bool(noted) and noted.isdisjoint(_counted(context, *version) for version in versions)


def _counted(context: JobContext, row: str, version: str) -> str:
    return context.reference(context.connector.table(Statistic), version_of(row, version))


def announce(context: JobContext, run: str, actions: Sequence[Action]) -> list[Erasure]:
    """Note which rows are about to be deleted or masked, directly or with others, and return the entries for
    the database. They are noted in the journal outside the database first. Only this records deleted rows,
    should the database be lost before their outcome is noted: what other places hold of them could not be
    distinguished from what other people's rows have left there (ERA-12)."""
    entries = list(_rows_of(context, run, GOING, [(action.key, action.reason, _writes(context, action)) for action in actions]))
    entries += _wholes(context, run, actions)
    entries += _ties(context, run, actions)
    if entries:
        context.erased.append(entries)
    return entries


def _wholes(context: JobContext, run: str, actions: Iterable[Action]) -> Iterator[Erasure]:
    """Yield the version of the own row of each unit that may be left half done. The rest of such a unit is
    finished only as it was judged."""
    at = instant(context.clock(), "seconds")
    for action in actions:
        own = action.rows[-1] if len(action.rows) > 1 else None
        if own is not None and own.operation in WRITTEN_OFF and own.etag:
            ref = context.reference(action.table, version_of(own.id, own.etag))
            of = OfUnit(context.reference(*action.key), action.reason)
            yield Erasure(ref, WHOLE + own.operation, action.table, run, at, of.text)


def _ties(context: JobContext, run: str, actions: Iterable[Action]) -> Iterator[Erasure]:
    """Yield the rows that stay where such a unit goes: a recording with a term of its own, a role elsewhere
    too. Without them nobody could tell these from what comes to the rest of it later."""
    at = instant(context.clock(), "seconds")
    for action in actions:
        if len(action.rows) > 1 and action.rows[-1].operation in WRITTEN_OFF:
            of = OfUnit(context.reference(*action.key), action.reason).text
            tied = [(write.operation, *write.key(context.connector)) for write in action.rows if write.operation not in WRITTEN_OFF]
            yield from (Erasure(context.reference(table, row), TIED + what, table, run, at, of) for what, table, row in tied)


def announce_rows(context: JobContext, run: str, rows: Mapping[tuple[str, str], Iterable[tuple[str, str]]]) -> None:
    """Note the same of rows, as (table, id) by unit, that are not a unit's own. They are about to be deleted
    from another place: posts, jobs."""
    _note(context, list(_rows_of(context, run, GOING, [(unit, "", [("delete", *row) for row in each]) for unit, each in rows.items()])))


def leave(context: JobContext, run: str, actions: Sequence[Action], there: Mapping[tuple[str, str], Collection[tuple[str, str]]]) -> None:
    """Note which rows are deleted of units left half done; `there` are those that are not, by unit."""
    gone = [
        (action.key, action.reason, [row for row in _writes(context, action) if row[1:] not in there.get(action.key, ())])
        for action in actions
    ]
    rows = list(_rows_of(context, run, LEFT, gone))
    _note(context, [*rows, *_wholes(context, "", actions)] if rows else [])


def deleted_by_then(context: JobContext, run: str, action: Action) -> tuple[RowKey, ...]:
    """Return which rows of a unit were deleted when the run ended that left it half done, as `leave` has
    noted: its counts have these."""
    rows = [write.key(context.connector) for write in action.rows if write.operation == "delete"]
    return tuple(row for row in rows if any(_has_left(context, ref, run) for ref in context.references(*row)))


def _has_left(context: JobContext, ref: str, run: str) -> bool:
    return context.store.erasures.has(Erasure(ref, LEFT + "delete", "", run, "", ""))


def erase_late(context: JobContext, rows: Mapping[tuple[str, str], Written]) -> None:
    """Note that rows, by (table, id), are deleted which an unfinished run was about to delete."""
    at = instant(context.clock(), "seconds")
    late = [(row, written) for row, written in rows.items() if written.run and context.connector.records(row[0])]
    _note(context, [Erasure(context.reference(*row), "delete", row[0], written.run, at, written.reason) for row, written in late])


def _writes(context: JobContext, action: Action) -> Iterator[tuple[str, str, str]]:
    for write in (*action.gone, *action.rows):
        if write.operation in WRITTEN_OFF:
            yield write.operation, *write.key(context.connector)
    yield from (("delete", *row) for row in action.along)


def _rows_of(
    context: JobContext, run: str, word: str, rows: Iterable[tuple[tuple[str, str], str, Iterable[tuple[str, str, str]]]]
) -> Iterator[Erasure]:
    at = instant(context.clock(), "seconds")
    for unit, reason, each in rows:
        of = OfUnit(context.reference(*unit), reason)
        yield from (Erasure(context.reference(table, row), word + what, table, run, at, of.text) for what, table, row in each)


def _note(context: JobContext, entries: Sequence[Erasure]) -> int:
    """Note entries, and return how many the database lacked."""
    if not entries:
        return 0
    context.erased.append(entries)
    return context.store.erasures.add(entries)


def is_behind(context: JobContext) -> bool:
    """Return whether the register of erasures beside the database knows of a run that the database does not
    know. After a run was killed the file may be a step ahead of it: the run itself continues from there."""
    last = context.erased.last()
    if last is None or context.store.erasures.has(last):
        return False
    return last.run not in {run.id for run in context.store.runs.unfinished()}


def refuse_if_behind(context: JobContext) -> None:
    """Raise StoreAltered, with code `store_behind`, where the database has to be recovered first."""
    if is_behind(context):
        raise StoreAltered(
            "the register of erasures knows more than the database, which was lost or put back to an older day",
            hint=hint_to("recover"),
            where="erasures.jsonl",
            code="store_behind",
        )


def register(context: JobContext, run: str, actions: Sequence[Action]) -> list[Erasure]:
    """Note what these units' rows were, in the journal outside the database first, and give the entries for
    the database."""
    entries = [
        Erasure(
            ref=context.reference(table, version_of(write.id, write.etag) if write.operation == "trim" else write.id),
            operation=write.operation,
            row_table=table,
            run=run,
            at=action.removed_at,
            reason=action.reason,
        )
        for action in actions
        for write in (*action.gone, *action.rows)
        if write.operation in REGISTERED
        for table, _ in [write.key(context.connector)]
    ]
    if entries:
        context.erased.append(entries)
    return entries


def version_of(row: str, etag: str) -> str:
    """Return how the register names a row in a version: before a trim, as only a restore brings back."""
    return f"{row}@{etag}"


def number_of_version(etag: str) -> int | None:
    """Return the number of a version, which grows with each write anywhere in the CRM; None where it has
    none. A row with a lower number than it once had is back from a backup."""
    number = etag.removeprefix("W/").strip('"')
    return int(number) if number.isdecimal() and number.isascii() else None


def load_register(context: JobContext) -> Register:
    """Return the union of database and journal. Raises StoreAltered: one of the two is not what it was when
    it was last written: what somebody slipped in would be deleted from the CRM."""
    context.store.erasures.check(whole=True)
    return Register(_both(context))


def _both(context: JobContext) -> Iterator[Erasure]:
    yield from context.store.erasures.all()
    yield from context.erased.read()


def reconcile(context: JobContext) -> tuple[int, int]:
    """Add to database and journal what only the other has, and return how many entries each got. Only the one
    runner may do so."""
    added = context.store.erasures.add(context.erased.read())
    known = {(entry.ref, entry.operation, entry.run) for entry in context.erased.read()}
    lacking = [entry for entry in context.store.erasures.all() if (entry.ref, entry.operation, entry.run) not in known]
    for chunk in _chunks(lacking):
        context.erased.append(chunk, restoring=True)
    return added, len(lacking)


def _chunks(entries: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(entries)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
