"""Certificates of disposal in the database: each behind the last one, one a unit and run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from crm_compliance.store.sql.database import LEDGER_LOCK
from crm_compliance.store.sql.documents import Altered, decoded
from crm_compliance.store.sql.tables import certificates
from jobs.ledger.certificates import Certificate, Issued, chained
from jobs.ledger.entries import LedgerBroken

PAGE = 1_000


def insert_certificates(connection: Connection, run: str, issued: Sequence[Issued]) -> None:
    """Add certificates behind the last one, under the ledger's lock, so that the chain never forks.

    Raises:
        LedgerBroken: they do not follow from the last one; somebody else has issued some since.
    """
    if not issued:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))
    last = read_last(connection)
    expected: list[Certificate] = chained([each.certificate for each in issued], last.certificate if last is not None else None)
    if [each.certificate for each in issued] != expected:
        raise LedgerBroken("the certificates do not follow from the last one", hint="apply the plan again")
    rows = [
        {
            "id": each.certificate.certificate_id,
            "run": run,
            "unit_ref": each.certificate.unit_ref,
            "doc": msgspec.json.encode(each).decode(),
        }
        for each in issued
    ]
    connection.execute(insert(certificates), rows)


@dataclass(frozen=True, slots=True)
class Gone:
    """Certificates that were removed: how many, the hash of the last of them, which the next one follows
    from, and the runs."""

    number: int = 0
    last: str = ""
    runs: tuple[str, ...] = ()


def drop(connection: Connection, past: Collection[str]) -> Gone:
    """Remove the certificates of these runs from the beginning of the chain on.

    All of a run go or none, and what stands behind one that stays, stays: else a later one would follow from
    nothing. The last of all stays too, since the next one follows from it.
    """
    columns = (certificates.c.run, func.min(certificates.c.position), func.max(certificates.c.position))
    spans = {run: (first, last) for run, first, last in connection.execute(select(*columns).group_by(certificates.c.run))}
    end = max((last for _, last in spans.values()), default=0)
    staying = {run for run, (_, last) in spans.items() if run not in past or last == end}
    begin = min((spans[run][0] for run in staying), default=0)
    while across := [run for run, (_, last) in spans.items() if run not in staying and last >= begin]:
        staying.update(across)
        begin = min(begin, *(spans[run][0] for run in across))
    going = tuple(run for run in spans if run not in staying)
    if not going:
        return Gone()
    query = select(certificates.c.doc).where(certificates.c.position < begin).order_by(certificates.c.position.desc()).limit(1)
    last = decoded(connection.execute(query).scalar_one(), Issued, "a certificate").certificate.hash
    number = connection.execute(delete(certificates).where(certificates.c.position < begin)).rowcount
    return Gone(number, last, going)


def runs_with_some(connection: Connection) -> list[str]:
    """The runs of which there are certificates."""
    return list(connection.execute(select(certificates.c.run).distinct()).scalars())


def read_certificates(connection: Connection, run: str) -> list[Issued]:
    """The certificates of a run in the order in which they were issued."""
    docs = connection.execute(select(certificates.c.doc).where(certificates.c.run == run).order_by(certificates.c.position)).scalars()
    return [decoded(doc, Issued, f"a certificate of {run}") for doc in docs]


def read_page(connection: Connection, after: int | None) -> list[tuple[int, str, Issued | None]]:
    """The next PAGE certificates behind a position, each with its own and its run; None for one that is not
    what was written: that cannot be read any more, or whose columns say something else than itself."""
    query = select(certificates.c.position, certificates.c.run, certificates.c.id, certificates.c.unit_ref, certificates.c.doc)
    query = query.order_by(certificates.c.position).limit(PAGE)
    rows = connection.execute(query if after is None else query.where(certificates.c.position > after))
    return [(position, run, _agreeing(doc, id, unit_ref)) for position, run, id, unit_ref, doc in rows]


def _agreeing(doc: str, id: str, unit_ref: str) -> Issued | None:
    try:
        issued = decoded(doc, Issued, "a certificate")
    except Altered:
        return None
    return issued if (id, unit_ref) == (issued.certificate.certificate_id, issued.certificate.unit_ref) else None


def read_last(connection: Connection) -> Issued | None:
    doc = connection.execute(select(certificates.c.doc).order_by(certificates.c.position.desc()).limit(1)).scalar()
    return None if doc is None else decoded(doc, Issued, "the last certificate")
