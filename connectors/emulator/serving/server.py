"""The emulator behind real HTTP: in the foreground for the command line, in the background for tests."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.conditions.switches import switches_of
from connectors.emulator.organisation import Organisation
from connectors.emulator.schema.environment import Environment
from connectors.emulator.schema.environment_file import holds, load_environment
from connectors.emulator.serving.app import App
from connectors.emulator.serving.certificates import server_certificate, write_authority
from connectors.emulator.storage.database import Database

KEEP_ALIVE_S = 120  # a client's pooled connection survives a pause
STOP_S = 3
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class SeedSpec:
    """A synthetic organisation: its size, its random seed, and the day around which its dates are."""

    dossiers: int
    seed: int
    as_of: date

    def rows(self, environment: Environment | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the rows, and where documents of theirs lie if the schema has room for it."""
        from connectors.emulator.seeding.documents import has_documents, with_locations

        rows = self._rows(environment)
        return rows if environment is None or not has_documents(environment) else with_locations(environment, rows)

    def documents(self, environment: Environment) -> Iterator[tuple[str, str, str, str]]:
        """Yield the documents that are there: site, library, path and text."""
        from connectors.emulator.seeding.documents import documents_of, has_documents

        return documents_of(environment, self._rows(environment)) if has_documents(environment) else iter(())

    def _rows(self, environment: Environment | None) -> Iterator[tuple[str, dict[str, Any]]]:
        from connectors.emulator.seeding.any_organisation import rows_of  # long modules of names and texts: only who seeds loads them
        from connectors.emulator.seeding.mixture import generate

        if environment is None or holds(environment, load_environment()):
            return generate(dossiers=self.dossiers, seed=self.seed, as_of=self.as_of)
        return rows_of(environment, cases=self.dossiers, seed=self.seed, as_of=self.as_of)


class _Server(uvicorn.Server):
    """Reports when it accepts requests, and returns when a signal has stopped it: uvicorn would raise the
    signal once more."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut idle connections, then shut down. Over TLS closing waits for the client's own close, and a
        client with an idle connection sends none."""
        if self.config.is_ssl:
            for connection in list(self.server_state.connections):
                cycle = getattr(connection, "cycle", None)
                if cycle is None or cycle.response_complete:
                    connection.transport.abort()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def build(
    *, environment: Path | None, seed: SeedSpec | None, token: str | None, limits: bool, state: Path | None, profile: str = "online"
) -> Organisation:
    """Return an organisation with its rows; a state file that already holds rows is not seeded again."""
    clock = Clock()
    schema = load_environment(environment)
    tables = Database(schema, clock, state, switches_of(profile))
    organisation = Organisation(tables, clock, token=token, limits=limits)
    if seed is not None:
        organisation.seed, organisation.documents = partial(seed.rows, schema), partial(seed.documents, schema)
        if tables.is_empty():
            organisation.fill()
    return organisation


def serve(
    *,
    host: str,
    port: int,
    environment: Path | None,
    seed: SeedSpec | None,
    token: str | None,
    limits: bool,
    state: Path | None,
    announce: Callable[[str], None],
    tls: Path | None = None,
    profile: str = "online",
) -> None:
    """Serve until SIGINT or SIGTERM; `announce` gets one line once requests are accepted. With `tls` it
    speaks https and writes the certificate to trust to that file. `profile` is `online` or `onprem`. Raises
    OSError: the port is taken; CertificateProblem: `tls` cannot be written; EnvironmentProblem, StateProblem:
    the files cannot be served."""
    with _listening(host, port) as listener:
        organisation = build(environment=environment, seed=seed, token=token, limits=limits, state=state, profile=profile)
        url = _root(host, listener, tls) + _service(organisation)
        try:
            server = _Server(_config(organisation, host, tls), lambda: announce(f"emulator ready {url}"))
            server.run(sockets=[listener])
        finally:
            organisation.tables.close()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=512) as listener:
        yield listener


def _root(host: str, listener: socket.socket, tls: Path | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{listener.getsockname()[1]}"


def _service(organisation: Organisation) -> str:
    return f"/api/data/{organisation.switches.highest_version}/"


def _config(organisation: Organisation, host: str, tls: Path | None) -> uvicorn.Config:
    if tls is None:
        return _plain(organisation)
    made = server_certificate(host)
    with made.files() as (certificate, key):
        config = _plain(organisation, certificate, key)
        config.load()  # reads both files, which need not stay
    write_authority(tls, made.authority)
    return config


def _plain(organisation: Organisation, certificate: Path | None = None, key: Path | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        App(organisation),
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,  # the Date header follows the emulator's clock
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


@dataclass
class RunningEmulator:
    """A running emulator and handles that tests use without HTTP."""

    root: str  # scheme, host and port
    url: str  # Web API root
    emulator: Organisation  # handles without HTTP: tables, faults, limits, clock, reset

    def load(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> int:
        """Insert rows at once, unchecked; gives their number."""
        return self.emulator.tables.load(rows)

    def stats(self) -> dict[str, Any]:
        return self.emulator.stats.document()


@contextmanager
def running(
    *,
    environment: Path | None = None,
    seed: SeedSpec | None = None,
    token: str | None = None,
    limits: bool = False,
    state: Path | None = None,
    port: int = 0,
    tls: Path | None = None,
    profile: str = "online",
) -> Iterator[RunningEmulator]:
    """Serve from a background thread on a free loopback port, until the block ends. `tls` as for `serve`."""
    with _listening(LOOPBACK, port) as listener:
        organisation = build(environment=environment, seed=seed, token=token, limits=limits, state=state, profile=profile)
        ready = threading.Event()
        server = _Server(_config(organisation, LOOPBACK, tls), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="emulator", daemon=True)
        thread.start()
        try:
            _await(ready, thread)
            root = _root(LOOPBACK, listener, tls)
            yield RunningEmulator(root, root + _service(organisation), organisation)
        finally:
            server.should_exit = True
            thread.join(STOP_S + 7)
            organisation.tables.close()


def _await(ready: threading.Event, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 30
    while not ready.wait(0.05):
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the emulator did not start")
