"""How files are handed to a browser: shown as pictures and sound, or taken away; never as a page of this
service that could do anything."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from crm_compliance.console.access.headers import PAGE

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
SOUNDS: Final = frozenset({"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/x-wav", "audio/webm", "audio/aac"})
_ALONE: Final = {"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff"}


def taken_away(content: bytes, name: str) -> Response:
    """Answer with a file to be stored."""
    headers = {**PAGE, **_ALONE, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def inline(content: bytes, media_type: str) -> Response:
    """Answer with a picture or sound that a page of ours shows."""
    return Response(content, media_type=media_type, headers={**PAGE, **_ALONE, "Content-Disposition": "inline"})
