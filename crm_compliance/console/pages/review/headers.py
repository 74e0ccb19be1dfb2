"""How files are handed to a browser: shown as pictures and sound, as a page in a frame in which nothing runs,
or taken away; never as a page of this service that could do anything."""

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from crm_compliance.console.access.headers import PAGE

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
SOUNDS: Final = frozenset({"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/x-wav", "audio/webm", "audio/aac"})
PDF: Final = "application/pdf"
SHOWN_HERE: Final = PICTURES | SOUNDS | {PDF}  # on the page of an item; any other file is taken away to be looked at
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'"
_NOWHERE: Final = {
    "Content-Security-Policy": f"sandbox; {_NOTHING}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
# The origin stays ours so that links inside carry the session; there is no script that could use it.
_FRAMED: Final = {
    "Content-Security-Policy": f"sandbox allow-same-origin; {_NOTHING}; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}


def taken_away(content: bytes, name: str) -> Response:
    """Answer with a file to be stored."""
    headers = {**PAGE, **_NOWHERE, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def inline(content: bytes, media_type: str, *, in_frame: bool = False) -> Response:
    """Answer with a picture or sound that a page of ours shows, or one in its frame leads to."""
    headers = {**PAGE, **(_FRAMED if in_frame else _NOWHERE), "Content-Disposition": "inline"}
    return Response(content, media_type=media_type, headers=headers)


def framed(page: bytes) -> Response:
    """Answer with a page of HTML for a frame of ours: it has its own style, and nothing else."""
    return Response(page, media_type="text/html", headers={**PAGE, **_FRAMED, "Content-Disposition": "inline"})
