"""The right to run as a row of the database: who has it, by which fencing number, and when it was last
renewed.

A lease counts by the database's own clock, so that the clocks of two machines, and the product's own, play no
part. The number grows with each holder and never shrinks. A holder that was replaced has a number that no
longer exists, and finds that out in the transaction of anything it wants to write."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Float, bindparam, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import leases
from jobs.ledger.maintenance_runs import REQUESTS
from jobs.ports.store.leases import RUNNER
from rules.errors import Refused
from rules.hints import hint_to

LEASE_S = 60.0  # so long after the last renewal nobody else may run
RENEW_S = 15.0  # three renewals may fail before the lease is lost
UNIX_EPOCH = 2_440_587.5  # as a Julian day, which is how SQLite counts


class _Now(FunctionElement[float]):
    """Seconds since 1970 by the clock of the database, now and not when the transaction began."""

    inherit_cache = True
    type = Float(53)


@compiles(_Now, "sqlite")
def _now_of_sqlite(*_: Any, **__: Any) -> str:
    return f"((julianday('now') - {UNIX_EPOCH}) * 86400.0)"


@compiles(_Now, "postgresql")
def _now_of_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(EXTRACT(epoch FROM clock_timestamp()) AS FLOAT(53))"


# Built once: a lease is renewed with all that a run writes.
_NAMED = leases.c.name == bindparam("lease")
_OURS = (_NAMED, leases.c.owner == bindparam("holder"), leases.c.fence == bindparam("number"))
_READ = select(leases, _Now().label("now")).where(_NAMED)
_READ_TO_CHANGE = _READ.with_for_update()
_TAKE = update(leases).where(_NAMED).values(renewed_at=_Now())
_RENEW = update(leases).where(*_OURS).values(renewed_at=_Now())
_GIVE_BACK = update(leases).where(*_OURS).values(owner="", host_lock="", run=None)


@dataclass(frozen=True, slots=True)
class Held:
    """One lease as it stands: `host_lock` is the file on the holder's machine, `run` what it is at,
    `renewed_at` when its last holder was last there, in seconds since 1970, 0 where there was none. It
    `is_held` until somebody gives it back, and `is_in_force` while it is renewed."""

    fence: int
    host_lock: str
    run: str | None
    renewed_at: float
    is_in_force: bool
    is_held: bool = False


def read(connection: Connection, name: str, *, to_change: bool = False) -> Held:
    """Return the lease of this name; nobody's, with the number 0, if there is none yet. With `to_change`,
    nobody else changes it meanwhile."""
    row = connection.execute(_READ_TO_CHANGE if to_change else _READ, {"lease": name}).first()
    if row is None:
        return Held(0, "", None, 0.0, is_in_force=False)
    # A clock that was set back must not make a lease last for hours.
    is_in_force = bool(row.owner) and abs(row.now - row.renewed_at) < LEASE_S
    return Held(row.fence, row.host_lock, row.run, row.renewed_at, is_in_force, bool(row.owner))


def take(connection: Connection, name: str, owner: str, host_lock: str) -> int | None:
    """Take the lease and give its new number; None where somebody else's is in force. `host_lock` names the
    file that the caller has locked. Where the holder had locked the same one, the operating system has let go
    of it since: that process is dead, and nobody has to wait for its lease to lapse."""
    note(connection, name, 0.0)
    held = read(connection, name, to_change=True)
    if held.is_in_force and (not host_lock or held.host_lock != host_lock):
        return None
    values = {"fence": held.fence + 1, "owner": owner, "host_lock": host_lock, "run": None}
    connection.execute(_TAKE, {"lease": name, **values})
    return held.fence + 1


def note(connection: Connection, name: str, at: float) -> None:
    """Note a lease that nobody holds, as of a time; one that is there already stays as it is."""
    nobody = {"name": name, "fence": 0, "owner": "", "host_lock": "", "renewed_at": at}
    connection.execute(insert_into(connection, leases).on_conflict_do_nothing(index_elements=["name"]), [nobody])


def renew(connection: Connection, name: str, owner: str, fence: int) -> bool:
    """Renew a lease, and keep it from being taken until the transaction ends; False where it is somebody
    else's by now."""
    return connection.execute(_RENEW, {"lease": name, "holder": owner, "number": fence}).rowcount == 1


def note_run(connection: Connection, name: str, run: str) -> None:
    """Note what the holder is at."""
    connection.execute(update(leases).where(leases.c.name == name).values(run=run))


def give_back(connection: Connection, name: str, owner: str, fence: int) -> None:
    """Release the lease, if it is still ours."""
    connection.execute(_GIVE_BACK, {"lease": name, "holder": owner, "number": fence})


def refuse_beside_another(connection: Connection) -> None:
    """Refuse what only the runner may write while somebody holds that lease, and the caller does not."""
    if read(connection, RUNNER, to_change=True).is_in_force:
        raise taken(RUNNER)


def taken(name: str) -> Refused:
    """Return the refusal of a lease that somebody else holds."""
    what = {RUNNER: "another run", REQUESTS: f"another run of {REQUESTS}"}.get(name, f"another {name}")
    hint = hint_to("wait_for_other", seconds=f"{LEASE_S:.0f}")
    return Refused(f"{what} is at work", hint=hint, code="another_run")
