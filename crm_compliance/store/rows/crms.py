"""The CRMs that the store has served, and where people signed in for each: a store that has ever served a
real one believes nobody by name.

A row here is told by the ledger too (`crm_seen`, `authority_seen`), and both count: a row that somebody
removes is still known.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, update

from crm_compliance.store.rows import ledger
from crm_compliance.store.rows.heads import Heads
from crm_compliance.store.sql.database import LEDGER_LOCK
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import ledger as entries
from crm_compliance.store.sql.tables import plans, served_crms
from jobs.checks.same_crm import OTHER_CRM
from rules.dates.instants import instant
from rules.errors import Refused
from rules.model.crm_addresses import THIS_MACHINE, organisation_at

CRM_SEEN, AUTHORITY_SEEN = "crm_seen", "authority_seen"


def other_crm() -> Refused:
    """The refusal of a CRM on this machine, by a store that has served another one."""
    return Refused(
        "this store has served a CRM that is not on this machine: no CRM on this machine is believed with it",
        hint="set CRM_COMPLIANCE_CRM_URL to the CRM of this store; for the emulator another CRM_COMPLIANCE_DATA_DIR (docs/security.md)",
        where="crm_url",
        code=OTHER_CRM,
    )


def other_authority() -> Refused:
    """The refusal of a sign-in at another place than so far."""
    return Refused(
        "people have signed in elsewhere for this CRM so far",
        hint="set tenant and authority as they were; docs/security.md says what to do when they have really changed",
        where="crm_authority",
        code="other_authority",
    )


def is_known(connection: Connection, organisation: str) -> bool:
    """Whether this CRM stands in the table, and the ledger has been told of every row there."""
    rows = connection.execute(select(served_crms.c.organisation, served_crms.c.told)).all()
    return any(row.organisation == organisation for row in rows) and all(row.told for row in rows)


def in_table(connection: Connection) -> set[str]:
    """The CRMs of the table alone."""
    return set(connection.execute(select(served_crms.c.organisation)).scalars())


def real_ones(connection: Connection) -> set[str]:
    """The CRMs that are not on this machine, by the table, the plans and the ledger."""
    found = in_table(connection)
    if not found - {THIS_MACHINE}:
        found |= _told(connection) | _planned(connection)
    return found - {THIS_MACHINE}


def see(connection: Connection, organisation: str, clock: Callable[[], datetime], heads: Heads) -> None:
    """Remember a CRM, and tell the ledger of what it does not know yet. What the ledger knows is never put
    back into the table: whoever removed a row would leave no trace."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))
    known = _told(connection)
    for found in sorted((_planned(connection) | {organisation}) - known):
        _insert(connection, found, clock)
    untold = set(connection.execute(select(served_crms.c.organisation).where(~served_crms.c.told)).scalars())
    ledger.append(connection, [(CRM_SEEN, {"crm": each}) for each in sorted(untold - known)], None, clock, heads)
    connection.execute(update(served_crms).values(told=True))


def see_authority(
    connection: Connection, organisation: str, authority: str, client: str, clock: Callable[[], datetime], heads: Heads
) -> None:
    """Remember where people sign in for a CRM, and by which application; the first authority stays, another
    application is told.

    Raises:
        Refused: with code `other_authority`.
    """
    row = connection.execute(select(served_crms.c.authority).where(served_crms.c.organisation == organisation)).first()
    told = [data for data in _entries(connection, AUTHORITY_SEEN) if data.get("crm") == organisation]
    known = {str(data.get("authority")) for data in told} | ({str(row.authority)} if row is not None and row.authority else set())
    if known - {authority}:
        raise other_authority()
    if any(data.get("client") == client for data in told):
        return
    connection.execute(update(served_crms).where(served_crms.c.organisation == organisation).values(authority=authority))
    ledger.append(connection, [(AUTHORITY_SEEN, {"crm": organisation, "authority": authority, "client": client})], None, clock, heads)


def _insert(connection: Connection, organisation: str, clock: Callable[[], datetime]) -> None:
    statement = insert_into(connection, served_crms)
    row = {"organisation": organisation, "first_seen_at": instant(clock(), "seconds"), "told": False}
    connection.execute(statement.values(row).on_conflict_do_nothing(index_elements=["organisation"]))


def _told(connection: Connection) -> set[str]:
    return {str(data["crm"]) for data in _entries(connection, CRM_SEEN) if data.get("crm")}


def _entries(connection: Connection, kind: str) -> list[dict[str, object]]:
    rows = connection.execute(select(entries.c.data).where(entries.c.kind == kind)).scalars()
    found = []
    for text in rows:
        try:
            found.append(msgspec.json.decode(text, type=dict[str, object]))
        except msgspec.MsgspecError:  # altered: `ledger verify` names the entry
            continue
    return found


class _Planned(msgspec.Struct):
    crm: str = ""


def _planned(connection: Connection) -> set[str]:
    """The CRMs of plans that were stored before CRMs were remembered."""
    return {organisation_at(crm) for crm in _plan_crms(connection) if crm}


def _plan_crms(connection: Connection) -> set[str]:
    """What plans name; one that was altered names nothing, and is told where it is read."""
    decoder = msgspec.json.Decoder(_Planned)
    found: set[str] = set()
    for doc in connection.execute(select(plans.c.doc)).scalars():
        with suppress(msgspec.MsgspecError):
            found.add(decoder.decode(doc).crm)
    return found
