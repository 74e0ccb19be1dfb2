"""What subject requests keep from disposal, from the moment of receipt on: all that may be about the person, confirmed or not.

Source: HLD-08, R-072, R-073.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from jobs.matching import find_candidates
from jobs.ports import JobContext
from jobs.subject_requests import FROZEN, GIVEN, Frozen, Given, SubjectRequest
from rules.errors import Refused
from rules.periods import brussels_date
from rules.request_holds import REASON_OF_RIGHT, RequestHold

ATTEMPTS = 5  # at a row that somebody else moves meanwhile


class StoredRequests:
    """The register of requests, as holds ask it.

    What a pending request keeps is looked up in the CRM when it is first asked for, so at the start of every plan and of every run: people
    who were not found then, or could not be, are found now. A lookup that fails stops whatever asked. A request that was closed keeps what
    it kept.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._looked_up: set[str] = set()

    def freezing(self, closed_since: date) -> Sequence[RequestHold]:
        """The requests that are pending, and those that were closed on this Brussels day or later.

        Raises:
            ConnectorError: what a pending request keeps could not be looked up.
            Refused: with code `not_frozen`, where nobody can tell any more what a pending request keeps.
        """
        return tuple(self._holds(closed_since))

    def _holds(self, closed_since: date) -> Iterator[RequestHold]:
        store = self._context.store
        for request in store.requests():
            if request.right not in REASON_OF_RIGHT:
                continue
            closed_on = brussels_date(request.closed_at) if request.closed_at is not None else None
            if closed_on is None:
                frozen: Frozen | None = self._pending(request)
            else:
                frozen = frozen_of(self._context, request.id) if closed_on >= closed_since else None
            if frozen is not None:
                yield RequestHold(
                    request=request.id, right=request.right.value, contacts=frozen.contacts, rows=frozen.rows, closed_on=closed_on
                )

    def _pending(self, request: SubjectRequest) -> Frozen:
        if request.id in self._looked_up:
            frozen = frozen_of(self._context, request.id)
            if frozen is not None:
                return frozen
        frozen = refreeze(self._context, request)
        self._looked_up.add(request.id)
        return frozen


def frozen_of(context: JobContext, request_id: str) -> Frozen | None:
    """What a request keeps as it was last looked up; None where it never was, or its time is over."""
    part = context.store.request_part(request_id, FROZEN)
    return None if part is None else msgspec.json.decode(part, type=Frozen)


def refreeze(context: JobContext, request: SubjectRequest) -> Frozen:
    """Look up what a pending request keeps, and store it. What it kept before stays: it was there at the receipt (HLD-08).

    Raises:
        ConnectorError: the CRM could not be read whole; nothing is stored.
        Refused: with code `not_frozen`, where what the person said of themselves is gone.
    """
    before = frozen_of(context, request.id)
    part = context.store.request_part(request.id, GIVEN)
    if part is None:
        if before is not None:
            return before
        error = Refused(
            "nobody can tell what a pending request keeps: its sealed part is gone",
            hint="restore the data folder, or close the request",
            where=request.id,
        )
        error.code = "not_frozen"
        raise error
    found = find_candidates(context, msgspec.json.decode(part, type=Given))
    frozen = Frozen.of(found, context.clock(), before)
    if before is not None and (before.contacts, before.rows) == (frozen.contacts, frozen.rows):
        return before
    _store(context, request, frozen)
    return frozen


def _store(context: JobContext, request: SubjectRequest, frozen: Frozen) -> None:
    """Store it beside the row, whoever moves that meanwhile; one that is closed by then keeps it too, for all was there at the receipt."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            context.store.save_request(request, since=request, parts={FROZEN: msgspec.json.encode(frozen)})
            return
        except Refused as error:
            if error.code != "changed" or attempt == ATTEMPTS:
                raise
            request = context.store.request(request.id)
