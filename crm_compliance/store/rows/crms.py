"""The CRMs that the store has served, and where people signed in for each. A store that has ever served a
real CRM believes nobody by name. Each row here is also recorded in the ledger (`crm_seen`, `authority_seen`),
and both count: a row that somebody removes is still known. Also what the jobs have cost the CRM: sums that
only grow."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from crm_compliance.store.rows.transactions import Rows, Transactions
from crm_compliance.store.sql.database import lock_ledger
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import crm_use, plans, served_crms
from crm_compliance.store.sql.tables import ledger as entries
from jobs.checks.same_crm import OTHER_CRM
from jobs.model.crm_cost import CrmCost
from jobs.ports.store.ledger import Entry
from rules.dates.instants import instant
from rules.decoders import decoder_of
from rules.errors import Refused
from rules.model.crm_addresses import THIS_MACHINE, organisation_at

if TYPE_CHECKING:
    from connectors.interface.rows import ReadStats


CRM_SEEN, AUTHORITY_SEEN = "crm_seen", "authority_seen"
_SERVED = select(served_crms.c.organisation, served_crms.c.told)  # built once: every command that opens the store asks for these
_OF_KIND = select(entries.c.data).where(entries.c.kind == bindparam("kind"))


def _other_crm() -> Refused:
    """Return the refusal of a CRM on this machine, by a store that has served another one."""
    return Refused(
        "this store has served a CRM that is not on this machine: no CRM on this machine is believed with it",
        hint="set CRM_COMPLIANCE_CRM_URL to the CRM of this store; for the emulator another CRM_COMPLIANCE_DATA_DIR (docs/security.md)",
        where="crm_url",
        code=OTHER_CRM,
    )


def _other_authority() -> Refused:
    """Return the refusal of a sign-in at another authority than before."""
    return Refused(
        "people have signed in elsewhere for this CRM so far",
        hint="set tenant and authority as they were; docs/security.md says what to do when they have really changed",
        where="crm_authority",
        code="other_authority",
    )


class Crms(Rows):
    """What `jobs.ports.store.crms.CrmStore` asks. The store remembers each CRM that it is opened for."""

    def __init__(self, transactions: Transactions) -> None:
        super().__init__(transactions)
        self._current = ""

    @property
    def current(self) -> str:
        return self._current

    def serve(self, crm: str) -> None:
        """Remember the CRM that the store is open for, if any, and tell the ledger of what it does not know
        yet. What the ledger knows is never put back into the table: whoever removed a row would leave no
        trace.

        On this machine people are believed, clocks are set and tokens never lapse: none of it near a real
        CRM's history. Raises Refused: with code `other_crm`, where it is on this machine and the store has
        served one that is not."""
        self._current = crm
        if not crm:
            return
        organisation = organisation_at(crm)
        with self._transactions.reading() as connection:
            is_known = _is_known(connection, organisation)
            real = _real_ones(connection) if organisation == THIS_MACHINE else set()
        if real:
            raise _other_crm()
        if not is_known:
            self._see(organisation)

    def _see(self, organisation: str) -> None:
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            lock_ledger(connection)
            known = _told(connection)
            at = instant(self._transactions.clock(), "seconds")
            for found in sorted((_planned(connection) | {organisation}) - known):
                row = {"organisation": found, "first_seen_at": at, "told": False}
                connection.execute(insert_into(connection, served_crms).values(row).on_conflict_do_nothing(index_elements=["organisation"]))
            untold = set(connection.execute(select(served_crms.c.organisation).where(~served_crms.c.told)).scalars())
            told += [(CRM_SEEN, {"crm": each}) for each in sorted(untold - known)]
            connection.execute(update(served_crms).values(told=True))

    def served(self) -> set[str]:
        with self._transactions.reading() as connection:
            return _in_table(connection)

    def see_authority(self, authority: str, client: str) -> None:
        """Remember where people sign in for the CRM that the store is open for, and by which application; the
        first authority stays, another application is told. Raises Refused: with code `other_authority`, where
        that was somewhere else so far."""
        organisation = organisation_at(self._current)
        this = served_crms.c.organisation == organisation
        telling: list[Entry] = []
        with self._transactions.writing(telling) as connection:
            row = connection.execute(select(served_crms.c.authority).where(this)).first()
            told = [data for data in _entries(connection, AUTHORITY_SEEN) if data.get("crm") == organisation]
            known = {str(data.get("authority")) for data in told} | ({str(row.authority)} if row is not None and row.authority else set())
            if known - {authority}:
                raise _other_authority()
            if not any(data.get("client") == client for data in told):
                connection.execute(update(served_crms).where(this).values(authority=authority))
                telling.append((AUTHORITY_SEEN, {"crm": organisation, "authority": authority, "client": client}))


def _is_known(connection: Connection, organisation: str) -> bool:
    """Return whether this CRM is in the table, and the ledger records every row there."""
    rows = connection.execute(_SERVED).all()
    return any(row.organisation == organisation for row in rows) and all(row.told for row in rows)


def _in_table(connection: Connection) -> set[str]:
    """Return the CRMs of the table alone."""
    return set(connection.execute(select(served_crms.c.organisation)).scalars())


def _real_ones(connection: Connection) -> set[str]:
    """Return the CRMs that are not on this machine, by the table, the plans and the ledger."""
    found = _in_table(connection)
    if not found - {THIS_MACHINE}:
        found |= _told(connection) | _planned(connection)
    return found - {THIS_MACHINE}


def _told(connection: Connection) -> set[str]:
    return {str(data["crm"]) for data in _entries(connection, CRM_SEEN) if data.get("crm")}


def _entries(connection: Connection, kind: str) -> list[dict[str, object]]:
    found = []
    for text in connection.execute(_OF_KIND, {"kind": kind}).scalars():
        try:
            found.append(decoder_of(dict[str, object]).decode(text))
        except msgspec.MsgspecError:  # altered: `ledger verify` names the entry
            continue
    return found


class _Planned(msgspec.Struct):
    crm: str = ""


def _planned(connection: Connection) -> set[str]:
    """Return the CRMs of plans that were stored before CRMs were remembered."""
    return {organisation_at(crm) for crm in _plan_crms(connection) if crm}


def _plan_crms(connection: Connection) -> set[str]:
    """Return the CRMs that plans name; an altered plan names nothing, and is reported where it is read."""
    decoder = decoder_of(_Planned)
    found: set[str] = set()
    for doc in connection.execute(select(plans.c.doc)).scalars():
        with suppress(msgspec.MsgspecError):
            found.add(decoder.decode(doc).crm)
    return found


_SUMS = ("requests", "retries", "throttled", "waited_s")


class CrmUse(Rows):
    """What `jobs.ports.store.crms.CrmUse` asks."""

    def add(self, job: str, stats: ReadStats) -> None:
        values = {name: getattr(stats, name) for name in _SUMS}
        with self._transactions.database.writing() as connection:
            statement = insert_into(connection, crm_use).values(job=job, **values)
            grown = {name: crm_use.c[name] + value for name, value in values.items()}
            connection.execute(statement.on_conflict_do_update(index_elements=["job"], set_=grown))

    def all(self) -> dict[str, CrmCost]:
        with self._transactions.reading() as connection:
            rows = connection.execute(select(crm_use).order_by(crm_use.c.job)).all()
        return {row.job: CrmCost(row.requests, row.retries, row.throttled, row.waited_s) for row in rows}
