"""What the browser fetches beside pages: style, script, icons, fonts. All of it is served from here."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_FONT: Final = re.compile(rb'url\("(fonts/[^"]+)"\)')
YEAR: Final = "public, max-age=31536000, immutable"  # an address names its content


class StaticFile(NamedTuple):
    """One file, and what of its SHA-256 its address names."""

    content: bytes
    media_type: str
    version: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Return all files by path."""
    found: dict[str, StaticFile] = {}
    root = files("crm_compliance.console") / "static"
    for folder in ("vendor", "fonts", ""):
        for each in (root / folder if folder else root).iterdir():
            ending = f".{each.name.rpartition('.')[2]}"
            if ending in TYPES:
                path = f"{folder}/{each.name}" if folder else each.name
                content = _with_versions(each.read_bytes(), found) if ending == ".css" else each.read_bytes()
                found[path] = StaticFile(content, TYPES[ending], hashlib.sha256(content).hexdigest()[:12])
    return found


def _with_versions(style: bytes, found: Mapping[str, StaticFile]) -> bytes:
    """Return a style that names its fonts by their versions, as pages do that fetch them beforehand."""
    return _FONT.sub(lambda name: b'url("%s?v=%s")' % (name[1], found[name[1].decode()].version.encode()), style)


def address_of(path: str) -> str:
    """Return the address of a file, which changes with its content."""
    return f"/static/{path}?v={static_files()[path].version}"


async def answer(request: Request) -> Response:
    """Answer for one file."""
    found = static_files().get(request.path_params["path"])
    if found is None:
        return Response("not found\n", status_code=404, media_type="text/plain")
    if request.headers.get("If-None-Match") == f'"{found.version}"':
        return Response(status_code=304)
    is_current = request.query_params.get("v") == found.version
    headers = {"Cache-Control": YEAR if is_current else "no-cache", "ETag": f'"{found.version}"'}
    return Response(found.content, media_type=found.media_type, headers=headers)
