"""The server below the application: one connection after another, none of which may cost much or last long.

Anybody who can reach the port can open connections. Without limits, three hundred of them that never finish
their headers, or one header without an end, would use up the whole process (the service's own log records no
addresses: addresses hold tokens)."""

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from rules.errors import UsageError

HOST: Final = "127.0.0.1"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
CONNECTIONS: Final = 200  # at once; half of the file descriptors where those are fewer
HEADER_BYTES: Final = 16 * 1024
HEADER_S: Final = 10.0
BODY_S: Final = 120.0  # for a form of a few MiB on a slow line
STALL_S: Final = 60.0  # without anything of an answer being taken
CONNECTION_S: Final = 3600.0
# An idle connection stays for longer than a reverse proxy keeps it (Caddy: two minutes, nginx: one): whoever
# closes first while a request is on its way fails it, and a proxy does not send a form again.
KEEP_S: Final = 130
GRACE_S: Final = 5


class OneLength(h11.Connection):
    """Refuses a request that states its length twice: a proxy may have used the other length, and what is
    body to one of us is then a request of somebody else to the other (RFC 9112, 6.1)."""

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request) and {b"content-length", b"transfer-encoding"} <= {name for name, _ in event.headers}:
            raise h11.RemoteProtocolError("two lengths")
        return event


class GuardedConnection(H11Protocol):
    """One connection, with its limits: how many there are, how long headers and body take, how long nothing
    is taken, how long it lives."""

    header_s = HEADER_S
    body_s = BODY_S
    stall_s = STALL_S
    connection_s = CONNECTION_S
    most = CONNECTIONS
    _header_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _idle_since = 0.0
    _stall_timer: asyncio.TimerHandle | None = None
    _life_timer: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = OneLength(h11.SERVER, HEADER_BYTES)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class above
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        if (over := self._one_too_many()) is not None:
            over.transport.abort()
            if over is self:
                return
        self._life_timer = self.loop.call_later(self.connection_s, transport.abort)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._header_timer, self._body_timer, self._stall_timer, self._life_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await_headers()
        self._await_body()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._idle_since = self.loop.time()
        if self.conn.trailing_data[0]:  # of a next request a piece has come already, and no other may follow
            self._await_headers()
        if self.conn.their_state is h11.SEND_BODY:  # nothing here asks for a body: nobody waits for its end
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, or has headers beyond their size, as everything else is answered."""
        headers = [*HEADERS.items(), ("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(b"bad request\n"),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _one_too_many(self) -> "GuardedConnection | None":
        """Return the connection that has to go for this one, if there are too many: the one that has been
        idle for longest, else this one. Whoever asks for something does so at once, so a crowd that only
        holds its places loses them. Addresses tell nothing: behind a reverse proxy everybody has the same."""
        there = [each for each in self.connections if isinstance(each, GuardedConnection) and not each.transport.is_closing()]
        if len(there) <= self.most:
            return None
        return min((each for each in there if each._is_idle), key=lambda each: each._idle_since, default=self)

    @property
    def _is_idle(self) -> bool:
        """Whether no whole request has come, and nothing of an answer is left to be taken. What has come in
        part is carried out by nobody: every form and call is read whole first."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.get_write_buffer_size()

    def _await_headers(self) -> None:
        """Start or stop the time limit for headers. It begins with the connection or the first byte of the
        next request, and ends with the last header."""
        is_whole = self.conn.their_state is not h11.IDLE
        if is_whole and self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        elif not is_whole and self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_s, self.transport.abort)

    def _await_body(self) -> None:
        """Start or stop the time limit for a body. Anybody may begin to send one, signed in or not."""
        is_coming = self.conn.their_state is h11.SEND_BODY
        if is_coming and self._body_timer is None:
            self._body_timer = self.loop.call_later(self.body_s, self.transport.abort)
        elif not is_coming and self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None


class Server(uvicorn.Server):
    """Reports when it takes requests. Ends by `should_exit` alone, and by no signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Do nothing: whoever runs it sets `should_exit`."""


def server_of(
    app: ASGIApp, *, ready: Callable[[], None], trusted_proxies: Sequence[str] = (), connection: type[GuardedConnection]
) -> Server:
    """Return a server that is not running yet: `run(sockets=[…])` until `should_exit`. Only `trusted_proxies`
    (addresses or networks) are believed about the client for which they speak."""
    logging.getLogger("uvicorn.access").disabled = True  # without it a handler that somebody else attaches would write addresses
    options: dict[str, Any] = {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "lifespan": "off",
        "ws": "none",
        "http": connection,
        "h11_max_incomplete_event_size": HEADER_BYTES,
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": list(trusted_proxies),
        "timeout_graceful_shutdown": GRACE_S,
        "timeout_keep_alive": KEEP_S,
    }
    return Server(uvicorn.Config(app, **options), ready)


def fitted() -> type[GuardedConnection]:
    """Return the connection class, limited by the file descriptors of this process. Half of them are kept for
    everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, soft // 2)
    return type("FittedConnection", (GuardedConnection,), {"most": most})


@contextmanager
def listening(port: int, host: str = HOST) -> Iterator[socket.socket]:
    """Take the port, before anything else of the service starts. Raises UsageError: somebody else has it, or
    there is no such address."""
    if not host:  # as an unset variable of a shell is: it would mean every address of the machine
        raise UsageError("no address is named", hint="serve --host 127.0.0.1", where="--host")
    try:
        socket.getaddrinfo(host, port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UsageError("this machine has no such address", hint="serve --host 127.0.0.1", where=host) from None
        raise UsageError(
            f"port {port} is taken or not allowed", hint="serve --port N; 0 takes a free one", where=f"{host}:{port}"
        ) from None
    with listener:
        yield listener


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
