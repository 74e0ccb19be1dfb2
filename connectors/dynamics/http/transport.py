"""One HTTP request to the CRM: token, time-out, request ids, and the body whole (reference: sections 1.8, 7.4
and 8). Whether it is sent again, `retry.py` says."""

import itertools
import random
import re
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from urllib.parse import urlsplit

import msgspec
import requests

from connectors.dynamics.http import faults
from connectors.dynamics.http.answers import Answer, NotDue, NotSent, lost
from connectors.dynamics.http.auth import TokenSource
from connectors.dynamics.http.bodies import BodyBroken, read_body
from connectors.dynamics.http.characters import with_whole_characters
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.retry import ONCE, REPEATABLE, UNTIL_CONNECTED, Again, Retry
from connectors.dynamics.http.server_clock import ENOUGH, ServerClock
from connectors.dynamics.http.sessions import Sessions
from connectors.dynamics.pace.allowance import hints_of
from connectors.dynamics.pace.gate import Gate, Impatient, Timeline
from connectors.dynamics.pace.governor import Observation
from connectors.interface.changes import IsDue, always_due
from connectors.interface.errors import ReadIncomplete
from connectors.interface.rows import ReadStats

_ID = re.compile(rb'"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?"')
_BOM = b"\xef\xbb\xbf"  # some gateways write one before whatever they pass on
MAX_RENEWALS = 3  # of the token, for one request; then the account itself is refused
_REFUSALS = (400, 403, 404, 405, 410, 500, 501)
# What the CRM tells by default as it was up to half a minute ago: definitions, and what a user may do
# (reference: sections 1.8 and 10.1).
_CACHED = re.compile(r"\b(?:EntityDefinitions|RetrieveUserPrivileges|RetrievePrincipalAttributePrivileges)\b")
_BYTES = "application/octet-stream"  # of a file, which may well be a page
_counting = threading.Lock()  # several transports count into the same statistics


