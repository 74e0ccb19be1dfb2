"""One HTTP request to the CRM: token, time-out, retries, `Retry-After`, request ids (reference: sections 1.8, 7.4 and 8)."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter

from connectors.dynamics import faults
from connectors.dynamics.auth import TokenSource
from connectors.dynamics.bodies import BodyBroken, read_body
from connectors.dynamics.config import Environment
from connectors.interface import ConnectorError, ReadIncomplete, ReadStats, Unreachable

DEFAULT_RETRY_AFTER_S = 30.0
SHORTEST_WAIT_S = 1.0
MAX_BROKEN_BODIES = 2  # in a row; a line that keeps breaking gives no read that one could trust
BACKOFF_CAP_S = 30.0

_COMMON_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    "If-None-Match": "null",  # no cached data (Microsoft Learn, "Compose HTTP requests and handle errors")
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the body is whole, decompressed and unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes
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
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.environment = environment
        self.stats = stats if stats is not None else ReadStats()
        self.correlation_id = str(uuid.uuid4())
        self._tokens = tokens
        self._sleep = sleep
        self._chance = chance
        self._now = now
        self._lock = threading.Lock()
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()
        self._local = threading.local()

    def get(self, address: str, *, prefer: str = "", accept: str = "application/json", where: str = "") -> Answer:
        """GET an address below the Web API root, or an absolute one of this CRM, until it is answered or patience ends.

        Raises:
            Unreachable, Unauthorised, Forbidden, Throttled, ConnectorError: as the answer says; never with anything of its body.
            ReadIncomplete: the body broke off each time.
        """
        url = self.absolute(address)
        headers = {"Prefer": prefer} if prefer else {}
        if accept != "application/json":
            headers["Accept"] = accept
        waited_s = 0.0

        def attempt() -> Answer:
            answer = self._send("GET", url, headers, None, where)
            if answer.status == 200:
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
            self.count(retries=1)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again), wait=wait, stop=stop, sleep=self._sleep, before_sleep=count, reraise=True
        )
        try:
            return retrying(attempt)
        except _Again as again:
            raise again.failure from None

    def post_batch(self, body: bytes, boundary: str, *, prefer: str = "", where: str = "") -> Answer:
        """POST a `$batch` once, whatever is answered. It is sent a second time only where the first has certainly done nothing.

        Raises:
            NotSent: no connection; nothing happened.
            Unreachable: the answer is lost; anything may have happened.
            Unauthorised: there is no token, or the new one is rejected too; nothing happened.
        """
        headers = {"Content-Type": f'multipart/mixed; boundary="{boundary}"'}
        if prefer:
            headers["Prefer"] = prefer
        try:
            return self._send("POST", self.absolute("$batch"), headers, body, where)
        except _Again as again:
            raise again.failure from None

    def absolute(self, address: str) -> str:
        """The full address; a link that the CRM gave is put back on our host, and refused if it points outside the Web API.

        The CRM may echo another of its host names, or a proxy's inside one; the query string stays untouched, and the token goes
        nowhere but to the configured host.
        """
        parts = urlsplit(address)
        is_full = bool(parts.scheme or parts.netloc)
        if is_full and not (parts.scheme in ("http", "https") and parts.netloc):
            raise _elsewhere()
        path = parts.path if is_full or address.startswith("/") else self.environment.root_path + parts.path
        if not path.startswith(self.environment.root_path) or any(segment in (".", "..") for segment in path.split("/")):
            raise _elsewhere()
        if is_full:
            rest = address.split("://", 1)[1]
            return self.environment.origin + rest[rest.index("/") :]
        return self.environment.origin + address if address.startswith("/") else self.environment.url + address

    def pause(self, seconds: float) -> None:
        """Wait because the CRM asked for it (a 429 on a batch)."""
        self.count(retries=1)
        self._sleep(seconds)

    def count(self, *, requests: int = 0, retries: int = 0, throttled: int = 0, pages: int = 0, rows: int = 0) -> None:
        """Add to the statistics; several threads may read at once."""
        with self._lock:
            self.stats.requests += requests
            self.stats.retries += retries
            self.stats.throttled += throttled
            self.stats.pages += pages
            self.stats.rows += rows

    def retry_after(self, headers: Mapping[str, str]) -> float:
        """How long the CRM asks us to wait: whole seconds or an HTTP date; half a minute if it does not say.

        At least a second, so that a service which asks for none and keeps refusing uses up our patience too.
        """
        text = headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return max(float(text), SHORTEST_WAIT_S)
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return DEFAULT_RETRY_AFTER_S
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # The server's own clock, if it tells, so that a skewed clock here does not shorten the wait.
        try:
            now = parsedate_to_datetime(headers.get("Date", ""))
        except (ValueError, TypeError):
            if self._now is None:
                return DEFAULT_RETRY_AFTER_S
            now = self._now()
        if now.tzinfo is None:
            now = now.replace(tzinfo=UTC)
        return max((moment - now).total_seconds(), SHORTEST_WAIT_S)

    def _again_or_error(self, answer: Answer, where: str) -> Exception:
        found = faults.fault(answer.status, answer.body)
        if answer.status == 429:
            wait_s = self.retry_after(answer.headers)
            return _Again(faults.error(found, request=answer.request_id, where=where, retry_after_s=wait_s), wait_s, throttled=True)
        failure = faults.error(found, request=answer.request_id, where=where)
        if faults.is_transient(found):
            return _Again(failure, self.retry_after(answer.headers) if "Retry-After" in answer.headers else None)
        return failure

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, where: str) -> Answer:
        """One attempt, or two when the token has lapsed: a 401 says that the request was not even looked at."""
        token = self._tokens.token()
        answer = self._send_once(method, url, headers, body, token, where)
        if answer.status == 401:
            renewed = self._tokens.renew(token)
            if renewed is None or renewed == token:
                raise faults.error(faults.fault(401, answer.body), request=answer.request_id, where=where)
            self.count(retries=1)
            answer = self._send_once(method, url, headers, body, renewed, where)
            if answer.status == 401:
                raise faults.error(faults.fault(401, answer.body), request=answer.request_id, where=where)
        return answer

    def _send_once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, token: str, where: str) -> Answer:
        session = self._session()
        ours = str(uuid.uuid4())
        request = requests.Request(
            method,
            self.environment.url,
            headers={**headers, "x-ms-client-request-id": ours, "x-ms-correlation-id": self.correlation_id},
            data=body,
        )
        prepared = session.prepare_request(request)
        prepared.headers["Authorization"] = f"Bearer {token}"  # set last, so that no .netrc can replace it
        prepared.url = url  # verbatim: a paging cookie does not survive being taken apart and put together
        self.count(requests=1)
        try:
            response = session.send(
                prepared,
                stream=True,
                allow_redirects=False,
                timeout=(self.environment.connect_timeout_s, self.environment.read_timeout_s),
                **self._settings(),
            )
        except requests.RequestException as failure:
            lost = _lost(failure, ours, where)
            raise (lost if isinstance(lost, CertificateRefused) else _Again(lost)) from None
        try:
            content = read_body(response)
        except BodyBroken:
            raise _Again(
                ReadIncomplete("An answer of the CRM broke off or was garbled.", where=where, status=response.status_code, request_id=ours)
            ) from None
        finally:
            response.close()
        if response.status_code == 429:
            self.count(throttled=1)
        return Answer(response.status_code, response.headers, content, faults.request_id(response.headers, ours))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers.clear()
            session.headers.update({**_COMMON_HEADERS, "User-Agent": self.environment.user_agent, "Connection": "keep-alive"})
            session.trust_env = False  # what the environment says about proxies is read once, in _settings
            # The affinity cookie would pin all work to one web server, whose limits are then met at once (service protection limits).
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            adapter = HTTPAdapter(pool_connections=1, pool_maxsize=self.environment.pool_size, max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
            self._local.settings = self._environment_settings()
            with self._lock:
                self._sessions.append(session)
        return session

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = self._local.settings
        return settings

    def _environment_settings(self) -> dict[str, Any]:
        """Proxies and CA bundle as requests would find them; nothing of it applies on our own machine."""
        if self.environment.is_loopback:
            return {"proxies": {}, "verify": self.environment.ca_file or True}
        with requests.Session() as probe:
            settings: dict[str, Any] = dict(
                probe.merge_environment_settings(self.environment.url, {}, False, self.environment.ca_file, None)
            )
        return {"proxies": settings["proxies"], "verify": self.environment.ca_file or settings["verify"] or True}


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
