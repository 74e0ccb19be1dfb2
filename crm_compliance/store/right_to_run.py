"""The right to run: a lease in the database, and a lock on this machine that ends with its process.

The lease decides, for it is checked in the transaction of each write. It outlives every connection: a
connection that a firewall, a fail-over or a pooler cuts does not end it. The lock of the operating system is
the quick way: it shows at once that somebody on this machine is at work, or that the one who was is dead, so
that a killed run is taken over without a wait."""

import hashlib
import platform
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from crm_compliance.host.alongside import alongside
from crm_compliance.host.files import DiskProblem, disk_errors
from crm_compliance.store.rows import leases
from crm_compliance.store.rows.leases import taken
from crm_compliance.store.rows.transactions import Rows, Transactions
from crm_compliance.store.sql.database import Database
from jobs.ledger.maintenance_runs import REQUESTS
from jobs.ports.store.leases import RUNNER
from rules.errors import ComplianceError, Refused
from rules.hints import hint_to

FRESH_S = 5.0  # a lease that was renewed less long ago is not asked for before a request
_AT_WORK = (RUNNER, REQUESTS)  # the leases of who works on a run
BOOT = Path("/proc/sys/kernel/random/boot_id")


def elapsed() -> float:
    """Return the seconds that have passed, including time asleep: other machines' clocks went on."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """One lease, held. Several threads may use it."""

    def __init__(
        self, database: Database, name: str, owner: str, fence: int, *, since: float, clock: Callable[[], float] = elapsed
    ) -> None:
        self.name, self.fence, self._database, self._owner = name, fence, database, owner
        self._clock, self._renewed_at = clock, since
        self._is_lost = False

    def check(self) -> None:
        """Continue only with the right to run: checked before each request that leaves this machine. A lease
        that was not renewed a moment ago is renewed now, so that nearly all of it remains when the request is
        sent. Raises Refused: with code `lease_lost`, if somebody else has taken over; StoreUnusable: the
        database cannot be asked, so that nobody can know."""
        if self._is_lost:
            raise _lost(self.name)
        if self._clock() - self._renewed_at >= FRESH_S:
            with self.writing():
                pass

    def work_on(self, run: str) -> None:
        """Show others which run is being worked on."""
        with self.writing() as connection:
            leases.note_run(connection, self.name, run)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a transaction that only the holder can have. It renews the lease first, and nobody takes over
        before it has ended. Raises: as `check`. Nothing is written then."""
        began = self._clock()
        with self._database.writing() as connection:
            if not leases.renew(connection, self.name, self._owner, self.fence):
                self._is_lost = True
                raise _lost(self.name)
            yield connection
        self._renewed_at = began

    def beat(self) -> bool:
        """Renew the lease; return False once there is nothing left to renew. A database that does not answer
        is asked again at the next beat."""
        with suppress(Exception), self.writing():  # whoever works will meet the same, and tell it
            pass
        return not self._is_lost

    def give_back(self) -> None:
        """Let others run at once. If the database does not answer, the lease lapses by itself."""
        with suppress(ComplianceError), self._database.writing() as connection:
            leases.give_back(connection, self.name, self._owner, self.fence)


