"""What holds say of requests: a keyed reference, and never the id or the short number of one.

A hold is on a row, and many may see holds. A hold that named its request would show them, and anybody who
reads the database, that this row has to do with this request. For a neutral answer that must not be available
anywhere (SUS-07, ACC-08)."""

import re
from typing import Final

import msgspec

from jobs.checks.drift.holds import hold_entry
from jobs.checks.drift.references import Reference
from jobs.ports.store.store import Store
from rules.holds.placements import PlacedHold
from rules.model.references import NAMED, tidied
from rules.model.roles import SERVICE

_SIGNS: Final = 32  # of a keyed reference: a reason code has 64 signs at most


def request_code(reference: str) -> str:
    """Return how a hold names a request of which this is the keyed reference."""
    return f"REQUEST-{reference[:_SIGNS]}"


def without_requests(store: Store, reference: Reference, text: str) -> str:
    """Return a text in which each id and each short number of a request is replaced by its code. A number
    that is in no register leads to nobody, and is left out."""
    if not NAMED.search(text):
        return text
    numbers = {request.reference: request.id for request in store.requests.all()}

    def code(match: re.Match[str]) -> str:
        named = match[0] if match[0].startswith("request-") else numbers.get(tidied(match[0]), "")
        return request_code(reference("request", named)) if named else "REQUEST"

    return NAMED.sub(code, text)


def restate_holds(store: Store, reference: Reference) -> None:
    """Name requests by their codes also in holds that were placed before that was done, released ones
    included. The ledger keeps how they were placed, and that they say the same in other words from now on."""
    for hold in store.holds.all():
        said = {name: without_requests(store, reference, getattr(hold, name)) for name in ("reason_code", "basis", "release_reason")}
        restated = msgspec.structs.replace(hold, **said)
        if restated != hold:
            store.holds.restate(hold, restated, ("hold_restated", _entry(restated, reference)))


def _entry(hold: PlacedHold, reference: Reference) -> dict[str, object]:
    return hold_entry(hold, reference) | {"role": SERVICE, "by": reference("person", hold.placed_by)}
