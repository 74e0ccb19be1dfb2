"""Change sets: written as `$batch`, and the outcome of each read from the answer without ever guessing. A
change set is DONE only if every one of its operations is answered with success under its own Content-ID.
Whatever does not fit, in number, order or form, is UNKNOWN, and the caller reads back."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Values
from dataclasses import dataclass, field, replace

import msgspec
from requests.structures import CaseInsensitiveDict

from connectors.dynamics.http import faults
from connectors.dynamics.http.answers import NotSent
from connectors.dynamics.http.query import guid
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.writing.columns import NotWritable, payload
from connectors.dynamics.writing.mask import Masking
from connectors.dynamics.writing.multipart import (
    InnerAnswer,
    Part,
    boundary_of,
    change_set_part,
    enclosed,
    inner_answer,
    request_part,
    split,
)
from connectors.dynamics.writing.pointers import Emptied
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.errors import ConnectorError, ReadIncomplete, Unauthorised
from rules.model.bypass import Bypass
from rules.model.records import Record

MAX_OPERATIONS = 1000  # Microsoft Learn, "Execute batch operations using the Web API"

# A 404 or 412 that does not mean that the row has changed: no such segment, unbound URL, alternate key taken,
# duplicate-detection rule.
_NO_CHANGE_CODES = frozenset({"0x8006088a", "0x80060888", "0x80060892", "0x80040333"})
_CONTRADICTORY = -1


@dataclass(frozen=True, slots=True)
class Request:
    """One operation as it is sent over the wire."""

    method: str
    path: str
    headers: Values[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change set ready to be sent, or what is already known about it (`result`)."""

    key: str
    requests: tuple[Request, ...] = ()
    result: ChangeResult | None = None


def prepare(
    change_set: ChangeSet,
    tables: Values[type[Record], tuple[Table, TableDefinition]],
    mapping: Mapping,
    metadata: Metadata,
    root_path: str,
    masking: Masking,
    emptied: Emptied,
) -> Prepared:
    """Turn the operations of a change set into requests. What cannot be written is refused here, before
    anything is sent. `emptied` are the rows that point to one deleted before them: they lose the lookup
    first, under their version, and are written as the transaction has them. Raises ValueError: an update or
    delete without a version. Without If-Match, a PATCH on a row already erased creates it again: here that
    resurrects a person."""
    if not change_set.operations:
        return Prepared(change_set.key, result=ChangeResult(change_set.key, ChangeStatus.DONE))
    if len(change_set.operations) > MAX_OPERATIONS:
        return Prepared(change_set.key, result=ChangeResult(change_set.key, ChangeStatus.REFUSED, service_code="too_many_operations"))
    requests: list[Request] = []
    first: list[Request] = []
    contents: list[Request] = []  # of file columns; after the writes under a version, which they would change
    for operation in change_set.operations:
        if operation.kind is not OperationKind.CREATE and operation.etag in ("", "*"):
            raise ValueError(f"{operation.kind} without the version that must still be there")
        found = tables.get(operation.record)
        try:
            if found is None:
                raise NotWritable("table")
            if operation.kind is not OperationKind.CREATE and (lookups := emptied.get((found[0].name, operation.id.lower()))):
                address = f"{root_path}{found[1].set_name}({guid(operation.id)})"
                headers = _headers(operation) | {"Content-Type": "application/json", "If-Match": _header(operation.etag)}
                first.append(Request("PATCH", address, headers, msgspec.json.encode(lookups)))
                operation = replace(operation, etag="*")
            if operation.kind is OperationKind.MASK:
                written, *more = _mask(operation, *found, masking, root_path)
            else:
                written, *more = _write(operation, *found, mapping, metadata, root_path)
            requests.append(written)
            contents += more
        except NotWritable:
            return Prepared(change_set.key, result=ChangeResult(change_set.key, ChangeStatus.REFUSED, "not_mapped"))
    if len(first) + len(requests) + len(contents) > MAX_OPERATIONS:
        return Prepared(change_set.key, result=ChangeResult(change_set.key, ChangeStatus.REFUSED, service_code="too_many_operations"))
    return Prepared(change_set.key, (*first, *requests, *contents))


# Source: section 1.8 of the wire reference. Only what runs before or after a write of ours is passed by,
# never the CRM's own logic.
_BYPASS_HEADERS: Values[Bypass, tuple[str, str]] = {
    Bypass.PLUGINS: ("MSCRM.BypassBusinessLogicExecution", "CustomSync,CustomAsync"),
    Bypass.FLOWS: ("MSCRM.SuppressCallbackRegistrationExpanderJob", "true"),
}


def _headers(operation: Operation) -> dict[str, str]:
    return {"Accept": "application/json"} | dict(_BYPASS_HEADERS[each] for each in sorted(operation.bypass))


