"""Multipart bodies of `$batch`, in bytes (Microsoft Learn, "Execute batch operations using the Web API";
reference: section 5). Reading is strict about the end: a part counts only if a boundary follows it, so the
rest of an answer that was cut off is nothing, not half of something."""

import re
from dataclasses import dataclass

CRLF = b"\r\n"
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?: [^\r\n]*)?\r?\n")
_LINE_END = re.compile(r"\r?\n")
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_DASHED_LINE = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|\r?\n)--([^\r\n]*)(?=\r?\n|\Z)")  # whatever the boundary: each batch has others


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its own headers, in lower case, and what follows them."""

    headers: dict[str, str]
    body: bytes

    @property
    def is_multipart(self) -> bool:
        return self.headers.get("content-type", "").lower().startswith("multipart/mixed")

    @property
    def content_id(self) -> str:
        return self.headers.get("content-id", "").strip()


@dataclass(frozen=True, slots=True)
class InnerAnswer:
    """The HTTP answer inside a part."""

    status: int
    headers: dict[str, str]
    body: bytes


def request_part(method: str, path: str, headers: dict[str, str], body: bytes, content_id: int) -> bytes:
    """Return one operation of a change set, without the boundary before it."""
    lines = [
        b"Content-Type: application/http",
        b"Content-Transfer-Encoding: binary",
        b"Content-ID: %d" % content_id,
        b"",
        f"{method} {path} HTTP/1.1".encode("ascii"),
        *(f"{name}: {value}".encode("ascii") for name, value in headers.items()),
        b"",
        body,
    ]
    return CRLF.join(lines)


def change_set_part(boundary: str, parts: list[bytes]) -> bytes:
    """Return a change set as one part of a batch, without the batch's boundary before it."""
    return CRLF.join([f'Content-Type: multipart/mixed; boundary="{boundary}"'.encode("ascii"), b"", enclosed(boundary, parts)])


def enclosed(boundary: str, parts: list[bytes]) -> bytes:
    """Return parts between boundaries. The last line ends with CRLF too: without it the service treats the
    stream as unreadable."""
    mark = b"--" + boundary.encode("ascii")
    return b"".join(mark + CRLF + part + CRLF for part in parts) + mark + b"--" + CRLF


def boundary_of(content_type: str) -> str:
    """Return the boundary that a Content-Type names; empty if this is not a multipart."""
    if not content_type.lower().lstrip().startswith("multipart/"):
        return ""
    found = _BOUNDARY.search(content_type)
    return (found.group(1) or found.group(2)) if found else ""


def split(body: bytes, boundary: str) -> list[Part]:
    """Return the whole parts of a body, in order; what is outside the boundaries is ignored."""
    if not boundary:
        return []
    mark = boundary.encode("latin-1", "replace")
    parts: list[Part] = []
    start: int | None = None
    for found in _DASHED_LINE.finditer(body):
        line = found.group(1)
        ending = line[len(mark) :].rstrip(b" \t")
        if not line.startswith(mark) or ending not in (b"", b"--"):
            continue
        if start is not None:
            part = _part(body[start : found.start()])
            if part is None:
                return parts
            parts.append(part)
        if ending:
            return parts
        start = found.end()
    return parts


def inner_answer(body: bytes) -> InnerAnswer | None:
    """Return the HTTP answer in a part's body; None if it is not one."""
    found = _STATUS_LINE.match(body.lstrip(b"\r\n"))
    if found is None:
        return None
    rest = body.lstrip(b"\r\n")[found.end() :]
    head, _, content = _head_and_body(b"\r\n" + rest)
    return InnerAnswer(int(found.group(1)), _headers(head), content)


def _part(raw: bytes) -> Part | None:
    head, ended, content = _head_and_body(raw)
    return Part(_headers(head), content) if ended else None


def _head_and_body(raw: bytes) -> tuple[bytes, bool, bytes]:
    """Return headers and what follows them; `raw` begins with the line end before the first header."""
    end = _HEADERS_END.search(raw)
    return (raw[: end.start()], True, raw[end.end() :]) if end else (raw, False, b"")


def _headers(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _LINE_END.split(head.decode("latin-1")):  # not splitlines(), which takes half an "Å" for a line end
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found
