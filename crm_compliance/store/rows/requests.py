"""The register of subject requests, and the sealed parts of their working areas (ACC-08)."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, select, update

from crm_compliance.store.rows.transactions import Rows, Transactions
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into, insert_new
from crm_compliance.store.sql.tables import request_parts, request_totals, subject_requests
from jobs.model.request import WRITTEN_OUT, SubjectRequest
from jobs.ports.store.ledger import Entry
from rules.errors import NotFound, Refused
from rules.hints import hint_to
from rules.model.references import is_reference, short_reference
from rules.model.requests import RequestState, Right


def _says(name: str, value: str) -> ColumnElement[bool]:
    """Return whether the document of a row has this value of a key: it stands there as it was encoded, and a
    text of anybody's has no quotation mark that is not escaped."""
    return subject_requests.c.doc.contains(f'"{name}":"{value}"', autoescape=True)


IN_A_QUERY: Final = 500  # ids that one query names
_IS_CLOSED: Final = _says("state", RequestState.CLOSED.value)
# Built once: each step of a request reads and writes some of its parts.
_DOC = select(subject_requests.c.doc).where(subject_requests.c.id == bindparam("of"))
_REPLACE = update(subject_requests).where(subject_requests.c.id == bindparam("of"), subject_requests.c.doc == bindparam("read"))
_PARTS = select(func.count()).where(request_parts.c.request == bindparam("of"))
_THIS_PART = (request_parts.c.request == bindparam("of")) & (request_parts.c.name == bindparam("part"))
_PART = select(request_parts.c.content).where(_THIS_PART)
_DROP_PART = delete(request_parts).where(_THIS_PART)
_ADD_PART = insert(request_parts)
# And every plan and every run looks at all of them.
_NEWEST_FIRST = select(subject_requests.c.doc).order_by(subject_requests.c.position.desc())
_UNCLOSED = _NEWEST_FIRST.where(~_IS_CLOSED)


class Sealer(Protocol):
    """Seals parts with a key for each request; `unseal` gives None where the key was destroyed."""

    def seal(self, request: str, name: str, content: bytes) -> bytes: ...
    def unseal(self, request: str, name: str, sealed: bytes) -> bytes | None: ...
    def destroy(self, request: str) -> None: ...


