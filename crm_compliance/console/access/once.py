"""A form that is sent again, by a double click or over a connection that was lost, is answered with what came
of it the first time. Each page gives its forms a key of one time (`once`)."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.datastructures import FormData
from starlette.responses import Response

from crm_compliance.console.access.origin import FIELD

KEY: Final = "once"  # of forms
LASTS_S: Final = 3600.0
MOST: Final = 2_000


@dataclass(slots=True)
class Sent:
    """One form: `led_to` is where its answer has led, empty before there is one, or where it was refused.
    Whoever sends it again waits for `turn`."""

    at: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    led_to: str = ""

    def keep(self, response: Response) -> None:
        """Remember where an answer leads; one that refuses leads nowhere, and may go otherwise next time."""
        self.led_to = response.headers.get("Location" if response.status_code == 303 else "HX-Redirect", "")


class Forms:
    """The forms that were sent of late, in the memory of this process; the oldest are forgotten first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._sent: OrderedDict[bytes, Sent] = OrderedDict()

    def sent(self, session: str, path: str, form: FormData) -> Sent | None:
        """Return the form of this session that says the same; None where it carries no key, or a file."""
        said = [(name, value) for name, value in form.multi_items() if name != FIELD]
        if not form.get(KEY) or not all(isinstance(value, str) for _, value in said):
            return None
        now, digest = self._now(), hashlib.sha256(msgspec.json.encode([session, path, said])).digest()
        while self._sent and (len(self._sent) >= MOST or now - next(iter(self._sent.values())).at > LASTS_S):
            self._sent.popitem(last=False)
        return self._sent.setdefault(digest, Sent(now))