def _mask(operation: Operation, table: Table, definition: TableDefinition, masking: Masking, root_path: str) -> Iterator[Request]:
    """Yield the request that masks a row, then one for each file column (reference: section 12)."""
    address = f"{root_path}{definition.set_name}({guid(operation.id)})"
    headers = _headers(operation) | {"Content-Type": "application/json", "If-Match": _header(operation.etag)}
    yield Request("PATCH", address, headers, msgspec.json.encode(masking.body(table, operation)))
    yield from _without_files(address, masking.files(table), operation)


def _without_files(address: str, columns: Iterable[str], operation: Operation) -> Iterator[Request]:
    """Yield what empties file columns of a row, which no PATCH may name."""
    return (Request("DELETE", f"{address}/{column}", _headers(operation), b"") for column in columns)


def _write(
    operation: Operation, table: Table, definition: TableDefinition, mapping: Mapping, metadata: Metadata, root_path: str
) -> Iterator[Request]:
    """Yield the request of any other operation, then one for each file column that it empties."""
    address = f"{root_path}{definition.set_name}({guid(operation.id)})"
    headers = _headers(operation)
    if operation.kind is OperationKind.DELETE:
        yield Request("DELETE", address, headers | {"If-Match": _header(operation.etag)}, b"")
        return
    body = payload(table, definition, operation.values, mapping, metadata)
    headers["Content-Type"] = "application/json"
    if operation.kind is OperationKind.UPDATE:
        files = [name for name in body if name in definition.attributes and definition.attributes[name].kind == "FileType"]
        body = {name: value for name, value in body.items() if name not in files}
        yield Request("PATCH", address, headers | {"If-Match": _header(operation.etag)}, msgspec.json.encode(body))
        yield from _without_files(address, files, operation)
        return
    # The id is ours, so a create that is repeated finds its row there (412) instead of making a second one.
    yield Request(
        "POST", f"{root_path}{definition.set_name}", headers, msgspec.json.encode({definition.primary_id: guid(operation.id), **body})
    )


