"""What columns hold as files: file columns in parts, images at their full size, the body of a note. Source:
the reference, section 12; Microsoft Learn, "Use file column data", "Use image column data"."""

import base64
import binascii
import re
from collections.abc import Mapping
from mimetypes import guess_type
from typing import Any
from urllib.parse import unquote

from connectors.dynamics.http.answers import UNREADABLE, Answer
from connectors.dynamics.http.query import guid, query_string
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.interface.errors import ConnectorError, ReadIncomplete
from connectors.interface.rows import Content
from rules.decoders import decoder_of

PART_BYTES = 4 * 1024 * 1024  # what the service itself hands out at once
MEDIA_TYPE = "mimetype"  # of a note, as its column; of a file, as a header
FILE_NAME = "filename"  # of a note, and of what came with an e-mail
OCTETS = "application/octet-stream"
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
# The first bytes of the types that an image column takes.
_IMAGES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


class Contents:
    """Contents of rows of one CRM, each read whole or not at all."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def content(self, table: TableDefinition, row: str, column: str) -> Content | None:
        """Return what a column of a row holds; None where the row does not exist or holds nothing. Raises as
        `Connector.content`."""
        address = f"{table.set_name}({guid(row)})"
        kind = table.attributes[column].kind
        is_text = kind not in ("FileType", "ImageType")
        also = [name for name in (MEDIA_TYPE, FILE_NAME) if is_text and name in table.attributes]
        held = self._row(address, [column, *also], table.name)
        if held is None or not held.get(column):
            return None
        if kind == "FileType":
            found = self._file(f"{address}/{column}/$value", table.name)
            again = self._row(address, [column], table.name)
            if again is None or again.get(column) != held[column]:
                raise ReadIncomplete("A file was replaced while it was read.", hint="Try again.", where=table.name)
            return found
        if kind == "ImageType":
            answer = self._transport.get_bytes(f"{address}/{column}/$value?size=full", where=table.name)
            # Where no full image is kept, what the row itself holds is all that there is.
            body = answer.body or _decoded(held[column], table.name, row)
            return Content(body, next((name for start, name in _IMAGES if body.startswith(start)), ""))
        return Content(_decoded(held[column], table.name, row), _type_by(str(held.get(MEDIA_TYPE) or ""), str(held.get(FILE_NAME) or "")))

    def _row(self, address: str, columns: list[str], where: str) -> Mapping[str, Any] | None:
        """Return some columns of a row; None where the row does not exist."""
        try:
            answer = self._transport.get(f"{address}?{query_string({'$select': ','.join(columns)})}", where=where)
        except ConnectorError as failure:
            if failure.status == 404:
                return None
            raise
        try:
            found = decoder_of(dict[str, Any]).decode(answer.body)
        except UNREADABLE:
            found = {}
        if not found.keys() >= set(columns):
            raise ReadIncomplete("A row lacks a column that was asked for.", where=where, request_id=answer.request_id)
        return found

    def _file(self, address: str, where: str) -> Content:
        body = bytearray()
        total: int | None = None
        answer = self._part(address, 0, where)
        while answer.status == 206:
            matched = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
            first, last, size = map(int, matched.groups()) if matched else (-1, -1, -1)
            if first != len(body) or last - first + 1 != len(answer.body) or not answer.body or size != (total or size):
                raise ReadIncomplete("A part of a file is not the one that was asked for.", where=where, request_id=answer.request_id)
            body += answer.body
            total = size
            if len(body) >= total:
                break
            answer = self._part(address, len(body), where)
        if answer.status == 200:  # the whole at once, whatever part was asked for
            body = bytearray(answer.body)
        told = answer.headers.get("x-ms-file-size", "").strip()
        sizes = {size for size in (total, int(told) if told.isdecimal() else None) if size is not None}
        if answer.status == 204 or not sizes <= {len(body)}:
            raise ReadIncomplete("A file did not come whole.", hint="Try again later.", where=where, request_id=answer.request_id)
        return Content(bytes(body), _media_type(answer))

    def _part(self, address: str, start: int, where: str) -> Answer:
        """Return the bytes from `start` on, as many as the service gives; the whole file where it gives no
        parts. Raises ReadIncomplete: the file does not exist, although the row names it."""
        part = f"bytes={start}-{start + PART_BYTES - 1}"
        try:
            return self._transport.get_bytes(address, part=part, where=where)
        except ConnectorError as failure:
            if failure.status == 400 and not start:  # this environment gives no parts
                return self._transport.get_bytes(address, where=where)
            if failure.status in (404, 416):
                raise ReadIncomplete("A file is not there although its row names it.", where=where, status=failure.status) from None
            raise


def _media_type(answer: Answer) -> str:
    return _type_by(answer.headers.get(MEDIA_TYPE, "").strip(), unquote(answer.headers.get("x-ms-file-name", "")))


def _type_by(said: str, name: str) -> str:
    """Return what the CRM says that a file is, else what its name says: most are uploaded as bytes alone."""
    return said if said not in ("", OCTETS) else guess_type(name)[0] or said


def _decoded(text: object, where: str, row: str) -> bytes:
    """Return the bytes of a text in base64; line breaks in it, which .NET takes, mean nothing."""
    try:
        return base64.b64decode("".join(str(text).split()), validate=True)
    except (binascii.Error, ValueError):
        told = f"The file in {where} {row} is not readable: what stands there is no base64."
        raise ReadIncomplete(told, hint="Put the file there once more in the CRM, or take it away.", where=where) from None
