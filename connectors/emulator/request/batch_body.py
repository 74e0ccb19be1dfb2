"""`$batch`: multipart bodies read and written; a change set is all or nothing."""

import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NoReturn

from connectors.emulator.errors import PAYLOAD, WebApiError, bad_payload, bad_query
from connectors.emulator.request.exchange import JSON, Answer, Operation
from connectors.emulator.request.paths import below_service

MAX_OPERATIONS = 1_000
INHERITED = ("callerobjectid", "mscrmcallerid")  # on whose behalf: no other header of a batch holds for its parts
CRLF = b"\r\n"
_DASHED_LINE = re.compile(rb"(?:^|\r?\n)--([^\r\n]*)(?=\r?\n|$)")  # whatever the boundary: each batch has others
_BLANK = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"\r?\n")
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]+)"|([^\s;,]+))', re.IGNORECASE)
_REQUEST_LINE = re.compile(r"([A-Za-z]+)\s+(\S.*?)\s+HTTP/1\.[01]\s*")
STREAMING = "application/json; odata.metadata=minimal; odata.streaming=true"

Run = Callable[[Operation], Answer]


@dataclass
class Part:
    """One operation of a batch and the MIME header that names it."""

    operation: Operation
    content_id: str | None = None


@dataclass
class ChangeSet:
    parts: list[Part] = field(default_factory=list)


class _RolledBack(Exception):
    def __init__(self, part: Part, answer: Answer) -> None:
        super().__init__()
        self.part, self.answer = part, answer


def is_batch(operation: Operation) -> bool:
    return operation.raw.partition("?")[0] in ("$batch", "%24batch")


def handle_batch(
    outer: Operation,
    run: Run,
    transaction: Callable[[], AbstractContextManager[None]],
    *,
    continue_on_error: bool,
    plain_failures: bool = False,
) -> Answer:
    """Execute a batch, in order. The answer is multipart, also when it is a 400; with `plain_failures` the
    one error of a failed change set is an ordinary part."""
    boundary = boundary_of(outer.headers.get("content-type", ""))
    if boundary is None:
        raise bad_payload("$batch", "The value of the Content-Type header of a batch request must be multipart/mixed with a boundary.")
    if not outer.body.endswith(b"\n"):
        return _unreadable()
    items = _read(outer, boundary)
    if sum(len(item.parts) if isinstance(item, ChangeSet) else 1 for item in items) > MAX_OPERATIONS:
        raise WebApiError(
            400,
            PAYLOAD,
            "The current batch message contains too many parts. Only batch messages with a maximum number of "
            f"'{MAX_OPERATIONS}' query operations, including changeset operations, are allowed.",
        )
    name = f"batchresponse_{uuid.uuid4()}"
    chunks: list[bytes] = []
    failed = False
    for item in items:
        if isinstance(item, ChangeSet):
            chunk, failed_now = _change_set(item, run, transaction, plain_failures=plain_failures)
        else:
            answer = run(item.operation)
            chunk, failed_now = _part_bytes(answer), answer.status >= 400
        chunks.append(chunk)
        failed = failed or failed_now
        if failed_now and not continue_on_error:
            break
    status = 400 if failed and not continue_on_error else 200
    return _multipart(status, name, chunks)


def boundary_of(content_type: str) -> str | None:
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().strip().startswith("multipart/mixed") or match is None:
        return None
    return match.group(1) or match.group(2)


# -- reading -------------------------------------------------------------------------------------------------


def _read(outer: Operation, boundary: str) -> list[Part | ChangeSet]:
    items: list[Part | ChangeSet] = []
    for raw in _split(outer.body, boundary):
        headers, content = _mime(raw)
        content_type = headers.get("content-type", "")
        if content_type.lower().startswith("multipart/mixed"):
            inner = boundary_of(content_type)
            if inner is None:
                _malformed("A change set has no boundary.")
            change_set = ChangeSet()
            for nested in _split(content + CRLF, inner):
                nested_headers, nested_content = _mime(nested)
                if nested_headers.get("content-type", "").lower().startswith("multipart/"):
                    _malformed("A change set cannot contain another change set.")
                change_set.parts.append(_part(outer, nested_headers, nested_content))
            items.append(change_set)
        elif content_type.lower().startswith("application/http"):
            items.append(_part(outer, headers, content))
        else:
            _malformed(f"The content type '{content_type[:60]}' of a part is not allowed in a batch.")
    return items


