"""The bytes of an answer's body, fast.

`requests` feeds a page through a generator in small pieces; one read of the raw stream and one call of the decompressor take a fraction of
that. ISA-L is optional: where its wheel is missing, zlib does the same at half the speed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import requests
import urllib3

try:
    from isal import isal_zlib

    _decompress: Callable[[bytes, int], bytes] = isal_zlib.decompress
    _ERRORS: tuple[type[Exception], ...] = (zlib.error, isal_zlib.error)  # type: ignore[assignment]
except ImportError:  # pragma: no cover
    _decompress = zlib.decompress
    _ERRORS = (zlib.error,)

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
        return _decompress(raw, _GZIP)
    except _ERRORS:
        raise BodyBroken from None
