"""The bytes of an answer's body, read fast and up to a limit, compressed or not; how
long they may take is in deadline.py. `requests` feeds a page through a generator in small pieces; reads of
the raw stream and one decompressor take a fraction of that; ISA-L is twice as fast as the standard library's
zlib."""

from collections.abc import Iterator

import requests
import urllib3
from isal import isal_zlib

_NOT_GZIP: type[Exception] = isal_zlib.IsalError  # type: ignore[assignment]  # the stub calls the class an instance
_GZIP = 31  # window bits: gzip header and trailer
_PIECE = 1 << 20


class BodyBroken(Exception):
    """The body broke off, does not decompress, or is larger than an answer may be."""


def read_body(response: requests.Response, limit: int) -> bytes:
    """Return the whole body, decompressed. The response must have been requested with `stream=True`. Raises
    BodyBroken: fewer bytes came than announced, they are not what the content encoding says, or they are more
    than `limit`, on the line or decompressed: nothing is unpacked beyond it."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding == "x-gzip":
        encoding = "gzip"  # the same (RFC 9110, section 8.4.1.3)
    if encoding not in ("", "identity", "gzip"):
        raise BodyBroken  # we ask for nothing else
    try:
        pieces = list(_within(limit, _pieces(response)))
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        raise BodyBroken from None
    raw = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if not raw or encoding != "gzip":
        return raw
    del pieces
    try:
        inflated = list(_within(limit, _inflated(raw, limit)))
    except _NOT_GZIP:
        raise BodyBroken from None
    return inflated[0] if len(inflated) == 1 else b"".join(inflated)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    while piece := response.raw.read(_PIECE, decode_content=False):
        yield piece


def _within(limit: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        limit -= len(piece)
        if limit < 0:
            raise BodyBroken
        yield piece


def _inflated(raw: bytes, limit: int) -> Iterator[bytes]:
    """Yield all members of a gzip stream; what follows the last must be one too, so nothing is left out."""
    while raw:
        member = isal_zlib.decompressobj(_GZIP)
        yield member.decompress(raw, limit + 1)  # one more than may be, so that the limit is seen to be passed
        if not member.eof:
            raise BodyBroken
        raw = member.unused_data
