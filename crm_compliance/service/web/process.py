"""What serves people, in a process of its own: it shares no file descriptors, memory or fate with the nightly
jobs. The process that runs the nights takes the port, starts this one, starts it again if it fails, and ends
it. This one ends by itself when that process has ended, however it ended. Signals that end a service go to
all of its processes, as Ctrl-C at a terminal: this one leaves them to the other, which may have a run to end
first."""

import multiprocessing
import multiprocessing.resource_tracker
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

import structlog

from crm_compliance.configuration.settings import Settings
from crm_compliance.service.web.server import address_of
from crm_compliance.wiring.clock import clock_of
from jobs.ports.context import Clock
from rules.errors import UsageError

READY: Final = b"ready"
READY_S: Final = 60.0
AGAIN_S: Final = 5.0  # before it is restarted
END_S: Final = 10.0
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
log = structlog.get_logger()


@contextmanager
def serving(settings: Settings, listener: socket.socket, since: datetime | None = None) -> Iterator[str]:
    """Serve on `listener` until the block ends; yield the address. Raises UsageError: it does not
    start."""
    stop, clock = threading.Event(), clock_of(settings)
    since = since or clock()
    process, ready = _started(settings, listener, clock, since)
    wait([ready, process.sentinel], READY_S)
    if not _has_told(ready):
        _end(process, ready)
        raise UsageError(
            "the service does not answer on its port",
            hint="the log says why, where it is not that this takes longer than a minute",
            where=address_of(listener),
        )
    keeper = threading.Thread(target=_keep, args=(settings, listener, clock, since, process, ready, stop), name="web", daemon=True)
    keeper.start()
    try:
        yield address_of(listener)
    finally:
        stop.set()
        keeper.join(2 * END_S)


def _keep(
    settings: Settings,
    listener: socket.socket,
    clock: Clock,
    since: datetime,
    process: BaseProcess,
    ready: Connection,
    stop: threading.Event,
) -> None:
    """Start it again whenever it falls, until `stop` is set."""
    while not stop.is_set():
        if process.is_alive():
            process.join(0.2)
            continue
        if stop.wait(AGAIN_S):
            break
        log.error("what serves downloads had ended, and is restarted", code=process.exitcode)
        process, ready = _started(settings, listener, clock, since)
    _end(process, ready)


def _started(settings: Settings, listener: socket.socket, clock: Clock, since: datetime) -> tuple[BaseProcess, Connection]:
    """Return the process, and the end of a pipe that has something to read once the process answers, and ends
    it when it is closed. A clock that was set continues from its current time."""
    if settings.clock is not None:
        settings = settings.model_copy(update={"clock": clock()})
    # A new interpreter: a fork would share whatever is open here, and take over locks that threads hold.
    context = multiprocessing.get_context("spawn")
    ready, tell = context.Pipe()
    process = context.Process(target=answer, args=(settings, listener, tell, since), name="web", daemon=True)
    multiprocessing.resource_tracker.ensure_running()  # its own start would let the signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until the new process has its handlers
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    tell.close()
    return process, ready


def _end(process: BaseProcess, ready: Connection) -> None:
    ready.close()
    process.join(END_S)
    if process.is_alive():
        process.kill()
        process.join()


def tell_ready(tell: Connection) -> None:
    """Say that requests are answered; to nobody, where the process that would hear it has ended meanwhile."""
    with suppress(BrokenPipeError):
        tell.send_bytes(READY)


def _has_told(ready: Connection) -> bool:
    """Return whether the process at the other end has said that it answers; one that has ended says
    nothing."""
    with suppress(EOFError, OSError):
        return ready.poll() and ready.recv_bytes() == READY
    return False


def answer(settings: Settings, listener: socket.socket, tell: Connection, since: datetime) -> None:
    """Answer on `listener` until the other end of `tell` is closed, or its process has ended. This is the
    whole of this process."""
    from crm_compliance.host.logs import configure

    for number in ENDING:
        signal.signal(number, lambda *_: None)  # not ignored: what is begun from here would ignore it too
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    configure(sys.stderr, level=settings.log_level, terminal=False)
    try:
        _answer(settings, listener, tell, since)
    except Exception as error:  # whatever it says may name a person, or the database: no log repeats it
        log.error("what serves downloads has failed", exc_info=error)
        sys.exit(1)


def _answer(settings: Settings, listener: socket.socket, tell: Connection, since: datetime) -> None:
    from crm_compliance.console.access.sessions import Sessions
    from crm_compliance.console.app import routes
    from crm_compliance.console.frame.services import Services
    from crm_compliance.service.health import health_of
    from crm_compliance.service.metrics import Metrics
    from crm_compliance.service.web.app import app_of, hosts_of
    from crm_compliance.service.web.downloads import Downloads
    from crm_compliance.service.web.server import fitted, server_of
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.schedule import calendar_of
    from crm_compliance.wiring.store import store_of

    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        calendar = calendar_of(settings, store)
        health = health_of(settings, store, clock, since, calendar.zone)
        sessions = Sessions(store.sessions, timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))
        services = Services(settings, store, clock, sessions, health.why_not)
        metrics = Metrics(settings, store, clock, health, calendar, services.policy)
        app = app_of(
            Downloads(store, clock),
            hosts=hosts_of(settings.public_url),
            why_not=health.why_not,
            metrics=metrics.text,
            metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token is not None else "",
            console=routes(services),
        )

        server = server_of(app, ready=lambda: tell_ready(tell), trusted_proxies=settings.trusted_proxies, connection=fitted())

        def end_with_the_other() -> None:
            with suppress(OSError):
                tell.poll(None)  # nothing is ever said there
            server.should_exit = True

        threading.Thread(target=end_with_the_other, daemon=True).start()
        server.run(sockets=[listener])
