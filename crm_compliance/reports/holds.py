"""The documents of holds: those that people have placed, the hold flags of the CRM, and what pending requests
keep. A document is made of what is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from jobs.model.plan import LOOKING_AT_DOSSIERS, Plan
from rules.dates.instants import instant
from rules.dates.periods import iso
from rules.decoders import decoder_of
from rules.holds.of_requests import REASON_OF_RIGHT
from rules.holds.placements import PlacedHold

if TYPE_CHECKING:
    from jobs.model.request import SubjectRequest
    from jobs.ports.store.store import Store

EMPTY = dict.fromkeys(("placed_by", "released_by", "released_at", "notified_on", "looked_up_at"))


@dataclass(frozen=True, slots=True)
class HeldRows:
    """Rows that something else than a placed hold keeps: each with its table, its id, and what makes its
    document."""

    rows: Sequence[tuple[str, str, Any]]
    document: Callable[[str, str, Any], dict[str, object]]

    def __len__(self) -> int:
        return len(self.rows)

    def filtered(self, table: str = "", text: str = "") -> HeldRows:
        """Return those of a table, and whose id has a text in it; empty asks for any."""
        wanted = text.strip().lower()
        rows = [each for each in self.rows if (not table or each[0] == table) and wanted in each[1]]
        return HeldRows(rows, self.document)

    def documents(self, offset: int = 0, limit: int | None = None) -> list[dict[str, object]]:
        return [self.document(*each) for each in self.rows[offset : None if limit is None else offset + limit]]


def hold_document(hold: PlacedHold, day: date) -> dict[str, object]:
    """Return what the `holds` commands answer for one hold, as it is on a day. Texts that people
    wrote stay in the store."""
    return {
        "hold": hold.id,
        "type": hold.type.value,
        "table": hold.table,
        "id": hold.row or None,
        "state": hold.state(day).value,
        "ends_on": iso(hold.ends_on),
        "review_on": hold.review_on.isoformat(),
        "review_overdue": hold.is_overdue(day),
        "person": hold.everything,
        "where": [f"{condition.field}={value}" for condition in hold.conditions for value in condition.values],
        "reason": hold.told_reason,
        "placed_by": hold.placed_by,
        "placed_at": instant(hold.placed_at),
        "released_by": hold.released_by or None,
        "released_at": instant(hold.released_at),
        "notified_on": iso(hold.notified_on),
        "source": "placed",
        "seen_in_crm": not hold.is_unseen,
        "looked_up_at": instant(hold.looked_up_at),
    }


def held_by_flags(plans: Iterable[Plan], crm: str | None) -> HeldRows:
    """Return the CRM's hold flags as the last plan saw them; plans come newest first (HLD-14)."""
    last = next((plan for plan in plans if plan.kind in LOOKING_AT_DOSSIERS and plan.crm == crm), None)
    return HeldRows([(table, row, None) for table, row in (last.crm_holds if last is not None else ())], _flag)


def held_by_requests(store: Store, tables: Mapping[str, str]) -> HeldRows:
    """Return what pending subject requests hold, for the DPO alone: one entry for each request and row, with
    the request's id as the hold (HLD-08). A closed request no longer leads to any row, although it still
    holds for a while (ACC-08). `tables` names the table of each kind."""
    from jobs.model.request import PRESERVED, Preserved

    pending = [each for each in store.requests.all(unclosed=True) if not each.is_closed and each.right in REASON_OF_RIGHT]
    parts = store.requests.some_parts([each.id for each in pending], PRESERVED)
    rows: list[tuple[str, str, tuple[SubjectRequest, bool]]] = []
    for request in pending:
        if request.id in parts:
            preserved = decoder_of(Preserved).decode(parts[request.id])
            rows += [(tables.get("contact", "contact"), row, (request, True)) for row in preserved.contacts]
            rows += [(tables.get(kind, kind), row, (request, kind == "contact")) for kind, row in preserved.rows]
    return HeldRows(rows, _of_request)


def _flag(table: str, row: str, _: None) -> dict[str, object]:
    dates = {"state": "active", "ends_on": None, "review_on": None, "review_overdue": False, "person": False}
    return {"hold": f"crm:{row}", "type": "legal", "table": table, "id": row, **dates, "where": [], "reason": None, **EMPTY} | {
        "placed_at": None,
        "source": "crm",
        "seen_in_crm": True,
    }


def _of_request(table: str, row: str, held: tuple[SubjectRequest, bool]) -> dict[str, object]:
    request, is_person = held
    return (
        {"hold": request.id, "type": "request", "table": table, "id": row, "state": "active", "ends_on": None, "review_on": None}
        | {"review_overdue": False, "person": is_person, "where": [], "reason": REASON_OF_RIGHT[request.right].value, **EMPTY}
        | {"placed_at": instant(request.received_at), "source": "request", "seen_in_crm": True}
    )