class Requests(Rows):
    """What `jobs.ports.store.requests.RequestStore` asks. Without a sealer no part is written or read.
    `remove_files` removes the files of which a part tells, before that part goes."""

    def __init__(self, transactions: Transactions, sealer: Sealer | None, remove_files: Callable[[bytes], None]) -> None:
        super().__init__(transactions)
        self._sealer, self._remove_files = sealer, remove_files

    @property
    def _sealing(self) -> Sealer:
        if self._sealer is None:
            raise RuntimeError("the store was opened without what seals the parts of requests")
        return self._sealer

    def add(self, request: SubjectRequest, parts: Mapping[str, bytes], entry: Entry) -> None:
        with self._transactions.writing([entry]) as connection:
            insert_new(connection, subject_requests, {"id": request.id, "doc": _doc(request)})
            self._write_parts(connection, request.id, parts)

    def get(self, request: str) -> SubjectRequest:
        found = self._transactions.one(_DOC, SubjectRequest, request, of=request)
        if found is None:
            raise NotFound("there is no such request", hint=hint_to("list_requests"))
        return found

    def some(self, requests: Collection[str]) -> dict[str, SubjectRequest]:
        found: dict[str, SubjectRequest] = {}
        with self._transactions.reading() as connection:
            for ids in _in_queries(requests):
                query = select(subject_requests.c.id, subject_requests.c.doc).where(subject_requests.c.id.in_(ids))
                found |= {id: decoded(doc, SubjectRequest, id) for id, doc in connection.execute(query)}
        return found

    def all(self, *, unclosed: bool = False) -> list[SubjectRequest]:
        return self._transactions.all(_UNCLOSED if unclosed else _NEWEST_FIRST, SubjectRequest, "a request")

    def closed(self, right: str = "", *, offset: int = 0, limit: int | None = None) -> list[SubjectRequest]:
        query = select(subject_requests.c.doc).where(_closed_with(right)).order_by(subject_requests.c.position.desc())
        return self._transactions.all(query.offset(offset).limit(limit), SubjectRequest, "a request")

    def number_closed(self, right: str = "") -> int:
        with self._transactions.reading() as connection:
            return connection.execute(select(func.count()).select_from(subject_requests).where(_closed_with(right))).scalar_one()

    def named(self, reference: str) -> SubjectRequest | None:
        """Return the request of a reference. Its number follows from the id, and ids alone are read."""
        if not is_reference(reference):
            return None
        year = int(reference.split("-")[1])
        with self._transactions.reading() as connection:
            ids = connection.execute(select(subject_requests.c.id)).scalars().all()
        wanted = next((id for id in ids if short_reference(id, year) == reference), None)
        request = self.get(wanted) if wanted is not None else None
        return request if request is not None and request.reference == reference else None

    def linked(self, link: str) -> SubjectRequest | None:
        query = select(subject_requests.c.doc).where(subject_requests.c.doc.contains(f'"link":"{link}"', autoescape=True))
        found = self._transactions.all(query, SubjectRequest, "a request")
        return next((request for request in found if request.link == link), None)

    def save(
        self,
        request: SubjectRequest,
        entries: Sequence[Entry] = (),
        *,
        since: SubjectRequest,
        parts: Mapping[str, bytes | None] | None = None,
        told: str = "",
    ) -> None:
        """Save a request. Its key is destroyed once its working area is empty."""
        telling = list(entries)
        with self._transactions.writing(telling) as connection:
            replace_request(connection, request, since)  # whoever else would write a part waits from here on
            self._write_parts(connection, request.id, parts or {})
            if told and (sealed := _part(connection, request.id, told)) is not None:
                kind, data = telling[-1]
                telling[-1] = (kind, {**data, "kept": _digest(sealed)})
            is_empty = not _has_parts(connection, request.id)
        if is_empty:
            self._sealing.destroy(request.id)

    def part(self, request: str, name: str) -> bytes | None:
        sealed = self._sealed(request, name)
        return None if sealed is None else self._sealing.unseal(request, name, sealed)

    def some_parts(self, requests: Collection[str], name: str) -> dict[str, bytes]:
        sealed: dict[str, bytes] = {}
        with self._transactions.reading() as connection:
            for ids in _in_queries(requests):
                sealed |= {row.request: row.content for row in connection.execute(_parts_of(ids, name))}
        found = {request: self._sealing.unseal(request, name, content) for request, content in sealed.items()}
        return {request: content for request, content in found.items() if content is not None}

    def has_part(self, request: str, name: str) -> bool:
        return self._sealed(request, name) is not None

    def with_part(self, name: str) -> frozenset[str]:
        query = select(request_parts.c.request).where(request_parts.c.name == name)
        with self._transactions.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def part_digests(self, requests: Collection[str], name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._transactions.reading() as connection:
            for ids in _in_queries(requests):
                found |= {row.request: _digest(row.content) for row in connection.execute(_parts_of(ids, name))}
        return found

    def destroy_spent_keys(self) -> None:
        """Destroy the keys that a process could not destroy before it died."""
        query = select(subject_requests.c.id).where(subject_requests.c.id.not_in(select(request_parts.c.request)))
        with self._transactions.reading() as connection:
            spent = connection.execute(query.order_by(subject_requests.c.position)).scalars().all()
        for request in spent:
            self._sealing.destroy(request)

    def total(self, requests: Sequence[SubjectRequest]) -> int:
        """Turn rows into totals, but only those that are still as they were read."""
        counted: Counter[tuple[int, str, str]] = Counter()
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            for request in requests:
                unchanged = (subject_requests.c.id == request.id) & (subject_requests.c.doc == _doc(request))
                if request.outcome is None or _has_parts(connection, request.id):
                    continue
                if connection.execute(delete(subject_requests).where(unchanged)).rowcount == 1:
                    counted[request.received_on.year, request.right.value, request.outcome.value] += 1
            for (year, right, outcome), number in sorted(counted.items()):
                statement = insert_into(connection, request_totals)
                more = {"requests": request_totals.c.requests + statement.excluded.requests}
                statement = statement.on_conflict_do_update(index_elements=["year", "subject_right", "outcome"], set_=more)
                connection.execute(statement, {"year": year, "subject_right": right, "outcome": outcome, "requests": number})
            if counted:
                told.append(("requests_totalled", {"requests": counted.total()}))
        return counted.total()

    def totals(self) -> dict[tuple[int, str, str], int]:
        columns = request_totals.c
        query = select(columns.year, columns.subject_right, columns.outcome, columns.requests).order_by(*list(columns)[:3])
        with self._transactions.reading() as connection:
            return {(year, right, outcome): number for year, right, outcome, number in connection.execute(query)}

    def _sealed(self, request: str, name: str) -> bytes | None:
        with self._transactions.reading() as connection:
            return _part(connection, request, name)

    def _write_parts(self, connection: Connection, request: str, parts: Mapping[str, bytes | None]) -> None:
        """Put parts in place of those of the same name; None removes one."""
        for name, content in parts.items():
            if content is None and name in WRITTEN_OUT and (sealed := _part(connection, request, name)) is not None:
                written = self._sealing.unseal(request, name, sealed)
                if written is not None:  # whoever is cut off between the two does both again
                    self._remove_files(written)
            connection.execute(_DROP_PART, {"of": request, "part": name})
            if content is not None:
                row = {"request": request, "name": name, "content": self._sealing.seal(request, name, content)}
                connection.execute(_ADD_PART, row)


def replace_request(connection: Connection, request: SubjectRequest, since: SubjectRequest) -> None:
    """Put a row in the place of that which was read. Raises Refused: with code `changed`, it is another one
    by now."""
    doc = connection.execute(_DOC, {"of": request.id}).scalar()
    is_same = doc is not None and decoded(doc, SubjectRequest, request.id) == since
    if not is_same or connection.execute(_REPLACE, {"of": request.id, "read": doc, "doc": _doc(request)}).rowcount != 1:
        raise Refused("somebody else has changed the request meanwhile", hint="look at it again", where=request.id, code="changed")


def _closed_with(right: str) -> ColumnElement[bool]:
    return _IS_CLOSED & _says("right", Right(right).value) if right else _IS_CLOSED


def _parts_of(requests: Collection[str], name: str) -> Select[tuple[str, bytes]]:
    query = select(request_parts.c.request, request_parts.c.content)
    return query.where(request_parts.c.request.in_(requests), request_parts.c.name == name)


def _part(connection: Connection, request: str, name: str) -> bytes | None:
    """Return a part, still sealed; None if it does not exist."""
    content: bytes | None = connection.execute(_PART, {"of": request, "part": name}).scalar()
    return content


def _digest(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()


def _has_parts(connection: Connection, request: str) -> bool:
    """Return whether anything remains of the working area."""
    return bool(connection.execute(_PARTS, {"of": request}).scalar())


def _in_queries(requests: Collection[str]) -> Iterator[list[str]]:
    """Yield ids in order, as many at a time as one query names."""
    ids = sorted(requests)
    for at in range(0, len(ids), IN_A_QUERY):
        yield ids[at : at + IN_A_QUERY]


def _doc(request: SubjectRequest) -> str:
    return msgspec.json.encode(request).decode()
