"""One act that goes on, or has ended and was not looked at yet."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from rules.errors import ComplianceError

log = structlog.get_logger()


class Counts(NamedTuple):
    """How far an act is: `rows` read from the CRM in so many `requests`, and `done` of `total` where it
    counts something itself (`total` is 0 where nobody knows it)."""

    rows: int = 0
    requests: int = 0
    done: int = 0
    total: int = 0


class Ended(NamedTuple):
    """How an act has ended: with which of the notes, and what it has made, an id or figures."""

    note: str = ""
    made: str = ""


OnCounts = Callable[[Counts], None]


@dataclass(slots=True)
class Work:
    """One act: for what, which, who began it and when; `kind` says more of it, in a code. `note` is what the
    page says once it has ended well, `made` what it has made, `error` why it did not; `found` is
    what the page shows once, and stored nowhere."""

    subject: str
    act: str
    who: str
    started_at: datetime
    kind: str = ""
    note: str = ""
    made: str = ""
    error: ComplianceError | None = None
    found: Any = None
    counts: Counts = field(default_factory=Counts)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is over, and return whether it is."""
        return self._over.wait(seconds)

    def tell(self, counts: Counts) -> None:
        """Take how far it is."""
        self.counts = counts

    def run(self, act: Callable[[], Ended], ended: "Callable[[Work], None]") -> None:
        """Carry it out; `ended` is called before anybody who waits goes on."""
        try:
            self.note, self.made = act()
        except ComplianceError as error:
            self.error = error
        except Exception as error:  # whatever it says may name a person: neither a page nor a log repeats it
            log.error("an act failed", exc_info=error, action=self.act)
            self.error = ComplianceError("something went wrong here", hint="tell the administrator", code="bug")
        try:
            ended(self)
        finally:
            self._over.set()

    def over(self) -> "Work":
        """Return it as one that has ended."""
        self._over.set()
        return self