def _header(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError("a version holds characters that no header may have")
    return value


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one batch: a result for each change set, None where the CRM said that it did nothing and
    asks to wait (`wait_s`). `refusal`: the whole batch was refused, nothing of it done. `reached`: something
    may have been done."""

    results: tuple[ChangeResult | None, ...]
    wait_s: float | None = None
    refusal: ConnectorError | None = None
    reached: bool = True
    code: str = ""
    told: frozenset[str] = frozenset()  # why something of it was refused, and what to do


def send_batch(transport: Transport, change_sets: Sequence[Prepared]) -> Sent:
    """Send change sets as one batch and read the answer; what may have happened is not sent again."""
    boundary = f"batch_{uuid.uuid4().hex}"
    body = encode(change_sets, boundary)
    try:
        operations = sum(len(one.requests) for one in change_sets)
        answer = transport.post_batch(body, boundary, operations=operations)
    except ConnectorError as failure:
        is_refused = isinstance(failure, Unauthorised)
        status = ChangeStatus.REFUSED if is_refused else ChangeStatus.UNKNOWN
        lost = tuple(ChangeResult(one.key, status, failure.service_code, is_outage=not is_refused) for one in change_sets)
        told = frozenset({_told(status, failure)} if isinstance(failure, ReadIncomplete) else ())
        reached = not is_refused and not isinstance(failure, NotSent)
        return Sent(lost, refusal=failure if is_refused else None, reached=reached, told=told)
    if answer.status == 403 and not boundary_of(answer.headers.get("Content-Type", "")):
        found = faults.fault(403, answer.body)
        refusal = faults.error(found, request=answer.request_id, where="$batch")
        return Sent(tuple(ChangeResult(one.key, ChangeStatus.REFUSED, found.code) for one in change_sets), refusal=refusal, reached=False)
    if answer.status == 429:
        code = faults.fault(429, answer.body).code
        return Sent((None,) * len(change_sets), transport.retry.retry_after_s(answer.headers), reached=False, code=code)
    decoded = decode(change_sets, answer.status, answer.headers.get("Content-Type", ""), answer.body)
    waits = [transport.retry.retry_after_s(one.wait) for one in decoded if one.wait is not None]
    results = tuple(None if one.wait is not None else one.result for one in decoded)
    code = next((one.result.service_code for one in decoded if one.wait is not None), "")
    told = frozenset(_told(one.result.status, faults.error(one.refused)) for one in decoded if one.refused is not None)
    return Sent(results, max(waits, default=None), code=code, told=told)


def _told(status: ChangeStatus, cause: ConnectorError) -> str:
    what = "a write is refused" if status is ChangeStatus.REFUSED else "what became of a write is not known"
    return f"{what}: {cause} {cause.hint}"


def encode(change_sets: Sequence[Prepared], boundary: str) -> bytes:
    """Return the body of a batch. Content-IDs run on over all its change sets, so that an answer names its
    operation beyond doubt."""
    parts: list[bytes] = []
    content_id = 0
    for number, change_set in enumerate(change_sets):
        operations: list[bytes] = []
        for request in change_set.requests:
            content_id += 1
            operations.append(request_part(request.method, request.path, dict(request.headers), request.body, content_id))
        parts.append(change_set_part(f"changeset_{boundary[6:]}_{number}", operations))
    return enclosed(boundary, parts)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the answer says of one change set. `wait`: the headers of a 429 for it; nothing was done.
    `refused`: why it was not done, or why nobody knows whether it was."""

    result: ChangeResult
    wait: Values[str, str] | None = None
    refused: faults.Fault | None = None


def decode(change_sets: Sequence[Prepared], status: int, content_type: str, body: bytes) -> list[Decoded]:
    """Match the parts of an answer with the change sets that were sent.

    Parts come in the order of the request. A success is believed only under the Content-IDs of its change
    set. A failure, which may come without one, is believed only if there are as many parts as change sets and
    nothing contradicts that order. A service that stops at the first failure sends fewer (reference: section
    5.3); which one is missing cannot be determined then."""
    first_ids: list[int] = []
    next_id = 1
    for change_set in change_sets:
        first_ids.append(next_id)
        next_id += len(change_set.requests)
    whole = faults.fault(status, body) if status >= 300 and not boundary_of(content_type) else None
    is_outage = status >= 500 or status == 408
    lost = ChangeResult("", ChangeStatus.UNKNOWN, whole.code if whole is not None else "", is_outage=is_outage)
    unknown = [Decoded(replace(lost, key=one.key), refused=whole) for one in change_sets]
    parts = split(body, boundary_of(content_type)) if status in (200, 202, 207, 400) else []
    in_order = len(parts) == len(change_sets)
    decoded = list(unknown)
    answered: set[int] = set()
    by_order: set[int] = set()
    for position, part in enumerate(parts):
        named = _owner(part, change_sets, first_ids)
        if named is None and not in_order:
            continue
        if named is not None and named != position:
            in_order = False
            for index in by_order:  # the order is broken, so what was matched by it alone is no longer certain
                decoded[index] = unknown[index]
        owner = position if named is None else named
        if owner == _CONTRADICTORY:
            continue
        if owner in answered:
            decoded[owner] = unknown[owner]  # two answers for one change set: neither counts
            continue
        answered.add(owner)
        if named is None:
            by_order.add(owner)
        verdict = _verdict(change_sets[owner], first_ids[owner], part)
        if verdict is not None:
            decoded[owner] = verdict
    return decoded


def _content_ids(part: Part) -> list[str]:
    if not part.is_multipart:
        return [part.content_id] if part.content_id else []
    inner = split(part.body, boundary_of(part.headers.get("content-type", "")))
    return [one.content_id for one in inner if one.content_id]


def _owner(part: Part, change_sets: Sequence[Prepared], first_ids: Sequence[int]) -> int | None:
    """Return the change set whose Content-IDs a part carries; None if it carries none, `_CONTRADICTORY` if
    unknown ones or those of several."""
    owners: set[int] = set()
    for text in _content_ids(part):
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
        owner = next((i for i, first in enumerate(first_ids) if first <= number < first + len(change_sets[i].requests)), None)
        owners.add(_CONTRADICTORY if owner is None else owner)
    if not owners:
        return None
    return owners.pop() if len(owners) == 1 else _CONTRADICTORY


def _verdict(change_set: Prepared, first_id: int, part: Part) -> Decoded | None:
    """Return what one part reports about its change set; None if it is not to be trusted."""
    if part.is_multipart:
        inner = split(part.body, boundary_of(part.headers.get("content-type", "")))
        answers = [(one.content_id, inner_answer(one.body)) for one in inner]
    else:
        answers = [(part.content_id, inner_answer(part.body))]
    failures = [answer for _, answer in answers if answer is not None and answer.status >= 400]
    expected = [str(first_id + offset) for offset in range(len(change_set.requests))]
    done = sum(answer is not None and 200 <= answer.status < 300 for _, answer in answers)
    if failures:
        if done >= len(expected):
            return None  # all of it done and yet a failure: it cannot be both
        return _failure(change_set, failures[0])
    if part.is_multipart and sorted(content_id for content_id, _ in answers) == sorted(expected) and done == len(expected):
        return Decoded(ChangeResult(change_set.key, ChangeStatus.DONE))
    return None


def _failure(change_set: Prepared, answer: InnerAnswer) -> Decoded:
    """Return one error for the whole change set, which was rolled back."""
    found = faults.fault(answer.status, answer.body)
    if answer.status in (404, 412) and found.code not in _NO_CHANGE_CODES:
        status = ChangeStatus.CHANGED
    elif answer.status < 500 and answer.status != 408:
        status = ChangeStatus.REFUSED
    else:
        status = ChangeStatus.UNKNOWN
    result = ChangeResult(change_set.key, status, found.code)
    if answer.status == 429:
        return Decoded(result, CaseInsensitiveDict(answer.headers))
    return Decoded(result, refused=None if status is ChangeStatus.CHANGED else found)
