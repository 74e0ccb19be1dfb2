"""Pooled HTTP sessions of one account, one for each thread."""

import threading
from collections.abc import Mapping
from typing import Any

import requests
from requests.cookies import RequestsCookieJar

from connectors.dynamics.http.deadline import DeadlineAdapter
from connectors.dynamics.http.environment import Environment

_TAG = "If-None-Match"
_COMMON_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    _TAG: "null",  # no cached data (Microsoft Learn, "Compose HTTP requests and handle errors")
}


class _NoCookies(RequestsCookieJar):
    """Keeps no cookie, and does not even read one: the affinity cookie would pin all work to one web server,
    whose limits are then met at once (service protection limits)."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Leave them where they are."""

    def add_cookie_header(self, request: Any) -> None:
        """Do nothing: there is no cookie to send."""


class Sessions:
    """Opens a session where a thread has none yet, and closes them all."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._local = threading.local()
        self._open: list[requests.Session] = []

    def close(self) -> None:
        """Close the sessions of all threads; who asks again gets new ones."""
        with self._lock:
            sessions, self._open = self._open, []
        for session in sessions:
            session.close()
        self._local = threading.local()

    def prepare(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, token: str) -> requests.PreparedRequest:
        """Return a request to exactly this address, with this token if there is one. It is built here: what a
        session would look up for each request, like cookies and a .netrc, is not wanted, and costs as much as
        the rest."""
        session = self._session()
        prepared = requests.PreparedRequest()
        prepared.prepare_method(method)
        prepared.url = url  # verbatim: a paging cookie does not survive being taken apart and put together
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        prepared.prepare_headers({**session.headers, **headers, **authorization})
        prepared.prepare_cookies(session.cookies)
        prepared.prepare_body(body, None)
        return prepared

    def send(self, prepared: requests.PreparedRequest) -> requests.Response:
        """Send the request, once; the body of the answer is still to be read. Raises
        requests.RequestException: there is no answer."""
        timeout = (self._environment.connect_timeout_s, self._environment.read_timeout_s)
        session = self._session()
        return session.send(prepared, stream=True, allow_redirects=False, timeout=timeout, **self._local.settings)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers.clear()
            common = {name: value for name, value in _COMMON_HEADERS.items() if name != _TAG or not self._environment.sends_no_tag}
            session.headers.update({**common, "User-Agent": self._environment.user_agent, "Connection": "keep-alive"})
            session.trust_env = False  # what the environment says about proxies is read once, in _settings
            session.cookies = _NoCookies()
            adapter = DeadlineAdapter(
                self._environment.answer_s, pool_connections=1, pool_maxsize=self._environment.pool_size, max_retries=0
            )
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
            self._local.settings = self._settings()
            with self._lock:
                self._open.append(session)
        return session

    def _settings(self) -> dict[str, Any]:
        """Return proxies and CA bundle as requests would find them; on our own machine none of it applies."""
        if self._environment.is_loopback:
            return {"proxies": {}, "verify": self._environment.ca_file or True}
        with requests.Session() as probe:
            settings: dict[str, Any] = dict(
                probe.merge_environment_settings(self._environment.url, {}, False, self._environment.ca_file, None)
            )
        return {"proxies": settings["proxies"], "verify": self._environment.ca_file or settings["verify"] or True}
