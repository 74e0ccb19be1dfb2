"""One HTTP request to the CRM: token, time-out, retries, `Retry-After`, request ids (reference: sections 1.8,
7.4 and 8)."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity
import urllib3

from connectors.dynamics.http import faults
from connectors.dynamics.http.auth import TokenSource
from connectors.dynamics.http.bodies import BodyBroken, read_body
from connectors.dynamics.http.characters import with_whole_characters
from connectors.dynamics.http.clock import ServerClock
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.sessions import Sessions
from connectors.dynamics.pace.allowance import hints_of
from connectors.dynamics.pace.backoff import Patience
from connectors.dynamics.pace.gate import Gate, Impatient, Timeline
from connectors.dynamics.pace.governor import Seen
from connectors.interface import ConnectorError, ReadIncomplete, ReadStats, Unreachable

DEFAULT_RETRY_AFTER_S = 30.0
SHORTEST_WAIT_S = 1.0
MAX_BROKEN_BODIES = 5  # in a row; a line that keeps breaking gives no read that one could trust
MAX_RENEWALS = 3  # of the token, for one request; then the account itself is refused
LOCAL_S = 60.0  # so long a program on this machine may take to start again
_counting = threading.Lock()  # several transports count into the same statistics


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the body is whole, decompressed and unread."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)  # it may hold what people wrote
    request_id: str


class NotSent(Unreachable):
    """No connection came about, so nothing can have happened at the other side."""


class CertificateRefused(NotSent):
    """We do not trust the other side; asking again does not help."""


class Again(Exception):
    """This attempt failed in a way that may pass; `failure` is the error to raise when patience ends."""

    def __init__(self, failure: ConnectorError, wait_s: float | None = None, *, throttled: bool = False) -> None:
        super().__init__()
        self.failure = failure
        self.wait_s = wait_s
        self.throttled = throttled


class Transport:
    """Requests of one account to one CRM; may be used from several threads, each having its own pooled
    session."""

    def __init__(
        self,
        environment: Environment,
        tokens: TokenSource,
        *,
        stats: ReadStats | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timeline: Timeline | None = None,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.environment = environment
        self.stats = stats if stats is not None else ReadStats()
        self.correlation_id = str(uuid.uuid4())
        self._tokens = tokens
        timeline = timeline if timeline is not None else Timeline(sleep)
        self._sleep = timeline.wait
        self.gate = Gate(environment.pace, environment.batch_operations, timeline)
        self._chance = chance
        self._now = now
        self._sessions = Sessions(environment)
        self._has_answered = environment.is_known
        self.guard: Callable[[], None] | None = None  # asked right before each request; raises where none may leave any more
        self.clock = ServerClock()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._sessions.close()

    def get(self, address: str, *, prefer: str = "", accept: str = "application/json", where: str = "") -> Answer:
        """GET an address below the Web API root, or an absolute one of this CRM, until it is answered or
        patience ends. Halves of characters in the JSON of the answer are replaced.

        Raises:
            Unreachable, Unauthorised, Forbidden, Throttled, ConnectorError: as the answer says; never with
                anything of its body.
            ReadIncomplete: the body broke off each time.
        """
        headers = {"Prefer": prefer} if prefer else {}
        if accept != "application/json":
            headers["Accept"] = accept
        answer = self._until_answered(address, headers, (200,), where)
        return replace(answer, body=with_whole_characters(answer.body)) if accept == "application/json" else answer

    def get_bytes(self, address: str, *, part: str = "", where: str = "") -> Answer:
        """GET a file, or a `part` of it (`bytes=0-99`): 200 the whole of it, 206 a part, 204 nothing. Raises
        as `get`."""
        headers = {"Accept": "application/octet-stream"} | ({"Range": part} if part else {})
        return self._until_answered(address, headers, (200, 204, 206), where)

    def _until_answered(self, address: str, headers: Mapping[str, str], fine: Collection[int], where: str) -> Answer:
        url = self.absolute(address)

        def attempt() -> Answer:
            self._wait_to_read(where)
            answer = self._send("GET", url, headers, None, where)
            if answer.status in fine:
                return answer
            raise self._again_or_error(answer, where)

        return self.until_done(attempt)

    def patience(self, *, lasting: bool = True, most_s: float = float("inf")) -> Patience:
        """The patience for one thing that is tried again; with `lasting` as long as an outage may last, but
        no more than `most_s`."""
        lasting_s = min(self.environment.patience_s, most_s) if lasting and self._has_answered else 0.0
        return Patience(self.gate.timeline.now, self._chance, tries=self.environment.retries, lasting_s=lasting_s)

    def tries(self) -> Iterator[None]:
        """Go round once, and again after a while each time, until patience ends: for what is looked at before
        it is sent again."""
        patience = self.patience()
        yield
        while (wait_s := patience.wait_s()) is not None:
            self.pause(wait_s)
            yield

    def until_done(self, attempt: Callable[[], Answer], *, lasting: bool = True) -> Answer:
        """Call `attempt` until it raises `Again` no more or patience ends; then raise the failure of the last
        time.

        All that is sent again goes through here. A write that must not be sent long after it was decided on
        asks for no `lasting` patience.
        """
        patience: Patience | None = None
        waited_s, broken = 0.0, 0
        began_s = self.gate.timeline.now()
        longest_s = max(self.environment.answer_s, self.environment.patience_s)  # an answer that drips uses up patience like silence
        decided: dict[int, float | None] = {}  # by attempt

        def due_s(state: tenacity.RetryCallState) -> float | None:
            """How long to wait before the next attempt; None: there is none."""
            nonlocal broken, waited_s, patience
            if state.attempt_number in decided:
                return decided[state.attempt_number]
            again = _again_of(state)
            if patience is None:  # on this machine nobody is updated: who refuses connections is not there any more
                is_gone = self.environment.is_loopback and isinstance(again.failure, NotSent)
                patience = self.patience(lasting=lasting, most_s=LOCAL_S if is_gone else float("inf"))
            broken += isinstance(again.failure, ReadIncomplete)
            waited_s += again.wait_s or 0.0
            is_over = waited_s > self.environment.max_wait_s or broken > MAX_BROKEN_BODIES
            own_s = 0.0 if again.throttled else patience.wait_s()
            is_over |= not again.throttled and self.gate.timeline.now() - began_s >= longest_s
            due = None if is_over or own_s is None else again.wait_s if again.wait_s is not None else own_s
            return decided.setdefault(state.attempt_number, due)

        def wait(state: tenacity.RetryCallState) -> float:
            return due_s(state) or 0.0

        def stop(state: tenacity.RetryCallState) -> bool:
            return due_s(state) is None

        def count(state: tenacity.RetryCallState) -> None:
            again = _again_of(state)
            self.count(retries=1, waited_s=again.wait_s or 0.0 if again.throttled else 0.0)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again), wait=wait, stop=stop, sleep=self._sleep, before_sleep=count, reraise=True
        )
        try:
            return retrying(attempt)
        except Again as again:
            raise again.failure from None

    def post_batch(self, body: bytes, boundary: str, *, operations: int = 1, prefer: str = "", where: str = "") -> Answer:
        """POST a `$batch` once, whatever is answered. It is sent a second time only where the first has
        certainly done nothing.

        Whether it may be sent now is the caller's to ask (`gate`); `operations` is how many the batch holds.

        Raises:
            NotSent: no connection; nothing happened.
            Unreachable: the answer is lost; anything may have happened.
            Unauthorised: there is no token, or new ones are rejected too; nothing happened.
        """
        headers = {"Content-Type": f'multipart/mixed; boundary="{boundary}"'}
        if prefer:
            headers["Prefer"] = prefer
        try:
            return self._send("POST", self.absolute("$batch"), headers, body, where, operations)
        except Again as again:
            raise again.failure from None

    def send(self, method: str, address: str, content: object = None, *, if_match: str = "", where: str = "") -> Answer:
        """Send one request other than a read or a batch, once, whatever is answered.

        Raises: as `post_batch`, and ReadIncomplete where the answer broke off; anything may have happened
            then.
        """
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if if_match:
            headers["If-Match"] = if_match
        self._wait_to_read(where)
        try:
            return self._send(method, self.absolute(address), headers, None if content is None else msgspec.json.encode(content), where)
        except Again as again:
            raise again.failure from None

    def absolute(self, address: str) -> str:
        """The full address; a link that the CRM gave is put back on our host, and refused if it points
        outside the Web API.

        The CRM may echo another of its host names, or a proxy's inside one; the query string stays untouched,
        and the token goes nowhere but to the configured host.
        """
        try:
            parts = urlsplit(address)
        except ValueError:
            raise _elsewhere() from None
        if not address.isprintable():  # urlsplit leaves out line ends and the like, so it would have looked at another address
            raise _elsewhere()
        is_full = bool(parts.scheme or parts.netloc)
        if is_full and not (parts.scheme in ("http", "https") and parts.netloc):
            raise _elsewhere()
        path = parts.path if is_full or address.startswith("/") else self.environment.root_path + parts.path
        if not path.startswith(self.environment.root_path) or any(segment in (".", "..") for segment in path.split("/")):
            raise _elsewhere()
        if is_full:
            rest = address.split("://", 1)[1]
            return self.environment.origin + rest[rest.index("/") :]
        if address.startswith("//"):  # more slashes than a host has
            raise _elsewhere()
        return self.environment.origin + address if address.startswith("/") else self.environment.url + address

    def pause(self, seconds: float) -> None:
        """Wait before the same is sent again."""
        self.count(retries=1, waited_s=seconds)
        self._sleep(seconds)

    def count(
        self,
        *,
        requests: int = 0,
        retries: int = 0,
        throttled: int = 0,
        pages: int = 0,
        rows: int = 0,
        remembered: int = 0,
        waited_s: float = 0.0,
        at_once: int = 0,
    ) -> None:
        """Add to the statistics; several threads may work at once, `at_once` of them on batches."""
        with _counting:
            self.stats.waited_s += waited_s
            self.stats.peak_concurrency = max(self.stats.peak_concurrency, at_once)
            self.stats.requests += requests
            self.stats.retries += retries
            self.stats.throttled += throttled
            self.stats.pages += pages
            self.stats.rows += rows
            self.stats.remembered += remembered

    def retry_after(self, headers: Mapping[str, str]) -> float:
        """How long the CRM asks us to wait: whole seconds or an HTTP date; half a minute if it does not say.

        At least a second, so that a service which asks for none and keeps refusing uses up our patience too.
        """
        text = headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return max(float(text), SHORTEST_WAIT_S)
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return DEFAULT_RETRY_AFTER_S
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # The server's own clock, if it tells, so that a skewed clock here does not shorten the wait.
        try:
            now = parsedate_to_datetime(headers.get("Date", ""))
        except (ValueError, TypeError, OverflowError):
            if self._now is None:
                return DEFAULT_RETRY_AFTER_S
            now = self._now()
        if now.tzinfo is None:
            now = now.replace(tzinfo=UTC)
        return max((moment - now).total_seconds(), SHORTEST_WAIT_S)

    def _wait_to_read(self, where: str) -> None:
        try:
            self.count(waited_s=self.gate.wait_to_read(self.environment.max_wait_s))
        except Impatient as patience:
            raise faults.error(faults.Fault(429), where=where, retry_after_s=patience.wait_s) from None

    def _again_or_error(self, answer: Answer, where: str) -> Exception:
        found = faults.fault(answer.status, answer.body)
        if answer.status == 429:
            wait_s = self.retry_after(answer.headers)
            return Again(faults.error(found, request=answer.request_id, where=where, retry_after_s=wait_s), wait_s, throttled=True)
        failure = faults.error(found, request=answer.request_id, where=where)
        if faults.is_transient(found):
            return Again(failure, self.retry_after(answer.headers) if "Retry-After" in answer.headers else None)
        return failure

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, where: str, operations: int = 0) -> Answer:
        """One attempt, or a few when the token has lapsed: a 401 says that the request was not even looked
        at.

        More than two, because a new token may be one that another thread obtained, and that has lapsed again
        since.
        """
        try:
            token = self._tokens.token()
        except Unreachable as failure:
            raise (failure if isinstance(failure, CertificateRefused) else Again(failure)) from None
        for _ in range(MAX_RENEWALS):
            answer = self._send_once(method, url, headers, body, token, where, operations)
            if answer.status != 401:
                return answer
            renewed = self._tokens.renew(token)
            if renewed is None or renewed == token:
                raise faults.error(faults.fault(401, answer.body), request=answer.request_id, where=where)
            self.count(retries=1)
            token = renewed
        answer = self._send_once(method, url, headers, body, token, where, operations)
        if answer.status == 401:
            raise faults.error(faults.fault(401, answer.body), request=answer.request_id, where=where)
        return answer

    def _send_once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, token: str, where: str, operations: int
    ) -> Answer:
        if self.guard is not None:
            self.guard()
        ours = str(uuid.uuid4())
        ids = {"x-ms-client-request-id": ours, "x-ms-correlation-id": self.correlation_id}
        prepared = self._sessions.prepare(method, url, {**headers, **ids}, body, token)
        self.count(requests=1)
        began = self.gate.timeline.now()
        try:
            response = self._sessions.send(prepared)
        except requests.RequestException as failure:
            lost = _lost(failure, ours, where)
            if not isinstance(lost, NotSent):
                self.gate.observe(Seen(self.gate.timeline.now() - began, operations, 0))
            raise (lost if isinstance(lost, CertificateRefused) else Again(lost)) from None
        self._has_answered = True
        self.clock.hear(response.headers.get("Date"))
        try:
            content = read_body(response, self.environment.max_answer_bytes)
        except BodyBroken:
            self.gate.observe(Seen(self.gate.timeline.now() - began, operations, 0, hints=hints_of(response.headers)))
            raise Again(
                ReadIncomplete(
                    "An answer of the CRM broke off, was garbled, or was longer than an answer may be.",
                    hint="Try again later.",
                    where=where,
                    status=response.status_code,
                    request_id=ours,
                )
            ) from None
        finally:
            response.close()
        retry_after_s = 0.0
        if response.status_code == 429:
            self.count(throttled=1)
            retry_after_s = self.retry_after(response.headers)
        seconds = self.gate.timeline.now() - began
        self.gate.observe(Seen(seconds, operations, response.status_code, retry_after_s, hints_of(response.headers)))
        return Answer(response.status_code, response.headers, content, faults.request_id(response.headers, ours))


def _elsewhere() -> ReadIncomplete:
    return ReadIncomplete("A link that the CRM gave leads outside its Web API; it was not followed.", hint="Check the Web API root.")


def _again_of(state: tenacity.RetryCallState) -> Again:
    failure = state.outcome.exception() if state.outcome else None
    assert isinstance(failure, Again)
    return failure


def _lost(failure: requests.RequestException, ours: str, where: str) -> ConnectorError:
    """The error for a request without an answer. requests puts addresses into its messages, and a filter may
    name ids: own words only."""
    if isinstance(failure, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(failure):
        return CertificateRefused("The CRM's certificate is not accepted.", hint="Check the CA file and the host name.", where=where)
    if isinstance(failure, requests.exceptions.ProxyError):
        return NotSent("The proxy refuses or does not answer.", hint="Check the proxy settings.", where=where, request_id=ours)
    if isinstance(failure, requests.ConnectTimeout):
        return NotSent("The CRM cannot be connected to in time.", hint="Check network and address.", where=where, request_id=ours)
    if isinstance(failure, requests.Timeout):
        return Unreachable("The CRM did not answer in time.", hint="Try again later.", where=where, request_id=ours)
    reason = getattr(failure.args[0], "reason", None) if failure.args else None
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return NotSent("The CRM cannot be connected to.", hint="Check network and address.", where=where, request_id=ours)
    if isinstance(failure, requests.ConnectionError):
        return Unreachable("The connection to the CRM broke off.", hint="Try again later.", where=where, request_id=ours)
    return Unreachable(f"The CRM cannot be asked ({type(failure).__name__}).", where=where, request_id=ours)
