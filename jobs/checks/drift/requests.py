"""Subject requests, by the register and by the ledger."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobs.checks.drift.references import CLOSE_BY, Difference, at
from jobs.ledger.entries import LedgerEntry
from jobs.ledger.heads import REQUESTS
from jobs.model.request import KEEP, PRESERVED, SubjectRequest
from jobs.ports.store.store import Store
from rules.dates.calendar import Calendar
from rules.model.requests import Step


class _Register(NamedTuple):
    """Requests by the ledger, each with its entry. `kept` are the last entries that say which part is kept,
    `expired` the requests of which that part is gone, `totalled` how many stand in totals alone by now."""

    opened: dict[str, LedgerEntry]
    closed: dict[str, LedgerEntry]
    kept: dict[str, LedgerEntry]
    expired: set[str]
    totalled: int


def about_requests(store: Store, calendar: Calendar) -> Iterator[Difference]:
    """Yield requests in which the register differs from the ledger. These are requests pending by the ledger
    alone, which keep what may be about the person (HLD-08), and closed ones that lack what they continue to
    keep, or have another part in its place (R-073)."""
    opened, closed, kept, expired, totalled = _by_ledger(store)
    register = {request.id: request for request in store.requests.all()}
    keeping = (closed.keys() & kept.keys()) - expired
    keeping = {id for id in keeping if closed[id].data.get("keeps") is True or "kept" in kept[id].data}
    digests = store.requests.part_digests(keeping, PRESERVED)
    missing = 0
    for id, entry in opened.items():
        request = register.get(id)
        if request is None:
            missing += 1
            if id not in closed or missing > totalled:
                yield Difference(f"request {id}", "is in the ledger, and not in the register")
            continue
        told = _about_request(request, entry, closed.get(id), calendar)
        if not told and id in keeping:
            told = _about_part(closed[id], kept[id], digests.get(id))
        if told:
            yield Difference(f"request {id}", told)
    for id in sorted(register.keys() - opened.keys()):
        yield Difference(f"request {id}", "is in no entry of the ledger", is_grave=False)


def _by_ledger(store: Store) -> _Register:
    opened: dict[str, LedgerEntry] = {}
    closed: dict[str, LedgerEntry] = {}
    kept: dict[str, LedgerEntry] = {}
    expired: set[str] = set()
    totalled = 0
    for entry in store.ledger.strand(REQUESTS):
        request, step = str(entry.data.get("request")), entry.data.get("step")
        if entry.kind == "requests_totalled":
            number = entry.data.get("requests")
            totalled += number if isinstance(number, int) else 0
        elif step == "open":
            opened[request] = entry
        elif step in (Step.CLOSE.value, KEEP):
            kept[request] = entry
            if step == Step.CLOSE.value:
                closed[request] = entry
        elif step == "expire" and PRESERVED in _list_of_parts(entry):
            expired.add(request)
    return _Register(opened, closed, kept, expired, totalled)


def _about_part(closed: LedgerEntry, kept: LedgerEntry, found: str | None) -> str:
    if found is None:
        return "keeps something by the ledger, and the part that says what is gone" if closed.data.get("keeps") is True else ""
    return "" if kept.data.get("kept", found) == found else "keeps something else by the ledger: another part was put in its place"


def _about_request(request: SubjectRequest, opened: LedgerEntry, closed: LedgerEntry | None, calendar: Calendar) -> str:
    if request.right.value != opened.data.get("right"):
        return "is for another right than at its receipt"
    if request.closed_at is None:
        return ""  # it keeps what it keeps
    if closed is None:
        return "is pending by the ledger, and closed by the register"
    is_same_day = calendar.day(request.closed_at) >= calendar.day(at(closed) - CLOSE_BY)
    return "" if is_same_day else "was closed on another day by the ledger"


def _list_of_parts(entry: LedgerEntry) -> Sequence[object]:
    parts = entry.data.get("parts")
    return parts if isinstance(parts, list) else []
