"""What subject requests keep from disposal, from the moment of receipt on: all that may be about the person,
confirmed or not. Source: HLD-08, R-072, R-073."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec

from jobs.model.request import GIVEN, KEEP, PRESERVED, Given, Preserved, SubjectRequest
from jobs.ports.context import JobContext
from rules.decoders import decoder_of
from rules.errors import Refused
from rules.holds.of_requests import REASON_OF_RIGHT, RequestHold

ATTEMPTS = 5  # at a row that somebody else moves meanwhile


class LookedUp:
    """Which pending requests were looked up in the CRM, and for how long that is good; for good where nothing
    is said."""

    def __init__(self, lasts: timedelta | None = None) -> None:
        self._lasts = lasts
        self._at: dict[str, datetime] = {}

    def add(self, requests: Iterable[str], at: datetime) -> None:
        self._at.update(dict.fromkeys(requests, at))

    def has(self, request: str, now: datetime) -> bool:
        at = self._at.get(request)
        return at is not None and (self._lasts is None or abs(now - at) < self._lasts)


class StoredRequests:
    """The register of requests, as holds query it.

    What a pending request keeps is looked up in the CRM when it is first needed, so at the start of every
    plan and of every run: people who were not found then, or could not be, are found now. A lookup that fails
    stops the caller. A request that was closed keeps what it kept. Those who share what was `looked_up` look
    once."""

    def __init__(self, context: JobContext, looked_up: LookedUp | None = None) -> None:
        self._context = context
        self._looked_up = LookedUp() if looked_up is None else looked_up

    def preserving(self, closed_since: date) -> Sequence[RequestHold]:
        """Return the requests that are pending, and those that were closed on this day or later.
        Raises ConnectorError: what a pending request keeps could not be looked up; Refused: with code
        `not_frozen`, where it can no longer be determined what a pending request keeps."""
        return tuple(self._holds(closed_since))

    def _holds(self, closed_since: date) -> Iterator[RequestHold]:
        requests = [request for request in self._context.store.requests.all() if request.right in REASON_OF_RIGHT]
        days = {request.id: self._context.day(request.closed_at) for request in requests if request.closed_at is not None}
        requests = [request for request in requests if request.id not in days or days[request.id] >= closed_since]
        kept = _all_preserved(self._context, requests)
        pending = [request for request in requests if request.id not in days]
        now = self._context.clock()
        if unknown := [one for one in pending if one.id not in kept or not self._looked_up.has(one.id, now)]:
            self._looked_up.add(preserve_all(self._context, unknown), now)
            kept = _all_preserved(self._context, requests)
        for request in requests:
            preserved = kept.get(request.id)
            if preserved is not None:
                yield RequestHold(
                    request=request.id,
                    right=request.right.value,
                    contacts=preserved.contacts,
                    rows=preserved.rows,
                    closed_on=days.get(request.id),
                    received_at=request.received_at,
                )


def preserved_of(context: JobContext, request_id: str) -> Preserved | None:
    """Return what a request keeps as it was last looked up; None where it never was, or has expired."""
    part = context.store.requests.part(request_id, PRESERVED)
    return None if part is None else decoder_of(Preserved).decode(part)


def _all_preserved(context: JobContext, requests: Iterable[SubjectRequest]) -> dict[str, Preserved]:
    """Return what each of these keeps, by request, as `preserved_of` does: every group of a run asks."""
    parts = context.store.requests.some_parts({request.id for request in requests}, PRESERVED)
    return {request: decoder_of(Preserved).decode(part) for request, part in parts.items()}


def preserve(context: JobContext, request: SubjectRequest) -> Preserved:
    """Look up what one pending request keeps, and store it; see `preserve_all`."""
    return preserve_all(context, [request])[request.id]


def preserve_all(context: JobContext, requests: Sequence[SubjectRequest]) -> dict[str, Preserved]:
    """Look up what pending requests keep, in one reading of the CRM, and store it. What they kept before
    stays (HLD-08).

    Raises:
        ConnectorError: the CRM could not be read in full; nothing is stored.
        Refused: with code `not_frozen`, where what a person said of themselves is gone, and so is what
            was kept."""
    if not requests:
        return {}
    from jobs.requests.search.match import find_all_candidates  # what compares people takes longer to load than most plans to open

    before = _all_preserved(context, requests)
    parts = context.store.requests.some_parts({request.id for request in requests}, GIVEN)
    for request in requests:
        if request.id not in parts and request.id not in before:
            raise _not_preserved(request)
    given = {request: decoder_of(Given).decode(part) for request, part in parts.items()}
    found = find_all_candidates(context, given)
    kept = dict(before)
    for request in requests:
        if request.id not in found:
            continue
        old = before.get(request.id)
        new = Preserved.of(found[request.id], context.clock(), old)
        if old is None or (old.contacts, old.rows) != (new.contacts, new.rows):
            _store(context, request, new)
            kept[request.id] = new
    return kept


def _not_preserved(request: SubjectRequest) -> Refused:
    return Refused(
        "nobody can tell what a pending request keeps: its sealed part is gone",
        hint="restore the data folder, or close the request",
        where=request.id,
        code="not_frozen",
    )


def _store(context: JobContext, request: SubjectRequest, preserved: Preserved) -> None:
    """Store what a request keeps beside its row, even if the row makes a transition meanwhile. One that is
    closed by then keeps it too, for all was there at the receipt."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            is_closed = request.closed_at is not None
            entries = [("request", {"request": request.id, "step": KEEP})] if is_closed else []
            parts = {PRESERVED: msgspec.json.encode(preserved)}
            context.store.requests.save(request, entries, since=request, parts=parts, told=PRESERVED if is_closed else "")
            return
        except Refused as error:
            if error.code != "changed" or attempt == ATTEMPTS:
                raise
            request = context.store.requests.get(request.id)
