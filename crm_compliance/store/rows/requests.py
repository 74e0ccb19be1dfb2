"""The register of subject requests, and the sealed parts of their working areas."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import request_parts, request_totals, subject_requests
from jobs.model.request import SubjectRequest
from rules.errors import Refused, UsageError


class Sealer(Protocol):
    """Seals parts with a key for each request; `unseal` gives None where the key was destroyed."""

    def seal(self, request: str, name: str, content: bytes) -> bytes: ...
    def unseal(self, request: str, name: str, sealed: bytes) -> bytes | None: ...
    def destroy(self, request: str) -> None: ...


def insert_request(connection: Connection, request: SubjectRequest) -> None:
    connection.execute(insert(subject_requests), {"id": request.id, "doc": _doc(request)})


def read_request(connection: Connection, request: str) -> SubjectRequest:
    """Raises UsageError for an unknown id."""
    doc = connection.execute(select(subject_requests.c.doc).where(subject_requests.c.id == request)).scalar()
    if doc is None:
        raise UsageError(f"there is no request {request[:64]}", hint="crm-compliance requests list")
    return decoded(doc, SubjectRequest, request)


def read_requests(connection: Connection) -> list[SubjectRequest]:
    """The whole register, newest first."""
    docs = connection.execute(select(subject_requests.c.doc).order_by(subject_requests.c.position.desc())).scalars()
    return [decoded(doc, SubjectRequest, "a request") for doc in docs]


def linked_request(connection: Connection, link: str) -> SubjectRequest | None:
    """The request whose download has this digest of a token, in hex; None where there is none."""
    docs = connection.execute(select(subject_requests.c.doc).where(subject_requests.c.doc.contains(f'"link":"{link}"', autoescape=True)))
    found = [decoded(doc, SubjectRequest, "a request") for doc in docs.scalars()]
    return next((request for request in found if request.link == link), None)


def replace_request(connection: Connection, request: SubjectRequest, since: SubjectRequest) -> None:
    """Replace a row that is still as it was read.

    Raises:
        Refused: with code `changed`, where it is not.
    """
    doc = connection.execute(select(subject_requests.c.doc).where(subject_requests.c.id == request.id)).scalar()
    is_same = doc is not None and decoded(doc, SubjectRequest, request.id) == since
    unchanged = (subject_requests.c.id == request.id) & (subject_requests.c.doc == doc)
    if not is_same or connection.execute(update(subject_requests).where(unchanged).values(doc=_doc(request))).rowcount != 1:
        raise Refused("somebody else has changed the request meanwhile", hint="look at it again", where=request.id, code="changed")


def write_parts(connection: Connection, request: str, parts: Mapping[str, bytes | None], sealer: Sealer) -> None:
    """Put parts in place of those of the same name; None removes one."""
    for name, content in parts.items():
        connection.execute(delete(request_parts).where((request_parts.c.request == request) & (request_parts.c.name == name)))
        if content is not None:
            connection.execute(insert(request_parts), {"request": request, "name": name, "content": sealer.seal(request, name, content)})


def read_part(connection: Connection, request: str, name: str) -> bytes | None:
    """A part, still sealed; None where it is not there."""
    which = (request_parts.c.request == request) & (request_parts.c.name == name)
    content: bytes | None = connection.execute(select(request_parts.c.content).where(which)).scalar()
    return content


def digest_of(connection: Connection, request: str, name: str) -> str | None:
    """SHA-256, in lower-case hex, of a part as it is sealed; None where it is not there."""
    sealed = read_part(connection, request, name)
    return None if sealed is None else hashlib.sha256(sealed).hexdigest()


def spent(connection: Connection) -> list[str]:
    """The requests of whose working areas nothing is left."""
    query = select(subject_requests.c.id).where(subject_requests.c.id.not_in(select(request_parts.c.request)))
    return list(connection.execute(query.order_by(subject_requests.c.position)).scalars())


def take_into_totals(connection: Connection, requests: Sequence[SubjectRequest]) -> int:
    """Remove rows that are still as they were read and have no working area, and count them by year; give how
    many those are."""
    counted: Counter[tuple[int, str, str]] = Counter()
    for request in requests:
        unchanged = (subject_requests.c.id == request.id) & (subject_requests.c.doc == _doc(request))
        if request.outcome is None or has_parts(connection, request.id):
            continue
        if connection.execute(delete(subject_requests).where(unchanged)).rowcount == 1:
            counted[request.received_on.year, request.right.value, request.outcome.value] += 1
    for (year, right, outcome), number in sorted(counted.items()):
        statement = insert_into(connection, request_totals)
        more = {"requests": request_totals.c.requests + statement.excluded.requests}
        statement = statement.on_conflict_do_update(index_elements=["year", "subject_right", "outcome"], set_=more)
        connection.execute(statement, {"year": year, "subject_right": right, "outcome": outcome, "requests": number})
    return counted.total()


def read_totals(connection: Connection) -> dict[tuple[int, str, str], int]:
    """How many requests there were, by year, right and outcome, of which nothing else is left."""
    columns = request_totals.c
    rows = connection.execute(select(columns.year, columns.subject_right, columns.outcome, columns.requests).order_by(*list(columns)[:3]))
    return {(year, right, outcome): number for year, right, outcome, number in rows}


def has_parts(connection: Connection, request: str) -> bool:
    """Whether anything is left of the working area."""
    return bool(connection.execute(select(func.count()).where(request_parts.c.request == request)).scalar())


def _doc(request: SubjectRequest) -> str:
    return msgspec.json.encode(request).decode()
