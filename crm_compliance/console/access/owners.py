"""Whose pages carry which form token, also once their session has ended and the store knows it no more: in
the memory of the service, which a restart forgets."""

import threading
from collections import OrderedDict
from typing import Final, NamedTuple

MOST: Final = 10_000


class Owner(NamedTuple):
    """Whose pages they are, and the role in which they were opened last."""

    who: str
    role: str


class Owners:
    """Those of the sessions that were read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[str, Owner] = OrderedDict()

    def note(self, form_token: str, owner: Owner) -> None:
        with self._lock:
            self._found[form_token] = owner
            self._found.move_to_end(form_token)
            while len(self._found) > MOST:
                self._found.popitem(last=False)

    def of(self, form_token: str) -> Owner | None:
        with self._lock:
            return self._found.get(form_token)