class Transport:
    """Requests of one account to one CRM; for several threads, each with its own pooled session."""

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
        on_long_wait: Callable[[float], None] | None = None,
    ) -> None:
        self.environment = environment
        self.stats = stats if stats is not None else ReadStats()
        self.correlation_id = str(uuid.uuid4())
        self._tokens = tokens
        timeline = timeline if timeline is not None else Timeline(sleep, on_long_wait=on_long_wait)
        self.gate = Gate(environment.pace, environment.batch_operations, timeline)
        self.retry = Retry(environment, timeline, chance, self.count, now)
        self._sessions = Sessions(environment)
        self.guard: Callable[[], None] | None = None  # called right before each request; raises where none may be sent any more
        self.clock = ServerClock()

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._sessions.close()

    def server_time(self) -> datetime | None:
        """Return the time by the CRM's clock; more answers are requested where there were too few. None where
        it states no time. Raises as `get`."""
        for _ in range(ENOUGH):
            if self.clock.has_heard_enough:
                break
            self.get("WhoAmI", where="WhoAmI")
        return self.clock.now()

    def get(
        self,
        address: str,
        *,
        prefer: str = "",
        accept: str = "application/json",
        where: str = "",
        as_it_came: bool = False,
        again: Again = REPEATABLE,
    ) -> Answer:
        """Send a GET until it is answered or patience ends, to an address below the Web API root or an
        absolute one of this CRM. A byte order mark is taken off, and ids come without braces and in small
        letters, since they are compared everywhere. Half characters in the JSON of the answer are replaced,
        unless it is asked for `as_it_came`: to look for them takes as long as sending the request.

        Raises:
            Unreachable, Unauthorised, Forbidden, Throttled, ConnectorError: as the answer says; never with
                anything of its body.
            ReadIncomplete: the body broke off each time."""
        headers = {"Prefer": prefer} if prefer else {}
        if _CACHED.search(address) is not None:
            headers["Consistency"] = "Strong"
        if accept != "application/json":
            headers["Accept"] = accept
        answer = self._read(address, headers, (200,), where, again)
        if answer.body.startswith(_BOM):
            answer = replace(answer, body=answer.body.removeprefix(_BOM))
        if (first := _ID.search(answer.body)) is not None and first[0] != _plain(first):
            answer = replace(answer, body=_ID.sub(_plain, answer.body))
        if as_it_came or accept != "application/json":
            return answer
        return replace(answer, body=with_whole_characters(answer.body))

    def get_bytes(self, address: str, *, part: str = "", where: str) -> Answer:
        """Return a file, or a `part` of it (`bytes=0-99`), by GET: 200 the whole of it, 206 a part, 204
        nothing. Raises as `get`."""
        headers = {"Accept": _BYTES} | ({"Range": part} if part else {})
        return self._read(address, headers, (200, 204, 206), where, REPEATABLE)

    def get_elsewhere(self, url: str) -> Answer:
        """Return the answer, of any status, to a GET without a token, at an address that the service itself
        gave; whether it may be asked there is the caller's to know. Raises as `send`."""
        headers = {"Accept": _BYTES}
        return self.retry.until_answered(lambda: self._send_once("GET", url, headers, None, "", "", 0), REPEATABLE)

    def _read(self, address: str, headers: Mapping[str, str], fine: Collection[int], where: str, again: Again) -> Answer:
        answer = self._until_answered("GET", address, headers, None, where, again, at_once=self.gate.reading)
        if answer.status in fine:
            return answer
        self._check_refusal(answer, where)
        raise faults.error(faults.fault(answer.status, answer.body), request=answer.request_id, where=where)

    def _check_refusal(self, answer: Answer, where: str) -> None:
        """Raise ReadIncomplete for a page for people that says that something is not there, not allowed or
        failed: the CRM itself says so to a program in JSON, and only then it holds for longer than this
        moment."""
        if answer.status in _REFUSALS and _is_web_page(answer.headers) and not self.environment.any_odata:
            raise _web_page(None, where, answer.request_id, f" (HTTP {answer.status})")

    def _until_answered(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: bytes | None,
        where: str,
        again: Again,
        at_once: Callable[[], AbstractContextManager[object]] = nullcontext,
        is_due: IsDue = always_due,
    ) -> Answer:
        url, attempts = self.absolute(address), itertools.count()

        def attempt() -> Answer:
            with at_once():  # before the account is asked: what it allows now may be used up when a place is free
                has_waited = self._wait_to_read(where) > 0
                if (next(attempts) or has_waited) and not is_due():
                    raise NotDue("It is not due any more.", where=where)
                return self._send(method, url, headers, body, where)

        return self.retry.until_answered(attempt, again)

    def post_batch(self, body: bytes, boundary: str, *, operations: int) -> Answer:
        """POST a `$batch` that goes on after an error, and give whatever is answered. It is sent again only
        where no connection came about, for a few tries.

        Whether it may be sent now is the caller's to ask (`gate`); `operations` is how many the batch holds.

        Raises:
            NotSent: no connection; nothing happened.
            Unreachable, ReadIncomplete: the answer is lost; anything may have happened.
            Unauthorised: there is no token, or new ones are rejected too; nothing happened."""
        headers = {"Content-Type": f'multipart/mixed; boundary="{boundary}"', "Prefer": "odata.continue-on-error"}
        url = self.absolute("$batch")
        answer = self.retry.until_answered(lambda: self._send("POST", url, headers, body, "$batch", operations), UNTIL_CONNECTED)
        self._check_refusal(answer, "$batch")
        return answer

    def send(
        self,
        method: str,
        address: str,
        content: object = None,
        *,
        if_match: str = "",
        where: str = "",
        again: Again = ONCE,
        is_due: IsDue = always_due,
    ) -> Answer:
        """Send one request other than a read or a batch, and give whatever is answered in the end; `again`
        says after what it may be sent again, `is_due` whether it still shall be, where it had to wait.

        Raises: as `post_batch`, and ReadIncomplete where the answer broke off; anything may have happened
            then. NotDue where it is not due any more."""
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if if_match:
            headers["If-Match"] = if_match
        body = None if content is None else msgspec.json.encode(content)
        answer = self._until_answered(method, address, headers, body, where, again, is_due=is_due)
        self._check_refusal(answer, where)
        return answer

    def absolute(self, address: str) -> str:
        """Return the full address; a link from the CRM is put back on our host, and refused if it is empty or
        points outside the Web API. The CRM may echo another of its host names, or a proxy's inside one; the
        query string stays untouched, and the token is sent only to the configured host."""
        try:
            parts = urlsplit(address)
        except ValueError:
            raise _elsewhere() from None
        if not address.strip():  # the root, which lists the sets, would be read as a page of rows
            raise ReadIncomplete("A link that the CRM gave to what follows is empty.", hint="Try again later.")
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
        missed: tuple[str, int] | None = None,
    ) -> None:
        """Add to the statistics; several threads may work at once, `at_once` of them on batches. `missed`
        names a table."""
        with _counting:
            self.stats.waited_s += waited_s
            self.stats.peak_concurrency = max(self.stats.peak_concurrency, at_once)
            self.stats.requests += requests
            self.stats.retries += retries
            self.stats.throttled += throttled
            self.stats.pages += pages
            self.stats.rows += rows
            self.stats.remembered += remembered
            if missed is not None:
                self.stats.missed[missed[0]] = self.stats.missed.get(missed[0], 0) + missed[1]

    def _wait_to_read(self, where: str) -> float:
        try:
            waited_s = self.gate.wait_to_read(self.environment.max_wait_s)
        except Impatient:
            raise faults.error(faults.Fault(429), where=where) from None
        self.count(waited_s=waited_s)
        return waited_s

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, where: str, operations: int = 0) -> Answer:
        """Make one attempt, or a few when the token has expired: a 401 says that the request was not even
        looked at. More than two, because a new token may be one that another thread obtained, and that has
        expired again since."""
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
            told = lost(failure, ours, where)
            if not isinstance(told, NotSent):
                self.gate.observe(Observation(self.gate.timeline.now() - began, operations, 0))
            raise told from None
        self.retry.has_answered = True
        self.clock.hear(response.headers.get("Date"))
        try:
            content = read_body(response, self.environment.max_answer_bytes)
        except BodyBroken:
            self.gate.observe(Observation(self.gate.timeline.now() - began, operations, 0, hints=hints_of(response.headers)))
            raise ReadIncomplete(
                "An answer of the CRM broke off, was garbled, compressed otherwise than asked for, or longer than an answer may be.",
                hint="Try again later; where it stays so, have what stands before the CRM pass on its answers as they are.",
                where=where,
                status=response.status_code,
                request_id=ours,
            ) from None
        finally:
            response.close()
        if response.status_code == 200 and headers.get("Accept") != _BYTES and _is_web_page(response.headers):
            raise _web_page(200, where, ours)
        retry_after_s = 0.0
        if response.status_code == 429:
            self.count(throttled=1)
            retry_after_s = self.retry.retry_after_s(response.headers)
        seconds = self.gate.timeline.now() - began
        self.gate.observe(Observation(seconds, operations, response.status_code, retry_after_s, hints_of(response.headers)))
        return Answer(response.status_code, response.headers, content, faults.request_id(response.headers, ours))


def _is_web_page(headers: Mapping[str, str]) -> bool:
    """Return whether a body is a page for people, which no Web API gives to a program."""
    return (headers.get("Content-Type") or "").strip().lower().startswith(("text/html", "application/xhtml"))


def _web_page(status: int | None, where: str, request: str, told: str = "") -> ReadIncomplete:
    return ReadIncomplete(
        f"Instead of the CRM a web page answers{told}: a sign-in page, or something that stands between.",
        hint="Check the Web API root, and let the requests of this machine pass to it: proxy, firewall, conditional access.",
        where=where,
        status=status,
        request_id=request,
    )


def _plain(found: re.Match[bytes]) -> bytes:
    return b'"' + found[1].lower() + b'"'


def _elsewhere() -> ReadIncomplete:
    return ReadIncomplete("A link that the CRM gave leads outside its Web API; it was not followed.", hint="Check the Web API root.")
