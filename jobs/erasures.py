"""The register of what was erased, in keyed references: after a restore of the CRM it tells what has to go again (ERA-13)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import msgspec

from jobs.ports import JobContext
from jobs.runs import Action, Erasure
from rules.records import KINDS

REGISTERED = ("delete", "mask", "trim", "disown")  # an emptied link erases nobody
CHUNK = 1_000

T = TypeVar("T")


class Erased(msgspec.Struct, frozen=True, gc=False):
    """What became of one row: delete, mask or trim, and why."""

    operation: str
    reason: str


class Register:
    """All that database and journal know of erasures, by keyed reference. Where a row was masked and later deleted, the deletion counts."""

    def __init__(self, entries: Iterable[Erasure] = ()) -> None:
        self.tables: set[str] = set()
        self.has_trims = False
        self._known: dict[str, Erased] = {}
        shared: dict[Erased, Erased] = {}
        for entry in entries:
            self.tables.add(entry.row_table)
            self.has_trims = self.has_trims or entry.operation == "trim"
            before = self._known.get(entry.ref)
            if before is None or before.operation != "delete" or entry.operation == "delete":
                erased = Erased(entry.operation, entry.reason)
                self._known[entry.ref] = shared.setdefault(erased, erased)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, references: Collection[str]) -> Erased | None:
        """What became of the row with any of these references, None where it was never erased."""
        for reference in references:
            found = self._known.get(reference)
            if found is not None:
                return found
        return None


def register(context: JobContext, run: str, actions: Sequence[Action]) -> list[Erasure]:
    """Note what these units' rows were, in the journal outside the database first, and give the entries for the database."""
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
        for table in [context.connector.table(KINDS[write.kind])]
    ]
    if entries:
        context.erased.append(entries)
    return entries


def version_of(row: str, etag: str) -> str:
    """How the register names a row in one version: the one before a trim, which only a restore brings back."""
    return f"{row}@{etag}"


def load_register(context: JobContext) -> Register:
    """The union of database and journal.

    Raises:
        StoreAltered: one of the two is not what it was when it was last written: what somebody slipped in would go from the CRM.
    """
    context.store.check_erasures(whole=True)
    return Register(_both(context))


def _both(context: JobContext) -> Iterator[Erasure]:
    yield from context.store.erasures()
    yield from context.erased.read()


def reconcile(context: JobContext) -> tuple[int, int]:
    """Give database and journal what only the other has, and say how many entries each got. For the one runner alone."""
    added = context.store.add_erasures(context.erased.read())
    known = {(entry.ref, entry.operation) for entry in context.erased.read()}
    lacking = [entry for entry in context.store.erasures() if (entry.ref, entry.operation) not in known]
    for chunk in _chunks(lacking):
        context.erased.append(chunk)
    return added, len(lacking)


def _chunks(entries: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(entries)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
