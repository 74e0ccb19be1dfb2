"""Certificates of disposal in the database: each behind the last one, one a unit and run."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.database import lock_ledger
from crm_compliance.store.sql.documents import Altered, decoded
from crm_compliance.store.sql.tables import certificates
from jobs.ledger.certificates import Issued, chained
from jobs.ledger.entries import LedgerBroken
from jobs.ports.store.ledger import Entry

PAGE = 1_000


LAST = select(certificates.c.doc).order_by(certificates.c.position.desc()).limit(1)


class Certificates(Rows):
    """What `jobs.ports.store.ledger.CertificateStore` asks, and more
    for whoever looks at all of them."""

    def of_run(self, run: str, *, offset: int = 0, limit: int | None = None) -> list[Issued]:
        """Return the certificates of a run, from a place on and at most so many."""
        query = select(certificates.c.doc).where(certificates.c.run == run).order_by(certificates.c.position)
        return self._transactions.all(query.offset(offset).limit(limit), Issued, f"a certificate of {run}")

    def number(self, run: str) -> int:
        """Return how many certificates a run has."""
        with self._transactions.reading() as connection:
            return connection.execute(select(func.count()).where(certificates.c.run == run)).scalar_one()

    def last(self) -> Issued | None:
        return self._transactions.one(LAST, Issued, "the last certificate")

    def all(self) -> Iterator[tuple[str, Issued | None]]:
        """Return all certificates with their run, in the order in which they were issued; None for one that
        is not what was written: that cannot be read any more, or whose columns say something else than
        itself."""
        columns = (certificates.c.position, certificates.c.run, certificates.c.id, certificates.c.unit_ref, certificates.c.doc)
        query = select(*columns).order_by(certificates.c.position).limit(PAGE)
        page = query
        while True:
            with self._transactions.reading() as connection:
                rows = connection.execute(page).all()
            if not rows:
                return
            yield from ((row.run, _agreeing(row.doc, row.id, row.unit_ref)) for row in rows)
            page = query.where(certificates.c.position > rows[-1].position)

    def issue(self, run: str, issued: Sequence[Issued], entry: Entry) -> None:
        """Store certificates under the ledger's lock, so that the chain never forks."""
        with self._transactions.writing_run([entry], run) as connection:
            if not issued:
                return
            lock_ledger(connection)
            doc = connection.execute(LAST).scalar()
            last = None if doc is None else decoded(doc, Issued, "the last certificate").certificate
            if [each.certificate for each in issued] != chained([each.certificate for each in issued], last):
                raise LedgerBroken("the certificates do not follow from the last one", hint="apply the plan again")
            connection.execute(insert(certificates), [_row(run, each) for each in issued])


def _row(run: str, each: Issued) -> dict[str, str]:
    doc = msgspec.json.encode(each).decode()
    return {"id": each.certificate.certificate_id, "run": run, "unit_ref": each.certificate.unit_ref, "doc": doc}


@dataclass(frozen=True, slots=True)
class Gone:
    """Certificates that were removed: how many, the hash of the last of them, which the next one follows
    from, and the runs."""

    number: int = 0
    last: str = ""
    runs: tuple[str, ...] = ()


def drop(connection: Connection, past: Collection[str]) -> Gone:
    """Remove the certificates of these runs from the beginning of the chain on. All of a run go or none, and
    what stands behind one that stays, stays: else a later one would follow from nothing. The last of all
    stays too, since the next one follows from it."""
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
    """Return the runs that have certificates."""
    return list(connection.execute(select(certificates.c.run).distinct()).scalars())


def _agreeing(doc: str, id: str, unit_ref: str) -> Issued | None:
    try:
        issued = decoded(doc, Issued, "a certificate")
    except Altered:
        return None
    return issued if (id, unit_ref) == (issued.certificate.certificate_id, issued.certificate.unit_ref) else None
