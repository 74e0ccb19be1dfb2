"""Subject requests: the register with its sealed parts, and as far as holds ask it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from jobs.ports.store.ledger import Entry

if TYPE_CHECKING:
    from jobs.model.request import SubjectRequest
    from rules.holds.of_requests import RequestHold


class RequestStore(Protocol):
    """The register of subject requests, and the sealed parts of their working areas."""

    def add(self, request: SubjectRequest, parts: Mapping[str, bytes], entry: Entry) -> None:
        """Add a row to the register of requests, with sealed parts of its working area by name. Raises
        Refused with code `exists`: there is one of this id."""

    def get(self, request: str) -> SubjectRequest:
        """Return a request. Raises UsageError for an unknown id."""

    def some(self, requests: Collection[str]) -> dict[str, SubjectRequest]:
        """Return these requests by id; unknown ones are left out."""

    def linked(self, link: str) -> SubjectRequest | None:
        """Return the request whose download has this SHA-256 of a token, in hex; None if there is none."""

    def all(self, *, unclosed: bool = False) -> list[SubjectRequest]:
        """Return the register of requests, or those that are not closed, newest first."""

    def closed(self, right: str = "", *, offset: int = 0, limit: int | None = None) -> list[SubjectRequest]:
        """Return those that are closed, newest first; those with one right where it is named, those from a
        place on, and at most so many, where that is asked for."""

    def number_closed(self, right: str = "") -> int:
        """Return how many those are."""

    def named(self, reference: str) -> SubjectRequest | None:
        """Return the request of this short number (`SubjectRequest.reference`); None if there is none."""

    def save(
        self,
        request: SubjectRequest,
        entries: Sequence[Entry] = (),
        *,
        since: SubjectRequest,
        parts: Mapping[str, bytes | None] | None = None,
        told: str = "",
    ) -> None:
        """Replace a row of the register, and some of its parts; None removes a part for good. `since` is the
        row as it was read. If the part named `told` exists, the last of the entries records as `kept` which
        one it is: see `part_digests`. Raises Refused: with code `changed`, if somebody has changed the row
        meanwhile."""

    def part(self, request: str, name: str) -> bytes | None:
        """Return a part of a request's working area as put in, None if it does not exist (any more)."""

    def some_parts(self, requests: Collection[str], name: str) -> dict[str, bytes]:
        """Return the parts of one name of several requests, by request; those that do not exist (any more)
        are left out."""

    def has_part(self, request: str, name: str) -> bool:
        """Return whether a part exists, even one that cannot be opened as the request's key is destroyed."""

    def with_part(self, name: str) -> frozenset[str]:
        """Return the requests that have a part of this name."""

    def part_digests(self, requests: Collection[str], name: str) -> dict[str, str]:
        """Return the SHA-256 of a part of these requests as it is sealed, of those that have it. It reveals
        nothing of what is in the part, and differs each time the part is put in."""

    def destroy_spent_keys(self) -> None:
        """Destroy the keys of requests whose working areas are empty."""

    def total(self, requests: Sequence[SubjectRequest]) -> int:
        """Turn rows of the register without working areas into yearly totals, with a ledger entry; give how
        many those were."""

    def totals(self) -> dict[tuple[int, str, str], int]:
        """Return how many requests there were of which nothing else remains, by year of receipt, right and
        outcome."""


class SubjectRequests(Protocol):
    """The register of subject requests, as far as holds ask it."""

    def preserving(self, closed_since: date) -> Sequence[RequestHold]:
        """Return the requests pending, and those closed on this day or later (HLD-08)."""


class NoSubjectRequests:
    """A register in which nobody has asked anything."""

    def preserving(self, closed_since: date) -> Sequence[RequestHold]:
        return ()


NO_SUBJECT_REQUESTS: Final = NoSubjectRequests()
