"""Finds the rows of the CRM that had been erased and are back, by keyed references alone, and what has to be
deleted again with what (ERA-13)."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from connectors.interface.connector import Connector
from jobs.erasures.register import Erased, Register, version_of
from jobs.model.run import TRIM
from jobs.ports.context import JobContext
from jobs.reading.long_term import retained_rows_of
from rules.model.kinds import Kind
from rules.model.records import KINDS, Record

EMPTIED: Final = "emptied"


class Returned(msgspec.Struct, frozen=True, gc=False):
    """One row that must be erased again: its kind, table, id and version; what had been done to it (delete,
    mask or trim), and why."""

    kind: str
    table: str
    id: str
    etag: str
    operation: str
    reason: str


def returned_rows(context: JobContext, register: Register, *, also_begun: bool = False, also_emptied: bool = False) -> list[Returned]:
    """Return the rows that have to be written again, by kind and id; those that are deleted with another one
    of them are left out. With `also_begun` also the contacts that a run was about to remove or trim which
    never came to its end. With `also_emptied` also contacts that had been trimmed and are in another version,
    whose roles of then are back: `emptied`. Nobody can tell whether what stands in them is from before.

    Every row of every table is read, those in long-term retention too, in a small projection, and its
    references under all living keys are looked up. A masked row is back where its mark of anonymisation is
    missing, a role that was nobody's where it is somebody's again; a trimmed contact where it has the very
    version that was emptied."""
    kinds = context.connector.all_kinds
    found: dict[str, dict[str, tuple[Record, Returned]]] = {kind: {} for kind in kinds.links}
    for kind, row, again in _matches(context, register, also_begun, also_emptied):
        found[kind][row.id] = (row, again)
    roles = {getattr(row, "contact", None) for row, _ in found.get("party", {}).values()}
    found["contact"] = {one: each for one, each in found["contact"].items() if each[1].operation != EMPTIED or one in roles}
    gone = {kind: {row for row, (_, again) in rows.items() if again.operation not in (TRIM, EMPTIED)} for kind, rows in found.items()}
    in_order = ((kind, row, again) for kind, rows in found.items() for _, (row, again) in sorted(rows.items()))
    return [again for kind, row, again in in_order if not _goes_with_another(kinds[kind], row, gone)]


def _matches(context: JobContext, register: Register, also_begun: bool, also_emptied: bool) -> Iterator[tuple[str, Record, Returned]]:
    connector, references = context.connector, context.references
    for kind, fields in connector.all_kinds.links.items():
        record, emptied = KINDS[kind], connector.all_kinds[kind].emptied
        looks_for_begun = also_begun and kind == "contact"
        tables = connector.tables(record) if connector.has(record) else ()
        if not tables or (register.tables.isdisjoint(tables) and not looks_for_begun):
            continue
        done = 0
        has_versions = kind == "contact" and register.has_trims
        asked = connector.all_kinds[kind].full if emptied else record
        for page in _pages(connector, asked, (*fields, *emptied)):
            context.progress(f"looking for erased rows of {' and '.join(tables)}", done)
            done += len(page)
            table = connector.table(type(page[0])) if page else ""
            for row in page:
                erased = register.find(references(table, row.id))
                if erased is not None and _is_as_erased(row, erased.operation, emptied):
                    erased = None
                if erased is None and has_versions:
                    erased = register.find(references(table, version_of(row.id, row.etag)))
                if erased is None and looks_for_begun:
                    erased = register.begun(references(table, row.id))
                if erased is None and has_versions and also_emptied and register.was_emptied(references(table, row.id)):
                    erased = Erased(EMPTIED, "")
                if erased is not None:
                    yield kind, row, Returned(kind, table, row.id, row.etag, erased.operation, erased.reason)


def _is_as_erased(row: Record, operation: str, emptied: Collection[str]) -> bool:
    """Return whether a row is in the CRM as its erasure left it, so that nothing of it is back."""
    match operation:
        case "mask":
            return getattr(row, "anonymised_on", None) is not None
        case "disown":
            return getattr(row, "contact", None) is None
        case "empty":
            return all(getattr(row, name) is None for name in emptied)
        case _:
            return False


def _pages(connector: Connector, record: type[Record], fields: tuple[str, ...]) -> Iterator[list[Record]]:
    """Yield all rows, each page of one table. One that is live is that live row, whatever lies in long-term
    retention under its id."""
    there = {row.id: row for row in retained_rows_of(connector, record, fields, None)} if connector.retaining((record,)) else {}
    for page in connector.read(record, fields):
        for row in page if there else ():
            there.pop(row.id, None)
        yield page
    for of in {type(row) for row in there.values()}:
        yield [row for row in there.values() if type(row) is of]


def _goes_with_another(kind: Kind, row: Record, gone: Mapping[str, set[str]]) -> bool:
    """Return whether a row depends on another one that goes, so that it goes with it; one that also belongs
    to what stays does not."""
    if kind.term:
        return False  # it went by itself
    owners = [owner in gone.get(name, ()) for name, owner in kind.owners(row)]
    if kind.own is not None:
        return bool(owners) and all(owners)
    if kind.depends or kind.word == "fiche":
        return any(owners)
    if kind.word == "party":
        owners = [owner in gone[name] for name, owner in kind.owners(row) if name != "contact"]
        return bool(owners) and all(owners)
    return False
