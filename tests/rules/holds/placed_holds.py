"""Holds as people place them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from rules.holds.placements import HoldType, PlacedHold

DAY = date(2026, 11, 25)


def a_hold(**facts: Any) -> PlacedHold:
    usual: dict[str, Any] = {
        "id": "hold-1",
        "type": HoldType.LEGAL,
        "kind": "dossier",
        "table": "cf_dossier",
        "row": "dossier",
        "reason_code": "LIT-1",
        "basis": "claim before the court",
        "placed_by": "dora",
        "placed_at": datetime(2026, 11, 1, 12, tzinfo=UTC),
        "review_on": DAY + timedelta(days=90),
    }
    return PlacedHold(**(usual | facts))
