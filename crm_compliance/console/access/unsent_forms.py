"""A form that was sent after its session had ended is not carried out, and what was typed in it is not lost:
whoever sent it finds the form filled in once they have signed in again, and nobody else sees anything of it.
So it is, once, with a form that was refused as a whole page: without script it is gone from the browser.

It waits in the memory of the service, for an hour at most: never on a disk, in an address, in a log or in the
browser. A restart forgets it."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.datastructures import FormData

from crm_compliance.console.access.origin import FIELD
from crm_compliance.console.access.owners import Owner
from crm_compliance.console.access.sent_forms import KEY

LASTS: Final = timedelta(hours=1)
MOST_BYTES: Final = 32 * 1024 * 1024  # of all that waits: the longest text of a review has four million
RENEWED: Final = frozenset({FIELD, KEY, "since"})  # what a page gives its forms afresh, and nobody types


@dataclass(frozen=True, slots=True)
class Unsent:
    """One form that waits: the address to which it goes, what was typed and chosen, in the order of the form,
    and whether a file was chosen too, which is not kept. `refused`: not for its session, but for what it
    said; the field that was wrong, if it was one, and why, in the language of the page."""

    action: str
    fields: tuple[tuple[str, str], ...]
    lacks_file: bool
    role: str
    at: datetime
    refused: tuple[str, str] | None

    @property
    def texts(self) -> list[str]:
        """What was written in words: no codes, days and ids."""
        return [value for _, value in self.fields if len(value.split()) > 1]

    @property
    def size(self) -> int:
        return sum(len(name) + len(value) for name, value in self.fields)


class UnsentForms:
    """What waits, by who sent it, the page on which it stood and where it goes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], Unsent] = OrderedDict()

    def keep(self, owner: Owner, page: str, action: str, form: FormData, now: datetime, *, refused: tuple[str, str] | None = None) -> bool:
        """Keep what a form says, in place of what the same form said before; return whether it says
        anything that somebody has typed or chosen."""
        given = [(name, value) for name, value in form.multi_items() if name not in RENEWED]
        fields = tuple((name, value) for name, value in given if isinstance(value, str))
        kept = Unsent(action, fields, len(fields) < len(given), owner.role, now, refused)
        if not any(value for _, value in fields) or kept.size > MOST_BYTES:
            return False
        with self._lock:
            self._forget_old(now)
            self._kept.pop((owner.who, page, action), None)
            self._kept[owner.who, page, action] = kept
            while sum(each.size for each in self._kept.values()) > MOST_BYTES:
                self._kept.popitem(last=False)
        return True

    def of(self, who: str, page: str, now: datetime) -> list[Unsent]:
        """Return what waits for a person on a page, the latest first."""
        if not self._kept:  # as nearly always
            return []
        with self._lock:
            self._forget_old(now)
            return [kept for (whose, where, _), kept in reversed(self._kept.items()) if (whose, where) == (who, page)]

    def sent(self, who: str, action: str) -> None:
        """Forget what a person has now sent."""
        if not self._kept:
            return
        with self._lock:
            for key in [key for key in self._kept if (key[0], key[2]) == (who, action)]:
                del self._kept[key]

    def _forget_old(self, now: datetime) -> None:
        for key in [key for key, kept in self._kept.items() if not timedelta() <= now - kept.at < LASTS]:
            del self._kept[key]
