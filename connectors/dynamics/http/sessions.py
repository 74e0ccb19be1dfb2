"""Pooled HTTP connections of one account, a pool for each thread.

Requests go to the adapter of the pool itself. What a session of `requests` does around each of them takes as
long as sending it, and nothing of it is wanted: no redirect is followed, no .netrc looked up, and no cookie
kept. The affinity cookie would pin all work to one web server, whose limits are then met at once (service
protection limits)."""

import threading
from collections.abc import Mapping
from ssl import SSLContext
from typing import Any

import requests
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from connectors.dynamics.http.deadline import DeadlineAdapter, trusting
from connectors.dynamics.http.environment import Environment

_TAG = "If-None-Match"
_COMMON_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    _TAG: "null",  # no cached data (Microsoft Learn, "Compose HTTP requests and handle errors")
}


class Sessions:
    """Opens a pool where a thread has none yet, and closes them all."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        common = {name: value for name, value in _COMMON_HEADERS.items() if name != _TAG or not environment.sends_no_tag}
        self._headers = {**common, "User-Agent": environment.user_agent, "Connection": "keep-alive"}
        self._lock = threading.Lock()
        self._local = threading.local()
        self._open: list[DeadlineAdapter] = []
        self._settings: dict[str, Any] = {}
        self._trust: SSLContext | None = None

    def close(self) -> None:
        """Close the pools of all threads; who asks again gets new ones."""
        with self._lock:
            adapters, self._open = self._open, []
        for adapter in adapters:
            adapter.close()
        self._local = threading.local()

    def prepare(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, token: str) -> requests.PreparedRequest:
        """Return a request to exactly this address, with this token if there is one."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(method)
        prepared.url = url  # verbatim: a paging cookie does not survive being taken apart and put together
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        prepared.prepare_headers({**self._headers, **headers, **authorization})
        prepared.prepare_body(body, None)
        return prepared

    def send(self, prepared: requests.PreparedRequest) -> requests.Response:
        """Send the request, once; the body of the answer is still to be read. Raises
        requests.RequestException: there is no answer."""
        timeout = (self._environment.connect_timeout_s, self._environment.read_timeout_s)
        adapter = self._adapter()
        try:
            return adapter.send(prepared, stream=True, timeout=timeout, **self._settings)
        except urllib3.exceptions.LocationParseError:  # of an address that the service gave; its message repeats the host
            raise requests.exceptions.InvalidURL from None

    def _adapter(self) -> DeadlineAdapter:
        adapter: DeadlineAdapter | None = getattr(self._local, "adapter", None)
        if adapter is None:
            with self._lock:
                if not self._settings:
                    self._look_around()
                size, trust = self._environment.pool_size, self._trust
                adapter = DeadlineAdapter(self._environment.answer_s, trust=trust, pool_connections=1, pool_maxsize=size, max_retries=0)
                self._open.append(adapter)
            self._local.adapter = adapter
        return adapter

    def _look_around(self) -> None:
        """Find proxies and CA bundle as requests would; on our own machine none of it applies. The bundle is
        read once: to read it for each connection takes as long as a dozen small requests."""
        bundle, proxies = self._environment.ca_file or DEFAULT_CA_BUNDLE_PATH, dict[str, str]()
        if not self._environment.is_loopback:
            with requests.Session() as probe:
                found = probe.merge_environment_settings(self._environment.url, {}, False, self._environment.ca_file, None)
            proxies = dict(found["proxies"])
            if isinstance(found["verify"], str):
                bundle = found["verify"]
        if self._environment.url.startswith("https:"):
            self._trust = trusting(bundle)
        self._settings = {"proxies": proxies, "verify": bundle if self._trust is None else True}
