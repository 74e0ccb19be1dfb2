"""Downloads of released packages by a link that only its holder knows (EXP-16). Whether the link still works
is decided in jobs/requests/answer/download_link.py; tries that lead nowhere are counted in app.py.

The link is one factor; the passphrase of the archive, sent by another channel, is the second: what is fetched
is useless without it. The register knows only the token's SHA-256. A link that is wrong in any way (unknown,
lapsed, used up, withdrawn) looks the same."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec

from jobs.model.request import PACKAGE, SubjectRequest
from jobs.ports.context import Clock
from jobs.ports.store.store import Store
from jobs.requests.answer.download_link import digest_of, is_valid
from rules.errors import Refused

_ATTEMPTS: Final = 5  # to write a receipt while somebody else changes the same row


@dataclass(slots=True)
class Taken:
    """A package on its way to somebody; `is_counted` once it has its receipt."""

    request: str
    content: bytes
    is_counted: bool = False


class Downloads:
    """Hands out packages, and writes a receipt for each that was handed out whole."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    def look_up(self, token: str) -> int | None:
        """Return the size of the package behind a token, in bytes; None if no package is available."""
        with self._lock:
            request = self._request(token)
        content = self._content(request) if request is not None else None
        return len(content) if content is not None else None

    @contextmanager
    def taken(self, token: str) -> Iterator[Taken | None]:
        """Hold one of the five times while a package is on its way; None where there is none to be had.
        Without a `receipt` the time is given back."""
        with self._lock:
            request = self._request(token)
            content = self._content(request) if request is not None else None
            if request is not None and content is not None:
                self._under_way[request.id] += 1
        if request is None or content is None:
            yield None
            return
        taken = Taken(request.id, content)
        try:
            yield taken
        finally:
            if not taken.is_counted:
                with self._lock:
                    self._under_way[request.id] -= 1

    def receipt(self, taken: Taken) -> None:
        """Count one download, in the register and in the ledger. Raises Refused: the package was withdrawn
        meanwhile, or others kept changing the row."""
        for attempt in range(_ATTEMPTS):
            request = self._store.requests.get(taken.request)
            if not is_valid(request, self._clock(), under_way=0):
                raise _gone(taken.request)
            at = self._clock()
            counted = msgspec.structs.replace(request, downloads=(*request.downloads, at))
            entry = {"request": request.id, "at": at.isoformat(timespec="seconds"), "number": len(counted.downloads)}
            try:
                with self._lock:  # nobody may find it both in the register and under way: a fifth would be a sixth
                    self._store.requests.save(counted, [("request_downloaded", entry)], since=request)
                    taken.is_counted = True
                    self._under_way[taken.request] -= 1
            except Refused:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def _request(self, token: str) -> SubjectRequest | None:
        request = self._store.requests.linked(digest_of(token))  # a digest: how long it takes to compare tells nothing of the token
        return request if request is not None and is_valid(request, self._clock(), self._under_way[request.id]) else None

    def _content(self, request: SubjectRequest) -> bytes | None:
        return self._store.requests.part(request.id, PACKAGE)


def _gone(request_id: str) -> Refused:
    return Refused("there is nothing to download any more", hint="release the answer again", where=request_id, code="gone")
