"""A limit on the time of a whole answer, from its first byte to its last; on its size there is one in
bodies.py.

A time-out of a socket counts the silence between two bytes, so a peer that sends a byte now and then would
hold a command for ever, in the headers as in the body. Here the bytes of an answer are read through a stream
that also knows when all of it must have come."""

import io
import os
import socket
from collections.abc import Callable
from functools import lru_cache, partial
from http.client import HTTPResponse
from ssl import SSLContext
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import SSLError
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

Now = Callable[[], float]


def trusting(bundle: str) -> SSLContext:
    """Return what urllib3 makes for each connection, with the certificates of a file or folder, for all of
    them. Raises requests.exceptions.SSLError: they cannot be read."""
    context = create_urllib3_context()
    place = {"capath" if os.path.isdir(bundle) else "cafile": bundle}
    try:
        context.load_verify_locations(**place)
    except OSError as failure:
        raise SSLError(failure) from None
    return context


class DeadlineAdapter(HTTPAdapter):
    """Sends requests whose answers are whole `answer_s` seconds after the wait began, or broken off. What it
    trusts over TLS is `trust`; without, what each request names."""

    def __init__(self, answer_s: float, *, trust: SSLContext | None = None, now: Now = monotonic, **options: Any) -> None:
        self._trust: dict[str, Any] = {} if trust is None else {"ssl_context": trust}
        self._pools = _pools(answer_s, now)
        self._last: tuple[tuple[str, str], Any] | None = None
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **(options | self._trust))
        self._limit(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return self._limit(super().proxy_manager_for(proxy, **options, **self._trust))

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Name a pool the certificates to read for each connection, unless they have been read."""
        if not self._trust:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]

    def get_connection_with_tls_context(self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        """Return the pool of the last host where it is asked again, as it nearly always is: to look for it
        takes a tenth of a small request. Of another host it is looked for, which may close that of the last.
        Proxies and certificates are those of the whole adapter."""
        parts = urlsplit(request.url or "")
        if self._last is None or self._last[0] != (parts.scheme, parts.netloc):
            pool = super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
            self._last = (parts.scheme, parts.netloc), pool
        return self._last[1]

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """Return the answer as requests makes it, without its cookies, which nobody needs and which take as
        long as sending it, and with its headers as they came, which are found in either case too."""
        response = Response()
        response.status_code, response.headers = resp.status, resp.headers
        response.raw, response.reason = resp, resp.reason
        response.url = str(req.url)
        response.request, response.connection = req, self
        return response

    def _limit(self, manager: Any) -> Any:
        """Make a manager open connections that read answers as they are read here."""
        manager.pool_classes_by_scheme = self._pools
        return manager


@lru_cache(maxsize=8)  # each thread has an adapter, and all of a client the same limit
def _pools(answer_s: float, now: Now) -> dict[str, Any]:
    """Return the kinds of pools whose connections read answers with this limit."""
    answer = staticmethod(partial(_Answer, answer_s, now))  # else a class would bind it to its connections
    plain = type("PlainConnection", (HTTPConnection,), {"response_class": answer})
    secure = type("SecureConnection", (HTTPSConnection,), {"response_class": answer})
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class _Answer(HTTPResponse):
    """An answer whose bytes come through a stream with a deadline."""

    def __init__(self, answer_s: float, now: Now, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        assert isinstance(self.fp, io.BufferedReader)
        self.fp = io.BufferedReader(_Stream(self.fp.detach(), sock, now() + answer_s, now))


class _Stream(io.RawIOBase):
    """The bytes of one answer, until the deadline."""

    def __init__(self, source: io.RawIOBase, sock: socket.socket, deadline: float, now: Now) -> None:
        self._source, self._sock, self._deadline, self._now = source, sock, deadline, now
        self._silence_s = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._deadline - self._now()
        if left_s <= 0:
            raise TimeoutError("the answer takes longer than it may")
        self._sock.settimeout(left_s if self._silence_s is None else min(left_s, self._silence_s))
        return self._source.readinto(buffer)

    def close(self) -> None:
        self._source.close()
        super().close()
