"""A page that answers a form is shown at an address of its own, which the browser asks for as for any page:
whoever goes back to it, or loads it again, sees it as it was, with what was typed, and is not asked whether
the form is to be sent once more.

It waits in the memory of the service, for an hour at most, for the session and the role that it was made for.
Who signs out takes it along, and a restart forgets it; then the address leads to the page on which the form
stood."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from crm_compliance.console.access.sessions import digest_of

ANSWER: Final = "answer"  # of an address: which answer is shown
LASTS: Final = timedelta(hours=1)
MOST_BYTES: Final = 32 * 1024 * 1024  # of all that is kept: the longest text of a review has four million


@dataclass(frozen=True, slots=True)
class Answered:
    """What a form was answered with: `action` is the address to which it went."""

    session: str
    role: str
    action: str
    page: bytes
    status: int
    at: datetime


class AnsweredForms:
    """What forms were answered with, by a key of one time; the oldest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Answered] = OrderedDict()
        self._size = 0

    def keep(self, token: str, role: str, action: str, page: bytes, status: int, now: datetime) -> str:
        """Keep a page, and return its key; empty where it is too large."""
        if len(page) > MOST_BYTES:
            return ""
        key = secrets.token_hex(8)
        with self._lock:
            self._kept[key] = Answered(digest_of(token), role, action, page, status, now)
            self._size += len(page)
            while self._size > MOST_BYTES or self._is_old(next(iter(self._kept.values())), now):
                self._drop(next(iter(self._kept)))
        return key

    def of(self, token: str, role: str, key: str, now: datetime) -> Answered | None:
        """Return the page of a key, for the session and the role that it was made for."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or (found.session, found.role) != (digest_of(token), role) or self._is_old(found, now):
                return None
            return found

    def sent(self, token: str, action: str) -> None:
        """Forget why a form was not taken that has now been taken."""
        self._forget(lambda each: (each.session, each.action) == (digest_of(token), action))

    def left(self, token: str) -> None:
        """Forget all that was shown in a session which somebody has ended."""
        self._forget(lambda each: each.session == digest_of(token))

    def _forget(self, is_meant: Callable[[Answered], bool]) -> None:
        with self._lock:
            for key in [key for key, each in self._kept.items() if is_meant(each)]:
                self._drop(key)

    def _drop(self, key: str) -> None:
        self._size -= len(self._kept.pop(key).page)

    @staticmethod
    def _is_old(kept: Answered, now: datetime) -> bool:
        return not timedelta() <= now - kept.at < LASTS