class Leases(Rows):
    """The leases of one database. `folder` is for the lock on this machine where the database is not a file
    of it; without one, a lease that was not given back lapses after a minute."""

    def __init__(self, transactions: Transactions, folder: Path | None) -> None:
        super().__init__(transactions)
        self._database = transactions.database
        self._folder = folder

    @contextmanager
    def exclusive(self, name: str = RUNNER) -> Iterator[Lease]:
        """Hold the lease of this name while the block runs: `runner` for who applies plans, `requests` for
        who maintains the requests, `scheduler` for who starts the nightly jobs. Raises Refused: with code
        `another_run`, where somebody else holds it, be it another thread of the same process."""
        owner = secrets.token_hex(16)
        with ExitStack() as stack:
            path = self._lock_file(name)
            host_lock = stack.enter_context(_host_lock(path, name)) if path is not None else ""
            began = elapsed()
            with self._database.writing() as connection:
                fence = leases.take(connection, name, owner, host_lock)
            if fence is None:
                raise taken(name)
            lease = Lease(self._database, name, owner, fence, since=began)
            stack.callback(lease.give_back)
            stack.enter_context(_beating(lease))
            if name == RUNNER:
                self._transactions.lease = lease
                stack.callback(setattr, self._transactions, "lease", None)
            yield lease

    def note(self, name: str, at: datetime) -> None:
        """Note that somebody was there at a time, who holds nothing; what is noted already stays."""
        with self._database.writing() as connection:
            leases.note(connection, name, at.timestamp())

    def last_there(self, name: str) -> datetime | None:
        """Return when whoever held this lease last was last there; None where nobody ever held it."""
        with self._database.reading() as connection:
            renewed_at = leases.read(connection, name).renewed_at
        return datetime.fromtimestamp(renewed_at, UTC) if renewed_at else None

    def has_lapsed(self, name: str) -> bool:
        """Return whether somebody holds this lease who could not renew it; who was killed holds none."""
        with self._database.reading() as connection:
            held = leases.read(connection, name)
        return held.is_held and not held.is_in_force and not self._is_killed(name, held)

    def runs_at_work(self) -> frozenset[str]:
        """Return the runs that somebody is working on now, of which those that were killed are none."""
        with self._database.reading() as connection:
            all_held = {name: leases.read(connection, name) for name in _AT_WORK}
        return frozenset(held.run for name, held in all_held.items() if held.run and held.is_in_force and not self._is_killed(name, held))

    def _is_killed(self, name: str, held: leases.Held) -> bool:
        """Return whether the operating system has let go of what the holder had locked on this machine: that
        process is dead."""
        path = self._lock_file(name)
        if path is None or not path.exists():
            return False
        try:
            with _host_lock(path, name) as host_lock:
                return host_lock == held.host_lock
        except (Refused, DiskProblem):  # it is locked, or nobody can look
            return False

    def _lock_file(self, name: str) -> Path | None:
        """Return the file that is locked on this machine. It is beside a SQLite database, so that programs
        with other settings use the same one."""
        if self._database.file is not None:
            return Path(f"{self._database.file}.{name}")
        place = hashlib.sha256(self._database.place.encode()).hexdigest()
        return self._folder / f"{place[:12]}.{name}" if self._folder is not None else None


def _beating(
    lease: Lease, wait: Callable[[threading.Event], bool] = lambda ended: ended.wait(leases.RENEW_S)
) -> AbstractContextManager[None]:
    """Renew a lease from time to time, also while the work waits for a CRM."""

    def beat(ended: threading.Event) -> None:
        while not wait(ended) and lease.beat():
            pass

    return alongside(f"lease of the {lease.name}", beat)


@contextmanager
def _host_lock(path: Path, name: str) -> Iterator[str]:
    """Lock a file by the operating system, which lets go of it when the process ends, however it ends. Gives
    which file of which machine that is: another one of the same name, made after somebody removed it, proves
    nothing about who had locked the first."""
    from filelock import FileLock, Timeout

    # thread_local and no singleton: each call has a lock object of its own, and a second one in the same
    # thread is refused as well. A moment of patience, because somebody may just be looking who is at work.
    lock = FileLock(path, timeout=0.1, poll_interval=0.02, mode=0o600, fallback_to_soft=False)
    with disk_errors(path):
        try:
            lock.acquire()
        except Timeout:
            raise taken(name) from None
    try:
        found = path.stat()
        boot = BOOT.read_text().strip() if BOOT.exists() else platform.node()
        yield hashlib.sha256(f"{boot} {found.st_dev} {found.st_ino}".encode()).hexdigest()[:32]
    finally:
        lock.release()


def _lost(name: str) -> Refused:
    again = "apply the same plan again" if name == RUNNER else f"see that one {name} alone is started on this store"
    return Refused(
        f"the right to go on as {name} was lost: another process has taken over",
        hint=hint_to("go_on_again", again=again),
        code="lease_lost",
    )
