"""Units in quarantine, by the table and by the ledger."""

from collections.abc import Iterator, Mapping, Sequence

from jobs.checks.drift.references import Believed, Difference
from jobs.ledger.entries import LedgerEntry
from jobs.ledger.heads import QUARANTINE
from jobs.ports.store.store import Store


def about_marks(store: Store, believed: Believed) -> Iterator[Difference]:
    """Yield units whose days in quarantine differ from the ledger. A unit that the table has lost is marked
    again, which keeps it longer."""
    marks = store.quarantine.marks()
    if not marks:
        return
    last: dict[object, tuple[LedgerEntry, object, bool]] = {}
    for entry in store.ledger.strand(QUARANTINE):
        if entry.kind == "quarantine_undone":
            last[entry.data.get("unit")] = (entry, entry.data.get("until"), True)
            continue
        for unit in _list_of_units(entry):
            if entry.kind == "quarantined":
                last[unit.get("ref")] = (entry, unit.get("until"), False)
            else:
                last.pop(unit.get("ref"), None)
    for mark in marks:
        known = next((last[ref] for ref in believed.references(mark.table, mark.id) if ref in last), None)
        if known is None:
            yield Difference(f"quarantine of {mark.table} {mark.id}", "is in no entry of the ledger")
        elif known[1:] != (mark.until.isoformat(), mark.undone):
            yield Difference(f"quarantine of {mark.table} {mark.id}", f"ends on {mark.until.isoformat()}, by the ledger on {known[1]}")


def _list_of_units(entry: LedgerEntry) -> Sequence[Mapping[str, object]]:
    units = entry.data.get("units")
    return [unit for unit in units if isinstance(unit, dict)] if isinstance(units, list) else []
