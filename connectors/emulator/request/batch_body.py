"""The body of a `$batch`: multipart, read into its operations, and its answer written. The operations are
carried out, and a change set as a whole or not at all, in operations/change_sets.py."""

import re
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NoReturn

from connectors.emulator.errors import PAYLOAD, WebApiError, bad_payload
from connectors.emulator.request.exchange import JSON, Answer, Operation
from connectors.emulator.request.paths import below_service

INHERITED = ("callerobjectid", "mscrmcallerid")  # on whose behalf: no other header of a batch holds for its parts
CRLF = b"\r\n"
_DASHED_LINE = re.compile(rb"(?:^|\r?\n)--([^\r\n]*)(?=\r?\n|$)")  # whatever the boundary: each batch has others
_BLANK = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"\r?\n")
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]+)"|([^\s;,]+))', re.IGNORECASE)
_REQUEST_LINE = re.compile(r"([A-Za-z]+)\s+(\S.*?)\s+HTTP/1\.[01]\s*")
STREAMING = "application/json; odata.metadata=minimal; odata.streaming=true"


@dataclass
class Part:
    """One operation of a batch and the MIME header that names it."""

    operation: Operation
    content_id: str | None


@dataclass
class ChangeSet:
    parts: list[Part] = field(default_factory=list)


def is_batch(operation: Operation) -> bool:
    return operation.raw.partition("?")[0] in ("$batch", "%24batch")


def boundary_of(content_type: str) -> str | None:
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().strip().startswith("multipart/mixed") or match is None:
        return None
    return match.group(1) or match.group(2)


# -- reading -------------------------------------------------------------------------------------------------


def read_batch(outer: Operation, boundary: str) -> list[Part | ChangeSet]:
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


def unreadable() -> Answer:
    """Return what the real service answers when the last line does not end."""
    error = WebApiError(
        400,
        PAYLOAD,
        "Error identified in Payload provided by the user for Entity :'', For more information on this error please follow this help link "
        "https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : System.ArgumentException: Stream was not readable.",
    )
    return multipart(400, f"batchresponse_{uuid.uuid4()}", [part_bytes(Answer(400, error.body()))])


# -- writing -------------------------------------------------------------------------------------------------


def part_bytes(answer: Answer, content_id: str | None = None) -> bytes:
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


def nested(name: str, chunks: list[bytes]) -> bytes:
    return f"Content-Type: multipart/mixed; boundary={name}\r\n\r\n".encode() + _joined(name, chunks).removesuffix(CRLF)


def multipart(status: int, name: str, chunks: list[bytes]) -> Answer:
    return Answer(status, _joined(name, chunks), content_type=f"multipart/mixed; boundary={name}")