def _split(body: bytes, boundary: str) -> list[bytes]:
    """Return the parts between delimiters; line feeds alone will do in the middle, as in the service."""
    delimiter = boundary.encode()
    parts: list[bytes] = []
    start: int | None = None
    for match in _DASHED_LINE.finditer(body):
        line = match.group(1)
        ending = line[len(delimiter) :].rstrip(b" \t")
        if not line.startswith(delimiter) or ending not in (b"", b"--"):
            continue
        if start is not None:
            parts.append(body[start : match.start()])
        if ending:
            return [re.sub(rb"^\r?\n", b"", part, count=1) for part in parts]
        start = match.end()
    return _malformed("The batch ends without its closing boundary.")


def _mime(raw: bytes) -> tuple[dict[str, str], bytes]:
    pieces = _BLANK.split(raw, maxsplit=1)
    head, content = pieces[0], pieces[1] if len(pieces) > 1 else b""
    return _headers(_LINE.split(head)), content


def _headers(lines: list[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon:
            key = name.strip().lower()
            found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
    return found


def _part(outer: Operation, mime: dict[str, str], content: bytes) -> Part:
    pieces = _BLANK.split(content.lstrip(b"\r\n"), maxsplit=1)
    lines = _LINE.split(pieces[0])
    match = _REQUEST_LINE.fullmatch(lines[0].decode("utf-8", "replace"))
    if match is None:
        _malformed("A part of the batch has no request line.")
    headers = {name: outer.headers[name] for name in INHERITED if name in outer.headers} | _headers(lines[1:])
    raw = below_service(match.group(2))
    body = pieces[1] if len(pieces) > 1 else b""
    operation = Operation(match.group(1).upper(), raw, headers, body, outer.root, outer.user, in_batch=True)
    return Part(operation, mime.get("content-id"))


def _malformed(message: str) -> NoReturn:
    raise bad_payload("$batch", message)


def _unreadable() -> Answer:
    """Return what the real service answers when the last line does not end."""
    error = WebApiError(
        400,
        PAYLOAD,
        "Error identified in Payload provided by the user for Entity :'', For more information on this error please follow this help link "
        "https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : System.ArgumentException: Stream was not readable.",
    )
    return _multipart(400, f"batchresponse_{uuid.uuid4()}", [_part_bytes(Answer(400, error.body()))])


# -- change sets ---------------------------------------------------------------------------------------------


def _change_set(
    change_set: ChangeSet, run: Run, transaction: Callable[[], AbstractContextManager[None]], *, plain_failures: bool
) -> tuple[bytes, bool]:
    name = f"changesetresponse_{uuid.uuid4()}"
    references: dict[str, str] = {}
    chunks: list[bytes] = []
    try:
        with transaction():
            for part in change_set.parts:
                answer = _checked(part, references, run)
                if answer.status >= 400:
                    raise _RolledBack(part, answer)
                if part.content_id is not None:
                    references[part.content_id] = answer.location or ""
                chunks.append(_part_bytes(answer, part.content_id))
    except _RolledBack as failure:
        refusal = _part_bytes(failure.answer, failure.part.content_id)
        return refusal if plain_failures else _nested(name, [refusal]), True
    return _nested(name, chunks), False


def _checked(part: Part, references: dict[str, str], run: Run) -> Answer:
    problem = None
    if part.operation.method == "GET":
        problem = bad_query("A GET operation is not allowed in a change set.")
    elif part.content_id is None:
        problem = bad_query("Content-ID is missing: every operation of a change set must have one.")
    elif part.content_id in references:
        problem = bad_query(f"The content ID '{part.content_id}' was found more than once in the same change set.")
    if problem is not None:
        return Answer(problem.status, problem.body())
    part.operation.references = {key: address for key, address in references.items() if address}
    return run(part.operation)


# -- writing -------------------------------------------------------------------------------------------------


def _part_bytes(answer: Answer, content_id: str | None = None) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
    if answer.body:
        lines.append(f"Content-Type: {STREAMING if answer.content_type == JSON else answer.content_type}")
    lines.append("OData-Version: 4.0")
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if answer.status >= 400:
        lines.append(f"REQ_ID: {uuid.uuid4()}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _joined(name: str, chunks: list[bytes]) -> bytes:
    delimiter = f"--{name}".encode()
    return b"".join([delimiter + CRLF + chunk + CRLF for chunk in chunks]) + delimiter + b"--" + CRLF


def _nested(name: str, chunks: list[bytes]) -> bytes:
    return f"Content-Type: multipart/mixed; boundary={name}\r\n\r\n".encode() + _joined(name, chunks).removesuffix(CRLF)


def _multipart(status: int, name: str, chunks: list[bytes]) -> Answer:
    return Answer(status, _joined(name, chunks), content_type=f"multipart/mixed; boundary={name}")
