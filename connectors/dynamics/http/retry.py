"""Sending the same again: what may be, when, and for how long. One loop for all that goes to the CRM, but for
change sets that the CRM has throttled: these `writing/pool.py` sends again, as late as is read here from the
answer, since holds are looked up in between, and another application user may be free before. The tokens for
it are fetched in a loop of their own (`entra.py`): MSAL wants a session of `requests`. Source: reference,
sections 7.4 and 8; HLD-07."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

from connectors.dynamics.http import faults
from connectors.dynamics.http.answers import Answer, CertificateRefused, NotSent
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.pace.backoff import Patience
from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import ConnectorError, ReadIncomplete, Unreachable

DEFAULT_RETRY_AFTER_S = 30.0
SHORTEST_WAIT_S = 1.0
FIRST_FAULT = 400
MAX_BROKEN_BODIES = 5  # of one request; a line that keeps breaking gives no read that one could trust
LOCAL_S = 60.0  # so long a program on this machine may take to start again


@dataclass(frozen=True, slots=True)
class Again:
    """After what the same request may be sent again. A token that lapsed is not part of it: a 401 says that
    the request was not even looked at. A certificate that we refuse, and what the CRM refuses for good, never
    are.

    `unsent`: no connection came about, so nothing happened. `throttled`: a 429, so nothing was done.
    `passing`: an answer that may be another one later (a gateway's, a deadlock's). `lost`: no whole answer
    came, and anything may have happened. `lasting`: for as long as an outage may last; otherwise a few tries.
    """

    unsent: bool = False
    throttled: bool = False
    passing: bool = False
    lost: bool = False
    lasting: bool = False

    def after_failure(self, failure: ConnectorError) -> bool:
        if isinstance(failure, CertificateRefused) or not isinstance(failure, Unreachable | ReadIncomplete):
            return False
        return self.unsent if isinstance(failure, NotSent) else self.lost

    def after_answer(self, answer: Answer) -> bool:
        if answer.status == 429:
            return self.throttled
        if not self.passing or answer.status < FIRST_FAULT:  # a body that is not a fault can be a page, and is not looked at here
            return False
        return faults.is_transient(faults.fault(answer.status, answer.body))


ONCE: Final = Again()
REPEATABLE: Final = Again(unsent=True, throttled=True, passing=True, lost=True, lasting=True)  # twice is once: reads, deletes, purges
FOR_A_MOMENT: Final = Again(unsent=True, throttled=True, passing=True)  # reads of what another system may be long in giving
WHILE_THROTTLED: Final = Again(throttled=True)  # starts something that must not be started twice
UNTIL_CONNECTED: Final = Again(unsent=True)  # a batch: its caller checks holds again before it is sent much later (HLD-07)


class Count(Protocol):
    """Adds to the statistics."""

    def __call__(self, *, retries: int = 0, waited_s: float = 0.0) -> None: ...


class Retry:
    """The loop for the requests of one account. `has_answered`: an address at which somebody has answered is
    waited for as long as an outage lasts."""

    def __init__(
        self,
        environment: Environment,
        timeline: Timeline,
        chance: Callable[[], float],
        count: Count,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`now`: our own clock, where it may count for a date to wait for that comes without the CRM's."""
        self._environment, self._timeline, self._chance = environment, timeline, chance
        self._count, self._now = count, now
        self.has_answered = environment.is_known

    def until_answered(self, attempt: Callable[[], Answer], again: Again) -> Answer:
        """Make attempts until one comes to something after which nothing is sent again, or patience ends;
        return the last answer. An answer that drips uses up patience like silence. Raises ConnectorError: the
        last attempt brought no answer."""
        spent = _Spent(self._timeline.now())
        while True:
            answer: Answer | None = None
            failure: ConnectorError | None = None
            asked_s: float | None = None
            try:
                answer = attempt()
            except ConnectorError as error:
                if not again.after_failure(error):
                    raise
                failure = error
            else:
                if not again.after_answer(answer):
                    return answer
                if answer.status == 429 or "Retry-After" in answer.headers:
                    asked_s = self.retry_after_s(answer.headers)
            is_throttled = answer is not None and answer.status == 429
            wait_s = self._wait_s(spent, failure, asked_s, again, is_throttled=is_throttled)
            if wait_s is None:
                if failure is not None:
                    raise failure
                assert answer is not None
                return answer
            self._count(retries=1, waited_s=wait_s if is_throttled else 0.0)
            self._timeline.wait(wait_s)

    def tries(self) -> Iterator[None]:
        """Yield once, and again after a while, until patience ends: for what is checked before a repeat."""
        patience = self._patience()
        yield
        while (wait_s := patience.wait_s()) is not None:
            self._count(retries=1, waited_s=wait_s)
            self._timeline.wait(wait_s)
            yield

    def retry_after_s(self, headers: Mapping[str, str]) -> float:
        """Return how long the CRM asks us to wait: whole seconds or an HTTP date; half a minute if it does
        not say. At least a second, so a service that keeps refusing uses up our patience too."""
        text = headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return max(float(text), SHORTEST_WAIT_S)
        moment = _instant(text)
        # The server's own clock, if it tells, so that a skewed clock here does not shorten the wait.
        sent = _instant(headers.get("Date", "")) or (self._now() if self._now is not None else None)
        if moment is None or sent is None:
            return DEFAULT_RETRY_AFTER_S
        return max((moment - sent).total_seconds(), SHORTEST_WAIT_S)

    def _patience(self, *, lasting: bool = True, most_s: float = float("inf")) -> Patience:
        lasting_s = min(self._environment.patience_s, most_s) if lasting and self.has_answered else 0.0
        return Patience(self._timeline.now, self._chance, tries=self._environment.retries, lasting_s=lasting_s)

    def _wait_s(
        self, spent: "_Spent", failure: ConnectorError | None, asked_s: float | None, again: Again, *, is_throttled: bool
    ) -> float | None:
        """Return how long to wait before the next attempt; None: there is none."""
        environment = self._environment
        if spent.patience is None:  # on this machine nobody is updated: who refuses connections is not there any more
            is_gone = environment.is_loopback and isinstance(failure, NotSent)
            spent.patience = self._patience(lasting=again.lasting, most_s=LOCAL_S if is_gone else float("inf"))
        spent.broken += isinstance(failure, ReadIncomplete)
        spent.asked_s += asked_s or 0.0
        if spent.asked_s > environment.max_wait_s or spent.broken > MAX_BROKEN_BODIES:
            return None
        if is_throttled:
            return asked_s
        own_s, took_s = spent.patience.wait_s(), self._timeline.now() - spent.began_s
        if own_s is None or took_s >= max(environment.answer_s, environment.patience_s):
            return None
        return own_s if asked_s is None else asked_s


@dataclass(slots=True)
class _Spent:
    """What one request has used up so far: how long the CRM has asked to wait, and how many answers broke."""

    began_s: float
    patience: Patience | None = None
    asked_s: float = 0.0
    broken: int = 0


def _instant(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
