"""A server between client and emulator that remembers what the emulator has answered and gives the same bytes
again, so that the emulator's own slowness plays no part; if asked, each after a delay, over TLS, or with so
many copies of every row."""

from __future__ import annotations

import gzip
import multiprocessing
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from connectors.dynamics.schema.counts import COUNT_LIMIT

_AT_ONCE = ("EntityDefinitions", "WhoAmI", "RetrieveCurrentOrganization")  # what is not a look at rows
_KEPT = ("content-type", "content-encoding", "odata-version")
_COPY = re.compile(r"&copy=(\d+)$")  # which copy of the rows a page is of; none says the rows themselves
_NEXT = re.compile(rb',?"@odata.nextLink":"([^"]+)"')
_COUNT = re.compile(rb'"@odata.count":(\d+)')
_ID = re.compile(rb"(\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f])[0-9a-f]{2}(?=[0-9a-f]-[0-9a-f]{4}-[0-9a-f]{12}\b)")


class Replay:
    """A server that remembers what is at `url`, in a process of its own; `authority` is where to write the
    certificate that vouches for it over TLS. What is read page by page comes `copies` times, each time with
    other ids and links between them, one after the other in one chain of pages."""

    def __init__(self, url: str, authority: Path | None = None, copies: int = 1) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_remember, args=(theirs, url, authority, copies), daemon=True)
        self._process.start()
        self.url: str = self._pipe.recv()

    def delay(self, seconds: float) -> None:
        """Let each answer to a look at rows take so long from here on."""
        self._pipe.send(seconds)
        self._pipe.recv()

    def close(self) -> None:
        """End the server."""
        self._pipe.send(None)
        self._process.join()


@contextmanager
def replay(url: str, authority: Path | None = None, copies: int = 1) -> Iterator[Replay]:
    """Serve what is at `url`, each answer from memory once it was given."""
    server = Replay(url, authority, copies)
    try:
        yield server
    finally:
        server.close()


def _remember(pipe: Connection, url: str, authority: Path | None, copies: int) -> None:
    answers: dict[tuple[str, str, str], tuple[int, dict[str, str], bytes]] = {}
    first: dict[str, str] = {}  # of a chain, by the path of each further page
    pool = urllib3.PoolManager(maxsize=64)
    origin, here, delay, alone = url[: url.index("/api/")], [""], [0.0], threading.Lock()

    class Remembering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: the second of two would wait for the first to be confirmed

        def do_GET(self) -> None:
            asked = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            copy = int(found[1]) if (found := _COPY.search(self.path)) else 0
            path = _COPY.sub("", self.path)
            key = (path, self.headers.get("Prefer", ""), self.headers.get("Accept-Encoding", ""))
            is_of_rows = not any(name in self.path for name in _AT_ONCE)
            if delay[0] and is_of_rows:
                time.sleep(delay[0])
            if key not in answers:
                with alone:
                    answer = pool.request("GET", origin + path, headers=asked, decode_content=False)
                kept = {name: value for name, value in answer.headers.items() if name.lower() in _KEPT}
                answers[key] = answer.status, kept, _pointing(answer.data, kept.get("content-encoding", ""), origin, here[0])
            status, headers, body = answers[key]
            if copies > 1 and is_of_rows and "maxpagesize" in key[1]:
                body = _copied(body, headers.get("content-encoding", ""), here[0], path, first, copy, copies)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep silent."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Remembering)
    if authority is not None:
        from connectors.emulator.serving.certificates import server_certificate, write_authority

        made, context = server_certificate("127.0.0.1"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with made.files() as (certificate, key):
            context.load_cert_chain(certificate, key)
        write_authority(authority, made.authority)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here[0] = f"{'http' if authority is None else 'https'}://127.0.0.1:{server.server_port}"
    pipe.send(f"{here[0]}{urlsplit(url).path}")
    while (told := pipe.recv()) is not None:
        delay[0] = told
        pipe.send(None)


def _pointing(body: bytes, encoding: str, origin: str, here: str) -> bytes:
    """Return the body of an answer with links that lead here."""
    told = gzip.decompress(body) if encoding == "gzip" else body
    told = told.replace(f'"{origin}/'.encode(), f'"{here}/'.encode())
    return gzip.compress(told) if encoding == "gzip" else told


def _copied(body: bytes, encoding: str, here: str, path: str, first: dict[str, str], copy: int, copies: int) -> bytes:
    """Return a page of one of the copies. Behind the last page of a copy comes the first of the next."""
    page = gzip.decompress(body) if encoding == "gzip" else body
    beginning, number, link = first.get(path, path), copy, ""
    if found := _NEXT.search(page):
        link = found[1].decode()
        first[link.removeprefix(here)] = beginning
        page = page[: found.start()] + page[found.end() :]
    elif copy + 1 < copies:
        number, link = copy + 1, here + beginning
    page = _ID.sub(rb"\g<1>%02x" % copy, page)
    page = _COUNT.sub(lambda count: b'"@odata.count":%d' % min(int(count[1]) * copies, COUNT_LIMIT), page)
    if link:
        link += f"&copy={number}" if number else ""
        page = page[: page.rindex(b"}")] + f',"@odata.nextLink":"{link}"}}'.encode()
    return gzip.compress(page, 1) if encoding == "gzip" else page
