"""Acts that take longer than somebody waits for a page: each goes on in a thread of its own, one at a time
for a request, and the page asks how it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog

from rules.errors import ComplianceError, Refused

PATIENCE_S: Final = 5.0  # so long is waited for an act before the page says that it goes on
log = structlog.get_logger()


@dataclass(slots=True)
class Work:
    """One act: for what, which, who began it and when. `note` is what the page says once it has ended well,
    `error` why it did not; `found` is what the page shows once, and stored nowhere."""

    subject: str
    act: str
    who: str
    started_at: datetime
    note: str = ""
    error: ComplianceError | None = None
    found: Any = None
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is over, and return whether it is."""
        return self._over.wait(seconds)

    def run(self, act: Callable[[], str]) -> None:
        """Carry it out; `act` returns the note."""
        try:
            self.note = act()
        except ComplianceError as error:
            self.error = error
        except Exception as error:  # whatever it says may name a person: neither a page nor a log repeats it
            log.error("an act failed", exc_info=error, act=self.act)
            self.error = ComplianceError("something went wrong here", hint="tell the administrator", code="bug")
        finally:
            self._over.set()


@dataclass(slots=True)
class Background:
    """What goes on, and what of it has ended and was not looked at yet; it is forgotten when the process
    ends, and the store knows how far each act came."""

    patience_s: float = PATIENCE_S
    _works: dict[str, Work] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, work: Work, act: Callable[[], str]) -> Work:
        """Begin an act, and return when it is over or has taken too long. Raises Refused: with code `busy`,
        where another one goes on for the same subject."""
        with self._lock:
            before = self._works.get(work.subject)
            if before is not None and not before.is_over:
                raise Refused("something is being done for this already", hint="wait until it has ended", where=work.subject, code="busy")
            self._works[work.subject] = work
        threading.Thread(target=work.run, args=(act,), name=f"act-{work.act}", daemon=True).start()
        work.wait(self.patience_s)
        return work

    def of(self, subject: str) -> Work | None:
        return self._works.get(subject)

    def forget(self, work: Work) -> None:
        """Forget an act that has ended and was told."""
        with self._lock:
            if self._works.get(work.subject) is work:
                del self._works[work.subject]
