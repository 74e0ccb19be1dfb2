"""Workers that the settings name: threads, processes, or those of a cluster, behind the one interface that
all of them have, `concurrent.futures.Executor`."""

from __future__ import annotations

import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import islice
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from crm_compliance.configuration.setting_types import HERE_ALONE, PROCESSES, THREADS
from crm_compliance.configuration.settings import Settings
from crm_compliance.host.interruptions import end_without_a_word
from jobs.ports.workers import HERE, Workers
from rules.errors import ComplianceError, UsageError
from rules.hints import hint_to
from rules.model.crm_addresses import on_this_machine

T = TypeVar("T")

_INTERRUPTS: Final = (3, 11, 5)  # from this Python on the end of all processes interrupts a part on its way (python/cpython#94777)
_AHEAD: Final = 2  # parts for each worker that are sent before their turn
_PATIENCE: Final = 10  # seconds until a cluster has to answer, and between two looks at whether it has workers
Part = tuple[Any, ...]
Opened = Callable[[], AbstractContextManager[Executor]]


class WorkersLost(ComplianceError):
    """Workers are gone with what they worked on, and those that took their place are too."""

    exit_code = 4
    code = "workers_lost"


class Pool:
    """Workers of an executor that is opened when it is first needed, and once more where it breaks. `lost`
    are the errors by which it says that a worker is gone; `address` is where they are, if on no thread or
    process of ours; `look` raises one of these errors where none is left there, which an executor that waits
    for others does not tell."""

    def __init__(
        self,
        opened: Opened,
        workers: int,
        lost: tuple[type[BaseException], ...] = (BrokenExecutor,),
        address: str = "",
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._opened, self._workers, self._lost, self._address, self._look = opened, workers, lost, address, look
        self._executor: Executor | None = None
        self._open = ExitStack()

    def close(self) -> None:
        """Let the workers go."""
        self._executor = None
        self._open.close()

    def ready(self) -> None:
        """Open the executor now if its workers are elsewhere; those of ours can always be had. Raises
        WorkersLost: nobody answers there."""
        if not self._address or self._executor is not None:
            return
        try:
            self._executor = self._open.enter_context(self._opened())
        except self._lost:
            raise WorkersLost(
                f"Nobody answers at {self._address}, or there is no worker there. Nothing was read.",
                hint="start the scheduler of the cluster, and its workers; or set workers to here",
                where="workers",
            ) from None

    def each(self, work: Callable[..., T], parts: Iterable[Part]) -> Iterator[T]:
        """Yield what `work` makes of each part, in the order of the parts. A part whose worker is gone is
        given to a new one together with those that were not answered; nothing of them was used before. Raises
        WorkersLost: none of these is answered by the new workers either."""
        rest = iter(parts)
        unanswered: deque[Part] = deque()
        futures: deque[Future[T]] = deque()  # of the first of these
        is_new = False
        while True:
            unanswered.extend(islice(rest, self._workers * _AHEAD - len(unanswered)))
            if not unanswered:
                return
            try:
                for part in islice(unanswered, len(futures), None):
                    futures.append(self._submit(work, part))
                made = self._made(futures[0])
                futures.popleft()
            except self._lost:
                for future in futures:
                    future.cancel()
                futures.clear()
                self.close()
                if is_new:
                    raise WorkersLost(
                        "Workers ended while they decided on units, and new ones did too. Nothing was stored.",
                        hint="look at the memory of their machine and the versions of what is installed there, or set workers to here",
                        where="workers",
                    ) from None
                is_new = True
                continue
            is_new = False
            unanswered.popleft()
            yield made

    def _made(self, future: Future[T]) -> T:
        while True:
            try:
                return future.result(_PATIENCE)
            except TimeoutError:
                if future.done():
                    return future.result()  # it came meanwhile, or this is the error of the work itself
                self._look()

    def _submit(self, work: Callable[..., T], part: Part) -> Future[T]:
        if self._executor is None:
            self._executor = self._open.enter_context(self._opened())
        return self._executor.submit(work, *part)


def workers_of(settings: Settings) -> Workers | Pool:
    """Return who works on the parts of a plan, by the settings; nobody is called yet. Raises UsageError: the
    extra for a cluster is not installed, its address is not encrypted, or no certificates are named."""
    number = settings.worker_count
    if settings.workers == HERE_ALONE:
        return HERE
    if settings.workers == THREADS:
        return Pool(lambda: ThreadPoolExecutor(number, thread_name_prefix="part"), number)
    if settings.workers == PROCESSES:
        return Pool(lambda: _processes(number), number)
    return _cluster(settings.workers, number)


@contextmanager
def _processes(number: int) -> Iterator[Executor]:
    """Open processes of this machine, and end them."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import resource_tracker

    class Processes(ProcessPoolExecutor):
        def submit(self, *given: Any, **named: Any) -> Future[Any]:
            """Start a process too where one is lacking: Ctrl-C waits until it knows how to end."""
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                return super().submit(*given, **named)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    resource_tracker.ensure_running()  # its own start would let the signal through
    # A process that is copied would have the locks of threads that it has not.
    with Processes(number, mp_context=multiprocessing.get_context("spawn"), initializer=end_without_a_word) as executor:
        try:
            yield executor
        finally:
            if sys.version_info < _INTERRUPTS:  # else it waits for ever to send a part that no process is there to read
                executor._call_queue._reader.close()  # type: ignore[attr-defined]


def _cluster(address: str, number: int) -> Pool:
    if urlsplit(address).scheme != "tls" and not on_this_machine(address):
        raise UsageError(
            "a cluster is asked over TLS alone: what is sent is about people",
            hint="start it with TLS, and name it by tls://; dask's own settings name the certificates",
            where="workers",
        )
    try:
        from distributed import Client
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker
        from distributed.security import Security
    except ImportError:
        raise UsageError(
            "workers names a cluster, and its extra is not installed", hint=hint_to("install_extra", extra="cluster"), where="workers"
        ) from None

    security = Security()  # by dask's own settings
    if urlsplit(address).scheme == "tls" and security.get_connection_args("client").get("ssl_context") is None:
        raise UsageError(
            "workers names a cluster over TLS, and dask's settings name no certificates for it",
            hint="set distributed.comm.tls.ca-file, and client.cert and client.key below it, in dask's settings",
            where="workers",
        )

    @contextmanager
    def opened() -> Iterator[Executor]:
        with Client(address, security=security, timeout=_PATIENCE) as client:
            client.wait_for_workers(1, timeout=_PATIENCE)
            yield client.get_executor()  # which would not end while a part waits for a worker

    def look() -> None:
        Client.current().wait_for_workers(1, timeout=_PATIENCE)

    # A scheduler that ends cancels what it was asked for; a worker that it loses it reports.
    return Pool(opened, number, (KilledWorker, CommClosedError, CancelledError, OSError), address, look)
