"""One HTTP request to the CRM: token, time-out, retries, `Retry-After`, request ids (reference: sections 1.8, 7.4 and 8)."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity
import urllib3

from connectors.dynamics import faults
from connectors.dynamics.allowance import hints_of
from connectors.dynamics.auth import TokenSource
from connectors.dynamics.bodies import BodyBroken, read_body
from connectors.dynamics.clock import ServerClock
from connectors.dynamics.config import Environment
from connectors.dynamics.gate import Gate, Impatient, Timeline
from connectors.dynamics.governor import Seen
from connectors.dynamics.sessions import Sessions
from connectors.interface import ConnectorError, ReadIncomplete, ReadStats, Unreachable

DEFAULT_RETRY_AFTER_S = 30.0
SHORTEST_WAIT_S = 1.0
MAX_BROKEN_BODIES = 2  # in a row; a line that keeps breaking gives no read that one could trust
BACKOFF_CAP_S = 30.0
MAX_RENEWALS = 3  # of the token, for one request; then the account itself is refused
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


class _Again(Exception):
    """This attempt failed in a way that may pass; `failure` is the error to raise when patience ends."""

    def __init__(self, failure: ConnectorError, wait_s: float | None = None, *, throttled: bool = False) -> None:
        super().__init__()
        self.failure = failure
        self.wait_s = wait_s
        self.throttled = throttled


class Transport:
    """Requests of one account to one CRM; may be used from several threads, each having its own pooled session."""

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
        self._sleep = timeline.sleep
        self.gate = Gate(environment.pace, environment.batch_operations, timeline)
        self._chance = chance
        self._now = now
        self._sessions = Sessions(environment)
        self.guard: Callable[[], None] | None = None  # asked right before each request; raises where none may leave any more
        self.clock = ServerClock()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._sessions.close()

    def get(self, address: str, *, prefer: str = "", accept: str = "application/json", where: str = "") -> Answer:
        """GET an address below the Web API root, or an absolute one of this CRM, until it is answered or patience ends.

        Raises:
            Unreachable, Unauthorised, Forbidden, Throttled, ConnectorError: as the answer says; never with anything of its body.
            ReadIncomplete: the body broke off each time.
        """
        headers = {"Prefer": prefer} if prefer else {}
        if accept != "application/json":
            headers["Accept"] = accept
        return self._until_answered(address, headers, (200,), where)

    def get_bytes(self, address: str, *, part: str = "", where: str = "") -> Answer:
        """GET a file, or a `part` of it (`bytes=0-99`): 200 the whole of it, 206 a part, 204 nothing. Raises as `get`."""
        headers = {"Accept": "application/octet-stream"} | ({"Range": part} if part else {})
        return self._until_answered(address, headers, (200, 204, 206), where)

    def _until_answered(self, address: str, headers: Mapping[str, str], fine: Collection[int], where: str) -> Answer:
        url = self.absolute(address)
        waited_s = 0.0

        def attempt() -> Answer:
            self._wait_to_read(where)
            answer = self._send("GET", url, headers, None, where)
            if answer.status in fine:
                return answer
            raise self._again_or_error(answer, where)

        def wait(state: tenacity.RetryCallState) -> float:
            again = _again_of(state)
            if again.wait_s is not None:
                return again.wait_s
            return backoff_s(state.attempt_number) * (0.5 + self._chance() / 2)

        failures = broken = 0

        def stop(state: tenacity.RetryCallState) -> bool:
            nonlocal broken, failures, waited_s
            again = _again_of(state)
            if again.wait_s is not None:
                waited_s += again.wait_s
                if waited_s > self.environment.max_wait_s:
                    return True
            if isinstance(again.failure, ReadIncomplete):
                broken += 1
            elif not again.throttled:
                failures += 1
            return failures > self.environment.retries or broken > MAX_BROKEN_BODIES

        def count(state: tenacity.RetryCallState) -> None:
            again = _again_of(state)
            self.count(retries=1, waited_s=again.wait_s or 0.0 if again.throttled else 0.0)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again), wait=wait, stop=stop, sleep=self._sleep, before_sleep=count, reraise=True
        )
        try:
            return retrying(attempt)
        except _Again as again:
            raise again.failure from None

    def post_batch(self, body: bytes, boundary: str, *, operations: int = 1, prefer: str = "", where: str = "") -> Answer:
        """POST a `$batch` once, whatever is answered. It is sent a second time only where the first has certainly done nothing.

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
        except _Again as again:
            raise again.failure from None

    def send(self, method: str, address: str, content: object = None, *, if_match: str = "", where: str = "") -> Answer:
        """Send one request other than a read or a batch, once, whatever is answered.

        Raises: as `post_batch`, and ReadIncomplete where the answer broke off; anything may have happened then.
        """
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if if_match:
            headers["If-Match"] = if_match
        self._wait_to_read(where)
        try:
            return self._send(method, self.absolute(address), headers, None if content is None else msgspec.json.encode(content), where)
        except _Again as again:
            raise again.failure from None

    def absolute(self, address: str) -> str:
        """The full address; a link that the CRM gave is put back on our host, and refused if it points outside the Web API.

        The CRM may echo another of its host names, or a proxy's inside one; the query string stays untouched, and the token goes
        nowhere but to the configured host.
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
            return _Again(faults.error(found, request=answer.request_id, where=where, retry_after_s=wait_s), wait_s, throttled=True)
        failure = faults.error(found, request=answer.request_id, where=where)
        if faults.is_transient(found):
            return _Again(failure, self.retry_after(answer.headers) if "Retry-After" in answer.headers else None)
        return failure

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, where: str, operations: int = 0) -> Answer:
        """One attempt, or a few when the token has lapsed: a 401 says that the request was not even looked at.

        More than two, because a new token may be one that another thread obtained, and that has lapsed again since.
        """
        token = self._tokens.token()
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
            raise (lost if isinstance(lost, CertificateRefused) else _Again(lost)) from None
        self.clock.hear(response.headers.get("Date"))
        try:
            content = read_body(response, self.environment.max_answer_bytes)
        except BodyBroken:
            self.gate.observe(Seen(self.gate.timeline.now() - began, operations, 0, hints=hints_of(response.headers)))
            raise _Again(
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


def backoff_s(attempt: int) -> float:
    """Half a second after the first attempt, then twice as long each time, up to half a minute."""
    return min(2.0 ** min(attempt - 2, 10), BACKOFF_CAP_S)


def _elsewhere() -> ReadIncomplete:
    return ReadIncomplete("A link that the CRM gave leads outside its Web API; it was not followed.", hint="Check the Web API root.")


def _again_of(state: tenacity.RetryCallState) -> _Again:
    failure = state.outcome.exception() if state.outcome else None
    assert isinstance(failure, _Again)
    return failure


def _lost(failure: requests.RequestException, ours: str, where: str) -> ConnectorError:
    """The error for a request without an answer. requests puts addresses into its messages, and a filter may name ids: own words only."""
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
