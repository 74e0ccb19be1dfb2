"""The bytes of an answer's body, fast.

`requests` feeds a page through a generator in small pieces; one read of the raw stream and one call of the decompressor take a fraction of
that; ISA-L is twice as fast as the standard library's zlib.
"""

from __future__ import annotations

import requests
import urllib3
from isal import isal_zlib

_NOT_GZIP: type[Exception] = isal_zlib.IsalError  # type: ignore[assignment]  # the stub calls the class an instance
_GZIP = 31  # window bits: gzip header and trailer


class BodyBroken(Exception):
    """The body broke off, or does not decompress."""


def read_body(response: requests.Response) -> bytes:
    """The whole body, decompressed. The response must have been asked for with `stream=True`.

    Raises:
        BodyBroken: fewer bytes came than announced, or they are not what the content encoding says.
    """
    try:
        raw: bytes = response.raw.read(decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        raise BodyBroken from None
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if not raw or encoding in ("", "identity"):
        return raw
    if encoding != "gzip":
        raise BodyBroken  # we ask for nothing else
    try:
        return _decompressed(raw)
    except _NOT_GZIP:
        raise BodyBroken from None


def _decompressed(raw: bytes) -> bytes:
    """All members of a gzip stream; what follows the last must be one too, so that nothing is left out."""
    members: list[bytes] = []
    while raw:
        member = isal_zlib.decompressobj(_GZIP)
        members.append(member.decompress(raw))
        if not member.eof:
            raise BodyBroken
        raw = member.unused_data
    return members[0] if len(members) == 1 else b"".join(members)
