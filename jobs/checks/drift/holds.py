"""Holds, by the table and by the ledger."""

from collections.abc import Iterator
from datetime import date

from jobs.checks.drift.references import Believed, Difference, Reference, sha256
from jobs.ledger.entries import LedgerEntry
from jobs.ledger.heads import HOLDS
from jobs.ports.store.store import Store
from rules.holds.placements import PlacedHold


def hold_entry(hold: PlacedHold, reference: Reference) -> dict[str, object]:
    """Return what the ledger keeps of a hold: a keyed reference, codes and dates; no name, no basis."""
    return {
        "hold": hold.id,
        "ref": reference(hold.table, hold.row) if hold.row else None,
        "basis": reference("basis", sha256(hold.basis)),
        "obtained_by": [reference("contact", contact) for contact in hold.obtained_by],
        **({"obtained_for": [reference("contact", contact) for contact in hold.obtained_for]} if hold.obtained_for else {}),
        **({"unseen": True} if hold.is_unseen else {}),
    } | _plain_facts(hold)


def about_holds(store: Store, believed: Believed, day: date) -> Iterator[Difference]:
    """Yield holds that are in force by the ledger and missing or different in the table. Then come those that
    the ledger does not know."""
    placed: dict[str, LedgerEntry] = {}
    released: set[str] = set()
    unseen: dict[str, bool] = {}
    for entry in store.ledger.strand(HOLDS):
        id = str(entry.data.get("hold"))
        if entry.kind == "hold_looked_up":
            unseen[id] = entry.data.get("found") is not True
        elif entry.kind in ("hold_placed", "hold_restated"):
            placed[id], unseen[id] = entry, entry.data.get("unseen") is True
        else:
            released.add(id)
    table = {hold.id: hold for hold in store.holds.all(unreleased=True)}
    for id, entry in placed.items():
        if id in released:
            continue
        hold = table.get(id)
        if hold is None:
            ends_on = entry.data.get("ends_on")
            if not isinstance(ends_on, str) or ends_on >= day.isoformat():
                yield Difference(f"hold {id}", "is in force by the ledger, and not by the table of holds")
        elif told := _about_hold(hold, entry, believed):
            yield Difference(f"hold {id}", f"is not as it was placed: {told}")
        elif unseen[id] is not hold.is_unseen:
            yield Difference(f"hold {id}", "its row was seen in the CRM by one of ledger and table alone", is_grave=False)
    for id in sorted(table.keys() - (placed.keys() - released)):
        what = "was released by the ledger, and not by the table of holds" if id in released else "is in no entry of the ledger"
        yield Difference(f"hold {id}", what, is_grave=False)


def _about_hold(hold: PlacedHold, entry: LedgerEntry, believed: Believed) -> str:
    data = entry.data
    for name, value in _plain_facts(hold).items():
        if data.get(name) != value:
            return name
    if hold.released_at is not None:
        return "released"
    if (data.get("ref") is None) != (not hold.row) or (hold.row and not believed.is_of(entry, data.get("ref"), hold.table, hold.row)):
        return "row"
    if "basis" in data and not believed.is_of(entry, data["basis"], "basis", sha256(hold.basis)):
        return "basis"
    for name, contacts in (("obtained_by", hold.obtained_by), ("obtained_for", hold.obtained_for)):
        refs = data.get(name, [])
        if not isinstance(refs, list) or len(refs) != len(contacts):
            return name
        if not all(believed.is_of(entry, ref, "contact", one) for ref, one in zip(refs, contacts, strict=True)):
            return name
    return "" if "by" not in data or believed.is_of(entry, data["by"], "person", hold.placed_by) else "placed_by"


def _plain_facts(hold: PlacedHold) -> dict[str, object]:
    return {
        "type": hold.type.value,
        "table": hold.table,
        "everything": hold.everything,
        "conditions": [f"{condition.field}={'|'.join(condition.values)}" for condition in hold.conditions],
        "reason": hold.reason_code,
        "ends_on": None if hold.ends_on is None else hold.ends_on.isoformat(),
        "review_on": hold.review_on.isoformat(),
    }
