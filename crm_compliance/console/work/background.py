"""What goes on for people, one act at a time for each subject, and what has ended and was not told yet."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from crm_compliance.console.work.act_under_way import Ended, Work
from crm_compliance.store.rows.console.works import Failure, StoredWork, Works
from rules.errors import ComplianceError, Refused
from rules.hints import Hint

PATIENCE_S: Final = 5.0  # so long is waited for an act before the page says that it goes on
KEPT: Final = timedelta(days=7)  # how something ended, if nobody comes to look
log = structlog.get_logger()


@dataclass(slots=True)
class Background:
    """Each act goes on in a thread of its own, which may wait for a process of its own. The store knows what
    was begun: after a restart of the service an act that had not ended is told as cut off, and how another
    one ended is still there."""

    store: Works
    patience_s: float = PATIENCE_S
    _works: dict[str, Work] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, work: Work, act: Callable[[], Ended], *, alone: bool = False, patience_s: float | None = None) -> Work:
        """Begin an act, and return when it is over or has taken too long. Raises Refused: with code `busy`,
        where another one goes on for the same subject, or the same act for any subject if it is done
        `alone`."""
        with self._lock:
            going_on = [each for each in self._works.values() if not each.is_over]
            other = next((each for each in going_on if each.subject == work.subject or (alone and each.act == work.act)), None)
            if other is not None:
                raise Refused("something is being done for this already", hint="wait until it has ended", where=other.subject, code="busy")
            long_ago = work.started_at - KEPT
            self.store.expire(long_ago)
            self._works = {each.subject: each for each in self._works.values() if not each.is_over or each.started_at >= long_ago}
            self.store.put(work.subject, _stored(work, is_over=False))
            self._works[work.subject] = work
        threading.Thread(target=work.run, args=(act, self._ended), name=f"act-{work.act}", daemon=True).start()
        work.wait(self.patience_s if patience_s is None else patience_s)
        return work

    def of(self, subject: str) -> Work | None:
        """Return what goes on for a subject, or has ended and was not told yet."""
        work = self._works.get(subject)
        if work is not None:
            return work
        stored = self.store.get(subject)
        return _work(subject, stored) if stored is not None else None

    def at_work(self, act: str) -> Work | None:
        """Return what goes on of an act, for whatever subject."""
        return next((work for work in list(self._works.values()) if work.act == act and not work.is_over), None)

    def forget(self, work: Work) -> None:
        """Forget an act that has ended and was told."""
        with self._lock:
            now = self._works.get(work.subject)
            if now is None or now is work:
                self._works.pop(work.subject, None)
                self.store.drop(work.subject)

    def _ended(self, work: Work) -> None:
        try:
            self.store.put(work.subject, _stored(work, is_over=True))
        except ComplianceError as error:  # then it is known until the service is restarted
            log.error("how an act ended could not be kept", code=error.code, action=work.act)


def _stored(work: Work, *, is_over: bool) -> StoredWork:
    failure = failure_of(work.error) if work.error is not None else None
    return StoredWork(
        act=work.act,
        who=work.who,
        kind=work.kind,
        started_at=work.started_at,
        is_over=is_over,
        note=work.note,
        made=work.made,
        failure=failure,
    )


def _work(subject: str, stored: StoredWork) -> Work:
    """Return an act that this process did not begin. One that has not ended never will: it went with the
    process that had begun it, for one service alone answers over a store."""
    work = Work(subject, stored.act, stored.who, stored.started_at, stored.kind, stored.note, stored.made)
    if stored.failure is not None:
        work.error = failed(*stored.failure)
    elif not stored.is_over:
        work.error = ComplianceError("the service ended before this did", hint="see how far it came, and begin it again", code="cut_off")
        work.error.exit_code = Refused.exit_code
    return work.over()


def failed(message: str, code: str, hint: str, where: str, exit_code: int, field: str = "") -> ComplianceError:
    """Return an error as another process, or an earlier one, has told it."""
    error = ComplianceError(message, code=code, hint=hint, where=where, field=field)
    error.exit_code = exit_code
    return error


def failure_of(error: ComplianceError) -> Failure:
    """Return an error as it is told to another process, or a later one."""
    hint = error.hint if not isinstance(error.hint, Hint) else ""
    return Failure(str(error), error.code, hint, error.where, error.exit_code, error.field)
