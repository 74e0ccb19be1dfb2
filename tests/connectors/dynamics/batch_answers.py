"""Answers to a `$batch`, as the service writes them."""

import json

BOUNDARY = "batchresponse_1"
MULTIPART = f"multipart/mixed; boundary={BOUNDARY}"


def operation_part(status: int, content_id: int | None, code: str = "", headers: str = "", message: str = "Lotte Peeters") -> bytes:
    named = f"Content-ID: {content_id}\r\n" if content_id else ""
    body = json.dumps({"error": {"code": code, "message": message}}) if status >= 400 else ""
    head = f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{named}\r\n"
    return f"{head}HTTP/1.1 {status} X\r\nOData-Version: 4.0\r\n{headers}\r\n{body}".encode()


def nested(*parts: bytes, name: str = "changesetresponse_1") -> bytes:
    return f"Content-Type: multipart/mixed; boundary={name}\r\n\r\n".encode() + joined(parts, name)


def joined(parts: tuple[bytes, ...] | list[bytes], name: str = BOUNDARY) -> bytes:
    return b"".join(f"--{name}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{name}--\r\n".encode()


def done(*content_ids: int) -> bytes:
    return nested(*(operation_part(204, content_id) for content_id in content_ids))
